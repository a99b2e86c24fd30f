"""Pictures and files arrive: built, sent, sent again by their id, and built again after a crash."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest
from aiogram import Bot

from bot.exporter import Exporter
from core.bills import Days
from core.exports import LEASE, Paper
from core.merchants import App, Merchant
from core.runtime import Runtime
from tests.bot.support import Telegram
from tests.core.support import CHAT, OWNER, SetClock


@pytest.fixture
async def exporter(runtime: Runtime, bot: Bot) -> Exporter:
    return Exporter(runtime, bot, group_per_min=18)


async def ask(runtime: Runtime, merchant: Merchant, what: str, **more: Any) -> None:
    day = await runtime.bills.open_day(merchant.id)
    paper = Paper(what, "m", merchant.id, Days.one(day), **more)  # type: ignore[arg-type]
    actor = await runtime.access.actor(OWNER, "x", CHAT, private=False)
    await runtime.exports.ask(actor, paper, reply_to=None)


async def sent(telegram: Telegram) -> list[dict[str, Any]]:
    return [m for m in await telegram.transcript(CHAT) if m["from"]["is_bot"]]


async def states(runtime: Runtime) -> list[tuple[str, str | None]]:
    rows = await runtime.store.fetch("SELECT state, file_id FROM export ORDER BY created_at")
    return [(row["state"], row["file_id"]) for row in rows]


async def test_files_and_charts_are_sent_and_then_sent_by_their_id(
    runtime: Runtime, exporter: Exporter, telegram: Telegram, shop: tuple[Merchant, App]
) -> None:
    for what, more in (("excel", {}), ("csv", {"table": "days"}), ("chart", {})):
        await ask(runtime, shop[0], what, **more)
    while await exporter.batch():
        pass
    first = await states(runtime)
    assert [state for state, _ in first] == ["sent"] * 3
    assert all(file_id for _, file_id in first)
    assert len(await sent(telegram)) == 3
    await ask(runtime, shop[0], "excel")
    assert await exporter.batch() == 1
    assert (await states(runtime))[-1] == first[0]
    assert await exporter.batch() == 0


async def test_a_chart_is_replaced_in_its_place(
    runtime: Runtime, exporter: Exporter, telegram: Telegram, shop: tuple[Merchant, App]
) -> None:
    await ask(runtime, shop[0], "chart")
    await exporter.batch()
    (posted,) = await sent(telegram)
    actor = await runtime.access.actor(OWNER, "x", CHAT, private=False)
    paper = Paper("chart", "m", shop[0].id, Days.one(date(2026, 1, 2)))
    await runtime.exports.ask(actor, paper, reply_to=None, replaces=posted["id"])
    await exporter.batch()
    (edited,) = await sent(telegram)
    assert edited["id"] == posted["id"]
    assert edited["edited"]


async def test_a_fault_of_telegram_is_tried_again_and_a_dead_builder_is_replaced(
    runtime: Runtime, exporter: Exporter, telegram: Telegram, clock: SetClock,
    shop: tuple[Merchant, App],
) -> None:  # fmt: skip
    await telegram.fault("500", method="sendDocument")
    await ask(runtime, shop[0], "excel")
    await exporter.batch()
    assert (await states(runtime))[0][0] == "waiting"
    clock.advance(3)
    killed = await runtime.exports.queue.take()  # and nobody ever hears of it again
    assert killed is not None
    assert await exporter.batch() == 0
    clock.advance(LEASE.total_seconds() + 1)
    assert await exporter.batch() == 1
    assert (await states(runtime))[0][0] == "sent"
