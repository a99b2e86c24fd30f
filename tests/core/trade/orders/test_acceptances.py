"""What suppliers accept at once is written together; who holds an order holds up no other."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import datetime
from typing import Any, cast

from core.connectors import Pay
from core.system.store import Store
from core.trade.orders import Attempt, Order, get_attempts, get_order
from core.trade.orders.acceptances import Acceptance, Acceptances
from core.trade.orders.moves import move_order
from core.trade.orders.rows import lock_order
from tests.core.support import Desk
from tests.core.trade.orders.test_new_orders import draft_of, new_orders_of, shops

BOUND_S = 20.0


async def sent(desk: Desk) -> tuple[Order, Attempt]:
    """An order whose attempt is on its way."""
    draft = await draft_of(desk)
    written = await new_orders_of(desk).write(draft)
    assert written.said == "opened"
    return draft.order, draft.attempt


def yes(at: datetime, name: str = "one") -> Acceptance:
    return Acceptance(f"S-{name}", Pay("url", f"https://pay.example/{name}"), at, name)


class Counted:
    """A store that keeps how much is accepted in one question."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self.together: list[int] = []

    def __getattr__(self, name: str) -> Any:
        return getattr(self._store, name)

    async def fetch(self, sql: str, asked: list[object], *args: object) -> Any:
        self.together.append(len(asked))
        return await self._store.fetch(sql, asked, *args)


@asynccontextmanager
async def held_by_somebody(desk: Desk, order: Order) -> AsyncIterator[None]:
    holding, release = asyncio.Event(), asyncio.Event()

    async def hold() -> None:
        async with desk.runtime.system.store.transaction() as tx:
            await lock_order(tx, order.merchant_id, order.id)
            holding.set()
            await release.wait()

    task = asyncio.create_task(hold())
    await holding.wait()
    try:
        yield
    finally:
        release.set()
        await task


def acceptances_of(desk: Desk) -> Acceptances:
    return Acceptances(desk.runtime.system.store, desk.runtime.system.ids)


async def moves_of(desk: Desk, number: str) -> list[str]:
    rows = await desk.runtime.system.store.fetch(
        "SELECT move FROM attempt_history WHERE attempt_no = $1 ORDER BY id", number
    )
    return [row["move"] for row in rows]


async def test_many_merchants_go_together_and_each_has_its_own(desk: Desk) -> None:
    store, now = desk.runtime.system.store, desk.runtime.system.clock.now()
    waiting = [await sent(place) for place in await shops(desk)]
    counted = Counted(store)
    acceptances = Acceptances(cast(Store, counted), desk.runtime.system.ids)
    async with asyncio.timeout(BOUND_S):
        came = await asyncio.gather(
            *(
                acceptances.write(order, attempt, yes(now, attempt.attempt_no))
                for order, attempt in waiting
            )
        )
    assert counted.together == [len(waiting)]
    for (order, attempt), written in zip(waiting, came, strict=True):
        assert written is not None
        assert (written[0].state, written[0].version) == ("pending", 2)
        assert written[1].upstream_no == f"S-{attempt.attempt_no}"
        assert await get_order(store, order.merchant_id, order.id) == written[0]
        assert await get_attempts(store, order.merchant_id, order.id) == [written[1]]
        assert await moves_of(desk, attempt.attempt_no) == ["create", "send", "accept"]
    await desk.sound()


async def test_an_order_that_somebody_holds_holds_up_no_other(desk: Desk) -> None:
    now = desk.runtime.system.clock.now()
    held, *others = [await sent(place) for place in await shops(desk)]
    acceptances = acceptances_of(desk)
    async with asyncio.timeout(BOUND_S):
        async with held_by_somebody(desk, held[0]):
            mine = asyncio.create_task(acceptances.write(*held, yes(now)))
            theirs = await asyncio.gather(*(acceptances.write(*one, yes(now)) for one in others))
            assert not mine.done()
        assert await mine is not None
    assert None not in theirs


async def test_an_attempt_that_is_accepted_twice_moves_once(desk: Desk) -> None:
    now = desk.runtime.system.clock.now()
    order, attempt = await sent(desk)
    acceptances = acceptances_of(desk)
    async with asyncio.timeout(BOUND_S):
        came = await asyncio.gather(
            *(acceptances.write(order, attempt, yes(now, name)) for name in ("one", "two"))
        )
        assert await acceptances.write(order, attempt, yes(now, "three")) is None
    assert sorted(written is None for written in came) == [False, True]
    assert await moves_of(desk, attempt.attempt_no) == ["create", "send", "accept"]
    await desk.sound()


async def test_an_attempt_is_payable_though_its_order_has_ended(desk: Desk) -> None:
    store, now = desk.runtime.system.store, desk.runtime.system.clock.now()
    order, attempt = await sent(desk)
    async with store.transaction() as tx:
        await move_order(tx, order, "expire", at=now, actor="timetable", facts={})
    assert await acceptances_of(desk).write(order, attempt, yes(now)) is None
    assert (await get_order(store, order.merchant_id, order.id)).state == "expired"
    (there,) = await get_attempts(store, order.merchant_id, order.id)
    assert (there.state, there.upstream_no) == ("accepted", "S-one")
