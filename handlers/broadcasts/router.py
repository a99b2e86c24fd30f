"""Broadcasts: written in reply to a message of one's own, seen through, and kept."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from aiogram import Router
from aiogram.types import CallbackQuery, Message

from core.delivery.albums import Piece
from core.delivery.board import Subject
from core.delivery.district import Delivery
from core.delivery.outbox import BroadcastCard
from core.kernel.errors import Refusal
from core.people.broadcasts import RIGHT, Content
from core.people.district import People
from core.people.groups import Audience
from handlers.broadcasts.buttons import OnBroadcast, TurnBroadcasts, TurnResults
from handlers.broadcasts.choices import ask_search, ask_time, targets_page
from handlers.broadcasts.results import result_file, results_page
from handlers.broadcasts.screens import BroadcastLine, BroadcastsNotice, BroadcastWithdrawal
from handlers.broadcasts.words import ReviseBroadcast, ShowBroadcasts, WriteBroadcast
from handlers.desk.screens import usage_of
from handlers.kit.chat import Chat
from handlers.kit.commands import CommandTable
from handlers.kit.context import Press, Presses, Wants
from handlers.kit.dialogues import Dialogues
from handlers.kit.relayed import file_in
from texts import translator

_SHORT_CHARS: Final = 60
# Of all else that has words under it, the file can be exchanged for another.
_WORDS_ALONE: Final = "voice"


def add_routes(routes: Router) -> None:
    """One message for very many."""
    routes.message.register(write, Wants(WriteBroadcast))
    routes.message.register(revise, Wants(ReviseBroadcast))
    routes.message.register(show, Wants(ShowBroadcasts))
    routes.callback_query.register(turn, Presses(TurnBroadcasts))
    routes.callback_query.register(turn_results, Presses(TurnResults))
    routes.callback_query.register(press, Presses(OnBroadcast))


# ── what is said ─────────────────────────────────────────────────────────────────────────────────
async def write(
    message: Message,
    chat: Chat,
    intent: WriteBroadcast,
    people: People,
    delivery: Delivery,
    commands: CommandTable,
) -> None:
    """A draft of the message that this replies to; its card asks the rest. Refusals: private_only,
    those of `Broadcasts.draft`."""
    content = await _content(message, chat, delivery, commands)
    if content is not None:
        audience = Audience(intent.aim, intent.segment)
        await people.broadcasts.draft(chat.actor, content, audience)


async def revise(
    message: Message,
    chat: Chat,
    intent: ReviseBroadcast,
    people: People,
    delivery: Delivery,
    commands: CommandTable,
) -> None:
    """Say it wherever the broadcast stands. Refusals: private_only, those of
    `Broadcasts.revise`."""
    content = await _content(message, chat, delivery, commands)
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


def _album(pieces: Sequence[Piece]) -> Content:
    first, words = pieces[0], next((piece.words for piece in pieces if piece.words), "")
    items = tuple((piece.kind, piece.file_id) for piece in pieces)
    return Content(first.chat_id, first.message_id, first.kind, words, items)


async def _content(
    message: Message, chat: Chat, delivery: Delivery, commands: CommandTable
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
        pieces = await delivery.albums.pieces(chat.id, original.media_group_id)
        if len(pieces) > 1:
            return _album(pieces)
    item = file_in(original)
    kind = "text" if original.text else item[0] if item else "other"
    words = original.html_text if original.text or original.caption else ""
    items = (item,) if item and kind not in ("text", _WORDS_ALONE) else ()
    return Content(chat.id, original.message_id, kind, words, items)


# ── what is pressed ──────────────────────────────────────────────────────────────────────────────
async def turn(_: CallbackQuery, chat: Chat, button: TurnBroadcasts, people: People) -> None:
    """Another page, in the place of the one that carries the button."""
    await chat.replace(await _page(chat, people, button.page))


async def press(
    _: CallbackQuery,
    chat: Chat,
    button: OnBroadcast,
    people: People,
    press: Press,
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
            count = await broadcasts.retry(actor, broadcast_id)
            await press.answer(_tried_again(count, actor.language))
        case "results":
            found = await broadcasts.results(actor, broadcast_id, 1)
            await chat.say(results_page(found, await chat.zone()))
        case "file":
            found = await broadcasts.all_results(actor, broadcast_id)
            language, reply_to = actor.language, chat.message_id
            await chat.put(result_file(found, await chat.zone(), language, reply_to))
        case "pick":
            await chat.post(await targets_page(people, broadcast_id, "", 1))
        case "search":
            await ask_search(chat, people, dialogues, broadcast_id)
        case "time":
            await ask_time(chat, people, dialogues, broadcast_id)
        case "withdraw" | "sure":
            await _withdraw(chat, people, button)


async def turn_results(_: CallbackQuery, chat: Chat, button: TurnResults, people: People) -> None:
    """Another page, in the place of the one that carries the button."""
    found = await people.broadcasts.results(chat.actor, button.broadcast_id, button.page)
    await chat.replace(results_page(found, await chat.zone()))


def _tried_again(count: int, language: str) -> str:
    """count: of chats."""
    words = translator(language).ngettext(
        "%(num)s chat is tried again", "%(num)s chats are tried again", count
    )
    return words % {"num": count}


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
