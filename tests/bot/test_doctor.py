"""What the doctor finds, asked of a real database and the sandbox's Telegram."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from typing import Any

import pytest
from aiogram import Bot
from aiohttp import web
from aiohttp.test_utils import TestServer

from bot.doctor import ASK_S, Check, examine
from bot.webhook import webhook_path, webhook_secret
from core.runtime import Runtime
from core.system.settings import Settings, demo_settings
from tests.bot.support import TOKEN, Telegram
from tests.conftest import MASTER_KEY
from tests.handlers.support import OPS

AWAY = "http://127.0.0.1:9"


@pytest.fixture
async def front() -> AsyncIterator[str]:
    """A public address that answers."""

    async def healthz(_: web.Request) -> web.Response:
        return web.json_response({"alive": True})

    app = web.Application()
    app.router.add_get("/healthz", healthz)
    async with TestServer(app) as server:
        yield str(server.make_url("")).rstrip("/")


@pytest.fixture
def settings(telegram: Telegram, front: str) -> Callable[..., Settings]:
    def made(**other: Any) -> Settings:
        return demo_settings(
            **{
                "bot_token": TOKEN,
                "telegram_api_base": telegram.api,
                "public_url": front,
                "master_key": MASTER_KEY,
                **other,
            }
        )

    return made


async def checks(settings: Settings, runtime: Runtime, *, ask_s: int = ASK_S) -> dict[str, Check]:
    found = [check async for check in examine(settings, runtime, ask_s=ask_s)]
    said = str(found)
    for secret in (TOKEN, MASTER_KEY):
        assert secret not in said
    return {one.name: one for one in found}


def url_of(public_url: str | None) -> str:
    bot_id = int(TOKEN.partition(":")[0])
    return f"{public_url}{webhook_path(bot_id, webhook_secret(MASTER_KEY, bot_id))}"


async def test_a_desk_that_is_well_needs_no_advice(
    runtime: Runtime, bot: Bot, telegram: Telegram, settings: Callable[..., Settings]
) -> None:
    await runtime.people.people.employ(1999, "second", "owner")
    await telegram.bot_is(OPS, "administrator")
    given = settings()
    await bot.set_webhook(url_of(given.public_url), drop_pending_updates=True)
    found = await checks(given, runtime)
    assert {name: one.advice for name, one in found.items() if one.advice} == {}
    assert {"database", "redis", "clock", "master key", "owners", "public url", "bot token",
            "privacy mode", "webhook"} <= set(found)  # fmt: skip
    assert found["master key"].found.startswith("opens all")
    assert found["public url"].found.endswith("answers 200")


async def rows_of(runtime: Runtime) -> dict[str, tuple[int, str]]:
    """(how many, a hash over all of them) of the rows of each table."""
    store = runtime.system.store
    tables = await store.fetch(
        "SELECT relname FROM pg_class WHERE relnamespace = 'public'::regnamespace"
        " AND relkind IN ('r', 'p') AND has_table_privilege(oid, 'SELECT')"
    )
    found = {}
    for (table,) in tables:
        row = await store.fetchrow(
            f"SELECT count(*), coalesce(md5(string_agg(t::text, ',' ORDER BY t::text)), '')"
            f" FROM {table} t"
        )
        assert row is not None
        found[table] = (row[0], row[1])
    return found


async def test_looking_writes_nothing(
    runtime: Runtime, bot: Bot, settings: Callable[..., Settings]
) -> None:
    before = await rows_of(runtime)
    assert "instance" in before
    given = settings()
    await bot.set_webhook(url_of(given.public_url), drop_pending_updates=True)
    assert "clock" in await checks(given, runtime)
    assert await rows_of(runtime) == before


async def test_each_thing_that_is_wrong_is_said_with_what_to_do(
    runtime: Runtime, bot: Bot, telegram: Telegram, settings: Callable[..., Settings]
) -> None:
    await telegram.bot_is(OPS, "member")
    await runtime.system.store.execute("UPDATE app SET secrets_sealed = '\\x00'")
    await runtime.system.store.execute(
        "UPDATE person SET role = 'admin' WHERE role IS NOT NULL AND user_id <> 1001"
    )
    await runtime.supply.market.reload()
    found = await checks(settings(public_url=AWAY), runtime)
    assert {name for name, one in found.items() if one.advice} >= {
        "master key", "owners", "public url", "webhook",
    }  # fmt: skip
    assert found["webhook"].found == "not set"
    (group,) = [one for name, one in found.items() if name.startswith("ops group")]
    assert "administrator" in group.advice
    await bot.set_webhook("https://elsewhere.example/s3cr3t-path")
    found = await checks(settings(), runtime)
    assert found["webhook"].found == "another address, at elsewhere.example"
    assert "s3cr3t" not in str(found)


async def test_a_wrong_token_and_a_silent_telegram_are_told_apart(
    runtime: Runtime, settings: Callable[..., Settings]
) -> None:
    found = await checks(settings(bot_token="123456789:" + "A" * 35), runtime)
    assert found["bot token"].found == "refused"
    assert "@BotFather" in found["bot token"].advice
    found = await checks(settings(telegram_api_base=AWAY), runtime)
    assert AWAY in found["telegram"].advice
    found = await checks(settings(bot_token=None, public_url=None), runtime)
    assert found["bot token"].found == found["public url"].found == "not set"


async def test_it_waits_for_nobody_for_long(
    runtime: Runtime, settings: Callable[..., Settings]
) -> None:
    """An address that takes a connection and says nothing."""
    stop = asyncio.Event()

    async def silent(_: web.Request) -> web.Response:
        await stop.wait()
        return web.Response()

    app = web.Application()
    app.router.add_route("*", "/{path:.*}", silent)
    async with TestServer(app) as server:
        away = str(server.make_url("")).rstrip("/")
        began = time.monotonic()
        given = settings(public_url=away, telegram_api_base=away)
        found = await checks(given, runtime, ask_s=1)
        assert time.monotonic() - began < 10
        stop.set()
    assert "does not answer" in found["public url"].found
    assert "does not answer" in found["telegram"].found
