"""The desk's entrance for Telegram, and updates to bring through it."""

from __future__ import annotations

import json
from dataclasses import dataclass
from io import BytesIO
from typing import Any

import aiohttp

from bot.webhook import SECRET_HEADER, webhook_secret
from bot.world import BOT_ID
from core.runtime import Runtime
from tests.conftest import MASTER_KEY
from tests.core.support import CHAT, OPERATOR

SECRET = webhook_secret(MASTER_KEY, BOT_ID)


@dataclass
class Entrance:
    """The desk's entrance for Telegram, on a real server."""

    runtime: Runtime
    url: str
    http: aiohttp.ClientSession

    async def post(
        self, body: object, *, secret: str | None = SECRET
    ) -> tuple[int, dict[str, str]]:
        headers = {} if secret is None else {SECRET_HEADER: secret}
        data = body if isinstance(body, bytes) else json.dumps(body).encode()
        async with self.http.post(self.url, data=BytesIO(data), headers=headers) as answer:
            return answer.status, dict(answer.headers)

    async def stored(self) -> list[dict[str, Any]]:
        rows = await self.runtime.system.store.fetch(
            "SELECT bot_id, update_id, chat_id, body, state, tries, fault FROM telegram_update"
            " ORDER BY update_id"
        )
        return [dict(row) for row in rows]


def message(update_id: int, text: str = "hello", chat_id: int = CHAT) -> dict[str, Any]:
    return {
        "update_id": update_id,
        "message": {
            "message_id": update_id,
            "date": 1_795_000_000,
            "chat": {"id": chat_id, "type": "supergroup", "title": "a group"},
            "from": {"id": OPERATOR, "is_bot": False, "first_name": "x"},
            "text": text,
        },
    }
