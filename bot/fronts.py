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
from collections.abc import Sequence
from dataclasses import dataclass, field
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
_MOST_ENDS: Final = 64
_LONGEST_PAUSE_S: Final = 30.0
_WINDOW_S: Final = 300.0
_STOP_S: Final = 25.0
COMMAND: Final = (sys.executable, "-m", "bot", "front")


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


@dataclass(slots=True)
class _Place:
    """Where one of the further processes runs.

    ended_s: when it ended lately, or did not start. due_s: it is not started again before. Both by
    the loop's time.
    """

    number: int
    process: asyncio.subprocess.Process | None = None
    ended_s: deque[float] = field(default_factory=lambda: deque(maxlen=_MOST_ENDS))
    due_s: float = 0.0

    def lose(self, now_s: float) -> None:
        """It has ended, or did not start: it is started again at once, then ever more rarely."""
        self.process = None
        recent = sum(at_s > now_s - _WINDOW_S for at_s in self.ended_s)
        self.due_s = now_s + (min(_LOOK_S * 2**recent, _LONGEST_PAUSE_S) if recent else 0)
        self.ended_s.append(now_s)


class Fronts:
    """The further processes, as the first one sees them. told: settings that they have from it:
    where the servers are, and that the port is shared. command: starts one, with its number as one
    more argument."""

    def __init__(self, count: int, told: dict[str, str], command: Sequence[str] = COMMAND) -> None:
        self._told = told
        self._command = command
        self._places = [_Place(number) for number in range(1, count + 1)]

    async def start(self) -> None:
        """Start all of them; nobody waits until they listen. One that cannot be started is tried
        again by `keep`."""
        for place in self._places:
            await self._start(place)

    async def keep(self) -> NoReturn:
        """Start again whoever has ended, each place by itself: at once at first, and then after
        growing pauses."""
        while True:
            await asyncio.sleep(_LOOK_S)
            for place in self._places:
                process, now_s = place.process, asyncio.get_running_loop().time()
                if process is not None and process.returncode is not None:
                    _LOG.error("a front has ended", front=place.number, code=process.returncode)
                    place.lose(now_s)
                if place.process is None and now_s >= place.due_s:
                    await self._start(place)

    async def stop(self) -> None:
        """Have all of them end, and wait for it; kill those that will not."""
        processes = [place.process for place in self._places]
        running = [p for p in processes if p is not None and p.returncode is None]
        for process in running:
            if process.stdin is not None:
                process.stdin.close()
        await asyncio.gather(*map(_ended, running))

    async def _start(self, place: _Place) -> None:
        try:
            place.process = await asyncio.create_subprocess_exec(
                *self._command,
                str(place.number),
                stdin=asyncio.subprocess.PIPE,
                start_new_session=True,  # a terminal's Ctrl-C is for the first process alone
                env={**os.environ, **self._told},
            )
        except OSError as error:  # no memory, no process, no file is left: there may be one later
            _LOG.error("a front could not be started", front=place.number, why=str(error))
            place.lose(asyncio.get_running_loop().time())


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
