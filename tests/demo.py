"""Drives a whole demo desk from outside: its own process, its HTTP faces, its control listeners."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Self
from uuid import uuid4

import aiohttp
from aiohttp import web
from aiohttp.test_utils import TestServer
from standardwebhooks import Webhook

ROOT = Path(__file__).resolve().parent.parent
START_S = 60.0
SETTLE_S = 20.0
# A group that heard as much as it may in a minute hears the next when the minute is over.
HEARD_S = 75.0


async def eventually(
    look: Callable[[], Awaitable[Any]], *, what: str, timeout_s: float = SETTLE_S
) -> Any:
    """What `look` answers as soon as it is true; fails with `what` after the timeout."""
    found = None
    try:
        async with asyncio.timeout(timeout_s):
            while not found:
                found = await look()
                if not found:
                    await asyncio.sleep(0.05)
    except TimeoutError:
        raise AssertionError(f"{what}: not within {timeout_s} s") from None
    return found


@dataclass
class Answer:
    """An HTTP answer, read."""

    status: int
    headers: dict[str, str]
    body: Any

    @property
    def code(self) -> str:
        """The error code of the API's envelope."""
        return str(self.body["error"]["code"])


class DemoDesk:
    """One `python -m bot demo` in a home of its own. past: thirty days lie behind its desk."""

    def __init__(self, home: Path, *, port: int = 0, past: bool = False) -> None:
        self.home = home
        self.port = port
        self.past = past
        self.ready: dict[str, Any] = {}
        self._process: asyncio.subprocess.Process | None = None
        self._http: aiohttp.ClientSession | None = None

    async def start(self) -> Self:
        ready_file = self.home.parent / f"{self.home.name}-ready.json"
        ready_file.unlink(missing_ok=True)
        self._process = await self.spawn(ready_file)

        async def look() -> bool:
            if self._process is not None and self._process.returncode is not None:
                raise AssertionError(f"the demo ended: {await self.last_words()}")
            return ready_file.exists()

        await eventually(look, what="the demo is ready", timeout_s=START_S)
        self.ready = json.loads(ready_file.read_text(encoding="utf-8"))
        self.port = int(self.ready["desk"].rsplit(":", 1)[1])
        self._http = aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=30))
        return self

    async def spawn(self, ready_file: Path, *flags: str) -> asyncio.subprocess.Process:
        """A demo process of this home, whether or not another one holds it."""
        environment = {k: v for k, v in os.environ.items() if not k.startswith("PAYDESK_TEST")}
        return await asyncio.create_subprocess_exec(
            sys.executable,
            "-m",
            "bot",
            "demo",
            "--home",
            str(self.home),
            "--port",
            str(self.port),
            "--ready-file",
            str(ready_file),
            *([] if self.past else ["--empty"]),
            *flags,
            cwd=ROOT,
            env=environment,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
            start_new_session=True,
        )

    async def last_words(self) -> str:
        if self._process is None or self._process.stdout is None:
            return ""
        return (await self._process.stdout.read()).decode()[-2000:]

    async def kill(self) -> None:
        """kill -9 of the desk, as a power cut would do it."""
        if self._process is not None:
            os.kill(self._process.pid, signal.SIGKILL)
            await self._process.wait()
        await self._close_http()

    async def stop(self) -> int:
        """SIGTERM; the exit code."""
        await self._close_http()
        if self._process is None:
            return 0
        if self._process.returncode is None:
            self._process.terminate()
        await asyncio.wait_for(self._process.communicate(), 40)
        return self._process.returncode or 0

    async def _close_http(self) -> None:
        if self._http is not None:
            await self._http.close()
            self._http = None

    @property
    def http(self) -> aiohttp.ClientSession:
        assert self._http is not None
        return self._http

    async def longest_stop_s(self) -> float:
        """For how long its loop stood still at most since this was last asked."""
        async with self.http.get(f"http://127.0.0.1:{self.port + 1}/metrics") as answer:
            said = dict(line.rsplit(" ", 1) for line in (await answer.text()).splitlines() if line)
        return float(said["paydesk_loop_stopped_seconds"])

    # ── the merchant's side ─────────────────────────────────────────────────────────────────────
    def merchant(self, merchant_no: str = "M1001") -> dict[str, Any]:
        return next(m for m in self.ready["merchants"] if m["merchant_no"] == merchant_no)

    async def call(
        self,
        method: str,
        path: str,
        body: dict[str, Any] | str | None = None,
        *,
        merchant_no: str = "M1001",
        secret: str | None = None,
        headers: dict[str, str] | None = None,
    ) -> Answer:
        """A signed call of the Payment API."""
        merchant = self.merchant(merchant_no)
        raw = "" if body is None else body if isinstance(body, str) else json.dumps(body)
        call_id = f"call_{uuid4().hex}"
        now = datetime.now(UTC)
        signature = Webhook(secret or merchant["secret"]).sign(
            call_id, now, f"{method} {path}\n{raw}"
        )
        signed = {
            "Paydesk-Key": merchant["key_id"],
            "Paydesk-Id": call_id,
            "Paydesk-Timestamp": str(int(now.timestamp())),
            "Paydesk-Signature": signature,
            "Content-Type": "application/json",
            **(headers or {}),
        }
        url = self.ready["desk"] + path
        async with self.http.request(method, url, data=raw or None, headers=signed) as answer:
            return Answer(answer.status, dict(answer.headers), await answer.json())

    async def create(self, **wanted: Any) -> Answer:
        """POST /v1/orders with sensible values for what is not given."""
        merchant_no = wanted.pop("merchant_no", "M1001")
        body = {
            "merchant_order_no": f"T-{uuid4().hex[:16]}",
            "amount": 10000,
            "currency": "CNY",
            "product": "alipay_qr",
            "subject": "Oolong tea",
            "client_ip": "203.0.113.7",
            **wanted,
        }
        return await self.call("POST", "/v1/orders", body, merchant_no=merchant_no)

    async def order(self, order_no: str, merchant_no: str = "M1001") -> dict[str, Any]:
        answer = await self.call("GET", f"/v1/orders/{order_no}", merchant_no=merchant_no)
        assert answer.status == 200, answer
        found: dict[str, Any] = answer.body
        return found

    async def until_status(self, order_no: str, status: str, timeout_s: float = SETTLE_S) -> None:
        async def look() -> bool:
            return bool((await self.order(order_no))["status"] == status)

        await eventually(look, what=f"{order_no} is {status}", timeout_s=timeout_s)

    async def balance(self, merchant_no: str = "M1001") -> dict[str, Any]:
        found: dict[str, Any] = (
            await self.call("GET", "/v1/balance", merchant_no=merchant_no)
        ).body
        return found

    # ── the supplier's and the payer's side ─────────────────────────────────────────────────────
    async def pay(self, url: str, outcome: str = "paid") -> Answer:
        return await self.post(
            self.ready["supplier"]["control"] + "/pay", {"url": url, "outcome": outcome}
        )

    async def supplier(self, verb: str, body: dict[str, Any]) -> Answer:
        return await self.post(f"{self.ready['supplier']['control']}/{verb}", body)

    async def post(self, url: str, body: dict[str, Any]) -> Answer:
        async with self.http.post(url, json=body) as answer:
            text = await answer.text()
            return Answer(answer.status, dict(answer.headers), json.loads(text) if text else None)

    # ── the chat's side ─────────────────────────────────────────────────────────────────────────
    def chat(self, kind: str, merchant_no: str = "M1001") -> int:
        if kind == "merchant":
            return int(self.merchant(merchant_no)["chat_id"])
        return int(next(g["chat_id"] for g in self.ready["groups"] if g["kind"] == kind))

    def user(self, role: str) -> int:
        return int(next(u["id"] for u in self.ready["users"] if u["role"] == role))

    async def act(self, role: str, chat_id: int, **what: Any) -> int:
        """Somebody says or presses something; the message's id."""
        answer = await self.post(
            self.ready["telegram"]["control"] + "/act",
            {"as": self.user(role), "chat_id": chat_id, **what},
        )
        assert answer.status == 200, answer.body
        return int(answer.body["message_id"])

    async def transcript(self, chat_id: int, after: int = 0) -> list[dict[str, Any]]:
        url = self.ready["telegram"]["control"] + "/transcript"
        async with self.http.get(url, params={"chat_id": chat_id, "after": after}) as answer:
            assert answer.status == 200
            found: list[dict[str, Any]] = await answer.json()
            return found

    async def hears(
        self, chat_id: int, *words: str, after: int = 0, timeout_s: float = HEARD_S
    ) -> dict[str, Any]:
        """The first message of the bot after `after` that has all these words, once there is."""

        async def look() -> dict[str, Any] | None:
            for message in await self.transcript(chat_id, after):
                if message["from"]["is_bot"] and all(w in message["text"] for w in words):
                    return message
            return None

        found: dict[str, Any] = await eventually(
            look, what=f"the bot says {words} in {chat_id}", timeout_s=timeout_s
        )
        return found

    async def suspense(self, *, other_than: str | None = None) -> str:
        """What the ops group's alarm of money in suspense says; "" where there is none. Once it
        says something else, where other_than is given."""

        async def look() -> list[str] | None:
            said = [
                m["text"] for m in await self.transcript(self.chat("ops")) if m["from"]["is_bot"]
            ]
            told = [text for text in said if text.startswith("⚠️ 挂账款项")][-1:] or [""]
            return None if told == [other_than] else told

        (told,) = await eventually(look, what="the alarm of suspense moves", timeout_s=HEARD_S)
        return str(told)

    async def lists_suspense(self, *words: str) -> None:
        """Finance asks in the ops group for what is in suspense, and these words are there."""
        ops = self.chat("ops")
        await self.hears(ops, *words, after=await self.act("finance", ops, text="差异单"))

    async def command(self, *arguments: str) -> tuple[int, str]:
        """`python -m bot …` on this home: exit code and what it printed."""
        process = await asyncio.create_subprocess_exec(
            sys.executable,
            "-m",
            "bot",
            *arguments,
            "--home",
            str(self.home),
            cwd=ROOT,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
        )
        out, _ = await asyncio.wait_for(process.communicate(), 60)
        return process.returncode or 0, out.decode()


@dataclass
class Receiver:
    """A merchant's server: keeps every notification, verified by the reference library."""

    secret: str
    url: str = ""
    valid: list[dict[str, Any]] = field(default_factory=list)
    invalid: list[bytes] = field(default_factory=list)
    webhook_ids: list[str] = field(default_factory=list)
    status: int = 204

    async def receive(self, request: web.Request) -> web.Response:
        body = await request.read()
        try:
            event = Webhook(self.secret).verify(body, dict(request.headers))
        except Exception:  # noqa: BLE001 (whatever the library says no with)
            self.invalid.append(body)
            return web.Response(status=400)
        self.valid.append(event)
        self.webhook_ids.append(request.headers["webhook-id"])
        return web.Response(status=self.status)


@asynccontextmanager
async def receiver(secret: str) -> AsyncIterator[Receiver]:
    """A receiver that listens on a port of its own."""
    found = Receiver(secret)
    app = web.Application()
    app.router.add_post("/notify", found.receive)
    async with TestServer(app) as server:
        found.url = str(server.make_url("/notify"))
        yield found
