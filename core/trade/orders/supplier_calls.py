"""Talking to a supplier about one attempt: build, send, read. No transaction is open here."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Final

import structlog

from core.connectors import (
    Accepted,
    AttemptFacts,
    Connector,
    CreateReading,
    HttpAnswer,
    Pay,
    Rejected,
    Standing,
    Unknown,
)
from core.kernel.clock import Clock
from core.kernel.errors import Bug
from core.parties.suppliers import CallAbout, Calls, Supplier, longest_call
from core.supply.market import Market
from core.system.gateway import MayHaveHappened, NeverSent, Timeouts
from core.trade.orders.rows import Attempt, Order

_LOG = structlog.get_logger(__name__)
NEVER_SENT: Final = "never_sent"
# A merchant's server waits for the answer to its create: better an early doubt than a late one.
TIMEOUTS: Final = Timeouts(connect_s=3.0, read_s=8.0, total_s=10.0)
LONGEST_CALL: Final = longest_call(TIMEOUTS)


@dataclass(frozen=True, slots=True)
class Addresses:
    """Where a supplier calls us, and where a payer finds an order."""

    callback_url: Callable[[str], str]  # attempt number -> our address for its callbacks
    cashier_url: Callable[[str], str]  # order number -> the cashier's page


class SupplierCalls:
    """The suppliers' side of an order, each through its connector document."""

    def __init__(
        self,
        market: Market,
        calls: Calls,
        clock: Clock,
        nonce: Callable[[], str],
        addresses: Addresses,
    ) -> None:
        self._market = market
        self._calls = calls
        self._clock = clock
        self._nonce = nonce
        self._addresses = addresses

    async def create(self, order: Order, attempt: Attempt) -> CreateReading:
        """Ask the supplier to take an attempt. A call that certainly did nothing is Rejected."""
        connector, supplier = await self._peer(attempt)
        facts = await self.facts(order, attempt)
        if connector.sent_by_payer(facts):
            return self._hand_over(connector, supplier, facts)
        try:
            answer = await self._call("create", connector, supplier, facts, order)
        except NeverSent as error:
            return Rejected(NEVER_SENT, str(error))
        except MayHaveHappened as error:
            return Unknown(str(error))
        return connector.read_create(
            answer, facts, supplier.credentials, now=self._clock.now(), nonce=self._nonce()
        )

    async def handed_over(self, order: Order, attempt: Attempt) -> Pay | None:
        """What the payer takes to a supplier that needs no call of ours. None: `create` says what
        becomes of the attempt."""
        connector, supplier = await self._peer(attempt)
        facts = await self.facts(order, attempt)
        if not connector.sent_by_payer(facts):
            return None
        reading = self._hand_over(connector, supplier, facts)
        return reading.pay if isinstance(reading, Accepted) else None

    async def standing(self, order: Order, attempt: Attempt, operation: str = "query") -> Standing:
        """How the attempt stands at the supplier. operation: query, or close to end it there.

        A supplier that does not offer the operation, or does not answer, is `unknown`.
        """
        connector, supplier = await self._peer(attempt)
        if operation not in connector.operations:
            return Standing("unknown", f"the supplier offers no {operation}")
        facts = await self.facts(order, attempt)
        if not connector.can_ask(operation, facts):
            return Standing("unknown", "the supplier's own number is not known yet")
        try:
            answer = await self._call(operation, connector, supplier, facts, order)
        except (NeverSent, MayHaveHappened) as error:
            return Standing("unknown", str(error))
        return connector.read_standing(
            operation, answer, facts, supplier.credentials, now=self._clock.now()
        )

    async def may_send_again(self, attempt: Attempt) -> bool:
        """Whether the same number may be sent twice without a second payment coming of it."""
        return (await self._market.connector(attempt.document_id)).create_is_idempotent

    async def not_found_is_final(self, attempt: Attempt) -> bool:
        """Whether the supplier's "not found" proves that it will never be paid."""
        return (await self._market.connector(attempt.document_id)).not_found_is_final

    def _hand_over(
        self, connector: Connector, supplier: Supplier, facts: AttemptFacts
    ) -> Accepted | Rejected:
        """What cannot be built is handed to nobody: the order may go to the next channel, as where
        a call cannot be built."""
        try:
            pay = connector.hand_over(
                facts, supplier.credentials, now=self._clock.now(), nonce=self._nonce()
            )
        except Bug as bug:
            _LOG.exception("nothing to hand over", attempt_no=facts.attempt_no)
            return Rejected(NEVER_SENT, str(bug))
        return Accepted(None, pay)

    async def _peer(self, attempt: Attempt) -> tuple[Connector, Supplier]:
        connector = await self._market.connector(attempt.document_id)
        return connector, (await self._market.now()).supplier(attempt.supplier_id)

    async def _call(
        self,
        operation: str,
        connector: Connector,
        supplier: Supplier,
        facts: AttemptFacts,
        order: Order,
    ) -> HttpAnswer:
        return await self._calls.send(
            supplier,
            connector,
            operation,
            partial(connector.build, operation, facts, supplier.credentials),
            timeouts=TIMEOUTS,
            about=CallAbout(order.merchant_id, facts.attempt_no),
        )

    async def facts(self, order: Order, attempt: Attempt) -> AttemptFacts:
        """An attempt as its supplier is told about it."""
        merchant = (await self._market.now()).merchant(order.merchant_id)
        return AttemptFacts(
            attempt_no=attempt.attempt_no,
            order_no=order.order_no,
            amount=attempt.amount,
            subject=order.subject,
            merchant_name=merchant.name,
            channel_code=attempt.supplier_code,
            notify_url=self._addresses.callback_url(attempt.attempt_no),
            return_url=self._addresses.cashier_url(order.order_no),
            client_ip=order.client_ip,
            payer_id=order.payer_id,
            created_at=attempt.created_at,
            expires_at=order.expires_at,
            upstream_no=attempt.upstream_no,
        )


def in_words(reading: CreateReading) -> str:
    """A supplier's answer to a create, for people."""
    match reading:
        case Accepted():
            return "accepted"
        case Rejected(code, message):
            return f"{code}: {message}"
        case Unknown(why):
            return why
