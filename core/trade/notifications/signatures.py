"""What is sent to a merchant's server, byte for byte: Standard Webhooks."""

from __future__ import annotations

import hashlib
import hmac
import json
from base64 import b64decode, b64encode
from datetime import datetime
from typing import Any, Final

from core.kernel.clock import rfc3339
from core.kernel.wire import HttpRequest
from core.trade.notifications.queue import Due

_BODY: Final = json.JSONEncoder(ensure_ascii=False, sort_keys=True, separators=(",", ":"))


def body_of(news: str, at: datetime, facts: dict[str, Any]) -> bytes:
    """The body of a notification: the same bytes at every try."""
    return _BODY.encode({"type": news, "timestamp": rfc3339(at), "data": facts}).encode()


def sign(secret: str, webhook_id: str, timestamp_s: int, body: bytes) -> str:
    """One signature of Standard Webhooks, 'v1,<base64>'. secret: whsec_<base64>."""
    key = b64decode(secret.removeprefix("whsec_"))
    signed = f"{webhook_id}.{timestamp_s}.".encode() + body
    return "v1," + b64encode(hmac.digest(key, signed, hashlib.sha256)).decode()


def signed_request(due: Due, secrets: tuple[str, ...], now: datetime) -> HttpRequest:
    """One try, signed with each of the app's secrets."""
    body = body_of(due.type, due.created_at, due.facts)
    return webhook(due.url, due.webhook_id, body, secrets, now)


def webhook(
    url: str, webhook_id: str, body: bytes, secrets: tuple[str, ...], now: datetime
) -> HttpRequest:
    """A webhook, signed with each of these secrets."""
    timestamp_s = int(now.timestamp())
    headers = {
        "Content-Type": "application/json; charset=utf-8",
        "User-Agent": "Paydesk-Notifications/1",
        "webhook-id": webhook_id,
        "webhook-timestamp": str(timestamp_s),
        "webhook-signature": " ".join(sign(s, webhook_id, timestamp_s, body) for s in secrets),
    }
    return HttpRequest("POST", url, headers, body, signed="")
