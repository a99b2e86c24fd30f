"""Builds the delivery: inbox, outbox, the board, and the trail of who did what."""

from __future__ import annotations

from dataclasses import dataclass

from core.delivery.audit import Audit
from core.delivery.board import Board
from core.delivery.inbox import Inbox
from core.delivery.outbox import Outbox
from core.system.district import System


@dataclass(frozen=True, slots=True)
class Delivery:
    outbox: Outbox
    board: Board
    inbox: Inbox
    audit: Audit


def build_delivery(system: System) -> Delivery:
    store, clock, ids = system.store, system.clock, system.ids
    outbox = Outbox(store, clock, ids)
    board = Board(store, clock, outbox)
    return Delivery(outbox, board, Inbox(store, clock, ids), Audit(clock, ids))
