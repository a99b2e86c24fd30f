"""Creates an order at the desk with a signed call, and remembers exactly what was sent."""

from __future__ import annotations

import json
import secrets
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import Any
from urllib.parse import urlsplit

import aiohttp

from sandbox.shop.config import Merchant, Product
from sandbox.shop.signatures import masked, request_text, signature
from sandbox.shop.store import Order, Store

TIMEOUT_S = 20.0
MAX_ANSWER_BYTES = 65_536
TARGET = "/v1/orders"


class Seller:
    """Sells: one verb, `create`. Every call ends as a remembered order, whatever was answered."""

    def __init__(self, store: Store, api_base: str) -> None:
        self._store = store
        self._api_base = api_base
        self._http: aiohttp.ClientSession | None = None

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        timeout = aiohttp.ClientTimeout(total=TIMEOUT_S)
        async with aiohttp.ClientSession(timeout=timeout) as self._http:
            yield

    async def create(
        self,
        merchant: Merchant,
        product: Product,
        amount_minor: int,
        subject: str,
        *,
        own_base: str,
        client_ip: str,
    ) -> Order:
        """Make the call and return the order; its `status` is None when nobody answered."""
        now = time.time()
        number = new_order_no(now)
        content = {
            "merchant_order_no": number,
            "amount": amount_minor,
            "currency": "CNY",
            "product": product.code,
            "subject": subject,
            "notify_url": f"{own_base}/notify/{merchant.merchant_no}",
            "return_url": f"{own_base}/return/{merchant.merchant_no}/{number}",
            "client_ip": client_ip,
        }
        body = json.dumps(content, ensure_ascii=False, separators=(",", ":"))
        request_id = "req_" + secrets.token_hex(12)
        # An API base may have a path of its own; what is signed is the path that is sent.
        target = urlsplit(self._api_base).path + TARGET
        text = request_text(request_id, int(now), "POST", target, body)
        headers = {
            "Content-Type": "application/json",
            "Paydesk-Key": merchant.key_id,
            "Paydesk-Id": request_id,
            "Paydesk-Timestamp": str(int(now)),
            "Paydesk-Signature": signature(text, merchant.secret),
        }
        order = Order(
            merchant_order_no=number,
            merchant_no=merchant.merchant_no,
            amount_minor=amount_minor,
            subject=subject,
            created_at=now,
            request=_request_shown(self._api_base, target, headers, body),
            signed=f"{text}\n\nHMAC-SHA256, key {masked(merchant.secret)}",
            status=None,
            answer="",
            order_no="",
            cashier_url="",
        )
        # Remembered before the call: a notification may arrive before its answer.
        self._store.save_order(order)
        order = await self._call(order, headers, body)
        self._store.save_order(order)
        return order

    async def _call(self, order: Order, headers: dict[str, str], body: str) -> Order:
        assert self._http is not None, "sell only while running"
        url = self._api_base + TARGET
        try:
            async with self._http.post(
                url, data=body.encode(), headers=headers, allow_redirects=False
            ) as answer:
                text = (await _read_at_most(answer, MAX_ANSWER_BYTES)).decode("utf-8", "replace")
        except (aiohttp.ClientError, TimeoutError, OSError) as error:
            return replace(order, answer=f"{type(error).__name__}: {error}")
        found = _object(text)
        pay = found.get("pay")
        pay_url = pay.get("value") if isinstance(pay, dict) and pay.get("kind") == "url" else ""
        return replace(
            order,
            status=answer.status,
            answer=_pretty(text),
            order_no=str(found.get("order_no") or ""),
            cashier_url=_web_url(found.get("cashier_url")) or _web_url(pay_url),
        )


def new_order_no(at: float) -> str:
    """A number of the shop: `S`, the time, and six random characters."""
    return time.strftime("S%m%d%H%M%S", time.gmtime(at)) + secrets.token_hex(3).upper()


def _request_shown(api_base: str, target: str, headers: dict[str, str], body: str) -> str:
    lines = [f"POST {target} HTTP/1.1", f"Host: {urlsplit(api_base).netloc}"]
    lines += [f"{name}: {value}" for name, value in headers.items()]
    return "\n".join([*lines, "", body])


def _object(text: str) -> dict[str, Any]:
    try:
        found = json.loads(text)
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}


def _pretty(text: str) -> str:
    found = _object(text)
    return json.dumps(found, ensure_ascii=False, indent=2) if found else text


def _web_url(value: object) -> str:
    """The value when it is a link a browser may follow, else ''."""
    if isinstance(value, str) and urlsplit(value).scheme in ("http", "https"):
        return value
    return ""


async def _read_at_most(answer: aiohttp.ClientResponse, limit: int) -> bytes:
    body = b""
    while len(body) < limit and (part := await answer.content.read(limit - len(body))):
        body += part
    return body
