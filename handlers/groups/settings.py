"""What is set about a group, typed in it or of a group that is named."""

from __future__ import annotations

import re
from typing import Final

from aiogram import Router
from aiogram.types import Message

from core.kernel.clock import read_time, read_zone
from core.kernel.errors import Refusal
from core.people.district import People
from core.people.groups import (
    GroupChange,
    InSegment,
    InTopic,
    Label,
    Language,
    Quiet,
    QuietHours,
    Zone,
)
from handlers.groups.screens import GroupSettingSet
from handlers.groups.words import LANGUAGES, TOPIC_WORDS, SetHere, Setting
from handlers.kit.chat import Chat
from handlers.kit.context import Wants
from handlers.kit.grammar import is_off
from texts.amounts import fold

RIGHT: Final = "list_groups"
_EXAMPLES: Final[dict[Setting, str]] = {
    "language": "/lang zh", "topic": "/topic bills", "quiet": "/quiet 23:00-08:00",
}  # fmt: skip
_BETWEEN: Final = re.compile(r"\s*[-–—~至到]\s*")
_SHOWN_CHARS: Final = 40


def add_routes(routes: Router) -> None:
    """How a group is spoken to."""
    routes.message.register(set_here, Wants(SetHere))


async def set_here(message: Message, chat: Chat, intent: SetHere, people: People) -> None:
    """Set it for this group, and say so. Refusals: those of `read_change` and of
    `GroupSettings.change`; forum_needed."""
    chat.actor.need(RIGHT)
    if await chat.refuse_outside_groups():
        return
    if intent.what == "topic":
        change: GroupChange = _topic_here(message, intent.text)
    else:
        change = read_change(intent.what, intent.text)
    await people.group_settings.change(chat.actor, change, message_id=chat.message_id)
    await chat.say(told(intent.what, change, chat.actor.name))


def read_change(what: Setting, text: str) -> GroupChange:
    """What a text sets. Refusals: answer_unreadable, time_invalid, zone_unknown."""
    text = " ".join(text.split())
    match what:
        case "label":
            return Label(text)
        case "segment":
            return InSegment(text.removeprefix("-"), not text.startswith("-"))
        case "zone":
            return Zone(None if is_off(fold(text)) else read_zone(fold(text)))
        case "quiet":
            return Quiet(None if is_off(fold(text)) else _hours(fold(text)))
        case "language" if fold(text).lower() in LANGUAGES:
            return Language(LANGUAGES[fold(text).lower()])
        case _:
            raise Refusal("answer_unreadable", example=_EXAMPLES[what])


def _hours(text: str) -> QuietHours:
    """`23:00-08:00`; what is between the times may be a blank."""
    times = _BETWEEN.split(text) if _BETWEEN.search(text) else text.split()
    if len(times) != 2:
        raise Refusal("quiet_invalid", text=text[:_SHOWN_CHARS])
    return QuietHours(*(read_time(one) for one in times))


def _topic_here(message: Message, text: str) -> InTopic:
    """What comes into the topic in which this was said; in the general one, or with a word for
    off, it comes into that one again."""
    words = fold(text).lower().split()
    use = TOPIC_WORDS.get(words[0])
    if use is None or (len(words) > 1 and not is_off(words[1])):
        raise Refusal("answer_unreadable", example=_EXAMPLES["topic"])
    if not message.chat.is_forum:
        raise Refusal("forum_needed")
    here = message.message_thread_id if message.is_topic_message else None
    return InTopic(use, None if len(words) > 1 else here)


def told(what: Setting, change: GroupChange, actor_name: str) -> GroupSettingSet:
    """How it is said that something was set."""
    value, member = "", False
    match change:
        case Label(word):
            value = word
        case Language(code):
            value = code
        case Zone(name):
            value = name or ""
        case Quiet(hours):
            value = str(hours or "")
        case InSegment(name, member):
            value = name
        case InTopic(use, thread_id):
            value, member = use, thread_id is not None
    return GroupSettingSet(what, value, member, actor_name)
