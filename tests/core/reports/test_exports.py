"""Who may have which file, the queue with its leases, and what a file is read from."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta
from uuid import UUID, uuid4

import pytest

from core.books import set_house_cut
from core.kernel.clock import DayCut
from core.kernel.days import Days
from core.kernel.errors import Refusal
from core.kernel.holder import HOUSE
from core.reports.exports import MAX_WAITING, QUEUE, Paper
from core.reports.order_lists import FilteredOrders, OrderFilter, Sight
from core.trade.orders import ByHand
from tests.core.support import (
    CHAT,
    NORTHWIND_STAFF,
    OPERATOR,
    OPS_CHAT,
    OWNER,
    SPRUCE_STAFF,
    SUPPLIER_CHAT,
    Desk,
    completing,
    nothing,
    refused,
)


def paper(desk: Desk, **changes: object) -> Paper:
    day = Days.one(date(2026, 11, 20))
    values: dict[str, object] = {"what": "excel", "holder": "m", "holder_id": desk.merchant.id,
                                 "days": day}  # fmt: skip
    return Paper(**(values | changes))  # type: ignore[arg-type]


async def test_staff_detail_is_where_only_staff_reads_whoever_asks(desk: Desk) -> None:
    exports = desk.runtime.reports.exports
    for user_id, chat_id, staff in (
        (OWNER, CHAT, False), (SPRUCE_STAFF, CHAT, False), (OPERATOR, OPS_CHAT, True),
    ):  # fmt: skip
        actor = await desk.actor(user_id, chat_id)
        await exports.ask(actor, [paper(desk, staff=True)], reply_to=user_id)
        taken = await exports.queue.take()
        assert taken is not None
        assert taken.paper.staff is staff
        await exports.queue.finish(taken, digest="d", file_id="f")


@pytest.mark.parametrize(
    ("holder", "holder_id", "code"),
    [
        ("m", uuid4(), "record_not_found"), ("s", uuid4(), "record_not_found"),
        ("p", HOUSE, "not_permitted"), ("m", UUID(int=0), "record_not_found"),
    ],
)  # fmt: skip
async def test_what_is_not_to_be_seen_is_not_found(
    desk: Desk, holder: str, holder_id: UUID, code: str
) -> None:
    actor = await desk.actor(SPRUCE_STAFF, CHAT)
    with pytest.raises(Refusal) as error:
        await desk.runtime.reports.exports.ask(
            actor, [paper(desk, holder=holder, holder_id=holder_id)], reply_to=1
        )
    assert refused(error.value) == code
    assert await desk.runtime.reports.exports.queue.take() is None


async def test_a_list_is_had_as_whoever_asks_may_see_it(desk: Desk) -> None:
    """Whatever it says of what may be seen."""
    exports, lists = desk.runtime.reports.exports, desk.runtime.reports.order_lists
    wanted = OrderFilter(Days.one(date(2026, 11, 20)), "CNY", pay="unpaid", least_minor=100)
    sight = Sight(None, channels=True, fees=True, costs=True)
    asked = Paper.of_list(FilteredOrders(wanted, sight), "Asia/Shanghai")
    for user_id, chat_id, holder, staff in (
        (OWNER, OPS_CHAT, "p", True), (OWNER, CHAT, "m", False), (SPRUCE_STAFF, CHAT, "m", False),
        (OWNER, SUPPLIER_CHAT, "s", False),
    ):  # fmt: skip
        actor = await desk.actor(user_id, chat_id)
        for _ in range(2):  # the same twice is one
            await exports.ask(actor, [asked], reply_to=user_id)
        taken = await exports.queue.take()
        assert taken is not None
        assert taken.paper == Paper.of_list(lists.seen(actor, wanted), "Asia/Shanghai")
        assert (taken.paper.holder, taken.paper.staff) == (holder, staff)
        await exports.queue.finish(taken, digest="d", file_id="f")
        assert await exports.queue.take() is None
    channels = replace(wanted, channel_nos=("C01",))
    for user_id, what, code in (
        (NORTHWIND_STAFF, wanted, "not_permitted"), (OWNER, channels, "staff_only"),
    ):  # fmt: skip
        paper_of = Paper.of_list(FilteredOrders(what, sight), "UTC")
        with pytest.raises(Refusal) as error:
            await exports.ask(await desk.actor(user_id, CHAT), [paper_of], reply_to=1)
        assert refused(error.value) == code


async def test_a_stranger_and_a_wrong_table_are_refused(desk: Desk) -> None:
    exports = desk.runtime.reports.exports
    with pytest.raises(Refusal) as error:
        await exports.ask(await desk.actor(NORTHWIND_STAFF, CHAT), [paper(desk)], reply_to=1)
    assert refused(error.value) == "not_permitted"
    owner = await desk.actor(OWNER, OPS_CHAT)
    days = paper(desk, what="csv", holder="p", holder_id=HOUSE, table="days")
    with pytest.raises(Refusal) as error:
        await exports.ask(owner, [days], reply_to=1)
    assert refused(error.value) == "field_invalid"


async def test_the_queue_lends_each_to_one_and_again_when_the_lease_ends(desk: Desk) -> None:
    exports, queue = desk.runtime.reports.exports, desk.runtime.reports.exports.queue
    actor = await desk.actor(OWNER, CHAT)
    for number in range(MAX_WAITING):
        for _ in range(2):  # the same twice is one
            await exports.ask(actor, [paper(desk)], reply_to=number)
    with pytest.raises(Refusal) as error:
        await exports.ask(actor, [paper(desk)], reply_to=99)
    assert refused(error.value) == "export_busy"

    lent = [await queue.take() for _ in range(MAX_WAITING + 1)]
    assert [one.reply_to for one in lent if one] == list(range(MAX_WAITING))
    first, second, _ = [one for one in lent if one]
    assert await queue.renew(first)
    desk.clock.advance(QUEUE.lease.total_seconds() + 1)
    again = await queue.take()
    assert again is not None
    assert again.tries == 2
    stale = first if again.id == first.id else second
    assert not await queue.renew(stale)
    await queue.finish(stale, digest="late", file_id="late")  # it lost the lease: no effect
    assert await queue.file_of("late") is None
    await queue.finish(again, digest="digest", file_id="file")
    assert await queue.file_of("digest") == "file"
    await queue.forget_file("digest")
    assert await queue.file_of("digest") is None


async def test_the_last_try_is_the_last(desk: Desk) -> None:
    exports, queue = desk.runtime.reports.exports, desk.runtime.reports.exports.queue
    await exports.ask(await desk.actor(OWNER, CHAT), [paper(desk)], reply_to=1)
    for tries in range(1, QUEUE.most_tries + 1):
        taken = await queue.take()
        assert taken is not None
        assert await queue.put_off(taken, fault="away") is (tries < QUEUE.most_tries)
        desk.clock.advance(max(QUEUE.gaps_s))
    assert await queue.take() is None


async def test_rows_are_what_the_bill_counts_and_say_nothing_of_channels(desk: Desk) -> None:
    desk.clock.go_to_noon()
    opened = [await desk.open(10_000 + n) for n in range(3)]
    for n, one in enumerate(opened):
        await desk.see(one, 10_000 + n)
    runtime = desk.runtime
    today = Days.one(await runtime.reports.bills.open_day(desk.merchant.id))
    digests = set()
    for staff in (False, True):
        async with runtime.reports.exports.merchant(
            paper(desk, days=today, staff=staff)
        ) as reading:
            rows = [row async for chunk in reading.orders() for row in chunk]
            paid = sum(x.paid for x in reading.bill.products)
            assert await reading.count() == len(rows) == paid == 3
            assert sum(r.amount_minor - r.fee_minor for r in rows) == reading.bill.net_minor
            assert all((r.channel_no is None and r.cost_minor is None) is not staff for r in rows)
            digests |= {await reading.digest(language) for language in ("zh", "zh", "en")}
    assert len(digests) == 4
    facts = await runtime.reports.exports.chart(paper(desk, what="chart", days=today))
    assert len(facts.points) == 24
    assert (facts.paid, facts.created, facts.cohort_paid) == (3, 3, 3)
    assert facts.amount_minor == 30_003
    for holder, holder_id in (("p", HOUSE), ("s", (await runtime.parties.suppliers.all())[0].id)):
        wide = Days(today.first.replace(day=1), today.last)
        told = await runtime.reports.exports.chart(
            paper(desk, what="chart", holder=holder, holder_id=holder_id, days=wide)
        )
        assert len(told.points) == len(wide)
        assert told.amount_minor == 30_003
        assert told.paid == 3


async def test_days_that_begin_at_half_past_an_hour_of_utc(desk: Desk) -> None:
    runtime, clock = desk.runtime, desk.clock
    cut = DayCut(zone="Asia/Kolkata")
    supplier = await runtime.parties.suppliers.by_no("S01")
    async with runtime.system.store.transaction() as tx:
        await runtime.parties.merchants.set_day_cut(tx, desk.merchant.id, cut)
        await runtime.parties.suppliers.set_day_cut(tx, supplier.id, cut)
        await set_house_cut(tx, cut)
    holders = {"m": desk.merchant.id, "s": supplier.id, "p": HOUSE}
    clock.go_to_noon()
    days = {await runtime.reports.bills.open_day(holder_id) for holder_id in holders.values()}
    (day,) = days
    following = day + timedelta(days=1)
    midnight = cut.start_of(following)  # half past six in the evening in UTC
    for minutes, minor in ((-45, 10_000), (-20, 20_000), (10, 40_000), (40, 80_000)):
        clock.go_to(midnight + timedelta(minutes=minutes))
        await desk.see(await desk.open(minor), minor)
        if minutes == -20:
            await runtime.ledger.calendar.roll(desk.merchant.id)
    for _ in range(2):  # with a live tail, and rolled up
        for holder, holder_id in holders.items():
            of = {"what": "chart", "holder": holder, "holder_id": holder_id}
            both = await runtime.reports.exports.chart(paper(desk, **of, days=Days(day, following)))
            assert [p.amount_minor for p in both.points] == [30_000, 120_000]
            orders = 0 if holder == "s" else 2
            assert [(p.paid, p.created) for p in both.points] == [(2, orders), (2, orders)]
            first = await runtime.reports.exports.chart(paper(desk, **of, days=Days.one(day)))
            assert (len(first.points), first.created) == (25, orders)
            assert [p.amount_minor for p in first.points[-2:]] == [10_000, 20_000]
            second = await runtime.reports.exports.chart(
                paper(desk, **of, days=Days.one(following))
            )
            assert (second.points[0].at, second.amount_minor) == (midnight, 120_000)
            assert [p.amount_minor for p in second.points[:2]] == [40_000, 80_000]
            assert second.created == orders
        await runtime.ledger.calendar.roll(desk.merchant.id)


async def test_reasons_are_for_staff(desk: Desk) -> None:
    desk.clock.go_to_noon()
    runtime = desk.runtime
    opened = await desk.open(10_000)
    await completing(runtime).complete(
        desk.merchant.id, opened.order.id, opened.order.version,
        ByHand("S01 was down", OPERATOR, "Lin", OPERATOR), request_id="x", also=nothing,
    )  # fmt: skip
    today = Days.one(await runtime.reports.bills.open_day(desk.merchant.id))
    for staff, reason in ((True, "S01 was down"), (False, "")):
        async with runtime.reports.exports.merchant(
            paper(desk, days=today, staff=staff)
        ) as reading:
            (row,) = [row async for chunk in reading.completions() for row in chunk]
        assert (row.reason, row.actor_name) == (reason, "Lin")
