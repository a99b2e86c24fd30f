"""Puts screens into chats: each call finds its room first."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Final, NoReturn

import structlog
from aiogram import Bot
from aiogram.exceptions import (
    TelegramBadRequest,
    TelegramForbiddenError,
    TelegramMigrateToChat,
    TelegramNotFound,
)
from aiogram.types import (
    BufferedInputFile,
    EphemeralMessageParameters,
    InputMediaAnimation,
    InputMediaAudio,
    InputMediaDocument,
    InputMediaPhoto,
    InputMediaVideo,
    InputRichMessage,
    LinkPreviewOptions,
    Message,
    ReplyParameters,
)

from bot.send_limits import GONE, NO_PIN, NO_TOPIC, NOT_THERE, UNCHANGED, Budget, is_out
from handlers.screens import Screen

_LOG = structlog.get_logger(__name__)
_NOT_COPIED: Final = ("message to copy not found", "message can't be copied")
_NO_FILE: Final = ("wrong file identifier", "wrong remote file identifier")
_MEDIA: Final = {
    "animation": InputMediaAnimation,
    "photo": InputMediaPhoto,
    "video": InputMediaVideo,
    "document": InputMediaDocument,
    "audio": InputMediaAudio,
}


@dataclass(slots=True)
class Place:
    """Where something is put. rank: of what is put there; see outbox/facts.py. thread_id: the
    topic of a forum into which a new message comes that is no reply. maybe_there: a new message is
    there, or on its way."""

    chat_id: int
    rank: int
    thread_id: int | None = None
    maybe_there: bool = False


class TopicGone(Exception):
    """The topic into which it was to come was closed or deleted. Nothing is there."""


class SourceGone(Exception):
    """The message, or the file, that was to be copied is gone, or may not be copied; or the bot
    reads its chat no more, which may have moved: its messages have other numbers then. Nothing is
    there."""


class Unreachable(Exception):
    """What was to be changed is not there any more; nothing helps."""


@dataclass(frozen=True, slots=True)
class Whisper:
    """Words for one member. aloud: where everybody in the chat reads them. thread_id: the topic in
    which it is shown; a reply is in the topic of its question anyway."""

    screen: Screen
    aloud: Screen
    user_id: int
    reply_to: int | None
    thread_id: int | None


class Poster:
    """Posts, edits, deletes and pins. Raises Full where there is no room, TopicGone where its topic
    takes nothing, and aiogram's errors."""

    def __init__(self, bot: Bot, budget: Budget) -> None:
        self._bot = bot
        self._budget = budget

    async def post(
        self, place: Place, screen: Screen, *, reply_to: int | None = None, quiet: bool = False
    ) -> int:
        """A new message; its id."""
        async with self._budget.call(place.chat_id, place.rank):
            place.maybe_there = True
            try:
                sent = await self._send(place, screen, in_reply(reply_to), quiet)
            except TelegramBadRequest as error:
                _need_topic(place, error)
                raise
            return sent.message_id

    async def whisper(self, place: Place, whisper: Whisper) -> int | None:
        """What one member alone sees; in a chat that has no such messages a reply, whose id it
        returns."""
        async with self._budget.call(place.chat_id, place.rank):
            try:
                await self._bot.send_message(
                    place.chat_id,
                    whisper.screen.html,
                    message_thread_id=whisper.thread_id,
                    reply_markup=whisper.screen.keyboard,
                    ephemeral_message_parameters=EphemeralMessageParameters(
                        receiver_user_id=whisper.user_id
                    ),
                )
            except (TelegramBadRequest, TelegramForbiddenError):
                _LOG.info("no ephemeral message here; replying instead", chat_id=place.chat_id)
                reply = in_reply(whisper.reply_to)
                place.maybe_there = True
                sent = await self._send(place, whisper.aloud, reply, quiet=False)
                return sent.message_id
            return None

    async def file(
        self, place: Place, file: BufferedInputFile, under: Screen, *, reply_to: int | None
    ) -> int:
        """A file in a new message; its id."""
        async with self._budget.call(place.chat_id, place.rank):
            place.maybe_there = True
            sent = await self._bot.send_document(
                place.chat_id,
                file,
                caption=under.html,
                reply_parameters=in_reply(reply_to),
                reply_markup=under.keyboard,
            )
            return sent.message_id

    async def picture(
        self, place: Place, png: BufferedInputFile, under: Screen, *, reply_to: int | None
    ) -> int:
        """A picture in a new message; its id."""
        async with self._budget.call(place.chat_id, place.rank):
            place.maybe_there = True
            sent = await self._bot.send_photo(
                place.chat_id,
                png,
                caption=under.html,
                reply_parameters=in_reply(reply_to),
                reply_markup=under.keyboard,
            )
            return sent.message_id

    async def copy(
        self, place: Place, source: tuple[int, int], under: Screen | None, *, reply_to: int | None
    ) -> int:
        """A message of another chat in a new one of ours; its id. source: that chat, and the
        message there. under: what stands under it; None: what stands there already. Raises
        SourceGone; a fault of `place` is raised as it is."""
        async with self._budget.call(place.chat_id, place.rank):
            place.maybe_there = True
            from_chat_id, message_id = source
            try:
                copied = await self._bot.copy_message(
                    place.chat_id,
                    from_chat_id,
                    message_id,
                    message_thread_id=place.thread_id,
                    caption=under.html if under else None,
                    reply_markup=under.keyboard if under else None,
                    reply_parameters=in_reply(reply_to),
                )
            except (TelegramMigrateToChat, TelegramForbiddenError) as error:
                await self._blame_source(place, error)
            except TelegramBadRequest as error:
                _need_topic(place, error)
                if any(words in str(error) for words in _NOT_COPIED):
                    raise SourceGone(str(error)) from error
                if not is_out(error):
                    raise
                await self._blame_source(place, error)
            return copied.message_id

    async def _blame_source(self, place: Place, error: Exception) -> NoReturn:
        """Telegram does not say of which of the two chats an error speaks. Raises the fault of the
        target, where it has one; otherwise SourceGone."""
        await self._bot.get_chat(place.chat_id)
        raise SourceGone(str(error)) from error

    async def media_group(
        self, place: Place, items: Sequence[tuple[str, str]], caption: str, *, reply_to: int | None
    ) -> tuple[int, ...]:
        """Pictures or files that belong together, in new messages; their ids. items: kinds, and
        Telegram's ids of the files. caption: HTML, under the first. Raises SourceGone."""
        media = [
            _MEDIA[kind](media=file_id, caption=caption if first else None)
            for first, (kind, file_id) in zip((True, *[False] * len(items)), items, strict=False)
        ]
        async with self._budget.call(place.chat_id, place.rank, len(items)):
            place.maybe_there = True
            try:
                sent = await self._bot.send_media_group(
                    place.chat_id,
                    media,
                    message_thread_id=place.thread_id,
                    reply_parameters=in_reply(reply_to),
                )
            except TelegramBadRequest as error:
                _need_topic(place, error)
                if any(words in str(error) for words in _NO_FILE):
                    raise SourceGone(str(error)) from error
                raise
        return tuple(message.message_id for message in sent)

    async def edit_caption(self, place: Place, message_id: int, screen: Screen) -> bool:
        """What stands under a picture or a file. False as in `edit`."""
        async with self._budget.call(place.chat_id, place.rank):
            try:
                await self._bot.edit_message_caption(
                    chat_id=place.chat_id,
                    message_id=message_id,
                    caption=screen.html,
                    reply_markup=screen.keyboard,
                )
            except TelegramBadRequest as error:
                if UNCHANGED in str(error):
                    return True
                if any(words in str(error) for words in GONE):
                    return False
                raise
            return True

    async def edit_media(
        self, place: Place, message_id: int, item: tuple[str, str], under: Screen
    ) -> bool:
        """Another file in the place of what a message shows. item: its kind, and Telegram's id of
        it. False as in `edit`."""
        kind, file_id = item
        async with self._budget.call(place.chat_id, place.rank):
            try:
                await self._bot.edit_message_media(
                    _MEDIA[kind](media=file_id, caption=under.html or None),
                    chat_id=place.chat_id,
                    message_id=message_id,
                    reply_markup=under.keyboard,
                )
            except TelegramBadRequest as error:
                if UNCHANGED in str(error):
                    return True
                if any(words in str(error) for words in GONE):
                    return False
                raise
            return True

    async def edit(self, place: Place, message_id: int, screen: Screen) -> bool:
        """False when the message is gone and another must take its place."""
        async with self._budget.call(place.chat_id, place.rank):
            try:
                await self._rewrite(place.chat_id, message_id, screen)
            except TelegramBadRequest as error:
                if UNCHANGED in str(error):
                    return True
                if any(words in str(error) for words in GONE):
                    return False
                raise
            return True

    async def delete(self, place: Place, message_id: int) -> None:
        """Take a message away, where it is there and may be taken."""
        async with self._budget.call(place.chat_id, place.rank):
            try:
                await self._bot.delete_message(place.chat_id, message_id)
            except TelegramBadRequest as error:
                if not any(words in str(error) for words in NOT_THERE):
                    raise

    async def withdraw(self, place: Place, message_ids: Sequence[int]) -> None:
        """Take messages of ours away; those that are gone are taken away. Raises aiogram's error
        where one may not be."""
        async with self._budget.call(place.chat_id, place.rank):
            await self._bot.delete_messages(place.chat_id, list(message_ids))

    async def is_ours(self, place: Place, message_id: int) -> bool:
        """Whether a message is there and ours. Its buttons go, so that it looks alive no longer."""
        async with self._budget.call(place.chat_id, place.rank):
            try:
                await self._bot.edit_message_reply_markup(
                    chat_id=place.chat_id, message_id=message_id
                )
            except TelegramBadRequest as error:
                return UNCHANGED in str(error)
            return True

    async def repeal(self, place: Place, message_id: int, screen: Screen) -> None:
        """Take a message of ours away; one that may not be taken away says `screen` instead."""
        async with self._budget.call(place.chat_id, place.rank):
            try:
                await self._bot.delete_message(place.chat_id, message_id)
            except TelegramBadRequest as error:
                _LOG.warning("a twin stays", chat_id=place.chat_id, fault=str(error))
                await self._reword(place.chat_id, message_id, screen)

    async def _reword(self, chat_id: int, message_id: int, screen: Screen) -> None:
        try:
            await self._rewrite(chat_id, message_id, screen)
        except TelegramBadRequest as error:
            if UNCHANGED in str(error) or any(words in str(error) for words in GONE):
                return
            with suppress(TelegramBadRequest):  # it may be neither: then it stays as it is
                await self._bot.edit_message_caption(  # it is a file or a picture
                    chat_id=chat_id, message_id=message_id, caption=screen.html
                )

    async def pin(self, place: Place, message_id: int) -> bool:
        """Pin a message without a sound. False where the bot may not, or it is gone."""
        async with self._budget.call(place.chat_id, place.rank):
            try:
                await self._bot.pin_chat_message(
                    place.chat_id, message_id, disable_notification=True
                )
            except TelegramBadRequest as error:
                _LOG.warning("not pinned", chat_id=place.chat_id, fault=str(error))
                return False
            return True

    async def unpin(self, place: Place, message_id: int) -> bool:
        """Take a pin away. False where the bot may not; one that is not there is taken away."""
        async with self._budget.call(place.chat_id, place.rank):
            try:
                await self._bot.unpin_chat_message(place.chat_id, message_id=message_id)
            except TelegramBadRequest as error:
                _LOG.warning("not unpinned", chat_id=place.chat_id, fault=str(error))
                return NO_PIN in str(error)
            return True

    async def _send(
        self, place: Place, screen: Screen, reply: ReplyParameters | None, quiet: bool
    ) -> Message:
        chat_id = place.chat_id
        if screen.rich is not None:
            try:
                return await self._bot.send_rich_message(
                    chat_id,
                    InputRichMessage.model_validate(screen.rich),
                    message_thread_id=place.thread_id,
                    reply_parameters=reply,
                    reply_markup=screen.keyboard,
                    disable_notification=quiet or None,
                )
            except (TelegramBadRequest, TelegramNotFound) as error:
                if any(words in str(error) for words in NO_TOPIC):
                    raise
                _LOG.warning("no rich message here", chat_id=chat_id, fault=str(error))
        return await self._bot.send_message(
            chat_id,
            screen.html,
            message_thread_id=place.thread_id,
            reply_parameters=reply,
            reply_markup=screen.keyboard,
            disable_notification=quiet or None,
            link_preview_options=LinkPreviewOptions(is_disabled=True),
        )

    async def _rewrite(self, chat_id: int, message_id: int, screen: Screen) -> None:
        if screen.rich is not None:
            try:
                await self._bot.edit_message_text(
                    chat_id=chat_id,
                    message_id=message_id,
                    reply_markup=screen.keyboard,
                    rich_message=InputRichMessage.model_validate(screen.rich),
                )
            except (TelegramBadRequest, TelegramNotFound) as error:
                if any(words in str(error) for words in (UNCHANGED, *GONE)):
                    raise
                _LOG.warning("no rich message here", chat_id=chat_id, fault=str(error))
            else:
                return
        await self._bot.edit_message_text(
            screen.html,
            chat_id=chat_id,
            message_id=message_id,
            reply_markup=screen.keyboard,
            link_preview_options=LinkPreviewOptions(is_disabled=True),
        )


def _need_topic(place: Place, error: TelegramBadRequest) -> None:
    """Raises TopicGone where that is what the error says."""
    if place.thread_id is not None and any(words in str(error) for words in NO_TOPIC):
        raise TopicGone from error


def digest_of(screen: Screen) -> str:
    """What tells a screen from another."""
    keyboard = screen.keyboard.model_dump_json(exclude_none=True) if screen.keyboard else ""
    text = json.dumps([screen.html, screen.rich, keyboard], ensure_ascii=False, sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()


def in_reply(message_id: int | None) -> ReplyParameters | None:
    """As a reply to a message, also where that is gone."""
    if message_id is None:
        return None
    return ReplyParameters(message_id=message_id, allow_sending_without_reply=True)
