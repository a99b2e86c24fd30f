"""The admin listener: is the desk ready, and its figures for Prometheus. Loopback by default."""

from __future__ import annotations

from typing import Final

from aiogram import Bot
from aiogram.exceptions import TelegramAPIError
from aiohttp import web
from prometheus_client import CollectorRegistry, Gauge
from prometheus_client.exposition import CONTENT_TYPE_LATEST, generate_latest

from core.runtime import Runtime
from core.store import DATABASE_AWAY


class Admin:
    """/readyz and /metrics."""

    def __init__(self, runtime: Runtime, bot: Bot | None, webhook_url: str | None) -> None:
        self._runtime = runtime
        self._bot = bot
        self._webhook_url = webhook_url
        self._registry = CollectorRegistry()
        self._outbox = Gauge(
            "paydesk_outbox_messages",
            "Messages for Telegram by state",
            ["state"],
            registry=self._registry,
        )
        self._inbox = Gauge(
            "paydesk_inbox_updates", "Telegram updates that wait", registry=self._registry
        )
        self._notifications = Gauge(
            "paydesk_notifications",
            "News for merchants by state",
            ["state"],
            registry=self._registry,
        )
        self._orders = Gauge(
            "paydesk_orders_open",
            "Orders that are not settled or ended yet, by state",
            ["state"],
            registry=self._registry,
        )
        self._refused = Gauge(
            "paydesk_callbacks_refused",
            "Callbacks that were not believed, ever, by supplier and reason",
            ["supplier", "reason"],
            registry=self._registry,
        )
        self._ready = Gauge(
            "paydesk_ready", "1 where a part answers", ["part"], registry=self._registry
        )

    def app(self) -> web.Application:
        """The listener's application."""
        app = web.Application()
        app.router.add_get("/readyz", self.readyz)
        app.router.add_get("/metrics", self.metrics)
        return app

    async def readyz(self, _: web.Request) -> web.Response:
        """200 with every part true, else 503; the parts are named."""
        parts = await self.parts()
        status = 200 if all(parts.values()) else 503
        return web.json_response({"ready": status == 200, **parts}, status=status)

    async def parts(self) -> dict[str, bool]:
        """Which parts answer: database, redis, webhook."""
        return {
            "database": await self._database_answers(),
            "redis": await self._runtime.throttle.answers(),
            "webhook": await self._webhook_is_set(),
        }

    async def _database_answers(self) -> bool:
        try:
            return bool(await self._runtime.store.fetchval("SELECT 1") == 1)
        except DATABASE_AWAY:
            return False

    async def _webhook_is_set(self) -> bool:
        if self._bot is None:
            return True
        try:
            info = await self._bot.get_webhook_info(request_timeout=5)
        except TelegramAPIError:
            return False
        return info.url == self._webhook_url

    async def metrics(self, _: web.Request) -> web.Response:
        """Prometheus text format. While the database is away, only which parts answer."""
        parts = await self.parts()
        for part, answers in parts.items():
            self._ready.labels(part).set(int(answers))
        if parts["database"]:
            await self._read_queues()
        return web.Response(
            body=generate_latest(self._registry), headers={"Content-Type": CONTENT_TYPE_LATEST}
        )

    async def _read_queues(self) -> None:
        runtime = self._runtime
        self._inbox.set(await runtime.inbox.backlog())
        _set(self._outbox, ("waiting", "taken", "parked"), await runtime.outbox.backlog())
        for supplier_no, reason, count in await runtime.refused_callbacks.counts():
            self._refused.labels(supplier_no, reason).set(count)
        for gauge, states, sql in (
            (self._notifications, ("pending", "exhausted"), _NOTIFICATIONS),
            (self._orders, ("created", "pending"), _ORDERS),
        ):
            rows = await runtime.store.fetch(sql, list(states))
            _set(gauge, states, {row["state"]: row["n"] for row in rows})


_NOTIFICATIONS: Final = (
    "SELECT state, count(*) AS n FROM notification WHERE state = ANY($1) GROUP BY 1"
)
_ORDERS: Final = "SELECT state, count(*) AS n FROM orders WHERE state = ANY($1) GROUP BY 1"


def _set(gauge: Gauge, states: tuple[str, ...], counts: dict[str, int]) -> None:
    """Every state has its figure, also where it fell to nothing."""
    for state in states:
        gauge.labels(state).set(counts.get(state, 0))
