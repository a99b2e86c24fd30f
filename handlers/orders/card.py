"""An order's card: as staff and its merchant see it, and as its supplier does."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from gettext import NullTranslations
from typing import Final
from uuid import UUID

from aiogram.types import InlineKeyboardButton

from core.supply.channels import Product
from core.trade.orders import Attempt, Order
from handlers.kit.screen import Row, Screen, button, copy_button, fill, in_rows, keyboard
from handlers.orders.buttons import RIGHT_FOR, Action, OnCard
from texts import translator

# What the timetable no longer asks about is still asked by hand: late money is money.
ICONS: Final = {
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
ATTEMPT_ICONS: Final = {
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
    charged now; a re-rating may have changed it. rights: of whom the buttons are for: in private of
    who reads, in ops groups of all staff, elsewhere of the merchant's own people.
    """

    merchant_no: str
    merchant_name: str
    products: Mapping[str, Product]
    notification: str
    zone: str
    label: str
    staff: bool
    fee_minor: int | None
    rights: frozenset[str]


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
        "icon": ICONS[order.standing],
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
    return Screen(html=fill("card", facts, language), keyboard=keyboard(*rows))


def render_supplier_card(
    order: Order, attempts: Sequence[Attempt], zone: str, language: str
) -> Screen:
    """What a supplier knows of an order: its own attempts, nothing of the merchant or our terms.

    attempts: at this supplier, the oldest first. zone: IANA, of the chat.
    """
    facts = {
        "attempts": attempts,
        "icons": ATTEMPT_ICONS,
        "mode": order.mode,
        "paid_at": order.paid_at,
        "zone": zone,
    }
    numbers = [number for one in attempts for number in (one.attempt_no, one.upstream_no) if number]
    copies = [(copy_button(number),) for number in dict.fromkeys(numbers)]
    return Screen(html=fill("supplier_card", facts, language), keyboard=keyboard(*copies))


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


def actions_of(order: Order, attempts: Sequence[Attempt], news: str) -> tuple[Action, ...]:
    """What can be done about an order as it stands, whoever may. news: what its merchant's server
    was told, as of `CardContext.notification`."""
    if order.open_to_money:
        asked = order.mode == "live" and not order.settled
        asked = asked and any(not attempt.unsent for attempt in attempts)
        return ("ask", "chase", "complete") if asked else ("ask", "complete")
    told: tuple[Action, ...] = ("notify",) if news in ("pending", "exhausted", "delivered") else ()
    return (*told, "refund") if order.state in ("paid", "partially_refunded") else told


def hidden_actions(actions: Sequence[Action], rights: Collection[str]) -> tuple[Action, ...]:
    """Those of a card's actions that nobody with these rights alone may do."""
    return tuple(action for action in actions if RIGHT_FOR[action] not in rights)


def action_button(
    order_id: UUID, action: Action, translate: NullTranslations
) -> InlineKeyboardButton:
    """What does it, in a few words."""
    labels: dict[Action, str] = {
        "ask": translate.gettext("🔄 Refresh"),
        "chase": translate.gettext("📨 Ask the supplier"),
        "complete": translate.gettext("✍️ Complete"),
        "notify": translate.gettext("🔔 Notify again"),
        "refund": translate.gettext("↩️ Refund"),
        "why": translate.gettext("🧭 Why"),
        "log": translate.gettext("📜 Log"),
        "more": translate.gettext("⋯ More"),
    }
    return button(labels[action], OnCard(order_id, action))


def _buttons(
    order: Order, attempts: Sequence[Attempt], context: CardContext, language: str
) -> list[Row]:
    """Each where what it does can be done, and by somebody who reads along: where others than staff
    do, staff has the rest behind `more`. Whoever presses is asked for the right in any case."""
    every = actions_of(order, attempts, context.notification)
    hidden = hidden_actions(every, context.rights)
    shown: list[Action] = [action for action in every if action not in hidden]
    if hidden and not context.staff:
        shown.append("more")
    tracing: list[Action] = []
    if context.staff and attempts:
        tracing = [one for one in ("why", "log") if RIGHT_FOR[one] in context.rights]
    translate = translator(language)
    return [
        row
        for actions in (shown, tracing)
        for row in in_rows([action_button(order.id, one, translate) for one in actions], 2)
    ]
