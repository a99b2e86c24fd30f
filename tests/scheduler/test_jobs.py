"""Each job of the timetable really does its work."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import timedelta

import pytest
from structlog.testing import capture_logs

from core.delivery.board import Subject
from core.delivery.outbox import Bill, Fact, Say, Stored
from core.kernel.days import Days
from core.kernel.holder import HOUSE
from core.kernel.money import Money
from core.runtime import Runtime
from core.supply.market import MarketWatch
from core.system.leases import Look
from core.trade.orders import FollowUp
from handlers.screens import render_alarm
from scheduler.jobs import BATCH, JOBS
from tests.conftest import Servers
from tests.core.support import (
    CHAT,
    NORTHWIND_CHAT,
    OPS_CHAT,
    OWNER,
    SUPPLIER_CHAT,
    Desk,
    SetClock,
    alarms,
    owner,
)


async def run(runtime: Runtime, name: str) -> None:
    (job,) = [job for job in JOBS if job.name == name]
    await job.work(runtime)


async def is_due(runtime: Runtime, name: str) -> bool:
    """Whether the look at all queues finds something for a job."""
    (job,) = [job for job in JOBS if job.name == name]
    look, woken = Look(runtime.system.store, runtime.system.clock), list[str]()
    look.watch(job.due, lambda: woken.append(name))
    await look.look()
    return woken == [name]


async def leaving(runtime: Runtime) -> dict[int, Fact]:
    """The next fact of each chat; they are sent."""
    taken = await runtime.delivery.outbox.take(50)
    for one in taken:
        await runtime.delivery.outbox.sent(one)
    return {one.chat_id: one.fact for one in taken}


async def test_refunds_that_nobody_began_are_carried_out(desk: Desk) -> None:
    opened = await desk.open()
    await desk.pay(opened)
    refund = await desk.runtime.trade.refunds.reserve(
        desk.app, desk.merchant.id, opened.order.id, "R1", Money(10000, "CNY"), fee_returned=True
    )
    await run(desk.runtime, "follow_refunds")
    assert (await desk.order(opened)).state == "paid"
    assert not await is_due(desk.runtime, "follow_refunds")
    desk.clock.advance(31)
    assert await is_due(desk.runtime, "follow_refunds")
    await run(desk.runtime, "follow_refunds")
    assert (await desk.order(opened)).state == "refunded"
    ended = await desk.runtime.trade.refund_dispatch.begin(desk.merchant.id, refund.id)
    assert (ended.state, ended.sends) == ("succeeded", 1)
    assert ended.upstream_refund_no
    await desk.sound()


async def test_orders_expire_when_their_time_is_over(desk: Desk) -> None:
    short = await desk.open(expires_in_s=60)
    longer = await desk.open(expires_in_s=600)
    assert not await is_due(desk.runtime, "expire_orders")
    desk.clock.advance(61)
    assert await is_due(desk.runtime, "expire_orders")
    await run(desk.runtime, "expire_orders")
    assert not await is_due(desk.runtime, "expire_orders")
    assert (await desk.order(short)).state == "expired"
    assert (await desk.order(longer)).state == "pending"


class Backlog(FollowUp):
    """Orders that are due: so many in each batch."""

    def __init__(self, *batches: int) -> None:
        self.batches = list(batches)

    async def expire_due(self, batch: int) -> int:
        assert batch == BATCH
        return self.batches.pop(0)


async def test_a_job_goes_on_until_its_batch_is_not_full(desk: Desk) -> None:
    backlog = Backlog(BATCH, BATCH, 7, 0)
    runtime = replace(desk.runtime, trade=replace(desk.runtime.trade, follow_up=backlog))
    with capture_logs() as logs:
        await run(runtime, "expire_orders")
        assert backlog.batches == [0]
        await run(runtime, "expire_orders")
    told = [(log["event"], log["job"], log["done"]) for log in logs]
    assert told == [("a backlog was worked off", "expire_orders", 2 * BATCH + 7)]


async def test_two_desks_that_work_off_a_backlog_end_each_order_once(desk: Desk) -> None:
    opened = [await desk.open(expires_in_s=60) for _ in range(2 * BATCH + 7)]
    desk.clock.advance(61)
    await asyncio.gather(*(run(desk.runtime, "expire_orders") for _ in range(2)))
    assert {(await desk.order(one)).state for one in opened} == {"expired"}
    moves = await desk.runtime.system.store.fetch(
        "SELECT count(*) AS n FROM order_history WHERE move = 'expire' GROUP BY order_id"
    )
    assert [row["n"] for row in moves] == [1] * len(opened)
    assert not await is_due(desk.runtime, "expire_orders")


async def test_all_whose_minute_is_over_are_told_however_many(
    runtime: Runtime, clock: SetClock
) -> None:
    await runtime.system.store.execute("DELETE FROM outbox")
    chats = [-1_002_000_000_500 - n for n in range(2 * BATCH + 1)]
    person = await runtime.people.access.actor(OWNER, "x", CHAT, private=False)
    for chat_id in chats:
        for number in (1, 2):
            say = Say(Stored("only_in_groups", {}), reply_to=number)
            await runtime.people.refusals.tell(replace(person, chat_id=chat_id), say, "?")
    assert len(await all_leaving(runtime)) == len(chats), "of each the first, at once"
    await run(runtime, "tell_refusals")
    assert await all_leaving(runtime) == {}
    assert not await is_due(runtime, "tell_refusals")
    clock.advance(61)
    assert await is_due(runtime, "tell_refusals")
    await asyncio.gather(*(run(runtime, "tell_refusals") for _ in range(2)))
    assert sorted(await all_leaving(runtime)) == sorted(chats), "each once"
    assert not await is_due(runtime, "tell_refusals")


async def all_leaving(runtime: Runtime) -> dict[int, Fact]:
    """The next fact of each chat, of however many chats; they are sent."""
    facts = dict[int, Fact]()
    while some := await leaving(runtime):
        assert not facts.keys() & some.keys()
        facts |= some
    return facts


async def test_books_that_cannot_be_rolled_up_stop_nobody_elses(
    runtime: Runtime, clock: SetClock, servers: Servers, database: str
) -> None:
    clock.go_to_noon()
    await run(runtime, "roll_books")
    async with owner(servers, database) as connection:
        await connection.execute(  # a day of nobody, over for long: the first that is due
            "INSERT INTO business_day"
            " (holder_id, day, starts_at, ends_at, zone, rolled_to, sums_kept)"
            " VALUES (gen_random_uuid(), '2020-01-01', '2020-01-01 00:00+00',"
            " '2020-01-02 00:00+00', 'UTC', '2020-01-01 00:00+00', true)"
        )
    clock.advance(86_400)
    with capture_logs() as logs, pytest.raises(ExceptionGroup):
        await run(runtime, "roll_books")
    assert [log["event"] for log in logs] == ["books not rolled up"]
    behind = "SELECT count(*) FROM business_day WHERE closed_at IS NULL AND ends_at <= $1"
    assert await runtime.system.store.fetchval(behind, clock.now()) == 1  # nobody's


async def test_days_close_at_each_merchants_cut_and_the_group_gets_the_new_bill(
    runtime: Runtime, clock: SetClock
) -> None:
    await runtime.system.store.execute("DELETE FROM outbox")
    noon = clock.go_to_noon()
    await run(runtime, "roll_books")
    await runtime.system.store.execute("DELETE FROM outbox")
    await run(runtime, "roll_books")
    assert await runtime.delivery.outbox.backlog() == {}, "no day is over"

    # Midnight in Shanghai has passed, six o'clock, when M1002's day ends, has not.
    clock.go_to(noon + timedelta(hours=13))
    await run(runtime, "roll_books")
    spruce, northwind = [await runtime.parties.merchants.by_no(no) for no in ("M1001", "M1002")]
    assert await leaving(runtime) == {CHAT: Bill(str(spruce.id))}
    bill = await runtime.reports.bills.merchant(spruce.id)
    assert bill.days.first == (noon + timedelta(days=1)).date()
    assert not (await runtime.reports.bills.merchant(spruce.id, Days.one(noon.date()))).open

    clock.go_to(noon + timedelta(hours=19))
    await run(runtime, "roll_books")
    assert await leaving(runtime) == {NORTHWIND_CHAT: Bill(str(northwind.id))}
    assert (await runtime.reports.verify.whole()).differences == ()


async def test_what_a_day_of_a_supplier_or_the_platform_closed_with_is_told_once(
    desk: Desk,
) -> None:
    runtime, noon = desk.runtime, desk.clock.go_to_noon()
    supplier = await runtime.parties.suppliers.by_no("S01")
    await run(runtime, "roll_books")
    await desk.pay(await desk.open())
    for hours in (13, 37):  # on the second day nothing moves
        desk.clock.go_to(noon + timedelta(hours=hours))
        for _ in range(3):
            await run(runtime, "roll_books")
    rows = await runtime.system.store.fetch(
        "SELECT chat_id, facts FROM outbox WHERE topic = 'desk_bill' ORDER BY chat_id"
    )
    day = noon.date().isoformat()
    told = {
        (row["chat_id"], row["facts"].get("supplier_id")): row["facts"]["first"] for row in rows
    }
    assert told == {(OPS_CHAT, None): day, (SUPPLIER_CHAT, str(supplier.id)): day}
    assert len(rows) == len(told)
    assert not (await runtime.reports.bills.platform(Days.one(noon.date()))).open


@pytest.mark.parametrize("moving", [(1,), (1, 2), (1, 2, 3)])
async def test_a_desk_that_was_away_tells_the_last_day_on_which_something_moved(
    desk: Desk, moving: tuple[int, ...]
) -> None:
    """Days on which nothing moved may follow it: nobody would be told of any, else."""
    runtime, noon = desk.runtime, desk.clock.go_to_noon()
    supplier = await runtime.parties.suppliers.by_no("S01")
    await run(runtime, "roll_books")
    for nth in range(1, 4):  # nobody rolls the platform's days or the supplier's meanwhile
        desk.clock.go_to(noon + timedelta(hours=24 * (nth - 1), minutes=1))
        if nth in moving:
            await desk.pay(await desk.open())
    desk.clock.go_to(noon + timedelta(hours=24 * 3 - 11))
    for _ in range(3):
        await run(runtime, "roll_books")
    rows = await runtime.system.store.fetch(
        "SELECT chat_id, facts FROM outbox WHERE topic = 'desk_bill' ORDER BY chat_id"
    )
    last = (noon.date() + timedelta(days=moving[-1] - 1)).isoformat()
    of_day = {"first": last, "last": last}
    assert [(row["chat_id"], row["facts"]) for row in rows] == [
        (SUPPLIER_CHAT, {**of_day, "supplier_id": str(supplier.id)}),
        (OPS_CHAT, of_day),
    ]


async def test_a_live_bill_of_the_day_is_edited_to_what_it_closed_with(desk: Desk) -> None:
    runtime, noon = desk.runtime, desk.clock.go_to_noon()
    supplier = await runtime.parties.suppliers.by_no("S01")
    await run(runtime, "roll_books")
    await desk.pay(await desk.open())
    day = noon.date()
    for chat_id, holder_id in ((OPS_CHAT, HOUSE), (SUPPLIER_CHAT, supplier.id)):
        about = Subject.live_bill(holder_id, day)
        await runtime.delivery.board.posts.posted(chat_id, 7, about, "d")
    desk.clock.go_to(noon + timedelta(hours=13))
    for _ in range(2):  # merchants whose days go on are rolled up past its end
        await run(runtime, "roll_books")
    rows = await runtime.system.store.fetch(
        "SELECT chat_id, facts FROM outbox WHERE topic = 'desk_bill' ORDER BY chat_id"
    )
    closed = {"first": day.isoformat(), "last": day.isoformat(), "edit_message_id": 7}
    assert [(row["chat_id"], row["facts"]) for row in rows] == [
        (SUPPLIER_CHAT, {**closed, "supplier_id": str(supplier.id)}),
        (OPS_CHAT, closed),
    ]


async def test_an_alarm_stands_while_reference_data_does_not_read(
    runtime: Runtime, servers: Servers, database: str
) -> None:
    await runtime.system.store.execute("DELETE FROM outbox")
    await run(runtime, "watch_market")
    assert await runtime.delivery.outbox.backlog() == {}
    zone = "UPDATE supplier SET zone = $1 WHERE supplier_no = 'S01'"
    async with owner(servers, database) as connection:
        await connection.execute(zone, "Mars/Base")
        await runtime.supply.market.reload()
        for _ in range(2):
            await run(runtime, "watch_market")
        (alarm,) = await alarms(runtime)
        assert (alarm.kind, alarm.state, alarm.count) == ("market", "standing", 1)
        assert alarm.facts["first"]["kind"] == "channel"
        await connection.execute(zone, "Asia/Shanghai")
    await runtime.supply.market.reload()
    # The turn is another instance's, which never heard of it.
    other = MarketWatch(runtime.system.store, runtime.supply.market, runtime.people.alarms)
    await other.watch()
    assert (await runtime.people.alarms.get(alarm.id)).state == "over"


async def test_a_licence_that_ends_soon_is_an_alarm(runtime: Runtime, clock: SetClock) -> None:
    await runtime.system.store.execute("DELETE FROM outbox")
    await run(runtime, "watch_licences")
    assert await runtime.delivery.outbox.backlog() == {}
    supplier = await runtime.parties.suppliers.by_no("S01")
    boss = await runtime.people.access.actor(OWNER, "", OWNER, private=True)
    ends = clock.now().date() + timedelta(days=6)
    await runtime.supply.onboarding.amend(boss, supplier, licence_expires_on=ends)
    await run(runtime, "watch_licences")
    alarm = (await leaving(runtime))[OPS_CHAT]
    assert isinstance(alarm, Say)
    assert (alarm.screen, alarm.facts["supplier_no"]) == ("alarm_licence", "S01")
    await run(runtime, "watch_licences")
    assert await runtime.delivery.outbox.backlog() == {}


async def test_there_are_always_months_ahead(runtime: Runtime, clock: SetClock) -> None:
    async def months() -> int:
        return int(
            await runtime.system.store.fetchval(
                "SELECT count(*) FROM pg_inherits WHERE inhparent = 'orders'::regclass"
            )
        )

    await run(runtime, "make_months")
    before = await months()
    assert before >= 24
    await run(runtime, "make_months")
    assert await months() == before
    clock.advance(70 * 86_400)
    await run(runtime, "make_months")
    assert before + 2 <= await months() <= before + 3


async def test_what_is_done_is_forgotten_after_a_week(runtime: Runtime, clock: SetClock) -> None:
    await runtime.system.store.execute("DELETE FROM outbox")
    for update_id in (1, 2):
        await runtime.delivery.inbox.put(1, update_id, update_id, {"update_id": update_id})
    (done, *_) = await runtime.delivery.inbox.take(1)
    await runtime.delivery.inbox.done(done)
    for chat_id in (CHAT, OPS_CHAT):
        await runtime.delivery.outbox.say(
            runtime.system.store, chat_id, Say(Stored("only_in_groups", {}))
        )
    (sent, *_) = await runtime.delivery.outbox.take(1)
    await runtime.delivery.outbox.sent(sent)
    tables = ("telegram_update", "outbox")

    async def counts() -> list[int]:
        return [
            await runtime.system.store.fetchval(f"SELECT count(*) FROM {table}") for table in tables
        ]

    await run(runtime, "forget_old")
    assert await counts() == [2, 2]
    clock.advance(8 * 86_400)
    await run(runtime, "forget_old")
    assert await counts() == [1, 1], "what waits stays"


async def test_books_that_do_not_add_up_are_an_alarm(
    runtime: Runtime, servers: Servers, database: str
) -> None:
    await runtime.system.store.execute("DELETE FROM outbox")
    await run(runtime, "verify_books")
    assert await runtime.delivery.outbox.backlog() == {}
    merchant = await runtime.parties.merchants.by_no("M1001")
    async with owner(servers, database) as connection:
        await connection.execute(
            "INSERT INTO balance (merchant_id, mode, currency, account, minor)"
            " VALUES ($1, 'live', 'CNY', 'payable', 1)",
            merchant.id,
        )
    with capture_logs() as logs:
        await run(runtime, "verify_books")
    assert [log["log_level"] for log in logs] == ["info", "error"]
    compared = logs[0]
    assert (compared["event"], compared["old_days"], compared["differences"]) == (
        "books re-added", 0, len(logs[1]["differences"]),
    )  # fmt: skip
    (alarm,) = await alarms(runtime)
    assert (alarm.kind, alarm.state, alarm.count) == ("books", "standing", 1)
    assert "every balance is the sum of its entries" in alarm.facts["first"]
    for language, title in (("zh", "账目不平"), ("en", "The books do not add up")):
        assert title in render_alarm(alarm, "UTC", language).html

    async with owner(servers, database) as connection:
        await connection.execute("UPDATE balance SET minor = minor - 1 WHERE minor = 1")
    await run(runtime, "verify_books")
    (alarm,) = await alarms(runtime)
    assert (alarm.state, alarm.count) == ("over", 1), "and it says so"
