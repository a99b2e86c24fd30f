"""What the tests of the business share: a clock that is set, a shop, a supplier, a receiver."""

from __future__ import annotations

import asyncio
import json
import os
import secrets
import sys
import zlib
from collections.abc import AsyncIterator, Iterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, time, timedelta
from itertools import count
from pathlib import Path
from time import monotonic
from typing import Any
from uuid import UUID

import aiohttp
import asyncpg
from aiohttp import web
from aiohttp.test_utils import TestServer
from hypothesis import strategies as st

from core.books.days import lock_open
from core.connectors import Callback
from core.delivery.outbox import AlarmCard, Fact, Say
from core.kernel.clock import Clock
from core.kernel.errors import Refusal
from core.kernel.money import Money
from core.parties.merchants import App, Merchant
from core.people.actors import Actor
from core.people.alarms import Alarm, Trouble
from core.people.desk_settings import Value
from core.people.factors import Proof
from core.runtime import Connections, Runtime, build
from core.system.pool import PoolSizes
from core.system.store import Tx
from core.trade.booking_tools import TradeBooks
from core.trade.discrepancies import Discrepancy
from core.trade.orders import (
    ByHand,
    Opened,
    OpenOrder,
    Order,
    OrdersByHand,
    PaymentSeen,
    Settled,
    get_order,
)
from tests.conftest import MASTER_KEY, SUPPLIER_KEYS, Servers

READY_WAIT_S = 30.0
HEARD_WAIT_S = 10.0
FRONT_MAX = 12
OPS_CHAT = -1002000000001
CHAT = -1002000000101  # bound to M1001
NORTHWIND_CHAT = -1002000000102  # bound to M1002
SUPPLIER_CHAT = -1002000000201
OWNER, ADMIN, FINANCE, OPERATOR, SUPPORT = 1001, 1002, 1003, 1004, 1005
SPRUCE_STAFF, NORTHWIND_STAFF, SUPPLIER_STAFF = 1101, 1102, 1201

_numbers = count(1)
_MINUTE = 5  # zones differ by quarters of an hour


def hour_of(name: str) -> datetime:
    """The next instant at an hour of its own that the name of a test draws.

    All hours are drawn by some test. So a test that holds only at some hours fails whenever it is
    run, not only for whoever runs it at night. No day of any zone ends in the minutes after it: a
    test that wants to cross a day's edge says so. PAYDESK_TEST_TIME sets one time (UTC) for all:
    15:59:58 shows which tests do not say so.
    """
    wanted = os.environ.get("PAYDESK_TEST_TIME")
    drawn = zlib.crc32(name.encode()) % 24
    at = time.fromisoformat(wanted) if wanted else time(drawn, _MINUTE)
    now = datetime.now(UTC)
    today = datetime.combine(now.date(), at, UTC)
    return today if today >= now else today + timedelta(days=1)


class RunningClock:
    """Goes on as time does, from an instant of its own."""

    def __init__(self, start: datetime) -> None:
        self._start = start
        self._began_s = monotonic()

    def now(self) -> datetime:
        return self._start + timedelta(seconds=monotonic() - self._began_s)


class SetClock:
    """Moves when it is told to, and a millisecond at every look, so that no two looks agree."""

    def __init__(self, start: datetime | None = None) -> None:
        self._now = start or datetime.now(UTC)

    def now(self) -> datetime:
        self._now += timedelta(milliseconds=1)
        return self._now

    def advance(self, seconds: float) -> None:
        self._now += timedelta(seconds=seconds)

    def go_to(self, instant: datetime) -> None:
        assert instant >= self._now, "time does not run backwards"
        self._now = instant

    @contextmanager
    def behind(self, seconds: float) -> Iterator[None]:
        """Meanwhile it is the clock of another instance, which is so much slower."""
        self._now -= timedelta(seconds=seconds)
        yield
        self._now += timedelta(seconds=seconds)

    def go_to_noon(self) -> datetime:
        """Noon in Shanghai on the tenth of next month: far from every day cut of the shop."""
        month = (self._now.replace(day=1) + timedelta(days=40)).replace(day=10)
        self.go_to(month.replace(hour=4, minute=0, second=0, microsecond=0))
        return self._now


def instants(first_year: int, last_year: int) -> st.SearchStrategy[datetime]:
    """Instants in UTC, to the microsecond, last_year excluded."""
    first, last = datetime(first_year, 1, 1, tzinfo=UTC), datetime(last_year, 1, 1, tzinfo=UTC)
    span_us = (last - first) // timedelta(microseconds=1)
    return st.integers(0, span_us).map(lambda us: first + timedelta(microseconds=us))


async def build_runtime(
    servers: Servers, database: str, clock: Clock, *, public_url: str = "http://127.0.0.1:9"
) -> Runtime:
    return await build(
        Connections(servers.desk_dsn(database), servers.valkey_url, pool=PoolSizes(FRONT_MAX)),
        master_key=MASTER_KEY,
        public_url=public_url,
        allow_private_targets=True,
        clock=clock,
    )


@asynccontextmanager
async def owner(
    servers: Servers, database: str
) -> AsyncIterator[asyncpg.Connection[asyncpg.Record]]:
    """A connection with the owner's rights, which nothing of the desk has."""
    connection = await asyncpg.connect(servers.owner_dsn(database))
    try:
        yield connection
    finally:
        await connection.close()


def completing(runtime: Runtime) -> OrdersByHand:
    """What completions and resolutions do to an order, without asking anybody for a right."""
    return OrdersByHand(books_of(runtime), runtime.trade.payments, runtime.supply.routing)


async def complete_from(runtime: Runtime, found: Discrepancy, actor: Actor, reason: str) -> Order:
    """Complete the order of a discrepancy with its money, as a completion that is approved does."""
    return await completing(runtime).complete(
        found.merchant_id,
        found.order_id,
        None,
        ByHand(reason, actor.user_id, actor.name, actor.chat_id, discrepancy_id=found.id),
        request_id="r",
        also=nothing,
    )


def books_of(runtime: Runtime) -> TradeBooks:
    """What orders are booked with."""
    return TradeBooks(
        runtime.system.ids,
        runtime.ledger,
        runtime.supply.market,
        runtime.people.groups,
        runtime.delivery.outbox,
        runtime.people.alarms,
    )


async def set_setting(runtime: Runtime, name: str, value: Value) -> None:
    """Set a setting of the desk, as two owners would. None, False: one person is enough."""
    by = await runtime.people.access.actor(OWNER, "owner", OWNER, private=True)
    async with runtime.system.store.transaction() as tx:
        await runtime.people.settings.put(tx, by, name, value)


async def nothing(_: Tx) -> None:
    """What is written with a completion where a test writes nothing else."""


async def proven(runtime: Runtime, actor: Actor, approval_id: UUID) -> None:
    """Whoever speaks proves a yes in private; what was asked is carried out."""
    private = await runtime.people.access.actor(
        actor.user_id, actor.name, actor.user_id, private=True
    )
    proof = Proof(actor.user_id, approval_id, "password")
    await runtime.people.approvals.decide(private, approval_id, yes=True, proof=proof)


async def confirm_completion(
    runtime: Runtime, actor: Actor, approval_id: UUID, *, message_id: int = 6
) -> Order:
    """Whoever asked presses yes under the question, and proves it; the order as it is then."""
    await runtime.trade.completions.accept(actor, approval_id, message_id=message_id)
    await proven(runtime, actor, approval_id)
    facts = await runtime.system.store.fetchval(
        "SELECT facts FROM approval WHERE id = $1", approval_id
    )
    merchant_id, order_id = UUID(facts["merchant_id"]), UUID(facts["order_id"])
    return await get_order(runtime.system.store, merchant_id, order_id)


def refused(error: BaseException) -> str:
    """The code of a refusal."""
    assert isinstance(error, Refusal)
    return error.code


@dataclass
class SandboxSupplier:
    """The sandbox supplier, a process of its own, through its control listener."""

    base: str
    control: str
    http: aiohttp.ClientSession

    async def pay(self, url: str, outcome: str) -> list[str]:
        """Pay as a payer would; the supplier's numbers of the payments."""
        answer = await self._post("pay", url=url, outcome=outcome)
        return list(answer["trade_nos"])

    async def fault(self, operation: str, kind: str, **more: object) -> None:
        """Spoil the next answers to an operation."""
        await self._post("fault", operation=operation, kind=kind, **more)

    async def creates_of(self, subject: str) -> list[str]:
        """Our attempt numbers of orders with this subject that the supplier knows, oldest first."""
        async with self.http.get(f"{self.control}/orders") as response:
            orders = (await response.json())["orders"]
        return [o["out_trade_no"] for o in reversed(orders) if o["subject"] == subject]

    async def forge(
        self, attempt_no: str, *, overrides: dict[str, str] | None = None, sign: str = "valid"
    ) -> dict[str, Any]:
        """Send one callback now; what the receiver answered."""
        body: dict[str, Any] = {"out_trade_no": attempt_no, "sign": sign}
        if overrides is not None:
            body["overrides"] = overrides
        return await self._post("callback", **body)

    async def _post(self, verb: str, **body: object) -> dict[str, Any]:
        async with self.http.post(f"{self.control}/{verb}", json=body) as response:
            answer: dict[str, Any] = await response.json()
            assert response.status == 200, answer
            return answer


@asynccontextmanager
async def sandbox_supplier(home: Path) -> AsyncIterator[SandboxSupplier]:
    config = {
        "home": str(home),
        "control_token": secrets.token_urlsafe(16),
        "accounts": [
            {"mch_id": mch_id, "key": key, "name": f"Paydesk {mch_id}"}
            for mch_id, key in SUPPLIER_KEYS.items()
        ],
        "callback_delays_s": [0],
        # Tests live through months of business days; the supplier's clock stays where it is.
        "max_skew_s": 10 * 365 * 86_400,
    }
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "sandbox.supplier",
        stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE,
    )  # fmt: skip
    assert process.stdin is not None
    assert process.stdout is not None
    process.stdin.write(json.dumps(config).encode() + b"\n")
    try:
        line = await asyncio.wait_for(process.stdout.readline(), READY_WAIT_S)
        ready = json.loads(line)
        async with aiohttp.ClientSession() as http:
            yield SandboxSupplier(ready["base"], ready["control"], http)
    finally:
        process.stdin.close()
        await process.wait()


class Entrance:
    """The desk's address for suppliers' callbacks; hands them to the runtime of the test."""

    def __init__(self) -> None:
        self.url = ""
        self.runtime: Runtime | None = None
        self.heard: list[str] = []
        self._news = asyncio.Condition()

    async def wait(self, number: int) -> None:
        """Until this many callbacks were answered."""
        async with asyncio.timeout(HEARD_WAIT_S), self._news:
            await self._news.wait_for(lambda: len(self.heard) >= number)

    @asynccontextmanager
    async def running(self) -> AsyncIterator[Entrance]:
        app = web.Application()
        app.router.add_post("/callbacks/{attempt_no}", self._take)
        server = TestServer(app)
        await server.start_server()
        self.url = str(server.make_url("")).rstrip("/")
        try:
            yield self
        finally:
            await server.close()

    async def _take(self, request: web.Request) -> web.Response:
        attempt_no = request.match_info["attempt_no"]
        headers = {name.lower(): value for name, value in request.headers.items()}
        callback = Callback("POST", request.query_string, headers, await request.read(), "::1")
        if self.runtime is None:
            return web.Response(status=503)
        try:
            reply = await self.runtime.trade.callbacks.receive(
                attempt_no, callback, request_id="call"
            )
        except Refusal as refusal:
            return web.Response(status=404, text=refusal.code)
        async with self._news:
            self.heard.append(attempt_no)
            self._news.notify_all()
        return web.Response(status=reply.status, body=reply.body)


@asynccontextmanager
async def day_held_alone(runtime: Runtime, merchant_id: UUID) -> AsyncIterator[None]:
    """Somebody else holds a merchant's open day, as whoever closes it does."""
    holding, release = asyncio.Event(), asyncio.Event()

    async def hold() -> None:
        async with runtime.system.store.transaction() as tx:
            await lock_open(tx, merchant_id)
            holding.set()
            await release.wait()

    task = asyncio.create_task(hold())
    await holding.wait()
    try:
        yield
    finally:
        release.set()
        await task


@dataclass
class Desk:
    """Merchant M1001 at a desk whose suppliers answer, and short words for what happens there."""

    runtime: Runtime
    clock: SetClock
    supplier: SandboxSupplier
    entrance: Entrance
    merchant: Merchant
    app: App

    async def open(self, amount_minor: int = 10000, **changes: Any) -> Opened:
        return await self.runtime.trade.creation.open(
            self.app, wanted(amount_minor, **changes), request_id="open"
        )

    async def see(
        self,
        opened: Opened,
        amount_minor: int,
        *,
        upstream_no: str | None = None,
        attempt_no: str | None = None,
    ) -> Settled:
        """The supplier reports money for the order's attempt (or another one of it)."""
        assert opened.attempt is not None
        seen = PaymentSeen(
            opened.order.merchant_id,
            attempt_no or opened.attempt.attempt_no,
            upstream_no or opened.attempt.upstream_no or "U0",
            Money(amount_minor, "CNY"),
            "reported",
        )
        return await self.runtime.trade.payments.settle_payment(seen, request_id="see")

    async def pay(self, opened: Opened, outcome: str = "paid", *, callbacks: int = 1) -> None:
        """The payer pays at the supplier, whose callbacks arrive and are acted on."""
        heard = len(self.entrance.heard)
        await self.supplier.pay(pay_link(opened), outcome)
        await self.entrance.wait(heard + callbacks)
        await self.runtime.trade.callbacks.act_due(10)

    async def told(self, *opened: Opened) -> None:
        """These are paid at the supplier, and its callbacks are stored: none is booked where it
        comes, since somebody holds the merchant's day."""
        heard = len(self.entrance.heard)
        async with self.day_held_alone():
            for one in opened:
                await self.supplier.pay(pay_link(one), "paid")
            await self.entrance.wait(heard + len(opened))

    def day_held_alone(self) -> AbstractAsyncContextManager[None]:
        """Meanwhile somebody else holds the merchant's open day, as whoever closes it does."""
        return day_held_alone(self.runtime, self.merchant.id)

    async def order(self, opened: Opened) -> Order:
        return await get_order(self.runtime.system.store, opened.order.merchant_id, opened.order.id)

    async def balances(self, mode: str = "live") -> dict[str, int]:
        """account -> minor units of CNY, without zeros."""
        return await balances(self.runtime, self.merchant.id, mode=mode)

    async def actor(self, user_id: int = OPERATOR, chat_id: int = CHAT) -> Actor:
        return await self.runtime.people.access.actor(user_id, "somebody", chat_id, private=False)

    async def said(self, chat_id: int = CHAT) -> list[Say]:
        """What the desk says in a chat, in the order in which it leaves; cards and bills apart."""
        return [fact for fact in await facts(self.runtime, chat_id) if isinstance(fact, Say)]

    async def alarms(self, kind: type[Trouble]) -> list[Alarm]:
        """The alarms of a kind of which ops was told since the last look, as they are now."""
        told = await alarms(self.runtime)
        return [alarm for alarm in told if alarm.kind == kind.kind()]

    async def sound(self) -> None:
        """The books are right."""
        differences = [str(d) for d in (await self.runtime.reports.verify.whole()).differences]
        assert not differences, differences


def wanted(amount_minor: int = 10000, **changes: Any) -> OpenOrder:
    values: dict[str, Any] = {
        "merchant_order_no": f"T{next(_numbers):06d}",
        "amount": Money(amount_minor, "CNY"),
        "product": "alipay_qr",
        "subject": f"tea {secrets.token_hex(6)}",
        "client_ip": "203.0.113.7",
    }
    return OpenOrder(**(values | changes))


def pay_link(opened: Opened) -> str:
    assert opened.attempt is not None
    assert opened.attempt.pay is not None
    return opened.attempt.pay.value


async def balances(
    runtime: Runtime, merchant_id: UUID, *, mode: str = "live", currency: str = "CNY"
) -> dict[str, int]:
    rows = await runtime.system.store.fetch(
        "SELECT account, minor FROM balance WHERE merchant_id = $1 AND mode = $2"
        " AND currency = $3 AND minor <> 0 ORDER BY account",
        merchant_id,
        mode,
        currency,
    )
    return {row["account"]: row["minor"] for row in rows}


async def facts(runtime: Runtime, chat_id: int) -> list[Fact]:
    """Every fact in the outbox of a chat, in the order in which they leave; they are sent."""
    found: list[Fact] = []
    while True:
        leaving = [row for row in await runtime.delivery.outbox.take(50) if row.chat_id == chat_id]
        if not leaving:
            return found
        found += [row.fact for row in leaving]
        for row in leaving:
            await runtime.delivery.outbox.sent(row)


async def alarms(runtime: Runtime, chat_id: int = OPS_CHAT) -> list[Alarm]:
    """The alarms of which a chat was told since the last look, as they are now, each once."""
    told = [f.alarm_id for f in await facts(runtime, chat_id) if isinstance(f, AlarmCard)]
    return [await runtime.people.alarms.get(UUID(alarm_id)) for alarm_id in dict.fromkeys(told)]


@dataclass
class Received:
    """One notification as it arrived."""

    headers: dict[str, str]
    body: bytes
    at: datetime = field(default_factory=lambda: datetime.now(UTC))


class Receiver:
    """A merchant's server. `answers`: (status, headers) to give, one after another; then 200.

    A status of 0 cuts the connection without an answer.
    """

    def __init__(self) -> None:
        self.url = ""
        self.received: list[Received] = []
        self.answers: list[tuple[int, dict[str, str]]] = []

    @asynccontextmanager
    async def running(self) -> AsyncIterator[Receiver]:
        app = web.Application()
        app.router.add_post("/notify", self._take)
        server = TestServer(app)
        await server.start_server()
        self.url = str(server.make_url("/notify"))
        try:
            yield self
        finally:
            await server.close()

    async def _take(self, request: web.Request) -> web.Response:
        headers = {name.lower(): value for name, value in request.headers.items()}
        self.received.append(Received(headers, await request.read()))
        status, more = self.answers.pop(0) if self.answers else (200, {})
        if status == 0:
            assert request.transport is not None
            request.transport.abort()
            return web.Response(status=500)
        return web.Response(status=status, headers=more, text="noted")
