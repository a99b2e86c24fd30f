"""Groups and channels: the list, the card of each, and what is set and done from there."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass
from typing import Final

from aiogram import Bot, Router
from aiogram.exceptions import TelegramBadRequest, TelegramForbiddenError
from aiogram.types import CallbackQuery, Message

from core.delivery.district import Delivery
from core.kernel.errors import Refusal
from core.parties.district import Parties
from core.people.district import People
from core.people.groups import Entry, GroupChange, InSegment, Language
from core.system.district import System
from handlers.groups.bindings import Ending
from handlers.groups.buttons import (
    OnGroup,
    SpeakInGroup,
    SureOfGroup,
    TurnGroups,
    TurnSegment,
    mark_of,
)
from handlers.groups.cards import (
    GroupDeed,
    GroupLine,
    GroupNotice,
    GroupQuestion,
    GroupSegments,
    GroupsNotice,
)
from handlers.groups.membership import bound_to, count_members
from handlers.groups.settings import RIGHT, read_change
from handlers.groups.words import ChangeGroup, Deed, Setting, ShowGroup, ShowGroups
from handlers.kit.chat import Chat
from handlers.kit.context import Presses, Wants
from handlers.kit.dialogues import Chosen, Dialogues, Said
from handlers.kit.forms import Form, Step, plain


@dataclass(frozen=True, slots=True)
class Draft:
    """What is set about which group. text: as it was said."""

    no: int
    title: str
    what: Setting
    text: str = ""


FORM: Final = Form[Draft, None](
    "group_setting",
    Draft,
    (Step("text", plain(str)),),
    lambda draft: GroupQuestion(draft.no, draft.title, step=draft.what),
    from_group=True,
)


def add_routes(routes: Router) -> None:
    """Which groups there are."""
    routes.message.register(show, Wants(ShowGroups))
    routes.message.register(show_one, Wants(ShowGroup))
    routes.message.register(change, Wants(ChangeGroup))
    FORM.add_routes(routes, give)
    routes.callback_query.register(turn, Presses(TurnGroups))
    routes.callback_query.register(press, Presses(OnGroup))
    routes.callback_query.register(press_language, Presses(SpeakInGroup))
    routes.callback_query.register(press_segment, Presses(TurnSegment))
    routes.callback_query.register(press_sure, Presses(SureOfGroup))


# ── what there is ────────────────────────────────────────────────────────────────────────────────
async def show(_: Message, chat: Chat, intent: ShowGroups, people: People) -> None:
    """The first page of all, or of what matches."""
    chat.actor.need_among_staff(RIGHT)
    await chat.say(await _page(people, intent.search, 1))


async def show_one(_: Message, chat: Chat, intent: ShowGroup, people: People, bot: Bot) -> None:
    """The card of one. Refusals: group_not_found."""
    chat.actor.need_among_staff(RIGHT)
    entry = await people.directory.by_no(intent.no)
    await count_members(bot, people, entry.chat_id)
    await chat.say(await _card(chat, people, await people.directory.by_no(intent.no)))


async def turn(_: CallbackQuery, chat: Chat, button: TurnGroups, people: People) -> None:
    """Another page, in the place of the one that carries the button."""
    chat.actor.need_among_staff(RIGHT)
    await chat.replace(await _page(people, button.search, button.page))


async def _page(people: People, search: str, number: int) -> GroupsNotice:
    found = await people.directory.page(search, number)
    segments = await people.directory.segments()
    lines = tuple(_line(entry) for entry in found.entries)
    return GroupsNotice(search, found.page, found.pages, found.total, lines, tuple(segments))


def _line(entry: Entry) -> GroupLine:
    return GroupLine(
        no=entry.no,
        title=entry.title,
        kind=entry.kind,
        type=entry.type,
        holders=entry.holders,
        segments=entry.segments,
        members=entry.members,
        may_pin=entry.may_pin,
        health=entry.health,
        parked=entry.parked,
    )


async def _card(chat: Chat, people: People, entry: Entry) -> GroupNotice:
    topics = (("bills", entry.topics.bills), ("lookups", entry.topics.lookups),
              ("alarms", entry.topics.alarms))  # fmt: skip
    added_by = ""
    if entry.added_by is not None:
        person = await people.people.find(entry.added_by)
        added_by = person.name if person is not None else str(entry.added_by)
    return GroupNotice(
        line=_line(entry),
        chat_id=entry.chat_id,
        language=entry.language,
        label=entry.label,
        zone=entry.zone,
        own_zone=entry.own_zone is not None,
        quiet=str(entry.quiet or ""),
        topics=tuple(use for use, thread_id in topics if thread_id is not None),
        bot_status=entry.bot_status,
        may_post=entry.may_post,
        added_by=added_by,
        sent_at=entry.sent_at,
        heard_at=entry.heard_at,
        clocks=await chat.zone(),
    )


# ── what is set ──────────────────────────────────────────────────────────────────────────────────
async def change(_: Message, chat: Chat, intent: ChangeGroup, people: People) -> None:
    """Set what was said, and show the card; or ask whether to do it. Refusals: group_not_found,
    those of `read_change` and of `GroupSettings.change`."""
    chat.actor.need_among_staff(RIGHT)
    match intent.what:
        case "unbind" | "leave" as deed:
            await chat.say(await _ask(chat, people, intent.no, deed))
        case what:
            await chat.say(await _set(chat, people, intent.no, read_change(what, intent.text)))


async def _set(chat: Chat, people: People, no: int, change: GroupChange) -> GroupNotice:
    entry = await people.group_settings.change(chat.actor, change, no, message_id=chat.message_id)
    return await _card(chat, people, entry)


async def press(
    _: CallbackQuery, chat: Chat, button: OnGroup, people: People, dialogues: Dialogues, bot: Bot
) -> None:
    """What the card of a group offers; what is to be written goes on in private. Refusals:
    group_not_found."""
    chat.actor.need_among_staff(RIGHT)
    entry = await people.directory.by_no(button.no)
    match button.action:
        case "open":
            await count_members(bot, people, entry.chat_id)
            entry = await people.directory.by_no(button.no)
            await chat.replace(await _card(chat, people, entry))
        case "segments":
            await chat.replace(await _segments(people, entry))
        case "unbind" | "leave" as deed:
            await chat.replace(await _ask(chat, people, button.no, deed))
        case "label" | "zone" | "quiet" | "segment" as what:
            await FORM.begin(chat, dialogues, Draft(entry.no, entry.title, what))


async def give(
    _: Message | CallbackQuery,
    chat: Chat,
    answer: Said | Chosen,
    people: People,
    dialogues: Dialogues,
) -> None:
    """What was asked for. Refusals: answer_forwarded, as of `change`."""
    chat.actor.need_among_staff(RIGHT)
    draft = await FORM.take(chat, dialogues, None, answer)
    if draft is None:
        return
    await chat.post(await _set(chat, people, draft.no, read_change(draft.what, draft.text)))
    await dialogues.end(chat.actor)


async def press_language(
    _: CallbackQuery, chat: Chat, button: SpeakInGroup, people: People
) -> None:
    """The card as it is then. Refusals: those of `GroupSettings.change`."""
    await chat.replace(await _set(chat, people, button.no, Language(button.language)))


async def press_segment(_: CallbackQuery, chat: Chat, button: TurnSegment, people: People) -> None:
    """The segments as they are then. Refusals: segment_gone, those of `GroupSettings.change`."""
    chat.actor.need_among_staff(RIGHT)
    names = [one.name for one in await people.directory.segments()]
    name = next((one for one in names if mark_of(one) == button.mark), None)
    if name is None:
        raise Refusal("segment_gone")
    entry = await people.group_settings.change(
        chat.actor, InSegment(name, button.member), button.no, message_id=chat.message_id
    )
    await chat.replace(await _segments(people, entry))


async def _segments(people: People, entry: Entry) -> GroupSegments:
    names = tuple(one.name for one in await people.directory.segments())
    return GroupSegments(entry.no, entry.title, entry.segments, names)


# ── what is done ─────────────────────────────────────────────────────────────────────────────────
async def _ask(chat: Chat, people: People, no: int, deed: Deed) -> GroupDeed:
    """Refusals: group_not_found, group_not_bound, those of `Actor.need`."""
    entry = await people.directory.by_no(no)
    _need_to(chat, entry.kind)
    if deed == "unbind" and entry.kind == "unbound":
        raise Refusal("group_not_bound")
    return GroupDeed(entry.no, entry.title, deed, entry.holders)


def _need_to(chat: Chat, kind: str) -> None:
    """Refusals: those of `Actor.need_among_staff`."""
    chat.actor.need_among_staff(RIGHT)
    chat.actor.need_among_staff("bind_ops" if kind == "ops" else "bind")


async def press_sure(
    _: CallbackQuery,
    chat: Chat,
    button: SureOfGroup,
    bot: Bot,
    system: System,
    delivery: Delivery,
    parties: Parties,
    people: People,
) -> None:
    """Take a binding off a group, or leave it: then nothing is bound there any more. Refusals:
    group_not_found, confirmation_expired (it is bound otherwise by now)."""
    chat.actor.need_among_staff(RIGHT)
    entry = await people.directory.by_no(button.no)
    group = await people.groups.find(entry.chat_id)
    if group is None:
        raise Refusal("group_not_found", text=f"G{button.no}")
    _need_to(chat, group.kind)
    if button.deed == "unbind" or group.kind != "unbound":
        bound = await bound_to(parties, group)
        ending = Ending.of(group, bound, button.holder_no, button.shown)
        async with system.store.transaction() as tx:
            await ending.write(tx, chat, delivery, people)
    if button.deed == "leave":
        with suppress(TelegramBadRequest, TelegramForbiddenError):  # it is out already
            await bot.leave_chat(entry.chat_id)
        await delivery.outbox.chats.gone(entry.chat_id)
        await people.groups.seen(
            entry.chat_id, chat_type=entry.type, title=entry.title, bot_status="left"
        )
    await chat.replace(await _card(chat, people, await people.directory.by_no(button.no)))
