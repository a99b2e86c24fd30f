"""The connections of this process to PostgreSQL, for none of which anybody waits for ever.

They are of two sides: for whoever calls (requests, callbacks, payers), and for what runs by itself
(queues, chats, the timetable). Where one side has none left, the other one goes on.
"""

from __future__ import annotations

from contextvars import Context, ContextVar
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import asyncpg
from asyncpg.pool import PoolConnectionProxy

# For a connection: few wait for who is stuck.
POOL_WAIT_S: Final = 3.0
_IN_LOOPS: ContextVar[bool] = ContextVar("in_loops", default=False)

if TYPE_CHECKING:
    Side = asyncpg.Pool[asyncpg.Record]
    Pooled = PoolConnectionProxy[asyncpg.Record]
else:
    Side = asyncpg.Pool  # generic for the checker alone
    Pooled = PoolConnectionProxy


@dataclass(frozen=True, slots=True)
class PoolSizes:
    """How many connections each side has at most."""

    front: int = 8
    loops: int = 7


POOL_SIZES: Final = PoolSizes()


def fresh_context() -> Context:
    """A context without anybody's values, of the same side as whoever asks for it."""
    context = Context()
    context.run(_IN_LOOPS.set, _IN_LOOPS.get())
    return context


def loops_context() -> Context:
    """A context without anybody's values, for what runs by itself."""
    context = Context()
    context.run(_IN_LOOPS.set, True)
    return context


class Pool:
    """Both sides, as one pool. Connections come back as they are.

    More than seven verbs: those of the driver that Tortoise asks for, under their names.
    """

    def __init__(self, front: Side, loops: Side) -> None:
        self._front = front
        self._loops = loops
        self._of: dict[Pooled, Side] = {}

    async def acquire(self) -> Pooled:
        """A connection of the side of whoever asks. Raises TimeoutError after POOL_WAIT_S."""
        side = self._loops if _IN_LOOPS.get() else self._front
        connection: Pooled = await side.acquire(timeout=POOL_WAIT_S)
        self._of[connection] = side
        return connection

    async def release(self, connection: Pooled) -> None:
        """Give one back to its side."""
        if (side := self._of.pop(connection, None)) is not None:
            await side.release(connection)

    async def expire_connections(self) -> None:
        for side in (self._front, self._loops):
            await side.expire_connections()

    async def close(self) -> None:
        for side in (self._front, self._loops):
            await side.close()

    def terminate(self) -> None:
        for side in (self._front, self._loops):
            side.terminate()


async def open_pool(*, loops_max: int, **options: Any) -> Pool:
    """A pool of connections. options: of asyncpg, of the front; the loops' connections are opened
    when they are needed.

    A session is never changed: what a transaction sets goes with it (SET LOCAL, locks of the
    transaction), and listening has a connection of its own (`core.system.news`). So nothing has to
    be put right at the server, which would be one more question after each. A transaction that was
    left open is rolled back by the driver all the same.
    """
    given = {"max_inactive_connection_lifetime": 300.0, "reset": _leave, **options}
    front = await asyncpg.create_pool(**given)
    return Pool(front, await asyncpg.create_pool(**{**given, "min_size": 0, "max_size": loops_max}))


async def _leave(_: object) -> None:
    """A session is as it was."""
