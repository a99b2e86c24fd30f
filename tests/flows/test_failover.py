"""When a supplier fails, over real HTTP: what is in doubt is never sent elsewhere, what is refused
goes on at once, and money that comes twice pays once."""

from __future__ import annotations

from typing import Any
from uuid import uuid4

import pytest

from tests.demo import Answer, DemoDesk


async def known(desk: DemoDesk, subject: str) -> list[dict[str, Any]]:
    """What the suppliers know of an order, the oldest attempt first."""
    async with desk.http.get(f"{desk.ready['supplier']['control']}/orders") as answer:
        orders = (await answer.json())["orders"]
    return [order for order in reversed(orders) if order["subject"] == subject]


async def create(desk: DemoDesk, **fault: Any) -> tuple[Answer, str]:
    """An order whose create at the supplier is spoiled; its subject."""
    subject = f"tea {uuid4().hex}"
    await desk.supplier("fault", {"operation": "create", **fault})
    return await desk.create(subject=subject, amount=7700), subject


@pytest.mark.parametrize("after", [True, False])
async def test_a_call_that_is_cut_never_makes_a_second_payable_attempt(
    desk: DemoDesk, after: bool
) -> None:
    """Whether or not the supplier took it: the same number is asked about, and nobody else is."""
    created, subject = await create(desk, kind="timeout", delay_s=0.1, after=after)
    assert created.status == 202
    assert created.body["pay"] is None
    again = await desk.create(
        merchant_order_no=created.body["merchant_order_no"], subject=subject, amount=7700
    )
    assert (again.status, again.body["order_no"]) == (202, created.body["order_no"])
    await desk.until_status(created.body["order_no"], "pending")
    (attempt,) = await known(desk, subject)
    assert attempt["mch_id"] == "880001"
    await desk.pay((await desk.order(created.body["order_no"]))["pay"]["value"])
    await desk.until_status(created.body["order_no"], "paid")
    assert len(await known(desk, subject)) == 1


@pytest.mark.parametrize("first", [0, 1])
async def test_money_on_both_attempts_pays_the_order_once(desk: DemoDesk, first: int) -> None:
    """The first supplier says no and keeps the order all the same: it goes on to the second within
    the request, and then the payer pays at both."""
    before, alarm = await desk.balance(), await desk.suspense()
    created, subject = await create(desk, kind="refuse", after=True)
    order_no = created.body["order_no"]
    assert (created.status, created.body["status"]) == (201, "pending")
    attempts = await known(desk, subject)
    assert [attempt["mch_id"] for attempt in attempts] == ["880001", "880002"]
    assert created.body["pay"]["value"] == attempts[1]["pay_url"]

    await desk.pay(attempts[first]["pay_url"])
    await desk.until_status(order_no, "paid")
    await desk.pay(attempts[1 - first]["pay_url"])
    await desk.suspense(other_than=alarm)
    await desk.lists_suspense("重复", order_no)
    assert all(attempt["payments"] for attempt in await known(desk, subject))
    assert (await desk.order(order_no))["status"] == "paid"
    assert (await desk.balance())["payable"] - before["payable"] == 7700 - 92
    code, said = await desk.command("verify-books")
    assert (code, said.splitlines()[-1]) == (0, "verify-books: no difference")
