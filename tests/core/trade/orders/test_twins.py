"""A call that asks for an order while another one sends it: woken at once, and cheap."""

from __future__ import annotations

import asyncio
import time
from contextlib import nullcontext
from dataclasses import replace
from typing import Any, cast
from uuid import uuid4

from core.connectors import Accepted
from core.system.store import Store
from core.trade.district import build_creation
from core.trade.orders import Creation, Opened, SupplierCalls, get_attempts
from core.trade.orders.twins import Twins
from tests.core.support import Desk, books_of, wanted

SOON_S = 10.0


class Counted:
    """A store that counts what is asked of it outside of transactions."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self.asked = 0
        self.news = asyncio.Condition()

    def __getattr__(self, name: str) -> Any:
        return getattr(self._store, name)

    async def fetch(self, *args: Any) -> Any:
        return await self._counted(self._store.fetch(*args))

    async def fetchrow(self, *args: Any) -> Any:
        return await self._counted(self._store.fetchrow(*args))

    async def _counted(self, question: Any) -> Any:
        answer = await question
        async with self.news:
            self.asked += 1
            self.news.notify_all()
        return answer


def another_desk(desk: Desk, store: Store) -> Creation:
    """The same business in another process, as far as opening goes."""
    runtime = desk.runtime
    calling = SupplierCalls(
        runtime.supply.market,
        runtime.parties.calls,
        runtime.system.clock,
        lambda: uuid4().hex,
        runtime.trade.addresses,
    )
    return build_creation(
        replace(runtime.system, store=store),
        books_of(runtime),
        runtime.supply.routing,
        calling,
        runtime.trade.payments,
    )


async def test_news_wakes_those_who_wait_for_it_and_nobody_else() -> None:
    twins, ours, theirs = Twins(nullcontext), uuid4(), uuid4()
    woken = [asyncio.create_task(twins.wait(ours, SOON_S)) for _ in range(3)]
    other = asyncio.create_task(twins.wait(theirs, 0.05))
    await asyncio.sleep(0)
    twins.tell(ours)
    assert await asyncio.gather(*woken) == [True] * 3
    assert not await other
    assert not await twins.wait(ours, 0.01), "what was told before is no news"


async def test_a_twin_in_this_process_is_answered_with_the_call_that_sends(desk: Desk) -> None:
    # Between two looks, 1.2 s apart by then: who looks only is a second late.
    await desk.supplier.fault("create", "late", delay_s=2.2)
    asked = wanted()
    ended: list[float] = []

    async def call() -> Opened:
        opened = await desk.runtime.trade.creation.open(desk.app, asked, request_id="t")
        ended.append(time.monotonic())
        return opened

    opened = await asyncio.gather(*(call() for _ in range(8)))
    assert {o.order.state for o in opened} == {"pending"}
    assert max(ended) - min(ended) < 0.7


async def test_a_twin_in_another_process_looks_ever_more_rarely(desk: Desk) -> None:
    opened = await desk.open()
    (attempt,) = await get_attempts(desk.runtime.system.store, desk.merchant.id, opened.order.id)
    assert attempt.pay is not None
    await desk.runtime.system.store.execute("UPDATE orders SET state = 'created'")
    await desk.runtime.system.store.execute(
        "UPDATE attempt SET state = 'sent', pay_kind = NULL, pay_value = NULL"
    )
    store = Counted(desk.runtime.system.store)
    there = another_desk(desk, cast(Store, store))
    asked = wanted(merchant_order_no=opened.order.merchant_order_no, subject=opened.order.subject)
    twin = asyncio.create_task(there.open(desk.app, asked, request_id="twin"))
    began = time.monotonic()
    first = 4  # what was to be written, the key, the order, its attempts
    async with asyncio.timeout(SOON_S), store.news:
        await store.news.wait_for(lambda: store.asked >= first + 4)
    # Four looks, one statement each: it used to be 20 looks of two in this time.
    assert time.monotonic() - began >= 0.25 * (1 + 1.5 + 1.5**2 + 1.5**3)
    assert store.asked == first + 4
    order = await desk.order(opened)
    await desk.runtime.trade.creation.take_answer(
        order, attempt, Accepted(attempt.upstream_no, attempt.pay), request_id="answer"
    )
    async with asyncio.timeout(SOON_S):
        assert (await twin).order.state == "pending"
    assert store.asked == first + 5 + 2, "it is read anew when it changed"
