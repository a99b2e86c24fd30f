"""A desk that was held up in the middle of a call, while another one took over."""

from __future__ import annotations

import asyncio
from datetime import timedelta

import pytest

from core.connectors import CreateReading, Rejected, Standing, Unknown
from core.trade.district import build_creation
from core.trade.orders import Attempt, FollowUp, Order, SupplierCalls, get_attempts
from core.trade.orders.openings import FIRST_QUESTION
from core.trade.orders.supplier_calls import NEVER_SENT
from tests.core.support import Desk, books_of

BOUND_S = 20.0


class HeldUp(SupplierCalls):
    """Its first create is held up until another desk sent the same again, and says no then."""

    def __init__(self, says: Rejected) -> None:
        self._says = says
        self.begun = asyncio.Event()
        self.on = asyncio.Event()
        self.over = asyncio.Event()
        self.sent: list[str] = []

    async def create(self, order: Order, attempt: Attempt) -> CreateReading:
        self.sent.append(attempt.attempt_no)
        if len(self.sent) > 1:
            return Unknown("no answer")
        self.begun.set()
        await self.on.wait()
        return self._says

    async def may_send_again(self, attempt: Attempt) -> bool:
        return True

    async def standing(self, order: Order, attempt: Attempt, operation: str = "query") -> Standing:
        self.on.set()
        await self.over.wait()
        return Standing("unknown", "no answer")


@pytest.mark.parametrize(
    "says", [Rejected(NEVER_SENT, "no connection"), Rejected("1009", "this number was used")]
)
async def test_a_no_that_comes_after_another_desk_took_over_proves_nothing(
    desk: Desk, says: Rejected
) -> None:
    opened = await desk.open()
    calling, runtime = HeldUp(says), desk.runtime
    opening = build_creation(
        runtime.system, books_of(runtime), runtime.supply.routing, calling, runtime.trade.payments
    )
    following = FollowUp(
        runtime.system, runtime.supply.routing, calling, opening, runtime.trade.payments
    )
    await runtime.system.store.execute("UPDATE orders SET state = 'created'")
    await runtime.system.store.execute(
        "UPDATE attempt SET state = 'created', pay_kind = NULL, pay_value = NULL"
    )
    order = await desk.order(opened)
    (attempt,) = await get_attempts(runtime.system.store, order.merchant_id, order.id)
    sending = asyncio.create_task(opening.send(order, attempt, request_id="held"))
    async with asyncio.timeout(BOUND_S):
        await calling.begun.wait()
        desk.clock.advance((FIRST_QUESTION + timedelta(seconds=1)).total_seconds())
        asking = asyncio.create_task(following.ask_due(1))
        await sending
        (attempt,) = await get_attempts(runtime.system.store, order.merchant_id, order.id)
        assert (attempt.state, attempt.unsent) == ("sent", False)
        assert calling.sent == [attempt.attempt_no] * 2, "it is sent to no other supplier"
        calling.over.set()
        assert await asking == 1
    assert (await desk.order(opened)).state == "created"
