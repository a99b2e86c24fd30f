"""A message of a person as it is passed to another chat: what came with it, and its words without
those by which people are mentioned. Who works for one side is nobody's business on the other."""

from __future__ import annotations

from collections.abc import Collection
from typing import Final

from aiogram.types import Message

from core.trade.enquiries import Media, Said

_BY_LINK: Final = frozenset({"text_mention"})
_BY_ANY: Final = frozenset({"text_mention", "mention"})
# What may show that an order is paid.
_EVIDENCE: Final = frozenset({"photo", "video", "document"})
# An animation comes with a document that is the same.
_FILES: Final = ("animation", "video", "document", "audio", "voice")


def said_in(message: Message, by_name: str) -> Said:
    """The message, as it is passed on. Nothing is, where it only mentions people."""
    text, caption = message.text, message.caption
    bare = without_mentions(message, _BY_ANY)
    return Said(
        message.chat.id,
        message.message_id,
        by_name,
        media_in(message),
        album=message.media_group_id,
        text=" ".join(bare.split()) if text and bare != text else None,
        caption=" ".join(bare.split()) if caption and bare != caption else None,
    )


def media_in(message: Message) -> tuple[Media, ...]:
    """The picture, video or file that came with a message: Telegram's id of its largest form."""
    found = file_in(message)
    return (Media(*found),) if found is not None and found[0] in _EVIDENCE else ()


def file_in(message: Message) -> tuple[str, str] | None:
    """The one file that came with a message, of whatever kind: as the Bot API calls it, and
    Telegram's id of it."""
    if message.photo:
        largest = max(message.photo, key=lambda size: size.width * size.height)
        return "photo", largest.file_id
    for kind in _FILES:
        if (file := getattr(message, kind)) is not None:
            return kind, file.file_id
    return None


def without_mentions(message: Message, kinds: Collection[str] = _BY_LINK) -> str:
    """What is written but for the names by which people are mentioned: whoever is meant stands in
    the message itself, and a name may be any word. kinds: of the Bot API's entities."""
    text = message.text or message.caption or ""
    units = text.encode("utf-16-le", errors="surrogatepass")
    for entity in reversed(message.entities or message.caption_entities or ()):
        if entity.type in kinds:
            first, last = 2 * entity.offset, 2 * (entity.offset + entity.length)
            units = units[:first] + units[last:]
    return units.decode("utf-16-le", errors="surrogatepass")
