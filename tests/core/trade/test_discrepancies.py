"""Money of no settled order: the list, and each cent resolved once."""

from __future__ import annotations

import asyncio
from fractions import Fraction
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.accounts.vouchers import Cause
from core.kernel.days import Days
from core.kernel.errors import Refusal
from core.kernel.money import PPM, Rate
from core.people.actors import ANONYMOUS_ADMIN_ID, Actor
from core.system.store import Tx
from core.trade.discrepancies import HOWS, PAGE_SIZE, Discrepancy
from core.trade.discrepancies.decisions import fee_of
from core.trade.hand_questions import MAX_REASON_CHARS
from core.trade.orders import (
    AlarmDiscrepancy,
    ByHand,
    Charge,
    Opened,
    Order,
    charge_of,
    ease_suspense,
    sound_suspense,
)
from tests.core.support import (
    ADMIN,
    CHAT,
    FINANCE,
    NORTHWIND_CHAT,
    OPERATOR,
    OPS_CHAT,
    OWNER,
    SPRUCE_STAFF,
    SUPPORT,
    Desk,
    complete_from,
    completing,
    nothing,
    proven,
    set_setting,
)
from texts.tariffs import parse_tariff


async def held(desk: Desk, minor: int) -> tuple[Opened, Discrepancy]:
    """An order of 100.00 for which a supplier saw another amount."""
    opened = await desk.open(notify_url="http://127.0.0.1:9/notify")
    await desk.see(opened, minor)
    return opened, (await desk.runtime.trade.discrepancies.open_ones([desk.merchant.id])).items[-1]


async def resolve(desk: Desk, item: Discrepancy, how: str, **changes: Any) -> Order:
    values: dict[str, Any] = {
        "user_id": FINANCE, "chat_id": OPS_CHAT, "left_minor": item.left_minor, "reason": "seen",
        "merchant_id": item.merchant_id, "id": item.id,
    } | changes  # fmt: skip
    actor = await desk.actor(values["user_id"], values["chat_id"])
    if how == "complete":
        return await complete_from(desk.runtime, item, actor, values["reason"].strip())
    return await desk.runtime.trade.discrepancies.resolve(
        actor,
        values["merchant_id"], values["id"], how, values["reason"],
        left_minor=values["left_minor"],
    )  # fmt: skip


async def give(desk: Desk, actor: Actor, asked: UUID, reason: str) -> None:
    """Reply to the question with a reason."""
    await desk.runtime.trade.discrepancies.give_reason(
        actor, asked, reason, message_id=3, reply_id=4, request_id="g"
    )


async def confirm(desk: Desk, actor: Actor, asked: UUID) -> None:
    """Press yes under the question, and prove it in private."""
    if await desk.runtime.trade.discrepancies.accept(actor, asked, message_id=3):
        await proven(desk.runtime, actor, asked)


async def decide(desk: Desk, actor: Actor, asked: UUID, *, yes: bool = True) -> None:
    """Press a button of the card in the ops group; of one's own question, without a proof."""
    await desk.runtime.people.approvals.decide(actor, asked, yes=yes)


async def code(call: Any) -> str:
    with pytest.raises(Refusal) as error:
        await call
    return error.value.code


async def count(desk: Desk, table: str) -> int:
    return int(await desk.runtime.system.store.fetchval(f"SELECT count(*) FROM {table}"))


async def test_the_list_is_paged_oldest_first_and_only_of_whom_one_may_see(
    desk: Desk, neighbour: Desk
) -> None:
    lists = desk.runtime.trade.discrepancies
    empty = await lists.open_ones(None)
    assert (empty.items, empty.number, empty.pages, empty.total) == ((), 1, 1, 0)
    for minor in range(1, PAGE_SIZE + 2):
        await held(desk, minor)
    opened, theirs = await held(neighbour, 10100)
    first, second = await lists.open_ones(None), await lists.open_ones(None, 2)
    assert [i.seen_minor for i in first.items] == list(range(1, PAGE_SIZE + 1))
    assert [i.seen_minor for i in second.items] == [PAGE_SIZE + 1, 10100]
    assert (second.number, second.pages, second.total) == (2, 2, PAGE_SIZE + 2)
    assert (await lists.open_ones(None, 99)).items == second.items
    assert (await lists.open_ones([neighbour.merchant.id])).items == (theirs,)
    assert (await lists.open_ones([])).total == 0
    assert (theirs.merchant_no, theirs.order_no) == ("M1002", opened.order.order_no)
    assert (theirs.kind, theirs.asked_minor, theirs.left_minor) == ("over", 10000, 10100)
    assert theirs.ways == HOWS
    assert await code(lists.get([desk.merchant.id], theirs.id)) == "record_not_found"
    assert await code(lists.get(None, UUID(int=7))) == "record_not_found"


@pytest.mark.parametrize(
    ("minor", "how", "kind", "expected"),
    [
        (9900, "refund_payer", "payer_refunded", {"due/S01": 64, "cost/S01": -64}),
        (10100, "refund_payer", "payer_refunded", {"due/S01": 66, "cost/S01": -66}),
        (9900, "credit_merchant", "credited",
         {"due/S01": -9836, "cost/S01": -64, "fees": 119, "payable": 9781}),
        (9900, "complete", "completed",
         {"due/S01": -9836, "cost/S01": -64, "fees": 120, "payable": 9880, "shortfall": -100}),
        (10100, "complete", "completed",
         {"due/S01": -10034, "cost/S01": -66, "fees": 120, "payable": 9880, "suspense/S01": 100}),
    ],
)  # fmt: skip
async def test_each_way_books_what_the_table_says(
    desk: Desk, minor: int, how: str, kind: str, expected: dict[str, int]
) -> None:
    opened, item = await held(desk, minor)
    order = await resolve(desk, item, how, reason=" why not ")
    assert await desk.balances() == expected
    assert order.state == ("paid" if how == "complete" else "pending")
    rows = await desk.runtime.system.store.fetch(
        "SELECT DISTINCT kind, product_code, channel_no FROM ledger_entry WHERE kind = $1", kind
    )
    assert [tuple(r) for r in rows] == [(kind, "alipay_qr", "C01")]
    left = 100 if (how, minor) == ("complete", 10100) else 0
    now, resolved = await desk.runtime.trade.discrepancies.get(None, item.id)
    assert now.left_minor == left
    assert now.ways == (("refund_payer", "credit_merchant") if left else ())
    used = min(minor, 10000) if how == "complete" else minor
    assert [(r.how, r.minor, r.reason) for r in resolved] == [(how, used, "why not")]
    assert await desk.runtime.trade.discrepancies.history(None, 7) == resolved
    assert await desk.runtime.trade.discrepancies.history([], 7) == []
    trail = await desk.runtime.system.store.fetch("SELECT action, actor FROM audit")
    decided = [("resolve", f"telegram:{FINANCE}")] if how != "complete" else []
    assert [tuple(row) for row in trail] == decided
    told = await desk.runtime.system.store.fetch("SELECT type, facts FROM notification")
    if how == "complete":
        assert [(t["type"], t["facts"]["manually_completed"]) for t in told] == [
            ("order.paid", True)
        ]
        reason = await desk.runtime.system.store.fetchval("SELECT reason FROM completion")
        assert reason == "why not"
    else:
        assert told == []
        assert await code(resolve(desk, item, how)) == "already_resolved"
    assert (await desk.order(opened)).state == order.state
    await desk.sound()


async def reverse(desk: Desk, order: Order) -> Order:
    return await completing(desk.runtime).reverse(
        order.merchant_id, order.id, order.version, ByHand("wrong", ADMIN, "Li", OPS_CHAT),
        asked_by=FINANCE, request_id="r", also=nothing,
    )  # fmt: skip


async def test_a_completion_uses_what_is_left_however_often_it_is_reversed(desk: Desk) -> None:
    """The rest was refunded meanwhile: what came back to suspense still pays the order, once."""
    opened, item = await held(desk, 10100)
    order = await resolve(desk, item, "complete")
    rest, _ = await desk.runtime.trade.discrepancies.get(None, item.id)
    await resolve(desk, rest, "refund_payer")
    paid = await desk.balances()
    assert paid == {"due/S01": -9934, "cost/S01": -66, "fees": 120, "payable": 9880}
    order = await reverse(desk, await desk.order(opened))
    back, _ = await desk.runtime.trade.discrepancies.get(None, item.id)
    assert (back.left_minor, back.ways) == (10000, HOWS)
    assert await desk.balances() == {"due/S01": -9934, "cost/S01": -66, "suspense/S01": 10000}
    await resolve(desk, back, "complete")
    assert await desk.balances() == paid
    order = await reverse(desk, await desk.order(opened))
    await completing(desk.runtime).complete(
        order.merchant_id, order.id, None, ByHand("by number", ADMIN, "Li", OPS_CHAT),
        request_id="r", also=nothing,
    )  # fmt: skip
    assert await desk.balances() == paid
    assert (await desk.order(opened)).cost_minor == 66
    await desk.sound()


async def alarm_of(desk: Desk) -> tuple[str, int, int]:
    """The merchant's newest alarm of money in suspense: its state, how many, how much."""
    alarm = (await desk.alarms(AlarmDiscrepancy))[-1]
    said = alarm.trouble(AlarmDiscrepancy)
    return alarm.state, said.count, sum(money.minor for money in said.left)


async def test_the_alarm_says_what_is_open_and_stands_again_when_money_comes_back(
    desk: Desk,
) -> None:
    opened, item = await held(desk, 9900)
    _, other = await held(desk, 5000)
    assert await alarm_of(desk) == ("standing", 2, 14900)
    await resolve(desk, other, "refund_payer")
    assert await alarm_of(desk) == ("standing", 1, 9900)
    await resolve(desk, item, "complete")
    assert (await alarm_of(desk))[0] == "over"
    await reverse(desk, await desk.order(opened))
    assert await alarm_of(desk) == ("standing", 1, 9900)
    await desk.sound()


async def test_an_alarm_that_eases_waits_for_who_sounds_it_at_that_moment(desk: Desk) -> None:
    """What was sounded but is not committed yet must not be ended."""
    _, item = await held(desk, 9900)
    await resolve(desk, item, "refund_payer")
    store, every = desk.runtime.system.store, desk.runtime.people.alarms
    sounded, asked = asyncio.Event(), asyncio.Event()

    async def sound_more() -> None:
        async with store.transaction() as tx:
            await tx.execute("UPDATE discrepancy SET left_minor = 1 WHERE id = $1", item.id)
            await sound_suspense(tx, every, item.merchant_id)
            sounded.set()
            await asked.wait()

    async def ease() -> None:
        await sounded.wait()
        async with store.transaction() as tx:
            asked.set()
            await ease_suspense(tx, every, item.merchant_id)

    await asyncio.gather(sound_more(), ease())
    assert await alarm_of(desk) == ("standing", 1, 1)


async def test_money_that_came_while_the_order_stood_completed_pays_it_afterwards(
    desk: Desk,
) -> None:
    """What it was called when it was seen does not matter once the completion is reversed."""
    opened, _ = await held(desk, 100)
    by = ByHand("by number", ADMIN, "Li", OPS_CHAT)
    await completing(desk.runtime).complete(
        desk.merchant.id, opened.order.id, None, by, request_id="r", also=nothing
    )
    assert (await desk.balances())["shortfall"] == -9900
    assert (await desk.see(opened, 10000, upstream_no="U2")).meaning == "duplicate"
    await reverse(desk, await desk.order(opened))
    first, second = (await desk.runtime.trade.discrepancies.open_ones([desk.merchant.id])).items
    assert (first.ways, second.ways) == (HOWS, HOWS)
    await completing(desk.runtime).complete(
        desk.merchant.id, opened.order.id, None, by, request_id="r", also=nothing
    )
    assert await desk.balances() == {
        "due/S01": -10034, "cost/S01": -66, "fees": 120, "payable": 9880, "suspense/S01": 100
    }  # fmt: skip
    (left,) = (await desk.runtime.trade.discrepancies.open_ones([desk.merchant.id])).items
    assert (left.id, left.ways) == (first.id, ("refund_payer", "credit_merchant"))
    await desk.sound()


async def test_two_payments_of_a_part_complete_an_order_together(desk: Desk) -> None:
    opened, _ = await held(desk, 6000)
    await desk.see(opened, 4000, upstream_no="U2")
    await completing(desk.runtime).complete(
        desk.merchant.id, opened.order.id, None, ByHand("both", ADMIN, "Li", OPS_CHAT),
        request_id="r", also=nothing,
    )  # fmt: skip
    assert await desk.balances() == {
        "due/S01": -9935, "cost/S01": -65, "fees": 120, "payable": 9880
    }  # fmt: skip
    assert (await desk.runtime.trade.discrepancies.open_ones(None)).total == 0
    assert await count(desk, "resolution") == 2
    await desk.sound()
    await reverse(desk, await desk.order(opened))
    assert [
        d.left_minor for d in (await desk.runtime.trade.discrepancies.open_ones(None)).items
    ] == [6000, 4000]
    await desk.sound()


@given(
    st.builds(
        lambda ppm, fixed, least, more: Rate(ppm, fixed, least, more and least + more),
        st.integers(0, PPM), st.integers(0, 500), st.integers(0, 500),
        st.one_of(st.none(), st.integers(1, 500)),
    ),
    st.integers(1, 10**9),
)  # fmt: skip
def test_what_is_credited_is_charged_the_percentage_alone(rate: Rate, left_minor: int) -> None:
    fee = fee_of(rate, left_minor)
    exact = Fraction(left_minor * rate.ppm, PPM)
    assert 0 <= fee <= left_minor
    assert abs(fee - exact) <= Fraction(1, 2) or fee == rate.max_minor


@pytest.mark.parametrize(
    ("text", "seen_minor", "fee"),
    [("1% min 1", 10100, 1), ("1.2% + 0.10", 10100, 1), ("1% max 0.50", 30000, 50)],
)
async def test_a_surplus_is_the_merchants_less_the_percentage(
    desk: Desk, text: str, seen_minor: int, fee: int
) -> None:
    tariff = parse_tariff(text, "CNY")
    await desk.runtime.parties.merchants.offers.set_tariff(
        desk.merchant, "alipay_qr", tariff, actor="test"
    )
    opened, item = await held(desk, seen_minor)
    await resolve(desk, item, "complete")
    before = await desk.balances()
    rest, _ = await desk.runtime.trade.discrepancies.get(None, item.id)
    await resolve(desk, rest, "credit_merchant")
    after = await desk.balances()
    surplus = seen_minor - 10000
    assert after["fees"] - before["fees"] == fee
    assert after["payable"] - before["payable"] == surplus - fee
    assert (await desk.order(opened)).agreed.fee_minor == before["fees"]
    await desk.sound()


async def rerate(desk: Desk, text: str, message_id: int) -> None:
    reratings = desk.runtime.accounts.reratings
    days = Days.one(await desk.runtime.reports.bills.open_day(desk.merchant.id))
    tariff = parse_tariff(text, "CNY")
    view = await reratings.preview(desk.merchant, "alipay_qr", days, tariff)
    await reratings.apply(
        await desk.actor(ADMIN), desk.merchant, "alipay_qr", days, tariff, view.seen,
        Cause(CHAT, message_id, 0),
    )  # fmt: skip


async def test_what_is_credited_after_a_rerating_is_charged_the_rate_that_counts(
    desk: Desk,
) -> None:
    """Also where the order's own fee stayed as it was: its least, before and after."""
    desk.clock.go_to_noon()
    tariff = parse_tariff("2% min 3", "CNY")
    await desk.runtime.parties.merchants.offers.set_tariff(
        desk.merchant, "alipay_qr", tariff, actor="test"
    )
    await set_setting(desk.runtime, "below_cost_second", value=False)
    larger = await desk.open(50_000)
    await desk.see(larger, 50_000)
    opened, item = await held(desk, 20_000)
    await resolve(desk, item, "complete")
    await rerate(desk, "1% min 3", 1)
    finance = await desk.actor(FINANCE, OPS_CHAT)
    discrepancies = desk.runtime.trade.discrepancies
    await discrepancies.ask(finance, item.id, "credit_merchant", message_id=3)
    asked = await newest(desk)
    await give(desk, finance, asked, "theirs")
    questions = [s for s in await desk.said(OPS_CHAT) if s.screen == "resolve_question"]
    assert questions[-1].facts["question"]["fee_minor"] == 100
    # What the person saw is no longer so: nothing is done until they saw what it is now.
    await rerate(desk, "0.5% min 3", 2)
    assert await code(confirm(desk, finance, asked)) == "discrepancy_changed"
    before = await desk.balances()
    rest, _ = await discrepancies.get(None, item.id)
    await resolve(desk, rest, "credit_merchant")
    after = await desk.balances()
    assert after["fees"] - before["fees"] == 50
    assert after["payable"] - before["payable"] == 9950
    assert (await charge_of(desk.runtime.system.store, opened.order)).fee_minor == 300
    await desk.sound()


async def test_a_reversed_completion_is_charged_its_first_rate_again(desk: Desk) -> None:
    desk.clock.go_to_noon()
    tariff = parse_tariff("2% min 3", "CNY")
    await desk.runtime.parties.merchants.offers.set_tariff(
        desk.merchant, "alipay_qr", tariff, actor="test"
    )
    larger = await desk.open(50_000)
    await desk.see(larger, 50_000)
    opened, item = await held(desk, 20_000)
    order = await resolve(desk, item, "complete")
    await rerate(desk, "1% min 3", 1)
    order = await reverse(desk, await desk.order(opened))
    assert await charge_of(desk.runtime.system.store, order) == Charge(300, Rate(20_000, 0, 300))
    back, _ = await desk.runtime.trade.discrepancies.get(None, item.id)
    before = await desk.balances()
    await resolve(desk, back, "credit_merchant")
    assert (await desk.balances())["fees"] - before["fees"] == 400
    await desk.sound()


async def test_two_people_at_once_resolve_each_cent_once(desk: Desk) -> None:
    for hows in (["refund_payer", "credit_merchant"] * 3, ["complete", "refund_payer"] * 2):
        before = await count(desk, "resolution")
        _, item = await held(desk, 9900)
        results = await asyncio.gather(
            *(
                resolve(desk, item, how, user_id=(FINANCE, ADMIN)[i % 2])
                for i, how in enumerate(hows)
            ),
            return_exceptions=True,
        )
        done = [r for r in results if isinstance(r, Order)]
        assert len(done) == 1, results
        codes = {r.code for r in results if isinstance(r, Refusal)}
        assert codes <= {"already_resolved", "order_state"}
        assert await count(desk, "resolution") == before + 1
        assert (await desk.balances()).get("suspense/S01", 0) == 0
        await desk.sound()


async def test_what_is_refused_writes_nothing(desk: Desk) -> None:
    opened, item = await held(desk, 10100)
    for changes, expected in (
        ({"user_id": OPERATOR}, "not_permitted"),
        ({"user_id": SUPPORT}, "not_permitted"),
        ({"user_id": SPRUCE_STAFF, "chat_id": CHAT}, "not_permitted"),
        ({"user_id": ANONYMOUS_ADMIN_ID}, "anonymous_admin"),
        ({"chat_id": NORTHWIND_CHAT}, "record_not_found"),
        ({"id": UUID(int=9)}, "record_not_found"),
        ({"merchant_id": UUID(int=9)}, "record_not_found"),
        ({"reason": " "}, "reason_missing"),
        ({"left_minor": 5}, "discrepancy_changed"),
    ):
        assert await code(resolve(desk, item, "refund_payer", **changes)) == expected
    assert await code(resolve(desk, item, "keep_it")) == "field_invalid"
    assert await count(desk, "resolution") == 0

    async def crash(tx: Tx) -> None:
        raise ConnectionError("the process dies here")

    for how in ("refund_payer", "credit_merchant"):
        with pytest.raises(ConnectionError):
            await desk.runtime.trade.discrepancies.resolve(
                await desk.actor(FINANCE, OPS_CHAT), item.merchant_id, item.id, how, "x",
                left_minor=item.left_minor, also=crash,
            )  # fmt: skip
    assert await count(desk, "resolution") + await count(desk, "audit") == 0
    await desk.see(opened, 10000, upstream_no="U2")  # paid: it cannot be completed any more
    again, _ = await desk.runtime.trade.discrepancies.get(None, item.id)
    assert again.ways == ("refund_payer", "credit_merchant")
    assert await code(resolve(desk, item, "complete")) == "order_state"
    await resolve(desk, item, "refund_payer", chat_id=CHAT)  # finance may in the merchant's group
    await desk.sound()


async def test_a_duplicate_cannot_complete_anything(desk: Desk) -> None:
    opened = await desk.open()
    await desk.see(opened, 10000, upstream_no="U1")
    await desk.see(opened, 10000, upstream_no="U2")
    (item,) = (await desk.runtime.trade.discrepancies.open_ones(None)).items
    assert (item.kind, item.ways) == ("duplicate", ("refund_payer", "credit_merchant"))
    assert await code(resolve(desk, item, "complete")) == "order_state"


async def newest(desk: Desk) -> UUID:
    found: UUID = await desk.runtime.system.store.fetchval(
        "SELECT id FROM approval WHERE kind = 'resolve' ORDER BY created_at DESC LIMIT 1"
    )
    return found


async def test_a_button_is_asked_about_and_answered_once(desk: Desk) -> None:
    _, item = await held(desk, 9900)
    discrepancies = desk.runtime.trade.discrepancies
    finance, admin = await desk.actor(FINANCE, OPS_CHAT), await desk.actor(ADMIN, OPS_CHAT)
    await discrepancies.ask(finance, item.id, "credit_merchant", message_id=3)
    asked = await newest(desk)
    assert await code(confirm(desk, finance, asked)) == "reason_missing"
    assert await code(give(desk, admin, asked, "his")) == "confirmation_foreign"
    assert await code(give(desk, finance, asked, "  ")) == "reason_missing"
    for reason in ("a slip", " the payer wants it so " + "x" * MAX_REASON_CHARS):
        await give(desk, finance, asked, reason)
    assert await code(confirm(desk, admin, asked)) == "confirmation_foreign"
    elsewhere = await desk.actor(FINANCE, CHAT)
    assert await code(confirm(desk, elsewhere, asked)) == "confirmation_expired"
    assert await code(decide(desk, finance, asked)) == "factor_needed"
    results = await asyncio.gather(
        *(confirm(desk, finance, asked) for _ in range(3)), return_exceptions=True
    )
    assert None in results
    codes = {r.code for r in results if isinstance(r, Refusal)}
    assert codes <= {"already_resolved", "confirmation_expired"}
    await confirm(desk, finance, asked)  # pressed again
    assert await count(desk, "resolution") == 1
    assert (await desk.balances())["payable"] == 9781
    reason = await desk.runtime.system.store.fetchval("SELECT reason FROM resolution")
    assert reason == ("the payer wants it so " + "x" * MAX_REASON_CHARS)[:MAX_REASON_CHARS]
    trail = await desk.runtime.system.store.fetchval(
        "SELECT facts FROM audit WHERE action = 'resolve'"
    )
    assert trail["reason"] == reason
    assert await code(give(desk, finance, asked, "late")) == "confirmation_expired"
    assert (
        await code(discrepancies.ask(finance, item.id, "refund_payer", message_id=3))
        == "already_resolved"
    )
    await desk.sound()


async def test_a_changed_late_or_dropped_question_does_nothing(desk: Desk) -> None:
    _, item = await held(desk, 10100)
    discrepancies = desk.runtime.trade.discrepancies
    finance = await desk.actor(FINANCE, OPS_CHAT)

    async def ask() -> UUID:
        await discrepancies.ask(finance, item.id, "refund_payer", message_id=3)
        await give(desk, finance, await newest(desk), "so")
        return await newest(desk)

    late = await ask()
    desk.clock.advance(15 * 60)
    assert await code(confirm(desk, finance, late)) == "confirmation_expired"
    dropped = await ask()
    for _ in range(2):
        await discrepancies.drop(finance, dropped, message_id=3)
    assert await code(confirm(desk, finance, dropped)) == "confirmation_expired"
    changed = await ask()
    await resolve(desk, item, "complete", user_id=ADMIN)  # 100 of it are left
    assert await code(confirm(desk, finance, changed)) == "discrepancy_changed"
    assert await count(desk, "resolution") == 1
    await desk.sound()


async def test_test_orders_are_listed_apart_and_alarm_nobody(desk: Desk) -> None:
    keys = await desk.runtime.parties.merchants.apps.open(
        desk.merchant, mode="test", name="try", notify_url=None
    )
    live = desk.app
    desk.app = (await desk.runtime.supply.market.now()).app_by_key(keys.key_id)
    tried = await desk.open()
    await desk.see(tried, 9900)
    assert await desk.alarms(AlarmDiscrepancy) == []
    lists = desk.runtime.trade.discrepancies
    assert (await lists.open_ones(None)).total == 0
    (item,) = (await lists.open_ones(None, mode="test")).items
    assert (item.order_no, item.mode) == (tried.order.order_no, "test")
    desk.app = live
    opened, of_live = await held(desk, 9900)
    assert [alarm.state for alarm in await desk.alarms(AlarmDiscrepancy)] == ["standing"]
    assert (await lists.open_ones(None)).items == (of_live,)
    await desk.sound()
    await resolve(desk, item, "refund_payer")
    assert await lists.history(None, 7) == []
    assert [r.order_no for r in await lists.history(None, 7, mode="test")] == [item.order_no]
    assert (await desk.balances("test")).get("suspense/S01", 0) == 0
    await desk.runtime.system.store.execute("UPDATE discrepancy SET mode = 'test'")
    found = {d.what for d in (await desk.runtime.reports.verify.whole()).differences}
    assert "suspense holds what is open" in found
    assert (await desk.order(opened)).mode == "live"


async def test_a_group_that_is_bound_to_another_merchant_meanwhile_decides_nothing(
    desk: Desk, neighbour: Desk
) -> None:
    _, item = await held(desk, 9900)
    discrepancies = desk.runtime.trade.discrepancies
    await discrepancies.ask(await desk.actor(FINANCE), item.id, "refund_payer", message_id=3)
    asked = await newest(desk)
    async with desk.runtime.system.store.transaction() as tx:
        await desk.runtime.people.groups.unbind(tx, CHAT)
        await desk.runtime.people.groups.bind_merchant(tx, CHAT, neighbour.merchant.id)
    finance = await desk.actor(FINANCE)
    for answer in (
        give(desk, finance, asked, "so"),
        confirm(desk, finance, asked),
        discrepancies.drop(finance, asked, message_id=3),
    ):
        assert await code(answer) == "confirmation_expired"
    assert await count(desk, "resolution") == 0


# ── two people ──


async def screens(desk: Desk) -> set[str]:
    """What the ops group was shown."""
    return {say.screen for say in await desk.said(OPS_CHAT)}


async def card(desk: Desk) -> UUID:
    """The newest question of a second person."""
    found: UUID = await desk.runtime.system.store.fetchval(
        "SELECT id FROM approval WHERE on_card ORDER BY created_at DESC, id DESC LIMIT 1"
    )
    return found


@pytest.mark.parametrize("how", ["refund_payer", "credit_merchant"])
async def test_above_the_threshold_a_second_person_decides(desk: Desk, how: str) -> None:
    await set_setting(desk.runtime, "resolve_second", 98)
    _, item = await held(desk, 9900)
    finance, admin = await desk.actor(FINANCE, OPS_CHAT), await desk.actor(ADMIN, OPS_CHAT)
    assert await code(resolve(desk, item, how)) == "second_person_needed"
    await desk.runtime.trade.discrepancies.ask(finance, item.id, how, message_id=3)
    asked = await newest(desk)
    await give(desk, finance, asked, "asked them")
    await confirm(desk, finance, asked)
    assert await count(desk, "resolution") == 0, "by one person alone"
    assert "resolve_waits" in await screens(desk)
    second = await card(desk)
    assert await code(decide(desk, finance, second)) == "second_person_needed"
    support = await desk.actor(SUPPORT, OPS_CHAT)
    assert await code(decide(desk, support, second)) == "not_permitted"
    await decide(desk, admin, second)
    await decide(desk, admin, second)  # a second press
    assert await count(desk, "resolution") == 1
    (done,) = [say for say in await desk.said(OPS_CHAT) if say.screen == "resolved"]
    assert done.facts["approved_by"] == admin.name
    assert done.facts["question"]["actor_name"] == finance.name
    facts = await desk.runtime.system.store.fetchval(
        "SELECT facts FROM audit WHERE action = 'resolve'"
    )
    assert facts["approved_by"] == f"telegram:{ADMIN}"
    await desk.sound()


async def test_what_an_order_has_in_suspense_counts_together(desk: Desk) -> None:
    await set_setting(desk.runtime, "resolve_second", 100)
    opened, first = await held(desk, 6000)
    await desk.see(opened, 4001, upstream_no="U2")
    await resolve(desk, first, "refund_payer")
    (second,) = (await desk.runtime.trade.discrepancies.open_ones(None)).items
    assert await code(resolve(desk, second, "refund_payer")) == "second_person_needed"
    assert await code(resolve(desk, second, "credit_merchant")) == "second_person_needed"


async def test_a_second_person_says_no_or_comes_too_late(desk: Desk) -> None:
    await set_setting(desk.runtime, "resolve_second", 1)
    finance, admin = await desk.actor(FINANCE, OPS_CHAT), await desk.actor(ADMIN, OPS_CHAT)
    _, item = await held(desk, 9900)

    async def wait() -> UUID:
        await desk.runtime.trade.discrepancies.ask(finance, item.id, "refund_payer", message_id=3)
        asked = await newest(desk)
        await give(desk, finance, asked, "so")
        await confirm(desk, finance, asked)
        return await card(desk)

    await decide(desk, admin, await wait(), yes=False)
    assert "discrepancy" in await screens(desk)
    late, twice = await wait(), await wait()
    await decide(desk, admin, twice)
    assert await code(decide(desk, admin, late)) == "already_resolved"
    (resolution,) = await desk.runtime.trade.discrepancies.history(None, 7)
    assert resolution.approved_by_name == admin.name
    assert await count(desk, "resolution") == 1
    await desk.sound()


async def test_an_order_is_completed_by_who_may_complete_and_proves_it(desk: Desk) -> None:
    """A cent was paid for an order of 100.00: what it lacks is the desk's."""
    await set_setting(desk.runtime, "complete_second", 99)
    opened, item = await held(desk, 1)
    finance = await desk.actor(FINANCE, OPS_CHAT)
    discrepancies = desk.runtime.trade.discrepancies
    assert await code(discrepancies.ask(finance, item.id, "complete", message_id=3)) == (
        "not_permitted"
    )
    admin, owner = await desk.actor(ADMIN, OPS_CHAT), await desk.actor(OWNER, OPS_CHAT)
    await discrepancies.ask(admin, item.id, "complete", message_id=3)
    await give(desk, admin, await newest(desk), "the payer is known")
    assert {"complete_question", "discrepancy"} <= await screens(desk)
    asked: UUID = await desk.runtime.system.store.fetchval(
        "SELECT id FROM approval WHERE kind = 'complete'"
    )
    await desk.runtime.trade.completions.accept(admin, asked, message_id=5)
    assert await code(decide(desk, admin, asked)) == "factor_needed"
    await proven(desk.runtime, admin, asked)
    assert (await desk.order(opened)).state == "pending", "by one person alone"
    assert await code(decide(desk, admin, await card(desk))) == "second_person_needed"
    assert await code(decide(desk, finance, await card(desk))) == "not_permitted"
    await decide(desk, owner, await card(desk))
    assert (await desk.order(opened)).state == "paid"
    assert (await desk.balances())["shortfall"] == -9999
    await desk.sound()


async def test_a_completion_from_suspense_is_of_the_days_cap(desk: Desk) -> None:
    await set_setting(desk.runtime, "complete_daily", 99)
    _, item = await held(desk, 1)
    admin = await desk.actor(ADMIN, OPS_CHAT)
    await desk.runtime.trade.discrepancies.ask(admin, item.id, "complete", message_id=3)
    assert await code(give(desk, admin, await newest(desk), "known")) == "daily_cap"


async def test_a_day_of_resolutions_has_a_cap(desk: Desk) -> None:
    await set_setting(desk.runtime, "resolve_daily", 100)
    for minor, expected in ((9000, ""), (1001, "daily_cap")):
        _, item = await held(desk, minor)
        if expected:
            assert await code(resolve(desk, item, "refund_payer")) == expected
        else:
            await resolve(desk, item, "refund_payer")
