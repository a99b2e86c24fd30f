"""The connections of this process to PostgreSQL, for none of which anybody waits for ever.

They are of two sides: for whoever calls (requests, callbacks, payers), and for what runs by itself
(queues, chats, the timetable). Where one side has none left, the other one goes on.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress
from contextvars import Context, ContextVar
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import asyncpg

# For a connection: few wait for who is stuck.
POOL_WAIT_S: Final = 3.0
# So long does the end of a side wait for whoever still has a connection of it.
END_S: Final = 10.0
# So long may a connection take to be put right; then it is cut.
_RIGHT_S: Final = 3.0
_LEFT: Final = (OSError, asyncpg.InterfaceError, asyncpg.InternalClientError)
_IN_LOOPS: ContextVar[bool] = ContextVar("in_loops", default=False)
# Whoever has one already: a second one may never come, where all others wait for theirs.
IN_TRANSACTION: ContextVar[bool] = ContextVar("in_transaction", default=False)

if TYPE_CHECKING:
    Connection = asyncpg.Connection[asyncpg.Record]
else:
    Connection = asyncpg.Connection  # generic for the checker alone
Connect = Callable[[], Awaitable[Connection]]


class NoConnection(TimeoutError):
    """No connection was to be had in time: nothing was asked of the database."""


@dataclass(frozen=True, slots=True)
class PoolSizes:
    """How many connections each side has at most."""

    front: int = 8
    loops: int = 7


POOL_SIZES: Final = PoolSizes()


def in_loops() -> bool:
    """On which side whoever asks is: with what runs by itself, or with whoever calls."""
    return _IN_LOOPS.get()


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
    """Both sides, as one pool."""

    def __init__(self, sizes: PoolSizes, connect: Connect) -> None:
        """connect: opens a connection; it is called when one is needed."""
        self._front = _Side(sizes.front, connect)
        self._loops = _Side(sizes.loops, connect)

    def connection(self, share: asyncio.Semaphore | None = None) -> Loan:
        """A connection of the side of whoever asks, while it is entered. share: of the pool, for
        those who may have no more. Entering raises TimeoutError after POOL_WAIT_S for a turn at
        either, which is NoConnection where its side has none, and what connecting raises."""
        return Loan(self._loops if _IN_LOOPS.get() else self._front, share)

    async def close(self) -> None:
        """Close all connections; after END_S also those that somebody still has."""
        for side in (self._front, self._loops):
            await side.close()


class _Side:
    """At most so many connections, each opened when it is needed.

    A session is never changed: what a transaction sets goes with it (SET LOCAL, locks of the
    transaction), and listening has a connection of its own (`core.system.news`). So a connection
    comes back as it is, without a question. The last one that came back is the next that goes.
    The driver's own pool makes tasks and timers for each turn: twice the work of a question.
    """

    def __init__(self, most: int, connect: Connect) -> None:
        self._most = most
        self._connect = connect
        self._turns = asyncio.Semaphore(most)
        self._ready: list[Connection] = []
        self._open: set[Connection] = set()
        self._righting: set[asyncio.Task[None]] = set()
        self._closing = False

    async def take(self) -> Connection:
        if self._closing:
            raise asyncpg.InterfaceError("the pool is closing")
        if self._ready and not self._ready[-1].is_closed() and not self._turns.locked():
            return await self._next()  # at once: nothing is waited for
        try:
            async with asyncio.timeout(POOL_WAIT_S):
                return await self._next()
        except TimeoutError as late:
            raise NoConnection(f"no connection within {POOL_WAIT_S} s") from late

    async def _next(self) -> Connection:
        await self._turns.acquire()
        try:
            while self._ready:
                connection = self._ready.pop()
                if not connection.is_closed():
                    return connection
                self._open.discard(connection)
            connection = await self._connect()
        except BaseException:
            self._turns.release()
            raise
        self._open.add(connection)
        return connection

    def give(self, connection: Connection, *, amid: bool = False) -> None:
        """Have a connection back. amid: whoever had it may have left it amid a question."""
        if connection.is_closed() or not (amid or connection.is_in_transaction()):
            self._have_back(connection)
            return
        task = asyncio.create_task(self._put_right(connection), context=Context())
        self._righting.add(task)
        task.add_done_callback(self._righting.discard)

    async def _put_right(self, connection: Connection) -> None:
        """Have the server end what is left of a question or a transaction. Nobody waits for that,
        and nobody gets the connection before. Whatever is wrong with it, its place is free then."""
        right = False
        try:
            with suppress(Exception):
                await connection.reset(timeout=_RIGHT_S)
                right = not connection.is_in_transaction()
        finally:
            if not right:
                connection.terminate()
            self._have_back(connection)

    def _have_back(self, connection: Connection) -> None:
        """Its place is free; one that is closed is opened anew when it is needed."""
        if connection.is_closed():
            self._open.discard(connection)
        else:
            self._ready.append(connection)
        self._turns.release()

    async def close(self) -> None:
        self._closing = True
        with suppress(TimeoutError):
            async with asyncio.timeout(END_S):
                for _ in range(self._most):
                    await self._turns.acquire()
                for connection in self._ready:
                    await connection.close()
        for connection in self._open:
            connection.terminate()


class Loan:
    """A connection of a side, while it is entered."""

    __slots__ = ("_connection", "_share", "_side")

    def __init__(self, side: _Side, share: asyncio.Semaphore | None) -> None:
        self._side = side
        self._share = share

    async def __aenter__(self) -> Connection:
        if (share := self._share) is None:
            self._connection = await self._side.take()
            return self._connection
        if share.locked():
            async with asyncio.timeout(POOL_WAIT_S):
                await share.acquire()
        else:
            await share.acquire()  # at once
        try:
            self._connection = await self._side.take()
        except BaseException:
            share.release()
            raise
        return self._connection

    async def __aexit__(self, kind: type[BaseException] | None, *_: object) -> None:
        # What the database or the caller says no to is over. Whoever gave up, or lost the
        # connection, may have left a question that the server still works at.
        over = kind is None or (issubclass(kind, Exception) and not issubclass(kind, _LEFT))
        self._side.give(self._connection, amid=not over)
        if self._share is not None:
            self._share.release()
