"""An order's card: as staff and its merchant see it, and as its supplier does."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from core.supply.channels import Product
from core.trade.orders import Attempt, Order
from handlers.kit.screen import Row, Screen, button, copy_button, fill, keyboard
from handlers.orders.buttons import OnCard
from texts import translator

# What the timetable no longer asks about is still asked by hand: late money is money.
_ICONS: Final = {
    "created": "🕓",
    "pending": "⏳",
    "paid": "✅",
    "failed": "❌",
    "expired": "⌛",
    "closed": "🚫",
    "partially_refunded": "↩️",
    "refunded": "↩️",
    "late": "✅",
    "completed": "☑️",
    "disputed": "⚠️",
}
_ATTEMPT_ICONS: Final = {
    "created": "🕓",
    "sent": "⏳",
    "accepted": "⏳",
    "rejected": "❌",
    "unknown": "❓",
    "paid": "✅",
    "failed": "❌",
    "closed": "🚫",
}


@dataclass(frozen=True, slots=True)
class CardContext:
    """What a card needs beside the order.

    products: by code. notification: none | pending | delivered | exhausted. zone: IANA, of the
    chat. label: what the group calls prepayments. staff: only staff reads along (ops groups,
    private chats), so that channel and supplier may be shown. fee_minor: what the order is
    charged now; a re-rating may have changed it.
    """

    merchant_no: str
    merchant_name: str
    products: Mapping[str, Product]
    notification: str
    zone: str
    label: str
    staff: bool
    fee_minor: int | None


def render_card(
    order: Order, attempts: list[Attempt], context: CardContext, language: str
) -> Screen:
    """The order as it stands. attempts: the oldest first."""
    name = order.terms.product_code if order.terms else ""
    product = context.products.get(name)
    if product is not None:
        name = product.name_zh if language == "zh" else product.name_en
    fee_minor = context.fee_minor
    facts = {
        "order": order,
        "icon": _ICONS[order.standing],
        "currency": order.amount.currency,
        "amount_minor": order.amount.minor,
        "fee_minor": fee_minor,
        "net_minor": None if fee_minor is None else order.amount.minor - fee_minor,
        "product": name,
        "context": context,
        "attempt": _shown(order, attempts) if context.staff else None,
        "tries": len(attempts),
        "margin_minor": _margin(order, fee_minor) if context.staff else None,
    }
    numbers = dict.fromkeys((order.order_no, order.merchant_order_no))
    rows = [tuple(copy_button(number) for number in numbers)]
    rows += _buttons(order, attempts, context, language)
    if context.staff and attempts:
        rows.append(_tracing(order, language))
    return Screen(html=fill("card", facts, language), keyboard=keyboard(*rows))


def render_supplier_card(
    order: Order, attempts: Sequence[Attempt], zone: str, language: str
) -> Screen:
    """What a supplier knows of an order: its own attempts, nothing of the merchant or our terms.

    attempts: at this supplier, the oldest first. zone: IANA, of the chat.
    """
    facts = {
        "attempts": attempts,
        "icons": _ATTEMPT_ICONS,
        "mode": order.mode,
        "paid_at": order.paid_at,
        "zone": zone,
    }
    return Screen(html=fill("supplier_card", facts, language))


def _shown(order: Order, attempts: list[Attempt]) -> Attempt | None:
    """The attempt that was paid, else the one that can be, else the last."""
    wanted = order.paid_attempt_no or order.live_attempt_no
    named = [a for a in attempts if a.attempt_no == wanted]
    return next(iter(named or attempts[-1:]), None)


def _margin(order: Order, fee_minor: int | None) -> int | None:
    """The fee less what the supplier charges; None until both are known."""
    if fee_minor is None or order.cost_minor is None or not order.settled or order.disputed:
        return None
    return fee_minor - order.cost_minor


def _buttons(
    order: Order, attempts: Sequence[Attempt], context: CardContext, language: str
) -> list[Row]:
    """Each where what it does can be done."""
    translate = translator(language).gettext
    if order.open_to_money:
        refresh = button(translate("🔄 Refresh"), OnCard(order.id, "ask"))
        chase = button(translate("📨 Ask the supplier"), OnCard(order.id, "chase"))
        complete = button(translate("✍️ Complete"), OnCard(order.id, "complete"))
        asked = order.mode == "live" and not order.settled
        asked = asked and any(not attempt.unsent for attempt in attempts)
        return [(refresh, chase), (complete,)] if asked else [(refresh, complete)]
    notify = button(translate("🔔 Notify again"), OnCard(order.id, "notify"))
    refund = button(translate("↩️ Refund"), OnCard(order.id, "refund"))
    told = context.notification in ("pending", "exhausted", "delivered")
    back = context.staff and order.state in ("paid", "partially_refunded")
    return [(*((notify,) if told else ()), *((refund,) if back else ()))]


def _tracing(order: Order, language: str) -> Row:
    """For staff among themselves: what became of it at suppliers."""
    translate = translator(language).gettext
    return (
        button(translate("🧭 Why"), OnCard(order.id, "why")),
        button(translate("📜 Log"), OnCard(order.id, "log")),
    )
