"""Embedded servers that end by themselves are started again, for a desk is dead without them."""

from __future__ import annotations

import asyncio
import time
from collections import deque
from typing import Final, NoReturn, Protocol

import structlog

from bot.embedded.errors import EmbeddedError

_LOG = structlog.get_logger(__name__)
LOOK_S: Final = 0.5
# A server that ends so often within that time is not helped by one more start.
RESTARTS_MAX: Final = 6
WINDOW_S: Final = 600.0
LONGEST_PAUSE_S: Final = 30.0


class Server(Protocol):
    """An embedded server."""

    @property
    def name(self) -> str:
        """As people know it."""
        ...

    def alive(self) -> bool:
        """Whether a process of it lives, ready or not."""
        ...

    async def start(self) -> None:
        """Start it; back when it is ready. Raises EmbeddedError."""
        ...


async def keep_running(server: Server, *, look_s: float = LOOK_S) -> NoReturn:
    """Start a server again whenever it has ended, at once at first and then after growing pauses.

    Raises EmbeddedError after RESTARTS_MAX starts within WINDOW_S: whoever watches over the desk
    has to see to it. A server that hangs is not ended: only a person knows whether it still works.
    """
    starts: deque[float] = deque(maxlen=RESTARTS_MAX)
    while True:
        await asyncio.sleep(look_s)
        if server.alive():
            continue
        now_s = time.monotonic()
        recent = sum(at_s > now_s - WINDOW_S for at_s in starts)
        _LOG.error("embedded server has ended", server=server.name, starts=recent)
        if recent == RESTARTS_MAX:
            raise EmbeddedError(
                f"{server.name} has ended {RESTARTS_MAX + 1} times within"
                f" {WINDOW_S / 60:.0f} minutes: look into its log, then start the desk again."
            )
        if recent:
            await asyncio.sleep(min(look_s * 2**recent, LONGEST_PAUSE_S))
        starts.append(time.monotonic())
        try:
            await server.start()
        except EmbeddedError as error:
            _LOG.error("embedded server does not start", server=server.name, fault=str(error))
        else:
            _LOG.warning("embedded server runs again", server=server.name)
