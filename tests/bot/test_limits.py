"""Limits of time and number that hold across processes."""

from __future__ import annotations

from uuid import uuid4

from aiogram import Bot

from core.outbox.queue import LEASE
from core.runtime import Runtime
from core.throttle import Limit, Throttle


def test_telegram_answers_or_is_given_up_before_the_outbox_lends_to_another(bot: Bot) -> None:
    calls = 2  # a rich message, and the same as plain HTML where it is refused
    assert calls * bot.session.timeout < LEASE.total_seconds()


async def test_processes_count_apart_wherever_their_memory_lies(runtime: Runtime) -> None:
    key, five = f"t:{uuid4()}", Limit(5, 60.0)
    # Each is gone before the next is made, which then lies where the former one lay.
    waits_s = [await Throttle(runtime.redis).room({key: five}) for _ in range(20)]
    assert waits_s.count(0) == 5
