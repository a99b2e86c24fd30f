"""Groups come, go, move and change their names; a checklist tells what a new one still needs."""

from __future__ import annotations

from typing import Any, Final

import structlog
from aiogram import Bot, F, Router
from aiogram.exceptions import TelegramAPIError
from aiogram.types import (
    ChatMember,
    ChatMemberAdministrator,
    ChatMemberOwner,
    ChatMemberUpdated,
    Message,
)

from core.delivery.board import Subject
from core.delivery.outbox import Say, Stored
from core.people.groups import Group
from core.runtime import Runtime

_LOG = structlog.get_logger(__name__)
GONE: Final = frozenset({"left", "kicked"})
_CHECKLIST: Final = "checklist"


def router() -> Router:
    """What the bot learns about groups without being asked anything."""
    routes = Router(name="onboarding")
    routes.my_chat_member.register(standing_changed, F.chat.type != "private")
    routes.my_chat_member.register(blocked_or_not)
    routes.message.register(moved_away, F.migrate_to_chat_id)
    routes.message.register(moved_here, F.migrate_from_chat_id)
    routes.message.register(renamed, F.new_chat_title)
    return routes


async def standing_changed(event: ChatMemberUpdated, bot: Bot, runtime: Runtime) -> None:
    """The bot was added, promoted, demoted, removed, or may do more or less than before."""
    chat, standing = event.chat, event.new_chat_member
    if standing.status in GONE:
        await runtime.delivery.outbox.chats.gone(chat.id)
    else:
        await runtime.delivery.outbox.chats.back(runtime.system.store, chat.id)
    await runtime.people.groups.seen(
        chat.id, chat_type=chat.type, title=chat.title or "", bot_status=str(standing.status)
    )
    if standing.status in GONE:
        return
    # It may have the right to by now.
    await runtime.delivery.board.set_pins(runtime.system.store, chat.id)
    if chat.type != "channel":
        await show_checklist(runtime, bot, chat.id, standing)


async def blocked_or_not(event: ChatMemberUpdated, runtime: Runtime) -> None:
    """Somebody unblocked the bot: what is for them leaves again."""
    if event.new_chat_member.status not in GONE:
        await runtime.delivery.outbox.chats.back(runtime.system.store, event.chat.id)


async def show_checklist(
    runtime: Runtime, bot: Bot, chat_id: int, standing: ChatMember | None = None
) -> None:
    """Post a group's checklist, or edit the one that is there. standing: what the bot is there, as
    Telegram just said; else Telegram is asked."""
    group = await runtime.people.groups.find(chat_id)
    if group is None:
        return
    chat_id = group.chat_id
    standing = standing or await _standing(bot, chat_id)
    admin = isinstance(standing, ChatMemberAdministrator | ChatMemberOwner)
    reads_all = admin or bool((await bot.me()).can_read_all_group_messages)
    facts = {
        **await binding_facts(runtime, group),
        "admin": admin,
        "pins": admin and getattr(standing, "can_pin_messages", True) is True,
        "reads_all": reads_all,
    }
    about = Subject("question", f"{_CHECKLIST}:{chat_id}")
    posted = await runtime.delivery.board.posts.find(chat_id, about)
    await runtime.delivery.outbox.say(
        runtime.system.store, chat_id,
        Say(
            Stored(_CHECKLIST, facts), edit_message_id=posted.message_id if posted else None,
            remember="question", ref=about.ref,
        ),
        dedupe_key=about.ref,
    )  # fmt: skip


async def _standing(bot: Bot, chat_id: int) -> ChatMember | None:
    """What the bot is in a chat; None where Telegram does not say: nothing is ticked then."""
    try:
        return await bot.get_chat_member(chat_id, bot.id)
    except TelegramAPIError as error:
        _LOG.warning("the bot's rights are not known", chat_id=chat_id, fault=str(error))
        return None


async def binding_facts(runtime: Runtime, group: Group) -> dict[str, Any]:
    """What a group is and to whom it belongs: kind, title, language, label, bound."""
    merchants = [await runtime.parties.merchants.by_id(m) for m in group.merchant_ids]
    suppliers = [await runtime.parties.suppliers.by_id(s) for s in group.supplier_ids]
    return {
        "kind": group.kind,
        "title": group.title,
        "language": group.language,
        "label": group.label,
        "bound": [
            *({"no": m.merchant_no, "name": m.name} for m in merchants),
            *({"no": s.supplier_no, "name": s.name} for s in suppliers),
        ],
    }


async def moved_away(message: Message, runtime: Runtime) -> None:
    """The old group's last message names the supergroup it became."""
    if message.migrate_to_chat_id is not None:
        await runtime.people.groups.moved(
            message.chat.id, message.migrate_to_chat_id, title=message.chat.title or ""
        )


async def moved_here(message: Message, runtime: Runtime) -> None:
    """The supergroup's first message names the group it was; whichever of both comes first."""
    if message.migrate_from_chat_id is not None:
        await runtime.people.groups.moved(
            message.migrate_from_chat_id, message.chat.id, title=message.chat.title or ""
        )


async def renamed(message: Message, runtime: Runtime) -> None:
    """A group has a new title."""
    status = await runtime.system.store.fetchval(
        "SELECT bot_status FROM chat_group WHERE chat_id = $1", message.chat.id
    )
    if status is not None and message.new_chat_title is not None:
        await runtime.people.groups.seen(
            message.chat.id, chat_type=message.chat.type, title=message.new_chat_title,
            bot_status=status,
        )  # fmt: skip
