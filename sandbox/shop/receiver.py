"""Receives the desk's notifications: verifies, remembers, answers 204 or 400."""

from __future__ import annotations

import json
import time
from typing import Any

from aiohttp import web

from sandbox.shop.config import Config
from sandbox.shop.signatures import BadNotification, verify_notification
from sandbox.shop.store import Notification, Store

MAX_BODY_BYTES = 65_536


class Receiver:
    """`POST /notify/{merchant_no}`: also a forged notification is remembered, as not verified."""

    def __init__(self, config: Config, store: Store) -> None:
        self._merchants = config.merchants
        self._store = store

    def routes(self) -> list[web.RouteDef]:
        return [web.post("/notify/{merchant_no}", self._receive)]

    async def _receive(self, request: web.Request) -> web.Response:
        merchant = self._merchants.get(request.match_info["merchant_no"])
        if merchant is None:
            return web.Response(status=404)
        body = await request.read()
        reason = ""
        try:
            verify_notification(request.headers, body, merchant.notify_secret, time.time())
        except BadNotification as bad:
            reason = str(bad)
        webhook_id = _plain(request.headers.get("webhook-id"))
        found = _object(body)
        data = found.get("data")
        number = data.get("merchant_order_no") if isinstance(data, dict) else ""
        self._store.add_notification(
            Notification(
                merchant_no=merchant.merchant_no,
                at=time.time(),
                verified=not reason,
                reason=reason,
                repeat=self._store.was_received(merchant.merchant_no, webhook_id),
                webhook_id=webhook_id,
                type=_plain(found.get("type")),
                merchant_order_no=_plain(number),
                body=body.decode("utf-8", "replace"),
            )
        )
        return web.Response(status=400, text=reason) if reason else web.Response(status=204)


def _object(body: bytes) -> dict[str, Any]:
    try:
        found = json.loads(body)
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}


def _plain(value: object) -> str:
    """Text that SQLite can keep: what a forger puts into a header or JSON may be no Unicode."""
    return str(value or "").encode("utf-8", "replace").decode()
