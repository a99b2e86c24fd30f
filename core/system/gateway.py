"""All HTTP that leaves the desk, and the one honest answer about it: never sent, or perhaps.

A request about money has its own connection: a kept one that the other side closes at the wrong
moment would turn a plain failure into a doubt. What may be sent twice (news of merchants) goes over
connections that are kept a while. The guard looks at each when it is made; it leads nowhere else
later.
"""

from __future__ import annotations

import asyncio
import re
import socket
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from functools import lru_cache
from http import HTTPStatus
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address
from types import SimpleNamespace
from typing import Final
from urllib.parse import urlsplit

import aiohttp
from aiohttp import hdrs
from aiohttp.typedefs import LooseHeaders
from yarl import URL

from core.kernel.clock import Clock
from core.kernel.errors import Ambiguous
from core.kernel.wire import HttpAnswer, HttpRequest

ANSWER_BYTES: Final = 256 * 1024
# Of either kind; more than those who call will ever want at once, so that nobody waits for others.
CONNECTIONS: Final = 400
# A second try over a new connection has so long at least.
_LEAST_S: Final = 0.1
KEPT_S: Final = 4.0  # shorter than servers keep theirs: 5 s is common
REQUESTS_AT_ONCE: Final = 20
FAILURES_TO_OPEN: Final = 5
OPEN_S: Final = 30.0
_URL_CHARS: Final = 4096
_ADDRESSES: Final = 1024  # that were looked at, and are called again
_WHY_CHARS: Final = 200
_CHUNK_BYTES: Final = 16 * 1024
_BEGINNING_BYTES: Final = 1024

# What is no address of a server on the open Internet: IANA's special-purpose registries, and the
# one that Azure's machines ask about themselves. Our own list, for Python's differs by its version.
_NOT_PUBLIC_V4: Final = tuple(
    map(
        IPv4Network,
        (
            "0.0.0.0/8", "10.0.0.0/8", "100.64.0.0/10", "127.0.0.0/8", "168.63.129.16/32",
            "169.254.0.0/16", "172.16.0.0/12", "192.0.0.0/24", "192.0.2.0/24", "192.88.99.0/24",
            "192.168.0.0/16", "198.18.0.0/15", "198.51.100.0/24", "203.0.113.0/24",
            "224.0.0.0/4", "240.0.0.0/4",
        ),
    )
)  # fmt: skip
_GLOBAL_UNICAST: Final = IPv6Network("2000::/3")
# IETF's protocols (Teredo among them), documentation, 6to4, documentation again
_NOT_PUBLIC_V6: Final = tuple(
    map(IPv6Network, ("2001::/23", "2001:db8::/32", "2002::/16", "3fff::/20"))
)
_NAT64: Final = IPv6Network("64:ff9b::/96")
# What a resolver may take for an address though it is not written as one: 2130706433, 0x7f.1
_NUMBER_LABEL: Final = re.compile(r"\d+|0x[0-9a-f]*", re.ASCII | re.IGNORECASE)

# What only means something to whoever stands near the one that resolves it (RFC 6761, 6762)
_LOCAL_DOMAINS: Final = frozenset({"localhost", "local", "internal", "lan", "home", "corp"})


# How a connection shows that the other side closed it.
_CLOSED: Final = (aiohttp.ServerDisconnectedError, aiohttp.ClientOSError)


class NeverSent(Exception):
    """Nothing was done by it, for certain: it is safe to do something else instead."""

    def __init__(self, why: str) -> None:
        self.why = why
        super().__init__(why)


class Uncallable(NeverSent):
    """An address that is never called. fault: `form` (not plainly written), `port`, `private`."""

    def __init__(self, why: str, fault: str) -> None:
        self.fault = fault
        super().__init__(why)


class MayHaveHappened(Ambiguous):
    """The request left, or may have, and no whole answer came back. Ask; never assume."""

    def __init__(self, why: str) -> None:
        self.why = why
        super().__init__(why)


@dataclass(frozen=True, slots=True)
class Timeouts:
    """connect_s: until a connection stands, waiting for a free one included. read_s: between two
    pieces of the answer. total_s: everything."""

    connect_s: float = 5.0
    read_s: float = 15.0
    total_s: float = 20.0


@dataclass(frozen=True, slots=True)
class Health:
    """How a peer stands, as this process has seen it. open: it is left alone for now. failures: in
    a row, up to now. last_error: of the latest failure, also where all is well again."""

    open: bool
    failures: int
    last_error: str
    failed_at: datetime | None
    in_flight: int


@dataclass(slots=True, kw_only=True)
class Circuit:
    """The way to one peer: room for so many requests at once, and a circuit that opens when they
    keep failing, so that what is broken is left alone.

    What counts is whether the peer works: no connection, no whole answer in time, and, where
    `judges_status`, a 5xx. Any other answer closes the circuit, a refusal as well. After `open_s`
    one request goes to try; the others wait for what becomes of it. The state is this process's
    own: each finds out by itself, and none needs another's word.
    """

    clock: Clock
    room: int = REQUESTS_AT_ONCE
    failures_to_open: int = FAILURES_TO_OPEN
    open_s: float = OPEN_S
    judges_status: bool = False
    in_flight: int = field(default=0, init=False)
    _slots: asyncio.Semaphore = field(init=False)
    _failures: int = field(default=0, init=False)
    _last_error: str = field(default="", init=False)
    _failed_at: datetime | None = field(default=None, init=False)
    _open_until: datetime | None = field(default=None, init=False)

    def __post_init__(self) -> None:
        self._slots = asyncio.Semaphore(self.room)

    def health(self) -> Health:
        """How it stands now."""
        open_until = self._open_until
        return Health(
            open=open_until is not None and self.clock.now() < open_until,
            failures=self._failures,
            last_error=self._last_error,
            failed_at=self._failed_at,
            in_flight=self.in_flight,
        )

    async def run(self, exchange: Callable[[], Awaitable[HttpAnswer]], wait_s: float) -> HttpAnswer:
        """One exchange in its turn. wait_s: for room. Raises NeverSent where there is none or the
        circuit is open, and what the exchange raises."""
        self._need_closed_circuit()
        self.in_flight += 1
        try:
            await self._take_slot(wait_s)
            try:
                answer = await exchange()
            except (NeverSent, MayHaveHappened) as error:
                self._failed(error.why)
                raise
            finally:
                self._slots.release()
        finally:
            self.in_flight -= 1
        if self.judges_status and answer.status >= HTTPStatus.INTERNAL_SERVER_ERROR:
            self._failed(f"HTTP status {answer.status}")
        else:
            self._failures, self._open_until = 0, None
        return answer

    async def _take_slot(self, wait_s: float) -> None:
        """Raises NeverSent where there is no room in time."""
        try:
            async with asyncio.timeout(wait_s if self._slots.locked() else None):
                await self._slots.acquire()
        except TimeoutError:
            raise NeverSent("too many requests are on their way there") from None

    def _need_closed_circuit(self) -> None:
        if self._open_until is None:
            return
        now = self.clock.now()
        if now < self._open_until:
            raise NeverSent("this peer failed too often; it is left alone for a while")
        self._open_until = now + timedelta(seconds=self.open_s)

    def _failed(self, why: str) -> None:
        self._failures += 1
        self._last_error, self._failed_at = why, self.clock.now()
        if self._failures >= self.failures_to_open:
            self._open_until = self._failed_at + timedelta(seconds=self.open_s)


@dataclass(slots=True)
class _Progress:
    """connected: whether a connection stood; before it did, nothing can have been sent. reused:
    whether it was a kept one."""

    connected: bool = False
    reused: bool = False


class _StaleError(Exception):
    """A kept connection turned out to be closed."""


@dataclass(slots=True, kw_only=True)
class Gateway:
    """Sends requests as they are: no redirects, cookies, retries or changes of the body.

    allow_private: for demo and tests only; lets requests go to this machine and its neighbours.
    proxy: an http(s) proxy for everything, a name and password of ours inside. It resolves the
    names, so it has to guard them too; what URLs themselves say is still checked here.
    """

    allow_private: bool = False
    proxy: str | None = None
    answer_bytes: int = ANSWER_BYTES
    _sessions: dict[bool, aiohttp.ClientSession] = field(default_factory=dict, init=False)

    async def send(
        self,
        request: HttpRequest,
        *,
        timeouts: Timeouts | None = None,
        circuit: Circuit | None = None,
        status_decides: bool = False,
        twice: bool = False,
    ) -> HttpAnswer:
        """The answer, whatever its status. Raises NeverSent or MayHaveHappened.

        circuit: the peer's, where it has one: the request goes in its turn.
        status_decides: the status is all that the caller asks for. Of the body only the beginning
        is read then, and a body that breaks off or does not end makes no doubt.
        twice: it does no harm to send it twice. A connection that was kept may be used then, and
        where that turns out to be closed, it is sent again over a new one, in what is left of the
        time.
        """
        limits = timeouts or Timeouts()
        _, host, _ = check_url(request.url, allow_private=self.allow_private)
        if self.proxy is not None and not self.allow_private:
            _need_public_name(host)

        async def exchange() -> HttpAnswer:
            if not twice:
                return await self._exchange(request, limits, status_decides, kept=False)
            loop = asyncio.get_running_loop()
            ends_s = loop.time() + limits.total_s
            with suppress(_StaleError):
                return await self._exchange(request, limits, status_decides, kept=True)
            left = replace(limits, total_s=max(ends_s - loop.time(), _LEAST_S))
            return await self._exchange(request, left, status_decides, kept=False)

        if circuit is None:
            return await exchange()
        return await circuit.run(exchange, limits.connect_s)

    async def close(self) -> None:
        """Ends every connection. Requests on their way end with MayHaveHappened."""
        while self._sessions:
            await self._sessions.popitem()[1].close()

    async def _exchange(
        self, request: HttpRequest, timeouts: Timeouts, status_decides: bool, *, kept: bool
    ) -> HttpAnswer:
        progress = _Progress()
        try:
            async with self._session(kept=kept).request(
                request.method,
                URL(request.url, encoded=True),
                headers=_headers(request),
                data=request.body or None,
                allow_redirects=False,
                proxy=self.proxy,
                timeout=_limits(timeouts),
                trace_request_ctx=progress,
            ) as response:
                read = _beginning if status_decides else self._read
                body = await read(response)
                headers = {name.lower(): value for name, value in response.headers.items()}
                return HttpAnswer(response.status, headers, body)
        except (aiohttp.ClientError, OSError, ValueError) as error:  # TimeoutError is an OSError
            why = _why(error)
            if progress.reused and isinstance(error, _CLOSED):
                raise _StaleError from error
            if progress.connected:
                raise MayHaveHappened(why) from error
            raise NeverSent(why) from error

    async def _read(self, response: aiohttp.ClientResponse) -> bytes:
        body = bytearray()
        async for chunk in response.content.iter_chunked(_CHUNK_BYTES):
            body += chunk
            if len(body) > self.answer_bytes:
                response.close()
                raise MayHaveHappened(f"the answer is longer than {self.answer_bytes} bytes")
        return bytes(body)

    def _session(self, *, kept: bool) -> aiohttp.ClientSession:
        """Makes and remembers the session of either kind."""
        if (session := self._sessions.get(kept)) is not None:
            return session
        guarded = not self.allow_private and self.proxy is None
        factory = _socket_factory(guarded=guarded)
        connector = aiohttp.TCPConnector(
            limit=CONNECTIONS,
            force_close=not kept,
            keepalive_timeout=KEPT_S if kept else None,
            use_dns_cache=False,
            socket_factory=factory,
        )
        session = self._sessions[kept] = aiohttp.ClientSession(
            connector=connector,
            cookie_jar=aiohttp.DummyCookieJar(),
            auto_decompress=False,  # a small answer must not become a large one in memory
            trace_configs=[_progress_trace()],
            trust_env=False,
        )
        return session


async def _beginning(response: aiohttp.ClientResponse) -> bytes:
    """What a body begins with, as far as it comes."""
    body = bytearray()
    with suppress(aiohttp.ClientError, OSError, ValueError):  # TimeoutError is an OSError
        async for chunk in response.content.iter_chunked(_BEGINNING_BYTES):
            body += chunk
            if len(body) >= _BEGINNING_BYTES:
                break
    if not response.content.at_eof():
        response.close()
    return bytes(body[:_BEGINNING_BYTES])


@lru_cache(_ADDRESSES)
def check_url(url: str, *, allow_private: bool) -> tuple[str, str, int]:
    """Scheme, host and port of an address we are willing to call. Raises Uncallable.

    Names are resolved, and their addresses checked, only when a connection is made.
    """
    if len(url) > _URL_CHARS or not url.isascii() or not url.isprintable() or " " in url:
        raise Uncallable("the address is not a plain URL", "form")
    try:
        parts = urlsplit(url)
        host, port = parts.hostname or "", parts.port
    except ValueError:
        raise Uncallable("the address is not a plain URL", "form") from None
    if parts.scheme not in {"http", "https"} or not host or "\\" in url:
        raise Uncallable("the address is not an http or https URL", "form")
    if parts.username is not None or parts.password is not None:
        raise Uncallable("the address carries a user name", "form")
    if "%" in host:
        raise Uncallable("the address names a zone or hides its host", "form")
    port = {"http": 80, "https": 443}[parts.scheme] if port is None else port
    if port not in {80, 443} and port < 1024:
        raise Uncallable(f"port {port} is not one for HTTP", "port")
    try:
        literal = ip_address(host)
    except ValueError:
        if _NUMBER_LABEL.fullmatch(host.rstrip(".").rpartition(".")[2]):
            raise Uncallable("the address hides a number as a name", "form") from None
    else:
        if not allow_private and not is_public(literal):
            raise Uncallable(f"{literal} is not a public address", "private")
    return parts.scheme, host, port


def _need_public_name(host: str) -> None:
    """Names that mean the proxy itself or its neighbours. Raises NeverSent."""
    labels = host.rstrip(".").rpartition(".")
    if ":" not in host and (not labels[0] or labels[2].lower() in _LOCAL_DOMAINS):
        raise NeverSent(f"{host} is not a public name")


def is_public(address: IPv4Address | IPv6Address) -> bool:
    """Whether an address is on the open Internet, seen through IPv6's ways of carrying IPv4."""
    if isinstance(address, IPv6Address):
        if address.ipv4_mapped is not None:
            return is_public(address.ipv4_mapped)
        if address in _NAT64:
            return is_public(IPv4Address(int(address) & 0xFFFF_FFFF))
        return address in _GLOBAL_UNICAST and not any(address in net for net in _NOT_PUBLIC_V6)
    return not any(address in net for net in _NOT_PUBLIC_V4)


class _ForbiddenError(OSError):
    """The guard's no; an OSError, because that is what a connector expects of a socket."""


def _socket_factory(*, guarded: bool) -> Callable[[aiohttp.AddrInfoType], socket.socket]:
    """Makes the socket of every connection, after a look at where it will connect to."""

    def make(info: aiohttp.AddrInfoType) -> socket.socket:
        family, kind, protocol, _, address = info
        host = str(address[0]).partition("%")[0]
        if guarded and not is_public(ip_address(host)):
            raise _ForbiddenError(f"{host} is not a public address")
        return socket.socket(family, kind, protocol)

    return make


def _progress_trace() -> aiohttp.TraceConfig:
    trace = aiohttp.TraceConfig()

    async def once(
        _session: aiohttp.ClientSession, context: SimpleNamespace, _params: object
    ) -> None:
        # aiohttp sends a GET again by itself; here every second try is the caller's decision.
        if context.trace_request_ctx.connected:
            raise aiohttp.ServerDisconnectedError

    async def connected(
        _session: aiohttp.ClientSession, context: SimpleNamespace, _params: object
    ) -> None:
        context.trace_request_ctx.connected = True

    async def reused(
        _session: aiohttp.ClientSession, context: SimpleNamespace, _params: object
    ) -> None:
        context.trace_request_ctx.connected = context.trace_request_ctx.reused = True

    trace.on_connection_create_start.append(once)
    trace.on_connection_create_end.append(connected)
    trace.on_connection_reuseconn.append(reused)
    return trace


@lru_cache
def _limits(timeouts: Timeouts) -> aiohttp.ClientTimeout:
    return aiohttp.ClientTimeout(
        total=timeouts.total_s,
        connect=timeouts.connect_s,
        sock_connect=timeouts.connect_s,
        sock_read=timeouts.read_s,
    )


def _headers(request: HttpRequest) -> LooseHeaders:
    return {hdrs.USER_AGENT: "Paydesk", hdrs.ACCEPT_ENCODING: "identity", **request.headers}


def _why(error: Exception) -> str:
    """In words for staff. Never the URL: in a query it may carry a signature or a person's data."""
    if isinstance(error, aiohttp.ConnectionTimeoutError):
        return "no connection in time"
    if isinstance(error, TimeoutError):
        return "no whole answer in time"
    if isinstance(error, aiohttp.ClientConnectorError):
        return f"no connection: {error.os_error}"[:_WHY_CHARS]
    if isinstance(error, aiohttp.ClientHttpProxyError):
        return f"the proxy refused: {error.status} {error.message}"[:_WHY_CHARS]
    if isinstance(error, aiohttp.ClientResponseError):
        return f"the answer is not HTTP: {error.message}"[:_WHY_CHARS]
    if isinstance(error, aiohttp.InvalidURL):
        return "the address is not a plain URL"
    return f"the connection broke: {type(error).__name__}"
