"""What tests of private dialogues share: people of their own, for Redis is everybody's."""

from __future__ import annotations

from itertools import count
from uuid import uuid4

from aiogram import Bot

from core.delivery.outbox import Fact, Say, TakeAway, TextFile
from core.system.settings import DEMO_PASSWORD
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


async def enrolled(desk: Desk, user_id: int) -> None:
    """Somebody has the password that a demo's questions tell."""
    if not await desk.runtime.people.factors.enrolled(user_id):
        actor = await desk.runtime.people.access.actor(user_id, "x", user_id, private=True)
        await desk.runtime.people.factors.set_password(actor, DEMO_PASSWORD)
        await desk.news()  # ops is told


async def proves(desk: Desk, user_id: int, answer: str = DEMO_PASSWORD) -> list[Say]:
    """Somebody writes a code or the password in private; what was said because of it."""
    told = await desk.say(user_id, user_id, answer)
    assert taken_away(told) == [desk.message_id], "it stands nowhere"
    return says(told)


async def press_and_prove(
    desk: Desk, user_id: int, chat_id: int, data: str, *, message_id: int = 77
) -> list[Say]:
    """Somebody presses yes, and proves it in private; what was said then."""
    await enrolled(desk, user_id)
    (question,) = says(await desk.press(user_id, chat_id, data, message_id=message_id))
    assert question.screen == "prove_question", question
    return await proves(desk, user_id)


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
