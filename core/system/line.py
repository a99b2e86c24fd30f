"""How a process hears that what it keeps in memory has changed in the database."""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable, Collection
from functools import lru_cache
from typing import TYPE_CHECKING, Final

import asyncpg

if TYPE_CHECKING:
    Connection = asyncpg.Connection[asyncpg.Record]
# Statements are constants: there are a few hundred of them.
_MOST_STATEMENTS: Final = 4096


class Line:
    """A connection of its own, beside the pool, on which news of a channel is heard.

    It is opened when it is first needed, and again after it was lost. One question at a time.
    """

    def __init__(
        self, connect: Callable[[], Awaitable[Connection]], channel: str, heard: Callable[[], None]
    ) -> None:
        """heard: called on every news, and when the line is lost: nobody knows what was missed."""
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
    """Tells of the statements of this process that write to some tables, once they are committed.

    The database tells everybody of them, a moment later; this process need not wait for it.
    """

    def __init__(self) -> None:
        self._told: list[Callable[[], None]] = []
        self.touched: Callable[[str], bool] = lambda _: False

    def watch(self, tables: Collection[str], told: Callable[[], None]) -> None:
        """Have `told` called after each commit that may have changed one of the tables."""
        names = "|".join(map(re.escape, tables))
        writes = re.compile(rf"\b(?:INSERT INTO|UPDATE|DELETE FROM)\s+(?:{names})\b")
        self.touched = lru_cache(_MOST_STATEMENTS)(lambda sql: writes.search(sql) is not None)
        self._told.append(told)

    def tell(self) -> None:
        """What was touched is committed."""
        for told in self._told:
            told()
