"""The sandbox document and the gateway with the sandbox supplier itself, a process of its own."""

from __future__ import annotations

import asyncio
import json
import sys
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from core.connectors import (
    Accepted,
    AttemptFacts,
    Callback,
    CreateReading,
    Rejected,
    Standing,
    Unknown,
)
from core.gateway import Gateway, MayHaveHappened, Timeouts
from core.money import Money
from core.wire import HttpRequest
from tests.core.connectors.support import FACTS, LIBRARY, sandbox

CONNECTOR = sandbox()
CALLBACK_WAIT_S = 10.0


@dataclass
class Desk:
    """The desk's end: sends what the connector builds and takes what the supplier calls."""

    gateway: Gateway
    credentials: Mapping[str, str]
    control: str
    facts: AttemptFacts
    callbacks: asyncio.Queue[Callback]

    async def create(self, facts: AttemptFacts | None = None) -> CreateReading:
        about = facts or self.facts
        answer = await self.gateway.send(self._build("create", about))
        return CONNECTOR.read_create(answer, about, self.credentials)

    async def ask(self, operation: str) -> Standing:
        answer = await self.gateway.send(self._build(operation, self.facts))
        return CONNECTOR.read_standing(operation, answer, self.facts, self.credentials)

    async def order(self, verb: str, **what: object) -> None:
        """Tells the supplier's control listener what shall happen."""
        body = json.dumps(what).encode()
        headers = {"Content-Type": "application/json"}
        answer = await self.gateway.send(
            HttpRequest("POST", f"{self.control}/{verb}", headers, body, "")
        )
        assert answer.status < 300, answer.body

    async def called(self) -> Callback:
        return await asyncio.wait_for(self.callbacks.get(), CALLBACK_WAIT_S)

    def _build(self, operation: str, facts: AttemptFacts) -> HttpRequest:
        now = datetime.now(UTC)
        return CONNECTOR.build(operation, facts, self.credentials, now=now, nonce="4fd0a1")


@asynccontextmanager
async def supplier(home: Path) -> AsyncIterator[dict[str, str]]:
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "sandbox.supplier",
        cwd=LIBRARY.parent, stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE,
    )  # fmt: skip
    assert process.stdin is not None
    assert process.stdout is not None
    config = {
        "home": str(home),
        "control_token": "token-of-this-test",
        "accounts": [{"mch_id": "880001", "key": "k3y0fth3t3st", "name": "Desk"}],
        "callback_delays_s": [0.0],
    }
    process.stdin.write(json.dumps(config).encode() + b"\n")
    try:
        ready: dict[str, str] = json.loads(await asyncio.wait_for(process.stdout.readline(), 30))
        yield ready
    finally:
        process.stdin.close()
        await process.wait()


@asynccontextmanager
async def receiver(queue: asyncio.Queue[Callback]) -> AsyncIterator[str]:
    """Takes callbacks and answers in the supplier's words."""

    async def take(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").lower()
        length = int(head.partition("content-length:")[2].partition("\r\n")[0])
        queue.put_nowait(Callback("POST", "", {}, await reader.readexactly(length), "127.0.0.1"))
        reply = CONNECTOR.reply("success")
        lines = f"HTTP/1.1 {reply.status} OK\r\nContent-Length: {len(reply.body)}\r\n\r\n"
        writer.write(lines.encode() + reply.body)
        await writer.drain()
        writer.close()

    server = await asyncio.start_server(take, "127.0.0.1", 0)
    try:
        yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/callback"
    finally:
        server.close()


@pytest.fixture
async def desk(tmp_path: Path) -> AsyncIterator[Desk]:
    queue: asyncio.Queue[Callback] = asyncio.Queue()
    async with supplier(tmp_path) as ready, receiver(queue) as notify_url:
        gateway = Gateway(allow_private=True)
        credentials = {"base_url": ready["base"], "mch_id": "880001", "key": "k3y0fth3t3st"}
        facts = replace(FACTS, notify_url=notify_url)
        try:
            yield Desk(gateway, credentials, ready["control"], facts, queue)
        finally:
            await gateway.close()


async def test_from_create_to_the_callback(desk: Desk) -> None:
    assert await desk.ask("query") == Standing("not_found")
    accepted = await desk.create()
    assert isinstance(accepted, Accepted)
    assert accepted == await desk.create()
    assert (await desk.ask("query")).state == "pending"
    await desk.order("pay", url=accepted.pay.value, outcome="paid")
    call = await desk.called()
    event = CONNECTOR.verify(call, desk.credentials, currency="CNY")
    assert (event.state, event.paid) == ("paid", desk.facts.amount)
    assert (await desk.ask("query")).paid == desk.facts.amount
    assert (await desk.ask("close")).state == "paid"


async def test_less_is_reported_as_it_was_paid(desk: Desk) -> None:
    accepted = await desk.create()
    assert isinstance(accepted, Accepted)
    await desk.order("pay", url=accepted.pay.value, outcome="less")
    event = CONNECTOR.verify(await desk.called(), desk.credentials, currency="CNY")
    assert event.state == "paid"
    assert event.paid is not None
    assert 0 < event.paid.minor < desk.facts.amount.minor


async def test_refusals_and_the_conflict_that_is_none(desk: Desk) -> None:
    odd = await desk.create(replace(desk.facts, channel_code="carrier_pigeon"))
    assert isinstance(odd, Rejected)
    assert odd.code == "1003"
    assert isinstance(await desk.create(), Accepted)
    conflict = await desk.create(replace(desk.facts, amount=Money(999, "CNY")))
    assert isinstance(conflict, Unknown)
    assert "1009" in conflict.why
    assert (await desk.ask("close")).state == "closed"


@pytest.mark.parametrize("kind", ["500", "garbage"])
async def test_a_spoiled_answer_proves_nothing(desk: Desk, kind: str) -> None:
    await desk.order("fault", operation="create", kind=kind, after=True)
    assert isinstance(await desk.create(), Unknown)
    assert isinstance(await desk.create(), Accepted)


async def test_an_answer_that_never_comes_is_a_doubt(desk: Desk) -> None:
    await desk.order("fault", operation="create", kind="timeout", after=True)
    now = datetime.now(UTC)
    request = CONNECTOR.build("create", desk.facts, desk.credentials, now=now, nonce="1")
    with pytest.raises(MayHaveHappened):
        await desk.gateway.send(request, timeouts=Timeouts(read_s=0.3))
    assert (await desk.ask("query")).state == "pending"
