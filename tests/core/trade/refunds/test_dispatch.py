"""Refunds at a real supplier: it answers, refuses, is silent, or breaks; money moves once."""

from __future__ import annotations

import asyncio
import json
from collections import Counter
from collections.abc import AsyncIterator
from random import Random
from typing import Any
from uuid import UUID

import pytest

from core.kernel.errors import Refusal
from core.kernel.ids import read_number
from core.kernel.money import Money
from core.trade.orders import find_meant, get_order
from core.trade.refunds import AlarmRefund, Refund
from core.trade.refunds.answers import ASKED_RELEASED, MAX_SENDS
from core.trade.refunds.dispatch import LEASE
from core.trade.refunds.rows import get_refund
from tests.core.support import Desk, Receiver, wanted
from tests.core.trade.refunds.giver import PRODUCT, Giver, document, sell_through
from tests.sizes import size

LEASE_S = LEASE.total_seconds()
PAID = {"cost/S88": -65, "due/S88": -9935, "fees": 120, "payable": 9880}
BACK = {"cost/S88": -65, "due/S88": -4935, "fees": 60, "payable": 4940}
UNDER_WAY = PAID | {"fees": 60, "payable": 4940, "reserved": 5000}


@pytest.fixture
async def giver() -> AsyncIterator[Giver]:
    async with Giver().running() as running:
        yield running


async def reserved(desk: Desk, refund_no: str = "R1", **changes: Any) -> Refund:
    """Half of an order of 100.00 that was paid."""
    opened = await desk.open(product=PRODUCT, **changes)
    await desk.see(opened, 10000)
    return await reserve(desk, opened.order.id, refund_no)


async def reserve(desk: Desk, order_id: UUID, refund_no: str, minor: int = 5000) -> Refund:
    return await desk.runtime.trade.refunds.reserve(
        desk.app, desk.merchant.id, order_id, refund_no, Money(minor, "CNY"),
        fee_returned=True,
    )  # fmt: skip


async def begin(desk: Desk, refund: Refund) -> Refund:
    return await desk.runtime.trade.refund_dispatch.begin(desk.merchant.id, refund.id)


async def follow(desk: Desk, refund: Refund, seconds: float) -> Refund:
    """What the timetable makes of it after so long."""
    desk.clock.advance(seconds)
    await desk.runtime.trade.refund_dispatch.follow_due(10)
    return await look(desk, refund)


async def look(desk: Desk, refund: Refund) -> Refund:
    return await get_refund(desk.runtime.system.store, desk.merchant.id, refund.id)


async def moves(desk: Desk, refund: Refund) -> list[str]:
    found = await desk.runtime.system.store.fetch(
        "SELECT move FROM refund_history WHERE refund_id = $1 ORDER BY id", refund.id
    )
    return [row["move"] for row in found]


async def news(desk: Desk) -> list[tuple[str, dict[str, Any]]]:
    found = await desk.runtime.system.store.fetch(
        "SELECT type, facts FROM notification WHERE type LIKE 'refund%' ORDER BY created_at"
    )
    return [(row["type"], row["facts"]) for row in found]


async def test_a_refund_that_succeeds_at_once(desk: Desk, giver: Giver) -> None:
    await sell_through(desk, giver, document())
    giver.answers("DONE")
    refund = await reserved(desk, notify_url="http://127.0.0.1:9/n")
    assert (refund.state, await desk.balances()) == ("created", UNDER_WAY)
    done = await begin(desk, refund)
    assert (done.state, done.upstream_refund_no) == ("succeeded", f"G{refund.sent_no}")
    assert giver.fields[0]["refund_amount"] == "50.00"
    assert giver.fields[0]["no"] == refund.attempt_no
    assert giver.given == {refund.sent_no: 1}
    assert await desk.balances() == BACK
    assert await moves(desk, refund) == ["create", "send", "settle"]
    ((name, told),) = await news(desk)
    assert name == "refund.succeeded"
    assert told | {"created_at": "", "ended_at": "", "metadata": {}} == {
        "refund_no": "R1", "order_no": refund.order_no, "status": "succeeded", "amount": 5000,
        "currency": "CNY", "fee_back": 60, "order_status": "partially_refunded",
        "merchant_order_no": told["merchant_order_no"],
        "created_at": "", "ended_at": "", "metadata": {}, "mode": "live",
    }  # fmt: skip
    await desk.runtime.system.store.settle()
    calls = await desk.runtime.parties.calls.of_attempt(desk.merchant.id, refund.attempt_no)
    assert [(c.operation, c.refund_no) for c in calls] == [("create", ""), ("refund", "R1")]
    assert (await begin(desk, refund)).state == "succeeded"
    await follow(desk, refund, 100_000)
    assert giver.heard == ["refund"]
    number = read_number(refund.sent_no)
    assert number is not None
    assert (number.what, number.mode) == ("refund", "live")
    found = await find_meant(desk.runtime.system.store, await desk.actor(), [refund.sent_no])
    (key,) = found[refund.sent_no]
    assert (await get_order(desk.runtime.system.store, *key)).order_no == refund.order_no
    assert await desk.alarms(AlarmRefund) == []
    await desk.sound()


async def test_a_refund_that_the_supplier_works_on_is_asked_about(desk: Desk, giver: Giver) -> None:
    await sell_through(desk, giver, document())
    giver.answers("BUSY", query=("4004", "500", "BUSY", "DONE"))
    refund = await begin(desk, await reserved(desk))
    assert refund.state == "accepted"
    assert (await follow(desk, refund, 5)).asked == 0  # not due yet
    for asked, seconds in ((1, 11), (2, 21), (3, 41)):
        refund = await follow(desk, refund, seconds)
        assert (refund.state, refund.asked) == ("accepted", asked)
        assert await desk.balances() == UNDER_WAY
    refund = await follow(desk, refund, 81)
    assert refund.state == "succeeded"
    assert await desk.balances() == BACK
    assert giver.heard == ["refund", *["refund_query"] * 4]
    await desk.sound()


@pytest.mark.parametrize("said", ["4001", "FAILED"])
async def test_a_clear_no_releases(desk: Desk, giver: Giver, said: str) -> None:
    await sell_through(desk, giver, document())
    giver.answers(said)
    refund = await begin(desk, await reserved(desk, notify_url="http://127.0.0.1:9/n"))
    assert refund.state == "failed"
    assert ("4001" in refund.why) == (said == "4001")
    assert refund.why
    assert await desk.balances() == PAID
    assert [name for name, _ in await news(desk)] == ["refund.failed"]
    assert "4001" not in json.dumps(await news(desk))
    await desk.sound()


@pytest.mark.parametrize("said", ["acts", "500", "garbage", "4004"])
async def test_a_doubt_holds_the_money_and_is_asked_about(
    desk: Desk, giver: Giver, said: str
) -> None:
    """Never sent again: this supplier would give back twice."""
    await sell_through(desk, giver, document())
    giver.answers(said, query=("garbage", "BUSY", "DONE" if said == "acts" else "FAILED"))
    refund = await begin(desk, await reserved(desk))
    assert (refund.state, await desk.balances()) == ("unknown", UNDER_WAY)
    assert (await begin(desk, refund)).state == "unknown"
    assert (await follow(desk, refund, 11)).state == "unknown"
    assert (await follow(desk, refund, 21)).state == "accepted"
    refund = await follow(desk, refund, 11)
    assert refund.state == ("succeeded" if said == "acts" else "failed")
    assert await desk.balances() == (BACK if said == "acts" else PAID)
    assert giver.heard.count("refund") == 1
    await desk.sound()


async def test_not_found_twice_frees_the_way_only_where_once_is_sure(
    desk: Desk, giver: Giver
) -> None:
    await sell_through(desk, giver, document(idempotent=True))
    giver.answers("silent", "4001", "DONE")
    refund = await begin(desk, await reserved(desk))
    assert (await follow(desk, refund, 11)).state == "unknown"
    await follow(desk, refund, 55)
    assert giver.heard == ["refund", "refund_query"]  # not before a minute
    refund = await follow(desk, refund, 6)
    # Sent again, and refused: which proves nothing about the first call.
    assert giver.heard == ["refund", "refund_query", "refund_query", "refund"]
    assert (refund.state, await desk.balances()) == ("unknown", UNDER_WAY)
    for seconds in (600, 61):
        refund = await follow(desk, refund, seconds)
    assert refund.state == "succeeded"
    assert {form["refund_no"] for form in giver.fields} == {refund.sent_no}
    assert await desk.balances() == BACK
    assert await desk.alarms(AlarmRefund) == []
    await desk.sound()


async def test_not_found_twice_at_another_supplier_waits_for_a_person(
    desk: Desk, giver: Giver
) -> None:
    await sell_through(desk, giver, document())
    giver.answers("silent")
    refund = await begin(desk, await reserved(desk))
    for seconds in (11, 61, 3600, 3601):
        refund = await follow(desk, refund, seconds)
    assert giver.heard.count("refund") == 1
    assert (refund.state, await desk.balances()) == ("unknown", UNDER_WAY)
    (alarm,) = await desk.alarms(AlarmRefund)  # once
    assert (alarm.facts["why"], alarm.facts["refund_no"]) == ("not_found", "R1")
    refund = await desk.runtime.trade.refunds.release(
        desk.merchant.id, refund.id, "they never had it"
    )
    assert (refund.state, await desk.balances()) == ("failed", PAID)
    assert [a.state for a in await desk.alarms(AlarmRefund)] == ["over"]
    assert await desk.runtime.trade.refund_dispatch.follow_due(10) == 0
    await desk.sound()


async def test_a_supplier_without_refunds_is_a_persons_work(desk: Desk, giver: Giver) -> None:
    await sell_through(desk, giver, document(refund=False))
    first, second = await reserved(desk), await reserved(desk, "R2")
    for refund in (first, second):
        assert (await begin(desk, refund)).state == "manual"
        await follow(desk, refund, 100_000)
    assert [(a.facts["why"], a.facts["refund_no"]) for a in await desk.alarms(AlarmRefund)] == [
        ("manual", "R1"), ("manual", "R2")
    ]  # fmt: skip
    refunds, merchant_id = desk.runtime.trade.refunds, desk.merchant.id
    assert (await refunds.settle(merchant_id, first.id, cost_returned=False)).state == "succeeded"
    assert (await refunds.release(merchant_id, second.id, "no money there")).state == "failed"
    assert giver.heard == []
    await desk.sound()


async def test_a_supplier_that_cannot_be_asked(desk: Desk, giver: Giver) -> None:
    """In doubt: told at once, and never sent again."""
    await sell_through(desk, giver, document(query=False))
    giver.answers("500", "BUSY")
    first, second = await reserved(desk), await reserved(desk, "R2")
    assert (await begin(desk, first)).state == "unknown"
    assert (await begin(desk, second)).state == "accepted"
    for refund in (first, second):
        await follow(desk, refund, 100_000)
    assert giver.heard == ["refund"] * 2
    assert [a.facts["why"] for a in await desk.alarms(AlarmRefund)] == ["in_doubt", "silent"]

    # An answer that came after the timetable took over has it looked at again, once.
    await desk.runtime.system.store.execute("UPDATE refund SET ask_at = at WHERE state = 'unknown'")
    first = await follow(desk, first, 3601)
    assert first.state == "unknown"
    assert await desk.runtime.trade.refund_dispatch.follow_due(10) == 0
    assert (len(giver.heard), await desk.alarms(AlarmRefund)) == (2, [])
    await desk.runtime.trade.refunds.settle(desk.merchant.id, first.id, cost_returned=True)
    await desk.sound()


async def test_a_supplier_that_cannot_be_asked_but_told_again(desk: Desk, giver: Giver) -> None:
    await sell_through(desk, giver, document(query=False, idempotent=True))
    giver.answers("500", "garbage", "DONE")
    refund = await begin(desk, await reserved(desk))
    for state in ("unknown", "succeeded"):
        refund = await follow(desk, refund, 31)
        assert refund.state == state
    assert giver.heard == ["refund"] * 3
    giver.answers("500")
    refund = await begin(desk, await reserved(desk, "R2"))
    for _ in range(12):
        refund = await follow(desk, refund, 301)
    assert refund.state == "unknown"
    assert 3 < (sends := refund.sends) < MAX_SENDS
    for _ in range(3):  # a supplier may have forgotten the number by then
        refund = await follow(desk, refund, 3601)
    assert (refund.state, refund.sends) == ("unknown", sends)
    assert [a.facts["why"] for a in await desk.alarms(AlarmRefund)] == ["in_doubt"]
    await desk.sound()


async def test_a_call_that_never_left_is_made_again_then_fails(desk: Desk, giver: Giver) -> None:
    await sell_through(desk, giver, document())
    supplier = await desk.runtime.parties.suppliers.by_no("S88")
    credentials = dict(supplier.credentials)

    async def at(url: str) -> None:
        await desk.runtime.parties.suppliers.set_credentials(
            desk.runtime.system.store, supplier.id, credentials | {"base_url": url}
        )

    giver.answers("DONE")
    first, second = await reserved(desk), await reserved(desk, "R2")
    await at("http://127.0.0.1:9")
    for refund in (first, second):
        refund = await begin(desk, refund)
        assert (refund.state, refund.sends) == ("created", 1)
        assert refund.said
    await at(giver.url)
    refund = await begin(desk, first)  # it may be said again
    assert refund.state == "succeeded"
    await at("http://127.0.0.1:9")
    for _ in range(MAX_SENDS - 1):
        second = await follow(desk, second, 3601)
    assert (second.state, second.sends) == ("failed", MAX_SENDS)
    assert second.why
    assert giver.heard == ["refund"]
    assert (await desk.balances()).get("reserved", 0) == 0
    await desk.sound()


async def test_many_begin_at_once_and_one_calls(desk: Desk, giver: Giver) -> None:
    await sell_through(desk, giver, document(idempotent=True))
    giver.answers("waits")
    refund = await reserved(desk)
    begun = [asyncio.create_task(begin(desk, refund)) for _ in range(8)]
    await asyncio.wait_for(giver.called.wait(), 10)
    done, _ = await asyncio.wait(begun, return_when=asyncio.FIRST_COMPLETED)
    assert {task.result().state for task in done} == {"sent"}
    refunds = desk.runtime.trade.refunds
    for by_hand in (
        refunds.settle(desk.merchant.id, refund.id, cost_returned=False),
        refunds.release(desk.merchant.id, refund.id, "no"),
    ):
        with pytest.raises(Refusal, match="is sent already"):
            await by_hand
    assert await desk.runtime.trade.refund_dispatch.follow_due(10) == 0
    giver.go.set()
    assert (await asyncio.gather(*begun))[0] is not None
    assert (await look(desk, refund)).state == "succeeded"
    assert (giver.heard, giver.given) == (["refund"], {refund.sent_no: 1})
    await desk.sound()


@pytest.mark.parametrize("idempotent", [False, True])
async def test_who_dies_is_followed(desk: Desk, giver: Giver, idempotent: bool) -> None:
    """Between the commit of the mark and the answer: sent again where once is sure, else asked."""
    await sell_through(desk, giver, document(idempotent=idempotent))
    giver.answers("waits", "DONE", query=("DONE",))
    refund = await reserved(desk)
    dying = asyncio.create_task(begin(desk, refund))
    await asyncio.wait_for(giver.called.wait(), 10)
    dying.cancel()
    await asyncio.wait([dying])
    assert (await look(desk, refund)).state == "sent"
    assert (await follow(desk, refund, LEASE_S - 1)).state == "sent"
    refund = await follow(desk, refund, 2)
    assert refund.state == "succeeded"
    assert giver.heard == ["refund", "refund" if idempotent else "refund_query"]
    assert await desk.balances() == BACK
    giver.go.set()

    # Before the mark: nobody begins it, until the timetable does.
    giver.answers("DONE")
    second = await reserved(desk, "R2")
    assert (await follow(desk, second, 25)).state == "created"
    assert (await follow(desk, second, 6)).state == "succeeded"
    await desk.sound()


async def test_an_answer_that_comes_late_settles_once(desk: Desk, giver: Giver) -> None:
    """The caller is slow, and the timetable takes over meanwhile."""
    await sell_through(desk, giver, document(idempotent=True))
    giver.answers("waits", "500", query=("4004",))
    refund = await reserved(desk)
    slow = asyncio.create_task(begin(desk, refund))
    await asyncio.wait_for(giver.called.wait(), 10)
    assert (await follow(desk, refund, LEASE_S + 1)).state == "unknown"  # sent again, in doubt
    giver.go.set()
    assert (await slow).state == "succeeded"
    assert await desk.balances() == BACK
    assert (await follow(desk, refund, 3600)).state == "succeeded"
    await desk.sound()


async def test_a_failure_after_a_success_is_told_at_once_and_books_nothing(
    desk: Desk, giver: Giver
) -> None:
    await sell_through(desk, giver, document(idempotent=True))
    giver.answers("waits", "DONE")
    giver.at_last = "FAILED"
    refund = await reserved(desk)
    slow = asyncio.create_task(begin(desk, refund))
    await asyncio.wait_for(giver.called.wait(), 10)
    assert (await follow(desk, refund, LEASE_S + 1)).state == "succeeded"  # sent again
    assert await desk.alarms(AlarmRefund) == []
    giver.go.set()
    assert (await slow).state == "succeeded"
    assert [a.facts["why"] for a in await desk.alarms(AlarmRefund)] == ["contradicts"]
    assert await desk.balances() == BACK
    assert await desk.runtime.trade.refund_dispatch.follow_due(10) == 0
    await desk.sound()


async def slow_and_released(desk: Desk, giver: Giver) -> tuple[Refund, asyncio.Task[Refund]]:
    """The supplier takes its time with R1; meanwhile somebody says that it failed."""
    await sell_through(desk, giver, document(query=False))
    giver.answers("waits")
    refund = await reserved(desk, notify_url="http://127.0.0.1:9/n")
    slow = asyncio.create_task(begin(desk, refund))
    await asyncio.wait_for(giver.called.wait(), 10)
    assert (await follow(desk, refund, LEASE_S + 1)).state == "unknown"
    released = await desk.runtime.trade.refunds.release(
        desk.merchant.id, refund.id, "they say it failed"
    )
    assert (released.state, await desk.balances()) == ("failed", PAID)
    await desk.alarms(AlarmRefund)
    return released, slow


async def test_a_success_after_a_release_is_told_and_booked(desk: Desk, giver: Giver) -> None:
    refund, slow = await slow_and_released(desk, giver)
    giver.go.set()
    done = await slow
    assert (done.state, done.late, done.why) == ("succeeded", True, "")
    assert await desk.balances() == BACK
    assert await moves(desk, refund) == ["create", "send", "lose", "release", "settle_late"]
    assert [a.facts["why"] for a in await desk.alarms(AlarmRefund)] == ["late"]
    assert [name for name, _ in await news(desk)] == ["refund.failed", "refund.succeeded"]
    assert await desk.runtime.trade.refund_dispatch.follow_due(10) == 0
    await desk.sound()


async def test_a_late_success_of_what_was_refunded_again(desk: Desk, giver: Giver) -> None:
    """The payer has more than was paid: the merchant bears it, below zero if it must be."""
    refund, slow = await slow_and_released(desk, giver)
    refunds, merchant_id = desk.runtime.trade.refunds, desk.merchant.id
    whole = await refunds.reserve(
        desk.app, merchant_id, refund.order_id, "R2", Money(10_000, "CNY"), fee_returned=True
    )
    giver.go.set()
    done = await slow
    assert (done.state, done.fee_back_minor) == ("succeeded", 0)  # the whole fee went with R2
    await desk.sound()
    await refunds.settle(merchant_id, whole.id, cost_returned=False)
    assert await desk.balances() == {"cost/S88": -65, "due/S88": 5065, "payable": -5000}
    await desk.sound()
    with pytest.raises(Refusal) as error:
        await reserve(desk, refund.order_id, "R3", 1)
    assert error.value.code == "order_state"


async def test_what_was_released_in_doubt_is_asked_about_for_a_day(
    desk: Desk, giver: Giver
) -> None:
    await sell_through(desk, giver, document())
    giver.answers("500", query=("4004", "BUSY", "DONE"))
    first = await begin(desk, await reserved(desk))
    giver.answers("500", query=("4004",))
    second = await begin(desk, await reserved(desk, "R2"))
    for refund in (first, second):
        await desk.runtime.trade.refunds.release(desk.merchant.id, refund.id, "they say it failed")
    assert await desk.runtime.trade.refund_dispatch.follow_due(10) == 0
    await desk.sound()
    for _ in range(ASKED_RELEASED):
        await follow(desk, first, 3601)
    heard = len(giver.heard)
    assert heard == 2 + 2 * ASKED_RELEASED
    assert (await follow(desk, first, 100_000)).state == "failed"
    assert len(giver.heard) == heard
    assert giver.heard.count("refund") == 2  # nothing was sent again
    assert await desk.alarms(AlarmRefund) == []

    third = await begin(desk, await reserved(desk, "R3"))
    giver.answers("500", query=("BUSY", "DONE"))
    await desk.runtime.trade.refunds.release(desk.merchant.id, third.id, "they say it failed")
    assert (await follow(desk, third, 3601)).state == "failed"
    assert (await follow(desk, third, 3601)).state == "succeeded"
    assert [a.facts["why"] for a in await desk.alarms(AlarmRefund)] == ["late"]
    await desk.sound()


async def test_a_late_success_of_a_disputed_order_is_told_alone(desk: Desk, giver: Giver) -> None:
    refund, slow = await slow_and_released(desk, giver)
    await desk.runtime.system.store.execute(
        "UPDATE orders SET disputed = true WHERE id = $1", refund.order_id
    )
    before = await desk.balances()
    giver.go.set()
    assert (await slow).state == "failed"
    assert await desk.balances() == before
    assert [a.facts["why"] for a in await desk.alarms(AlarmRefund)] == ["late_disputed"]


async def test_a_tests_refund_alarms_nobody(desk: Desk, giver: Giver) -> None:
    await sell_through(desk, giver, document(refund=False))
    keys = await desk.runtime.parties.merchants.apps.open(
        desk.merchant, mode="test", name="T", notify_url=None
    )
    apps = await desk.runtime.parties.merchants.apps.of(desk.merchant)
    (app,) = [app for app in apps if app.id == keys.app_id]
    opened = await desk.runtime.trade.creation.open(app, wanted(product=PRODUCT), request_id="t")
    await desk.see(opened, 10000)
    refund = await desk.runtime.trade.refunds.reserve(
        app, desk.merchant.id, opened.order.id, "R1", Money(100, "CNY"), fee_returned=False
    )
    number = read_number(refund.sent_no)
    assert number is not None
    assert number.mode == "test"
    assert (await begin(desk, refund)).state == "manual"
    assert await desk.alarms(AlarmRefund) == []


async def test_the_merchants_server_hears_of_the_end(
    desk: Desk, giver: Giver, receiver: Receiver
) -> None:
    await sell_through(desk, giver, document())
    giver.answers("DONE")
    await begin(desk, await reserved(desk, notify_url=receiver.url))
    for _ in range(2):  # of the payment, then of the refund, which waits for it
        await desk.runtime.trade.notifications.deliver_due(10)
        desk.clock.advance(2)
    types = [json.loads(one.body)["type"] for one in receiver.received]
    assert types == ["order.paid", "refund.succeeded"]


async def test_what_is_no_refund(desk: Desk) -> None:
    with pytest.raises(Refusal) as error:
        await desk.runtime.trade.refund_dispatch.begin(desk.merchant.id, UUID(int=1))
    assert error.value.code == "record_not_found"


@pytest.mark.parametrize("idempotent", [False, True])
@pytest.mark.parametrize("seed", range(1, size(1, 20) + 1))
async def test_whatever_is_said_and_lost_money_moves_once(
    desk: Desk, giver: Giver, seed: int, idempotent: bool
) -> None:
    """What ended is what really happened there; what did not end is known to a person."""
    await sell_through(desk, giver, document(idempotent=idempotent))
    giver.random, giver.knows_twice = Random(seed), idempotent
    giver.answers("chance", query=("chance",))
    opened = await desk.open(20_000, product=PRODUCT)
    await desk.see(opened, 20_000)
    refunds = [await reserve(desk, opened.order.id, f"R{i}", 500 + i) for i in range(24)]
    for refund in refunds[::2]:
        await begin(desk, refund)
    for _ in range(60):
        desk.clock.advance(giver.random.choice([5, 31, 70, 3601]))
        await desk.runtime.trade.refund_dispatch.follow_due(50)
    await desk.sound()
    states: Counter[str] = Counter()
    for refund in [await look(desk, refund) for refund in refunds]:
        states[refund.state] += 1
        gave = giver.given[refund.sent_no]
        assert gave <= 1, refund
        if not refund.ended:
            assert refund.told_at is not None, refund
            await (
                desk.runtime.trade.refunds.settle(desk.merchant.id, refund.id, cost_returned=False)
                if gave
                else desk.runtime.trade.refunds.release(
                    desk.merchant.id, refund.id, "asked by phone"
                )
            )
        else:
            assert (refund.state == "succeeded") == (gave == 1), refund
    # Calls run side by side, so that the seed does not settle how many.
    assert states["succeeded"] > 0
    assert states["failed"] > 0
    assert "reserved" not in await desk.balances()
    await desk.sound()
