"""Requests as bytes: a merchant's signed calls of the Payment API, and the supplier's callbacks."""

from __future__ import annotations

import hashlib
import hmac
import json
import time
from base64 import b64decode, b64encode
from collections.abc import Iterable, Sequence
from typing import Final
from urllib.parse import parse_qs, urlencode, urlsplit
from uuid import uuid4

from bench.load import HOST
from bench.town import PID, Keys

AMOUNT_MINOR: Final = 10_000


def creates(apps: Sequence[Keys], count: int, product: str) -> tuple[bytes, ...]:
    """So many new orders, of these apps in turn."""
    return tuple(_create(apps[n % len(apps)], product) for n in range(count))


def queries(orders: Iterable[tuple[Keys, str]]) -> tuple[bytes, ...]:
    """A question after each order. orders: an app and the number of one of its orders."""
    return tuple(signed(keys, "GET", f"/v1/orders/{order_no}", b"") for keys, order_no in orders)


def signed(keys: Keys, method: str, path: str, raw: bytes) -> bytes:
    """A signed call."""
    call_id, now = f"call_{uuid4().hex}", str(int(time.time()))
    head = f"{method} {path} HTTP/1.1\r\nHost: {HOST}\r\nContent-Length: {len(raw)}\r\n"
    return (
        f"{head}Content-Type: application/json\r\nPaydesk-Key: {keys.key_id}\r\n"
        f"Paydesk-Id: {call_id}\r\nPaydesk-Timestamp: {now}\r\n"
        f"Paydesk-Signature: {signature(keys.secret, call_id, now, method, path, raw)}\r\n\r\n"
    ).encode() + raw


def signature(secret: str, call_id: str, timestamp: str, method: str, path: str, raw: bytes) -> str:
    """As docs/api.md says. secret: whsec_<base64>."""
    text = f"{call_id}.{timestamp}.{method} {path}\n".encode() + raw
    digest = hmac.digest(b64decode(secret.removeprefix("whsec_")), text, hashlib.sha256)
    return f"v1,{b64encode(digest).decode()}"


def callback(created: bytes, supplier_key: str) -> bytes:
    """The supplier's word that an order was paid. created: the answer that the merchant got, of a
    channel whose request the payer's browser brings: all that is needed stands in its link."""
    link = urlsplit(json.loads(created)["pay"]["value"])
    said = {name: values[0] for name, values in parse_qs(link.query).items()}
    fields = {
        "pid": PID,
        "trade_no": f"S{said['out_trade_no']}",
        "out_trade_no": said["out_trade_no"],
        "type": "alipay",
        "name": said["name"],
        "money": said["money"],
        "trade_status": "TRADE_SUCCESS",
    }
    text = "&".join(f"{name}={fields[name]}" for name in sorted(fields)) + supplier_key
    proof = hashlib.md5(text.encode()).hexdigest()  # noqa: S324 - it is what the protocol asks for
    query = urlencode({**fields, "sign": proof, "sign_type": "MD5"})
    path = urlsplit(said["notify_url"]).path
    return f"GET {path}?{query} HTTP/1.1\r\nHost: {HOST}\r\nContent-Length: 0\r\n\r\n".encode()


def _create(keys: Keys, product: str) -> bytes:
    body = {
        "merchant_order_no": f"B-{uuid4().hex}",
        "amount": AMOUNT_MINOR,
        "currency": "CNY",
        "product": product,
        "subject": "Oolong tea",
        "client_ip": "203.0.113.7",
    }
    return signed(keys, "POST", "/v1/orders", json.dumps(body).encode())
