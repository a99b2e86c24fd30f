"""Telegram's updates: checked, stored raw, acknowledged; then acted on in order per chat.

What people say to the bot in private may be a supplier's key, and nobody knows before it is read
whether it is one: an update of a private chat is stored sealed, and opened when it is acted on.
"""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import json
import traceback
from base64 import b64decode, b64encode
from dataclasses import replace
from pathlib import Path
from typing import Any, Final

import structlog
from aiogram import Bot, Dispatcher
from aiogram.types import Update
from aiohttp import web

from core.inbox import Arrived, Inbox
from core.outbox import Say
from core.runtime import Runtime
from core.store import DATABASE_AWAY, Tx
from core.vault import Purpose, Vault, derived_key

_LOG = structlog.get_logger(__name__)
SECRET_HEADER: Final = "X-Telegram-Bot-Api-Secret-Token"  # noqa: S105 (a header's name)
RETRY_AFTER_S: Final = 2
BATCH: Final = 5
_MAX_ID: Final = 2**63 - 1
# Telegram is answered within this, if only by a 503: it brings the update again.
STORE_S: Final = 4.0
_UPDATE: Final = "telegram_update.body"
_CHATTY: Final = ("message", "edited_message", "channel_post", "my_chat_member", "chat_member")


def webhook_secret(master_key: str, bot_id: int) -> str:
    """The secret Telegram sends with every update: derived, so that it need not be kept."""
    return derived_key(master_key, f"telegram.webhook of {bot_id}").hex()


def webhook_path(bot_id: int, secret: str) -> str:
    """Where Telegram posts updates. A new secret makes a new address, so that a webhook that is
    set to the right address also has the right secret."""
    return f"/telegram/{bot_id}/{hashlib.sha256(secret.encode()).hexdigest()[:8]}"


class Webhook:
    """The entrance for Telegram."""

    def __init__(self, inbox: Inbox, vault: Vault, bot_id: int, secret: str) -> None:
        self._inbox = inbox
        self._vault = vault
        self._bot_id = bot_id
        self._secret = secret

    async def receive(self, request: web.Request) -> web.Response:
        """401 without the secret, 400 for what is no update, 503 while the database is away
        (Telegram tries again), else 200 once the update is stored."""
        given = request.headers.get(SECRET_HEADER, "")
        # aiohttp hands on bytes that are no UTF-8 as lone surrogates.
        if not hmac.compare_digest(given.encode(errors="surrogateescape"), self._secret.encode()):
            return web.Response(status=401)
        found = _read_update(await request.read())
        if found is None:
            return web.Response(status=400)
        update_id, chat_id, update = found
        if chat_id > 0:
            sealed = self._vault.seal(json.dumps(update), _purpose(self._bot_id, update_id))
            update = {"update_id": update_id, "sealed": b64encode(sealed).decode()}
        try:
            async with asyncio.timeout(STORE_S):
                await self._inbox.put(self._bot_id, update_id, chat_id, update)
        except DATABASE_AWAY as error:
            _LOG.error("update not stored", update_id=update_id, fault=str(error))
            return web.Response(status=503, headers={"Retry-After": str(RETRY_AFTER_S)})
        return web.Response(status=200)


class UpdateWorker:
    """Acts on stored updates through the dispatcher: chats side by side, one chat in order."""

    def __init__(self, runtime: Runtime, dispatcher: Dispatcher, bot: Bot) -> None:
        self._runtime = runtime
        self._inbox = runtime.inbox
        self._dispatcher = dispatcher
        self._bot = bot

    async def batch(self) -> int:
        """Take a batch and act on it; how many there were."""
        arrived = await self._inbox.take(BATCH)
        await asyncio.gather(*(self._act(one) for one in arrived))
        return len(arrived)

    async def _act(self, arrived: Arrived) -> None:
        structlog.contextvars.bind_contextvars(
            request_id=f"tg-{arrived.update_id}", chat_id=arrived.chat_id
        )
        private = "sealed" in arrived.body
        try:
            if private:
                arrived = self._opened(arrived)
            update = Update.model_validate(arrived.body, context={"bot": self._bot})
            await self._dispatcher.feed_update(self._bot, update)
        except Exception as error:  # noqa: BLE001 (kept, tried again, then parked and shown)
            fault = repr(error)
            if private:  # what it says may hold what somebody wrote
                fault = f"{type(error).__name__} at {_where(error)}"
                _LOG.error(
                    "update failed", update_id=arrived.update_id, tries=arrived.tries, fault=fault
                )
            else:
                _LOG.exception("update failed", update_id=arrived.update_id, tries=arrived.tries)
            async with self._runtime.store.transaction() as tx:
                if await self._inbox.failed(tx, arrived, fault):
                    await self._give_up(tx, arrived, error)
        else:
            await self._inbox.done(arrived)
        finally:
            structlog.contextvars.clear_contextvars()

    def _opened(self, arrived: Arrived) -> Arrived:
        """Raises Bug where it is another update's, or the master key is another one."""
        sealed = b64decode(arrived.body["sealed"])
        purpose = _purpose(arrived.bot_id, arrived.update_id)
        return replace(arrived, body=json.loads(self._runtime.vault.open(sealed, purpose)))

    async def _give_up(self, tx: Tx, arrived: Arrived, error: Exception) -> None:
        """Whoever waits for it is told, and every ops group."""
        chat_id = arrived.chat_id
        message_id = _message_of(arrived.body)
        # Each line of a message is booked by itself: sent again, those would be booked twice.
        booked = await tx.fetch(
            "SELECT receipt->>'record_no' AS record_no FROM cause"
            " WHERE chat_id = $1 AND message_id = $2 AND receipt ? 'record_no' ORDER BY line",
            chat_id,
            message_id,
        )
        facts = {
            "records": [row["record_no"] for row in booked],
            "pressed": "callback_query" in arrived.body,
            "alarm": None,
        }
        if chat_id:
            answer = Say("update_parked", facts, reply_to=message_id)
            await self._runtime.outbox.say(tx, chat_id, answer)
        group = await self._runtime.groups.find(chat_id)
        alarm = {
            "chat": group.title if group else str(chat_id),
            "update_id": arrived.update_id,
            "tries": arrived.tries,
            "fault": type(error).__name__,  # what it says may hold what people wrote
        }
        told = Say("update_parked", {**facts, "alarm": alarm})
        await self._runtime.groups.tell_ops(tx, told)


def _where(error: Exception) -> str:
    """The line of code that raised."""
    frames = traceback.extract_tb(error.__traceback__)
    return f"{Path(frames[-1].filename).name}:{frames[-1].lineno}" if frames else "nowhere"


def _purpose(bot_id: int, update_id: int) -> Purpose:
    return Purpose(_UPDATE, f"{bot_id}/{update_id}")


def _read_update(body: bytes) -> tuple[int, int, dict[str, Any]] | None:
    """An update's identifier, its chat and the whole of it; None where there is none."""
    try:
        update = _storable(json.loads(body))
        update_id, chat_id = update["update_id"], _chat_of(update)
    except (ValueError, RecursionError, LookupError, TypeError, AttributeError):
        return None
    if type(update_id) is not int or max(abs(update_id), abs(chat_id)) > _MAX_ID:
        return None
    return update_id, chat_id, update


def _storable(value: Any) -> Any:
    """The same without NUL and lone surrogates, which PostgreSQL does not take: an update that
    can never be stored would hold up its chat for a day."""
    match value:
        case str():
            return value.replace("\0", "").encode(errors="ignore").decode()
        case list():
            return [_storable(part) for part in value]
        case dict():
            return {_storable(name): _storable(part) for name, part in value.items()}
        case _:
            return value


def _message_of(update: dict[str, Any]) -> int | None:
    """The message an update is, or whose button it pressed; None where there is none, or none
    that can be read: this also serves updates that nobody can read."""
    try:
        message = (
            update.get("message")
            or update.get("edited_message")
            or update["callback_query"]["message"]
        )
        message_id = message["message_id"]
    except (LookupError, TypeError):
        return None
    return message_id if type(message_id) is int and 0 < message_id <= _MAX_ID else None


def _chat_of(update: dict[str, Any]) -> int:
    """The chat an update belongs to, by which updates are put in order; 0 for none."""
    for kind in _CHATTY:
        if kind in update:
            return int(update[kind]["chat"]["id"])
    pressed = update.get("callback_query", {})
    message = pressed.get("message") or {}
    chat_id = message.get("chat", {}).get("id") or pressed.get("from", {}).get("id") or 0
    return int(chat_id)
