"""Lists of orders against a plain reading of all of them: each filter, every page, what all of them
come to, and who sees what."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any, Final
from uuid import uuid4

import pytest

from core.kernel.days import Days
from core.kernel.errors import Refusal
from core.people.actors import Actor
from core.reports.order_lists import PAGE, ListedOrder, OrderFilter, OrderPage, Turn
from core.trade.orders import Opened
from tests.core.support import ADMIN, CHAT, FINANCE, OPERATOR, OPS_CHAT, SUPPLIER_CHAT, Desk
from tests.core.system.test_restored import complete, reverse
from tests.core.trade.test_refunds import reserve

FIRST: Final = Turn()
Kept = Callable[[dict[str, Any]], bool]


@dataclass
class Town:
    """Orders of two merchants, of which everything has happened to some."""

    desk: Desk
    staff: Actor
    days: Days

    async def page(self, turn: Turn = FIRST, actor: Actor | None = None, **kept: Any) -> OrderPage:
        lists = self.desk.runtime.reports.order_lists
        wanted = OrderFilter(kept.pop("days", self.days), "CNY", **kept)
        return await lists.page(lists.seen(actor or self.staff, wanted), turn)

    async def all_lines(self, actor: Actor | None = None, **kept: Any) -> list[ListedOrder]:
        """By turning pages to the end, and back again to the first."""
        page = await self.page(actor=actor, **kept)
        turns, lines = 0, list(page.lines)
        while page.older:
            turns += 1
            assert turns < 50
            turn = Turn(page.turn.page + 1, "older", page.lines[-1].number)
            page = await self.page(turn, actor, **kept)
            lines += page.lines
        assert page.totals.count == len(lines)
        assert page.turn.page == page.pages == max(1, -(-len(lines) // PAGE))
        while page.turn.page > 2:
            turn = Turn(page.turn.page - 1, "newer", page.lines[0].number)
            page = await self.page(turn, actor, **kept)
            begins = (turn.page - 1) * PAGE
            assert list(page.lines) == lines[begins : begins + PAGE]
            assert page.older
        return lines

    async def rows(self) -> list[dict[str, Any]]:
        """Every live order of these days, the newest first, with the attempt that counts."""
        rows = await self.desk.runtime.system.store.fetch(
            "SELECT o.*, a.channel_no, a.supplier_no, coalesce(n.state, 'none') AS news"
            " FROM orders o LEFT JOIN LATERAL (SELECT * FROM attempt t"
            "  WHERE t.merchant_id = o.merchant_id AND t.order_id = o.id ORDER BY"
            "  (t.attempt_no = coalesce(o.paid_attempt_no, o.live_attempt_no)) IS TRUE DESC,"
            "  t.seq DESC LIMIT 1) a ON true"
            " LEFT JOIN LATERAL (SELECT * FROM notification t WHERE t.merchant_id = o.merchant_id"
            "  AND t.order_id = o.id ORDER BY t.created_at DESC LIMIT 1) n ON true"
            " WHERE o.mode = 'live' AND o.created_day BETWEEN $1 AND $2"
            " ORDER BY o.created_at DESC, o.id DESC",
            self.days.first,
            self.days.last,
        )
        return [dict(row) for row in rows]


@pytest.fixture
async def town(desk: Desk, neighbour: Desk) -> Town:
    desk.clock.go_to_noon()
    opened: list[Opened] = []
    for n in range(13):
        for whose in (desk, neighbour):
            product = "wechat_qr" if n % 3 == 0 else "alipay_qr"
            url = "http://127.0.0.1:9/news" if n % 2 else None
            one = await whose.open(10_000 + n, product=product, notify_url=url)
            opened.append(one)
            if n % 2:
                await whose.see(one, 10_000 + n)
        desk.clock.advance(1800)
    await complete(desk, opened[0])
    await complete(desk, opened[4])
    await reverse(desk, opened[4])
    refund = await reserve(desk, opened[2], "R1", 1_000)
    await desk.runtime.trade.refunds.settle(desk.merchant.id, refund.id, cost_returned=False)
    await desk.supplier.fault("create", "refuse", times=1)
    await desk.open(10_100)  # at the next supplier
    today = await desk.runtime.reports.bills.open_day(desk.merchant.id)
    staff = await desk.actor(ADMIN, OPS_CHAT)
    return Town(desk, staff, Days(today - timedelta(days=1), today))


def paid(row: dict[str, Any]) -> bool:
    return row["paid_at"] is not None and not row["disputed"]


FILTERS: Final[tuple[tuple[dict[str, Any], Kept], ...]] = (
    ({}, lambda row: True),
    ({"pay": "paid"}, paid),
    ({"pay": "unpaid"}, lambda row: not paid(row)),
    ({"pay": "waiting"}, lambda row: row["state"] in ("created", "pending")),
    ({"pay": "failed"}, lambda row: row["state"] == "failed"),
    ({"product_codes": ("wechat_qr",)}, lambda row: row["product_code"] == "wechat_qr"),
    ({"least_minor": 10_005}, lambda row: row["amount_minor"] >= 10_005),
    ({"least_minor": 10_003, "most_minor": 10_006},
     lambda row: 10_003 <= row["amount_minor"] <= 10_006),
    ({"news": "untold"}, lambda row: row["news"] in ("pending", "exhausted")),
    ({"news": "told"}, lambda row: row["news"] == "delivered"),
    ({"marks": ("completed",)}, lambda row: row["paid_how"] == "completed"),
    ({"marks": ("disputed",)}, lambda row: row["disputed"]),
    ({"marks": ("refunded",)}, lambda row: row["state"] == "partially_refunded"),
    ({"channel_nos": ("C01",)}, lambda row: row["channel_no"] == "C01"),
    ({"supplier_nos": ("S02",)}, lambda row: row["supplier_no"] == "S02"),
    ({"supplier_nos": ("S01",), "pay": "paid", "least_minor": 10_004},
     lambda row: row["supplier_no"] == "S01" and paid(row) and row["amount_minor"] >= 10_004),
)  # fmt: skip


async def test_each_filter_lists_what_it_says_on_every_page(town: Town) -> None:
    rows = await town.rows()
    assert len(rows) == 27
    empty = 0
    for kept, matches in FILTERS:
        expected = [row for row in rows if matches(row)]
        lines = await town.all_lines(**kept)
        assert [line.number for line in lines] == [row["order_no"] for row in expected], kept
        assert [line.channel_no for line in lines] == [row["channel_no"] for row in expected]
        totals = (await town.page(**kept)).totals
        settled = [row for row in expected if paid(row)]
        assert (totals.count, totals.paid) == (len(expected), len(settled))
        assert totals.amount_minor == sum(row["amount_minor"] for row in expected)
        assert totals.paid_minor == sum(row["amount_minor"] for row in settled)
        assert totals.fee_minor == sum(row["fee_minor"] for row in settled)
        assert totals.cost_minor == sum(row["cost_minor"] for row in settled)
        empty += not expected
    assert empty == 2  # nobody was told, and nothing failed


async def test_the_whole_of_a_list_is_all_of_its_pages(town: Town) -> None:
    lists, store = town.desk.runtime.reports.order_lists, town.desk.runtime.system.store
    merchant, supplier = [
        await town.desk.actor(ADMIN, chat_id) for chat_id in (CHAT, SUPPLIER_CHAT)
    ]
    plain = FILTERS[:3]
    for actor, filters in ((town.staff, FILTERS), (merchant, plain), (supplier, plain)):
        for kept, _ in filters:
            listed = lists.seen(actor, OrderFilter(town.days, "CNY", **kept))
            async with store.snapshot() as tx:
                whole = await lists.whole(tx, listed)
                lines = [line async for chunk in whole.lines(4) for line in chunk]
            assert lines == await town.all_lines(actor, **kept)
            settled = [line for line in lines if line.paid]
            assert (whole.totals.count, whole.totals.paid) == (len(lines), len(settled))
            assert whole.totals.paid_minor == sum(line.amount_minor for line in settled)
            if listed.sight.fees:
                assert whole.totals.fee_minor == sum(line.fee_minor or 0 for line in settled)
            if actor is town.staff:
                assert whole.totals.cost_minor == sum(line.cost_minor or 0 for line in settled)
                assert [line.paid_at is not None for line in lines] == [one.paid for one in lines]
            else:
                assert {line.cost_minor for line in lines} <= {None}


async def test_a_list_is_another_one_as_soon_as_a_line_of_it_changes(town: Town) -> None:
    async def trace(**kept: Any) -> str:
        lists = town.desk.runtime.reports.order_lists
        listed = lists.seen(town.staff, OrderFilter(town.days, "CNY", **kept))
        async with town.desk.runtime.system.store.snapshot() as tx:
            return await (await lists.whole(tx, listed)).trace()

    other = await trace(product_codes=("wechat_qr",))
    traces = [await trace(), await trace()]
    opened = await town.desk.open(10_300, product="alipay_qr")
    traces.append(await trace())
    await town.desk.see(opened, 10_300)
    traces += [await trace(), await trace()]
    assert traces[0] == traces[1]
    assert traces[3] == traces[4]
    assert len(set(traces)) == 3
    assert await trace(product_codes=("wechat_qr",)) == other


async def test_how_a_line_stands(town: Town) -> None:
    lines = {line.number: line for line in await town.all_lines()}
    standing = [line.standing for line in lines.values()]
    assert {one: standing.count(one) for one in set(standing)} == {
        "pending": 12 + 1, "paid": 11, "completed": 1, "disputed": 1, "partially_refunded": 1,
    }  # fmt: skip
    assert [line.by_hand for line in lines.values()].count(True) == 2
    assert [line.refunded for line in lines.values()].count(True) == 1
    assert {line.merchant_no for line in lines.values()} == {"M1001", "M1002"}


async def test_success_of_the_last_minutes(town: Town) -> None:
    """Of what was made in them, whatever else the list asks of its orders."""
    await town.desk.see(await town.desk.open(10_200), 10_200)
    rows, now = await town.rows(), town.desk.clock.now()
    for kept, matches in (FILTERS[0], FILTERS[5], FILTERS[6]):
        recent = (await town.page(**kept, pay="unpaid")).recent
        assert [one.minutes for one in recent] == [10, 30, 60]
        for one in recent:
            since = now - timedelta(minutes=one.minutes)
            within = [row for row in rows if matches(row) and row["created_at"] >= since]
            assert (one.created, one.paid) == (len(within), sum(map(paid, within)))
    actor = await town.desk.actor(ADMIN, SUPPLIER_CHAT)
    for reader, created in ((town.staff, 4), (actor, 4)):
        last = (await town.page(actor=reader)).recent[-1]
        assert (last.created, last.paid) == (created, 1)
    closed = Days.one(town.days.first - timedelta(days=1))
    assert (await town.page(days=closed)).recent == ()


async def test_minutes_before_a_lists_days_are_none_of_it(town: Town) -> None:
    """Just after a day was cut, none of its hours is an hour long."""
    clock, merchant_id = town.desk.clock, town.desk.merchant.id
    ends_at = await town.desk.runtime.system.store.fetchval(
        "SELECT ends_at FROM business_day WHERE holder_id = $1 AND closed_at IS NULL", merchant_id
    )
    own: dict[str, Any] = {
        "merchant_ids": (merchant_id,),
        "days": Days.one(town.days.last + timedelta(days=1)),
    }
    clock.advance((ends_at - clock.now()).total_seconds() + 5 * 60)
    assert await town.desk.runtime.reports.bills.open_day(merchant_id) == own["days"].first
    assert (await town.page(**own)).recent == ()
    clock.advance(30 * 60)
    assert [one.minutes for one in (await town.page(**own)).recent] == [10, 30]


async def test_other_days_and_a_number_that_is_not_there(town: Town) -> None:
    before = town.days.first - timedelta(days=9)
    assert (await town.page(days=Days(before, before))).lines == ()
    first = await town.page()
    for number in ("P0", "", first.lines[0].number[:-1]):
        assert await town.page(Turn(2, "older", number)) == first
    assert await town.page(Turn(2, "first")) == first


async def test_what_comes_meanwhile_moves_no_page(town: Town) -> None:
    first = await town.page()
    older = Turn(2, "older", first.lines[-1].number)
    second = await town.page(older)
    await town.desk.open(5_000)
    assert (await town.page(older)).lines == second.lines
    assert (await town.page()).lines[1:] == first.lines[:-1]


async def test_a_merchants_group_sees_its_own_without_channels_and_cost(town: Town) -> None:
    lists = town.desk.runtime.reports.order_lists
    own = [row for row in await town.rows() if row["merchant_id"] == town.desk.merchant.id]
    for user_id in (OPERATOR, FINANCE):
        actor = await town.desk.actor(user_id, CHAT)
        lines = await town.all_lines(actor)
        assert [line.number for line in lines] == [row["order_no"] for row in own]
        assert {line.channel_no for line in lines} == {""}
        sight = lists.seen(actor, OrderFilter(town.days, "CNY")).sight
        assert (sight.channels, sight.fees, sight.costs) == (False, True, False)
        other = OrderFilter(town.days, "CNY", merchant_ids=(uuid4(),))
        with pytest.raises(Refusal) as error:
            lists.seen(actor, other)
        assert error.value.code == "record_not_found"
        with pytest.raises(Refusal) as error:
            lists.seen(actor, OrderFilter(town.days, "CNY", channel_nos=("C01",)))
        assert error.value.code == "staff_only"


async def test_a_supplier_sees_what_it_was_sent_and_nothing_of_merchants(town: Town) -> None:
    actor = await town.desk.actor(ADMIN, SUPPLIER_CHAT)
    sent = await town.desk.runtime.system.store.fetch(
        "SELECT * FROM attempt WHERE supplier_no = 'S01' AND sent_at IS NOT NULL"
        " ORDER BY created_at DESC, attempt_no DESC"
    )
    assert len(sent) == 27  # one of them it refused
    lines = await town.all_lines(actor)
    assert [(x.number, x.channel_no, x.standing) for x in lines] == [
        (row["attempt_no"], row["channel_no"], row["state"]) for row in sent
    ]
    known = {row["upstream_no"] or "" for row in sent}
    assert {(x.merchant_no, x.merchant_order_no in known) for x in lines} == {("", True)}
    assert {x.standing for x in await town.all_lines(actor, pay="paid")} == {"paid"}
    assert len(await town.all_lines(actor, channel_nos=("C01",), least_minor=10_010)) == 5
    lists = town.desk.runtime.reports.order_lists
    plain = OrderFilter(town.days, "CNY")
    for wanted, code in (
        (replace(plain, merchant_ids=(town.desk.merchant.id,)), "merchant_not_here"),
        (replace(plain, marks=("completed",)), "filter_not_here"),
        (replace(plain, news="untold"), "filter_not_here"),
    ):
        with pytest.raises(Refusal) as error:
            lists.seen(actor, wanted)
        assert error.value.code == code


async def test_what_the_platform_earns_is_for_who_reads_its_bill(town: Town) -> None:
    lists = town.desk.runtime.reports.order_lists
    everybody = OrderFilter(town.days, "CNY")
    one = OrderFilter(town.days, "CNY", merchant_ids=(town.desk.merchant.id,))
    for user_id, fees in ((ADMIN, True), (OPERATOR, False)):
        actor = await town.desk.actor(user_id, OPS_CHAT)
        whole = lists.seen(actor, everybody).sight
        assert (whole.channels, whole.fees, whole.costs) == (True, fees, fees)
        assert lists.seen(actor, one).sight.fees


async def test_several_merchants_together_are_no_way_to_what_all_of_them_come_to(
    town: Town,
) -> None:
    lists = town.desk.runtime.reports.order_lists
    others = (town.desk.merchant.id, uuid4())
    several = OrderFilter(town.days, "CNY", merchant_ids=others)
    sight = lists.seen(await town.desk.actor(OPERATOR, OPS_CHAT), several).sight
    assert (sight.fees, sight.costs) == (False, False)
    sight = lists.seen(await town.desk.actor(ADMIN, OPS_CHAT), several).sight
    assert (sight.fees, sight.costs) == (True, True)


async def test_what_a_list_is_about_is_kept_for_a_month(town: Town) -> None:
    lists = town.desk.runtime.reports.order_lists
    ids = []
    for kept, _ in FILTERS:
        wanted = OrderFilter(town.days, "CNY", merchant_ids=(town.desk.merchant.id,), **kept)
        ids.append(await lists.keep(wanted))
        assert await lists.kept(ids[-1]) == wanted
    assert await lists.forget_old() == 0
    town.desk.clock.advance(31 * 86_400)
    assert await lists.forget_old() == len(FILTERS)
    with pytest.raises(Refusal) as error:
        await lists.kept(ids[0])
    assert error.value.code == "list_gone"
