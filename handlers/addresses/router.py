"""Addresses in the chat: verified, compared, shown and kept."""

from __future__ import annotations

from aiogram import Router
from aiogram.types import Message

from core.kernel.errors import Refusal
from core.people.district import People
from core.people.payout_addresses import RIGHT, Owner
from core.people.receipts import Cause
from handlers.addresses.screens import AddressCheckNotice, PayoutAddressesNotice, compared
from handlers.addresses.words import CheckAddress, SetPayoutAddress, ShowPayoutAddresses
from handlers.kit.chat import Chat
from handlers.kit.context import Wants
from handlers.kit.holders import Holders


def add_routes(routes: Router) -> None:
    """Is that where we pay to?"""
    routes.message.register(check, Wants(CheckAddress))
    routes.message.register(show, Wants(ShowPayoutAddresses))
    routes.message.register(keep, Wants(SetPayoutAddress))


async def check(_: Message, chat: Chat, intent: CheckAddress, people: People) -> None:
    """Whether it was mistyped, and whether it is the one that is kept here."""
    chat.actor.need("read_money")
    address = intent.address
    kept = [
        one
        for one in await people.payout_addresses.of(chat.actor)
        if one.network == address.network
    ]
    await chat.say(AddressCheckNotice(address, compared(address, kept), await chat.zone()))


async def show(_: Message, chat: Chat, people: People) -> None:
    """What is kept for this group."""
    chat.actor.need("read_money")
    if await chat.refuse_outside_groups():
        return
    kept = await people.payout_addresses.of(chat.actor)
    await chat.say(PayoutAddressesNotice(tuple(kept), await chat.zone()))


async def keep(
    _: Message, chat: Chat, intent: SetPayoutAddress, people: People, holders: Holders
) -> None:
    """Keep it, or ask a second person; where it is kept already, that is shown."""
    actor = chat.actor
    actor.need(RIGHT)
    if await chat.refuse_outside_groups():
        return
    meant = await holders.meant(actor, intent.holder_no)
    if len(meant) > 1:
        raise Refusal("merchant_ambiguous", merchants=", ".join(one.no for one in meant))
    (holder,) = meant
    if holder.kind == "p":
        raise Refusal("group_not_bound")
    owner = Owner(holder.id, holder.no, holder.name, holder.kind == "m")
    cause = Cause(chat.id, chat.message_id, 1)
    if await people.payout_addresses.set(actor, owner, intent.address, cause):
        kept = await people.payout_addresses.of(actor)
        await chat.say(PayoutAddressesNotice(tuple(kept), await chat.zone()))
