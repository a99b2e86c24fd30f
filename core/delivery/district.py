"""Builds the delivery: inbox, outbox, the board, albums, and the trail of who did what."""

from __future__ import annotations

from dataclasses import dataclass

from core.delivery.albums import Albums
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
    albums: Albums
    audit: Audit


def build_delivery(system: System) -> Delivery:
    store, clock, ids = system.store, system.clock, system.ids
    outbox = Outbox(store, clock, ids)
    board = Board(store, clock, outbox)
    inbox, albums = Inbox(store, clock, ids), Albums(store, clock)
    return Delivery(outbox, board, inbox, albums, Audit(clock, ids))
