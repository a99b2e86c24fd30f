"""A port that people reach from outside: who connects and says nothing, or says it slowly, goes.

The HTTP library waits for ever for a connection's first request and for the end of a body. Each
connection is a file of the process, and files run out. What strangers send that is no request is
answered 4xx, counted, and told of in one line a second at most: it is no fault of ours.
"""

from __future__ import annotations

import asyncio
import logging
import os
import resource
import time
from collections import defaultdict
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass
from http import HTTPStatus
from ipaddress import IPv4Network, IPv6Network, ip_address
from typing import Any, Final
from weakref import WeakKeyDictionary

import structlog
from aiohttp import HttpVersion11, hdrs, web
from aiohttp.http_exceptions import HttpProcessingError

from bot.process import PortTaken
from core.kernel.errors import Bug

_LOG = structlog.get_logger(__name__)
DRAIN_S: Final = 15.0
IDLE_S: Final = 30.0
SWEEP_S: Final = 1.0
FILES_MAX: Final = 65_536
# What part of the process's files one port's connections may be; half of it one address's.
SHARE_OF_FILES: Final = 0.4
# What a caller that hung up is answered: nobody reads it. nginx calls it so.
HUNG_UP: Final = 499
_SHOWN_CHARS: Final = 200


def raise_file_limit() -> None:
    """Let this process have as many files as its user may: each connection is one."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = FILES_MAX if hard == resource.RLIM_INFINITY else min(hard, FILES_MAX)
    if soft != resource.RLIM_INFINITY and soft < wanted:
        with suppress(ValueError, OSError):
            resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))


@dataclass(frozen=True, slots=True)
class Limits:
    """What one caller may take of a port. head_s, body_s: how long its first request and the body
    of any may take. per_address: connections at once."""

    head_s: float = 10.0
    body_s: float = 15.0
    # A browser opens six; a merchant's servers behind one address some dozens.
    per_address: int = 512


@dataclass(slots=True)
class _Standing:
    """How a connection stands. since_s: when that began. fresh: it brought no request yet. busy:
    one of its requests is being answered."""

    since_s: float
    fresh: bool = True
    busy: bool = False

    @property
    def worth(self) -> tuple[bool, bool, float]:
        """Who has to go first where there are too many: the least of them."""
        return self.busy, not self.fresh, self.since_s


class Listener:
    """Serves an application on one port, with deadlines for heads and bodies.

    trusted: networks of proxies, which bring everybody's connections. shared: other processes
    listen on it too. Where there are more connections than the process has files for, those go
    that do nothing, the longest first.
    """

    def __init__(
        self,
        app: web.Application,
        host: str,
        port: int,
        *,
        trusted: Iterable[IPv4Network | IPv6Network] = (),
        limits: Limits | None = None,
        shared: bool = False,
    ) -> None:
        self._shared = shared
        self._host = host
        self._port = port
        self._trusted = tuple(trusted)
        self._limits = limits or Limits()
        self._talk = _Talk(logging.getLogger(__name__))
        self._told = 0
        self._runner = web.AppRunner(
            app,
            access_log=None,
            logger=self._talk,
            shutdown_timeout=DRAIN_S,
            keepalive_timeout=IDLE_S,
            # Bodies are signed as they are sent: nobody unpacks them before the signature is seen.
            auto_decompress=False,
        )
        self._standings: WeakKeyDictionary[asyncio.BaseTransport, _Standing] = WeakKeyDictionary()
        self._sweeping: asyncio.Task[None] | None = None

    async def start(self) -> None:
        """Listen. Raises PortTaken."""
        await self._runner.setup()
        server = self._runner.server
        if server is None:
            raise Bug("a runner without a server")
        # Around everything, also what the library does before a middleware is asked.
        self._handle, server.request_handler = server.request_handler, self._serve
        self._made = server.connection_made
        server.connection_made = self._connected  # type: ignore[method-assign] # no other way in
        try:
            site = web.TCPSite(
                self._runner, self._host, self._port, reuse_address=True, reuse_port=self._shared
            )
            await site.start()
        except OSError as error:
            await self._runner.cleanup()
            raise PortTaken(
                f"{self._host}:{self._port} cannot be listened on "
                f"({os.strerror(error.errno or 0)}); choose another PORT or end what uses it"
            ) from error
        self._sweeping = asyncio.create_task(self._sweep(), name=f"sweep-{self._port}")

    async def stop(self) -> None:
        """Listen no more, and let what is in flight end, within DRAIN_S."""
        if self._sweeping is not None:
            self._sweeping.cancel()
        await self._runner.cleanup()

    @property
    def addresses(self) -> list[tuple[str, int]]:
        """Where it listens: host and port."""
        return [(address[0], address[1]) for address in self._runner.addresses]

    @property
    def junk(self) -> int:
        """How much came since the start that is no request which HTTP knows."""
        return self._talk.junk

    async def _serve(self, request: web.BaseRequest) -> web.StreamResponse:
        transport = request.transport
        if transport is None:  # it is gone already
            return web.Response(status=HUNG_UP)
        standing = self._standing(transport)
        standing.fresh, standing.busy = False, True
        try:
            return await self._answer(request)
        finally:
            standing.busy, standing.since_s = False, time.monotonic()

    async def _answer(self, request: web.BaseRequest) -> web.StreamResponse:
        if _asks_too_much(request):
            self._talk.junk += 1
            return web.Response(status=HTTPStatus.EXPECTATION_FAILED, text="expectation_unknown")
        late = None
        if not request.content.is_eof():
            loop = asyncio.get_running_loop()
            late = loop.call_later(self._limits.body_s, self._end_late, request)
        try:
            return await self._handle(request)
        except web.RequestPayloadError:
            self._talk.junk += 1
            return web.Response(status=HTTPStatus.BAD_REQUEST, text="body_invalid")
        except ConnectionError:
            if request.transport is not None:
                raise
            return web.Response(status=HUNG_UP)
        finally:
            if late is not None:
                late.cancel()

    def _end_late(self, request: web.BaseRequest) -> None:
        """Whoever brings a body in time may be answered later."""
        if request.transport is not None and not request.content.is_eof():
            path = request.path[:_SHOWN_CHARS]
            _LOG.info("request ended: its body came too slowly", path=path)
            request.transport.abort()

    def _connected(self, handler: web.RequestHandler, transport: asyncio.Transport) -> None:
        """A crowd is ended as it comes: a process without files cuts off whoever connects."""
        self._made(handler, transport)
        self._standing(transport)
        if len(self._standings) > _share_of_files():
            self._end_crowds(self._connections())

    def _connections(self) -> list[asyncio.Transport]:
        server = self._runner.server
        handlers = server.connections if server is not None else []
        return [h.transport for h in handlers if h.transport is not None]

    async def _sweep(self) -> None:
        while True:
            await asyncio.sleep(min(SWEEP_S, self._limits.head_s))
            connections = self._connections()
            self._end_silent(connections)
            self._end_crowds(connections)
            self._tell_junk()

    def _standing(self, transport: asyncio.BaseTransport) -> _Standing:
        return self._standings.setdefault(transport, _Standing(time.monotonic()))

    def _end_silent(self, connections: list[asyncio.Transport]) -> None:
        now_s = time.monotonic()
        for transport in connections:
            standing = self._standing(transport)
            if standing.fresh and now_s - standing.since_s >= self._limits.head_s:
                transport.abort()

    def _end_crowds(self, connections: list[asyncio.Transport]) -> None:
        """Where an address has too many (a proxy has everybody's), or all together are."""
        most = _share_of_files()
        by_address: defaultdict[str, list[asyncio.Transport]] = defaultdict(list)
        connections = [t for t in connections if not t.is_closing()]
        for transport in connections:
            peer = transport.get_extra_info("peername")
            if peer and not any(ip_address(peer[0]) in network for network in self._trusted):
                by_address[peer[0]].append(transport)
        for crowd in by_address.values():
            self._end_beyond(crowd, min(self._limits.per_address, most // 2))
        self._end_beyond([t for t in connections if not t.is_closing()], most)

    def _end_beyond(self, connections: list[asyncio.Transport], most: int) -> None:
        if len(connections) > most:
            connections.sort(key=lambda transport: self._standing(transport).worth)
            for transport in connections[: len(connections) - most]:
                transport.abort()

    def _tell_junk(self) -> None:
        if fresh := self._talk.junk - self._told:
            self._told += fresh
            _LOG.info("what came is no request", port=self._port, times=fresh)


def _share_of_files() -> int:
    return int(resource.getrlimit(resource.RLIMIT_NOFILE)[0] * SHARE_OF_FILES)


class _Talk(logging.LoggerAdapter[logging.Logger]):
    """What the HTTP library says of connections. It calls an error what a stranger sent wrongly:
    that is counted. What is a fault of ours is said as it is."""

    def __init__(self, logger: logging.Logger) -> None:
        super().__init__(logger)
        self.junk = 0

    def log(self, level: int, msg: object, *args: object, **about: Any) -> None:
        """As a logger does. about: exc_info and the like."""
        if isinstance(about.get("exc_info"), HttpProcessingError):
            self.junk += 1
        else:
            super().log(level, msg, *args, **about)


def _asks_too_much(request: web.BaseRequest) -> bool:
    """Whether it expects anything but to be told to go on: nobody here can do that."""
    expected = request.headers.get(hdrs.EXPECT, "")
    wanted = expected.lower() not in ("", "100-continue")
    return wanted and request.version == HttpVersion11
