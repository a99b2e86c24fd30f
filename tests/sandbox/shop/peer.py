"""The other side of the shop in tests: a small desk that checks with the published library."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import aiohttp
from aiohttp import web
from standardwebhooks import Webhook

SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
NOTIFY_SECRET = "whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD"
TOKEN = "page-token-0123456789"


def config(home: Path, api_base: str, /, **changes: Any) -> dict[str, Any]:
    products = [{"code": "alipay_qr", "name": "支付宝扫码"}, {"code": "wechat_qr", "name": "微信"}]
    merchants = [
        {
            "merchant_no": number,
            "name": name,
            "key_id": f"pdk_test_{number}",
            "secret": SECRET,
            "notify_secret": NOTIFY_SECRET,
            "products": products,
        }
        for number, name in (("M1001", "青山茶铺"), ("M1002", "海棠书店"))
    ]
    base = {"home": str(home), "page_token": TOKEN, "api_base": api_base, "merchants": merchants}
    return {**base, **changes}


class Desk:
    """Takes orders at `/v1/orders`; `orders` are the bodies whose signature was right."""

    def __init__(self) -> None:
        self.base = ""
        self.orders: list[dict[str, Any]] = []
        self.refused = 0

    @asynccontextmanager
    async def running(self) -> AsyncIterator[Desk]:
        app = web.Application()
        app.router.add_post("/v1/orders", self._take)
        runner = web.AppRunner(app)
        await runner.setup()
        try:
            await web.TCPSite(runner, "127.0.0.1", 0).start()
            self.base = f"http://127.0.0.1:{runner.addresses[0][1]}"
            yield self
        finally:
            await runner.cleanup()

    async def _take(self, request: web.Request) -> web.Response:
        body = await request.text()
        at = datetime.fromtimestamp(int(request.headers["Paydesk-Timestamp"]), UTC)
        wanted = Webhook(SECRET).sign(request.headers["Paydesk-Id"], at, "POST /v1/orders\n" + body)
        if request.headers["Paydesk-Signature"] != wanted:
            self.refused += 1
            return web.json_response({"error": {"code": "bad_signature"}}, status=401)
        order = json.loads(body)
        self.orders.append(order)
        if order["subject"] == "refuse me":
            return web.json_response({"error": {"code": "no_channel"}}, status=422)
        answer = {
            "order_no": "K2611A1B2C3",
            "merchant_order_no": order["merchant_order_no"],
            "status": "pending",
            "pay": {"kind": "url", "value": f"{self.base}/pay/x"},
            "cashier_url": f"{self.base}/pay/token",
        }
        return web.json_response(answer, status=201)


async def notify(
    http: aiohttp.ClientSession, url: str, number: str, *, secret: str = NOTIFY_SECRET
) -> int:
    """Deliver `order.paid` and return the shop's answer."""
    body = json.dumps({"type": "order.paid", "data": {"merchant_order_no": number}})
    now = datetime.now(UTC)
    headers = {
        "webhook-id": f"msg_{number}",
        "webhook-timestamp": str(int(now.timestamp())),
        "webhook-signature": Webhook(secret).sign(f"msg_{number}", now, body),
    }
    async with http.post(url, data=body, headers=headers) as response:
        return response.status
