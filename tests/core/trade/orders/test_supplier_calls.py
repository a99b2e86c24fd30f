"""What is said to suppliers about an attempt is kept with it, and who is broken is passed over."""

from __future__ import annotations

from typing import Any, cast
from uuid import UUID

from core.connectors import AttemptFacts, Connector, Pay
from core.kernel.errors import Bug
from core.kernel.wire import HttpRequest
from core.supply.market import Market
from core.system.gateway import FAILURES_TO_OPEN, OPEN_S
from core.trade.district import build_creation
from core.trade.orders import Opened, SupplierCalls, get_attempts
from core.trade.orders.supplier_calls import NEVER_SENT, TIMEOUTS
from tests.core.peers import listening, ok, saying
from tests.core.support import Desk, books_of, wanted


class Documents:
    """The market, where a payer takes each attempt to its supplier, and the document of the first
    one makes nothing that could be taken there."""

    def __init__(self, market: Market) -> None:
        self._market = market
        self.asked: list[str] = []

    def __getattr__(self, name: str) -> Any:
        return getattr(self._market, name)

    async def connector(self, _: UUID) -> Connector:
        return cast(Connector, self)

    def sent_by_payer(self, _: AttemptFacts) -> bool:
        return True

    def hand_over(self, facts: AttemptFacts, _: object, **__: object) -> Pay:
        self.asked.append(facts.attempt_no)
        if facts.attempt_no == self.asked[0]:
            raise Bug("a field has no value")
        return Pay("url", f"https://pay.example/{facts.attempt_no}")


async def attempts_of(desk: Desk, opened: Opened) -> list[tuple[str, str, str]]:
    """(supplier, state, what was said) of each attempt."""
    found = await get_attempts(desk.runtime.system.store, opened.order.merchant_id, opened.order.id)
    return [(a.supplier_no, a.state, a.said) for a in found]


async def test_every_word_about_an_attempt_is_kept_with_it(desk: Desk) -> None:
    opened = await desk.open()
    assert opened.attempt is not None
    desk.clock.advance(60)
    await desk.runtime.trade.follow_up.ask_due(10)
    await desk.runtime.system.store.settle()
    calls = await desk.runtime.parties.calls.of_attempt(desk.merchant.id, opened.attempt.attempt_no)
    assert [(c.operation, c.outcome, c.status) for c in calls[:2]] == [
        ("create", "answered", 200), ("query", "answered", 200),
    ]  # fmt: skip
    supplier = await desk.runtime.parties.suppliers.by_no("S01")
    create = calls[0]
    assert create.supplier_id == supplier.id
    assert opened.attempt.attempt_no in create.request_body
    assert create.signed.endswith("&key=***")
    assert opened.attempt.upstream_no is not None
    assert opened.attempt.upstream_no in create.answer_body
    for call in calls:
        assert supplier.credentials["key"] not in str(call)


async def test_an_order_goes_to_the_next_supplier_at_once_while_one_is_left_alone(
    desk: Desk,
) -> None:
    suppliers, calls = desk.runtime.parties.suppliers, desk.runtime.parties.calls
    supplier = await suppliers.by_no("S01")
    connector = await suppliers.connector(supplier.document_id)
    async with listening(ok(b"oh", b"500 Oh")) as (broken, _):

        def build(**_: object) -> HttpRequest:
            return HttpRequest("GET", broken, {}, b"", "")

        for _ in range(FAILURES_TO_OPEN):
            await calls.send(supplier, connector, "query", build, timeouts=TIMEOUTS)
    opened = await desk.open()
    first, second = await attempts_of(desk, opened)
    assert first[:2] == ("S01", "rejected")
    assert first[2].startswith(f"{NEVER_SENT}: this peer failed too often")
    assert second[:2] == ("S02", "accepted")
    assert opened.order.state == "pending"
    assert len(await desk.supplier.creates_of(opened.order.subject)) == 1
    desk.clock.advance(OPEN_S)
    ((supplier_no, state, _),) = await attempts_of(desk, await desk.open())
    assert (supplier_no, state) == ("S01", "accepted")
    assert not calls.health()[supplier.id].open


async def test_an_order_in_doubt_stays_with_its_supplier(desk: Desk) -> None:
    suppliers = desk.runtime.parties.suppliers
    supplier = await suppliers.by_no("S01")
    for talk, said in (
        (ok(b"oh", b"500 Oh"), "HTTP status 500"),
        (saying(b""), "the connection broke: ServerDisconnectedError"),
    ):
        async with listening(talk) as (broken, listener):
            there = {**supplier.credentials, "base_url": broken}
            await suppliers.set_credentials(desk.runtime.system.store, supplier.id, there)
            opened = await desk.open()
        assert await attempts_of(desk, opened) == [("S01", "unknown", said)]
        assert listener.calls == 1
        number = await desk.runtime.system.store.fetchval(
            "SELECT attempt_no FROM attempt WHERE merchant_id = $1 AND order_id = $2",
            desk.merchant.id,
            opened.order.id,
        )
        await desk.runtime.system.store.settle()
        (call,) = await desk.runtime.parties.calls.of_attempt(desk.merchant.id, number)
        assert (call.operation, call.status or call.why) in {("create", 500), ("create", said)}


async def test_what_cannot_be_handed_over_goes_to_the_next_supplier(desk: Desk) -> None:
    """As what cannot be built and sent does."""
    runtime = desk.runtime
    documents = Documents(runtime.supply.market)
    calls = SupplierCalls(
        cast(Market, documents),
        runtime.parties.calls,
        runtime.system.clock,
        lambda: "nonce",
        runtime.trade.addresses,
    )
    creation = build_creation(
        runtime.system, books_of(runtime), runtime.supply.routing, calls, runtime.trade.payments
    )
    opened = await creation.open(desk.app, wanted(), request_id="one")
    assert await attempts_of(desk, opened) == [
        ("S01", "rejected", f"{NEVER_SENT}: a field has no value"),
        ("S02", "accepted", ""),
    ]
    assert opened.order.state == "pending"
    assert opened.attempt is not None
    assert opened.attempt.pay == Pay("url", f"https://pay.example/{opened.attempt.attempt_no}")
