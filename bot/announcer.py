"""Broadcasts in chats: their cards where they are written, and what is done wherever they stand."""

from __future__ import annotations

from typing import Final
from uuid import UUID

from bot.painter import Painter
from bot.poster import Place, Poster, Unreachable, digest_of
from bot.send_limits import Full
from core.delivery.board import Subject
from core.delivery.outbox import BroadcastCard, Fact, PinCopy, Revise, Withdraw
from core.kernel.errors import Bug
from core.runtime import Runtime
from handlers.screens import Screen

# A card of a broadcast that is under way is edited once in so long.
CARD_REST_S: Final = 3.0


class Announcer:
    """Shows cards of broadcasts, changes what was sent, takes it away, and pins it."""

    def __init__(self, runtime: Runtime, painter: Painter, poster: Poster) -> None:
        self._clock = runtime.system.clock
        self._posts = runtime.delivery.board.posts
        self._painter = painter
        self._poster = poster

    async def show(self, place: Place, fact: Fact) -> int | None:
        """Do what leaves; the id of the new message, where it is one."""
        match fact:
            case BroadcastCard() as card:
                return await self._card(place, card)
            case Revise() as revise:
                await self._revise(place, revise)
            case Withdraw(message_ids):
                await self._poster.withdraw(place, message_ids)
            case PinCopy(message_id):
                await self._poster.pin(place, message_id)
            case _:
                raise Bug(f"this is nothing of a broadcast: {fact.topic}")
        return None

    async def _card(self, place: Place, card: BroadcastCard) -> int | None:
        """The chat's one message of a broadcast: edited where it shows something else, and posted
        where there is none."""
        broadcast_id = UUID(card.broadcast_id)
        screen = await self._painter.broadcast(place.chat_id, broadcast_id)
        if screen is None:
            return None
        about, digest = Subject.broadcast(broadcast_id), digest_of(screen)
        post = await self._posts.find(place.chat_id, about)
        if post is not None:
            if post.digest == digest:
                return None
            stood_s = (self._clock.now() - post.shown_at).total_seconds()
            if not card.pressed and stood_s < CARD_REST_S:
                raise Full(CARD_REST_S - stood_s)
            if await self._poster.edit(place, post.message_id, screen):
                await self._posts.shown(place.chat_id, post.message_id, digest)
                return None
            await self._posts.forget(place.chat_id, post.message_id)
        posted = await self._poster.post(place, screen)
        await self._posts.posted(place.chat_id, posted, about, digest)
        return posted

    async def _revise(self, place: Place, revise: Revise) -> None:
        """Raises Unreachable where a message is gone; what else is there of it is changed."""
        first, screen = revise.message_ids[0], Screen(revise.words)
        if revise.items:
            # Of an album whose sender died, some parts may be known alone.
            parts = zip(revise.message_ids, revise.items, strict=False)
            there = [
                await self._poster.edit_media(
                    place, message_id, item, screen if message_id == first else Screen("")
                )
                for message_id, item in parts
            ]
        elif revise.captioned:
            there = [await self._poster.edit_caption(place, first, screen)]
        else:
            there = [await self._poster.edit(place, first, screen)]
        if not all(there):
            raise Unreachable("the message is gone")
