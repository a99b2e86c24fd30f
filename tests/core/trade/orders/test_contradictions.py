"""A supplier that contradicts itself: nothing booked, nothing retried, ops told at once."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from uuid import UUID

import pytest

from core.kernel.errors import Contradiction
from core.kernel.money import Money
from core.people.alarms import Alarm
from core.trade.orders import PaymentSeen, Sighting, together
from core.trade.orders.decisions import need_same_payment
from tests.core.support import Desk, alarms, pay_link


async def told(desk: Desk) -> list[Alarm]:
    return [alarm for alarm in await alarms(desk.runtime) if alarm.kind == "contradiction"]


async def sightings(desk: Desk, alarm: Alarm) -> list[Sighting]:
    supplier = await desk.runtime.parties.suppliers.by_no(alarm.facts["supplier_no"])
    return await desk.runtime.trade.contradictions.sightings(
        supplier.id, alarm.facts["upstream_no"]
    )


async def test_another_amount_under_a_number_is_told_side_by_side(desk: Desk) -> None:
    opened = await desk.open()
    await desk.see(opened, 10000, upstream_no="U1")
    balances, before = await desk.balances(), desk.clock.now()
    settled = await desk.see(opened, 9999, upstream_no="U1")
    assert settled.meaning == "contradiction"
    assert settled.order == await desk.order(opened)
    assert await desk.balances() == balances
    (alarm,) = await told(desk)
    assert (alarm.subject, alarm.count) == ("S01 U1", 1)
    assert alarm.first_at - before < timedelta(seconds=60)
    assert (alarm.facts["contradiction"], alarm.facts["paid_minor"]) == ("amount_changed", 9999)
    assert "100.00 CNY" in alarm.facts["said"]

    await desk.see(opened, 9999, upstream_no="U1")
    await desk.see(opened, 5, upstream_no="U1")
    (alarm,) = await told(desk)
    assert alarm.count == 3
    booked, again, other = await sightings(desk, alarm)
    assert (booked.paid.minor, booked.meaning, booked.contradicts) == (10000, "order", False)
    assert (again.paid.minor, again.meaning, again.times) == (9999, "amount_changed", 2)
    assert (other.paid.minor, other.contradicts, other.times) == (5, True, 1)
    assert {s.order_no for s in (booked, again, other)} == {opened.order.order_no}
    await desk.sound()


async def test_one_number_for_two_orders_whoever_they_are_of(desk: Desk, neighbour: Desk) -> None:
    first, second, foreign = await desk.open(), await desk.open(), await neighbour.open()
    await desk.see(first, 10000, upstream_no="U1")
    for where, opened in ((desk, second), (neighbour, foreign)):
        settled = await where.see(opened, 10000, upstream_no="U1")
        assert settled.meaning == "contradiction"
        assert (await where.order(opened)).state == "pending"
        assert (
            await where.see(opened, 10000, upstream_no=f"V{opened.order.order_no}")
        ).meaning == ("order"), "its own number pays it"
    (alarm,) = await told(desk)
    assert (alarm.count, alarm.facts["contradiction"]) == (2, "number_taken")
    found = await sightings(desk, alarm)
    assert [s.order_no for s in found] == [o.order.order_no for o in (first, second, foreign)]
    assert [s.merchant_no for s in found] == ["M1001", "M1001", "M1002"]
    await desk.sound()


async def test_two_orders_that_are_paid_by_one_number_at_once(desk: Desk, neighbour: Desk) -> None:
    """Neither finds the number when it looks: whoever writes it first has it."""
    where = [desk, desk, neighbour, neighbour]
    opened = [await one.open() for one in where]
    settled = await asyncio.gather(
        *(w.see(o, 10000, upstream_no="U1") for w, o in zip(where, opened, strict=True))
    )
    assert sorted(s.meaning for s in settled) == ["contradiction"] * 3 + ["order"]
    (alarm,) = await told(desk)
    assert alarm.count == 3
    assert len(await sightings(desk, alarm)) == 4
    await desk.sound()


async def test_parts_under_one_number_that_add_up_are_shown_together(desk: Desk) -> None:
    opened = await desk.open()
    assert (await desk.see(opened, 6000, upstream_no="U1")).meaning == "short"
    await desk.see(opened, 3000, upstream_no="U1")
    (alarm,) = await told(desk)
    assert together(await sightings(desk, alarm)) is None
    await desk.see(opened, 1000, upstream_no="U1")
    assert together(await sightings(desk, alarm)) == Money(10000, "CNY")
    await desk.sound()


async def test_paid_in_another_currency_is_kept_and_told(desk: Desk) -> None:
    opened = await desk.open()
    assert opened.attempt is not None
    seen = PaymentSeen(
        desk.merchant.id, opened.attempt.attempt_no, "U1", Money(10000, "USD"), "reported",
        "203.0.113.7",
    )  # fmt: skip
    settled = await desk.runtime.trade.payments.settle_payment(seen, request_id="x")
    assert settled.meaning == "contradiction"
    (alarm,) = await told(desk)
    assert alarm.facts["contradiction"] == "other_currency"
    (sighting,) = await sightings(desk, alarm)
    assert (sighting.paid, sighting.address) == (Money(10000, "USD"), "203.0.113.7")
    assert together([sighting]) is None
    await desk.sound()


async def test_what_our_query_finds_is_not_asked_for_again(desk: Desk) -> None:
    """The number that the supplier gave this attempt was said to have paid another order."""
    first, second = await desk.open(), await desk.open()
    assert second.attempt is not None
    (number,) = await desk.supplier.pay(pay_link(second), "lose_callback")
    await desk.see(first, 10000, upstream_no=number)
    standing = await desk.runtime.trade.follow_up.ask(
        desk.merchant.id, second.order.id, request_id="ask"
    )
    assert standing.state == "paid"
    assert (await desk.order(second)).state == "pending"
    (alarm,) = await told(desk)
    assert [s.how for s in await sightings(desk, alarm)] == ["reported", "asked"]
    desk.clock.advance(1200)
    assert await desk.runtime.trade.follow_up.ask_due(10) == 0
    assert await told(desk) == []
    await desk.sound()


async def test_a_callback_that_contradicts_is_done_with(desk: Desk) -> None:
    opened, other = await desk.open(), await desk.open()
    for one in (opened, other):
        assert one.attempt is not None
        answer = await desk.supplier.forge(one.attempt.attempt_no, overrides={"trade_no": "T1"})
        assert (answer["status"], answer["body"].strip()) == (200, "success")
        await desk.runtime.trade.callbacks.act_due(10)
    (alarm,) = await told(desk)
    assert [s.address for s in await sightings(desk, alarm)] == ["::1", "::1"]
    desk.clock.advance(86_400)
    assert await desk.runtime.trade.callbacks.act_due(10) == 0, "no retry can mend it"
    assert (await desk.order(other)).state == "pending"
    await desk.sound()


async def test_a_tests_contradiction_is_kept_and_alarms_nobody(desk: Desk) -> None:
    keys = await desk.runtime.parties.merchants.apps.open(
        desk.merchant, mode="test", name="try", notify_url=None
    )
    desk.app = (await desk.runtime.supply.market.now()).app_by_key(keys.key_id)
    tried = await desk.open()
    assert tried.attempt is not None
    await desk.see(tried, 10000, upstream_no="U1")
    assert (await desk.see(tried, 1, upstream_no="U1")).meaning == "contradiction"
    assert await told(desk) == []
    kept = await desk.runtime.trade.contradictions.sightings(tried.attempt.supplier_id, "U1")
    assert [s.contradicts for s in kept] == [False, True]


def test_the_same_payment_is_the_same_amount_for_the_same_attempt() -> None:
    def seen(attempt_no: str, minor: int, currency: str = "CNY") -> PaymentSeen:
        return PaymentSeen(UUID(int=1), attempt_no, "U1", Money(minor, currency), "asked")

    need_same_payment(seen("A1", 1), seen("A1", 1))
    for other, kind in (
        (seen("A2", 1), "number_taken"),
        (seen("A1", 2), "amount_changed"),
        (seen("A1", 1, "USD"), "amount_changed"),
    ):
        with pytest.raises(Contradiction) as error:
            need_same_payment(seen("A1", 1), other)
        assert error.value.kind == kind
