"""The gateway against real listeners that behave, and many that do not."""

from __future__ import annotations

import asyncio
import os
import socket
import ssl
import struct
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from core.kernel.errors import Ambiguous
from core.kernel.wire import HttpAnswer, HttpRequest
from core.system.gateway import (
    ANSWER_BYTES,
    FAILURES_TO_OPEN,
    OPEN_S,
    REQUESTS_AT_ONCE,
    Circuit,
    Gateway,
    MayHaveHappened,
    NeverSent,
    Timeouts,
    is_public,
)
from tests.core.peers import Held, Talk, closed_port, listening, ok, post, saying, silence

ROOT = Path(__file__).resolve().parents[3]
SHORT = Timeouts(connect_s=1.0, read_s=0.2, total_s=1.0)


class Hands:
    """A clock that is moved by hand."""

    def __init__(self) -> None:
        self.time = datetime(2026, 1, 1, tzinfo=UTC)

    def now(self) -> datetime:
        return self.time

    def move(self, seconds: float) -> None:
        self.time += timedelta(seconds=seconds)


@asynccontextmanager
async def gateway(
    *, allow_private: bool = True, proxy: str | None = None
) -> AsyncIterator[Gateway]:
    opened = Gateway(allow_private=allow_private, proxy=proxy)
    try:
        yield opened
    finally:
        await opened.close()


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


async def test_tls_that_is_none() -> None:
    async with listening(ok(b"")) as (url, _), gateway() as desk:
        with pytest.raises(NeverSent):
            await desk.send(post(url.replace("http:", "https:")), timeouts=SHORT)


async def test_tls_that_never_shakes_hands() -> None:
    timeouts = Timeouts(connect_s=0.3, read_s=5.0, total_s=5.0)
    async with listening(silence) as (url, _), gateway() as desk:
        with pytest.raises(NeverSent, match="no connection in time"):
            await desk.send(post(url.replace("http:", "https:")), timeouts=timeouts)


async def test_a_certificate_that_is_not_trusted(certificate: Path) -> None:
    async with listening(ok(b"paid"), _tls(certificate)) as (url, listener), gateway() as desk:
        with pytest.raises(NeverSent, match=r"(?i)certificate"):
            await desk.send(post(url), timeouts=SHORT)
    assert listener.heard == []


async def test_silence_after_the_request() -> None:
    assert await doubt(silence) == "no whole answer in time"


async def test_an_answer_that_stops_half_way() -> None:
    async def half(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhalf")
        await silence(reader, writer)

    assert await doubt(half) == "no whole answer in time"
    assert await doubt(saying(b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhalf"))


async def test_a_head_that_stops_half_way() -> None:
    async def half(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Le")
        await silence(reader, writer)

    assert await doubt(half) == "no whole answer in time"
    assert await doubt(saying(b"HTTP/1.1 200 OK\r\nContent-Le"))


async def test_a_head_that_drips_for_ever() -> None:
    async def drip(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 200 OK\r\nX-Slow: ")
        while True:
            writer.write(b".")
            await writer.drain()
            await asyncio.sleep(0.02)

    timeouts = Timeouts(connect_s=1.0, read_s=5.0, total_s=0.4)
    assert await doubt(drip, timeouts) == "no whole answer in time"


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


async def test_where_the_status_decides_no_body_makes_a_doubt() -> None:
    async def flood(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 200 OK\r\n\r\n")
        while True:
            writer.write(b"x" * 65_536)
            await writer.drain()

    async def stops(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhalf")
        await silence(reader, writer)

    broken = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nha\r\n5\r\nab"
    cut_off = b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhalf"
    bodies = (flood, stops, saying(cut_off), saying(broken), ok(b"x" * (ANSWER_BYTES + 1)))
    for talk in bodies:
        async with listening(talk) as (url, listener), gateway() as desk:
            answer = await desk.send(post(url), timeouts=SHORT, status_decides=True)
        assert (answer.status, listener.calls) == (200, 1)
        assert len(answer.body) <= 1024
    for talk in (silence, saying(b""), saying(b"HTTP/1.1 200 OK\r\nContent-Le")):
        async with listening(talk) as (url, _), gateway() as desk:
            with pytest.raises(MayHaveHappened):
                await desk.send(post(url), timeouts=SHORT, status_decides=True)


async def test_an_answer_of_just_the_limit() -> None:
    async with listening(ok(b"x" * ANSWER_BYTES)) as (url, _), gateway() as desk:
        assert len((await desk.send(post(url))).body) == ANSWER_BYTES


PRIVATE = [
    "127.0.0.1", "127.8.8.8", "10.0.0.1", "172.16.3.4", "192.168.1.1", "169.254.169.254",
    "100.64.0.1", "0.0.0.0", "224.0.0.1", "239.1.1.1", "255.255.255.255", "240.0.0.1",  # noqa: S104 - refused, never bound
    "192.0.2.1", "198.18.0.1", "::", "::1", "::ffff:127.0.0.1", "::ffff:10.0.0.1", "::7f00:1",
    "64:ff9b::127.0.0.1", "64:ff9b::a00:1", "64:ff9b:1::1", "2002:7f00:1::", "2002:808:808::1",
    "2001::1", "2001:db8::1", "fe80::1", "fec0::1", "fc00::1", "fd12::1", "ff02::1", "100::1",
    "192.0.0.8", "192.0.0.10", "192.88.99.1", "168.63.129.16", "::ffff:168.63.129.16", "3fff::1",
]  # fmt: skip
PUBLIC = [
    "8.8.8.8", "93.184.216.34", "2606:4700::1111", "::ffff:8.8.8.8", "64:ff9b::808:808",
    "192.0.1.1", "168.63.129.15", "168.63.129.17", "172.32.0.1", "100.128.0.1", "11.0.0.1",
    "223.255.255.255", "2001:200::1",
]  # fmt: skip


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
        "http://[fe80::1%25eth0]:8080/",
        "http://[fe80::1%eth0]:8080/",
        "http://[2606:4700::1111%25lo]:8080/",
        "http://%31%32%37.0.0.1/",
        "http://127.0.0.1%2eexample/",
        "http://127。0。0。1/",
        "http://①②⑦.0.0.1/",
        "http://8.8.8.8:8080%20/",
        "http://8.8.8.8/" + "x" * 5000,
    ],
)
async def test_odd_urls_are_not_called(url: str) -> None:
    async with gateway() as desk:
        with pytest.raises(NeverSent):
            await desk.send(post(url), timeouts=SHORT)


async def test_a_peer_that_keeps_failing_is_left_alone_for_a_while() -> None:
    clock = Hands()
    circuit = Circuit(clock=clock)
    alive = False

    async def moody(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if alive:
            await ok(b"back")(reader, writer)

    async with listening(moody) as (url, listener), gateway() as desk:
        for _ in range(FAILURES_TO_OPEN):
            with pytest.raises(MayHaveHappened):
                await desk.send(post(url), circuit=circuit)
        with pytest.raises(NeverSent, match="left alone"):
            await desk.send(post(url), circuit=circuit)
        assert listener.calls == FAILURES_TO_OPEN
        # One request tries when the time is over; its failure closes the door again.
        clock.move(OPEN_S)
        with pytest.raises(MayHaveHappened):
            await desk.send(post(url), circuit=circuit)
        with pytest.raises(NeverSent, match="left alone"):
            await desk.send(post(url), circuit=circuit)
        clock.move(OPEN_S)
        alive = True
        assert (await desk.send(post(url), circuit=circuit)).body == b"back"
        alive = False
        with pytest.raises(MayHaveHappened):
            await desk.send(post(url), circuit=circuit)


async def test_while_one_request_tries_the_others_stay_away() -> None:
    clock, entered, leave = Hands(), asyncio.Event(), asyncio.Event()
    alive = False

    async def moody(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if alive:
            entered.set()
            await leave.wait()
            await ok(b"back")(reader, writer)

    circuit = Circuit(clock=clock, failures_to_open=1)
    async with listening(moody) as (url, listener), gateway() as desk:
        with pytest.raises(MayHaveHappened):
            await desk.send(post(url), circuit=circuit)
        alive = True
        clock.move(OPEN_S)
        trying = asyncio.create_task(desk.send(post(url), circuit=circuit))
        await asyncio.wait_for(entered.wait(), 5)
        assert (circuit.health().open, circuit.health().in_flight) == (True, 1)
        with pytest.raises(NeverSent, match="left alone"):
            await desk.send(post(url), circuit=circuit)
        leave.set()
        assert (await trying).body == b"back"
        assert (await desk.send(post(url), circuit=circuit)).body == b"back"
    assert listener.calls == 3


@pytest.mark.parametrize(
    ("status", "judges", "opens"),
    [(b"500 Oh", True, True), (b"503 Later", True, True), (b"500 Oh", False, False),
     (b"400 No", True, False), (b"401 Who", True, False), (b"429 Slowly", True, False)],
)  # fmt: skip
async def test_a_5xx_is_a_failure_where_it_counts_and_a_refusal_is_none(
    status: bytes, judges: bool, opens: bool
) -> None:
    circuit = Circuit(clock=Hands(), failures_to_open=2, judges_status=judges)
    async with listening(ok(b"", status)) as (url, _), gateway() as desk:
        for _ in range(2):
            await desk.send(post(url), circuit=circuit)
        assert circuit.health().open is opens
        assert circuit.health().failures == (2 if opens else 0)
        assert circuit.health().last_error == (f"HTTP status {int(status[:3])}" if opens else "")
        assert (circuit.health().failed_at is not None) is opens


async def test_a_read_that_times_out_is_a_failure() -> None:
    circuit = Circuit(clock=Hands(), failures_to_open=1)
    async with listening(silence) as (url, _), gateway() as desk:
        with pytest.raises(MayHaveHappened):
            await desk.send(post(url), timeouts=SHORT, circuit=circuit)
    assert circuit.health().open
    assert circuit.health().last_error == "no whole answer in time"


async def test_only_so_many_requests_at_once_to_one_peer() -> None:
    held, circuit = Held(), Circuit(clock=Hands())
    async with listening(held.talk) as (url, listener), gateway() as desk:
        number = REQUESTS_AT_ONCE + 3
        sends = [asyncio.create_task(desk.send(post(url), circuit=circuit)) for _ in range(number)]
        await held.wait(REQUESTS_AT_ONCE)
        with pytest.raises(NeverSent, match="too many"):
            await desk.send(post(url), timeouts=Timeouts(connect_s=0.05), circuit=circuit)
        held.leave.set()
        answers: list[HttpAnswer] = await asyncio.gather(*sends)
    assert [answer.body for answer in answers] == [b"done"] * number
    assert (held.most, listener.calls) == (REQUESTS_AT_ONCE, number)


async def test_two_circuits_to_one_host_have_each_their_own_room_and_fate() -> None:
    held, clock = Held(), Hands()
    full, free = Circuit(clock=clock, room=1), Circuit(clock=clock)
    broken = Circuit(clock=clock, failures_to_open=1)
    async with listening(held.talk) as (url, _), gateway() as desk:
        first = asyncio.create_task(desk.send(post(url), circuit=full))
        await held.wait(1)
        with pytest.raises(NeverSent, match="too many"):
            await desk.send(post(url), timeouts=Timeouts(connect_s=0.05), circuit=full)
        with pytest.raises(MayHaveHappened):
            await desk.send(post(url), timeouts=SHORT, circuit=broken)
        assert broken.health().open
        held.leave.set()
        assert (await desk.send(post(url), circuit=free)).body == b"done"
        assert (await first).body == b"done"
        assert not full.health().open, "a crowd is no failure"


async def talk_on(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Answers what comes over one connection, as often as it comes."""
    await reader.readexactly(3)
    await ok(b"noted")(reader, writer)
    with suppress(asyncio.IncompleteReadError):
        while await reader.readuntil(b"\r\n\r\n"):
            await reader.readexactly(3)
            await ok(b"noted")(reader, writer)


@pytest.mark.parametrize(("twice", "connections"), [(True, 1), (False, 5)])
async def test_a_connection_is_kept_for_what_may_be_sent_twice(
    twice: bool, connections: int
) -> None:
    async with listening(talk_on) as (url, listener), gateway() as desk:
        for _ in range(5):
            answer = await desk.send(post(url), status_decides=True, twice=twice)
            assert answer.body == b"noted"
        assert listener.calls == connections


async def test_what_a_kept_connection_lost_is_sent_again_over_a_new_one() -> None:
    async def leave(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readexactly(3)
        await ok(b"noted")(reader, writer)
        await reader.readuntil(b"\r\n\r\n")  # hears the next one, and is gone

    async with listening(leave) as (url, listener), gateway() as desk:
        for connections in (1, 2, 3):
            answer = await desk.send(post(url), status_decides=True, twice=True)
            assert (answer.body, listener.calls) == (b"noted", min(connections, 3))


async def test_a_connection_whose_answer_was_not_read_to_its_end_is_not_kept() -> None:
    long = b"x" * ANSWER_BYTES

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await ok(long)(reader, writer)
        await silence(reader, writer)

    async with listening(talk) as (url, listener), gateway() as desk:
        for connections in (1, 2):
            answer = await desk.send(post(url), status_decides=True, twice=True)
            assert (len(answer.body), listener.calls) == (1024, connections)


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


# ── through a proxy ──────────────────────────────────────────────────────────────────────────────
@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A certificate of supplier.example that it gave itself, and its key, in one file."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "supplier.example")])
    now = datetime.now(UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName("supplier.example")]), False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), True)
        .sign(key, hashes.SHA256())
    )
    path = tmp_path_factory.mktemp("tls") / "supplier.pem"
    path.write_bytes(
        made.public_bytes(serialization.Encoding.PEM)
        + key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
    )
    return path


def _tls(certificate: Path) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    return context


def proxy_to(port: int, *, answer: bytes = b"200 Connected") -> Talk:
    """An HTTP proxy to whom every name means this port of loopback."""

    async def pipe(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while data := await reader.read(65_536):
            writer.write(data)
            await writer.drain()
        writer.close()

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 " + answer + b"\r\n\r\n")
        if answer.startswith(b"200"):
            there, back = await asyncio.open_connection("127.0.0.1", port)
            await asyncio.gather(pipe(reader, back), pipe(there, writer))

    return talk


def port_of(url: str) -> int:
    return int(url.rpartition(":")[2])


async def test_a_proxy_takes_the_request() -> None:
    async with (
        listening(ok(b"through")) as (url, listener),
        gateway(allow_private=False, proxy=url.replace("//", "//desk:s%40same@")) as desk,
    ):
        answer = await desk.send(post("http://supplier.example/pay"))
    assert answer.body == b"through"
    head = listener.heard[0]
    assert head.startswith(b"POST http://supplier.example/pay HTTP/1.1\r\n")
    assert b"\r\nProxy-Authorization: Basic ZGVzazpzQHNhbWU=\r\n" in head


async def test_a_tunnel_through_a_proxy_keeps_tls_between_the_ends(certificate: Path) -> None:
    """In a process of its own, which trusts the certificate."""
    script = (
        "import asyncio, sys\n"
        "from core.system.gateway import Gateway\n"
        "from core.kernel.wire import HttpRequest\n"
        "async def main():\n"
        "    gateway = Gateway(proxy=sys.argv[1])\n"
        "    request = HttpRequest('POST', 'https://supplier.example/pay', {}, b'pay', '')\n"
        "    print((await gateway.send(request)).body.decode())\n"
        "    await gateway.close()\n"
        "asyncio.run(main())\n"
    )
    async with (
        listening(ok(b"paid"), _tls(certificate)) as (url, supplier),
        listening(proxy_to(port_of(url))) as (proxy, between),
    ):
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-c", script, proxy, stdout=asyncio.subprocess.PIPE,
            env={**os.environ, "SSL_CERT_FILE": str(certificate)}, cwd=ROOT,
        )  # fmt: skip
        said, _ = await asyncio.wait_for(process.communicate(), 30)
    assert said == b"paid\n"
    assert supplier.heard[0].startswith(b"POST /pay HTTP/1.1\r\n")
    assert between.heard[0].startswith(b"CONNECT supplier.example:443 HTTP/1.1\r\n")
    assert len(between.heard) == 1


async def test_what_fails_before_the_tunnel_stands_was_never_sent(certificate: Path) -> None:
    async with listening(ok(b"paid"), _tls(certificate)) as (url, supplier):
        target = post("https://supplier.example/pay")
        for talk, why in (
            (proxy_to(port_of(url)), r"(?i)certificate"),
            (proxy_to(port_of(url), answer=b"407 Who"), "the proxy refused: 407"),
            (proxy_to(port_of(url), answer=b"502 Cannot"), "the proxy refused: 502"),
            (saying(b""), "."),
            (silence, "no connection in time"),
        ):
            async with (
                listening(talk) as (proxy, _),
                gateway(allow_private=False, proxy=proxy) as desk,
            ):
                with pytest.raises(NeverSent, match=why):
                    await desk.send(target, timeouts=Timeouts(connect_s=0.5))
        async with gateway(proxy=f"http://desk:sesame@127.0.0.1:{closed_port()}") as desk:
            with pytest.raises(NeverSent, match="no connection") as caught:
                await desk.send(target, timeouts=SHORT)
            assert "sesame" not in str(caught.value)
    assert supplier.heard == []


@pytest.mark.parametrize(
    "host",
    ["127.0.0.1", "[::1]", "10.0.0.1", "localhost", "localhost.", "db", "metadata.google.internal",
     "printer.local", "a.localhost"],
)  # fmt: skip
async def test_a_proxy_is_not_asked_for_its_own_neighbours(host: str) -> None:
    async with (
        listening(ok(b"")) as (url, listener),
        gateway(allow_private=False, proxy=url) as desk,
    ):
        with pytest.raises(NeverSent, match="is not a public"):
            await desk.send(post(f"http://{host}:8080/"))
    assert listener.calls == 0
