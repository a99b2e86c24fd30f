"""The laws of a queue, over every queue of the desk: nobody's work is done by two, or by none."""

from __future__ import annotations

import asyncio
import random
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import asyncpg
import pytest

from core.delivery import inbox
from core.delivery.outbox import queue as outbox
from core.kernel.ids import Ids
from core.reports.exports import queue as exports
from core.runtime import Runtime
from core.system.leases import Held, Leases, Look, Queue, due
from core.system.store import Store
from core.trade.callbacks import queue as callbacks
from core.trade.notifications import queue as notifications

LANES = 4
STEPS = 100
ENOUGH = 1_000

_UPDATE = """
INSERT INTO telegram_update (bot_id, update_id, chat_id, body, due_at, received_at)
VALUES (1, $1, $2, '{}', $3, $3) RETURNING *
"""
_MESSAGE = """
INSERT INTO outbox (merchant_id, id, chat_id, rank, topic, facts, due_at, created_at)
VALUES ('00000000-0000-0000-0000-000000000000', lpad($1::text, 32, '0')::uuid, $2, 1, 'say', '{}',
        $3, $3) RETURNING *
"""
_NEWS = """
INSERT INTO notification (merchant_id, id, webhook_id, app_id, order_id, type, url, lane, facts,
    due_at, created_at, order_created_at)
VALUES (lpad(($2 % 2)::text, 32, '0')::uuid, lpad($1::text, 32, '0')::uuid, $1,
        gen_random_uuid(), gen_random_uuid(), 'order.paid', '', $2, '{}', $3, $3, $3) RETURNING *
"""
_TOLD = """
INSERT INTO supplier_callback (merchant_id, id, supplier_id, attempt_no, address, query, headers,
    body, event, due_at, request_id, received_at, order_created_at)
VALUES (lpad(($2 % 2)::text, 32, '0')::uuid, gen_random_uuid(), lpad($2::text, 32, '0')::uuid,
        $1, '', '', '{}', '', '{}', $3, '', $3, $3) RETURNING *
"""
_FILE = """
INSERT INTO export (id, what, facts, language, actor, chat_id, due_at, created_at)
VALUES (lpad($1::text, 32, '0')::uuid, 'csv', '{}', 'zh', '', $2, $3, $3) RETURNING *
"""
QUEUES = [
    pytest.param(inbox.QUEUE, _UPDATE, "chat_id", id="inbox"),
    pytest.param(outbox.QUEUE, _MESSAGE, "chat_id", id="outbox"),
    pytest.param(notifications.QUEUE, _NEWS, "lane", id="notifications"),
    pytest.param(callbacks.QUEUE, _TOLD, "supplier_id", id="callbacks"),
    pytest.param(exports.QUEUE, _FILE, None, id="exports"),
]


class Still:
    """A clock that stands until it is moved, so that the model and the table mean one instant."""

    def __init__(self) -> None:
        self._now = datetime.now(UTC)

    def now(self) -> datetime:
        return self._now

    def advance(self, seconds: float) -> None:
        self._now += timedelta(seconds=seconds)


@dataclass
class Row:
    """What the model knows of a row. turn: of its last take, until that is ended."""

    lane: object
    due_at: datetime
    tries: int = 0
    turn: UUID | None = None
    lease_until: datetime | None = None
    ended: str | None = None

    def is_free(self, now: datetime) -> bool:
        held = self.lease_until is not None and self.lease_until > now
        return self.ended is None and self.due_at <= now and not held


@dataclass
class Bench:
    """One queue, and beside it what it ought to be."""

    store: Store
    queue: Queue
    insert: str
    lane: str | None
    clock: Still = field(default_factory=Still)
    rows: dict[tuple[object, ...], Row] = field(default_factory=dict)
    taken: list[Held] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.ids = Ids(self.clock)
        self.leases = Leases(self.queue, self.clock, self.ids)
        # Of these a lane's first row holds up the others.
        self.strict = self.queue.strict or self.queue.lane_table is not None

    async def put(self, lane: int) -> None:
        self.clock.advance(1)  # no two rows are due at the same instant
        number, now = len(self.rows) + 1, self.clock.now()
        name = str(number) if self.queue is not inbox.QUEUE else number
        if self.queue is callbacks.QUEUE:
            name = self.ids.number("attempt", "live", 1)
        row = await self.store.fetchrow(self.insert, name, lane, now)
        assert row is not None
        self.rows[self.key_of(row)] = Row(row[self.lane] if self.lane else None, now)

    def key_of(self, row: asyncpg.Record) -> tuple[object, ...]:
        return tuple(row[column] for column in self.queue.key)

    async def take(self) -> list[asyncpg.Record]:
        """One of each lane; of a queue without lanes, one."""
        if self.queue is outbox.QUEUE:
            again = (0, timedelta(days=1), timedelta(days=1))
            return await self.leases.take(self.store, ENOUGH, *again)
        if self.queue.strict:
            return await self.leases.take(self.store, ENOUGH, 0, 0)
        if not self.queue.lane:
            return await self.leases.take(self.store, 1)
        names = [name for name, _ in self.queue.lane]
        lanes = await self.store.fetch(
            f"SELECT DISTINCT {', '.join(names)} FROM {self.queue.table}"
        )
        columns = [[lane[name] for lane in lanes] for name in names]
        return await self.leases.take(self.store, *columns, [1] * len(lanes))

    async def is_due(self) -> bool:
        """Whether the look at all queues wakes who empties this one."""
        woken: list[bool] = []
        look = Look(self.store, self.clock)
        look.watch("false", lambda: pytest.fail("nothing is ever due there"))
        look.watch(due(self.queue), lambda: woken.append(True))
        await look.look()
        return bool(woken)

    def expected(self) -> set[tuple[object, ...]]:
        """What a take must give now."""
        now, first = self.clock.now(), dict[object, tuple[object, ...]]()
        waiting = {key: row for key, row in self.rows.items() if row.ended is None}
        if not self.strict:
            waiting = {key: row for key, row in waiting.items() if row.is_free(now)}
            if self.lane:
                waiting = dict(sorted(waiting.items(), key=lambda item: item[1].due_at))
        for key, row in waiting.items():
            first.setdefault(row.lane, key)
        return {key for key in first.values() if self.rows[key].is_free(now)}

    async def take_and_compare(self) -> None:
        """Fair among lanes; never a second holder; a dead lease is taken again; what was put off
        waits, and what was parked is never taken."""
        expected = self.expected()
        assert not expected or await self.is_due(), "the look says so where a take would take"
        taken = await self.take()
        assert {self.key_of(record) for record in taken} == expected
        assert len(taken) == len(expected)
        for record in taken:
            held = self.leases.held(record)
            row = self.rows[held.key]
            row.tries += 1
            row.turn, row.lease_until = held.turn, self.clock.now() + self.queue.lease
            assert held.tries == row.tries
            self.taken.append(held)

    async def say(self, held: Held, verb: str, seconds: float) -> None:
        """One of those who took a row says something of it, perhaps too late."""
        row, now = self.rows[held.key], self.clock.now()
        is_holder = row.turn == held.turn
        before = await self.stored(held)
        match verb:
            case "renew":
                assert await self.leases.renew(self.store, held) == is_holder
            case "finish":
                assert await self.leases.finish(self.store, held) == is_holder
            case "put_off":
                put_off = self.leases.put_off(self.store, held, seconds, "busy")
                assert await put_off == is_holder
            case "give_back":
                assert await self.leases.give_back(self.store, held, seconds) == is_holder
            case _:
                assert await self.leases.park(self.store, held, "never") == is_holder
        if not is_holder:
            assert await self.stored(held) == before, "what is said too late changes nothing"
        elif verb == "renew":
            row.lease_until = now + self.queue.lease
        else:
            row.turn = row.lease_until = None
            if verb in ("finish", "park"):
                row.ended = verb
            else:
                row.due_at = now + timedelta(seconds=seconds)
                row.tries -= verb == "give_back"

    async def stored(self, held: Held) -> list[Any]:
        """The row, and its lane where that has one."""
        where = " AND ".join(f"{column} = ${n}" for n, column in enumerate(self.queue.key, 1))
        rows = await self.store.fetch(f"SELECT * FROM {self.queue.table} WHERE {where}", *held.key)
        if lane := self.queue.lane_table:
            sql = f"SELECT * FROM {lane.table} WHERE {lane.key} = $1"
            rows += await self.store.fetch(sql, held.lane)
        return [dict(row) for row in rows]


@pytest.mark.parametrize(("queue", "insert", "lane"), QUEUES)
async def test_the_look_wakes_nobody_for_what_is_held_put_off_or_ended(
    runtime: Runtime, queue: Queue, insert: str, lane: str | None
) -> None:
    await runtime.system.store.execute(f"DELETE FROM {queue.table}")
    bench = Bench(runtime.system.store, queue, insert, lane)
    assert not await bench.is_due()
    await bench.put(0)
    assert await bench.is_due()
    await bench.take()
    assert not await bench.is_due()
    bench.clock.advance(queue.lease.total_seconds() + 1)
    assert await bench.is_due(), "whoever held it died"
    (record,) = await bench.take()
    held = bench.leases.held(record)
    assert await bench.leases.put_off(bench.store, held, 60, "it failed")
    assert not await bench.is_due()
    bench.clock.advance(61)
    assert await bench.is_due()
    (record,) = await bench.take()
    assert await bench.leases.finish(bench.store, bench.leases.held(record))
    assert not await bench.is_due()


@pytest.mark.parametrize("seed", [1, 2, 3])
@pytest.mark.parametrize(("queue", "insert", "lane"), QUEUES)
async def test_the_laws_of_a_queue(
    runtime: Runtime, queue: Queue, insert: str, lane: str | None, seed: int
) -> None:
    await runtime.system.store.execute(f"DELETE FROM {queue.table}")
    bench, chance = Bench(runtime.system.store, queue, insert, lane), random.Random(seed)
    lease_s = queue.lease.total_seconds()
    verbs = ("renew", "finish", "finish", "put_off", "give_back", "park")
    for step in range(STEPS):
        match chance.choices(("put", "take", "say", "wait"), (3, 3, 4, 2))[0]:
            case "put":
                await bench.put(chance.randrange(LANES))
            case "take":
                await bench.take_and_compare()
            case "say" if bench.taken:
                held = chance.choice(bench.taken[-6:])
                # No two rows are due at the same instant.
                seconds = chance.choice((0, 2, lease_s, 3 * lease_s)) + step / 1000
                await bench.say(held, chance.choice(verbs), seconds)
            case _:
                bench.clock.advance(chance.choice((lease_s / 2, lease_s - 1, lease_s)))
    bench.clock.advance(10 * lease_s)
    for _ in bench.rows:
        if all(row.ended for row in bench.rows.values()):
            break
        await bench.take_and_compare()
        for held in bench.taken[-LANES:]:
            await bench.say(held, "finish", 0)
    assert {row.ended for row in bench.rows.values()} <= {"finish", "park"}
    states = await bench.store.fetch(f"SELECT state, held_by FROM {queue.table}")
    assert {row["state"] for row in states} <= {queue.done, queue.parked}
    assert {row["held_by"] for row in states} == {None}


@pytest.mark.parametrize(("queue", "insert", "lane"), QUEUES)
async def test_many_at_once_do_every_row_once(
    runtime: Runtime, queue: Queue, insert: str, lane: str | None
) -> None:
    await runtime.system.store.execute(f"DELETE FROM {queue.table}")
    bench = Bench(runtime.system.store, queue, insert, lane)
    for number in range(30):
        await bench.put(number % LANES)
    done: list[tuple[object, ...]] = []

    async def work() -> None:
        for _ in range(ENOUGH):
            if len(done) == len(bench.rows):
                return
            for record in await bench.take():
                held = bench.leases.held(record)
                if await bench.leases.finish(bench.store, held):
                    done.append(held.key)

    async with asyncio.TaskGroup() as tasks:
        for _ in range(4):
            tasks.create_task(work())
    assert sorted(map(str, done)) == sorted(map(str, bench.rows))


@pytest.mark.parametrize(("queue", "insert", "lane"), QUEUES)
async def test_a_long_lane_keeps_no_other_waiting(
    runtime: Runtime, queue: Queue, insert: str, lane: str | None
) -> None:
    if lane is None:
        assert queue.lane == (), "it has no lanes: the oldest is next, whoever asked"
        return
    await runtime.system.store.execute(f"DELETE FROM {queue.table}")
    bench = Bench(runtime.system.store, queue, insert, lane)
    for _ in range(50):
        await bench.put(0)
    await bench.put(1)
    lanes = [record[lane] for record in await bench.take()]
    assert len(lanes) == len(set(lanes)) == 2
