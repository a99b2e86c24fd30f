"""How a process hears that what it keeps in memory has changed in the database."""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable, Collection
from functools import lru_cache
from typing import TYPE_CHECKING, Final

import asyncpg

if TYPE_CHECKING:
    Connection = asyncpg.Connection[asyncpg.Record]
Listener = Callable[[], None]
# Statements are constants: there are a few hundred of them.
_MOST_STATEMENTS: Final = 4096


class NewsConnection:
    """A connection beside the pool, on which news of a channel is heard.

    It is opened when it is first needed, and again after it was lost. One question at a time.
    """

    def __init__(
        self, connect: Callable[[], Awaitable[Connection]], channel: str, heard: Callable[[], None]
    ) -> None:
        """heard: called on every news, and when the connection is lost, with news perhaps."""
        self._connect = connect
        self._channel = channel
        self._heard = heard
        self._connection: Connection | None = None

    @property
    def alive(self) -> bool:
        """Whether news is heard now, as far as this side knows."""
        return self._connection is not None and not self._connection.is_closed()

    async def opened(self) -> Connection:
        """The connection, which listens. Raises what connecting raises."""
        if self._connection is None or self._connection.is_closed():
            connection = await self._connect()
            try:
                await connection.add_listener(self._channel, lambda *_: self._heard())
            except BaseException:
                connection.terminate()
                raise
            connection.add_termination_listener(lambda _: self._heard())
            self._connection = connection
        return self._connection

    def cut(self) -> None:
        """Let go of a connection that did not answer, without a word to the other side."""
        if self._connection is not None:
            self._connection.terminate()
            self._connection = None

    async def close(self) -> None:
        """Say good-bye. It may be opened again."""
        connection, self._connection = self._connection, None
        if connection is not None and not connection.is_closed():
            await connection.close()


class OwnWrites:
    """Knows who keeps rows of some tables in memory, and is to be told of this process's writes.

    The database tells everybody of them, a moment later; this process need not wait for it.
    """

    def __init__(self) -> None:
        self._watched: tuple[tuple[re.Pattern[str], Listener], ...] = ()
        self.told_of: Callable[[str], frozenset[Listener]] = lambda _: frozenset()

    def watch(self, tables: Collection[str], told: Listener) -> None:
        """Have `told` called after each commit that may have changed one of the tables."""
        names = "|".join(map(re.escape, tables))
        writes = re.compile(rf"\b(?:INSERT INTO|UPDATE|DELETE FROM)\s+(?:{names})\b")
        watched = self._watched = (*self._watched, (writes, told))

        def told_of(sql: str) -> frozenset[Listener]:
            """Who is to be told once a statement is committed."""
            return frozenset(told for writes, told in watched if writes.search(sql))

        self.told_of = lru_cache(_MOST_STATEMENTS)(told_of)
