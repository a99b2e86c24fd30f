"""A supplier that gives money back, real and small, with a document of its own: MD5 over a form."""

from __future__ import annotations

import asyncio
import hashlib
import json
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import date
from random import Random
from typing import Final
from urllib.parse import urlencode

from aiohttp import web
from aiohttp.test_utils import TestServer

from bot.world import approved_document, open_live
from core.kernel.money import Rate
from core.kernel.tariff import Tariff
from core.parties.merchants import Merchant
from core.parties.suppliers import NewSupplier
from core.runtime import Runtime
from core.supply.channels import NewChannel, Product
from tests.core.support import Desk

PRODUCT: Final = "giver_qr"
KEY: Final = "5ecre7-of-the-giver"
_DOCUMENT: Final = """
connector: giver
name: A supplier that gives back
refund_is_idempotent: {idempotent}
credentials: [mch_id, key]
fields: {{ mch_id: $mch_id }}
reads: {{ attempt_no: no, upstream_no: trade_no, state: status, paid: paid }}
states: {{ PAID: paid }}
answers: {{ ok: {{ code: 0 }}, message: msg, not_found: [4004] }}
create:
  path: /create
  fields: {{ no: $attempt_no, amount: $amount }}
  pay: {{ url: pay_url }}
{refund}
{refund_query}
callback: {{ success: ok, failure: no }}
fixtures:
  credentials: {{ base_url: "http://giver.example", mch_id: g1, key: {key} }}
  attempt: {{ attempt_no: A1, amount: 1.00 }}
  cases:
    - {{ build: create, url: "http://giver.example/create" }}
    - {{ read: create, body: '{opened}', gives: accepted }}
    - {{ verify: callback, body: "{body}&sign={sign}", gives: paid }}
    - {{ verify: callback, body: "{body}&sign=forged", gives: invalid }}
"""
_REFUND: Final = """
refund:
  path: /refund
  fields: { no: $attempt_no, refund_no: $refund_no, refund_amount: $refund_amount,
            reason: $refund_reason }
  reads: { refund_no: refund_no, upstream_refund_no: their_no, state: state, refunded: amount }
  states: { DONE: succeeded, BUSY: pending, FAILED: failed }
  answers: { refused: [4001] }
"""
_REFUND_QUERY: Final = "refund_query: { path: /refund_query, fields: { refund_no: $refund_no } }"


def document(*, refund: bool = True, query: bool = True, idempotent: bool = False) -> str:
    called = {"no": "A1", "trade_no": "U1", "status": "PAID", "paid": "1.00"}
    opened = {"code": "0", "no": "A1", "pay_url": "http://giver.example/1"}
    return _DOCUMENT.format(
        key=KEY,
        opened=json.dumps({**opened, "sign": _sign(opened)}),
        body=urlencode(called),
        sign=_sign(called),
        idempotent=str(idempotent).lower(),
        refund=_REFUND if refund else "",
        refund_query=_REFUND_QUERY if refund and query else "",
    )


@dataclass
class Giver:
    """Answers `says[path]`, one after another, the last one for ever.

    DONE, BUSY, FAILED: with that state; 4001, 4004: with that code; 500, garbage; acts: DONE there,
    and its connection broken off; silent: broken off with nothing done; waits: `at_last`, when
    `go` is set; chance: anything of it, and what was done is remembered in `fates`. given: refund
    numbers that the payer got money by, and how often. knows_twice: a number that is known already
    is not given to again, though it may be refused.
    """

    url: str = ""
    says: dict[str, list[str]] = field(default_factory=dict)
    heard: list[str] = field(default_factory=list)
    fields: list[dict[str, str]] = field(default_factory=list)
    given: Counter[str] = field(default_factory=Counter)
    called: asyncio.Event = field(default_factory=asyncio.Event)
    go: asyncio.Event = field(default_factory=asyncio.Event)
    at_last: str = "DONE"
    knows_twice: bool = False
    random: Random = field(default_factory=lambda: Random(1))
    fates: dict[str, str] = field(default_factory=dict)

    def answers(self, *refund: str, query: tuple[str, ...] = ("4004",)) -> None:
        self.says = {"refund": list(refund), "refund_query": list(query)}

    @asynccontextmanager
    async def running(self) -> AsyncIterator[Giver]:
        app = web.Application()
        app.router.add_post("/create", self._create)
        app.router.add_post("/refund", self._refund)
        app.router.add_post("/refund_query", self._refund)
        server = TestServer(app)
        await server.start_server()
        self.url = str(server.make_url("")).rstrip("/")
        try:
            yield self
        finally:
            await server.close()

    async def _create(self, request: web.Request) -> web.Response:
        form = await _read(request)
        return _signed(
            code="0", no=form["no"], trade_no=f"U{form['no']}", pay_url=f"{self.url}/pay"
        )

    async def _refund(self, request: web.Request) -> web.Response:
        form = await _read(request)
        operation, number = request.path.strip("/"), form["refund_no"]
        self.heard.append(operation)
        self.fields.append(form)
        self.called.set()
        turns = self.says[operation]
        said = turns.pop(0) if len(turns) > 1 else turns[0]
        if said == "chance":
            return self._answer(self._chance(operation, number), request, form)
        if said == "waits":
            await self.go.wait()
            said = self.at_last
        if said in ("acts", "DONE") and operation == "refund":
            self.given[number] += 1
        return self._answer(said, request, form)

    def _chance(self, operation: str, number: str) -> str:
        """Do something, or not; say it, or not."""
        lost = self.random.choice(["", "", "", "silent", "500", "garbage"])
        if lost and self.random.random() < 0.5:
            return lost
        fate = self.fates.get(number, "")
        if fate == "BUSY" or (operation == "refund" and not (fate and self.knows_twice)):
            fate = self.random.choice(["DONE", "BUSY", "FAILED", fate and "BUSY"])
            if fate:
                self.fates[number] = fate
            self.given[number] += fate == "DONE"
        elif operation == "refund":
            fate = self.random.choice([fate, ""])
        return lost or fate or ("4001" if operation == "refund" else "4004")

    def _answer(self, said: str, request: web.Request, form: dict[str, str]) -> web.Response:
        if said in ("acts", "silent"):
            assert request.transport is not None
            request.transport.abort()
            return web.Response(status=500)
        if said == "500":
            return web.Response(status=500, text="oops")
        if said == "garbage":
            return web.Response(text="<html>come back later")
        if said.isdigit():
            return _signed(code=said, msg="no")
        number = form["refund_no"]
        amount = {"amount": form["refund_amount"]} if "refund_amount" in form else {}
        return _signed(code="0", refund_no=number, their_no=f"G{number}", state=said, **amount)


async def _read(request: web.Request) -> dict[str, str]:
    """What was sent, whose signature is right."""
    form = {name: str(value) for name, value in (await request.post()).items()}
    sign = form.pop("sign")
    assert sign == _sign(form), form
    return form


def _signed(**fields: str) -> web.Response:
    return web.json_response(fields | {"sign": _sign(fields)})


def _sign(fields: dict[str, str]) -> str:
    text = "&".join(f"{name}={fields[name]}" for name in sorted(fields) if fields[name])
    return hashlib.md5(f"{text}&key={KEY}".encode(), usedforsecurity=False).hexdigest().upper()


async def sell_through(desk: Desk, giver: Giver, text: str) -> None:
    """Have M1001's orders of PRODUCT go to the giver, spoken to by this document."""
    await sell_at(desk.runtime, desk.merchant, giver.url, text)


async def sell_at(runtime: Runtime, merchant: Merchant, url: str, text: str) -> None:
    """Have a merchant's orders of PRODUCT go to a supplier there, spoken to by this document."""
    made = await approved_document(runtime, text)
    new = NewSupplier(
        "S88", "Giver", made.id, sandbox=True, legal_name="Giver Ltd", licence_no="SANDBOX-0088",
        licence_expires_on=date(2099, 12, 31), settles_to="merchant",
    )  # fmt: skip
    supplier = await open_live(runtime, new, {"base_url": url, "mch_id": "g1", "key": KEY})
    await runtime.supply.channels.products.add(Product(PRODUCT, "退款", "Giver"))
    tariff = Tariff.flat(Rate(12000))
    await runtime.parties.merchants.offers.set_tariff(merchant, PRODUCT, tariff, actor="test")
    cost = Tariff.flat(Rate(6500))
    channel = NewChannel("C88", "Giver QR", PRODUCT, cost, (PRODUCT,))
    await runtime.supply.channels.add_channel(supplier, channel)
