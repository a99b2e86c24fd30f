"""How the desk stands: what the database knows, and what Telegram says of the webhook."""

from __future__ import annotations

import platform
from typing import Final
from urllib.parse import urlsplit

import aiogram
import structlog
from aiogram import Bot, Router
from aiogram.exceptions import TelegramAPIError
from aiogram.types import CallbackQuery, Message

from core.reports.district import Reports
from core.system.district import System
from handlers.kit.chat import Chat
from handlers.kit.context import Presses, Wants
from handlers.status.buttons import RefreshStatus
from handlers.status.screens import StatusNotice, VersionLine, WebhookLine
from handlers.status.words import ShowStatus

_LOG = structlog.get_logger(__name__)
# Whoever asks how the desk stands does not wait for Telegram for long.
_TELEGRAM_S: Final = 3
_FAULT_CHARS: Final = 200


def add_routes(routes: Router) -> None:
    """Is all well?"""
    routes.message.register(show, Wants(ShowStatus))
    routes.callback_query.register(refresh, Presses(RefreshStatus))


async def show(_: Message, chat: Chat, bot: Bot, system: System, reports: Reports) -> None:
    """In a message. Refusals: those of `Standing.read`."""
    await chat.say(await _status(chat, bot, system, reports))


async def refresh(_: CallbackQuery, chat: Chat, bot: Bot, system: System, reports: Reports) -> None:
    """In the place of the one that carries the button."""
    await chat.replace(await _status(chat, bot, system, reports))


async def _status(chat: Chat, bot: Bot, system: System, reports: Reports) -> StatusNotice:
    standing = await reports.standing.read(chat.actor)
    versions = (
        VersionLine("PostgreSQL", standing.database.split()[0]),
        VersionLine("Python", platform.python_version()),
        VersionLine("aiogram", aiogram.__version__),
    )
    webhook = await _webhook(bot, system.public_url)
    return StatusNotice(standing, webhook, versions, await chat.zone())


async def _webhook(bot: Bot, public_url: str) -> WebhookLine | None:
    try:
        info = await bot.get_webhook_info(request_timeout=_TELEGRAM_S)
    except TelegramAPIError as error:
        _LOG.info("Telegram does not say where the webhook is", fault=str(error))
        return None
    return WebhookLine(
        host=urlsplit(info.url).hostname or "",
        ours=info.url.startswith(f"{public_url}/"),
        waiting=info.pending_update_count,
        fault=(info.last_error_message or "")[:_FAULT_CHARS],
        fault_at=info.last_error_date,
    )
