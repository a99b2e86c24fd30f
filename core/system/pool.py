"""The connections of this process to PostgreSQL, for none of which anybody waits for ever.

They are of two sides: for whoever calls (requests, callbacks, payers), and for what runs by itself
(queues, chats, the timetable). Where one side has none left, the other one goes on.
"""

from __future__ import annotations

import asyncio
from contextlib import AbstractAsyncContextManager
from contextvars import Context, ContextVar
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import asyncpg
from asyncpg.pool import PoolConnectionProxy

# For a connection: few wait for who is stuck.
POOL_WAIT_S: Final = 3.0
# So long does the end of a side wait for whoever still has a connection of it.
END_S: Final = 10.0
_IN_LOOPS: ContextVar[bool] = ContextVar("in_loops", default=False)
# Whoever has one already: a second one may never come, where all others wait for theirs.
IN_TRANSACTION: ContextVar[bool] = ContextVar("in_transaction", default=False)

if TYPE_CHECKING:
    Side = asyncpg.Pool[asyncpg.Record]
    Connection = asyncpg.Connection[asyncpg.Record] | PoolConnectionProxy[asyncpg.Record]
else:
    Side = asyncpg.Pool  # generic for the checker alone
    Connection = asyncpg.Connection | PoolConnectionProxy


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
    """Both sides, as one pool. Connections come back as they are."""

    def __init__(self, front: Side, loops: Side) -> None:
        self._front = front
        self._loops = loops

    def connection(self) -> AbstractAsyncContextManager[Connection]:
        """A connection of the side of whoever asks. Raises TimeoutError after POOL_WAIT_S."""
        side = self._loops if _IN_LOOPS.get() else self._front
        return side.acquire(timeout=POOL_WAIT_S)

    async def close(self) -> None:
        """Close all connections; after END_S also those that somebody still has."""
        for side in (self._front, self._loops):
            try:
                async with asyncio.timeout(END_S):
                    await side.close()
            except TimeoutError:
                side.terminate()


async def open_pool(sizes: PoolSizes, **options: Any) -> Pool:
    """A pool of connections. options: of asyncpg. The loops' connections are opened when they are
    needed.

    A session is never changed: what a transaction sets goes with it (SET LOCAL, locks of the
    transaction), and listening has a connection of its own (`core.system.news`). So nothing has to
    be put right at the server, which would be one more question after each. A transaction that was
    left open is rolled back by the driver all the same.
    """
    given = {"max_inactive_connection_lifetime": 300.0, "reset": _leave, **options}
    front = await asyncpg.create_pool(**given, min_size=1, max_size=sizes.front)
    return Pool(front, await asyncpg.create_pool(**given, min_size=0, max_size=sizes.loops))


async def _leave(_: object) -> None:
    """A session is as it was."""
