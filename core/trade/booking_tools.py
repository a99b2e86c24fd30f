"""What it takes to book money of orders."""

from __future__ import annotations

from dataclasses import dataclass

from core.books import Ledger
from core.delivery.outbox import Outbox
from core.kernel.ids import Ids
from core.people.alarms import Alarms
from core.people.groups import Groups
from core.supply.market import Market


@dataclass(frozen=True, slots=True)
class TradeBooks:
    """The ledger, and what goes with a booking: numbers for its rows, whose books they are, and
    those who are told (groups: bills and pins; outbox: merchants' servers and chats; alarms: ops
    groups)."""

    ids: Ids
    ledger: Ledger
    market: Market
    groups: Groups
    outbox: Outbox
    alarms: Alarms
