"""Whatever a merchant is called: its pictures and files arrive, and their captions say its name."""

from __future__ import annotations

from html import unescape
from typing import Any

import pytest
from aiogram import Bot
from aiohttp import web
from hypothesis import given
from hypothesis import strategies as st

from bot.exporter import Exporter
from bot.world import BOT_ID
from core.delivery.outbox import Say
from core.kernel.days import Days
from core.parties.merchants import App, Merchant
from core.reports.exports import Paper
from core.runtime import Runtime
from handlers.files.screens import FileNotice
from handlers.kit.screen import MAX_CAPTION_CHARS, showable, text_chars
from handlers.screens import caption, render_say
from tests.bot.support import Telegram, bot_at, in_between
from tests.core.support import CHAT, OWNER, facts

NAMES = (
    "<b>Spruce</b> & \"Sons\" 'Ltd'",
    "a < b",
    "\u202eتاجر\u202c",
    "🏬" * 40,
    "&" * 300,
    "bell \x07 and tab \x0b",
    "%s {x} %(y)s",
)
HOSTILE = st.text(
    st.sampled_from("<>&\"'%{}/\u202e\u200f\x01\x1f\ufffe🏬👨‍👩‍👧é中\n ")
    | st.characters(codec="utf-8"),
    max_size=1500,
)


@given(HOSTILE)
def test_any_text_is_a_caption_that_telegram_takes(text: str) -> None:
    under, shown = caption(text), showable(text)
    assert "<" not in under
    assert ">" not in under
    assert text_chars(under) <= MAX_CAPTION_CHARS
    read = unescape(under)
    assert read == shown or (read.endswith("…") and shown.startswith(read[:-1]))
    assert read == shown or text_chars(under) >= MAX_CAPTION_CHARS - 1, (
        "no more is cut than must be"
    )


@given(HOSTILE)
def test_what_stands_under_a_text_file_fits(title: str) -> None:
    under = render_say(Say(FileNotice(title)), "zh").html
    assert text_chars(under) <= MAX_CAPTION_CHARS


@pytest.mark.parametrize("name", NAMES)
async def test_pictures_and_files_arrive_whatever_a_merchant_is_called(
    runtime: Runtime, bot: Bot, telegram: Telegram, shop: tuple[Merchant, App], name: str
) -> None:
    merchant, _ = shop
    await runtime.system.store.execute(
        "UPDATE merchant SET name = $2 WHERE id = $1", merchant.id, name
    )
    exporter = Exporter(runtime, bot, group_per_min=18)
    actor = await runtime.people.access.actor(OWNER, "x", CHAT, private=False)
    days = Days.one(await runtime.reports.bills.open_day(merchant.id))
    papers = [
        Paper(what, "m", merchant.id, days, table="orders") for what in ("chart", "excel", "csv")
    ]
    await runtime.reports.exports.ask(actor, papers, reply_to=None)
    while await exporter.batch():
        pass
    arrived: list[dict[str, Any]] = [
        m for m in await telegram.transcript(CHAT) if m["from"].get("id") == BOT_ID
    ]
    assert len(arrived) == len(papers)
    states = await runtime.system.store.fetch("SELECT state, fault FROM export")
    assert [row["state"] for row in states] == ["sent"] * 3, [row["fault"] for row in states]


async def test_a_picture_that_telegram_refuses_for_good_is_told_of(
    runtime: Runtime, telegram: Telegram, shop: tuple[Merchant, App]
) -> None:
    async def no_picture(method: str, _form: dict[str, Any]) -> web.Response | None:
        if method != "sendPhoto":
            return None
        said = "Bad Request: PHOTO_INVALID_DIMENSIONS"
        refusal = {"ok": False, "error_code": 400, "description": said}
        return web.json_response(refusal, status=400)

    actor = await runtime.people.access.actor(OWNER, "x", CHAT, private=False)
    days = Days.one(await runtime.reports.bills.open_day(shop[0].id))
    await runtime.reports.exports.ask(actor, [Paper("chart", "m", shop[0].id, days)], reply_to=7)
    async with in_between(telegram.api, no_picture) as api, bot_at(api) as bot:
        await Exporter(runtime, bot, group_per_min=18).batch()
    told = [fact for fact in await facts(runtime, CHAT) if isinstance(fact, Say)]
    assert [(say.screen, say.reply_to) for say in told] == [("export_failed", 7)]
