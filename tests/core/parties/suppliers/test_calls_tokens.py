"""A supplier's token is fetched once for all, in time, and again when the supplier forgets it."""

from __future__ import annotations

import asyncio
from base64 import b64encode
from collections.abc import AsyncIterator
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from core.connectors import Connector, load
from core.kernel.wire import HttpAnswer
from core.parties.merchants import App, Merchant
from core.parties.suppliers import CallAbout, Supplier
from core.runtime import Runtime
from core.system.gateway import MayHaveHappened, NeverSent, Timeouts
from tests.core.peers import listening, saying
from tests.core.support import SetClock

PATIENT = Timeouts(connect_s=2.0, read_s=5.0, total_s=5.0)
SECRET = "s3same/open+me"
DOCUMENT = """
connector: with_token
name: A supplier with tokens
credentials: [client_id, client_secret]
values: { pair: "${client_id}:${client_secret}", basic: $pair | base64 }
body: json
sign: none
answers: { signed: false, ok: { code: 0 } }
create:
  path: /pay
  headers: { Authorization: "Bearer ${token}" }
  fields: { no: $attempt_no }
  reads: { attempt_no: no }
  pay: { url: url }
balance:
  path: /balance
  method: GET
  headers: { Authorization: "Bearer ${token}" }
  reads: { available: available }
token:
  path: /token
  body: form
  headers: { Authorization: "Basic ${basic}" }
  fields: { grant_type: client_credentials }
  reads: { token: access_token, lives: expires_in }
  answers: { ok: { access_token: "*" } }
"""


@dataclass
class TokenServer:
    """Gives out tokens and takes those that it still knows."""

    url: str = ""
    given: list[str] = field(default_factory=list)
    taken: list[str] = field(default_factory=list)
    known: set[str] = field(default_factory=set)
    answers: list[tuple[int, Any]] = field(default_factory=list)  # in place of tokens
    slow_s: float = 0.0
    forgets: bool = False
    fetches: int = 0
    entered: asyncio.Event = field(default_factory=asyncio.Event)
    leave: asyncio.Event = field(default_factory=asyncio.Event)

    async def token(self, request: web.Request) -> web.Response:
        self.fetches += 1
        self.entered.set()
        await self.leave.wait()
        await asyncio.sleep(self.slow_s)
        basic = b64encode(f"desk:{SECRET}".encode()).decode()
        assert request.headers["Authorization"] == f"Basic {basic}"
        assert (await request.post())["grant_type"] == "client_credentials"
        if self.answers:
            status, said = self.answers.pop(0)
            if status == 0:
                assert request.transport is not None
                request.transport.abort()
            return web.json_response(said, status=status or 500)
        token = f"tok+{len(self.given)}/" + "é".encode().hex() * 8
        self.given.append(token)
        if not self.forgets:
            self.known.add(token)
        said = {"access_token": token, "expires_in": 600, "scope": f"all {token}"}
        return web.json_response(said)

    async def pay(self, request: web.Request) -> web.Response:
        token = request.headers["Authorization"].removeprefix("Bearer ")
        self.taken.append(token)
        if token not in self.known:
            return web.json_response({"code": 401, "why": f"{token} is over"}, status=401)
        return web.json_response({"code": 0, "available": "1.00"})


@pytest.fixture
async def server() -> AsyncIterator[TokenServer]:
    tokens = TokenServer()
    tokens.leave.set()
    app = web.Application()
    app.router.add_post("/token", tokens.token)
    app.router.add_get("/balance", tokens.pay)
    running = TestServer(app)
    await running.start_server()
    tokens.url = str(running.make_url("")).rstrip("/")
    yield tokens
    await running.close()


@dataclass
class Line:
    """A supplier with tokens, asked for our balance there."""

    runtime: Runtime
    supplier: Supplier
    connector: Connector
    about: CallAbout
    server: TokenServer

    async def ask(self, timeouts: Timeouts = PATIENT) -> HttpAnswer:
        return await self.runtime.parties.calls.send(
            self.supplier,
            self.connector,
            "balance",
            partial(self.connector.build, "balance", None, self.supplier.credentials),
            timeouts=timeouts,
            about=self.about,
        )

    async def kept(self) -> list[tuple[str, int | None]]:
        await self.runtime.system.store.settle()
        calls = await self.runtime.parties.calls.of_attempt(
            self.about.merchant_id, self.about.attempt_no
        )
        return [(call.operation, call.status) for call in calls]


@pytest.fixture
async def line(runtime: Runtime, shop: tuple[Merchant, App], server: TokenServer) -> Line:
    merchant, _ = shop
    credentials = {"base_url": server.url, "client_id": "desk", "client_secret": SECRET}
    supplier = replace(await runtime.parties.suppliers.by_no("S01"), credentials=credentials)
    about = CallAbout(merchant.id, runtime.system.ids.number("attempt", "live", merchant.tag))
    return Line(runtime, supplier, load(DOCUMENT), about, server)


async def test_one_token_is_fetched_for_all_and_kept_until_shortly_before_its_end(
    line: Line, clock: SetClock
) -> None:
    server = line.server
    server.leave.clear()
    asking = [asyncio.create_task(line.ask()) for _ in range(10)]
    await asyncio.wait_for(server.entered.wait(), 5)
    server.leave.set()
    assert {answer.status for answer in await asyncio.gather(*asking)} == {200}
    assert (server.fetches, server.taken) == (1, server.given * 10)
    clock.advance(500)
    await line.ask()
    assert server.fetches == 1
    clock.advance(60)  # of 600 seconds, 60 are left unused
    await line.ask()
    assert (server.fetches, server.taken[-1]) == (2, server.given[1])
    other = await line.runtime.parties.suppliers.by_no("S02")
    neighbour = replace(line, supplier=replace(other, credentials=line.supplier.credentials))
    await neighbour.ask()
    assert server.fetches == 3, "each supplier has its own"
    line.supplier = replace(
        line.supplier, credentials={**line.supplier.credentials, "client_id": "desk2"}
    )
    with pytest.raises(NeverSent):
        await line.ask()
    assert server.fetches == 4, "other credentials, another token"


async def test_tokens_and_what_they_are_got_with_are_in_no_row(line: Line) -> None:
    await line.ask()
    line.server.known.clear()
    await line.ask()
    assert await line.kept() == [
        ("token", 200), ("balance", 200), ("balance", 401), ("token", 200), ("balance", 200),
    ]  # fmt: skip
    rows = await line.runtime.system.store.fetch("SELECT * FROM supplier_call")
    text = "\n".join(str(dict(row)) for row in rows)
    assert "client_credentials" in text
    basic = b64encode(f"desk:{SECRET}".encode()).decode()
    for secret in (*line.server.given, SECRET, basic, basic[8:-4]):
        assert secret not in text


async def test_a_token_that_the_supplier_forgot_is_fetched_anew_and_the_call_sent_once_more(
    line: Line,
) -> None:
    server = line.server
    await line.ask()
    server.known.clear()
    several = await asyncio.gather(*(line.ask() for _ in range(5)))
    assert {answer.status for answer in several} == {200}
    assert server.fetches == 2, "those who lost the same one fetch one new one"
    server.known.clear()
    server.forgets = True
    server.taken.clear()
    with pytest.raises(NeverSent, match="none of the tokens"):
        await line.ask()
    assert len(server.taken) == 2
    server.forgets = False
    assert (await line.ask()).status == 200


@pytest.mark.parametrize(
    ("status", "said", "why"),
    [
        (400, {"error": "invalid_client"}, ""),
        (200, {"error": "invalid_client"}, ""),
        (200, {"access_token": ""}, ""),
        (200, "nonsense", ""),
        (503, {}, "503"),
        (0, None, "broke"),
    ],
)
async def test_a_token_that_cannot_be_had_means_that_nothing_was_sent(
    line: Line, status: int, said: object, why: str
) -> None:
    server = line.server
    server.answers = [(status, said)]
    server.leave.clear()
    asking = [asyncio.create_task(line.ask()) for _ in range(5)]
    await asyncio.wait_for(server.entered.wait(), 5)
    server.leave.set()
    for error in await asyncio.gather(*asking, return_exceptions=True):
        assert isinstance(error, NeverSent)
        assert error.why.startswith("no token: ")
        assert why in error.why
    assert (server.fetches, server.taken) == (1, []), "who waited shares the failure"
    (kept,) = await line.kept()
    assert kept == ("token", status or None)
    assert (await line.ask()).status == 200
    assert server.fetches == 2


async def test_a_slow_token_leaves_no_time_and_then_nothing_is_sent(line: Line) -> None:
    line.server.slow_s = 0.8
    with pytest.raises(NeverSent, match="no time is left"):
        await line.ask(Timeouts(connect_s=0.2, read_s=5.0, total_s=1.0))
    assert line.server.taken == []
    assert (await line.ask()).status == 200, "the token is there for the next one"
    assert line.server.fetches == 1


async def test_doubt_about_the_call_itself_stays_doubt(line: Line) -> None:
    await line.ask()
    async with listening(saying(b"")) as (url, listener):
        there = {**line.supplier.credentials, "base_url": url}
        with pytest.raises(MayHaveHappened):
            await line.runtime.parties.calls.send(
                line.supplier,
                line.connector,
                "balance",
                partial(line.connector.build, "balance", None, there),
                timeouts=PATIENT,
            )
        assert listener.calls == 1


async def test_who_waits_for_a_token_waits_for_the_supplier_and_not_for_us(line: Line) -> None:
    """A caller's patience is with us: nobody is sent away while another one fetches the token."""
    line.server.slow_s = 2.0
    store = line.runtime.system.store
    async with asyncio.TaskGroup() as tasks:
        asked = [tasks.create_task(store.in_time(line.ask(), 1.5)) for _ in range(4)]
    assert [answer.result().status for answer in asked] == [200] * 4
    assert line.server.fetches == 1
