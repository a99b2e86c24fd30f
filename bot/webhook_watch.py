"""Telegram's updates come here: the webhook is set, looked at, and set again when it was taken."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from typing import Final
from urllib.parse import urlsplit

import structlog
from aiogram import Bot
from aiogram.exceptions import TelegramAPIError
from aiogram.types import WebhookInfo

from core.runtime import Runtime
from handlers.alarms.screens import AlarmWebhook

_LOG = structlog.get_logger(__name__)
# Looking is free, and no look is later than this: nobody hears the desk until the webhook is back.
LOOK_S: Final = 60.0
_FIRST_PAUSE_S: Final = 1.0
# After so many looks at which nobody had taken it, the alarm is over.
CALM_LOOKS: Final = 10
_CONNECTIONS: Final = 40


class WebhookWatch:
    """Sets the webhook where anything about it is other than wanted: each call that sets it makes
    Telegram forget its back-off.

    monotonic: seconds that only grow. backlog: how many updates Telegram held at the last look.
    """

    def __init__(
        self,
        runtime: Runtime,
        bot: Bot,
        url: str,
        *,
        secret: str,
        kinds: Sequence[str],
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._runtime = runtime
        self._bot = bot
        self._url = url
        self._secret = secret
        self._kinds = list(kinds)
        self._monotonic = monotonic
        self._next_at = monotonic()
        self._pause_s = _FIRST_PAUSE_S
        self._was_ours = False
        self._calm = 0
        self._told_error_at: object = None
        self.backlog = 0

    async def look(self) -> int:
        """Look, where it is time to, and put right what is wrong. Always 0: there is no queue."""
        if self._monotonic() < self._next_at:
            return 0
        try:
            await self._put_right()
        except TelegramAPIError as error:
            _LOG.warning(
                "the webhook could not be looked after", fault=str(error), again_s=self._pause_s
            )
            self._next_at = self._monotonic() + self._pause_s
            self._pause_s = min(self._pause_s * 2, LOOK_S)
        else:
            self._next_at, self._pause_s = self._monotonic() + LOOK_S, _FIRST_PAUSE_S
        return 0

    async def _put_right(self) -> None:
        info = await self._bot.get_webhook_info()
        self._note(info)
        if info.url == self._url and sorted(info.allowed_updates or []) == sorted(self._kinds):
            await self._found_ours()
            return
        await self._bot.set_webhook(
            self._url,
            secret_token=self._secret,
            allowed_updates=self._kinds,
            max_connections=_CONNECTIONS,
        )
        _LOG.info("the webhook is set", was_ours=self._was_ours)
        if self._was_ours and info.url not in ("", self._url):
            await self._taken(info.url)
        self._was_ours = True

    def _note(self, info: WebhookInfo) -> None:
        self.backlog = info.pending_update_count
        if info.last_error_date is not None and info.last_error_date != self._told_error_at:
            self._told_error_at = info.last_error_date
            _LOG.warning(
                "Telegram could not bring an update",
                fault=info.last_error_message,
                waiting=info.pending_update_count,
            )

    async def _found_ours(self) -> None:
        self._was_ours = True
        self._calm += 1
        if self._calm == CALM_LOOKS:
            async with self._runtime.system.store.transaction() as tx:
                await self._runtime.people.alarms.end(tx, AlarmWebhook)

    async def _taken(self, url: str) -> None:
        """Somebody else has the bot's token: only the host is told, for a path may be a secret."""
        self._calm = 0
        host = urlsplit(url).hostname or "?"
        _LOG.error("the webhook was taken", host=host)
        async with self._runtime.system.store.transaction() as tx:
            await self._runtime.people.alarms.sound(tx, AlarmWebhook(host))
