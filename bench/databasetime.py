"""How long the database itself is busy with what a verb asks it."""

from __future__ import annotations

import json
import time
from collections.abc import Awaitable
from typing import Any, TypeVar

import asyncpg

from core.system.store import Tx

T = TypeVar("T")


class DatabaseTime(Tx):
    """A transaction that has the database explain each statement before it is carried out.

    statements: how many there were. executing_ms: of all of them together, as the database
    measures it, plans aside: it keeps those of a desk's statements. answered_ms: the same from
    asking to having the rows.
    """

    def __init__(self, tx: Tx) -> None:
        self._tx = tx
        self.statements = 0
        self.executing_ms = 0.0
        self.answered_ms = 0.0

    async def fetch(
        self, sql: str, *args: object, timeout_s: float | None = None
    ) -> list[asyncpg.Record]:
        await self._explain(sql, args)
        return await self._timed(self._tx.fetch(sql, *args, timeout_s=timeout_s))

    async def fetchrow(self, sql: str, *args: object) -> asyncpg.Record | None:
        await self._explain(sql, args)
        return await self._timed(self._tx.fetchrow(sql, *args))

    async def fetchval(self, sql: str, *args: object) -> Any:
        await self._explain(sql, args)
        return await self._timed(self._tx.fetchval(sql, *args))

    async def _explain(self, sql: str, args: tuple[object, ...]) -> None:
        said = await self._tx.fetchval(f"EXPLAIN (ANALYZE, TIMING OFF, FORMAT JSON) {sql}", *args)
        (plan,) = json.loads(said)
        self.statements += 1
        self.executing_ms += plan["Execution Time"]

    async def _timed(self, asking: Awaitable[T]) -> T:
        started = time.perf_counter()
        answer = await asking
        self.answered_ms += (time.perf_counter() - started) * 1000
        return answer
