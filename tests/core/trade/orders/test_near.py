"""A number that is one slip away from what somebody wrote is found by index, within bounds."""

from __future__ import annotations

import string
from random import Random

from core.kernel.ids import read_number
from core.trade.orders import NearMiss, Slip, find_near, get_attempts
from core.trade.orders.near import MAX_CANDIDATES, MAX_NEAR, ours_near, theirs_near
from tests.core.support import NORTHWIND_CHAT, OPERATOR, OPS_CHAT, SUPPLIER_CHAT, Desk
from tests.handlers.order_support import legal_numbers

THEIRS = "SPRUCE-2026-88310427"


def slips_of(number: str) -> dict[str, Slip]:
    """What somebody may write for a number, and what is wrong with it."""
    place = next(n for n in range(8, len(number) - 1) if number[n] != number[n + 1])
    return {
        number[:-1]: "short",
        number[:12] + number[13:]: "short",
        number[:13] + "9" + number[13:]: "long",
        number[:place] + number[place + 1] + number[place] + number[place + 2 :]: "swapped",
    }


async def test_every_slip_leads_to_its_number(desk: Desk) -> None:
    opened = await desk.open(merchant_order_no=THEIRS)
    ours, store = opened.order.order_no, desk.runtime.system.store
    actor = await desk.actor()
    other = "A" if ours[12] != "A" else "B"
    slips: dict[str, Slip] = {f"{ours[:12]}{other}{ours[13:]}": "wrong"}
    for written, slip in {**slips_of(ours), **slips}.items():
        for text in (written, written.lower(), f" {written} "):
            assert await find_near(store, actor, text) == (NearMiss(ours, slip),), text
    for written, slip in slips_of(THEIRS).items():
        assert await find_near(store, actor, written) == (NearMiss(THEIRS, slip),), written
        assert await find_near(store, actor, written.lower()) == ()
    assert await find_near(store, actor, f"{ours[:12]}{ours[14:]}") == ()


async def test_nobody_is_told_of_what_they_may_not_see(desk: Desk) -> None:
    opened = await desk.open(merchant_order_no=THEIRS)
    store, order = desk.runtime.system.store, opened.order
    attempt = (await get_attempts(store, order.merchant_id, order.id))[-1].attempt_no
    for written in (order.order_no[:-1], THEIRS[:-1], attempt[:-1]):
        there = await desk.actor(OPERATOR, NORTHWIND_CHAT)
        assert await find_near(store, there, written) == (), written
        assert len(await find_near(store, await desk.actor(OPERATOR, OPS_CHAT), written)) == 1
    at_supplier = await desk.actor(OPERATOR, SUPPLIER_CHAT)
    assert await find_near(store, at_supplier, order.order_no[:-1]) == ()
    assert await find_near(store, at_supplier, THEIRS[:-1]) == ()
    assert await find_near(store, at_supplier, attempt[:-1]) == (NearMiss(attempt, "short"),)


async def test_what_is_near_a_whole_series_is_near_nothing(desk: Desk) -> None:
    store, actor = desk.runtime.system.store, await desk.actor()
    for last in range(MAX_NEAR):
        await desk.open(merchant_order_no=f"20261121000{last}")
    assert len(await find_near(store, actor, "20261121000")) == MAX_NEAR
    await desk.open(merchant_order_no=f"20261121000{MAX_NEAR}")
    assert await find_near(store, actor, "20261121000") == ()


def test_so_many_numbers_are_tried_and_no_more() -> None:
    random = Random(1130)
    for number in [*legal_numbers(random, 2_000), "a1B2" * 8, string.digits * 3, "P" * 20]:
        assert len(theirs_near(number)) <= MAX_CANDIDATES, number
        ours = ours_near(number)
        assert len(ours) <= 100, number
        assert all(read_number(one) for one in ours)
        assert number.strip() not in theirs_near(number)
