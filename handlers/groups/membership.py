"""Groups come, go, move and change their names; a checklist tells what a new one still needs."""

from __future__ import annotations

from typing import Final

import structlog
from aiogram import Bot, F, Router
from aiogram.exceptions import TelegramAPIError
from aiogram.types import (
    ChatMember,
    ChatMemberAdministrator,
    ChatMemberOwner,
    ChatMemberRestricted,
    ChatMemberUpdated,
    Message,
)

from core.delivery.board import Subject
from core.delivery.district import Delivery
from core.delivery.outbox import Say
from core.parties.district import Parties
from core.people.district import People
from core.people.groups import BotRights, Group, Holder
from core.system.district import System
from handlers.groups.screens import Checklist

_LOG = structlog.get_logger(__name__)
GONE: Final = frozenset({"left", "kicked"})


def add_routes(routes: Router) -> None:
    """What the bot learns about groups without being asked anything."""
    routes.my_chat_member.register(standing_changed, F.chat.type != "private")
    routes.my_chat_member.register(blocked_or_not)
    routes.message.register(moved_away, F.migrate_to_chat_id)
    routes.message.register(moved_here, F.migrate_from_chat_id)
    routes.message.register(renamed, F.new_chat_title)


async def standing_changed(
    event: ChatMemberUpdated,
    bot: Bot,
    system: System,
    delivery: Delivery,
    parties: Parties,
    people: People,
) -> None:
    """The bot was added, promoted, demoted, removed, or may do more or less than before."""
    chat, standing = event.chat, event.new_chat_member
    outbox, store = delivery.outbox, system.store
    gone = standing.status in GONE
    if gone:
        await outbox.chats.gone(chat.id)
    else:
        await outbox.chats.back(store, chat.id)
    came = not gone and event.old_chat_member.status in GONE
    await people.groups.seen(
        chat.id,
        chat_type=chat.type,
        title=chat.title or "",
        bot_status=str(standing.status),
        rights=rights_of(standing),
        added_by=event.from_user.id if came else None,
    )
    if gone:
        return
    await count_members(bot, people, chat.id)
    await delivery.board.set_pins(store, chat.id)  # it may have the right to by now
    if chat.type != "channel":
        await show_checklist(bot, system, delivery, parties, people, chat.id, standing)


def rights_of(standing: ChatMember) -> BotRights:
    """What the bot may do as this: in a channel only an administrator may post, in a group nobody
    who is restricted."""
    may_post = True
    if isinstance(standing, ChatMemberRestricted):
        may_post = standing.can_send_messages
    elif isinstance(standing, ChatMemberAdministrator):
        may_post = standing.can_post_messages is not False
    return BotRights(may_post, pins(standing))


def pins(standing: ChatMember | None) -> bool:
    """Whether the bot may pin messages."""
    admin = isinstance(standing, ChatMemberAdministrator | ChatMemberOwner)
    return admin and getattr(standing, "can_pin_messages", True) is True


async def count_members(bot: Bot, people: People, chat_id: int) -> None:
    """Ask Telegram how many are in a chat; where it does not say, the last number stays."""
    try:
        members = await bot.get_chat_member_count(chat_id)
    except TelegramAPIError as error:
        _LOG.warning("the members are not known", chat_id=chat_id, fault=str(error))
        return
    await people.groups.counted(chat_id, members)


async def blocked_or_not(event: ChatMemberUpdated, system: System, delivery: Delivery) -> None:
    """Somebody unblocked the bot: what is for them leaves again."""
    if event.new_chat_member.status not in GONE:
        await delivery.outbox.chats.back(system.store, event.chat.id)


async def show_checklist(
    bot: Bot,
    system: System,
    delivery: Delivery,
    parties: Parties,
    people: People,
    chat_id: int,
    standing: ChatMember | None = None,
) -> None:
    """Post a group's checklist, or edit the one that is there. standing: what the bot is there, as
    Telegram just said; else Telegram is asked."""
    group = await people.groups.find(chat_id)
    if group is None:
        return
    chat_id = group.chat_id
    standing = standing or await _standing(bot, chat_id)
    admin = isinstance(standing, ChatMemberAdministrator | ChatMemberOwner)
    checklist = Checklist(
        kind=group.kind,
        bound=await bound_to(parties, group),
        admin=admin,
        pins=pins(standing),
        reads_all=admin or bool((await bot.me()).can_read_all_group_messages),
    )
    about = Subject("question", f"checklist:{chat_id}")
    posted = await delivery.board.posts.find(chat_id, about)
    message_id = posted.message_id if posted is not None else None
    said = Say(checklist, edit_message_id=message_id, remember="question", ref=about.ref)
    await delivery.outbox.say(system.store, chat_id, said, dedupe_key=about.ref)


async def _standing(bot: Bot, chat_id: int) -> ChatMember | None:
    """What the bot is in a chat; None where Telegram does not say: nothing is ticked then."""
    try:
        return await bot.get_chat_member(chat_id, bot.id)
    except TelegramAPIError as error:
        _LOG.warning("the bot's rights are not known", chat_id=chat_id, fault=str(error))
        return None


async def bound_to(parties: Parties, group: Group) -> tuple[Holder, ...]:
    """To whom a group belongs: its merchants, then its suppliers, in the order of their ids."""
    merchants = [await parties.merchants.by_id(m) for m in group.merchant_ids]
    suppliers = [await parties.suppliers.by_id(s) for s in group.supplier_ids]
    return (
        *(Holder(m.merchant_no, m.name) for m in merchants),
        *(Holder(s.supplier_no, s.name) for s in suppliers),
    )


async def moved_away(message: Message, people: People) -> None:
    """The old group's last message names the supergroup it became."""
    if message.migrate_to_chat_id is not None:
        await people.groups.moved(
            message.chat.id, message.migrate_to_chat_id, title=message.chat.title or ""
        )


async def moved_here(message: Message, people: People) -> None:
    """The supergroup's first message names the group it was; whichever of both comes first."""
    if message.migrate_from_chat_id is not None:
        await people.groups.moved(
            message.migrate_from_chat_id, message.chat.id, title=message.chat.title or ""
        )


async def renamed(message: Message, people: People) -> None:
    """A group has a new title."""
    if message.new_chat_title is not None:
        await people.groups.renamed(message.chat.id, message.new_chat_title)
