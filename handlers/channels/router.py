"""Channels from the chat: listed, shown, added, changed, switched, archived and restored."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

from aiogram import Router
from aiogram.types import CallbackQuery, Message

from core.accounts.vouchers import Cause
from core.delivery.outbox import Say, Stored
from core.kernel.errors import Refusal
from core.kernel.tariff import format_tariff, parse_tariff
from core.people.actors import Actor
from core.runtime import Runtime
from core.supply.catalogue import RIGHT
from core.supply.channels import Channel, NewChannel, Used
from handlers.channels.buttons import AnswerChannel, OnChannel, TurnChannels
from handlers.channels.words import (
    AddChannel,
    ChangeChannel,
    ShowChannel,
    ShowChannels,
    TurnChannel,
    read_amounts,
    read_terms,
)
from handlers.kit.context import Press, Presses, Wants, say
from handlers.kit.refusals import toast

SEE: Final = "see_channel"
PAGE_SIZE: Final = 8


def router() -> Router:
    """Over which channels is it sold?"""
    routes = Router(name="channels")
    routes.message.register(show_all, Wants(ShowChannels))
    routes.message.register(show_one, Wants(ShowChannel))
    routes.message.register(change, Wants(ChangeChannel))
    routes.message.register(turn, Wants(TurnChannel))
    routes.message.register(add, Wants(AddChannel))
    routes.callback_query.register(turn_page, Presses(TurnChannels))
    routes.callback_query.register(press, Presses(OnChannel))
    routes.callback_query.register(answer, Presses(AnswerChannel))
    return routes


def need_alone(actor: Actor, right: str) -> None:
    """Whoever sees or changes channels may do so, where staff alone reads. Refusals:
    anonymous_admin, not_permitted, staff_only."""
    actor.need(right)
    if actor.merchant_ids is not None:
        raise Refusal("staff_only")


# ── looking ─────────────────────────────────────────────────────────────────────────────────────
async def show_all(message: Message, intent: ShowChannels, actor: Actor, runtime: Runtime) -> None:
    """The first page."""
    need_alone(actor, SEE)
    facts = await _page(
        runtime, TurnChannels(1, intent.supplier_no, intent.product_code, intent.archived)
    )
    await say(runtime, actor, "channels", facts, message.message_id)


async def turn_page(
    query: CallbackQuery, button: TurnChannels, actor: Actor, runtime: Runtime
) -> None:
    """Another page, in the place of the one that carries the button."""
    need_alone(actor, SEE)
    if query.message is not None:
        await _replace(runtime, actor, query, "channels", await _page(runtime, button))


async def show_one(message: Message, intent: ShowChannel, actor: Actor, runtime: Runtime) -> None:
    """A channel in full, with what can be done with it."""
    need_alone(actor, SEE)
    channel = await runtime.supply.channels.by_no(intent.channel_no)
    facts = await card_facts(runtime, actor, channel)
    await say(runtime, actor, "channel", facts, message.message_id)


# ── changing ────────────────────────────────────────────────────────────────────────────────────
async def change(message: Message, intent: ChangeChannel, actor: Actor, runtime: Runtime) -> None:
    """Set one of its terms; where it is so already, that is said with the whole channel."""
    need_alone(actor, RIGHT)
    channel = await runtime.supply.channels.by_no(intent.channel_no)
    values = read_terms(intent.field, intent.text, channel.currency)
    cause = Cause(actor.chat_id, message.message_id, 1)
    if not await runtime.supply.catalogue.change(actor, channel, values, cause):
        facts = await card_facts(runtime, actor, channel, same=True)
        await say(runtime, actor, "channel", facts, message.message_id)


async def turn(message: Message, intent: TurnChannel, actor: Actor, runtime: Runtime) -> None:
    """Switch it on or off, archive or restore it, end its pause."""
    need_alone(actor, RIGHT)
    cause = Cause(actor.chat_id, message.message_id, 1)
    await runtime.supply.catalogue.turn(actor, intent.channel_no, intent.move, cause)


async def press(
    query: CallbackQuery, button: OnChannel, actor: Actor, press: Press, runtime: Runtime
) -> None:
    """Open a channel in reply; or do what its button says, and show it as it is then."""
    if query.message is None:
        return
    if button.action == "open":
        need_alone(actor, SEE)
        channel = await runtime.supply.channels.by_no(button.channel_no)
        facts = await card_facts(runtime, actor, channel)
        await say(runtime, actor, "channel", facts, query.message.message_id)
        return
    need_alone(actor, RIGHT)
    await runtime.supply.catalogue.turn(actor, button.channel_no, button.action, None)
    await press.answer(toast("channel_turned", {"move": button.action}, actor.language))
    channel = await runtime.supply.channels.by_no(button.channel_no)
    await _replace(runtime, actor, query, "channel", await card_facts(runtime, actor, channel))


# ── adding ──────────────────────────────────────────────────────────────────────────────────────
async def add(message: Message, intent: AddChannel, actor: Actor, runtime: Runtime) -> None:
    """Show the channel as it would be, and ask."""
    need_alone(actor, RIGHT)
    supplier = await runtime.parties.suppliers.by_no(intent.supplier_no)
    new = NewChannel(
        channel_no=None,
        name=intent.name,
        supplier_code=intent.supplier_code,
        cost=parse_tariff(intent.tariff, supplier.currency),
        products=(intent.product_code,),
        **read_amounts(intent.amounts, supplier.currency),
    )
    await runtime.supply.catalogue.ask(actor, supplier, new, message_id=message.message_id)


async def answer(
    query: CallbackQuery, button: AnswerChannel, actor: Actor, runtime: Runtime
) -> None:
    """Add it, or drop it. A second press finds the question answered."""
    if query.message is None:
        return
    answered = runtime.supply.catalogue.confirm if button.yes else runtime.supply.catalogue.drop
    await answered(actor, button.approval_id, message_id=query.message.message_id)


# ── facts ───────────────────────────────────────────────────────────────────────────────────────
async def card_facts(
    runtime: Runtime, actor: Actor, channel: Channel, *, same: bool = False
) -> dict[str, Any]:
    """A channel in full. same: somebody wanted it as it is already."""
    used = await runtime.supply.routing.used([channel])
    supplier = await runtime.parties.suppliers.by_id(channel.supplier_id)
    return {
        "channel": _facts(runtime, channel, used, await _sold(runtime, channel.channel_no)),
        "supplier_name": supplier.name,
        "supplier_code": channel.supplier_code,
        "cost": format_tariff(channel.cost, channel.currency),
        "paused_why": channel.paused_why,
        "same": same,
        "may_change": actor.may(RIGHT),
    }


async def _page(runtime: Runtime, asked: TurnChannels) -> dict[str, Any]:
    """A page of the list; one behind the last is the last. Refusals: supplier_not_found,
    product_not_found."""
    supplier_id = None
    if asked.supplier_no is not None:
        supplier_id = (await runtime.parties.suppliers.by_no(asked.supplier_no)).id
    found: Sequence[Channel] = await runtime.supply.channels.all(supplier_id)
    if asked.product_code is not None:
        sold = await runtime.supply.channel_sets.of(asked.product_code)
        found = [channel for channel in found if channel.channel_no in sold.channel_nos]
    archived = [channel for channel in found if channel.state == "archived"]
    found = (
        archived if asked.archived else [channel for channel in found if channel not in archived]
    )
    pages = max(1, -(-len(found) // PAGE_SIZE))
    page = min(asked.page, pages)
    shown = found[(page - 1) * PAGE_SIZE : page * PAGE_SIZE]
    used = await runtime.supply.routing.used(shown)
    return {
        "page": page,
        "pages": pages,
        "count": len(found),
        "archived": asked.archived,
        "archived_count": len(archived),
        "supplier_no": asked.supplier_no or "",
        "product_code": asked.product_code or "",
        "lines": [
            _facts(runtime, channel, used, await _sold(runtime, channel.channel_no))
            for channel in shown
        ],
    }


def _facts(
    runtime: Runtime, channel: Channel, used: dict[str, Used], sold: Sequence[str]
) -> dict[str, Any]:
    """What a list shows of a channel. pause: until (it rests) | trying (the next order tries it);
    paused_until: by its supplier's clock."""
    until, taken = channel.paused_until, used.get(channel.channel_no)
    resting = until is not None and runtime.system.clock.now() < until
    return {
        "channel_no": channel.channel_no,
        "name": channel.name,
        "supplier_no": channel.supplier_no,
        "supplier_state": channel.supplier_state,
        "state": channel.state,
        "pause": "" if until is None else "until" if resting else "trying",
        "paused_until": until.isoformat() if until is not None else "",
        "zone": channel.zone,
        "currency": channel.currency,
        "amount_list": list(channel.amount_list),
        "amount_min": channel.amount_min,
        "amount_max": channel.amount_max,
        "hours": str(channel.hours or ""),
        "day_limit_minor": channel.day_limit_minor,
        "day_limit_count": channel.day_limit_count,
        "used_minor": taken.minor if taken else 0,
        "used_count": taken.count if taken else 0,
        "weight": channel.weight,
        "priority": channel.priority,
        "sold": list(sold),
    }


async def _sold(runtime: Runtime, channel_no: str) -> list[str]:
    """The products that a channel sells, by code; to whom, where that is one merchant alone."""
    sold = []
    for code, merchant_id in await runtime.supply.channel_sets.using(channel_no):
        whose = ""
        if merchant_id is not None:
            whose = f" ({(await runtime.parties.merchants.by_id(merchant_id)).merchant_no})"
        sold.append(code + whose)
    return sold


async def _replace(
    runtime: Runtime, actor: Actor, query: CallbackQuery, screen: str, facts: dict[str, Any]
) -> None:
    """Another screen in the place of the one whose button was pressed."""
    message = query.message
    assert message is not None
    await runtime.delivery.outbox.say(
        runtime.system.store,
        actor.chat_id,
        Say(Stored(screen, facts), edit_message_id=message.message_id),
    )
