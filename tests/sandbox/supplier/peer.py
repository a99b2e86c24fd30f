"""The other side of the supplier in tests: a platform that signs on its own, and its receiver."""

from __future__ import annotations

import asyncio
import hashlib
import time
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from itertools import count
from pathlib import Path
from typing import Any

import aiohttp
from aiohttp import web

KEY = "sandbox-key-1"
MCH_ID = "880001"
TOKEN = "control-token-0123456789"
WAIT_S = 5.0

_numbers = count(1)


def config(home: Path, **changes: Any) -> dict[str, Any]:
    account = {"mch_id": MCH_ID, "key": KEY, "name": "海棠科技有限公司"}
    return {
        "home": str(home),
        "control_token": TOKEN,
        "accounts": [account],
        "callback_delays_s": [0, 0.05, 0.05, 0.05],
        **changes,
    }


def own_sign(params: dict[str, str], key: str = KEY) -> str:
    """Written a second time from docs/sandbox.md, so that it cannot share a mistake."""
    text = ""
    for name in sorted(params):
        if name != "sign" and params[name] != "":
            text += name + "=" + params[name] + "&"
    return hashlib.md5(f"{text}key={key}".encode(), usedforsecurity=False).hexdigest().upper()


class Receiver:
    """Takes callbacks; answers `answers` one after another, then `success` for ever."""

    def __init__(self) -> None:
        self.url = ""
        self.forms: list[dict[str, str]] = []
        self.raw: list[tuple[Mapping[str, str], bytes]] = []
        self.answers: list[tuple[int, str]] = []
        self._news = asyncio.Condition()

    async def heard(self, number: int) -> None:
        """Wait, at most `WAIT_S`, until this many callbacks have come."""
        async with asyncio.timeout(WAIT_S), self._news:
            await self._news.wait_for(lambda: len(self.forms) >= number)

    @asynccontextmanager
    async def running(self) -> AsyncIterator[Receiver]:
        app = web.Application()
        app.router.add_post("/callback", self._take)
        runner = web.AppRunner(app)
        await runner.setup()
        try:
            site = web.TCPSite(runner, "127.0.0.1", 0)
            await site.start()
            self.url = f"http://127.0.0.1:{runner.addresses[0][1]}/callback"
            yield self
        finally:
            await runner.cleanup()

    async def _take(self, request: web.Request) -> web.Response:
        form = {name: str(value) for name, value in (await request.post()).items()}
        async with self._news:
            self.forms.append(form)
            self.raw.append((request.headers, await request.read()))
            self._news.notify_all()
        status, text = self.answers.pop(0) if self.answers else (200, "success\n")
        return web.Response(status=status, text=text)


class Platform:
    """Calls the supplier's gateway and control as the desk and a test would."""

    def __init__(self, http: aiohttp.ClientSession, ready: dict[str, str], notify: str) -> None:
        self.http = http
        self.ready = ready
        self.base = ready["base"]
        self.control = ready["control"]
        self.notify = notify

    async def call(self, operation: str, **fields: str | None) -> dict[str, str]:
        """A signed request without the fields that are None; the answer's signature is checked.

        A `sign` among the fields is sent as it is.
        """
        params = {"mch_id": MCH_ID, "timestamp": str(int(time.time())), "nonce": "n1", **fields}
        form = {name: value for name, value in params.items() if value is not None}
        form.setdefault("sign", own_sign(form))
        async with self.http.post(f"{self.base}/gateway/{operation}", data=form) as response:
            assert response.status == 200
            answer: dict[str, str] = await response.json()
        if answer["code"] != "1001" or params["mch_id"] == MCH_ID:
            assert answer["sign"] == own_sign(answer)
        return answer

    async def create(self, **changes: str | None) -> dict[str, str]:
        fields: dict[str, str | None] = {
            "pay_type": "alipay_qr",
            "out_trade_no": f"A{next(_numbers):09d}",
            "amount": "12.34",
            "subject": "绿茶 & Tea=1",
            "notify_url": self.notify,
            "client_ip": "203.0.113.7",
            **changes,
        }
        return await self.call("create", **fields)

    async def ask(self, verb: str, body: dict[str, Any]) -> tuple[int, dict[str, Any]]:
        """POST to the control."""
        async with self.http.post(f"{self.control}/{verb}", json=body) as response:
            return response.status, await response.json()

    async def pay(self, order: dict[str, str], outcome: str, **more: Any) -> dict[str, Any]:
        status, answer = await self.ask(
            "pay", {"url": order["pay_url"], "outcome": outcome, **more}
        )
        assert status == 200, answer
        return answer

    async def fault(self, **body: Any) -> None:
        status, answer = await self.ask("fault", body)
        assert status == 200, answer

    async def callbacks(self, order: dict[str, str]) -> list[dict[str, Any]]:
        url = f"{self.control}/callbacks"
        async with self.http.get(url, params={"out_trade_no": order["out_trade_no"]}) as response:
            return list((await response.json())["callbacks"])

    async def settled(self, order: dict[str, str]) -> list[dict[str, Any]]:
        """The order's callbacks once none of them has a try left."""
        async with asyncio.timeout(WAIT_S):
            while True:
                found = await self.callbacks(order)
                if all(one["state"] != "pending" for one in found):
                    return found
                await asyncio.sleep(0.01)
