"""Broadcasts: written in reply to a message of one's own, seen through, and kept."""

from __future__ import annotations

from typing import Final

from aiogram import Router
from aiogram.types import CallbackQuery, Message

from core.delivery.board import Subject
from core.delivery.district import Delivery
from core.delivery.outbox import BroadcastCard
from core.kernel.errors import Refusal
from core.people.broadcasts import RIGHT, Content
from core.people.district import People
from core.people.groups import Audience
from handlers.broadcasts.buttons import OnBroadcast, TurnBroadcasts
from handlers.broadcasts.choices import ask_search, ask_time, targets_page
from handlers.broadcasts.screens import BroadcastLine, BroadcastsNotice, BroadcastWithdrawal
from handlers.broadcasts.words import ReviseBroadcast, ShowBroadcasts, WriteBroadcast
from handlers.desk.screens import usage_of
from handlers.kit.chat import Chat
from handlers.kit.commands import CommandTable
from handlers.kit.context import Presses, Wants
from handlers.kit.dialogues import Dialogues
from handlers.kit.relayed import media_in

_SHORT_CHARS: Final = 60
# What stands under these can be changed; all else has no words.
_CAPTIONED: Final = frozenset({"photo", "video", "document", "animation", "audio", "voice"})


def add_routes(routes: Router) -> None:
    """One message for very many."""
    routes.message.register(write, Wants(WriteBroadcast))
    routes.message.register(revise, Wants(ReviseBroadcast))
    routes.message.register(show, Wants(ShowBroadcasts))
    routes.callback_query.register(turn, Presses(TurnBroadcasts))
    routes.callback_query.register(press, Presses(OnBroadcast))


# ── what is said ─────────────────────────────────────────────────────────────────────────────────
async def write(
    message: Message, chat: Chat, intent: WriteBroadcast, people: People, commands: CommandTable
) -> None:
    """A draft of the message that this replies to; its card asks the rest. Refusals: private_only,
    those of `Broadcasts.draft`."""
    content = await _content(message, chat, people, commands)
    if content is not None:
        audience = Audience(intent.aim, intent.segment)
        await people.broadcasts.draft(chat.actor, content, audience)


async def revise(
    message: Message, chat: Chat, intent: ReviseBroadcast, people: People, commands: CommandTable
) -> None:
    """Say it wherever the broadcast stands. Refusals: private_only, those of
    `Broadcasts.revise`."""
    content = await _content(message, chat, people, commands)
    if content is not None:
        found = await people.broadcasts.by_no(chat.actor, intent.no)
        await people.broadcasts.revise(chat.actor, found.id, content)


async def show(
    _: Message, chat: Chat, intent: ShowBroadcasts, people: People, delivery: Delivery
) -> None:
    """The first page, or the card of one. Refusals: broadcast_not_found."""
    chat.actor.need_among_staff(RIGHT)
    if intent.no is None:
        await chat.say(await _page(chat, people, 1))
        return
    found = await people.broadcasts.by_no(chat.actor, intent.no)
    await _show_card(chat, delivery, OnBroadcast(found.id, "open"))


async def _content(
    message: Message, chat: Chat, people: People, commands: CommandTable
) -> Content | None:
    """The message that this replies to, as it is copied, or the whole album that it is of; None
    where it replies to none, which is answered. Refusals: private_only."""
    chat.actor.need_among_staff(RIGHT)
    if chat.id != chat.actor.user_id:
        raise Refusal("private_only")
    original = message.reply_to_message
    if original is None:
        await chat.refuse(usage_of(commands.named("broadcast"), chat.actor))
        return None
    if original.media_group_id is not None:
        album = await people.broadcasts.whole_album(chat.id, original.media_group_id)
        if album is not None:
            return album
    media = media_in(original)
    kind = "text" if original.text else media[0].kind if media else "other"
    if kind != "text" and kind not in _CAPTIONED:
        kind = "other"
    words = original.html_text if original.text or original.caption else ""
    return Content(chat.id, original.message_id, kind, words)


# ── what is pressed ──────────────────────────────────────────────────────────────────────────────
async def turn(_: CallbackQuery, chat: Chat, button: TurnBroadcasts, people: People) -> None:
    """Another page, in the place of the one that carries the button."""
    await chat.replace(await _page(chat, people, button.page))


async def press(
    _: CallbackQuery,
    chat: Chat,
    button: OnBroadcast,
    people: People,
    delivery: Delivery,
    dialogues: Dialogues,
) -> None:
    """What a card offers; the card shows what came of it. Refusals: those of the verb."""
    actor, broadcasts, broadcast_id = chat.actor, people.broadcasts, button.broadcast_id
    actor.need_among_staff(RIGHT)
    match button.action:
        case "open":
            await _show_card(chat, delivery, button)
        case "all" | "merchants" | "suppliers" as aim:
            await broadcasts.aim(actor, broadcast_id, Audience(aim))
        case "pin" | "unpin":
            await broadcasts.pin(actor, broadcast_id, is_pinned=button.action == "pin")
        case "now":
            await broadcasts.time(actor, broadcast_id, None)
        case "test":
            await broadcasts.test(actor, broadcast_id)
        case "send":
            await broadcasts.send(actor, broadcast_id)
        case "drop":
            await broadcasts.drop(actor, broadcast_id)
        case "stop":
            await broadcasts.stop(actor, broadcast_id)
        case "retry":
            await broadcasts.retry(actor, broadcast_id)
        case "pick":
            await chat.post(await targets_page(people, broadcast_id, "", 1))
        case "search":
            await ask_search(chat, people, dialogues, broadcast_id)
        case "time":
            await ask_time(chat, people, dialogues, broadcast_id)
        case "withdraw" | "sure":
            await _withdraw(chat, people, button)


async def _withdraw(chat: Chat, people: People, button: OnBroadcast) -> None:
    """Ask first: it is gone everywhere then."""
    view = await people.broadcasts.view(button.broadcast_id)
    if view is None:
        raise Refusal("broadcast_not_found", text="")
    no, chats = view.broadcast.no, view.counts.sent
    if button.action == "withdraw":
        await chat.say(BroadcastWithdrawal(button.broadcast_id, no, chats))
        return
    await people.broadcasts.withdraw(chat.actor, button.broadcast_id)
    await chat.replace(BroadcastWithdrawal(button.broadcast_id, no, chats, sure=True))


async def _show_card(chat: Chat, delivery: Delivery, button: OnBroadcast) -> None:
    """Below, where it is read; the one above is its card no longer."""
    posts, about = delivery.board.posts, Subject.broadcast(button.broadcast_id)
    if (post := await posts.find(chat.id, about)) is not None:
        await posts.forget(chat.id, post.message_id)
    await chat.put(BroadcastCard(str(button.broadcast_id)))


async def _page(chat: Chat, people: People, number: int) -> BroadcastsNotice:
    found = await people.broadcasts.page(chat.actor, number)
    lines = tuple(
        BroadcastLine(
            one.id,
            one.no,
            one.state,
            one.task,
            one.content.plain[:_SHORT_CHARS],
            counts.sent,
            counts.failed,
            counts.total,
            one.created_at,
        )
        for one, counts in found.entries
    )
    return BroadcastsNotice(found.page, found.pages, found.total, lines, await chat.zone())
