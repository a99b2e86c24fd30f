"""A silent supplier holds up nobody else's polls; old attempts are polled ever more rarely."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import replace
from datetime import timedelta

import pytest

from bot.loops import Crew
from core.connectors import Standing
from core.trade.orders import ASKING_HANDS, Attempt, ByHand, FollowUp, Opened, Order, get_attempts
from core.trade.orders.polls import Asking
from core.trade.orders.supplier_calls import SupplierCalls
from tests.core.support import Desk, completing, nothing
from tests.core.trade.orders.test_acceptances import held_by_somebody

LATE_S = 2.0
BOUND_S = 20.0
SILENT = 30


class HalfSilent(SupplierCalls):
    """S01 does not answer until it is over; the others say that nothing was paid yet."""

    def __init__(self) -> None:
        self.over = asyncio.Event()
        self.answered = asyncio.Event()
        self.held = 0

    async def standing(self, order: Order, attempt: Attempt, operation: str = "query") -> Standing:
        if attempt.supplier_no == "S01":
            self.held += 1
            await self.over.wait()
        else:
            self.answered.set()
        return Standing("pending", "")

    async def may_send_again(self, attempt: Attempt) -> bool:
        return False


def following(desk: Desk, calling: SupplierCalls) -> FollowUp:
    runtime = desk.runtime
    return FollowUp(
        runtime.system,
        runtime.supply.routing,
        calling,
        runtime.trade.creation,
        runtime.trade.payments,
    )


async def attempt_of(desk: Desk, opened: Opened) -> Attempt:
    (attempt,) = await get_attempts(desk.runtime.system.store, desk.merchant.id, opened.order.id)
    return attempt


async def test_a_silent_supplier_holds_up_nobody_elses_polls(desk: Desk) -> None:
    silent = [await desk.open(product="wechat_qr") for _ in range(SILENT)]
    other = await desk.open(product="bank_web")
    assert (await attempt_of(desk, silent[0])).supplier_no == "S01"
    assert (await attempt_of(desk, other)).supplier_no != "S01"
    calling = HalfSilent()
    crew = Crew(
        "askers", following(desk, calling).take_due, hands=ASKING_HANDS, idle_s=0.1
    )  # fmt: skip
    desk.clock.advance(11)
    crew.start()
    try:
        await asyncio.wait_for(calling.answered.wait(), LATE_S)
        assert 0 < calling.held <= 4
    finally:
        calling.over.set()
        await asyncio.wait_for(crew.stop(), BOUND_S)


async def test_an_old_attempt_is_asked_about_ever_more_rarely(desk: Desk) -> None:
    opened = await desk.open()
    calling = HalfSilent()
    calling.over.set()
    asking = following(desk, calling)
    gaps: list[timedelta] = []
    asked_at = desk.clock.now()
    while (
        due_at := await desk.runtime.system.store.fetchval("SELECT ask_at FROM attempt")
    ) is not None:
        assert len(gaps) < 50
        desk.clock.go_to(due_at)
        gaps.append(due_at - asked_at)
        asked_at = due_at
        assert await asking.ask_due(1) == 1
    rising = [round(gap.total_seconds(), 1) for gap in gaps]
    assert rising == sorted(rising)
    assert len(gaps) < 30, "in the day after its end"
    assert asked_at - opened.order.expires_at > timedelta(hours=18)


async def test_one_that_somebody_holds_is_put_off_later_than_the_others(desk: Desk) -> None:
    store, clock = desk.runtime.system.store, desk.runtime.system.clock
    opened = [await desk.open() for _ in range(4)]
    held, *others = [await attempt_of(desk, one) for one in opened]
    asking, at = Asking(store, clock), clock.now() + timedelta(minutes=7)
    async with asyncio.timeout(BOUND_S):
        async with held_by_somebody(desk, opened[0].order):
            mine = asyncio.create_task(asking.put_off(held, at, "wait"))
            await asyncio.gather(*(asking.put_off(one, at, "wait") for one in others))
            assert not mine.done()
        await mine
    for one, before in zip(opened, (held, *others), strict=True):
        after = await attempt_of(desk, one)
        assert after == replace(before, said="wait", asked=before.asked + 1, ask_at=at)


async def booked(desk: Desk, opened: Opened) -> None:
    await desk.see(opened, 10000)


async def completed(desk: Desk, opened: Opened) -> None:
    await completing(desk.runtime).complete(
        desk.merchant.id, opened.order.id, None, ByHand("seen", 1004, "Wang", 1),
        request_id="c", also=nothing,
    )  # fmt: skip


@pytest.mark.parametrize("change", [booked, completed])
async def test_an_answer_that_comes_late_puts_off_nothing_that_changed_meanwhile(
    desk: Desk, change: Callable[[Desk, Opened], Awaitable[None]]
) -> None:
    """A callback was booked, and nobody is to ask again; or somebody completed the order, and its
    supplier is to be asked anew."""
    store, clock = desk.runtime.system.store, desk.runtime.system.clock
    opened, other = await desk.open(), await desk.open()
    before = [await attempt_of(desk, one) for one in (opened, other)]
    await change(desk, opened)
    changed = await attempt_of(desk, opened)
    asking = Asking(store, clock)
    for ask_at in (clock.now() + timedelta(minutes=7), None):
        await asyncio.gather(*(asking.put_off(one, ask_at, "late") for one in before))
        assert await attempt_of(desk, opened) == changed
        assert (await attempt_of(desk, other)).ask_at == ask_at
        before[1] = await attempt_of(desk, other)
