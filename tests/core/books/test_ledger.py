"""The ledger: booked once, never edited, in the day that is open."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from itertools import pairwise
from uuid import uuid4

import asyncpg
import pytest

from core.books import AlreadyBooked, BusinessDay, Event, Posting, prepaid, reversal
from core.kernel.clock import DayCut
from core.kernel.errors import Bug
from core.kernel.money import Money
from core.parties.merchants import App, Merchant
from core.runtime import Runtime
from core.system.store import Tx
from tests.conftest import MONTHS, Servers
from tests.core.support import SetClock, balances, owner
from tests.demo import eventually

ADVANCE = prepaid(Money(5000, "CNY"))

# What the desk may only add to.
APPEND_ONLY = (
    "ledger_event",
    "ledger_entry",
    "order_history",
    "attempt_history",
    "refund_history",
    "order_key",
    "supplier_payment",
    "cause",
    "voucher",
    "closing",
    "resolution",
    "tariff",
    "channel_tariff",
    "rerating",
    "rerated_order",
    "completion",
    "notification_try",
    "audit",
    "connector_document",
    "supplier_document",
)
NEVER_DELETED = (
    "orders",
    "attempt",
    "balance",
    "business_day",
    "merchant",
    "discrepancy",
    "refund",
)


async def book(runtime: Runtime, merchant: Merchant, *events: Event) -> list[BusinessDay]:
    days = []

    async def work(tx: Tx, day: BusinessDay) -> None:
        for event in events:
            await runtime.ledger.book(tx, day, event)
        days.append(day)

    await runtime.ledger.in_open_day(merchant.id, work)
    return days


def event(key: str, **changes: object) -> Event:
    values: dict[str, object] = {"kind": "prepaid", "mode": "live", "postings": ADVANCE}
    return Event(key, **(values | changes))  # type: ignore[arg-type]  # as named in each test


async def test_a_key_is_booked_once_and_the_transaction_stays_usable(
    runtime: Runtime, shop: tuple[Merchant, App]
) -> None:
    merchant, _ = shop
    await book(runtime, merchant, event("a"))

    async def work(tx: Tx, day: BusinessDay) -> int:
        with pytest.raises(AlreadyBooked):
            await runtime.ledger.book(tx, day, event("a", postings=prepaid(Money(7, "CNY"))))
        await runtime.ledger.book(tx, day, event("b"))
        return int(await tx.fetchval("SELECT count(*) FROM ledger_event"))

    assert await runtime.ledger.in_open_day(merchant.id, work) == 2
    assert await balances(runtime, merchant.id) == {"prepaid": -10000, "paid_out": 10000}


async def test_the_same_key_at_once_is_booked_once(
    runtime: Runtime, shop: tuple[Merchant, App]
) -> None:
    merchant, _ = shop
    results = await asyncio.gather(
        *(book(runtime, merchant, event("a")) for _ in range(6)), return_exceptions=True
    )
    assert sum(isinstance(r, AlreadyBooked) for r in results) == 5
    assert await balances(runtime, merchant.id) == {"prepaid": -5000, "paid_out": 5000}


async def test_many_bookings_at_once_add_up(runtime: Runtime, shop: tuple[Merchant, App]) -> None:
    merchant, _ = shop
    await asyncio.gather(*(book(runtime, merchant, event(f"e{i}")) for i in range(30)))
    assert await balances(runtime, merchant.id) == {"prepaid": -150_000, "paid_out": 150_000}
    position = await runtime.ledger.position(runtime.system.store, merchant.id, "live", "CNY")
    assert (position.minor, position.advanced_minor, position.remaining_minor) == (
        -150_000,
        150_000,
        150_000,
    )
    assert (await runtime.reports.verify.whole()).differences == ()


async def test_accounts_are_kept_apart(runtime: Runtime, shop: tuple[Merchant, App]) -> None:
    merchant, _ = shop
    await book(
        runtime,
        merchant,
        event("live"),
        event("test", mode="test", postings=prepaid(Money(1, "CNY"))),
        event("usdt", postings=prepaid(Money(3, "USDT"))),
    )
    assert (await balances(runtime, merchant.id))["prepaid"] == -5000
    assert (await balances(runtime, merchant.id, mode="test"))["prepaid"] == -1
    assert (await balances(runtime, merchant.id, currency="USDT"))["prepaid"] == -3
    assert (await runtime.reports.verify.whole()).differences == ()


async def test_a_reversal_takes_back_exactly_and_only_once(
    runtime: Runtime, shop: tuple[Merchant, App]
) -> None:
    merchant, _ = shop

    async def work(tx: Tx, day: BusinessDay) -> None:
        event_id = await runtime.ledger.book(tx, day, event("a"))
        moved = await runtime.ledger.postings_of(tx, merchant.id, event_id)
        assert set(moved) == set(ADVANCE)
        undo = event("undo", postings=reversal(moved), reverses=event_id)
        await runtime.ledger.book(tx, day, undo)
        with pytest.raises(asyncpg.UniqueViolationError):
            await runtime.ledger.book(tx, day, event("again", reverses=event_id))
        raise LookupError

    with pytest.raises(LookupError):
        await runtime.ledger.in_open_day(merchant.id, work)
    assert await balances(runtime, merchant.id) == {}


async def test_an_account_moves_on_several_channels_at_once(
    runtime: Runtime, shop: tuple[Merchant, App]
) -> None:
    """Its balance moves by the sum, and the reversal returns to the same channels."""
    merchant, _ = shop
    postings = (
        Posting("due/S01", "CNY", 9935, "C01"),
        Posting("due/S01", "CNY", -9920),
        Posting("cost/S01", "CNY", 65, "C01"),
        Posting("cost/S01", "CNY", -80),
    )
    read = "SELECT line, account, channel_no, minor FROM ledger_entry ORDER BY booked_at, line"

    async def work(tx: Tx, day: BusinessDay) -> None:
        changes = {"kind": "confirmation", "postings": postings, "channel_no": "C02"}
        event_id = await runtime.ledger.book(tx, day, event("a", **changes))
        assert [tuple(row) for row in await tx.fetch(read)] == [
            (1, "cost/S01", "C01", 65), (2, "cost/S01", "C02", -80),
            (3, "due/S01", "C01", 9935), (4, "due/S01", "C02", -9920),
        ]  # fmt: skip
        rows = await tx.fetch("SELECT account, minor FROM balance")
        assert {row["account"]: row["minor"] for row in rows} == {"cost/S01": -15, "due/S01": 15}
        moved = await runtime.ledger.postings_of(tx, merchant.id, event_id)
        assert {(p.account, p.channel_no, p.minor) for p in moved} == {
            (p.account, p.channel_no or "C02", p.minor) for p in postings
        }
        undo = event("undo", kind="confirmation", postings=reversal(moved), reverses=event_id)
        await runtime.ledger.book(tx, day, undo)

    await runtime.ledger.in_open_day(merchant.id, work)
    assert await balances(runtime, merchant.id) == {}
    assert await runtime.system.store.fetch(
        "SELECT account, channel_no FROM ledger_entry GROUP BY 1, 2 HAVING sum(minor) <> 0"
    ) == []  # fmt: skip
    assert (await runtime.reports.verify.whole()).differences == ()


@pytest.mark.parametrize(
    "postings",
    [
        (),
        (
            Posting("fees", "CNY", 1, "C01"),
            Posting("fees", "CNY", 1, "C01"),
            Posting("payable", "CNY", -2),
        ),
        (Posting("payable", "CNY", 1),),
        (Posting("payable", "CNY", 1), Posting("fees", "JPY", -1)),
        (Posting("fees", "CNY", 1), Posting("fees", "CNY", 1), Posting("payable", "CNY", -2)),
    ],
)
async def test_what_cannot_be_booked_is_a_bug(
    runtime: Runtime, shop: tuple[Merchant, App], postings: tuple[Posting, ...]
) -> None:
    merchant, _ = shop
    with pytest.raises(Bug):
        await book(runtime, merchant, event("a", postings=postings))
    assert await runtime.system.store.fetchval("SELECT count(*) FROM ledger_event") == 0


async def test_an_account_nobody_knows_is_refused_by_the_database(
    runtime: Runtime, shop: tuple[Merchant, App]
) -> None:
    merchant, _ = shop
    odd = (Posting("petty_cash", "CNY", 1), Posting("fees", "CNY", -1))
    with pytest.raises(asyncpg.CheckViolationError):
        await book(runtime, merchant, event("a", postings=odd))


async def test_what_is_booked_after_the_cut_is_in_the_new_day(
    runtime: Runtime, shop: tuple[Merchant, App], clock: SetClock
) -> None:
    merchant, _ = shop
    clock.go_to_noon()
    (first,) = await book(runtime, merchant, event("before"))
    ends: object = await runtime.system.store.fetchval(
        "SELECT ends_at FROM business_day WHERE holder_id = $1 AND closed_at IS NULL", merchant.id
    )
    assert ends == merchant.day_cut.start_of(first.day + timedelta(days=1))
    clock.go_to(merchant.day_cut.start_of(first.day + timedelta(days=1)) - timedelta(seconds=1))
    (last,) = await book(runtime, merchant, event("a second before"))
    clock.advance(1)
    (second,) = await book(runtime, merchant, event("a moment after"))
    assert (last.day, second.day) == (first.day, first.day + timedelta(days=1))
    rows = await runtime.system.store.fetch(
        "SELECT event_key, day FROM ledger_event ORDER BY booked_at"
    )
    assert [row["day"] for row in rows] == [first.day, first.day, second.day]
    assert (await runtime.reports.verify.whole()).differences == ()


async def test_many_bookings_at_the_cut_all_land_in_the_new_day(
    runtime: Runtime, shop: tuple[Merchant, App], clock: SetClock
) -> None:
    """Each of them finds the day over and wants to roll it; one does, the others go on."""
    merchant, _ = shop
    clock.go_to_noon()
    (before,) = await book(runtime, merchant, event("before"))
    clock.advance(86400)
    days = await asyncio.gather(*(book(runtime, merchant, event(f"e{i}")) for i in range(12)))
    assert {day.day for (day,) in days} == {before.day + timedelta(days=1)}
    assert (await runtime.reports.verify.whole()).differences == ()


async def test_days_join_without_a_gap(
    runtime: Runtime, shop: tuple[Merchant, App], clock: SetClock
) -> None:
    merchant, _ = shop
    clock.go_to_noon()
    await runtime.ledger.calendar.roll(merchant.id)
    clock.advance(5 * 86400)
    due = await runtime.ledger.calendar.due_to_roll()
    assert merchant.id in due
    assert len(due) == 5  # two merchants, two suppliers, the desk itself
    closed = await runtime.ledger.calendar.roll(merchant.id)
    assert len(closed) == 5
    assert await runtime.ledger.calendar.roll(merchant.id) == []
    rows = await runtime.system.store.fetch(
        "SELECT day, starts_at, ends_at, closed_at FROM business_day WHERE holder_id = $1"
        " ORDER BY day",
        merchant.id,
    )
    for before, after in pairwise(rows):
        assert after["day"] == before["day"] + timedelta(days=1)
        assert after["starts_at"] == before["ends_at"]
        assert before["closed_at"] >= before["ends_at"]
    assert [row["closed_at"] for row in rows[-1:]] == [None]


async def test_a_changed_cut_counts_from_the_next_day_on(
    runtime: Runtime, shop: tuple[Merchant, App], clock: SetClock
) -> None:
    merchant, _ = shop
    clock.go_to_noon()
    (today,) = await book(runtime, merchant, event("a"))
    later = DayCut(merchant.day_cut.at.replace(hour=6), merchant.day_cut.zone)
    old_end = merchant.day_cut.start_of(today.day + timedelta(days=1))
    async with runtime.system.store.transaction() as tx:
        await runtime.parties.merchants.set_day_cut(tx, merchant.id, later)

    async def day(tx: Tx, open_day: BusinessDay) -> BusinessDay:
        return open_day

    clock.go_to(old_end - timedelta(seconds=1))
    assert (await runtime.ledger.in_open_day(merchant.id, day)).day == today.day
    clock.go_to(old_end)
    tomorrow = await runtime.ledger.in_open_day(merchant.id, day)
    assert tomorrow.day == today.day + timedelta(days=1)
    clock.go_to(later.start_of(tomorrow.day + timedelta(days=1)) - timedelta(seconds=1))
    assert (await runtime.ledger.in_open_day(merchant.id, day)).day == tomorrow.day
    clock.advance(1)
    after = await runtime.ledger.in_open_day(merchant.id, day)
    assert after.day == tomorrow.day + timedelta(days=1) == later.day_of(after.at)


async def test_a_cut_that_is_changed_while_the_day_is_about_to_close_counts(
    runtime: Runtime, shop: tuple[Merchant, App], clock: SetClock
) -> None:
    """The cut is read when the day is held, not when somebody thought of closing it."""
    merchant, _ = shop
    clock.go_to_noon()
    (today,) = await book(runtime, merchant, event("a"))
    later = DayCut(merchant.day_cut.at.replace(hour=6), merchant.day_cut.zone)
    changing, go_on = asyncio.Event(), asyncio.Event()

    async def change(tx: Tx, day: BusinessDay) -> None:
        await runtime.parties.merchants.set_day_cut(tx, merchant.id, later)
        changing.set()
        await go_on.wait()

    change_task = asyncio.create_task(runtime.ledger.in_open_day(merchant.id, change))
    await changing.wait()
    clock.advance(86400)
    roll = asyncio.create_task(runtime.ledger.calendar.roll(merchant.id))
    await waiting_for_a_day(runtime, 1)
    go_on.set()
    await change_task
    assert await roll == [today.day]
    ends_at = await runtime.system.store.fetchval(
        "SELECT ends_at FROM business_day WHERE holder_id = $1 AND closed_at IS NULL", merchant.id
    )
    assert ends_at == later.start_of(today.day + timedelta(days=2))


async def waiting_for_a_day(runtime: Runtime, number: int) -> None:
    async def wait() -> bool:
        waiting = "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND NOT granted"
        return bool(await runtime.system.store.fetchval(waiting) == number)

    await eventually(wait, what=f"{number} wait for a business day")


async def test_whoever_rolls_up_is_not_overtaken(
    runtime: Runtime, shop: tuple[Merchant, App], clock: SetClock
) -> None:
    """Bookings share their day; those that come after the roll wait until it was its turn."""
    merchant, _ = shop
    clock.go_to_noon()
    done: list[str] = []
    inside, go_on = asyncio.Event(), asyncio.Event()

    async def first(tx: Tx, day: BusinessDay) -> None:
        inside.set()
        await go_on.wait()
        await runtime.ledger.book(tx, day, event("first"))
        done.append("first")

    async def second(tx: Tx, day: BusinessDay) -> None:
        await runtime.ledger.book(tx, day, event("second"))
        done.append("second")

    async def roll() -> None:
        await runtime.ledger.calendar.roll(merchant.id)
        done.append("roll")

    early = asyncio.create_task(runtime.ledger.in_open_day(merchant.id, first))
    await inside.wait()
    rolling = asyncio.create_task(roll())
    await waiting_for_a_day(runtime, 1)
    late = asyncio.create_task(runtime.ledger.in_open_day(merchant.id, second))
    await waiting_for_a_day(runtime, 2)
    go_on.set()
    await asyncio.gather(early, rolling, late)
    assert set(done[:2]) == {"first", "roll"}
    rolled = await runtime.system.store.fetchval(
        "SELECT sum(events) FROM rollup_entry WHERE merchant_id = $1", merchant.id
    )
    assert rolled == 1  # the first; the second was booked behind what is rolled up


async def test_a_booking_holds_its_day_open(
    runtime: Runtime, shop: tuple[Merchant, App], clock: SetClock
) -> None:
    """The roll waits for what is being booked, so nothing lands in a day that is closed."""
    merchant, _ = shop
    clock.go_to_noon()
    inside, go_on = asyncio.Event(), asyncio.Event()

    async def work(tx: Tx, day: BusinessDay) -> BusinessDay:
        inside.set()
        await go_on.wait()
        await runtime.ledger.book(tx, day, event("slow"))
        return day

    slow = asyncio.create_task(runtime.ledger.in_open_day(merchant.id, work))
    await inside.wait()
    clock.advance(86400)
    roll = asyncio.create_task(runtime.ledger.calendar.roll(merchant.id))
    (done, _) = await asyncio.wait([roll], timeout=0.2)
    assert not done
    go_on.set()
    day = (await slow).day
    assert day in await roll
    closed = await runtime.system.store.fetchrow(
        "SELECT d.closed_at, e.booked_at FROM business_day d JOIN ledger_event e"
        " ON e.merchant_id = d.holder_id AND e.day = d.day WHERE e.event_key = 'slow'"
    )
    assert closed is not None
    assert closed["booked_at"] < closed["closed_at"]


async def test_the_desk_cannot_edit_what_is_append_only(runtime: Runtime) -> None:
    partitions = [
        row["name"]
        for row in await runtime.system.store.fetch(
            "SELECT inhrelid::regclass::text AS name FROM pg_inherits"
            " WHERE inhparent = 'ledger_entry'::regclass"
        )
    ]
    assert len(partitions) >= MONTHS
    for table in (*APPEND_ONLY, *partitions):
        column = await runtime.system.store.fetchval(
            "SELECT attname FROM pg_attribute WHERE attrelid = $1::text::regclass AND attnum = 1",
            table,
        )
        for sql in (
            f"UPDATE {table} SET {column} = {column}",
            f"DELETE FROM {table}",
            f"TRUNCATE {table}",
        ):
            with pytest.raises(asyncpg.InsufficientPrivilegeError):
                await runtime.system.store.execute(sql)


async def test_the_desk_cannot_delete_what_is_counted(runtime: Runtime) -> None:
    for table in NEVER_DELETED:
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            await runtime.system.store.execute(f"DELETE FROM {table}")
    for sql in ("UPDATE desk SET kind = 'production'", "DROP TABLE audit", "CREATE TABLE t ()"):
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            await runtime.system.store.execute(sql)


async def test_the_owner_can_so_the_refusal_is_the_roles(
    runtime: Runtime, servers: Servers, database: str, shop: tuple[Merchant, App]
) -> None:
    await book(runtime, shop[0], event("a"))
    async with owner(servers, database) as connection:
        assert await connection.execute("UPDATE ledger_event SET kind = kind") == "UPDATE 1"


async def test_a_merchant_without_a_day_is_a_bug(
    runtime: Runtime, shop: tuple[Merchant, App]
) -> None:
    with pytest.raises(Bug):
        await runtime.ledger.calendar.roll(uuid4())
