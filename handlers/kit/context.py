"""What happens before a handler: the text is understood, the person and the group are known."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Final
from uuid import UUID

import structlog
from aiogram import BaseMiddleware, Bot
from aiogram.exceptions import TelegramAPIError
from aiogram.filters import Filter
from aiogram.types import CallbackQuery, Message, TelegramObject, User

from core.delivery.albums import Piece
from core.kernel.clock import Clock
from core.people.actors import ANONYMOUS_ADMIN_ID, Actor
from core.people.district import People
from core.trade.district import Trade
from core.trade.enquiries import Thread
from core.trade.reasons import AskedWhy
from handlers.kit.buttons import Button
from handlers.kit.chat import AnyMessage, Chat, Chats
from handlers.kit.commands import CommandTable
from handlers.kit.dialogues import Dialogues, Said, Sent
from handlers.kit.intents import Changing, Intent, Mistake, Naming, Reading, Usage
from handlers.kit.parser import Parser, addressee_of
from handlers.kit.reactions import Reactions
from handlers.kit.refusals import StaleMoney
from handlers.kit.relayed import file_in, media_in, without_mentions

_LOG = structlog.get_logger(__name__)
_Handler = Callable[[TelegramObject, dict[str, Any]], Awaitable[Any]]

MAX_TOAST_CHARS: Final = 200
# Of those who come together, so many.
_LOOKED_AT: Final = 20
# What is found later than this (after an outage) is not carried out by itself.
STALE_AFTER: Final = timedelta(minutes=10)


@dataclass(frozen=True, slots=True)
class GiveReason:
    """No command: the reply of who was asked why, whatever it says. why: what was asked."""

    why: AskedWhy
    question_message_id: int
    reason: str


@dataclass(frozen=True, slots=True)
class RelayedReply:
    """No command: a reply, of anybody, to what was passed between a merchant's chat and a
    supplier's."""

    thread: Thread


@dataclass(frozen=True, slots=True)
class AlbumPart:
    """No command: another part of an album whose words asked these enquiries."""

    enquiry_ids: tuple[UUID, ...]


# What a message may be beside an intent.
Other = GiveReason | RelayedReply | AlbumPart | Said | Sent


class Wants(Filter):
    """Lets a message through that was understood as one of these intents."""

    def __init__(self, *kinds: type) -> None:
        self._kinds = kinds

    async def __call__(self, _: TelegramObject, intent: Intent | Other | None = None) -> bool:
        return isinstance(intent, self._kinds)


class GivesReason(Filter):
    """Lets a reply through that says why to do one of these."""

    def __init__(self, *deeds: str) -> None:
        self._deeds = deeds

    async def __call__(self, _: TelegramObject, intent: Intent | Other | None = None) -> bool:
        return isinstance(intent, GiveReason) and intent.why.deed in self._deeds


class Presses(Filter):
    """Lets a button press through that is of one of these kinds."""

    def __init__(self, *kinds: type) -> None:
        self._kinds = kinds

    async def __call__(self, _: TelegramObject, button: Button | None = None) -> bool:
        return isinstance(button, self._kinds)


class Press:
    """A pressed button, answered exactly once: with a toast, an alert, or nothing."""

    def __init__(self, query: CallbackQuery) -> None:
        self._query = query
        self.answered = False

    async def answer(self, text: str = "", *, alert: bool = False) -> bool:
        """False when it was answered before, or Telegram no longer waits for an answer."""
        if self.answered:
            return False
        self.answered = True
        try:
            await self._query.answer(text[:MAX_TOAST_CHARS] or None, show_alert=alert or None)
        except TelegramAPIError as error:
            _LOG.info("a button press could not be answered", fault=str(error))
            return False
        return True

    async def answer_after(self, seconds: float) -> None:
        await asyncio.sleep(seconds)
        await self.answer()


class Understand(BaseMiddleware):
    """Parses a message and finds out who speaks. Talk, strangers and other bots end here.

    Strangers are heard where an intent welcomes them, and nowhere else. Hands on `intent` and
    `chat`; neither of them for service messages.
    """

    def __init__(
        self, chats: Chats, trade: Trade, bot: Bot, parser: Parser, dialogues: Dialogues
    ) -> None:
        self._chats = chats
        self._reasons = trade.reasons
        self._enquiries = trade.enquiries
        self._bot = bot
        self._parser = parser
        self._dialogues = dialogues

    async def __call__(self, handler: _Handler, event: TelegramObject, data: dict[str, Any]) -> Any:
        if not isinstance(event, Message) or is_channel(event):
            return None
        if _is_of_the_group(event):
            return await handler(event, data)
        for member in (event.new_chat_members or ())[:_LOOKED_AT]:
            if _may_speak(member):
                await self._chats.actor(member, event)  # who comes is looked at, as who speaks
        # Who speaks comes first, and needs the database alone: whatever else fails, strangers get
        # silence, and nobody's talk is an alarm.
        speaker = event.from_user
        if speaker is None or not _may_speak(speaker):
            return None
        actor = await self._chats.actor(speaker, event)
        if not actor.known and (actor.user_id != ANONYMOUS_ADMIN_ID or actor.group is None):
            asked = await self._welcome(event, actor) or await self._relayed(event, actor)
            if asked is None:
                return None
            return await handler(
                event, {**data, "intent": asked, "chat": self._chats.of(actor, event)}
            )
        await self._note_album(event, actor)
        intent: Intent | Other | None = await self._reason(event)
        intent = intent or await self._dialogues.said(event) or await self._intent(event, actor)
        if intent is None or (isinstance(intent, Intent) and intent.gives_way()):
            relayed = await self._relayed(event, actor)
            intent = relayed or intent or await self._by_album(event, actor)
            intent = intent or self._by_picture(event)
        if event.edit_date is None and (
            intent is None or (isinstance(intent, Intent) and intent.is_talk(actor))
        ):
            return None
        return await handler(
            event, {**data, "intent": intent, "chat": self._chats.of(actor, event)}
        )

    def _is_talk(self, intent: Intent, actor: Actor) -> bool:
        """Whether somebody only speaks in words that are a command's as well: a number among them
        is a number all the same."""
        if isinstance(intent, Usage) and intent.aside:
            return not self._parser.commands.may_say(intent.command, actor)
        return intent.is_talk(actor)

    async def _welcome(self, message: Message, stranger: Actor) -> Intent | None:
        """What a stranger may say, in words of their own."""
        text = message.text or ""
        if message.edit_date is not None or message.forward_origin is not None:
            return None
        intent = self._parser.parse(text)
        if intent is None or not intent.welcomes(stranger):
            return None
        if addressee_of(text):
            intent = self._parser.parse(text, (await self._bot.me()).username or "")
        return intent

    def _of_mentioned(self, message: Message, text: str, username: str) -> Intent | None:
        """What is said of somebody who is mentioned in the middle of it."""
        rest = without_mentions(message)
        found = self._parser.parse(rest, username) if rest != text else None
        return found if isinstance(found, Naming) else None

    def _by_picture(self, message: Message) -> Intent | None:
        """A picture without words of its own may ask about what it replies to."""
        replied = message.reply_to_message
        if replied is None or message.edit_date or message.forward_origin or not media_in(message):
            return None
        found = self._parser.parse(replied.text or replied.caption or "")
        return found if found is not None and found.is_asked_by_picture() else None

    async def _note_album(self, message: Message, actor: Actor) -> None:
        """An album comes message by message: a number stands under one of them, and a reply names
        one."""
        album, item = message.media_group_id, file_in(message)
        if album is None or item is None or message.edit_date:
            return
        is_private = message.chat.type == "private"
        if not actor.may("broadcast" if is_private else "chase"):
            return
        # Nobody needs the words of groups.
        words = message.html_text if is_private and message.caption else ""
        piece = Piece(message.chat.id, message.message_id, album, *item, words)
        await self._chats.delivery.albums.note(piece)

    async def _by_album(self, message: Message, actor: Actor) -> AlbumPart | None:
        """A picture without a number of its own, of an album that was passed."""
        album = message.media_group_id
        if album is None or message.edit_date or message.reply_to_message or not media_in(message):
            return None
        found = await self._enquiries.find_album(message.chat.id, album)
        return AlbumPart(found) if found and actor.may("chase") else None

    async def _relayed(self, message: Message, actor: Actor) -> RelayedReply | None:
        """A reply to a message of ours that was passed from another chat, whatever it says, of
        somebody whose replies belong there."""
        asked = message.reply_to_message
        if asked is None or message.edit_date is not None or message.chat.type == "channel":
            return None
        if not self._is_ours(asked):
            return None
        text = asked.text or asked.caption or ""
        thread = await self._enquiries.find_thread(message.chat.id, asked.message_id, text)
        if thread is None or not self._enquiries.hears(actor, thread):
            return None
        return RelayedReply(thread)

    async def _reason(self, message: Message) -> GiveReason | None:
        """A reply to a question why is its answer, never a command; slash forms are commands."""
        asked, speaker = message.reply_to_message, message.from_user
        text = message.text or message.caption or ""
        if asked is None or speaker is None or message.forward_origin or message.edit_date:
            return None
        if not text or text.startswith(("/", "／")) or not self._is_ours(asked):
            return None
        why = await self._reasons.find(speaker.id, message.chat.id, asked.message_id)
        return None if why is None else GiveReason(why, asked.message_id, text)

    def _is_ours(self, message: Message) -> bool:
        return message.from_user is not None and message.from_user.id == self._bot.id

    async def _intent(self, message: Message, actor: Actor) -> Intent | None:
        text = message.text or message.caption or ""
        username = ""
        if addressee_of(text) or text.startswith(("@", "＠")):
            username = (await self._bot.me()).username or ""
        intent = self._parser.parse(text, username)
        if intent is not None and self._is_talk(intent, actor):
            intent = self._parser.hear(text)
        if intent is None:
            intent = self._of_mentioned(message, text, username)
        if message.forward_origin and not isinstance(intent, Reading):
            return None  # somebody else's words move no money and set nothing
        if intent is None and message.text and message.edit_date is None:
            return self._parser.nearby(text, username)
        return intent


class InTime(BaseMiddleware):
    """What would change something is not carried out by itself when it comes too late. What takes
    a while is seen to be read. Comes after `Understand`."""

    def __init__(
        self, people: People, clock: Clock, commands: CommandTable, reactions: Reactions
    ) -> None:
        self._receipts = people.receipts
        self._clock = clock
        self._commands = commands
        self._reactions = reactions

    async def __call__(self, handler: _Handler, event: TelegramObject, data: dict[str, Any]) -> Any:
        intent, chat = data.get("intent"), data.get("chat")
        if not isinstance(event, Message) or not isinstance(chat, Chat):
            return await handler(event, data)
        right = self._commands.right_to(intent, chat.actor)
        if isinstance(intent, Mistake) or (right and not chat.actor.may(right)):
            return await handler(event, data)  # it is refused, whenever it comes
        if isinstance(intent, Changing) and self._clock.now() - event.date > STALE_AFTER:
            # One that was carried out in time and is only delivered again is not spoken of.
            # Nor is a stranger told anything.
            done = await self._receipts.obeyed(chat.id, chat.message_id)
            if chat.actor.known and not done:
                await chat.refuse(StaleMoney())
            return None
        async with self._reactions.while_answered(chat.id, chat.message_id):
            return await handler(event, data)


def is_channel(message: AnyMessage) -> bool:
    """Whether everybody may read along: a channel is a place of broadcasts, and of no commands."""
    return message.chat.type == "channel"


def _is_of_the_group(message: Message) -> bool:
    """Whether Telegram itself writes what became of a group, or of somebody in it."""
    return bool(
        message.migrate_to_chat_id
        or message.migrate_from_chat_id
        or message.new_chat_title
        or message.left_chat_member
    )


def _may_speak(user: User) -> bool:
    return not user.is_bot or user.id == ANONYMOUS_ADMIN_ID
