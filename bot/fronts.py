"""More processes on the desk's port, which serve the Payment API, suppliers and payers alone.

The kernel spreads connections over all that listen on one port. Loops, chats' dispatcher and
timetable are the first process's, which starts the others, starts them again where they end, and
stops them. They end when it does, however that happens, because their stdin ends.
"""

from __future__ import annotations

import asyncio
import os
import sys
from collections import deque
from typing import Final, NoReturn

import structlog
from aiohttp import web

from bot.listener import Listener, raise_file_limit
from bot.loops import Loop
from bot.webhook import bot_id_of, webhook_route
from core.runtime import Runtime
from core.system.settings import Settings
from payapi import Neighbours, add_payapi

_LOG = structlog.get_logger(__name__)
MAX_BODY_BYTES: Final = 1024 * 1024
# How often a process writes that it is there, and looks at the shared clock.
BEAT_S: Final = 20.0
# A front that ends again and again is started ever more rarely.
_LOOK_S: Final = 0.5
_LONGEST_PAUSE_S: Final = 30.0
_WINDOW_S: Final = 300.0
_STOP_S: Final = 25.0


def front_app(
    settings: Settings, runtime: Runtime, neighbours: Neighbours | None = None
) -> web.Application:
    """What every process serves. neighbours: a demo's, for the desk's first page."""
    app = web.Application(client_max_size=MAX_BODY_BYTES)
    app.router.add_get("/healthz", _healthz)
    add_payapi(app, runtime, trusted_proxies=settings.trusted_proxies, neighbours=neighbours)
    return app


def main_listener(app: web.Application, settings: Settings) -> Listener:
    """The desk's port, which several processes share where there are several."""
    return Listener(
        app,
        settings.host,
        settings.port,
        trusted=settings.trusted_proxies,
        shared=settings.workers > 1,
    )


class Front:
    """One of the further processes: it listens, and says that it is there."""

    def __init__(self, settings: Settings, runtime: Runtime, *, master_key: str) -> None:
        self._runtime = runtime
        app = front_app(settings, runtime)
        if settings.bot_token is not None:
            bot_id = bot_id_of(settings.bot_token.get_secret_value())
            delivery, system = runtime.delivery, runtime.system
            _, route, _ = webhook_route(delivery.inbox, system.vault, bot_id, master_key)
            app.router.add_routes([route])
        self._listener = main_listener(app, settings)
        self._beat = Loop("beat", self._tell, idle_s=BEAT_S)

    async def start(self) -> None:
        """Listen. Raises PortTaken."""
        raise_file_limit()
        self._beat.start()
        await self._listener.start()

    async def stop(self) -> None:
        """Listen no more, let what is in flight end, and let go of every connection."""
        await self._listener.stop()
        await self._beat.stop()
        await self._runtime.close()

    async def _tell(self) -> int:
        await self._runtime.reports.instance.beat()
        return 0


class Fronts:
    """The further processes, as the first one sees them. told: settings that they have from it:
    where the servers are, and that the port is shared."""

    def __init__(self, count: int, told: dict[str, str]) -> None:
        self._told = told
        self._processes: list[asyncio.subprocess.Process | None] = [None] * count

    async def start(self) -> None:
        """Start all of them; nobody waits until they listen."""
        for place in range(len(self._processes)):
            await self._spawn(place)

    async def keep(self) -> NoReturn:
        """Start again whoever has ended, at once at first and then after growing pauses."""
        starts: deque[float] = deque(maxlen=64)
        loop = asyncio.get_running_loop()
        while True:
            await asyncio.sleep(_LOOK_S)
            for place, process in enumerate(self._processes):
                if process is None or process.returncode is None:
                    continue
                now_s = loop.time()
                recent = sum(at_s > now_s - _WINDOW_S for at_s in starts)
                _LOG.error("a front has ended", front=place + 1, code=process.returncode)
                if recent:
                    await asyncio.sleep(min(_LOOK_S * 2**recent, _LONGEST_PAUSE_S))
                starts.append(loop.time())
                await self._spawn(place)

    async def stop(self) -> None:
        """Have all of them end, and wait for it; kill those that will not."""
        running = [p for p in self._processes if p is not None and p.returncode is None]
        for process in running:
            if process.stdin is not None:
                process.stdin.close()
        await asyncio.gather(*map(_ended, running))

    async def _spawn(self, place: int) -> None:
        self._processes[place] = await asyncio.create_subprocess_exec(
            sys.executable,
            "-m",
            "bot",
            "front",
            str(place + 1),
            stdin=asyncio.subprocess.PIPE,
            start_new_session=True,  # a terminal's Ctrl-C is for the first process alone
            env={**os.environ, **self._told},
        )


async def until_abandoned() -> NoReturn:
    """Wait until the first process closes our stdin, or ends. Raises EOFError then."""
    loop = asyncio.get_running_loop()
    reader = asyncio.StreamReader()
    await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), sys.stdin)
    while await reader.read(1024):
        pass  # nothing is said there
    raise EOFError


async def _ended(process: asyncio.subprocess.Process) -> None:
    try:
        await asyncio.wait_for(process.wait(), _STOP_S)
    except TimeoutError:
        process.kill()
        await process.wait()


async def _healthz(_: web.Request) -> web.Response:
    return web.json_response({"alive": True})
