"""Callbacks of suppliers with ways of their own: one address for all, hearsay, another word for
what they told before. Real and small: it takes orders and says how they stand."""

from __future__ import annotations

import hashlib
import json
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from datetime import date
from typing import Final
from urllib.parse import urlencode

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from bot.world import approved_document, open_live
from core.connectors import Callback
from core.kernel.errors import Refusal
from core.kernel.money import Rate
from core.kernel.tariff import Tariff
from core.parties.suppliers import NewSupplier
from core.supply.channels import NewChannel, Product
from core.trade.orders import CONTRADICTION, Opened
from tests.core.support import Desk, alarms
from tests.core.trade.callbacks.test_callbacks import stored

KEY: Final = "key-of-the-caller"
SUPPLIER_NO: Final = "S88"
PRODUCT: Final = "caller_qr"
CALLED: Final = {"no": "A1", "trade_no": "U1", "status": "PAID", "paid": "1.00"}


def sign_of(fields: dict[str, str], key: str = KEY) -> str:
    text = "&".join(f"{name}={fields[name]}" for name in sorted(fields) if fields[name])
    return hashlib.md5(f"{text}&key={key}".encode(), usedforsecurity=False).hexdigest().upper()


def signed(fields: dict[str, str]) -> str:
    good = {"code": "0", **fields}
    return json.dumps({**good, "sign": sign_of(good)})


def document(callback: str = "") -> str:
    body = urlencode(CALLED)
    opened, told = signed({"url": "http://caller.example/1", "no": "A1"}), signed(CALLED)
    believed = "hearsay" if "query" in callback else "paid"
    forged = "" if "none" in callback else "&sign=forged"
    return f"""
connector: caller
name: A supplier that calls
credentials: [mch_id, key]
reads: {{ attempt_no: no, upstream_no: trade_no, state: status, paid: paid }}
states: {{ PAID: paid, WAIT: pending }}
answers: {{ ok: {{ code: 0 }} }}
create: {{ path: /create, fields: {{ no: $attempt_no, mch_id: $mch_id }}, pay: {{ url: url }} }}
query: {{ path: /query, fields: {{ no: $attempt_no }} }}
callback: {{ {callback} success: ok, failure: no }}
fixtures:
  credentials: {{ base_url: "http://caller.example", mch_id: c1, key: {KEY} }}
  attempt: {{ attempt_no: A1, amount: 1.00 }}
  cases:
    - {{ read: create, body: '{opened}', gives: accepted }}
    - {{ read: query, body: '{told}', gives: paid }}
    - {{ verify: callback, body: "{body}&sign={sign_of(CALLED)}", gives: {believed} }}
    - {{ verify: callback, body: "{body[1:]}{forged}", gives: invalid }}
"""


@dataclass
class Peer:
    """Says what stands in `says`, one after another, the last one for ever."""

    url: str = ""
    says: list[str] = field(default_factory=lambda: ["WAIT"])
    asked: int = 0

    async def create(self, request: web.Request) -> web.Response:
        no = str((await request.post())["no"])
        return self._signed({"code": "0", "no": no, "trade_no": "U1", "url": f"{self.url}/pay"})

    async def query(self, request: web.Request) -> web.Response:
        self.asked += 1
        status = self.says.pop(0) if len(self.says) > 1 else self.says[0]
        no = str((await request.post())["no"])
        fields = {"code": "0", "no": no, "trade_no": "U1", "status": status, "paid": "100.00"}
        return self._signed(fields)

    def _signed(self, fields: dict[str, str]) -> web.Response:
        return web.json_response({**fields, "sign": sign_of(fields)})


@pytest.fixture
async def peer() -> AsyncIterator[Peer]:
    peer, app = Peer(), web.Application()
    app.router.add_post("/create", peer.create)
    app.router.add_post("/query", peer.query)
    async with TestServer(app) as server:
        peer.url = str(server.make_url("")).rstrip("/")
        yield peer


async def sold_through(desk: Desk, peer: Peer, text: str) -> tuple[Opened, str]:
    """An order that is open at the peer, and its attempt's number."""
    runtime = desk.runtime
    made = await approved_document(runtime, text)
    new = NewSupplier(
        SUPPLIER_NO, "Caller", made.id, sandbox=True, legal_name="Caller Ltd",
        licence_no="SANDBOX-0088", licence_expires_on=date(2099, 12, 31), settles_to="merchant",
    )  # fmt: skip
    supplier = await open_live(runtime, new, {"base_url": peer.url, "mch_id": "c1", "key": KEY})
    await runtime.supply.channels.products.add(Product(PRODUCT, "回调", "Caller"))
    rate = Tariff.flat(Rate(12000))
    await runtime.parties.merchants.offers.set_tariff(desk.merchant, PRODUCT, rate, actor="test")
    channel = NewChannel("C88", "Caller QR", PRODUCT, Tariff.flat(Rate(6500)), (PRODUCT,))
    await runtime.supply.channels.add_channel(supplier, channel)
    opened = await desk.open(product=PRODUCT)
    assert opened.attempt is not None
    return opened, opened.attempt.attempt_no


async def said(
    desk: Desk, number: str, fields: dict[str, str], key: str = KEY
) -> tuple[int, bytes]:
    """What the desk answers to a callback at the address with this number."""
    body = urlencode({**fields, "sign": sign_of(fields, key)}).encode()
    callback = Callback("POST", "", {}, body, "203.0.113.9")
    reply = await desk.runtime.trade.callbacks.receive(number, callback, request_id="x")
    return reply.status, reply.body


async def test_a_redelivery_hears_what_the_supplier_wants_to_hear_of_one(
    desk: Desk, peer: Peer
) -> None:
    opened, number = await sold_through(desk, peer, document(callback="duplicate: known,"))
    told = {"no": number, "trade_no": "U1", "status": "PAID", "paid": "100.00"}
    assert await said(desk, number, told) == (200, b"ok")
    assert await said(desk, number, told) == (200, b"known")
    assert await said(desk, number, {**told, "trade_no": "U2"}) == (200, b"ok")
    await desk.runtime.trade.callbacks.act_due(10)
    assert [outcome for _, outcome in await stored(desk)] == ["order", "duplicate"]
    assert (await desk.order(opened)).state == "paid"
    await desk.sound()


async def test_a_supplier_may_call_one_address_about_everything(desk: Desk, peer: Peer) -> None:
    opened, number = await sold_through(desk, peer, document())
    other = await desk.open()  # at another supplier
    assert other.attempt is not None
    told = {"no": number, "trade_no": "U1", "status": "PAID", "paid": "100.00"}
    foreign = {**told, "no": other.attempt.attempt_no}
    unknown = {**told, "no": "A20001" + "0" * 14}
    assert await said(desk, SUPPLIER_NO, foreign) == (200, b"ok")  # theirs, but not about us
    assert await said(desk, SUPPLIER_NO, unknown) == (200, b"ok")
    assert await said(desk, SUPPLIER_NO, told, key="another") == (400, b"no")
    assert await stored(desk) == []
    assert await said(desk, SUPPLIER_NO, told) == (200, b"ok")
    assert (await desk.order(opened)).state == "paid"
    assert (await desk.order(other)).state == "pending"
    for nobody in ("S98", "S9", "S", "s88x"):
        with pytest.raises(Refusal) as error:
            await said(desk, nobody, told)
        assert error.value.code == "callback_unknown"
    await desk.sound()


async def test_a_number_may_come_back_in_small_letters(desk: Desk, peer: Peer) -> None:
    """What is booked where it comes, and what waits for a hand."""
    opened, number = await sold_through(desk, peer, document())
    other = await desk.open(product=PRODUCT)
    assert other.attempt is not None
    told = {"no": f" {number.lower()}", "trade_no": "U1", "status": "PAID", "paid": "100.00"}
    assert await said(desk, SUPPLIER_NO, told) == (200, b"ok")
    odd = {**told, "no": other.attempt.attempt_no.lower(), "trade_no": "U2", "paid": "1.00"}
    assert await said(desk, SUPPLIER_NO, odd) == (200, b"ok")
    await desk.runtime.trade.callbacks.act_due(10)
    assert await stored(desk) == [("done", "order"), ("done", "short")]
    assert (await desk.order(opened)).state == "paid"
    await desk.sound()


@pytest.mark.parametrize("odd", ["O", "U", "!", "-"])
async def test_a_number_in_other_letters_is_nobodys(desk: Desk, peer: Peer, odd: str) -> None:
    _, number = await sold_through(desk, peer, document())
    told = {"no": number[0] + odd + number[2:], "trade_no": "U1", "status": "PAID", "paid": "1.00"}
    assert await said(desk, SUPPLIER_NO, told) == (200, b"ok")
    with pytest.raises(Refusal) as error:
        await said(desk, told["no"], told)
    assert error.value.code == "callback_unknown"
    assert await stored(desk) == []


async def test_another_currency_is_told_at_once_whichever_address_hears_it(
    desk: Desk, peer: Peer
) -> None:
    text = document().replace("paid: paid }", "paid: paid, currency: cur }", 1)
    opened, number = await sold_through(desk, peer, text)
    told = {"no": number, "trade_no": "U1", "status": "PAID", "paid": "100.00", "cur": "USD"}
    forged = {**told, "no": "A20001" + "0" * 14}
    assert await said(desk, SUPPLIER_NO, forged) == (400, b"no")
    assert await said(desk, SUPPLIER_NO, told, key="another") == (400, b"no")
    assert [a for a in await alarms(desk.runtime) if a.kind == CONTRADICTION] == []
    for address in (SUPPLIER_NO, number):
        assert await said(desk, address, told) == (400, b"no")
    (alarm,) = await alarms(desk.runtime)
    assert (alarm.kind, alarm.count, alarm.facts["contradiction"]) == (
        CONTRADICTION,
        2,
        "other_currency",
    )
    assert alarm.facts["order_no"] == opened.order.order_no
    rows = await desk.runtime.trade.refused_callbacks.of_attempts(desk.merchant.id, [number])
    assert [row.reason for row in rows] == ["currency"] * 2
    assert await desk.balances() == {}


async def test_what_nobody_signs_books_nothing_and_has_the_supplier_asked(
    desk: Desk, peer: Peer
) -> None:
    opened, number = await sold_through(desk, peer, document(callback="verify: none, then: query,"))
    peer.says = ["PAID"]
    told = {"no": number, "trade_no": "U1", "status": "PAID", "paid": "100.00"}
    for _ in range(3):
        assert await said(desk, number, told, key="anybody's") == (200, b"ok")
    assert await stored(desk) == []
    assert await desk.balances() == {}
    assert await desk.runtime.trade.follow_up.ask_due(10) == 1  # at once, and once
    assert (await desk.order(opened)).state == "paid"
    assert peer.asked == 1
    await desk.sound()


async def test_what_nobody_signs_finds_the_money_of_an_attempt_that_has_ended(
    desk: Desk, peer: Peer
) -> None:
    text = document(callback="verify: none, then: query,")
    text = text.replace("WAIT: pending }", "WAIT: pending, SHUT: closed }", 1)
    opened, number = await sold_through(desk, peer, text)
    follow_up = desk.runtime.trade.follow_up
    peer.says = ["SHUT", "SHUT", "PAID"]
    await follow_up.ask(desk.merchant.id, opened.order.id, request_id="ask")
    assert (await desk.order(opened)).state == "failed"
    told = {"no": number, "trade_no": "U1", "status": "PAID", "paid": "100.00"}
    for asked in (2, 3):
        desk.clock.advance(61)
        assert await said(desk, number, told, key="anybody's") == (200, b"ok")
        assert await follow_up.ask_due(10) == 1
        desk.clock.advance(3600)
        assert await follow_up.ask_due(10) == 0, "each time somebody says so it is asked about once"
        assert peer.asked == asked
    assert (await desk.order(opened)).state == "paid"
    await desk.sound()


async def test_what_a_query_has_to_confirm_is_kept_and_asked_about(desk: Desk, peer: Peer) -> None:
    opened, number = await sold_through(desk, peer, document(callback="then: query,"))
    peer.says = ["WAIT", "PAID"]
    told = {"no": number, "trade_no": "U1", "status": "PAID", "paid": "100.00"}
    assert await said(desk, number, told) == (200, b"ok")
    await desk.runtime.trade.callbacks.act_due(10)
    assert await stored(desk) == [("waiting", "asked: pending")]
    assert (await desk.order(opened)).state == "pending"
    assert await said(desk, number, told) == (200, b"ok")
    await desk.runtime.trade.callbacks.act_due(10)
    assert (await desk.order(opened)).state == "paid"
    await desk.sound()
