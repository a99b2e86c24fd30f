"""What people do about enquiries: they have a supplier asked again, reply, and take one on."""

from __future__ import annotations

from dataclasses import replace

from aiogram import Router
from aiogram.types import CallbackQuery, Message

from core.kernel.errors import Refusal
from core.trade.district import Trade
from handlers.desk.screens import usage_of
from handlers.enquiries.buttons import PassEnquiry, TakeEnquiry
from handlers.enquiries.toasts import taken
from handlers.enquiries.words import Chase
from handlers.kit.chat import Chat
from handlers.kit.commands import CommandTable
from handlers.kit.context import AlbumPart, Press, Presses, RelayedReply, Wants
from handlers.kit.relayed import said_in
from handlers.orders.numbers import MAX_SHOWN, replied_to
from handlers.orders.toasts import supplier_asked


def add_routes(routes: Router) -> None:
    """Somebody asks about an order, and somebody answers."""
    routes.message.register(chase, Wants(Chase))
    routes.message.register(reply, Wants(RelayedReply))
    routes.message.register(add, Wants(AlbumPart))
    routes.callback_query.register(take, Presses(TakeEnquiry))
    routes.callback_query.register(pass_on, Presses(PassEnquiry))


async def chase(
    message: Message, chat: Chat, intent: Chase, trade: Trade, commands: CommandTable
) -> None:
    """Have the suppliers of all orders asked that are meant. A picture that comes with several of
    them is passed to nobody: it shows the payment of one."""
    chat.actor.need("chase")
    words = intent.words or replied_to(message)
    if not words:
        await chat.refuse(usage_of(commands.named("chase"), chat.actor), alone=True)
        return
    asked = dict.fromkeys(n for word in words for reading in word.readings for n in reading)
    found = await trade.lookups.find(chat.actor, list(asked))
    meant = dict.fromkeys(number for word in words for number in word.meant(found))
    if unknown := [number for number in meant if number not in found]:
        await chat.refuse_with(Refusal("order_not_found", number=", ".join(unknown[:MAX_SHOWN])))
    said = said_in(message, chat.actor.name)
    orders = dict.fromkeys(key for number in meant for key in found.get(number, ()))
    if len(orders) > 1:
        said = replace(said, media=(), album=None)
    for key in list(orders)[:MAX_SHOWN]:
        try:
            await trade.enquiries.chase(chat.actor, key, said)
        except Refusal as refusal:
            await chat.refuse_with(refusal)


async def reply(message: Message, chat: Chat, intent: RelayedReply, trade: Trade) -> None:
    """Take it to the other side."""
    said = said_in(message, chat.actor.name)
    if said.text != "":
        await trade.enquiries.reply(chat.actor, intent.thread, said)


async def add(message: Message, chat: Chat, intent: AlbumPart, trade: Trade) -> None:
    """Pass it under what its album asked."""
    said = said_in(message, chat.actor.name)
    await trade.enquiries.add(chat.actor, intent.enquiry_ids, said)


async def take(
    _: CallbackQuery, chat: Chat, button: TakeEnquiry, press: Press, trade: Trade
) -> None:
    """Whoever pressed looks after it."""
    new = await trade.enquiries.take(chat.actor, button.enquiry_id)
    await press.answer(taken(chat.actor.language, new=new))


async def pass_on(
    _: CallbackQuery, chat: Chat, button: PassEnquiry, press: Press, trade: Trade
) -> None:
    """Its supplier may have a group by now."""
    await trade.enquiries.pass_on(chat.actor, button.enquiry_id)
    await press.answer(supplier_asked(chat.actor.language))
