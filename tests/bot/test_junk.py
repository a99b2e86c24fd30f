"""What strangers send that is no request: answered 4xx or ended, counted, and told of quietly."""

from __future__ import annotations

import asyncio
import logging
import random
import ssl
from collections.abc import AsyncIterator
from contextlib import suppress
from dataclasses import dataclass

import pytest
from aiohttp import hdrs, web
from structlog.testing import capture_logs

from bot.admin import Admin
from bot.fronts import MAX_BODY_BYTES
from bot.listener import HUNG_UP, Limits, Listener
from bot.webhook import SECRET_HEADER, Webhook, webhook_secret
from bot.world import BOT_ID
from core.runtime import Runtime
from payapi import add_payapi
from payapi.auth import ID, KEY, SIGNATURE, TIMESTAMP
from tests.conftest import MASTER_KEY

SOON_S = 10.0
SECRET = webhook_secret(MASTER_KEY, BOT_ID)
PATHS = (
    "/", "/nowhere", "/v1/orders", "/v1/orders/P1", "/v1/balance", "/v1/signature-check",
    "/v1/openapi.json", "/docs/api", "/callbacks/A1", "/pay/P1", "/pay/P1/status",
    "/pay/static/x", "/telegram", "/healthz",
)  # fmt: skip
ADMIN_PATHS = ("/readyz", "/metrics", "/", "/nowhere")
NAMES = (
    *sorted(str(name) for name in vars(hdrs).values() if isinstance(name, str)
            and name.istitle() and name != hdrs.HOST),
    "X-Forwarded-For", KEY, ID, TIMESTAMP, SIGNATURE, SECRET_HEADER,
)  # fmt: skip
# Bytes that headers have, some that they should not have, and what means something in one of them.
PARTS = (
    b"\xff", b"\x80", b"\xc3\x28", b"\xed\xa0\x80", b"\x7f", b"\t", b" ", b",", b";", b"=", b'"',
    b"*", b"/", b"[", b"]", b":", b"@", b"%", b"%ff", b"\\", b"(", b"0", b"-1", b"1e9", b"9" * 40,
    b"bytes=0-", b"100-continue", b"chunked", b"gzip", b"close", b"upgrade", b"websocket",
    b"text/html", b"q=", b"charset=", b"utf-8", b"zh", b"W/", b"GMT", b"boundary=", b"multipart/",
    "Ω".encode(), b"x" * 9000,
)  # fmt: skip


@dataclass(frozen=True)
class Ports:
    """A desk's two listeners."""

    public: Listener
    admin: Listener

    @property
    def junk(self) -> int:
        return self.public.junk + self.admin.junk


@pytest.fixture
async def ports(runtime: Runtime) -> AsyncIterator[Ports]:
    app = web.Application(client_max_size=MAX_BODY_BYTES)
    app.router.add_get("/healthz", _alive)
    app.router.add_post(
        "/telegram", Webhook(runtime.delivery.inbox, runtime.system.vault, BOT_ID, SECRET).receive
    )
    add_payapi(app, runtime, trusted_proxies=())
    limits = Limits(head_s=1.0, body_s=0.3)
    public = Listener(app, "127.0.0.1", 0, limits=limits)
    admin = Listener(Admin(runtime, None, None).app(), "127.0.0.1", 0, limits=limits)
    for listener in (public, admin):
        await listener.start()
    yield Ports(public, admin)
    for listener in (public, admin):
        await listener.stop()


async def _alive(_: web.Request) -> web.Response:
    return web.json_response({"alive": True})


async def said(listener: Listener, sent: bytes) -> bytes:
    """What comes back, up to the head of an answer that is the last, or to the end."""
    reader, writer = await asyncio.open_connection(*listener.addresses[0])
    heard = b""
    writer.write(sent)
    try:
        async with asyncio.timeout(SOON_S):
            while not any(status >= 200 for status in statuses(heard)):
                heard += await reader.readuntil(b"\r\n\r\n")
    except (asyncio.IncompleteReadError, ConnectionError):
        pass  # it was ended without an answer
    finally:
        writer.close()
    return heard


def statuses(answer: bytes) -> list[int]:
    return [int(line[9:12]) for line in answer.split(b"\r\n") if line.startswith(b"HTTP/1.1 ")]


def request(method: str, path: str, *headers: tuple[str, bytes], body: bytes = b"") -> bytes:
    lines = [f"{method} {path} HTTP/1.1".encode(), b"Host: x", b"Connection: close"]
    lines += [name.encode() + b": " + value for name, value in headers]
    return b"\r\n".join([*lines, b"", body])


async def test_no_header_is_a_fault_of_ours(ports: Ports, caplog: pytest.LogCaptureFixture) -> None:
    """Whatever its bytes are, on every route: never a 5xx, never an error in the log."""
    draw = random.Random(10)
    with capture_logs() as logs, caplog.at_level(logging.WARNING):
        for name in NAMES:
            for _ in range(6):
                value = b"".join(draw.choices(PARTS, k=draw.randint(1, 3)))
                on_admin = draw.random() < 0.1
                path = draw.choice(ADMIN_PATHS if on_admin else PATHS)
                method = draw.choice(("GET", "POST"))
                asked = request(method, path, (name, value))
                answer = await said(ports.admin if on_admin else ports.public, asked)
                assert all(100 <= status < 500 for status in statuses(answer)), (asked, answer)
    loud = [log for log in logs if log["log_level"] in ("error", "critical")]
    assert (loud, caplog.records) == ([], [])


async def test_what_nobody_can_do_is_refused_before_it_is_read(ports: Ports) -> None:
    places = [(ports.public, path) for path in PATHS] + [(ports.admin, p) for p in ADMIN_PATHS]
    for listener, path in places:
        for expected in (b"\xff", b"\xed\xa0\x80", b"200-ok", b"100-continue, x"):
            answer = await said(listener, request("POST", path, ("Expect", expected)))
            assert statuses(answer) == [417], path
        goes_on = (("Expect", b"100-Continue"), ("Content-Length", b"2"))
        first, last = statuses(await said(listener, request("POST", path, *goes_on, body=b"{}")))
        assert first == 100
        assert 200 <= last < 500, path


async def test_what_is_no_request_is_counted_and_told_of_in_few_words(
    ports: Ports, caplog: pytest.LogCaptureFixture
) -> None:
    hello = ssl.MemoryBIO()
    tls = ssl.create_default_context().wrap_bio(ssl.MemoryBIO(), hello, server_hostname="x")
    with suppress(ssl.SSLWantReadError):
        tls.do_handshake()
    chunks = ("Transfer-Encoding", b"chunked")
    junk = (
        hello.read(),
        b"\x00" * 100,
        b"GET\r\n\r\n",
        b"GET  HTTP/1.1\r\n\r\n",
        b"GET / HTTP/9.9\r\n\r\n",
        b"GET / HTTP/1.1\r\nno colon\r\n\r\n",
        b"GET / HTTP/1.1\r\nContent-Length: x\r\n\r\n",
        b"GET /" + b"x" * 10_000 + b" HTTP/1.1\r\n\r\n",
        request("POST", "/telegram", (SECRET_HEADER, SECRET.encode()), chunks, body=b"zz\r\n"),
        *(request("GET", "/", ("X-Long", b"x" * 20_000)) for _ in range(20)),
    )
    with capture_logs() as logs, caplog.at_level(logging.DEBUG, logger="bot.listener"):
        for sent in junk:
            assert statuses(await said(ports.public, sent)) in ([400], []), sent
        async with asyncio.timeout(SOON_S):
            while sum(log.get("times", 0) for log in logs) < len(junk):
                # The listener tells of it in its own time: others are served meanwhile.
                await said(ports.public, request("GET", "/healthz"))
    assert ports.public.junk == len(junk)
    assert caplog.records == []
    assert {log["log_level"] for log in logs} == {"info"}
    told = [log for log in logs if log["event"] == "what came is no request"]
    assert len(told) <= 3, "in a line a second, however much comes"


async def test_a_long_path_does_not_fill_the_log(ports: Ports) -> None:
    with capture_logs() as logs:
        answer = await said(ports.public, request("GET", "/v1/" + "x" * 7_000))
    assert statuses(answer) == [404]
    assert max(len(str(log)) for log in logs) < 500


async def test_who_hangs_up_is_no_fault_of_ours(
    ports: Ports, runtime: Runtime, caplog: pytest.LogCaptureFixture
) -> None:
    key = await runtime.system.store.fetchval("SELECT key_id FROM app LIMIT 1")
    proof = ((KEY, key.encode()), (SECRET_HEADER, SECRET.encode()), ("Content-Length", b"100"))
    paths = ("/v1/signature-check", "/callbacks/A1", "/telegram", "/pay/P1")
    with capture_logs() as logs, caplog.at_level(logging.WARNING):
        for path in paths * 5:
            _, writer = await asyncio.open_connection(*ports.public.addresses[0])
            writer.write(request("POST", path, *proof, body=b"{"))
            await writer.drain()
            await asyncio.sleep(0)
            writer.transport.abort()
        # Whoever comes later is served as ever.
        assert statuses(await said(ports.public, request("GET", "/healthz"))) == [200]
    assert caplog.records == []
    assert {log["log_level"] for log in logs} == {"info"}
    assert HUNG_UP in {log["status"] for log in logs}
