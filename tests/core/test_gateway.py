"""The gateway against real listeners that behave, and many that do not."""

from __future__ import annotations

import asyncio
import socket
import struct
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address

import pytest

from core.errors import Ambiguous
from core.gateway import ANSWER_BYTES, Gateway, MayHaveHappened, NeverSent, Timeouts, is_public
from core.wire import HttpAnswer, HttpRequest

Talk = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]
SHORT = Timeouts(connect_s=1.0, read_s=0.2, total_s=1.0)


class Hands:
    """A clock that is moved by hand."""

    def __init__(self) -> None:
        self.time = datetime(2026, 1, 1, tzinfo=UTC)

    def now(self) -> datetime:
        return self.time

    def move(self, seconds: float) -> None:
        self.time += timedelta(seconds=seconds)


class Listener:
    """A TCP server on loopback that counts connections and keeps what it was sent."""

    def __init__(self, talk: Talk) -> None:
        self._talk = talk
        self.calls = 0
        self.heard: list[bytes] = []

    async def take(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.calls += 1
        try:
            self.heard.append(await reader.readuntil(b"\r\n\r\n"))
            await self._talk(reader, writer)
        except (OSError, asyncio.IncompleteReadError):
            pass
        finally:
            writer.close()


@asynccontextmanager
async def listening(talk: Talk, host: str = "127.0.0.1") -> AsyncIterator[tuple[str, Listener]]:
    listener = Listener(talk)
    server = await asyncio.start_server(listener.take, host, 0)
    try:
        yield f"http://{host}:{server.sockets[0].getsockname()[1]}", listener
    finally:
        server.close()


@asynccontextmanager
async def gateway(
    *, allow_private: bool = True, clock: Hands | None = None, per_origin: int = 20
) -> AsyncIterator[Gateway]:
    opened = Gateway(allow_private=allow_private, clock=clock or Hands(), per_origin=per_origin)
    try:
        yield opened
    finally:
        await opened.close()


def saying(data: bytes) -> Talk:
    async def talk(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(data)
        await writer.drain()

    return talk


def ok(body: bytes, head: bytes = b"200 OK", more: bytes = b"") -> Talk:
    length = str(len(body)).encode()
    return saying(b"HTTP/1.1 " + head + b"\r\nContent-Length: " + length + b"\r\n" + more
                  + b"\r\n" + body)  # fmt: skip


async def silence(reader: asyncio.StreamReader, _writer: asyncio.StreamWriter) -> None:
    await reader.read()


def post(url: str) -> HttpRequest:
    return HttpRequest("POST", url, {"Content-Type": "text/plain"}, b"pay", "")


def closed_port() -> int:
    with socket.socket() as held:
        held.bind(("127.0.0.1", 0))
        port: int = held.getsockname()[1]
        return port


async def doubt(talk: Talk, timeouts: Timeouts = SHORT) -> str:
    async with listening(talk) as (url, listener), gateway() as desk:
        with pytest.raises(MayHaveHappened) as caught:
            await desk.send(post(url), timeouts=timeouts)
        assert listener.calls == 1
        assert isinstance(caught.value, Ambiguous)
        return caught.value.why


async def test_an_answer_comes_back_whole() -> None:
    talk = ok(b"paid\xff", more=b"X-One: 1\r\n")
    async with listening(talk) as (url, listener), gateway() as desk:
        answer = await desk.send(post(f"{url}/pay?a=%2F&b=%E8%8C%B6"))
    assert (answer.status, answer.body, answer.headers["x-one"]) == (200, b"paid\xff", "1")
    head = listener.heard[0].decode()
    assert head.startswith("POST /pay?a=%2F&b=%E8%8C%B6 HTTP/1.1\r\n")
    assert "Content-Type: text/plain\r\n" in head
    assert "Content-Length: 3\r\n" in head


@pytest.mark.parametrize("status", [b"404 Not Found", b"500 Oh", b"503 Later"])
async def test_every_status_is_an_answer(status: bytes) -> None:
    async with listening(ok(b"x", status)) as (url, _), gateway() as desk:
        assert (await desk.send(post(url))).status == int(status[:3])


async def test_redirects_are_not_followed_and_cookies_not_kept() -> None:
    async with listening(ok(b"")) as (other, never):
        more = f"Location: {other}/\r\nSet-Cookie: a=b\r\n".encode()
        async with listening(ok(b"", b"302 Found", more)) as (url, listener), gateway() as desk:
            for _ in range(2):
                answer = await desk.send(post(url))
                assert (answer.status, answer.headers["location"]) == (302, f"{other}/")
    assert never.calls == 0
    assert b"cookie" not in b"".join(listener.heard).lower()


async def test_refused() -> None:
    async with gateway() as desk:
        with pytest.raises(NeverSent, match="no connection"):
            await desk.send(post(f"http://127.0.0.1:{closed_port()}/"))


async def test_a_name_that_does_not_resolve() -> None:
    async with gateway() as desk:
        with pytest.raises(NeverSent):
            await desk.send(post("http://nothing.invalid/"))


async def test_a_connection_that_is_never_taken() -> None:
    with socket.socket() as full:
        full.bind(("127.0.0.1", 0))
        full.listen(0)
        port = full.getsockname()[1]
        fillers = [socket.socket() for _ in range(4)]
        try:
            for filler in fillers:
                filler.setblocking(False)
                filler.connect_ex(("127.0.0.1", port))
            timeouts = Timeouts(connect_s=0.3, read_s=5.0, total_s=5.0)
            async with gateway() as desk:
                with pytest.raises(NeverSent, match="no connection in time"):
                    await desk.send(post(f"http://127.0.0.1:{port}/"), timeouts=timeouts)
        finally:
            for filler in fillers:
                filler.close()


async def test_tls_that_cannot_be_verified_or_is_none() -> None:
    async with listening(ok(b"")) as (url, _), gateway() as desk:
        with pytest.raises(NeverSent):
            await desk.send(post(url.replace("http:", "https:")), timeouts=SHORT)


async def test_silence_after_the_request() -> None:
    assert await doubt(silence) == "no whole answer in time"


async def test_an_answer_that_stops_half_way() -> None:
    async def half(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhalf")
        await silence(reader, writer)

    assert await doubt(half) == "no whole answer in time"
    assert await doubt(saying(b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhalf"))


async def test_an_answer_that_drips_for_ever() -> None:
    async def drip(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n")
        while True:
            writer.write(b".")
            await writer.drain()
            await asyncio.sleep(0.02)

    timeouts = Timeouts(connect_s=1.0, read_s=5.0, total_s=0.4)
    assert await doubt(drip, timeouts) == "no whole answer in time"


async def test_garbage() -> None:
    assert await doubt(saying(b"\x00\xff\x16\x03 what?\r\n\r\n"))


async def test_a_close_without_a_word() -> None:
    assert await doubt(saying(b""))


async def test_a_get_is_not_sent_twice_either() -> None:
    async with listening(saying(b"")) as (url, listener), gateway() as desk:
        with pytest.raises(MayHaveHappened, match="ServerDisconnected"):
            await desk.send(HttpRequest("GET", url, {}, b"", ""))
    assert listener.calls == 1


async def test_a_reset_after_the_request() -> None:
    async def reset(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        raw = writer.get_extra_info("socket")
        raw.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nha")
        await writer.drain()
        writer.transport.abort()

    assert await doubt(reset)


async def test_an_answer_without_end() -> None:
    async def flood(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 200 OK\r\n\r\n")
        while True:
            writer.write(b"x" * 65_536)
            await writer.drain()

    assert await doubt(flood) == f"the answer is longer than {ANSWER_BYTES} bytes"


async def test_an_answer_of_just_the_limit() -> None:
    async with listening(ok(b"x" * ANSWER_BYTES)) as (url, _), gateway() as desk:
        assert len((await desk.send(post(url))).body) == ANSWER_BYTES


PRIVATE = [
    "127.0.0.1", "127.8.8.8", "10.0.0.1", "172.16.3.4", "192.168.1.1", "169.254.169.254",
    "100.64.0.1", "0.0.0.0", "224.0.0.1", "239.1.1.1", "255.255.255.255", "240.0.0.1",  # noqa: S104 - refused, never bound
    "192.0.2.1", "198.18.0.1", "::", "::1", "::ffff:127.0.0.1", "::ffff:10.0.0.1", "::7f00:1",
    "64:ff9b::127.0.0.1", "64:ff9b::a00:1", "64:ff9b:1::1", "2002:7f00:1::", "2002:808:808::1",
    "2001::1", "2001:db8::1", "fe80::1", "fec0::1", "fc00::1", "fd12::1", "ff02::1", "100::1",
]  # fmt: skip
PUBLIC = ["8.8.8.8", "93.184.216.34", "2606:4700::1111", "::ffff:8.8.8.8", "64:ff9b::808:808"]


@pytest.mark.parametrize("address", PRIVATE)
async def test_private_addresses_are_not_called(address: str) -> None:
    assert not is_public(ip_address(address))
    host = f"[{address}]" if ":" in address else address
    async with gateway(allow_private=False) as desk:
        with pytest.raises(NeverSent, match="is not a public address"):
            await desk.send(post(f"http://{host}:8080/"), timeouts=SHORT)


@pytest.mark.parametrize("address", PUBLIC)
def test_public_addresses_are(address: str) -> None:
    assert is_public(ip_address(address))


async def test_names_are_judged_by_the_addresses_they_lead_to() -> None:
    async with listening(ok(b"")) as (url, listener), gateway(allow_private=False) as desk:
        with pytest.raises(NeverSent, match=r"no connection: .*1 is not a public address"):
            await desk.send(post(url.replace("127.0.0.1", "localhost")), timeouts=SHORT)
    assert listener.calls == 0


@pytest.mark.parametrize(
    "url",
    [
        "http://2130706433/",
        "http://0x7f000001/",
        "http://0x7f.1/",
        "http://127.1/",
        "http://0177.0.0.1/",
        "http://1.2.3.4.5/",
        "http://8.8.8.8.:8080/..",
        "ftp://8.8.8.8/",
        "file:///etc/passwd",
        "http:///x",
        "//8.8.8.8/",
        "http://user@8.8.8.8/",
        "http://user:word@8.8.8.8/",
        "http://8.8.8.8:22/",
        "http://8.8.8.8:0/",
        "http://8.8.8.8:70000/",
        "http://[::1/",
        "http://8.8.8.8\\@127.0.0.1/",
        "http://8.8.8.8/a b",
        "http://8.8.8.8/\r\nX: y",
        "http://茶.example/",
        "http://8.8.8.8/" + "x" * 5000,
    ],
)
async def test_odd_urls_are_not_called(url: str) -> None:
    async with gateway() as desk:
        with pytest.raises(NeverSent):
            await desk.send(post(url), timeouts=SHORT)


async def test_a_host_that_keeps_failing_is_left_alone_for_a_while() -> None:
    clock = Hands()
    alive = False

    async def moody(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if alive:
            await ok(b"back")(reader, writer)

    async with listening(moody) as (url, listener), gateway(clock=clock) as desk:
        for _ in range(desk.failures_to_open):
            with pytest.raises(MayHaveHappened):
                await desk.send(post(url))
        with pytest.raises(NeverSent, match="left alone"):
            await desk.send(post(url))
        assert listener.calls == desk.failures_to_open
        # One request tries when the time is over; its failure closes the door again.
        clock.move(desk.open_s)
        with pytest.raises(MayHaveHappened):
            await desk.send(post(url))
        with pytest.raises(NeverSent, match="left alone"):
            await desk.send(post(url))
        clock.move(desk.open_s)
        alive = True
        assert (await desk.send(post(url))).body == b"back"
        alive = False
        with pytest.raises(MayHaveHappened):
            await desk.send(post(url))


async def test_only_so_many_requests_at_once_to_one_host() -> None:
    entered = asyncio.Semaphore(0)
    leave = asyncio.Event()
    inside = 0
    most = 0

    async def slow(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal inside, most
        inside += 1
        most = max(most, inside)
        entered.release()
        await leave.wait()
        inside -= 1
        await ok(b"done")(reader, writer)

    async with listening(slow) as (url, listener), gateway(per_origin=2) as desk:
        sends = [asyncio.create_task(desk.send(post(url))) for _ in range(5)]
        for _ in range(2):
            await asyncio.wait_for(entered.acquire(), 5)
        with pytest.raises(NeverSent, match="too many"):
            await desk.send(post(url), timeouts=Timeouts(connect_s=0.05))
        leave.set()
        answers: list[HttpAnswer] = await asyncio.gather(*sends)
    assert [answer.body for answer in answers] == [b"done"] * 5
    assert (most, listener.calls) == (2, 5)


async def test_closing_ends_what_is_on_its_way_in_doubt() -> None:
    heard = asyncio.Event()

    async def hold(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        heard.set()
        await silence(reader, writer)

    async with listening(hold) as (url, _):
        desk = Gateway(allow_private=True)
        sending = asyncio.create_task(desk.send(post(url)))
        await asyncio.wait_for(heard.wait(), 5)
        await desk.close()
        with pytest.raises(MayHaveHappened):
            await sending


async def test_a_proxy_takes_the_request() -> None:
    async with listening(ok(b"through")) as (url, listener):
        desk = Gateway(proxy=url)
        try:
            answer = await desk.send(post("http://supplier.example/pay"))
            with pytest.raises(NeverSent):
                await desk.send(post("http://127.0.0.1/"))
        finally:
            await desk.close()
    assert answer.body == b"through"
    assert listener.heard[0].startswith(b"POST http://supplier.example/pay HTTP/1.1\r\n")
