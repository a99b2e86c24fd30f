"""What tests of private dialogues share: people of their own, for Redis is everybody's."""

from __future__ import annotations

from itertools import count
from uuid import uuid4

from aiogram import Bot

from core.delivery.outbox import Fact, Say, TakeAway, TextFile
from handlers import build_dispatcher
from tests.handlers.support import Desk

_numbers = count(1)


async def employed(desk: Desk, role: str = "admin") -> int:
    """Somebody with a role whom no other test knows."""
    user_id = 10**9 + uuid4().int % 10**12
    await desk.runtime.people.people.employ(user_id, f"{role} {next(_numbers)}", role)
    return user_id


def restarted(desk: Desk) -> None:
    """The desk's process ends, and another begins."""
    bot = Bot(desk.bot.token, session=desk.line)
    desk.bot, desk.dispatcher = bot, build_dispatcher(desk.runtime, bot, desk.reactions)


def says(facts: list[Fact]) -> list[Say]:
    return [fact for fact in facts if isinstance(fact, Say)]


def files(facts: list[Fact]) -> list[TextFile]:
    return [fact for fact in facts if isinstance(fact, TextFile)]


def taken_away(facts: list[Fact]) -> list[int]:
    return [fact.message_id for fact in facts if isinstance(fact, TakeAway)]


def code(say: Say) -> str:
    """The code of a refusal."""
    assert say.screen == "refusal", say
    return str(say.facts["code"])
