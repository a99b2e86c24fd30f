"""Orders as they are shown, asked for one by one and at once."""

from __future__ import annotations

import asyncio
from dataclasses import replace

from core.kernel.ids import NumberFacts, read_number
from core.trade.orders import Order
from tests.core.support import Desk


def facts_of(number: str) -> NumberFacts:
    facts = read_number(number)
    assert facts is not None
    return facts


async def test_each_of_many_hears_of_its_own_order(desk: Desk) -> None:
    shown, merchant_id = desk.runtime.trade.shown, desk.merchant.id
    opened = [await desk.open() for _ in range(5)]
    orders: list[Order] = [one.order for one in opened]
    numbers = [*(order.order_no for order in orders), orders[0].order_no.lower()]
    found = await asyncio.gather(
        *(shown.find(merchant_id, number, facts_of(number)) for number in numbers)
    )
    assert [one.order if one else None for one in found] == [*orders, orders[0]]
    assert [one.pay if one else None for one in found[:-1]] == [
        one.attempt.pay if one.attempt else None for one in opened
    ]


async def test_whose_it_is_not_hears_of_no_order_beside_those_who_do(desk: Desk) -> None:
    shown, merchant_id = desk.runtime.trade.shown, desk.merchant.id
    order = (await desk.open()).order
    facts = facts_of(order.order_no)
    unknown = desk.runtime.system.ids.number("order", "live", desk.merchant.tag)
    found = await asyncio.gather(
        shown.find(desk.app.id, order.order_no, facts),
        shown.find(merchant_id, unknown, facts),
        shown.find(merchant_id, order.order_no, facts),
    )
    assert [one.order if one else None for one in found] == [None, None, order]


async def test_a_number_leads_to_its_month_whichever_others_are_asked_for_with_it(
    desk: Desk,
) -> None:
    shown, order = desk.runtime.trade.shown, (await desk.open()).order
    facts = facts_of(order.order_no)
    before = replace(facts, month=facts.month.replace(year=facts.month.year - 1))
    found = await asyncio.gather(
        shown.find(desk.merchant.id, order.order_no, before),
        shown.find(desk.merchant.id, order.order_no, facts),
    )
    assert found[1] is not None
    assert found[1].order == order
    assert await shown.find(desk.merchant.id, order.order_no, before) is None
