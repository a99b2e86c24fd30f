"""What a card says at the moment it is painted."""

from __future__ import annotations

from datetime import timedelta

from bot.painter import Painter
from core.kernel.days import Days
from core.kernel.money import Money, Rate
from core.kernel.tariff import Tariff
from core.parties.merchants import App, Merchant
from core.people.receipts import Cause
from core.runtime import Runtime
from core.trade.orders import OpenOrder, PaymentSeen, get_attempts
from tests.core.support import ADMIN, CHAT, OPS_CHAT, SetClock


async def test_a_card_shows_what_the_order_is_charged_now(
    runtime: Runtime, clock: SetClock, shop: tuple[Merchant, App]
) -> None:
    merchant, app = shop
    clock.go_to_noon()
    opened = await runtime.trade.creation.open(
        app, OpenOrder("N-1", Money(10_000, "CNY"), "alipay_qr", "x", "::1"), request_id="r"
    )
    (attempt, *_) = await get_attempts(runtime.system.store, merchant.id, opened.order.id)
    seen = PaymentSeen(merchant.id, attempt.attempt_no, "U1", Money(10_000, "CNY"), "reported")
    await runtime.trade.payments.settle_payment(seen, request_id="r")
    first = merchant.day_cut.day_of(clock.now())
    clock.go_to(clock.now() + timedelta(days=1))
    tariff, days = Tariff.flat(Rate(10_000)), Days.one(first)

    painter = Painter(runtime)
    for chat_id in (CHAT, OPS_CHAT):
        card = await painter.card(chat_id, merchant.id, opened.order.id)
        assert card is not None
        assert "手续费 1.20 · 净额 98.80" in card.html
        assert ("成本 0.65 · 利润 0.55" in card.html) == (chat_id == OPS_CHAT)

    view = await runtime.accounts.reratings.preview(merchant, "alipay_qr", days, tariff)
    actor = await runtime.people.access.actor(ADMIN, "x", CHAT, private=False)
    await runtime.accounts.reratings.apply(
        actor, merchant, "alipay_qr", days, tariff, view.seen, Cause(CHAT, 1, 0)
    )
    for chat_id in (CHAT, OPS_CHAT):
        card = await painter.card(chat_id, merchant.id, opened.order.id)
        assert card is not None
        assert "手续费 1.00 · 净额 99.00" in card.html
        assert ("成本 0.65 · 利润 0.35" in card.html) == (chat_id == OPS_CHAT)
