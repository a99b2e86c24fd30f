"""A port that people reach from outside: who connects and says nothing, or says it slowly, goes.

The HTTP library waits for ever for a connection's first request and for the end of a body. Each
connection is a file of the process, and files run out.
"""

from __future__ import annotations

import asyncio
import os
import resource
import time
from collections import Counter
from collections.abc import Iterable
from contextlib import suppress
from ipaddress import IPv4Network, IPv6Network, ip_address
from typing import Final
from weakref import WeakKeyDictionary

import structlog
from aiohttp import web
from aiohttp.typedefs import Handler

from bot.process import PortTaken

_LOG = structlog.get_logger(__name__)
DRAIN_S: Final = 15.0
HEAD_S: Final = 10.0
BODY_S: Final = 15.0
IDLE_S: Final = 30.0
SWEEP_S: Final = 1.0
# A browser opens six; a merchant's servers behind one address some dozens.
CONNECTIONS_PER_ADDRESS: Final = 512
FILES_MAX: Final = 65_536


def raise_file_limit() -> None:
    """Let this process have as many files as its user may: each connection is one."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = FILES_MAX if hard == resource.RLIM_INFINITY else min(hard, FILES_MAX)
    if soft != resource.RLIM_INFINITY and soft < wanted:
        with suppress(ValueError, OSError):
            resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))


class Listener:
    """Serves an application on one port, with deadlines for heads and bodies.

    trusted: networks of proxies, which bring everybody's connections.
    """

    def __init__(
        self,
        app: web.Application,
        host: str,
        port: int,
        *,
        trusted: Iterable[IPv4Network | IPv6Network] = (),
        head_s: float = HEAD_S,
        body_s: float = BODY_S,
        per_address: int = CONNECTIONS_PER_ADDRESS,
    ) -> None:
        app.middlewares.insert(0, self._serve)
        self._host = host
        self._port = port
        self._trusted = tuple(trusted)
        self._head_s = head_s
        self._body_s = body_s
        self._per_address = per_address
        self._runner = web.AppRunner(
            app,
            access_log=None,
            shutdown_timeout=DRAIN_S,
            keepalive_timeout=IDLE_S,
            # Bodies are signed as they are sent: nobody unpacks them before the signature is seen.
            auto_decompress=False,
        )
        # When a connection was first seen; nothing once it has brought a request.
        self._waiting: WeakKeyDictionary[asyncio.BaseTransport, float | None] = WeakKeyDictionary()
        self._sweeping: asyncio.Task[None] | None = None

    async def start(self) -> None:
        """Listen. Raises PortTaken."""
        await self._runner.setup()
        try:
            await web.TCPSite(self._runner, self._host, self._port, reuse_address=True).start()
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

    @web.middleware
    async def _serve(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        transport = request.transport
        if transport is None:  # it is gone already
            return await handler(request)
        self._waiting[transport] = None
        late = asyncio.get_running_loop().call_later(self._body_s, self._end_late, request)
        try:
            return await handler(request)
        finally:
            late.cancel()

    def _end_late(self, request: web.Request) -> None:
        """Whoever brings a body in time may be answered later."""
        if request.transport is not None and not request.content.is_eof():
            _LOG.info("request ended: its body came too slowly", path=request.path)
            request.transport.abort()

    async def _sweep(self) -> None:
        while True:
            await asyncio.sleep(min(SWEEP_S, self._head_s))
            server = self._runner.server
            if server is None:
                return
            connections = [c.transport for c in server.connections if c.transport is not None]
            self._end_silent(connections)
            self._end_crowds(connections)

    def _end_silent(self, connections: list[asyncio.Transport]) -> None:
        now_s = time.monotonic()
        for transport in connections:
            since_s = self._waiting.setdefault(transport, now_s)
            if since_s is not None and now_s - since_s >= self._head_s:
                transport.abort()

    def _end_crowds(self, connections: list[asyncio.Transport]) -> None:
        """The newest connections of an address that has too many; a proxy has everybody's."""
        counted: Counter[str] = Counter()
        for transport in connections:
            peer = transport.get_extra_info("peername")
            if not peer or any(ip_address(peer[0]) in network for network in self._trusted):
                continue
            counted[peer[0]] += 1
            if counted[peer[0]] > self._per_address:
                transport.abort()
