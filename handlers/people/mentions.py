"""Whom a message is about: whoever wrote what it replies to, or whom it mentions. Never by an
@username, which anybody can take."""

from __future__ import annotations

from dataclasses import dataclass

from aiogram.types import Message, User


@dataclass(frozen=True, slots=True)
class Mentioned:
    """A person, by Telegram's number. name: empty where it is not known."""

    user_id: int
    name: str = ""


def mentioned_in(message: Message) -> Mentioned | None:
    """The person that a message mentions by a link of Telegram's own, or else replies to. No bot,
    no channel and no hidden administrator is a person."""
    for entity in (*(message.entities or ()), *(message.caption_entities or ())):
        if entity.type == "text_mention" and entity.user is not None:
            return _person(entity.user)
    replied = message.reply_to_message
    # In a topic of a forum every message replies to the one that opened the topic.
    if replied is None or replied.forum_topic_created is not None or replied.sender_chat:
        return None
    return _person(replied.from_user)


def _person(user: User | None) -> Mentioned | None:
    return None if user is None or user.is_bot else Mentioned(user.id, user.full_name)
