"""The composition root: one aiohttp server, the loops and the timetable, started and ended."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from typing import Final

import structlog
from aiogram import Bot
from aiohttp import web

from bot.admin import Admin, ProcessFigures
from bot.courier import Courier
from bot.exporter import Exporter
from bot.first_use import make_ready
from bot.fronts import BEAT_S, front_app, main_listener
from bot.listener import Listener, raise_file_limit
from bot.logs import LogSink
from bot.loop_watch import LoopWatch
from bot.loops import Crew, Loop
from bot.lostlines import LostLines
from bot.menu import set_descriptions, set_menu
from bot.send_limits import Gate
from bot.telegram import telegram_bot
from bot.updates import UpdateWorker
from bot.webhook import webhook_route
from bot.webhook_watch import WebhookWatch
from core.delivery import inbox, outbox
from core.reports import exports
from core.runtime import Runtime
from core.system.leases import QUEUE_LOOK_S, Look, due
from core.system.settings import Settings, shown
from core.system.store import DATABASE_AWAY
from core.trade import callbacks, notifications
from core.trade.orders import ASKING_DUE, ASKING_HANDS
from handlers import Reactions, build_dispatcher
from payapi import Neighbours
from scheduler import Timetable

_LOG = structlog.get_logger(__name__)
# A file takes its time; with several loops the others go on.
_COPIES: Final = 2
# Whoever empties a queue is woken by news and by the look at all queues. Should the look itself
# fail for long, each looks by itself as well.
_OWN_LOOK_S: Final = 15.0
_UPDATE_HANDS: Final = 20
_WEBHOOK_IDLE_S: Final = 1.0
# A change is looked for so often: before a bill that it moves has rested.
_CHANGES_IDLE_S: Final = 2.0
# A merchant's server takes longer for its answer: what it is told next is fetched for many at once.
_NEWS_GATHER_S: Final = 0.02
_CARRIERS: Final = 40  # of messages; each serves another chat


class Desk:
    """The running desk: made from settings and a runtime, started, stopped."""

    def __init__(
        self, settings: Settings, runtime: Runtime, *, master_key: str, logs: LogSink
    ) -> None:
        self._settings = settings
        self._runtime = runtime
        self._master_key = master_key
        self._bot: Bot | None = None
        self._talk: asyncio.Task[None] | None = None
        self._webhook: WebhookWatch | None = None
        self._loops: list[Loop | Crew] = []
        self._look = Look(runtime.system.store, runtime.system.clock)
        self._listeners: list[Listener] = []
        self._timetable = Timetable(runtime)
        self._admin: Admin | None = None
        self._reactions: Reactions | None = None
        self._logs = logs
        self._lost_lines = LostLines(runtime, logs)
        self._watch = LoopWatch()

    async def start(self, neighbours: Neighbours | None = None) -> None:
        """Listen, tell Telegram where, and begin to work. Raises PortTaken.

        neighbours: a demo's, for the desk's first page.
        """
        raise_file_limit()
        webhook_url = None
        app = front_app(self._settings, self._runtime, neighbours)
        if self._settings.bot_token is not None:
            webhook_url = self._add_telegram(app, self._settings.bot_token.get_secret_value())
        talks = tuple(self._loops)
        self._add_queues()
        self._admin = admin = Admin(
            self._runtime,
            self._bot,
            webhook_url,
            ProcessFigures(
                lines_lost=lambda: self._logs.lost,
                webhook_backlog=lambda: self._webhook.backlog if self._webhook else 0,
                junk=lambda: sum(listener.junk for listener in self._listeners),
                longest_stop_s=self._watch.take_longest_s,
            ),
        )
        self._watch.start()
        # Loops first: whatever a request puts into a queue finds somebody who empties it.
        for loop in self._loops:
            if loop not in talks:
                loop.start()
        if self._bot is not None and self._webhook is not None:
            # Nothing waits for Telegram: what has come by the API is served without it.
            self._talk = asyncio.create_task(self._begin_to_talk(self._bot, self._webhook, talks))
        # The admin's port is nobody else's: a second desk finds out here that there is a first.
        settings = self._settings
        await self._listen(Listener(admin.app(), settings.admin_host, settings.admin_port))
        await self._listen(main_listener(app, settings))
        self._timetable.start()
        _LOG.info(
            "desk is ready", url=self._runtime.system.public_url, demo=self._runtime.system.demo
        )

    async def stop(self) -> None:
        """Say that it ends, stop listening, let what is in flight end, then let go of every
        connection. Whoever asks /readyz hears of it `drain_notice_s` before a port closes."""
        if self._admin is not None:
            self._admin.drain()
            await asyncio.sleep(self._settings.drain_notice_s)
        for listener in self._listeners:
            await listener.stop()
        if self._talk is not None:
            self._talk.cancel()
            await asyncio.gather(self._talk, return_exceptions=True)
        # Together: each may wait for its slowest call.
        await asyncio.gather(self._timetable.stop(), *(loop.stop() for loop in self._loops))
        if self._reactions is not None:
            await self._reactions.stop()
        if self._bot is not None:
            await self._bot.session.close()
        await self._watch.stop()
        await self._runtime.close()
        _LOG.info("desk has stopped")

    async def _begin_to_talk(
        self, bot: Bot, webhook: WebhookWatch, talks: Sequence[Loop | Crew]
    ) -> None:
        """Whoever speaks with Telegram begins when that needs nothing for the first time."""
        try:
            await asyncio.to_thread(make_ready)
        except Exception:  # noqa: BLE001 (then it is made, or fails, at its first use)
            _LOG.exception("not made ready")
        watch = Loop("webhook", webhook.look, idle_s=_WEBHOOK_IDLE_S)
        self._loops.append(watch)
        for loop in (*talks, watch):
            loop.start()
        try:
            ops = await self._runtime.people.groups.ops(self._runtime.system.store)
        except DATABASE_AWAY:
            ops = []  # their menu stays as it was
        await set_menu(bot, ops)
        await set_descriptions(bot)

    def _add_telegram(self, app: web.Application, token: str) -> str:
        self._bot = bot = telegram_bot(token, self._settings.telegram_api_base)
        bot.session.middleware(Gate(self._runtime.delivery.outbox.chats))
        self._reactions = Reactions(
            self._runtime.system,
            self._runtime.delivery,
            self._runtime.people,
            self._runtime.reports,
            bot,
        )
        dispatcher = build_dispatcher(self._runtime, bot, self._reactions, shown(self._settings))
        path, route, secret = webhook_route(
            self._runtime.delivery.inbox, self._runtime.system.vault, bot.id, self._master_key
        )
        app.router.add_routes([route])
        worker = UpdateWorker(self._runtime, dispatcher, bot)
        courier = Courier(self._runtime, bot, group_per_min=self._settings.telegram_group_per_min)
        actors = Crew("inbox", worker.take, hands=_UPDATE_HANDS, idle_s=_OWN_LOOK_S)
        self._wake_for(actors, due(inbox.QUEUE), self._runtime.delivery.inbox.on_news)
        carriers = Crew("courier", courier.take, hands=_CARRIERS, idle_s=_OWN_LOOK_S)
        self._wake_for(carriers, due(outbox.QUEUE), self._runtime.delivery.outbox.on_news)
        changes = Loop("changes", self._show_changes, idle_s=_CHANGES_IDLE_S)
        self._loops.append(changes)
        exporter = Exporter(self._runtime, bot, group_per_min=self._settings.telegram_group_per_min)
        for copy in range(_COPIES):
            loop = Loop(f"exporter-{copy}", exporter.batch, idle_s=_OWN_LOOK_S)
            self._wake_for(loop, due(exports.QUEUE), self._runtime.reports.exports.queue.on_news)
        url = f"{self._runtime.system.public_url}{path}"
        self._webhook = WebhookWatch(
            self._runtime, bot, url, secret=secret, kinds=dispatcher.resolve_used_update_types()
        )
        return url

    def _add_queues(self) -> None:
        trade = self._runtime.trade
        self._loops.append(Loop("beat", self._beat, idle_s=BEAT_S))
        self._wake_for(notifier(self._runtime), due(notifications.QUEUE))
        take, hands = trade.callbacks.take_due, callbacks.HANDS
        actors = Crew("callbacks", take, hands=hands, idle_s=_OWN_LOOK_S)
        trade.callbacks.open(actors.wake)
        self._look.watch(due(callbacks.QUEUE), trade.callbacks.look_again)
        self._loops.append(actors)
        take, hands = trade.follow_up.take_due, ASKING_HANDS
        askers = Crew("askers", take, hands=hands, idle_s=_OWN_LOOK_S)
        self._wake_for(askers, ASKING_DUE)
        self._timetable.watch(self._look)
        self._loops.append(Loop("look", self._look.look, idle_s=QUEUE_LOOK_S))

    async def _show_changes(self) -> int:
        await self._runtime.reports.changes.show()
        return 0  # the next look is worth it a while later

    async def _beat(self) -> int:
        if (await self._runtime.reports.instance.beat()).writes:
            await self._lost_lines.tell()
        return 0

    def _wake_for(
        self,
        loop: Loop | Crew,
        due: str,
        on_news: Callable[[Callable[[], None]], None] | None = None,
    ) -> None:
        """Run it, woken by the news of its own queue alone, and where something of it is due."""
        if on_news is not None:
            on_news(loop.wake)
        self._look.watch(due, loop.wake)
        self._loops.append(loop)

    async def _listen(self, listener: Listener) -> None:
        await listener.start()
        self._listeners.append(listener)


def notifier(runtime: Runtime) -> Crew:
    """Whoever tells merchants' servers."""
    take, hands = runtime.trade.notifications.take_due, notifications.HANDS
    crew = Crew("notifier", take, hands=hands, idle_s=_OWN_LOOK_S, gather_s=_NEWS_GATHER_S)
    runtime.delivery.outbox.on_merchant_news(crew.wake)
    return crew
