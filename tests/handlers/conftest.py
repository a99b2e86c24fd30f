"""The desk that the handlers' tests talk to."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest
from aiogram import Bot

from bot.first_use import make_ready
from core.kernel.money import Money
from core.parties.merchants import App, Merchant
from core.runtime import Runtime
from core.trade.orders import OpenOrder, Order, get_order
from handlers import Reactions, build_dispatcher
from tests.handlers.support import Desk, Line, sent


@pytest.fixture(scope="session", autouse=True)
def ready() -> None:
    """As a desk is that has started, and what its line to Telegram is made of here."""
    make_ready()
    sent(1, 1)


@pytest.fixture
async def desk(runtime: Runtime) -> AsyncIterator[Desk]:
    """A desk on the seeded demo database."""
    line = Line()
    bot = Bot("7000000001:AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA", session=line)
    reactions = Reactions(
        runtime.system, runtime.delivery, runtime.people, runtime.reports, bot, answer_within_s=0.0
    )
    desk = Desk(runtime, build_dispatcher(runtime, bot, reactions), bot, line, reactions)
    await desk.news()
    yield desk
    await reactions.stop()


@pytest.fixture
async def order(runtime: Runtime, shop: tuple[Merchant, App]) -> Order:
    """An order of M1001 for 100.00 CNY whose supplier nobody reaches."""
    merchant, app = shop
    opened = await runtime.trade.creation.open(
        app,
        OpenOrder("SPRUCE-2026-0001", Money(10_000, "CNY"), "alipay_qr", "A lamp", "203.0.113.9"),
        request_id="test",
    )
    return await get_order(runtime.system.store, merchant.id, opened.order.id)
