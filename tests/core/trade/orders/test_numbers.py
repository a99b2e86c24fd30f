"""A merchant's number is used up only by an order that a supplier may have heard of."""

from __future__ import annotations

import asyncio
import json
import random
from typing import Any
from uuid import UUID

import pytest

from core.kernel.errors import Refusal
from core.kernel.money import Money
from core.trade.orders import Opened, OpenOrder, find_key, get_attempts, get_order
from core.trade.orders.creation import LEFT_AFTER, NEVER_SENT_AFTER, UNSENT_TOLD_AFTER
from core.trade.orders.decisions import came_to_nothing
from tests.conftest import NOWHERE
from tests.core.support import CHAT, OPERATOR, Desk, Receiver, wanted

SUPPLIERS = ("S01", "S02")


async def plug(desk: Desk, address: str, *supplier_nos: str) -> None:
    """Have these suppliers be at an address: the sandbox's, or one where nobody answers."""
    for supplier_no in supplier_nos:
        supplier = await desk.runtime.parties.suppliers.by_no(supplier_no)
        there = {**supplier.credentials, "base_url": address}
        await desk.runtime.parties.suppliers.set_credentials(
            desk.runtime.system.store, supplier.id, there
        )


async def open_(desk: Desk, asked: OpenOrder) -> Opened | Refusal:
    try:
        return await desk.runtime.trade.creation.open(desk.app, asked, request_id="test")
    except Refusal as refusal:
        return refusal


async def sent_in_vain(desk: Desk, asked: OpenOrder) -> Opened:
    """An order of which nothing reached a supplier."""
    await plug(desk, NOWHERE, *SUPPLIERS)
    opened = await open_(desk, asked)
    await plug(desk, desk.supplier.base, *SUPPLIERS)
    assert isinstance(opened, Opened)
    assert (opened.order.state, opened.nothing_sent) == ("failed", True)
    return opened


async def news(desk: Desk, order_id: UUID) -> list[tuple[str, str]]:
    rows = await desk.runtime.system.store.fetch(
        "SELECT type, state FROM notification WHERE order_id = $1 ORDER BY created_at", order_id
    )
    return [(row["type"], row["state"]) for row in rows]


@pytest.mark.parametrize("changes", [{}, {"amount": Money(777, "CNY"), "subject": "coffee"}])
async def test_a_number_of_which_nothing_was_sent_is_free(
    desk: Desk, changes: dict[str, Any]
) -> None:
    asked = wanted(notify_url="http://127.0.0.1:9/n")
    former = await sent_in_vain(desk, asked)
    assert await desk.balances() == {}
    # The group shows it under its number, as it stands; nobody was told yet.
    assert await news(desk, former.order.id) == [("order.failed", "pending")]
    assert await desk.runtime.trade.notifications.deliver_due(10) == 0

    again = wanted(**{
        "merchant_order_no": asked.merchant_order_no, "subject": asked.subject,
        "notify_url": asked.notify_url, **changes,
    })  # fmt: skip
    fresh = await open_(desk, again)
    assert isinstance(fresh, Opened)
    assert (fresh.order.state, fresh.again, fresh.nothing_sent) == ("pending", False, False)
    assert fresh.order.order_no != former.order.order_no
    assert len(await desk.supplier.creates_of(fresh.order.subject)) == 1
    # Its end is not told any more, whenever it would have been due.
    assert await news(desk, former.order.id) == [("order.failed", "dropped")]
    desk.clock.advance(UNSENT_TOLD_AFTER.total_seconds() + 1)
    assert await desk.runtime.trade.notifications.deliver_due(10) == 0

    repeated = await open_(desk, again)
    assert isinstance(repeated, Opened)
    assert (repeated.order.id, repeated.again) == (fresh.order.id, True)
    other = wanted(merchant_order_no=asked.merchant_order_no, subject="something else")
    refused = await open_(desk, other)
    assert isinstance(refused, Refusal)
    assert refused.code == "order_conflict"
    await desk.pay(fresh)
    assert (await desk.order(former)).state == "failed"
    assert (await desk.order(fresh)).state == "paid"
    await desk.sound()


async def test_what_people_call_by_the_number_is_the_order_that_has_it(desk: Desk) -> None:
    asked = wanted()
    former = await sent_in_vain(desk, asked)
    fresh = await open_(desk, asked)
    assert isinstance(fresh, Opened)
    actor = await desk.actor(OPERATOR, CHAT)
    for number, order in (
        (asked.merchant_order_no, fresh.order),
        (fresh.order.order_no, fresh.order),
        (former.order.order_no, former.order),
    ):
        found = await desk.runtime.trade.lookups.find(actor, [number])
        assert [key.order_id for key in found[number]] == [order.id], number


async def test_the_end_of_an_order_whose_number_is_left_alone_is_told(
    desk: Desk, receiver: Receiver
) -> None:
    await sent_in_vain(desk, wanted(notify_url=receiver.url))
    assert await desk.runtime.trade.notifications.deliver_due(10) == 0
    desk.clock.advance(UNSENT_TOLD_AFTER.total_seconds() + 1)
    assert await desk.runtime.trade.notifications.deliver_due(10) == 1
    assert [json.loads(said.body)["type"] for said in receiver.received] == ["order.failed"]


async def test_a_number_of_which_something_was_sent_is_used_up(desk: Desk) -> None:
    """The first supplier said no, the second was never reached: one of them knows it."""
    await desk.supplier.fault("create", "refuse")
    await plug(desk, NOWHERE, "S02")
    asked = wanted(notify_url="http://127.0.0.1:9/n")
    first = await open_(desk, asked)
    await plug(desk, desk.supplier.base, "S02")
    assert isinstance(first, Opened)
    assert (first.order.state, first.nothing_sent) == ("failed", False)
    again = await open_(desk, asked)
    assert isinstance(again, Opened)
    assert (again.order.id, again.again) == (first.order.id, True)
    refused = await open_(desk, wanted(merchant_order_no=asked.merchant_order_no))
    assert isinstance(refused, Refusal)
    assert refused.code == "order_conflict"


async def test_who_asks_again_sends_what_was_left_behind(desk: Desk) -> None:
    """Its process ended, or lost its database, between writing it down and sending it."""
    asked = wanted()
    former = await sent_in_vain(desk, asked)
    store = desk.runtime.system.store
    (attempt, *_) = await get_attempts(store, desk.merchant.id, former.order.id)
    await store.execute("DELETE FROM notification")
    await store.execute(
        "UPDATE attempt SET state = 'created', unsent = false, sent_at = NULL"
        " WHERE attempt_no = $1", attempt.attempt_no,
    )  # fmt: skip
    await store.execute(
        "UPDATE orders SET state = 'created', live_attempt_no = $1", attempt.attempt_no
    )
    desk.clock.advance(LEFT_AFTER.total_seconds())
    assert LEFT_AFTER < NEVER_SENT_AFTER
    twins = await asyncio.gather(*(open_(desk, asked) for _ in range(4)))
    assert {twin.order.state for twin in twins if isinstance(twin, Opened)} == {"pending"}
    assert {twin.order.id for twin in twins if isinstance(twin, Opened)} == {former.order.id}
    assert await desk.supplier.creates_of(asked.subject) == [attempt.attempt_no]
    await desk.sound()


async def test_whatever_happens_one_order_of_a_number_is_sent(desk: Desk) -> None:
    """Drawn at random: suppliers that are there, away, refuse or are in doubt; twins at once; the
    same content and other content."""
    draw = random.Random(10)
    numbers = [f"N{n}" for n in range(6)]
    for turn in range(36):
        number = numbers[turn % len(numbers)]
        await plug(desk, desk.supplier.base, *SUPPLIERS)
        away = draw.sample(SUPPLIERS, draw.choice((0, 1, 2, 2)))
        await plug(desk, NOWHERE, *away)
        if draw.random() < 0.4:
            kind = draw.choice(("refuse", "garbage"))
            await desk.supplier.fault("create", kind, times=draw.choice((1, 2)), after=True)
        asked = [
            wanted(merchant_order_no=number, subject=f"{number} {draw.choice('ab')}")
            for _ in range(draw.randint(1, 4))
        ]
        before = await find_key(desk.runtime.system.store, desk.merchant.id, desk.app.id, number)
        free = before is None or await _free(desk, before.order_id)
        got = await asyncio.gather(*(open_(desk, one) for one in asked))
        await desk.supplier.fault("any", "clear")
        desk.clock.advance(3 * 3600)  # whoever was left alone is tried again

        after = await find_key(desk.runtime.system.store, desk.merchant.id, desk.app.id, number)
        if not free:
            assert before is not None
            assert after == before
        for one, came in zip(asked, got, strict=True):
            if isinstance(came, Refusal):
                assert came.code in ("order_conflict", "no_room"), came
                continue
            assert came.order.subject == one.subject
            # Whoever asked while a twin was on its way was told of an order that may have come to
            # nothing since: its number is another's then.
            if not came.nothing_sent and not await _free(desk, came.order.id):
                assert after is not None
                assert came.order.id == after.order_id, "one order of a number is sent"
        await _one_sent(desk, number)
    assert await desk.runtime.system.store.fetchval("SELECT max(turn) FROM order_key") > 2
    await desk.sound()


async def _free(desk: Desk, order_id: UUID) -> bool:
    order = await get_order(desk.runtime.system.store, desk.merchant.id, order_id)
    return came_to_nothing(
        order, await get_attempts(desk.runtime.system.store, desk.merchant.id, order_id)
    )


async def _one_sent(desk: Desk, number: str) -> None:
    """Of all orders of a number the supplier heard of the last at most, once accepted."""
    rows = await desk.runtime.system.store.fetch(
        "SELECT order_id, turn FROM order_key WHERE merchant_order_no = $1 ORDER BY turn", number
    )
    assert [row["turn"] for row in rows] == list(range(1, len(rows) + 1))
    for row in rows[:-1]:
        assert await _free(desk, row["order_id"])
        assert ("order.failed", "pending") not in await news(desk, row["order_id"])
    known = {no for c in "ab" for no in await desk.supplier.creates_of(f"{number} {c}")}
    last = await get_attempts(desk.runtime.system.store, desk.merchant.id, rows[-1]["order_id"])
    assert known <= {attempt.attempt_no for attempt in last if not attempt.unsent}
    assert len([a for a in last if a.state in ("sent", "accepted", "unknown")]) <= 1
