"""The sandbox's documents and the gateway with the supplier itself, on real sockets."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

import pytest
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    PublicFormat,
    load_pem_private_key,
)

from core.connectors import (
    Accepted,
    AttemptFacts,
    Balance,
    Callback,
    Connector,
    CreateReading,
    Event,
    InvalidCallback,
    RefundFacts,
    RefundStanding,
    Rejected,
    Standing,
    Unknown,
    load,
)
from core.kernel.money import Money
from core.kernel.wire import HttpAnswer, HttpRequest
from core.system.gateway import Gateway, MayHaveHappened, Timeouts
from sandbox.supplier.app import start
from tests.core.connectors.support import FACTS, LIBRARY

CALLBACK_WAIT_S: Final = 10.0
NONCE: Final = "4fd0a1"
DOCUMENTS: Final = {
    code: (LIBRARY / f"{code}.yaml").read_text()
    for code in ("sandbox_md5", "sandbox_hmac", "sandbox_rsa")
}
PRIVATE_KEY: Final = load(DOCUMENTS["sandbox_rsa"]).fixtures.credentials["private_key"]
# Codes of the supplier's first dialect: a closed channel, and an order that is not paid.
CLOSED: Final = "1004"
UNPAID: Final = "1006"


@dataclass
class Desk:
    """The desk's end: sends what the connector builds and takes what the supplier calls."""

    connector: Connector
    gateway: Gateway
    credentials: Mapping[str, str]
    control: str
    facts: AttemptFacts
    callbacks: asyncio.Queue[Callback]

    async def send(
        self, operation: str, facts: AttemptFacts | None, read_s: float = 15.0
    ) -> HttpAnswer:
        request = self.connector.build(
            operation, facts, self.credentials, now=datetime.now(UTC), nonce=NONCE
        )
        return await self.gateway.send(request, timeouts=Timeouts(read_s=read_s))

    async def create(self, **changes: Any) -> CreateReading:
        facts = replace(self.facts, **changes)
        answer = await self.send("create", facts)
        now = datetime.now(UTC)
        return self.connector.read_create(answer, facts, self.credentials, now=now, nonce=NONCE)

    async def opened(self) -> str:
        """The address where the payer pays."""
        reading = await self.create()
        assert isinstance(reading, Accepted)
        return reading.pay.value

    async def ask(self, operation: str) -> Standing:
        answer = await self.send(operation, self.facts)
        now = datetime.now(UTC)
        return self.connector.read_standing(
            operation, answer, self.facts, self.credentials, now=now
        )

    async def refund(
        self, number: str, minor: int = 500, operation: str = "refund"
    ) -> RefundStanding:
        back = RefundFacts(number, Money(minor, "CNY"), "returned", datetime.now(UTC))
        facts = replace(self.facts, refund=back)
        answer = await self.send(operation, facts)
        now = datetime.now(UTC)
        return self.connector.read_refund(operation, answer, facts, self.credentials, now=now)

    async def balance(self) -> Balance:
        answer = await self.send("balance", None)
        now = datetime.now(UTC)
        return self.connector.read_balance(answer, self.credentials, currency="CNY", now=now)

    async def order(self, verb: str, **what: object) -> None:
        """Tells the supplier's control listener what shall happen."""
        body = json.dumps(what).encode()
        headers = {"Content-Type": "application/json"}
        answer = await self.gateway.send(
            HttpRequest("POST", f"{self.control}/{verb}", headers, body, "")
        )
        assert answer.status < 300, answer.body

    async def called(self) -> Event:
        """The event of the next callback. Raises InvalidCallback."""
        call = await asyncio.wait_for(self.callbacks.get(), CALLBACK_WAIT_S)
        (event,) = self.connector.verify(
            call, self.credentials, currency="CNY", now=datetime.now(UTC)
        )
        return event


@asynccontextmanager
async def supplier(home: Path) -> AsyncIterator[dict[str, str]]:
    ours = load_pem_private_key(PRIVATE_KEY.encode(), None).public_key()
    pem = ours.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode()
    config = {
        "home": str(home),
        "control_token": "token-of-this-test",
        "accounts": [
            {"mch_id": "880001", "name": "A", "key": "k3y0fth3t3st"},
            {"mch_id": "880011", "name": "B", "key": "k3y0fth3t3st", "dialect": "hmac_json"},
            {"mch_id": "880021", "name": "C", "public_key": pem, "dialect": "rsa"},
        ],
        "callback_delays_s": [0.0],
    }
    async with start(config) as ready:
        yield ready


@asynccontextmanager
async def receiver(connector: Connector, queue: asyncio.Queue[Callback]) -> AsyncIterator[str]:
    """Takes callbacks and answers in the supplier's words."""

    async def take(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        _, *lines = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").strip().split("\r\n")
        pairs = (line.split(": ", 1) for line in lines)
        headers = {name.lower(): value for name, value in pairs}
        body = await reader.readexactly(int(headers["content-length"]))
        queue.put_nowait(Callback("POST", "", headers, body, "127.0.0.1"))
        reply = connector.reply("success")
        head = f"HTTP/1.1 {reply.status} OK\r\nContent-Length: {len(reply.body)}\r\n\r\n"
        writer.write(head.encode() + reply.body)
        await writer.drain()
        writer.close()

    server = await asyncio.start_server(take, "127.0.0.1", 0)
    try:
        yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/callback"
    finally:
        server.close()


def credentials_of(code: str, ready: Mapping[str, str]) -> dict[str, str]:
    own = {
        "sandbox_md5": {"mch_id": "880001", "key": "k3y0fth3t3st"},
        "sandbox_hmac": {"key_id": "880011", "key": "k3y0fth3t3st"},
        "sandbox_rsa": {
            "app_id": "880021",
            "private_key": PRIVATE_KEY,
            "supplier_key": ready["public_key"],
        },
    }
    return {"base_url": ready["base"], **own[code]}


@asynccontextmanager
async def desk_of(text: str, code: str, home: Path) -> AsyncIterator[Desk]:
    connector, queue = load(text), asyncio.Queue[Callback]()
    async with supplier(home) as ready, receiver(connector, queue) as notify_url:
        gateway = Gateway(allow_private=True)
        facts = replace(FACTS, notify_url=notify_url)
        keys = credentials_of(code, ready)
        try:
            yield Desk(connector, gateway, keys, ready["control"], facts, queue)
        finally:
            await gateway.close()


@pytest.fixture(params=list(DOCUMENTS))
async def desk(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Desk]:
    async with desk_of(DOCUMENTS[request.param], request.param, tmp_path) as made:
        yield made


async def test_from_create_to_the_callback(desk: Desk) -> None:
    assert await desk.ask("query") == Standing("not_found")
    assert await desk.ask("close") == Standing("not_found")
    accepted = await desk.create()
    assert isinstance(accepted, Accepted)
    assert accepted == await desk.create()
    assert (await desk.ask("query")).state == "pending"
    await desk.order("pay", url=accepted.pay.value, outcome="less")
    event = await desk.called()
    less = Money(desk.facts.amount.minor - 100, "CNY")
    assert event == Event(desk.facts.attempt_no, accepted.upstream_no or "", "paid", less)
    assert (await desk.ask("query")).paid == less
    assert (await desk.ask("close")).state == "paid"


@pytest.mark.parametrize(("outcome", "state"), [("fail", "failed"), ("twice", "paid")])
async def test_what_a_payer_may_do(desk: Desk, outcome: str, state: str) -> None:
    await desk.order("pay", url=await desk.opened(), outcome=outcome)
    events = [await desk.called() for _ in range(2 if outcome == "twice" else 1)]
    assert {event.state for event in events} == {state}
    assert len({event.upstream_no for event in events}) == len(events)
    assert (await desk.ask("query")).state == state


async def test_a_forged_callback_is_not_believed(desk: Desk) -> None:
    await desk.opened()
    number = {"out_trade_no": desk.facts.attempt_no}
    for forged in (
        {"sign": "wrong"},
        {"overrides": {"sign": ""}},
        {"overrides": {"mch_id": "880099"}},
        {"overrides": {"paid_amount": "twelve"}},
        {"overrides": {"trade_no": None}},
        {"overrides": {"status": "STOLEN"}},
    ):
        await desk.order("callback", **number, **forged)
        with pytest.raises(InvalidCallback):
            await desk.called()
    await desk.order("fault", operation="callback", kind="garbage")
    await desk.order("pay", url=await desk.opened())
    with pytest.raises(InvalidCallback):
        await desk.called()
    await desk.order("callback", **number)
    assert (await desk.called()).state == "paid"


async def test_a_create_is_accepted_rejected_or_unknown(desk: Desk) -> None:
    odd = await desk.create(channel_code="carrier_pigeon")
    assert isinstance(odd, Rejected)
    await desk.order("fault", operation="create", kind="refuse", code=CLOSED)
    assert isinstance(await desk.create(), Rejected)
    for kind in ("500", "garbage"):
        for after in (False, True):
            await desk.order("fault", operation="create", kind=kind, after=after)
            assert isinstance(await desk.create(), Unknown)
            assert (await desk.ask("query")).state == ("pending" if after else "not_found")
        desk.facts = replace(desk.facts, attempt_no=f"{desk.facts.attempt_no}{kind[0]}".upper())
    await desk.order("fault", operation="create", kind="late", delay_s=0.1)
    assert isinstance(await desk.create(), Accepted)
    conflict = await desk.create(amount=Money(999, "CNY"))
    assert isinstance(conflict, Unknown)
    assert (await desk.ask("close")).state == "closed"


@pytest.mark.parametrize("after", [False, True])
async def test_an_answer_that_never_comes_is_a_doubt(desk: Desk, after: bool) -> None:
    await desk.order("fault", operation="create", kind="timeout", after=after)
    with pytest.raises(MayHaveHappened):
        await desk.send("create", desk.facts, read_s=0.3)
    assert (await desk.ask("query")).state == ("pending" if after else "not_found")


async def test_a_refund_is_made_once_and_found_again(desk: Desk) -> None:
    assert (await desk.refund("R1")).state == "not_found"
    url = await desk.opened()
    assert (await desk.refund("R1")).state == "failed"
    await desk.order("pay", url=url)
    assert (await desk.refund("R1", operation="refund_query")).state == "not_found"
    made = await desk.refund("R1")
    assert (made.state, made) == ("succeeded", await desk.refund("R1"))
    assert made == await desk.refund("R1", operation="refund_query")
    assert (await desk.refund("R1", 400)).state == "unknown"
    assert (await desk.refund("R2", 735)).state == "failed"
    await desk.order("refund_outcome", outcome="delay", delay_s=600)
    assert (await desk.refund("R3", 234)).state == "pending"
    await desk.order("refund_outcome", outcome="fail", out_refund_no="R3")
    assert (await desk.refund("R3", 234, "refund_query")).state == "failed"
    assert (await desk.balance()).available == Money(734, "CNY")


async def test_every_other_fault_leaves_a_doubt(desk: Desk) -> None:
    url = await desk.opened()
    for kind in ("500", "garbage", "refuse"):
        for operation in ("query", "close"):
            await desk.order("fault", operation=operation, kind=kind, code=CLOSED)
            assert (await desk.ask(operation)).state == "unknown"
    await desk.order("pay", url=url)
    for kind in ("500", "garbage"):
        await desk.order("fault", operation="refund", kind=kind, after=True)
        assert (await desk.refund(f"R{kind}", 100)).state == "unknown"
        found = await desk.refund(f"R{kind}", 100, "refund_query")
        assert found.state == "succeeded"
        for operation in ("refund_query", "balance"):
            await desk.order("fault", operation=operation, kind=kind)
        assert (await desk.refund(f"R{kind}", 100, "refund_query")).state == "unknown"
        assert (await desk.balance()).available is None
    await desk.order("fault", operation="refund", kind="refuse", code=CLOSED)
    assert (await desk.refund("R9", 100)).state == "unknown"
    await desk.order("fault", operation="refund", kind="refuse", code=UNPAID)
    assert (await desk.refund("R9", 100)).state == "failed"
    assert (await desk.refund("R9", 100, "refund_query")).state == "not_found"


@pytest.mark.parametrize("method", ["GET", "POST"])
async def test_a_payer_brings_the_create(tmp_path: Path, method: str) -> None:
    """As many suppliers want it: nothing is called, the payer's browser goes there, signed."""
    text = DOCUMENTS["sandbox_md5"].partition("\nfixtures:")[0]
    text = text.replace(
        "path: /gateway/create", f"path: /gateway/page\n  by: payer\n  method: {method}"
    )
    text = text.replace("  pay: { url: pay_url }\n", "")
    async with desk_of(text, "sandbox_md5", tmp_path) as desk:
        pay = desk.connector.hand_over(
            desk.facts, desk.credentials, now=datetime.now(UTC), nonce=NONCE
        )
        request = HttpRequest("GET", pay.value, {}, b"", "")
        if method == "POST":
            request = desk.connector.build(
                "create", desk.facts, desk.credentials, now=datetime.now(UTC), nonce=NONCE
            )
            assert json.loads(pay.value)["action"] == request.url
        assert (await desk.ask("query")).state == "not_found"
        answer = await desk.gateway.send(request)
        assert answer.status == 303
        assert (await desk.ask("query")).state == "pending"
        await desk.order("pay", url=answer.headers["location"])
        assert (await desk.called()).paid == desk.facts.amount
