"""Merchants' servers: signed calls of the Payment API, and a load of them at a steady pace."""

from __future__ import annotations

import asyncio
import hmac
import json
import time
from base64 import b64decode, b64encode
from collections.abc import Awaitable, Callable, Sequence
from hashlib import sha256
from typing import Any, Final
from uuid import uuid4

import aiohttp

from bench.faults.kit.meter import UNANSWERED, Call, Meter
from bench.faults.kit.town import PRODUCT, Keys, Town
from bench.faults.kit.waits import every

# Longer than anything may take that is still called an answer.
PATIENCE_S: Final = 15.0


class Shop:
    """All merchants of a town, calling one address."""

    def __init__(self, http: aiohttp.ClientSession, town: Town, url: str) -> None:
        self._http = http
        self._town = town
        self._url = url

    async def create(
        self, merchant_no: str, *, reference: str | None = None, **wanted: Any
    ) -> Call:
        """POST /v1/orders. wanted: fields beside or instead of the usual ones."""
        body = {
            "merchant_order_no": reference or f"F-{uuid4().hex}",
            "amount": 10_000,
            "currency": "CNY",
            "product": PRODUCT,
            "subject": "Oolong tea",
            "client_ip": "203.0.113.7",
            **wanted,
        }
        return await self.call(merchant_no, "POST", "/v1/orders", body)

    async def close(self, created: Call) -> Call:
        """POST /v1/orders/{order_no}/close."""
        path = f"/v1/orders/{created.order_no}/close"
        return await self.call(created.merchant_no, "POST", path, None)

    async def state_of(self, created: Call) -> str:
        """An order's state, as the API tells it; '' where it does not."""
        path = f"/v1/orders/{created.order_no}"
        found = await self.call(created.merchant_no, "GET", path, None)
        return str(found.body.get("status", "")) if found.status == 200 else ""

    async def creates(
        self,
        count: int,
        every_s: float,
        merchants: Sequence[str],
        *,
        enough: asyncio.Event | None = None,
        created: Callable[[Call], Awaitable[object]] | None = None,
        **wanted: Any,
    ) -> Meter:
        """Creates at a steady pace, by these merchants in turn, each on its own: a slow answer
        holds up no later call. So many, or fewer where somebody says that it is enough. created:
        what is done with each that was answered 201. wanted: as in `create`."""
        meter = Meter()

        async def one(merchant_no: str) -> None:
            call = await self.create(merchant_no, **wanted)
            meter.add(call)
            if created is not None and call.status == 201:
                await created(call)

        async with asyncio.TaskGroup() as group:
            async for number in every(every_s, count):
                if enough is not None and enough.is_set():
                    break
                group.create_task(one(merchants[number % len(merchants)]))
        return meter

    async def call(
        self, merchant_no: str, method: str, path: str, body: dict[str, Any] | None
    ) -> Call:
        raw = b"" if body is None else json.dumps(body).encode()
        reference = str((body or {}).get("merchant_order_no", ""))
        headers = signed(self._town.merchants[merchant_no], method, path, raw)
        began_s = time.monotonic()
        status, retry_after = UNANSWERED, None
        shown: dict[str, object] = {}
        try:
            async with self._http.request(
                method,
                self._url + path,
                data=raw or None,
                headers=headers,
                timeout=aiohttp.ClientTimeout(total=PATIENCE_S),
            ) as answer:
                said = await answer.json(content_type=None)
                shown = said if isinstance(said, dict) else {}
                status, retry_after = answer.status, answer.headers.get("Retry-After")
        except (aiohttp.ClientError, TimeoutError, OSError, ValueError):
            status = UNANSWERED
        took_s = time.monotonic() - began_s
        return Call(merchant_no, reference, began_s, took_s, status, shown, retry_after)


def signed(keys: Keys, method: str, path: str, raw: bytes) -> dict[str, str]:
    """The headers of a signed call."""
    call_id, now = f"call_{uuid4().hex}", str(int(time.time()))
    text = f"{call_id}.{now}.{method} {path}\n".encode() + raw
    digest = hmac.digest(b64decode(keys.secret.removeprefix("whsec_")), text, sha256)
    return {
        "Paydesk-Key": keys.key_id,
        "Paydesk-Id": call_id,
        "Paydesk-Timestamp": now,
        "Paydesk-Signature": f"v1,{b64encode(digest).decode()}",
        "Content-Type": "application/json",
    }
