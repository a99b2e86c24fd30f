"""The admin listener says which part does not answer, and its figures are Prometheus's."""

from __future__ import annotations

import json
import time
from dataclasses import replace
from typing import Any

import pytest
from aiogram import Bot
from aiohttp.test_utils import TestServer
from prometheus_client.parser import text_string_to_metric_families
from redis.asyncio import Redis

from bot.admin import Admin
from core.connectors import REFUSED_FOR, Callback
from core.delivery.outbox import Say, Stored
from core.reports.instance import BEAT_S
from core.runtime import Runtime
from core.system.throttle import Throttle
from tests.bot.support import Telegram, answer_of, gone
from tests.conftest import Servers
from tests.core.support import CHAT, owner

WEBHOOK = "https://desk.example/telegram/1/abc"
ALL_WELL = {
    "ready": True, "database": True, "clock": True, "serving": True, "redis": True, "webhook": True,
}  # fmt: skip


@pytest.fixture
async def hooked(bot: Bot) -> Bot:
    """A bot whose webhook is where the desk wants it."""
    await bot.set_webhook(WEBHOOK)
    return bot


async def end_connections(connection: Any, database: str) -> None:
    """Whoever is connected has to connect again."""
    await connection.execute(
        "SELECT pg_terminate_backend(pid, 2000) FROM pg_stat_activity"
        " WHERE datname = $1 AND usename = 'paydesk_desk'",
        database,
    )


async def served(admin: Admin, path: str) -> tuple[int, str]:
    async with TestServer(admin.app()) as server:
        return await answer_of(str(server.make_url(path)))


async def ready(admin: Admin) -> tuple[int, dict[str, Any]]:
    status, text = await served(admin, "/readyz")
    return status, json.loads(text)


async def test_ready_when_every_part_answers(runtime: Runtime, hooked: Bot) -> None:
    assert await ready(Admin(runtime, hooked, WEBHOOK)) == (200, ALL_WELL)


async def test_a_desk_without_a_bot_needs_no_webhook(runtime: Runtime) -> None:
    assert await ready(Admin(runtime, None, None)) == (200, ALL_WELL)


async def test_what_an_instance_can_do_without_is_named_only(
    runtime: Runtime, hooked: Bot, telegram: Telegram
) -> None:
    elsewhere = Admin(runtime, hooked, WEBHOOK + "/other")
    assert await ready(elsewhere) == (200, {**ALL_WELL, "webhook": False})
    await telegram.fault("500", method="getWebhookInfo")
    silent = await ready(Admin(runtime, hooked, WEBHOOK))
    assert silent == (200, {**ALL_WELL, "webhook": False})
    async with away() as nobody:
        alone = replace(runtime, system=replace(runtime.system, throttle=Throttle(nobody)))
        assert await ready(Admin(alone, hooked, WEBHOOK)) == (200, {**ALL_WELL, "redis": False})


async def test_a_database_that_takes_no_writes_is_no_database(
    runtime: Runtime, hooked: Bot, servers: Servers, database: str
) -> None:
    unready = (503, {**ALL_WELL, "ready": False, "database": False})
    admin = Admin(runtime, hooked, WEBHOOK)
    async with gone(servers, database):
        assert await ready(admin) == unready
    assert await ready(admin) == (200, ALL_WELL)
    async with owner(servers, database) as connection:
        for only, said in (("on", unready), ("off", (200, ALL_WELL))):
            await connection.execute(
                f"ALTER DATABASE {database} SET default_transaction_read_only = {only}"
            )
            await end_connections(connection, database)
            assert await ready(admin) == said


async def test_a_database_that_hangs_is_told_soon(
    runtime: Runtime, hooked: Bot, servers: Servers, database: str
) -> None:
    admin = Admin(runtime, hooked, WEBHOOK)
    async with owner(servers, database) as connection, connection.transaction():
        await connection.execute("LOCK TABLE instance")
        began_s = time.monotonic()
        assert (await ready(admin))[0] == 503
        assert time.monotonic() - began_s < BEAT_S + 2


async def test_an_instance_that_is_about_to_end_says_so_while_it_serves(
    runtime: Runtime, hooked: Bot
) -> None:
    admin = Admin(runtime, hooked, WEBHOOK)
    admin.drain()
    assert await ready(admin) == (503, {**ALL_WELL, "ready": False, "serving": False})


async def test_metrics_are_readable_by_prometheus(runtime: Runtime, hooked: Bot) -> None:
    await runtime.system.store.execute("DELETE FROM outbox")
    for _ in range(2):
        await runtime.delivery.outbox.say(
            runtime.system.store, CHAT, Say(Stored("only_in_groups", {}))
        )
    await runtime.delivery.inbox.put(1, 1, CHAT, {"update_id": 1})
    admin = Admin(runtime, hooked, WEBHOOK)
    found = await metrics(admin)
    assert found["paydesk_outbox_messages", "waiting"] == 2
    assert found["paydesk_outbox_messages", "parked"] == 0
    assert found["paydesk_inbox_updates", ""] == 1
    for part in ("database", "redis", "webhook"):
        assert found["paydesk_ready", part] == 1


async def test_refused_callbacks_are_figures_by_supplier_and_reason(
    runtime: Runtime, hooked: Bot
) -> None:
    junk = Callback("POST", "", {}, b"status=SUCCESS", "203.0.113.9")
    for number, times in (("S01", 14), ("S02", 1)):
        for _ in range(times):
            await runtime.trade.callbacks.receive(number, junk, request_id="x")
    _, text = await served(Admin(runtime, hooked, WEBHOOK), "/metrics")
    found = [
        (sample.labels["supplier"], sample.labels["reason"] in REFUSED_FOR, sample.value)
        for family in text_string_to_metric_families(text)
        for sample in family.samples
        if sample.name == "paydesk_callbacks_refused"
    ]
    assert found == [("S01", True, 14), ("S02", True, 1)]


async def test_a_figure_falls_back_to_nothing(runtime: Runtime, hooked: Bot) -> None:
    admin = Admin(runtime, hooked, WEBHOOK)
    merchant_id = await runtime.system.store.fetchval("SELECT id FROM merchant LIMIT 1")
    await runtime.system.store.execute(
        "INSERT INTO notification (merchant_id, id, webhook_id, app_id, order_id,"
        " order_created_at, type, url, lane, facts, due_at, request_id, created_at)"
        " VALUES ($1, $1, 'm', $1, $1, now(), 'order.paid', 'https://x', 1, '{}', now(), 'r',"
        " now())",
        merchant_id,
    )
    assert (await metrics(admin))["paydesk_notifications", "pending"] == 1
    await runtime.system.store.execute("UPDATE notification SET state = 'delivered'")
    assert (await metrics(admin)).get(("paydesk_notifications", "pending"), 0) == 0


async def test_metrics_tell_of_a_database_that_is_away(
    runtime: Runtime, servers: Servers, database: str
) -> None:
    admin = Admin(runtime, None, None)
    async with gone(servers, database):
        found = await metrics(admin)
    assert found["paydesk_ready", "database"] == 0
    assert found["paydesk_ready", "redis"] == 1


async def metrics(admin: Admin) -> dict[tuple[str, str], float]:
    """(name, the one label's value or '') -> value."""
    status, text = await served(admin, "/metrics")
    assert status == 200
    return {
        (sample.name, next(iter(sample.labels.values()), "")): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }


def away() -> Redis:
    """A Redis at an address where nobody listens."""
    return Redis.from_url("redis://127.0.0.1:9/0", socket_connect_timeout=1)
