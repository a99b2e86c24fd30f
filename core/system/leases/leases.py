"""Taking rows of a queue, and what may be said of them by whoever holds them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Final
from uuid import UUID

import asyncpg

from core.kernel.clock import Clock
from core.kernel.ids import Ids
from core.system.leases import queue as statements
from core.system.leases.queue import Queue
from core.system.store import Queries, Tx

FAULT_CHARS: Final = 500
_NOTHING: Final[Mapping[str, object]] = {}


@dataclass(frozen=True, slots=True)
class Held:
    """A row that was taken. key: what finds it. turn: in which it was taken. tries: this one
    included. lane: the name of its lane, where that is leased."""

    key: tuple[object, ...]
    turn: UUID
    tries: int
    lane: object = None


class Leases:
    """One queue's rows: taken, renewed, and ended.

    Only whoever took a row last may end it: every verb says whether that was so, and changes
    nothing where it was not. A row whose lease has ended is free for the next take; until somebody
    takes it, its holder still holds it. also: other columns that the same statement sets.

    More than seven verbs: one for each change that the state of a row may make.
    """

    def __init__(self, queue: Queue, clock: Clock, ids: Ids) -> None:
        self.queue = queue
        self._clock = clock
        self._ids = ids
        self._take = statements.take(queue)
        self._renew = statements.renew(queue)
        self._ends: dict[tuple[tuple[str, ...], str], str] = {}

    async def take(self, queries: Queries, *how_many: object) -> list[asyncpg.Record]:
        """Take rows that are free. how_many: see `queue.take`. What is taken has the queue's
        `returns`; `held` tells what to end it by."""
        now = self._clock.now()
        until, turn = now + self.queue.lease, self._ids.uuid7()
        rows = await queries.fetch(self._take, now, until, turn, *how_many)
        return [row for row in rows if row["held_by"] is not None]

    def held(self, row: asyncpg.Record) -> Held:
        """What a row that was taken is ended by."""
        lane = self.queue.lane_table
        return Held(
            tuple(row[column] for column in self.queue.key),
            row["held_by"],
            row["tries"],
            row[lane.key] if lane else None,
        )

    async def renew(self, queries: Queries, held: Held) -> bool:
        """Hold it for another lease. False: somebody else has it, or it is ended."""
        key = (held.lane,) if self.queue.lane_table else held.key
        until = self._clock.now() + self.queue.lease
        return await queries.execute(self._renew, *key, held.turn, until) == 1

    async def lock(self, tx: Tx, held: Held) -> bool:
        """Keep others from it until the transaction ends. False: somebody else has it, or it is
        ended."""
        sql = statements.lock(self.queue)
        return await tx.fetchrow(sql, *held.key, held.turn) is not None

    async def note(self, queries: Queries, held: Held, values: Mapping[str, object]) -> bool:
        """Set columns of it, and go on holding it."""
        sql = statements.note(self.queue, tuple(values))
        return await queries.execute(sql, *held.key, held.turn, *values.values()) == 1

    async def finish(
        self,
        queries: Queries,
        held: Held,
        also: Mapping[str, object] = _NOTHING,
        *,
        on_lane: str = "",
    ) -> bool:
        """It is done. on_lane: what else is set on the lane's row `l`, beginning with a comma; the
        row as it is now is `ended`."""
        return await self.end(queries, held, {"state": self.queue.done, **also}, on_lane=on_lane)

    async def put_off(
        self,
        queries: Queries,
        held: Held,
        again_s: float,
        fault: str,
        also: Mapping[str, object] = _NOTHING,
    ) -> bool:
        """It failed, and waits for another try."""
        values = {
            self.queue.put_off: self._clock.now() + timedelta(seconds=again_s),
            self.queue.fault: fault[:FAULT_CHARS],
        }
        return await self.end(queries, held, {**values, **also})

    async def give_back(
        self,
        queries: Queries,
        held: Held,
        again_s: float = 0,
        also: Mapping[str, object] = _NOTHING,
    ) -> bool:
        """It was not tried after all: that does not count as a try."""
        values = {
            self.queue.put_off: self._clock.now() + timedelta(seconds=again_s),
            "tries": held.tries - 1,
        }
        return await self.end(queries, held, {**values, **also})

    async def give_back_all(self, queries: Queries, some: Sequence[Held]) -> list[bool]:
        """As `give_back`, of many in one statement: they may be taken again at once."""
        now = self._clock.now()
        ends = [(held, {self.queue.put_off: now, "tries": held.tries - 1}) for held in some]
        return await self.end_all(queries, ends)

    async def park(
        self, queries: Queries, held: Held, fault: str, also: Mapping[str, object] = _NOTHING
    ) -> bool:
        """It is given up: kept for people to see, and nobody takes it any more."""
        why = {self.queue.fault: fault[:FAULT_CHARS]}
        return await self.end(queries, held, {"state": self.queue.parked, **why, **also})

    async def end(
        self, queries: Queries, held: Held, values: Mapping[str, object], *, on_lane: str = ""
    ) -> bool:
        """Let go of it, and set these columns."""
        sql = self._end(tuple(values), on_lane)
        return await queries.fetchrow(sql, *self._arguments(held, values)) is not None

    async def end_all(
        self,
        queries: Queries,
        ends: Sequence[tuple[Held, Mapping[str, object]]],
        *,
        on_lane: str = "",
    ) -> list[bool]:
        """Let go of many in one statement, and set columns, the same of all: which of them were
        still held by whoever took them. on_lane: see `finish`."""
        names, lane = self.queue.key, self.queue.lane_table
        rows = [
            dict(zip(names, held.key, strict=True))
            | {"held_by": held.turn}
            | ({lane.key: held.lane} if lane else {})
            | dict(values)
            for held, values in ends
        ]
        sql = statements.end_all(self.queue, tuple(ends[0][1]), on_lane)
        ended = await queries.fetch(sql, rows, *self._months([held for held, _ in ends]))
        ours = {(*(row[name] for name in names), row["turn"]) for row in ended}
        return [(*held.key, held.turn) in ours for held, _ in ends]

    def _months(self, some: Sequence[Held]) -> tuple[Any, ...]:
        """The first and the last instant of keys, where the queue is one of months."""
        if not self.queue.month:
            return ()
        place = self.queue.key.index(self.queue.month)
        instants: list[Any] = [held.key[place] for held in some]
        return min(instants), max(instants)

    def _end(self, columns: tuple[str, ...], on_lane: str) -> str:
        known = self._ends.get((columns, on_lane))
        if known is None:
            known = self._ends[columns, on_lane] = statements.end(self.queue, columns, on_lane)
        return known

    def _arguments(self, held: Held, values: Mapping[str, object]) -> tuple[object, ...]:
        lane = (held.lane,) if self.queue.lane_table else ()
        return (*held.key, held.turn, *values.values(), *lane)
