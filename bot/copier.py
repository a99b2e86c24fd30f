"""Takes what people write from one chat to another, and shows what became of it there."""

from __future__ import annotations

from typing import Final
from uuid import UUID

import structlog
from aiogram.exceptions import TelegramBadRequest

from bot.painter import Painter
from bot.poster import Place, Poster, SourceGone, Unreachable, digest_of
from bot.send_limits import Full
from core.delivery.board import Subject
from core.delivery.outbox import Copy, EnquiryCard, Leaving, MediaGroup, Say
from core.kernel.errors import Bug
from core.runtime import Runtime
from core.trade.enquiries import KEEPER, Enquiry
from handlers.enquiries.screens import CopyGone
from handlers.screens import Screen, caption, render_say

_LOG = structlog.get_logger(__name__)
# What stands under these can be other words than in the message that is copied.
_CAPTIONED: Final = frozenset({"photo", "video", "document", "animation", "audio", "voice"})
_NO_CAPTION: Final = "there is no caption in the message to edit"


class Copier:
    """Copies messages, and shows cards of enquiries."""

    def __init__(self, runtime: Runtime, painter: Painter, poster: Poster) -> None:
        self._enquiries = runtime.trade.enquiries
        self._posts = runtime.delivery.board.posts
        self._painter = painter
        self._poster = poster

    async def show(self, place: Place, leaving: Leaving) -> tuple[int, ...]:
        """Show what leaves; the ids of the new messages, the oldest first."""
        match leaving.fact:
            case EnquiryCard(enquiry_id):
                return await self._enquiry(place, UUID(enquiry_id))
            case Copy() as copy:
                return await self._copy(place, copy, leaving)
            case MediaGroup() as group:
                return await self._media_group(place, group, leaving)
            case fact:
                raise Bug(f"this is no copy: {fact.topic}")

    async def _copy(self, place: Place, copy: Copy, leaving: Leaving) -> tuple[int, ...]:
        if out := await self._out(leaving, copy.ref):
            return out
        if copy.text is not None:
            screen = Screen(caption(copy.text))
            posted = await self._poster.post(place, screen, reply_to=copy.reply_to)
        else:
            words = copy.html or (None if copy.caption is None else caption(copy.caption))
            under = None if words is None else Screen(words)
            source = (copy.from_chat_id, copy.from_message_id)
            try:
                posted = await self._poster.copy(place, source, under, reply_to=copy.reply_to)
            except SourceGone as error:
                if copy.bulk:  # whoever sends it hears of it, and nobody else
                    raise Unreachable(str(error)) from error
                _LOG.warning("a message went before it was copied", fault=str(error))
                language = await self._painter.language(place.chat_id)
                screen = render_say(Say(CopyGone()), language)
                posted = await self._poster.post(place, screen, reply_to=copy.reply_to)
                if copy.keeper == KEEPER:
                    await self._enquiries.lose(copy.ref)
        return await self._remember(place, (posted,), copy.ref)

    async def _media_group(
        self, place: Place, group: MediaGroup, leaving: Leaving
    ) -> tuple[int, ...]:
        if out := await self._out(leaving, group.ref):
            return out
        words = group.html or caption(group.caption)
        reply_to = group.reply_to
        try:
            posted = await self._poster.media_group(place, group.items, words, reply_to=reply_to)
        except SourceGone as error:
            raise Unreachable(str(error)) from error
        return await self._remember(place, posted, group.ref)

    async def _out(self, leaving: Leaving, ref: str) -> tuple[int, ...]:
        """The messages that it became already, where whoever sent it died before saying so."""
        if not leaving.maybe_out or not ref:
            return ()
        return await self._posts.all_after(leaving.chat_id, Subject.copy(ref), leaving.behind)

    async def _remember(
        self, place: Place, message_ids: tuple[int, ...], ref: str
    ) -> tuple[int, ...]:
        for message_id in message_ids:
            await self._posts.posted(place.chat_id, message_id, Subject.copy(ref), "")
        return message_ids

    async def _enquiry(self, place: Place, enquiry_id: UUID) -> tuple[int, ...]:
        """The group's one message of an enquiry: edited where it shows something else, and posted
        where there is none."""
        seen = await self._painter.enquiry(place.chat_id, enquiry_id)
        if seen is None:
            return ()
        enquiry, screen = seen
        if enquiry.gathers:
            if wait_s := await self._enquiries.gather(enquiry_id):
                raise Full(wait_s)
            return await self._enquiry(place, enquiry_id)
        about, digest = Subject.enquiry(enquiry_id), digest_of(screen)
        post = await self._posts.find(place.chat_id, about)
        if post is not None:
            if post.digest == digest:
                return ()
            if await self._edit(place, post.message_id, enquiry, screen):
                await self._posts.shown(place.chat_id, post.message_id, digest)
                return ()
            await self._posts.forget(place.chat_id, post.message_id)
        album = await self._album(place, enquiry) if len(enquiry.media) > 1 else ()
        posted = await self._post(place, enquiry, screen, album)
        await self._posts.posted(place.chat_id, posted, about, digest)
        return (*album, posted)

    async def _album(self, place: Place, enquiry: Enquiry) -> tuple[int, ...]:
        """What came with the question, above it: nothing can be pressed under an album. It may be
        there already, though the question is not."""
        about = Subject.copy(f"{enquiry.id}:album")
        if there := await self._posts.all_after(place.chat_id, about, 0):
            return there
        items = tuple((one.kind, one.file_id) for one in enquiry.media)
        words = caption(enquiry.attempt_no)
        try:
            posted = await self._poster.media_group(place, items, words, reply_to=None)
        except SourceGone as error:
            _LOG.info("a question goes without its album", fault=str(error))
            return ()
        return await self._remember(place, posted, about.ref)

    async def _post(
        self, place: Place, enquiry: Enquiry, screen: Screen, album: tuple[int, ...]
    ) -> int:
        """Under its album; or with what came with the question; without it, where that is gone or
        may not be copied."""
        media = enquiry.media
        if album:
            return await self._poster.post(place, screen, reply_to=album[0])
        if media and media[0].kind in _CAPTIONED:
            source = (enquiry.from_chat_id, enquiry.from_message_id)
            try:
                return await self._poster.copy(place, source, screen, reply_to=None)
            except SourceGone as error:
                _LOG.info("a question goes without its picture", fault=str(error))
        return await self._poster.post(place, screen)

    async def _edit(self, place: Place, message_id: int, enquiry: Enquiry, screen: Screen) -> bool:
        if len(enquiry.media) == 1:
            try:
                return await self._poster.edit_caption(place, message_id, screen)
            except TelegramBadRequest as error:
                if _NO_CAPTION not in str(error):
                    raise  # it went without its picture
        return await self._poster.edit(place, message_id, screen)
