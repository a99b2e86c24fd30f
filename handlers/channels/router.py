"""Channels from the chat: listed, shown, added, changed, switched, archived and restored."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from aiogram import Router
from aiogram.types import CallbackQuery, Message

from core.accounts.vouchers import Cause
from core.kernel.tariff import format_tariff
from core.parties.district import Parties
from core.people.actors import Actor
from core.supply.catalogue import RIGHT
from core.supply.channels import Channel, NewChannel, Used
from core.supply.district import Supply
from core.system.district import System
from handlers.channels.buttons import AnswerChannel, OnChannel, TurnChannels
from handlers.channels.screens import ChannelLine, ChannelNotice, ChannelsNotice
from handlers.channels.words import (
    AddChannel,
    ChangeChannel,
    ShowChannel,
    ShowChannels,
    TurnChannel,
    read_amounts,
    read_terms,
)
from handlers.kit.chat import Chat
from handlers.kit.context import Press, Presses, Wants
from handlers.kit.vocabulary import word
from texts.tariffs import parse_tariff

SEE: Final = "see_channel"
PAGE_SIZE: Final = 8


def add_routes(routes: Router) -> None:
    """Over which channels is it sold?"""
    routes.message.register(show_all, Wants(ShowChannels))
    routes.message.register(show_one, Wants(ShowChannel))
    routes.message.register(change, Wants(ChangeChannel))
    routes.message.register(turn, Wants(TurnChannel))
    routes.message.register(add, Wants(AddChannel))
    routes.callback_query.register(turn_page, Presses(TurnChannels))
    routes.callback_query.register(press, Presses(OnChannel))
    routes.callback_query.register(answer, Presses(AnswerChannel))


# ── looking ─────────────────────────────────────────────────────────────────────────────────────
async def show_all(
    _: Message, chat: Chat, intent: ShowChannels, system: System, parties: Parties, supply: Supply
) -> None:
    """The first page."""
    chat.actor.need_among_staff(SEE)
    asked = TurnChannels(1, intent.supplier_no, intent.product_code, intent.archived)
    await chat.say(await _page(system, parties, supply, asked))


async def turn_page(
    _: CallbackQuery,
    chat: Chat,
    button: TurnChannels,
    system: System,
    parties: Parties,
    supply: Supply,
) -> None:
    """Another page, in the place of the one that carries the button."""
    chat.actor.need_among_staff(SEE)
    await chat.replace(await _page(system, parties, supply, button))


async def show_one(
    _: Message, chat: Chat, intent: ShowChannel, system: System, parties: Parties, supply: Supply
) -> None:
    """A channel in full, with what can be done with it."""
    chat.actor.need_among_staff(SEE)
    channel = await supply.channels.by_no(intent.channel_no)
    await chat.say(await _card(system, parties, supply, chat.actor, channel))


# ── changing ────────────────────────────────────────────────────────────────────────────────────
async def change(
    _: Message, chat: Chat, intent: ChangeChannel, system: System, parties: Parties, supply: Supply
) -> None:
    """Set one of its terms; where it is so already, that is said with the whole channel."""
    actor = chat.actor
    actor.need_among_staff(RIGHT)
    channel = await supply.channels.by_no(intent.channel_no)
    values = read_terms(intent.field, intent.text, channel.currency)
    cause = Cause(chat.id, chat.message_id, 1)
    if not await supply.catalogue.change(actor, channel, values, cause):
        await chat.say(await _card(system, parties, supply, actor, channel, same=True))


async def turn(_: Message, chat: Chat, intent: TurnChannel, supply: Supply) -> None:
    """Switch it on or off, archive or restore it, end its pause."""
    chat.actor.need_among_staff(RIGHT)
    cause = Cause(chat.id, chat.message_id, 1)
    await supply.catalogue.turn(chat.actor, intent.channel_no, intent.move, cause)


async def press(
    _: CallbackQuery,
    chat: Chat,
    button: OnChannel,
    press: Press,
    system: System,
    parties: Parties,
    supply: Supply,
) -> None:
    """Open a channel in reply; or do what its button says, and show it as it is then."""
    actor = chat.actor
    if button.action == "open":
        actor.need_among_staff(SEE)
        channel = await supply.channels.by_no(button.channel_no)
        await chat.say(await _card(system, parties, supply, actor, channel))
        return
    actor.need_among_staff(RIGHT)
    await supply.catalogue.turn(actor, button.channel_no, button.action, None)
    await press.answer(word("channel_move", button.action, actor.language))
    channel = await supply.channels.by_no(button.channel_no)
    await chat.replace(await _card(system, parties, supply, actor, channel))


# ── adding ──────────────────────────────────────────────────────────────────────────────────────
async def add(_: Message, chat: Chat, intent: AddChannel, parties: Parties, supply: Supply) -> None:
    """Show the channel as it would be, and ask."""
    chat.actor.need_among_staff(RIGHT)
    supplier = await parties.suppliers.by_no(intent.supplier_no)
    new = NewChannel(
        channel_no=None,
        name=intent.name,
        supplier_code=intent.supplier_code,
        cost=parse_tariff(intent.tariff, supplier.currency),
        products=(intent.product_code,),
        **read_amounts(intent.amounts, supplier.currency),
    )
    await supply.catalogue.ask(chat.actor, supplier, new, message_id=chat.message_id)


async def answer(_: CallbackQuery, chat: Chat, button: AnswerChannel, supply: Supply) -> None:
    """Add it, or drop it. A second press finds the question answered."""
    answered = supply.catalogue.confirm if button.yes else supply.catalogue.drop
    await answered(chat.actor, button.approval_id, message_id=chat.message_id)


# ── what is shown ───────────────────────────────────────────────────────────────────────────────
async def _card(
    system: System,
    parties: Parties,
    supply: Supply,
    actor: Actor,
    channel: Channel,
    *,
    same: bool = False,
) -> ChannelNotice:
    """A channel in full. same: somebody wanted it as it is already."""
    used = await supply.routing.used([channel])
    supplier = await parties.suppliers.by_id(channel.supplier_id)
    sold = await _sold(parties, supply, channel.channel_no)
    return ChannelNotice(
        channel=_line(system, channel, used, sold),
        supplier_name=supplier.name,
        supplier_code=channel.supplier_code,
        cost=format_tariff(channel.cost, channel.currency),
        paused_why=channel.paused_why,
        same=same,
        may_change=actor.may(RIGHT),
    )


async def _page(
    system: System, parties: Parties, supply: Supply, asked: TurnChannels
) -> ChannelsNotice:
    """A page of the list; one behind the last is the last. Refusals: supplier_not_found,
    product_not_found."""
    supplier_id = None
    if asked.supplier_no is not None:
        supplier_id = (await parties.suppliers.by_no(asked.supplier_no)).id
    found: Sequence[Channel] = await supply.channels.all(supplier_id)
    if asked.product_code is not None:
        sold = await supply.channel_sets.of(asked.product_code)
        found = [channel for channel in found if channel.channel_no in sold.channel_nos]
    archived = [channel for channel in found if channel.state == "archived"]
    found = (
        archived if asked.archived else [channel for channel in found if channel not in archived]
    )
    pages = max(1, -(-len(found) // PAGE_SIZE))
    page = min(asked.page, pages)
    shown = found[(page - 1) * PAGE_SIZE : page * PAGE_SIZE]
    used = await supply.routing.used(shown)
    lines = [
        _line(system, channel, used, await _sold(parties, supply, channel.channel_no))
        for channel in shown
    ]
    return ChannelsNotice(
        page=page,
        pages=pages,
        count=len(found),
        archived=asked.archived,
        archived_count=len(archived),
        supplier_no=asked.supplier_no or "",
        product_code=asked.product_code or "",
        lines=tuple(lines),
    )


def _line(
    system: System, channel: Channel, used: dict[str, Used], sold: tuple[str, ...]
) -> ChannelLine:
    until, taken = channel.paused_until, used.get(channel.channel_no)
    resting = until is not None and system.clock.now() < until
    return ChannelLine(
        channel_no=channel.channel_no,
        name=channel.name,
        supplier_no=channel.supplier_no,
        supplier_state=channel.supplier_state,
        state=channel.state,
        pause="" if until is None else "until" if resting else "trying",
        paused_until=until,
        zone=channel.zone,
        currency=channel.currency,
        amount_list=tuple(channel.amount_list),
        amount_min=channel.amount_min,
        amount_max=channel.amount_max,
        hours=str(channel.hours or ""),
        day_limit_minor=channel.day_limit_minor,
        day_limit_count=channel.day_limit_count,
        used_minor=taken.minor if taken else 0,
        used_count=taken.count if taken else 0,
        weight=channel.weight,
        priority=channel.priority,
        sold=sold,
    )


async def _sold(parties: Parties, supply: Supply, channel_no: str) -> tuple[str, ...]:
    """The products that a channel sells, by code; to whom, where that is one merchant alone."""
    sold = []
    for code, merchant_id in await supply.channel_sets.using(channel_no):
        whose = ""
        if merchant_id is not None:
            whose = f" ({(await parties.merchants.by_id(merchant_id)).merchant_no})"
        sold.append(code + whose)
    return tuple(sold)
