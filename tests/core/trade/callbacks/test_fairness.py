"""A merchant that is stuck holds up nobody else's payments."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from datetime import timedelta
from uuid import UUID

import asyncpg
import pytest

from bot.loops import Crew
from core.trade.callbacks import HANDS, Callbacks
from core.trade.callbacks import callbacks as callbacks_module
from core.trade.orders import Opened, Order, Payments, PaymentSeen, Report, Settled
from tests.conftest import Servers
from tests.core.support import Desk
from tests.demo import eventually

LATE_S = 2.0
BOUND_S = 30.0
STUCK = 150


async def paid(desk: Desk, opened: Opened) -> bool:
    return (await desk.order(opened)).state == "paid"


async def test_a_merchant_whose_orders_are_locked_holds_up_nobody_elses_payments(
    desk: Desk, neighbour: Desk, servers: Servers, database: str
) -> None:
    stuck, other = await desk.open(), await neighbour.open()
    await desk.told(stuck)
    await desk.runtime.system.store.execute(_MORE, STUCK)
    await neighbour.told(other)
    loop = asyncio.get_running_loop()
    crew = Crew("callbacks", desk.runtime.trade.callbacks.take_due, hands=HANDS, idle_s=0.1)
    holder = await asyncpg.connect(servers.owner_dsn(database))
    try:
        async with holder.transaction():
            await holder.execute(
                "SELECT FROM orders WHERE merchant_id = $1 FOR UPDATE", desk.merchant.id
            )
            began = loop.time()
            crew.start()
            await eventually(lambda: paid(neighbour, other), what="it is paid")
            late_s = loop.time() - began
            assert (await desk.order(stuck)).state == "pending"
    finally:
        await holder.close()
        await asyncio.wait_for(crew.stop(), BOUND_S)
    assert late_s <= LATE_S


async def test_what_nobody_got_to_is_given_back_untried(desk: Desk) -> None:
    opened = await desk.open()
    await desk.told(opened)
    await desk.runtime.system.store.execute(_MORE, 3)
    (job,) = await desk.runtime.trade.callbacks.take_due(5)
    acting = asyncio.ensure_future(job())
    await asyncio.sleep(0)  # it has begun, and looked when it must end
    desk.clock.advance(31)
    await acting
    states = await desk.runtime.system.store.fetch("SELECT tries, state FROM supplier_callback")
    given_back = [row for row in states if row["state"] == "waiting"]
    assert given_back
    assert {row["tries"] for row in given_back} == {0}
    assert await desk.runtime.trade.callbacks.act_due(5) == 1, "they are due at once"


class Hanging(Payments):
    """Payments that never come to an end together, and do one by one."""

    def __init__(self, payments: Payments) -> None:
        self._payments = payments

    async def settle_payments(
        self, merchant_id: UUID, reports: Sequence[Report]
    ) -> Sequence[Order | None]:
        await asyncio.Event().wait()
        return []

    async def settle_payment(self, seen: PaymentSeen, *, request_id: str) -> Settled:
        return await self._payments.settle_payment(seen, request_id=request_id)


async def test_what_hangs_together_is_soon_settled_one_by_one(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(callbacks_module, "LONGEST", timedelta(seconds=0.1))
    opened = await desk.open()
    await desk.told(opened)
    system, supply, trade = desk.runtime.system, desk.runtime.supply, desk.runtime.trade
    acting = Callbacks(
        system,
        supply.market,
        Hanging(trade.payments),
        trade.follow_up,
        desk.runtime.people.alarms,
        trade.refused_callbacks,
    )
    async with asyncio.timeout(BOUND_S):
        assert await acting.act_due(5) == 1
    assert await paid(desk, opened)
    await desk.sound()


# The same told again under other payment numbers.
_MORE = """
INSERT INTO supplier_callback (merchant_id, id, supplier_id, attempt_no, address, query, headers,
    body, event, due_at, request_id, received_at, order_created_at)
SELECT merchant_id, gen_random_uuid(), supplier_id, attempt_no, address, query, headers, body,
       jsonb_set(event, '{upstream_no}', to_jsonb('U' || n)), due_at, request_id, received_at,
       order_created_at
FROM supplier_callback, generate_series(1, $1::integer) AS n
"""
