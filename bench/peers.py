"""Everybody whom the desk calls, on loopback: the supplier, merchants' servers, Telegram.

They answer at once, or after a while that a bench names, and do nothing else: what they cost is
not what is measured.
"""

from __future__ import annotations

import asyncio
import json
import time
from collections import Counter
from itertools import count
from typing import Any, Final

from aiohttp import web

from bench.helper import Parent
from bench.load import HOST
from bench.town import PID
from bot import world

# What a merchant's server takes for an answer to a notification.
RECEIVER_S: Final = 0.05
RECEIVERS: Final = 20
_QUERY: Final = {"code": 1, "msg": "succ", "pid": PID, "status": 0}


class Peers:
    """All of them."""

    def __init__(self) -> None:
        self._numbers = count(1)
        self._webhook = ""
        self._said: Counter[str] = Counter()

    async def create(self, request: web.Request) -> web.Response:
        """The supplier's server is asked for an order."""
        fields = await request.post()
        trade_no = "S" + str(fields["out_trade_no"])
        pay_url = f"https://pay.example/{trade_no}"
        return web.json_response({"code": 1, "msg": "", "trade_no": trade_no, "payurl": pay_url})

    async def query(self, request: web.Request) -> web.Response:
        """Every order is still to be paid."""
        out_trade_no = request.query["out_trade_no"]
        return web.json_response(
            {
                **_QUERY,
                "trade_no": f"S{out_trade_no}",
                "out_trade_no": out_trade_no,
                "money": "100.00",
            }
        )

    async def news(self, request: web.Request) -> web.Response:
        """A merchant's server hears of something."""
        await request.read()
        await asyncio.sleep(RECEIVER_S)
        return web.Response(status=204)

    async def telegram(self, request: web.Request) -> web.Response:
        """Any method of the Bot API."""
        fields = await request.post()
        method = request.match_info["method"]
        self._said[method] += 1
        return web.json_response({"ok": True, "result": self._result(method, fields)})

    async def said(self, _: web.Request) -> web.Response:
        """How often each method was called."""
        return web.json_response(self._said)

    def _result(self, method: str, fields: Any) -> object:
        match method:
            case "getMe":
                return {
                    "id": world.BOT_ID,
                    "is_bot": True,
                    "first_name": "Paydesk",
                    "username": world.BOT_USERNAME,
                }
            case "setWebhook":
                self._webhook = str(fields["url"])
                return True
            case "getWebhookInfo":
                return {
                    "url": self._webhook,
                    "has_custom_certificate": False,
                    "pending_update_count": 0,
                }
            case "getChatMember":
                user = {"id": int(fields["user_id"]), "is_bot": False, "first_name": "Somebody"}
                return {"status": "member", "user": user}
            case _ if method.startswith(("send", "edit", "copy", "forward")):
                return self._message(fields)
        return True

    def _message(self, fields: Any) -> dict[str, object]:
        chat = {"id": int(fields["chat_id"]), "type": "supergroup", "title": "Shop"}
        number = int(fields.get("message_id") or next(self._numbers))
        text = str(fields.get("text", ""))
        return {"message_id": number, "date": int(time.time()), "chat": chat, "text": text}


async def serve(parent: Parent) -> None:
    """Serve until told to end; says its ports. The first is everybody's, all are receivers'."""
    peers = Peers()
    app = web.Application()
    app.router.add_post("/mapi.php", peers.create)
    app.router.add_get("/api.php", peers.query)
    app.router.add_post("/news", peers.news)
    app.router.add_get("/said", peers.said)
    app.router.add_route("*", "/bot{token}/{method}", peers.telegram)
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=1.0)
    await runner.setup()
    try:
        for _ in range(RECEIVERS):
            await web.TCPSite(runner, HOST, 0).start()
        await parent.until_ended([address[1] for address in runner.addresses])
    finally:
        await runner.cleanup()


def said_in(text: str) -> Counter[str]:
    """What `said` answered."""
    return Counter(json.loads(text))
