"""The entrance for Telegram's updates: checked, stored raw, acknowledged.

What people say to the bot in private may be a supplier's key, and nobody knows before it is read
whether it is one: an update of a private chat is stored sealed, and opened when it is acted on.
"""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import json
from base64 import b64decode, b64encode
from dataclasses import replace
from typing import Any, Final

import structlog
from aiohttp import web

from core.delivery.inbox import Inbox, TakenUpdate
from core.system.store import DATABASE_AWAY
from core.system.vault import Purpose, Vault, derived_key

_LOG = structlog.get_logger(__name__)
SECRET_HEADER: Final = "X-Telegram-Bot-Api-Secret-Token"  # noqa: S105 (a header's name)
RETRY_AFTER_S: Final = 2
_MAX_ID: Final = 2**63 - 1
# Telegram is answered within this, if only by a 503: it brings the update again.
STORE_S: Final = 4.0
_UPDATE: Final = "telegram_update.body"
# Presses in a group have a lane of their own: Telegram waits for an answer to them, and a message
# whose handler asks a supplier must not be in their way. In a private chat everything keeps its
# order, for a dialogue's answers are pressed and written by turns.
_PRESSES: Final = 1
_CHATTY: Final = ("message", "edited_message", "channel_post", "my_chat_member", "chat_member")


def webhook_secret(master_key: str, bot_id: int) -> str:
    """The secret Telegram sends with every update: derived, so that it need not be kept."""
    return derived_key(master_key, f"telegram.webhook of {bot_id}").hex()


def webhook_path(bot_id: int, secret: str) -> str:
    """Where Telegram posts updates. A new secret makes a new address, so that a webhook that is
    set to the right address also has the right secret."""
    return f"/telegram/{bot_id}/{hashlib.sha256(secret.encode()).hexdigest()[:8]}"


def bot_id_of(token: str) -> int:
    """The bot's number, which its token begins with."""
    return int(token.partition(":")[0])


def webhook_route(
    inbox: Inbox, vault: Vault, bot_id: int, master_key: str
) -> tuple[str, web.RouteDef, str]:
    """The entrance's path, its route, and the secret that Telegram sends there."""
    secret = webhook_secret(master_key, bot_id)
    path = webhook_path(bot_id, secret)
    return path, web.post(path, Webhook(inbox, vault, bot_id, secret).receive), secret


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
        lane = _PRESSES if chat_id < 0 and "callback_query" in update else 0
        if chat_id > 0:
            sealed = self._vault.seal(json.dumps(update), _purpose(self._bot_id, update_id))
            update = {"update_id": update_id, "sealed": b64encode(sealed).decode()}
        try:
            async with asyncio.timeout(STORE_S):
                await self._inbox.put(self._bot_id, update_id, chat_id, update, lane=lane)
        except DATABASE_AWAY as error:
            _LOG.error("update not stored", update_id=update_id, fault=str(error))
            return web.Response(status=503, headers={"Retry-After": str(RETRY_AFTER_S)})
        return web.Response(status=200)


def opened(vault: Vault, arrived: TakenUpdate) -> TakenUpdate:
    """An update as it came, where it was stored sealed. Raises Bug where it is another update's, or
    the master key is another one."""
    if "sealed" not in arrived.body:
        return arrived
    sealed = b64decode(arrived.body["sealed"])
    purpose = _purpose(arrived.bot_id, arrived.update_id)
    return replace(arrived, body=json.loads(vault.open(sealed, purpose)))


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


def _chat_of(update: dict[str, Any]) -> int:
    """The chat an update belongs to, by which updates are put in order; 0 for none."""
    for kind in _CHATTY:
        if kind in update:
            return int(update[kind]["chat"]["id"])
    pressed = update.get("callback_query", {})
    message = pressed.get("message") or {}
    chat_id = message.get("chat", {}).get("id") or pressed.get("from", {}).get("id") or 0
    return int(chat_id)
