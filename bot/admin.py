"""The admin listener: is the desk ready, and its figures for Prometheus. Loopback by default."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from aiogram import Bot
from aiogram.exceptions import TelegramAPIError
from aiohttp import web
from prometheus_client import CollectorRegistry, Gauge
from prometheus_client.exposition import CONTENT_TYPE_LATEST, generate_latest

from core.runtime import Runtime

# Whoever asks whether this instance is ready does not wait for Telegram for long.
_TELEGRAM_S: Final = 1


@dataclass(frozen=True, slots=True)
class ProcessFigures:
    """What only this process knows of itself.

    lines_lost: how many lines of its log could not be written. junk: how much came to its ports
    that is no request. webhook_backlog: how many updates Telegram holds. longest_stop_s: for how
    long its loop stood still at most since the last call.
    """

    lines_lost: Callable[[], int] = lambda: 0
    junk: Callable[[], int] = lambda: 0
    webhook_backlog: Callable[[], int] = lambda: 0
    longest_stop_s: Callable[[], float] = lambda: 0.0


class Admin:
    """/readyz and /metrics."""

    def __init__(
        self,
        runtime: Runtime,
        bot: Bot | None,
        webhook_url: str | None,
        process: ProcessFigures | None = None,
    ) -> None:
        process = process or ProcessFigures()
        self._runtime = runtime
        self._draining = False
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
        Gauge(
            "paydesk_webhook_backlog",
            "Updates that Telegram could not bring yet, a minute ago",
            registry=self._registry,
        ).set_function(process.webhook_backlog)
        Gauge(
            "paydesk_log_lines_lost",
            "Lines of the log that could not be written",
            registry=self._registry,
        ).set_function(process.lines_lost)
        Gauge(
            "paydesk_http_junk",
            "What came to this instance's ports that is no request of HTTP, ever",
            registry=self._registry,
        ).set_function(process.junk)
        Gauge(
            "paydesk_loop_stopped_seconds",
            "The longest that one callback computed and nobody was served, since the last look",
            registry=self._registry,
        ).set_function(process.longest_stop_s)
        self._ready = Gauge(
            "paydesk_ready", "1 where a part answers", ["part"], registry=self._registry
        )

    def app(self) -> web.Application:
        """The listener's application."""
        app = web.Application()
        app.router.add_get("/readyz", self.readyz)
        app.router.add_get("/metrics", self.metrics)
        return app

    def drain(self) -> None:
        """From now on this instance says that it is not ready, though it still serves."""
        self._draining = True

    async def readyz(self, _: web.Request) -> web.Response:
        """200 while this instance can take requests, else 503. Which parts it needs for that:
        database (it takes writes), clock (this machine's is right), serving (it is not about to
        end). Without the others (redis, webhook) it works on, if not as well."""
        health = await self._runtime.reports.instance.beat()
        needed = {
            "database": health.writes,
            "clock": health.clock_right,
            "serving": not self._draining,
        }
        ready = all(needed.values())
        parts = {"ready": ready, **needed, **await self._helpers()}
        return web.json_response(parts, status=200 if ready else 503)

    async def _helpers(self) -> dict[str, bool]:
        redis, webhook = await asyncio.gather(
            self._runtime.system.throttle.answers(), self._webhook_is_set()
        )
        return {"redis": redis, "webhook": webhook}

    async def _webhook_is_set(self) -> bool:
        if self._bot is None:
            return True
        try:
            info = await self._bot.get_webhook_info(request_timeout=_TELEGRAM_S)
        except TelegramAPIError:
            return False
        return info.url == self._webhook_url

    async def metrics(self, _: web.Request) -> web.Response:
        """Prometheus text format. While the database is away, only which parts answer."""
        health = await self._runtime.reports.instance.beat()
        parts = {"database": health.writes, "clock": health.clock_right, **await self._helpers()}
        for part, answers in parts.items():
            self._ready.labels(part).set(int(answers))
        if health.writes:
            await self._read_queues()
        return web.Response(
            body=generate_latest(self._registry), headers={"Content-Type": CONTENT_TYPE_LATEST}
        )

    async def _read_queues(self) -> None:
        runtime = self._runtime
        self._inbox.set(await runtime.delivery.inbox.backlog())
        _set(self._outbox, ("waiting", "taken", "parked"), await runtime.delivery.outbox.backlog())
        for supplier_no, reason, count in await runtime.trade.refused_callbacks.counts():
            self._refused.labels(supplier_no, reason).set(count)
        news = await runtime.trade.notifications.backlog()
        _set(self._notifications, ("pending", "exhausted"), news)
        _set(self._orders, ("created", "pending"), await runtime.trade.follow_up.backlog())


def _set(gauge: Gauge, states: tuple[str, ...], counts: dict[str, int]) -> None:
    """Every state has its figure, also where it fell to nothing."""
    for state in states:
        gauge.labels(state).set(counts.get(state, 0))
