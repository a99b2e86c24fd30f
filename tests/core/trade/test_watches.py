"""A message that asked about orders is told of once all of them are paid."""

from __future__ import annotations

from core.runtime import Runtime
from core.trade.orders import Opened, OrderKey
from core.trade.watches import KEPT
from tests.core.support import CHAT, OPS_CHAT, Desk


class Listener:
    """Hears of messages: in which chat, and which."""

    def __init__(self, runtime: Runtime) -> None:
        self.begun: list[tuple[int, int]] = []
        self.paid: list[tuple[int, int]] = []
        runtime.trade.watches.look_on(
            lambda *message: self.begun.append(message), lambda *message: self.paid.append(message)
        )


def key_of(opened: Opened) -> OrderKey:
    return OrderKey(opened.order.merchant_id, opened.order.id)


async def settle(desk: Desk, *opened: Opened) -> None:
    async with desk.runtime.system.store.transaction() as tx:
        await desk.runtime.trade.watches.settle(tx, [key_of(one) for one in opened])


async def test_it_is_paid_when_all_that_it_asked_about_is(desk: Desk) -> None:
    heard, watches = Listener(desk.runtime), desk.runtime.trade.watches
    one, other = await desk.open(), await desk.open()
    await watches.begin(CHAT, 5, [key_of(one), key_of(other)])
    await watches.begin(CHAT, 5, [key_of(one), key_of(other)])  # delivered again
    await watches.begin(OPS_CHAT, 5, [key_of(one)])
    assert heard.begun == [(CHAT, 5), (CHAT, 5), (OPS_CHAT, 5)]
    await settle(desk, one, other)
    assert heard.paid == [], "nothing is paid yet"
    await desk.see(one, 10_000)
    await settle(desk, one, other)
    assert heard.paid == [(OPS_CHAT, 5)]
    await desk.see(other, 10_000)
    await settle(desk, one, other)
    await settle(desk, one, other)
    assert heard.paid == [(OPS_CHAT, 5), (CHAT, 5)]


async def test_what_is_paid_already_is_told_at_once(desk: Desk) -> None:
    heard, watches = Listener(desk.runtime), desk.runtime.trade.watches
    opened = await desk.open()
    await desk.see(opened, 10_000)
    await watches.begin(CHAT, 5, [key_of(opened)])
    await watches.begin(CHAT, 6, [])
    assert (heard.begun, heard.paid) == ([], [(CHAT, 5)])
    assert await watches.forget_old() == 0


async def test_a_payment_is_found_whoever_looks_for_changes(desk: Desk) -> None:
    """Whichever process heard the message: what it watches is in the database."""
    opened = await desk.open()
    await desk.runtime.trade.watches.begin(CHAT, 5, [key_of(opened)])
    await desk.runtime.reports.changes.show()
    heard = Listener(desk.runtime)
    await desk.see(opened, 10_000)
    await desk.runtime.reports.changes.show()
    assert heard.paid == [(CHAT, 5)]


async def test_nobody_waits_for_ever(desk: Desk) -> None:
    heard, watches = Listener(desk.runtime), desk.runtime.trade.watches
    opened = await desk.open()
    await watches.begin(CHAT, 5, [key_of(opened)])
    desk.clock.advance(KEPT.total_seconds() - 1)
    assert await watches.forget_old() == 0
    desk.clock.advance(2)
    assert await watches.forget_old() == 1
    await desk.see(opened, 10_000)
    await settle(desk, opened)
    assert heard.paid == []
