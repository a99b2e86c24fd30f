"""A merchant that is stuck holds up nobody else's payments."""

from __future__ import annotations

import asyncio

import asyncpg

from bot.loops import Crew
from core.trade.callbacks import HANDS
from core.trade.orders import Opened
from tests.conftest import Servers
from tests.core.support import Desk, pay_link
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
    await desk.supplier.pay(pay_link(stuck), "paid")
    await desk.entrance.wait(1)
    await desk.runtime.system.store.execute(_MORE, STUCK)
    await desk.supplier.pay(pay_link(other), "paid")
    await desk.entrance.wait(2)
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
    await desk.supplier.pay(pay_link(opened), "paid")
    await desk.entrance.wait(1)
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


# The same told again under other payment numbers.
_MORE = """
INSERT INTO supplier_callback (merchant_id, id, supplier_id, attempt_no, address, query, headers,
    body, event, due_at, request_id, received_at, order_created_at)
SELECT merchant_id, gen_random_uuid(), supplier_id, attempt_no, address, query, headers, body,
       jsonb_set(event, '{upstream_no}', to_jsonb('U' || n)), due_at, request_id, received_at,
       order_created_at
FROM supplier_callback, generate_series(1, $1::integer) AS n
"""
