"""A production desk: what it refuses to start without, and a whole life of one."""

from __future__ import annotations

import asyncio
import os
import sys
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any
from uuid import uuid4

import aiohttp
import pytest

from bot.process import free_ports
from tests.bot.support import TOKEN, Telegram, answer_of
from tests.conftest import MASTER_KEY, Servers
from tests.core.support import OWNER, owner
from tests.demo import ROOT, eventually

STOP_S = 20.0
START_S = 60.0
_SECRETS = (TOKEN, MASTER_KEY, "hidden-word")


@dataclass(frozen=True)
class Place:
    """Everything a production desk is given: an own empty database and a Telegram."""

    database: str
    port: int
    settings: dict[str, str]

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def admin(self) -> str:
        return f"http://127.0.0.1:{self.port + 1}"


@pytest.fixture
async def place(servers: Servers, telegram: Telegram, tmp_path: Path) -> AsyncIterator[Place]:
    """A database with nothing in it, not even tables."""
    name = f"test_{uuid4().hex}"
    port = free_ports("127.0.0.1", 2)
    settings = {
        "PAYDESK_HOME": str(tmp_path / "home"),
        "DATABASE_URL": servers.desk_dsn(name),
        "DATABASE_OWNER_URL": servers.owner_dsn(name),
        "REDIS_URL": servers.valkey_url,
        "PORT": str(port),
        "ADMIN_PORT": str(port + 1),
        "PUBLIC_URL": f"http://127.0.0.1:{port}",
        "TELEGRAM_API_BASE": telegram.api,
        "BOT_TOKEN": TOKEN,
        "MASTER_KEY": MASTER_KEY,
        "PAYDESK_OWNER_IDS": str(OWNER),
    }
    async with owner(servers, "paydesk") as connection:
        await connection.execute(f"CREATE DATABASE {name}")
        yield Place(name, port, settings)
        await connection.execute(f"DROP DATABASE {name} WITH (FORCE)")


async def spawn(
    settings: dict[str, str], *arguments: str, stdin: int | None = None
) -> asyncio.subprocess.Process:
    """`python -m bot`, with these settings alone."""
    kept = {name: os.environ[name] for name in ("PATH", "HOME", "LANG") if name in os.environ}
    return await asyncio.create_subprocess_exec(
        sys.executable, "-m", "bot", *arguments,
        cwd=ROOT, env={**kept, **settings},
        stdin=stdin, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT,
    )  # fmt: skip


async def command(settings: dict[str, str], *arguments: str) -> tuple[int | None, str]:
    """Exit code, and what it said, in which no secret may be."""
    process = await spawn(settings, *arguments)
    out, _ = await asyncio.wait_for(process.communicate(), START_S)
    said = out.decode()
    assert not any(secret in said for secret in _SECRETS), said
    return process.returncode, said


@asynccontextmanager
async def running(place: Place, unsaid: Sequence[str] = ()) -> AsyncIterator[None]:
    """A desk that answers; at the end it is told to stop and does, in time and without a fault.
    unsaid: more that its log may not hold, told by then."""
    process = await spawn(place.settings, "run")
    assert process.stdout is not None
    reading = asyncio.create_task(process.stdout.read())

    async def ready() -> bool:
        if process.returncode is not None:
            raise AssertionError(f"it ended: {(await reading).decode()[-3000:]}")
        try:
            status, _ = await answer_of(place.admin + "/readyz")
        except aiohttp.ClientConnectionError:
            return False
        return status == 200

    try:
        await eventually(ready, what="the desk is ready", timeout_s=START_S)
        yield
    finally:
        if process.returncode is None:
            process.terminate()
        try:
            code = await asyncio.wait_for(process.wait(), STOP_S)
        except TimeoutError:
            process.kill()
            raise
        said = (await reading).decode()
    assert code == 0, said
    assert not any(secret in said for secret in (*_SECRETS, *unsaid)), said
    assert "Traceback" not in said, said


async def hears(telegram: Telegram, chat_id: int, after: int) -> dict[str, Any]:
    """What the bot says in a chat after a message."""

    async def look() -> dict[str, Any] | None:
        found = [m for m in await telegram.transcript(chat_id, after) if m["from"]["is_bot"]]
        return found[0] if found else None

    answer: dict[str, Any] = await eventually(look, what=f"an answer in {chat_id}")
    return answer


async def webhook_of(telegram: Telegram) -> dict[str, Any] | None:
    """None while there is none."""
    webhook: dict[str, Any] = (await telegram.state())["webhook"]
    return webhook if webhook["url"] else None


async def test_a_whole_life(place: Place, telegram: Telegram) -> None:
    assert await command(place.settings, "migrate") == (0, "the database is up to date\n")

    async with running(place):
        assert (await answer_of(place.url + "/healthz"))[0] == 200
        status, _ = await answer_of(place.url + "/readyz")
        assert status == 404, "the admin's pages are not for the outside"
        webhook = await eventually(partial(webhook_of, telegram), what="the webhook is set")
        assert webhook["url"].startswith(f"{place.url}/telegram/")
        async with aiohttp.ClientSession() as http, http.post(webhook["url"], json={}) as answer:
            assert answer.status == 401, "it was set with a secret, which is asked for"
        asked = await telegram.room.say("/help", chat_id=OWNER, text_as=OWNER)
        assert "/bill" in (await hears(telegram, OWNER, asked))["text"]

    # What is said while the desk is away is answered when it is back.
    asked = await telegram.room.say("/help", chat_id=OWNER, text_as=OWNER)
    async with running(place):
        assert "/bill" in (await hears(telegram, OWNER, asked))["text"]
        assert (await telegram.state())["webhook"]["url"] == webhook["url"]

        # A second desk on the same ports says so, and leaves the first one alone.
        code, said = await command(place.settings, "run")
        assert code == 2, said
        assert str(place.port + 1) in said, "the admin's port, which is never shared"
        assert "Traceback" not in said
        assert (await answer_of(place.url + "/healthz"))[0] == 200


async def test_a_desk_that_nobody_owns_does_not_start(place: Place) -> None:
    nobody = {name: v for name, v in place.settings.items() if name != "PAYDESK_OWNER_IDS"}
    code, said = await command(nobody, "run")
    assert code == 2
    assert "PAYDESK_OWNER_IDS" in said
    assert "Traceback" not in said


async def test_without_tables_it_says_what_to_do(place: Place) -> None:
    unmigrated = {n: v for n, v in place.settings.items() if n != "DATABASE_OWNER_URL"}
    code, said = await command(unmigrated, "run")
    assert code == 2
    assert "migrate" in said
    assert "Traceback" not in said


async def test_every_missing_setting_is_named_and_no_secret_shown(tmp_path: Path) -> None:
    home = {"PAYDESK_HOME": str(tmp_path / "home")}
    code, said = await command(home, "run")
    assert code == 2
    for name in ("BOT_TOKEN", "PUBLIC_URL", "MASTER_KEY"):
        assert f"{name}: is missing (expected: " in said
    some = {**home, "BOT_TOKEN": TOKEN, "PUBLIC_URL": "http://desk.example"}
    code, said = await command(some, "run")
    assert code == 2
    assert "https://" in said, "plain http is for this machine only"
    assert "MASTER_KEY" in said
    assert "BOT_TOKEN" not in said
    assert "Traceback" not in said
    assert not (tmp_path / "home").exists(), "nothing was begun"


async def test_a_database_that_is_a_demos_is_refused(
    place: Place, servers: Servers, database: str
) -> None:
    demo = {
        **place.settings,
        "DATABASE_URL": servers.desk_dsn(database),
        "DATABASE_OWNER_URL": servers.owner_dsn(database),
    }
    code, said = await command(demo, "migrate")
    assert code == 2
    assert "marked demo for ever" in said
    # Where others migrate, the desk itself looks.
    without_owner = {name: v for name, v in demo.items() if name != "DATABASE_OWNER_URL"}
    code, said = await command(without_owner, "run")
    assert code == 2
    assert "marked demo for ever" in said


async def test_a_database_that_is_away_is_a_sentence(place: Place) -> None:
    away = "postgresql://desk:hidden-word@127.0.0.1:9/paydesk"
    settings = {**place.settings, "DATABASE_URL": away, "DATABASE_OWNER_URL": away}
    code, said = await command(settings, "run")
    assert code == 2
    assert "Traceback" not in said
