"""How a group becomes somebody's but by words in it: by a link, or by a press on its checklist."""

from __future__ import annotations

from typing import Final

from aiogram import Bot, Router
from aiogram.types import CallbackQuery, Message

from core.delivery.district import Delivery
from core.kernel.errors import Refusal
from core.parties.district import Parties
from core.parties.merchants import Merchant
from core.parties.suppliers import Supplier
from core.people.district import People
from core.people.groups import Holder
from core.system.district import System
from handlers.groups.bindings import Binding, Place, bind, place_of
from handlers.groups.buttons import BindGroup, HolderKind, LinkGroup, MakeGroup, TurnHolders
from handlers.groups.membership import show_checklist
from handlers.groups.screens import GroupBound, HolderChoice, link_screen
from handlers.groups.words import BindByLink
from handlers.kit.chat import Chat
from handlers.kit.context import Presses, Wants
from handlers.kit.forms import post_in_private
from handlers.kit.grammar import MERCHANTS, is_holder_no
from handlers.kit.refusals import OnlyInGroups
from handlers.kit.secrets import need_private, show_secret

RIGHT: Final = "bind"
PAGE_SIZE: Final = 8


def add_routes(routes: Router) -> None:
    """Whose a group becomes."""
    routes.message.register(bind_by_link, Wants(BindByLink))
    routes.callback_query.register(press_link, Presses(LinkGroup))
    routes.callback_query.register(press_kind, Presses(MakeGroup))
    routes.callback_query.register(turn, Presses(TurnHolders))
    routes.callback_query.register(press_holder, Presses(BindGroup))


# ── by a link ────────────────────────────────────────────────────────────────────────────────────
async def show_link(bot: Bot, chat: Chat, people: People, holder: Merchant | Supplier) -> None:
    """A new link, for a minute. Refusals: private_only, those of `GroupLinks.make`."""
    need_private(chat)
    merchant = isinstance(holder, Merchant)
    number = holder.merchant_no if isinstance(holder, Merchant) else holder.supplier_no
    link = await people.group_links.make(
        chat.actor, "merchant" if merchant else "supplier", holder.id, number
    )
    name = (await bot.me()).username or ""
    screen = link_screen(
        link, Holder(number, holder.name), name, await chat.zone(), chat.actor.language
    )
    await show_secret(bot, chat, screen)


async def press_link(
    _: CallbackQuery, chat: Chat, button: LinkGroup, parties: Parties, people: People, bot: Bot
) -> None:
    """As `show_link`."""
    chat.actor.need_among_staff(RIGHT)
    await show_link(bot, chat, people, await _holder(parties, button.holder_no))


async def _holder(parties: Parties, number: str) -> Merchant | Supplier:
    """Refusals: merchant_not_found, supplier_not_found."""
    if is_holder_no(number, MERCHANTS):
        return await parties.merchants.by_no(number)
    return await parties.suppliers.by_no(number)


async def bind_by_link(
    message: Message,
    chat: Chat,
    intent: BindByLink,
    bot: Bot,
    system: System,
    delivery: Delivery,
    parties: Parties,
    people: People,
) -> None:
    """The bot came into this group by a link. One that nobody made gets silence; whoever has one
    that was made is answered. Refusals: those of `bind`."""
    if chat.id == chat.actor.user_id:
        await chat.refuse(OnlyInGroups())
        return
    link = await people.group_links.find(intent.code)
    if link is None:
        return
    holder: Merchant | Supplier = (
        await parties.merchants.by_id(link.holder_id)
        if link.kind == "merchant"
        else await parties.suppliers.by_id(link.holder_id)
    )
    place = await place_of(message, chat, people)
    await people.group_links.said_in(link, place.chat_id)
    await bind(chat, system, delivery, people, Binding.of(holder), place, link)
    await show_checklist(bot, system, delivery, parties, people, chat.id)


# ── by a press ───────────────────────────────────────────────────────────────────────────────────
async def press_kind(
    _: CallbackQuery,
    chat: Chat,
    button: MakeGroup,
    bot: Bot,
    system: System,
    delivery: Delivery,
    parties: Parties,
    people: People,
) -> None:
    """An ops group at once; of the others it is asked in private whose. Refusals: those of `bind`;
    group_is_other_kind."""
    chat.actor.need("bind_ops" if button.kind == "ops" else RIGHT)
    group = chat.actor.group
    if group is None:
        return
    if group.kind != "unbound":
        raise Refusal("group_is_other_kind", kind=group.kind)
    if button.kind == "ops":
        place = await place_of(chat.message, chat, people)
        await bind(chat, system, delivery, people, Binding.of(None, first=True), place)
        await show_checklist(bot, system, delivery, parties, people, chat.id)
        return
    choice = await _choice(parties, group.no, group.title, button.kind, 1)
    await post_in_private(chat, choice)


async def _choice(
    parties: Parties, no: int, title: str, kind: HolderKind, number: int
) -> HolderChoice:
    """A page of those whose the group may become; one behind the last is the last."""
    every = (
        [Holder(one.merchant_no, one.name) for one in await parties.merchants.everybody()]
        if kind == "merchant"
        else [Holder(one.supplier_no, one.name) for one in await parties.suppliers.all()]
    )
    pages = max(1, -(-len(every) // PAGE_SIZE))
    number = min(number, pages)
    shown = every[(number - 1) * PAGE_SIZE : number * PAGE_SIZE]
    return HolderChoice(no, title, kind, tuple(shown), number, pages)


async def turn(
    _: CallbackQuery, chat: Chat, button: TurnHolders, parties: Parties, people: People
) -> None:
    """Another page, in the place of the one that carries the button."""
    chat.actor.need_among_staff(RIGHT)
    entry = await people.directory.by_no(button.no)
    await chat.replace(await _choice(parties, entry.no, entry.title, button.kind, button.page))


async def press_holder(
    _: CallbackQuery,
    chat: Chat,
    button: BindGroup,
    bot: Bot,
    system: System,
    delivery: Delivery,
    parties: Parties,
    people: People,
) -> None:
    """The group is bound, which is said there and here. Refusals: group_not_found, those of
    `bind`."""
    chat.actor.need_among_staff(RIGHT)
    holder = await _holder(parties, button.holder_no)
    entry = await people.directory.by_no(button.no)
    place = Place(entry.chat_id, entry.title, here=False)
    await bind(chat, system, delivery, people, Binding.of(holder, first=True), place)
    await show_checklist(bot, system, delivery, parties, people, entry.chat_id)
    await chat.replace(GroupBound(entry.no, entry.title, button.holder_no, holder.name))
