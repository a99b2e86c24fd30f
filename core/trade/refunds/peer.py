"""Of whom a refund is asked."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime

from core.connectors import AttemptFacts, Connector, RefundFacts
from core.parties.suppliers import Supplier
from core.trade.orders import Order
from core.trade.refunds.answers import Offers
from core.trade.refunds.rows import Refund


@dataclass(frozen=True, slots=True)
class Peer:
    """A refund's supplier, and what of its order never changes."""

    order: Order
    facts: AttemptFacts
    supplier: Supplier
    connector: Connector

    def facts_of(self, refund: Refund) -> AttemptFacts:
        """What the supplier is told of a refund."""
        return replace(
            self.facts,
            refund=RefundFacts(
                refund_no=refund.sent_no,
                amount=refund.amount,
                reason=self.order.subject,  # what the payer knows it by
                created_at=refund.at,
                upstream_refund_no=refund.upstream_refund_no,
            ),
        )

    def offers(self, refund: Refund, now: datetime) -> Offers:
        """What can be done about a refund as it stands."""
        return Offers.of(self.connector, self.facts_of(refund), refund, now)
