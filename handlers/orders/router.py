"""Looking orders up, and the buttons of their cards."""

from __future__ import annotations

from typing import Final
from uuid import UUID

from aiogram import Router
from aiogram.types import CallbackQuery, Message

from core.kernel.errors import Refusal
from core.kernel.ids import read_number, uuid7_time
from core.people.actors import Actor
from core.runtime import Runtime
from core.system.throttle import Limit
from core.trade.orders import Order, OrderKey, get_order
from handlers.kit.context import Press, Presses, Wants, refuse, request_id, say_refusal
from handlers.kit.refusals import toast
from handlers.orders.buttons import OnCard
from handlers.orders.numbers import MAX_SHOWN, MAX_WORDS, NumberWord, numbers_replied_to
from handlers.orders.trace import tell_calls, tell_why
from handlers.orders.words import LookUp

# How often one order may be asked about at its supplier by button.
ASK_LIMIT: Final = Limit(times=1, window_s=3)
RIGHT_FOR: Final = {
    "ask": "look_up", "complete": "complete", "notify": "renotify",
    "why": "see_channel", "log": "see_channel",
}  # fmt: skip


def router() -> Router:
    """How does this order stand?"""
    routes = Router(name="lookup")
    routes.message.register(look_up, Wants(LookUp))
    routes.callback_query.register(press_card, Presses(OnCard))
    return routes


async def look_up(message: Message, intent: LookUp, actor: Actor, runtime: Runtime) -> None:
    """A card for each order that is meant; without a word, by the message this replies to.

    A command is always answered. In talk only orders that exist are, and our own numbers, which
    nobody writes by chance.
    """
    words = intent.words or _replied_to(message)
    if intent.talk and not any(word.ours for word in words) and not actor.may("look_up"):
        return
    if not words:
        actor.need("look_up")
        facts = {"command": "order", "why": ""}
        await refuse(runtime, actor, "usage", facts, message, alone=True)
        return
    asked = dict.fromkeys(n for word in words for reading in word.readings for n in reading)
    found = await runtime.trade.lookups.find(actor, list(asked))
    meant = list(dict.fromkeys(number for word in words for number in word.meant(found)))
    orders = list(dict.fromkeys(key for number in meant for key in found.get(number, ())))
    if unknown := _to_tell(intent, [number for number in meant if number not in found], orders):
        number = ", ".join(unknown[:MAX_SHOWN])
        refusal = Refusal("order_not_found", number=number)
        await say_refusal(runtime, actor, refusal, message)
    await runtime.trade.lookups.show(actor, orders[:MAX_SHOWN], reply_to=message.message_id)
    if len(orders) > MAX_SHOWN or (len(words) == MAX_WORDS and not intent.talk):
        await say_refusal(runtime, actor, Refusal("too_many_numbers", limit=MAX_SHOWN), message)


def _replied_to(message: Message) -> tuple[NumberWord, ...]:
    """What may be a number in the message that is replied to, or in the part of it that is
    quoted."""
    replied, quote = message.reply_to_message, message.quote
    words = numbers_replied_to(quote.text) if quote is not None else ()
    if not words and replied is not None:
        words = numbers_replied_to(replied.text or replied.caption or "")
    return words


def _to_tell(intent: LookUp, unknown: list[str], orders: list[OrderKey]) -> list[str]:
    """Which of the numbers that mean no order are spoken of. What has no digit may have been a
    word, as long as something else was meant; so may whatever stands in a message replied to."""
    if intent.talk:
        return [number for number in unknown if read_number(number) is not None]
    if not intent.words:
        return [] if orders else unknown
    figured = [number for number in unknown if any(c.isdigit() for c in number)]
    return figured if figured or orders else unknown


async def press_card(
    query: CallbackQuery, button: OnCard, actor: Actor, press: Press, runtime: Runtime
) -> None:
    """Ask the supplier, tell how to complete, tell the merchant's server again; or show staff
    among themselves why it went where it went (why), and what was said there (log)."""
    right = RIGHT_FOR[button.action]
    actor.need(right)
    if right == "see_channel" and actor.merchant_ids is not None:
        raise Refusal("staff_only")
    order = await _order(runtime, actor, button.order_id)
    match button.action:
        case "why" | "log":
            if query.message is not None:
                show = tell_why if button.action == "why" else tell_calls
                await show(runtime, actor, order, query.message.message_id)
        case "ask":
            await _ask(query, actor, press, runtime, order)
        case "complete":
            facts = {"order_no": order.order_no}
            await press.answer(toast("how_to_complete", facts, actor.language), alert=True)
        case "notify":
            await runtime.trade.notifications.resend(order.merchant_id, order.id)
            await press.answer(toast("notified_again", {}, actor.language))


async def _ask(
    query: CallbackQuery, actor: Actor, press: Press, runtime: Runtime, order: Order
) -> None:
    wait_s = await runtime.system.throttle.room({f"ask:{order.id}": ASK_LIMIT})
    if wait_s > 0:
        raise Refusal("rate_limited", retry_after_s=max(1, round(wait_s)))
    standing = await runtime.trade.follow_up.ask(
        order.merchant_id, order.id, request_id=request_id(query.message)
    )
    await press.answer(toast("supplier_says", {"state": standing.state}, actor.language))


async def _order(runtime: Runtime, actor: Actor, order_id: UUID) -> Order:
    """The order of a card, among those this actor sees. Refusals: order_not_found."""
    unknown = Refusal("order_not_found", number=order_id.hex[:8])
    try:
        created_at = uuid7_time(order_id)
    except OverflowError:  # no id of ours: its time lies beyond all calendars
        raise unknown from None
    scope = None if actor.merchant_ids is None else list(actor.merchant_ids)
    found = await runtime.system.store.fetchval(
        "SELECT merchant_id FROM orders"
        " WHERE merchant_id = ANY(coalesce($1::uuid[], ARRAY(SELECT id FROM merchant)))"
        " AND id = $2 AND created_at = $3",
        scope, order_id, created_at,
    )  # fmt: skip
    if found is None:
        raise unknown
    return await get_order(runtime.system.store, found, order_id)
