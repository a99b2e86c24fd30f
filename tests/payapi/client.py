"""A merchant's server in tests: signs with the `standardwebhooks` package, not with our code."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

import aiohttp
from standardwebhooks.webhooks import Webhook
from yarl import URL

from core.kernel.ids import read_number
from core.runtime import Runtime
from core.trade.orders import Order

NEW_ORDER: dict[str, Any] = {
    "merchant_order_no": "S-1",
    "amount": 1234,
    "currency": "CNY",
    "product": "alipay_qr",
    "subject": "青山绿茶 Tea",
    "client_ip": "203.0.113.7",
}


@dataclass(frozen=True)
class Answer:
    """What the API answered."""

    status: int
    headers: dict[str, str]
    json: Any

    @property
    def code(self) -> str:
        return str(self.json["error"]["code"])


@dataclass(frozen=True)
class Caller:
    """Calls the API with one key."""

    http: aiohttp.ClientSession
    url: str
    key: str
    secret: str

    def headers(self, method: str, target: str, body: str, at: datetime) -> dict[str, str]:
        call_id = f"req-{uuid4().hex}"
        return {
            "Paydesk-Key": self.key,
            "Paydesk-Id": call_id,
            "Paydesk-Timestamp": str(int(at.timestamp())),
            "Paydesk-Signature": Webhook(self.secret).sign(
                call_id, at, f"{method} {target}\n{body}"
            ),
            "Content-Type": "application/json",
        }

    async def call(
        self,
        method: str,
        target: str,
        content: object = None,
        *,
        body: str | None = None,
        at: datetime | None = None,
        changes: dict[str, str | None] | None = None,
    ) -> Answer:
        """A signed call. body: sent as it is, instead of content as JSON. changes: headers that
        are changed after signing; None leaves one out."""
        text = body if body is not None else "" if content is None else json.dumps(content)
        headers = self.headers(method, target, text, at or datetime.now(UTC))
        for name, value in (changes or {}).items():
            headers.pop(name)
            if value is not None:
                headers[name] = value
        return await self.send(method, target, text.encode(), headers)

    async def send(self, method: str, target: str, body: bytes, headers: dict[str, str]) -> Answer:
        url = URL(self.url + target, encoded=True)
        async with self.http.request(
            method, url, data=body or None, headers=headers, allow_redirects=False
        ) as response:
            return Answer(response.status, dict(response.headers), await response.json())

    async def create(self, **changes: object) -> Answer:
        return await self.call("POST", "/v1/orders", {**NEW_ORDER, **changes})


async def order_of(runtime: Runtime, order_no: str) -> Order:
    """The order of our number, as it stands."""
    facts = read_number(order_no)
    assert facts is not None
    merchant = (await runtime.supply.market.now()).merchant_by_tag(facts.merchant_tag)
    assert merchant is not None
    shown = await runtime.trade.shown.find(merchant.id, order_no, facts)
    assert shown is not None
    return shown.order
