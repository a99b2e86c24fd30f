"""What belongs to an order lies in the month of its creation, and is found without the others."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from random import Random
from typing import Any

import asyncpg
import pytest

from core.kernel.errors import Bug
from core.kernel.ids import Ids, month_of, read_number, uuid7_time
from core.kernel.money import Money
from core.supply.channels import Wish
from core.system.store import Tx
from core.trade.orders import find_attempt, get_attempts
from core.trade.orders.drafts import new_attempt
from tests.core.support import Desk, SetClock

HISTORIES = ("order_history", "attempt_history", "refund_history")


class Explained:
    """Questions that are explained instead: which tables each of them reads."""

    def __init__(self, tx: Tx) -> None:
        self._tx = tx
        self.tables: list[set[str]] = []

    async def fetch(self, sql: str, *args: object) -> list[asyncpg.Record]:
        said = await self._tx.fetchval(f"EXPLAIN (ANALYZE, FORMAT JSON) {sql}", *args)
        (plan,) = json.loads(said)
        read = {
            node["Relation Name"]
            for node in _nodes(plan["Plan"])
            if "Relation Name" in node and node["Actual Loops"]
        }
        self.tables.append(read)
        return []

    async def fetchrow(self, sql: str, *args: object) -> None:
        await self.fetch(sql, *args)

    async def fetchval(self, sql: str, *args: object) -> None:
        await self.fetch(sql, *args)

    async def execute(self, sql: str, *args: object) -> int:
        return len(await self.fetch(sql, *args))


def _nodes(plan: dict[str, Any]) -> Iterator[dict[str, Any]]:
    yield plan
    for child in plan.get("Plans", ()):
        yield from _nodes(child)


async def test_an_attempt_is_found_in_one_month(desk: Desk) -> None:
    """By its number, which is all that a callback says, and by its order."""
    opened = await desk.open()
    assert opened.attempt is not None
    month = f"attempt_{opened.order.created_at:%Y_%m}"
    merchant_id, attempt_no = desk.merchant.id, opened.attempt.attempt_no
    found = await find_attempt(desk.runtime.system.store, merchant_id, attempt_no)
    assert found is not None
    assert found.attempt_no == attempt_no
    async with desk.runtime.system.store.transaction() as tx:
        await tx.execute("SET LOCAL enable_seqscan = off")
        asked = Explained(tx)
        await find_attempt(asked, merchant_id, attempt_no)
        await get_attempts(asked, merchant_id, opened.order.id)
    assert asked.tables == [{month}, {month}]


async def test_the_database_reads_ids_and_numbers_as_the_desk_does(desk: Desk) -> None:
    random, store = Random(7), desk.runtime.system.store
    clock = SetClock(datetime(2026, 1, 31, 23, 59, 59, 999_000, tzinfo=UTC))
    ids = Ids(clock, random.getrandbits)
    for _ in range(200):
        clock.advance(random.randrange(10**10) / 1000)
        uuid, number = ids.uuid7(), ids.number("attempt", "live", 1)
        facts = read_number(number)
        assert facts is not None
        row = await store.fetchrow(
            "SELECT id_time($1) AS at, number_month($2) AS begins, number_month($2, 1) AS ends",
            uuid,
            number,
        )
        assert row is not None
        assert row["at"] == uuid7_time(uuid)
        assert row["begins"].date() == facts.month
        assert row["ends"].date() == month_of(row["begins"] + timedelta(days=31))


async def test_an_order_of_a_new_month_has_attempts_of_it(desk: Desk) -> None:
    """The month begins between the choice of a channel and the order: another instance, whose
    clock is ahead, rolled the books up in it already."""
    at = desk.clock.now()
    midnight = (at.replace(day=1) + timedelta(days=32)).replace(
        day=1, hour=0, minute=0, second=0, microsecond=0
    )
    desk.clock.go_to(midnight + timedelta(seconds=1))
    await desk.runtime.ledger.calendar.roll(desk.merchant.id)
    with desk.clock.behind(seconds=30):
        opened = await desk.open()
        assert desk.clock.now() < midnight
    assert opened.order.state == "pending"
    assert opened.attempt is not None
    facts = read_number(opened.attempt.attempt_no)
    assert facts is not None
    assert facts.month == month_of(opened.order.created_at) == midnight.date()


async def test_a_later_attempt_is_of_its_orders_month(desk: Desk) -> None:
    """However long after it the order's next channel is tried."""
    order = (await desk.open()).order
    desk.clock.advance(40 * 86_400)
    ids, at = desk.runtime.system.ids, desk.clock.now()
    number = ids.number("attempt", "live", desk.merchant.tag)
    wish = Wish(desk.merchant.id, "live", order.agreed.product_code, order.amount)
    channel = (await desk.runtime.supply.routing.choose(wish, number)).ranked[0]
    with pytest.raises(Bug, match=number):
        new_attempt(order, channel, number, seq=2, at=at, reasons=())
    number = ids.number("attempt", "live", desk.merchant.tag, at=order.created_at)
    later = new_attempt(order, channel, number, seq=2, at=at, reasons=())
    assert later.order_created_at == order.created_at


async def test_no_two_months_have_the_same_attempt(desk: Desk) -> None:
    """The same number, or the same place in its order, lies in one month only."""
    opened = await desk.open()
    assert opened.attempt is not None
    for table in ("attempt", "attempt_history", "order_history"):
        columns = await desk.runtime.system.store.fetchval(
            "SELECT string_agg(attname, ', ' ORDER BY attnum) FROM pg_attribute"
            " WHERE attrelid = $1::text::regclass AND attnum > 0 AND NOT attisdropped",
            table,
        )
        moved = columns.replace("order_created_at", "order_created_at + interval '1 month'")
        with pytest.raises((asyncpg.CheckViolationError, asyncpg.UniqueViolationError)):
            await desk.runtime.system.store.execute(
                f"INSERT INTO {table} ({columns}) SELECT {moved} FROM {table}"
            )


async def test_histories_lie_where_their_order_does(desk: Desk) -> None:
    """A refund of the month after is written beside the order that it is of."""
    opened = await desk.open()
    await desk.see(opened, 10000)
    desk.clock.advance(40 * 86_400)
    await desk.runtime.trade.refunds.reserve(
        desk.app, desk.merchant.id, opened.order.id, "R1", Money(100, "CNY"), fee_returned=True
    )
    for table in HISTORIES:
        rows = await desk.runtime.system.store.fetch(
            f"SELECT DISTINCT tableoid::regclass::text AS month FROM {table}"
        )
        assert [row["month"] for row in rows] == [f"{table}_{opened.order.created_at:%Y_%m}"]
