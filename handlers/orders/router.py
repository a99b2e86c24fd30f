"""Looking orders up, and the buttons of their cards."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from aiogram import Router
from aiogram.types import CallbackQuery, Message

from core.books import Ledger
from core.kernel.errors import Refusal
from core.kernel.ids import read_number
from core.people.people import ROLES
from core.reports.district import Reports
from core.system.district import System
from core.system.throttle import Limit
from core.trade.district import Trade
from core.trade.enquiries import Said
from core.trade.orders import Order, OrderKey
from handlers.desk.screens import usage_of
from handlers.kit.chat import Chat, request_id
from handlers.kit.commands import CommandTable
from handlers.kit.context import Press, Presses, Wants
from handlers.kit.relayed import said_in
from handlers.orders.buttons import RIGHT_FOR, OnCard
from handlers.orders.card import actions_of, hidden_actions
from handlers.orders.numbers import MAX_SHOWN, MAX_WORDS, replied_to
from handlers.orders.screens import CardActions, NearMissNotice
from handlers.orders.toasts import notified_again, reason_wanted, supplier_asked, supplier_says
from handlers.orders.trace import tell_calls, tell_why
from handlers.orders.words import LookUp

# How often one order may be asked about at its supplier by button.
ASK_LIMIT: Final = Limit(times=1, window_s=3)
# How often what somebody writes is compared with numbers that are near it, and how often they are
# told.
NEAR_LIMIT: Final = Limit(times=6, window_s=60)
HINT_LIMIT: Final = Limit(times=1, window_s=60)


def add_routes(routes: Router) -> None:
    """How does this order stand?"""
    routes.message.register(look_up, Wants(LookUp))
    routes.callback_query.register(press_card, Presses(OnCard))


async def look_up(
    message: Message,
    chat: Chat,
    intent: LookUp,
    trade: Trade,
    commands: CommandTable,
    system: System,
) -> None:
    """A card for each order that is meant; without a word, by the message this replies to.

    A command is always answered. In talk only orders that exist are, and our own numbers, which
    nobody writes by chance. Who is one slip away from a number is told so alone.
    """
    words = intent.words or replied_to(message)
    if intent.talk and not any(word.ours for word in words) and not chat.actor.may("look_up"):
        return
    if not words:
        chat.actor.need("look_up")
        await chat.refuse(usage_of(commands.named("order"), chat.actor), alone=True)
        return
    asked = dict.fromkeys(n for word in words for reading in word.readings for n in reading)
    found = await trade.lookups.find(chat.actor, list(asked))
    meant = list(dict.fromkeys(number for word in words for number in word.meant(found)))
    orders = list(dict.fromkeys(key for number in meant for key in found.get(number, ())))
    missing = [number for number in meant if number not in found]
    unknown = _to_tell(intent, missing, orders)
    hinted = await _hint(chat, missing if intent.talk else unknown, trade, system)
    if unknown := [number for number in unknown if number != hinted]:
        number = ", ".join(unknown[:MAX_SHOWN])
        await chat.refuse_with(Refusal("order_not_found", number=number))
    said = said_in(message, chat.actor.name)
    # A merchant that sends a picture along asks whether its order is paid. Elsewhere a picture may
    # be anything, and stays where it is.
    if said.media and chat.actor.may("chase") and chat.actor.in_merchants_group:
        await trade.enquiries.ask(chat.actor, orders[:MAX_SHOWN], said)
    await trade.lookups.show(chat.actor, orders[:MAX_SHOWN], reply_to=chat.message_id)
    if len(orders) > MAX_SHOWN or (len(words) == MAX_WORDS and not intent.talk):
        await chat.refuse_with(Refusal("too_many_numbers", limit=MAX_SHOWN))


def _to_tell(intent: LookUp, unknown: list[str], orders: list[OrderKey]) -> list[str]:
    """Which of the numbers that mean no order are spoken of. What has no digit may have been a
    word, as long as something else was meant; so may whatever stands in a message replied to."""
    if intent.talk:
        return [number for number in unknown if read_number(number) is not None]
    if not intent.words:
        return [] if orders else unknown
    figured = [number for number in unknown if any(c.isdigit() for c in number)]
    return figured if figured or orders else unknown


async def _hint(chat: Chat, missing: Sequence[str], trade: Trade, system: System) -> str | None:
    """Tell who speaks what they probably meant by the first of these numbers, which nothing has.
    The number, where they are told; None where nothing is near, or they were told a moment ago."""
    written = next((number for number in missing if any(c.isdigit() for c in number)), None)
    if written is None or not chat.actor.may("look_up"):
        return None
    asks, told = (f"{of}:{chat.id}:{chat.actor.user_id}" for of in ("near", "hint"))
    if await system.throttle.room({asks: NEAR_LIMIT}) > 0:
        return None
    near = await trade.lookups.near(chat.actor, written)
    if not near or await system.throttle.room({told: HINT_LIMIT}) > 0:
        return None
    await chat.whisper(NearMissNotice(written, near))
    return written


async def press_card(
    _: CallbackQuery,
    chat: Chat,
    button: OnCard,
    press: Press,
    trade: Trade,
    system: System,
    reports: Reports,
    ledger: Ledger,
) -> None:
    """Ask the supplier, ask why to complete or refund, tell the merchant's server again; or show
    staff among themselves why it went where it went (why), and what was said there (log)."""
    actor, right = chat.actor, RIGHT_FOR[button.action]
    actor.need(right)
    if right == "see_channel" and actor.merchant_ids is not None:
        raise Refusal("staff_only")
    order = await trade.lookups.seen(actor, button.order_id)
    match button.action:
        case "why":
            await tell_why(chat, order, trade)
        case "log":
            await tell_calls(chat, order, system.clock.now(), trade, reports, ledger)
        case "ask":
            wait_s = await system.throttle.room({f"ask:{order.id}": ASK_LIMIT})
            if wait_s > 0:
                raise Refusal("rate_limited", retry_after_s=max(1, round(wait_s)))
            standing = await trade.follow_up.ask(
                order.merchant_id, order.id, request_id=request_id(chat.message)
            )
            await press.answer(supplier_says(standing.state, actor.language))
        case "chase":
            pressed = Said(chat.id, chat.message_id, actor.name)
            key = OrderKey(order.merchant_id, order.id)
            await trade.enquiries.chase(actor, key, pressed, again=True)
            await press.answer(supplier_asked(actor.language))
        case "complete" | "refund" as deed:
            await trade.reasons.ask(actor, order, deed, message_id=chat.message_id)
            await press.answer(reason_wanted(actor.language))
        case "more":
            await _show_more(chat, order, trade)
        case "notify":
            await trade.notifications.resend(order.merchant_id, order.id)
            await press.answer(notified_again(actor.language))


async def _show_more(chat: Chat, order: Order, trade: Trade) -> None:
    """What this person may do beside what stands under the card for everybody.

    Whispered in the group rather than said in private: it is pressed beside what was asked there,
    what follows is answered there, and nobody has to open another chat for it. Where Telegram shows
    nothing to one alone it is a reply, whose buttons let nobody do anything who may not.
    """
    card = await trade.lookups.card(order.merchant_id, order.id)
    every = actions_of(card.order, card.attempts, card.news)
    hidden = hidden_actions(every, ROLES["merchant_staff"])
    mine = tuple(action for action in hidden if chat.actor.may(RIGHT_FOR[action]))
    if not mine:
        raise Refusal("not_permitted", right=RIGHT_FOR[hidden[0]] if hidden else "complete")
    await chat.whisper(CardActions(order.id, order.order_no, mine))
