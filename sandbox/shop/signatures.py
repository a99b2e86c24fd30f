"""Signs requests to the Payment API and verifies its notifications (Standard Webhooks)."""

from __future__ import annotations

import base64
import hashlib
import hmac
from collections.abc import Mapping

PREFIX = "whsec_"
MAX_SKEW_S = 300
MAX_SIGNATURES = 10


class BadNotification(Exception):
    """The notification proves nothing; the message says what is wrong with it."""


def secret_bytes(secret: str) -> bytes:
    """The key inside `whsec_<base64>`; `ValueError` when it is none."""
    if not secret.startswith(PREFIX):
        raise ValueError("a secret begins with whsec_")
    return base64.b64decode(secret.removeprefix(PREFIX), validate=True)


def request_text(request_id: str, timestamp: int, method: str, target: str, body: str) -> str:
    """The exact text of a request that is signed; `target` is the raw path with its query."""
    return f"{request_id}.{timestamp}.{method} {target}\n{body}"


def signature(text: str, secret: str) -> str:
    """`v1,` and the base64 of HMAC-SHA256 over the text."""
    digest = hmac.new(secret_bytes(secret), text.encode(), hashlib.sha256).digest()
    return "v1," + base64.b64encode(digest).decode()


def verify_notification(headers: Mapping[str, str], body: bytes, secret: str, now: float) -> str:
    """The `webhook-id` of a genuine notification, else `BadNotification`."""
    webhook_id = headers.get("webhook-id", "")
    timestamp = headers.get("webhook-timestamp", "")
    given = headers.get("webhook-signature", "").split(" ")[:MAX_SIGNATURES]
    if not (webhook_id and webhook_id.isascii() and timestamp.isascii() and timestamp.isdigit()):
        raise BadNotification("webhook-id or webhook-timestamp is missing or unreadable")
    if abs(int(timestamp) - now) > MAX_SKEW_S:
        raise BadNotification(f"webhook-timestamp is more than {MAX_SKEW_S} s away")
    try:
        text = f"{webhook_id}.{timestamp}.{body.decode()}"
    except UnicodeDecodeError as error:
        raise BadNotification("the body is not UTF-8") from error
    wanted = signature(text, secret).encode()
    if not any(hmac.compare_digest(one.encode("utf-8", "replace"), wanted) for one in given):
        raise BadNotification("no signature fits")
    return webhook_id


def masked(secret: str) -> str:
    """Enough of a secret to tell two apart: `whsec_MfKQ••••••••`."""
    return secret[: len(PREFIX) + 4] + "•" * 8
