"""Writes new orders: many merchants' together, each with its key, first attempt and histories."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, Final, Literal

import asyncpg

from core.books import BusinessDay, SeenDay
from core.kernel.errors import Bug
from core.system.batch import Batch
from core.system.store import Queries, Store, Tx
from core.trade.booking_tools import TradeBooks
from core.trade.orders.decisions import came_to_nothing
from core.trade.orders.drafts import Draft, Move
from core.trade.orders.moves import attempt_row
from core.trade.orders.payments import Payments
from core.trade.orders.rows import Order, find_key, lock_order

_OPEN: Final = "SELECT id, said, day, ends_at, rolled_to FROM open_orders($1, $2)"
_BUSY: Final = "busy"


@dataclass(frozen=True, slots=True)
class Written:
    """What became of a draft: opened; or nothing was written, since its number is taken, the market
    is another one, its day is not the open one, or its merchant's credit line is reached. day: the
    one that is open."""

    said: Literal["opened", "taken", "stale", "day", "credit"]
    day: SeenDay | None = None

    @property
    def open_day(self) -> SeenDay:
        """Raises Bug where the merchant has none."""
        if self.day is None:
            raise Bug("a merchant has no open business day")
        return self.day


class _NotWritten(Exception):
    def __init__(self, written: Written) -> None:
        self.written = written


class NewOrders:
    """Writes drafts, in one statement each time."""

    def __init__(self, store: Store, books: TradeBooks, payments: Payments) -> None:
        self._store = store
        self._ids = books.ids
        self._ledger = books.ledger
        self._payments = payments
        self._batch = Batch(self._together, self._alone)

    async def write(self, draft: Draft, former: Order | None = None) -> Written:
        """Write a draft, together with others that are written at the moment. former: the order
        that has its number, of which nothing was sent. Once the write begins, what its caller has
        to do comes to its end, though nobody waits for it any more: what is written may say that a
        supplier is being called.
        """
        begins = self._store.finish_anyway()
        if former is None:
            return await self._batch.write(draft, begins=begins)
        begins()
        try:
            return await self._ledger.in_open_day(
                former.merchant_id, partial(self._replace, former, draft)
            )
        except _NotWritten as error:
            return error.written

    async def _replace(self, former: Order, draft: Draft, tx: Tx, _: BusinessDay) -> Written:
        """The number of an order that came to nothing goes to another one, and the former's end is
        not told any more."""
        order, attempts = await lock_order(tx, former.merchant_id, former.id)
        if not came_to_nothing(order, attempts):
            return Written("taken")
        await self._payments.untell(tx, order)
        written = await self._write_in(tx, draft)
        if written.said != "opened":
            raise _NotWritten(written)  # the former's end is told after all
        return written

    async def _write_in(self, queries: Queries, draft: Draft) -> Written:
        """Write one by itself. It waits for whoever holds the merchant's day alone."""
        (written,) = await self._open(queries, [draft], waits=True)
        if written is None:
            raise Bug(f"a merchant is busy though {draft.order.order_no} waited for it")
        return written

    async def _together(self, drafts: Sequence[Draft]) -> Sequence[Written | None]:
        """None: that merchant's day is held alone, for which the others do not wait."""
        return await self._open(self._store, drafts, waits=False)

    async def _alone(self, draft: Draft) -> Written:
        written = await self._write_in(self._store, draft)
        if written.said == "taken" and await self._is_there(draft.order):
            return Written("opened")  # by a batch whose answer was lost while it went on
        return written

    async def _is_there(self, order: Order) -> bool:
        number = order.merchant_order_no
        key = await find_key(self._store, order.merchant_id, order.app_id, number)
        return key is not None and key.order_id == order.id

    async def _open(
        self, queries: Queries, drafts: Sequence[Draft], *, waits: bool
    ) -> list[Written | None]:
        asked = [self._row(draft) for draft in drafts]
        rows = {row["id"]: row for row in await queries.fetch(_OPEN, asked, waits)}
        return [_written(rows[draft.order.id]) for draft in drafts]

    def _row(self, draft: Draft) -> dict[str, object]:
        return {
            "order": _order_row(draft.order),
            "key_turn": draft.key_turn,
            "market": draft.market_version,
            "line_minor": draft.line_minor,
            "order_moves": [
                {"version": version, "actor": move.actor, **_move(move)}
                for version, move in enumerate(draft.order_moves, start=1)
            ],
            "attempt": attempt_row(draft.attempt, draft.order),
            "attempt_moves": [
                {"id": self._ids.uuid7(), **_move(move)} for move in draft.attempt_moves
            ],
        }


# Columns whose fields have the same names.
_ORDER: Final = (
    "merchant_id", "id", "created_at", "order_no", "app_id", "mode", "merchant_order_no", "subject",
    "notify_url", "return_url", "client_ip", "payer_id", "metadata", "state", "version",
    "live_attempt_no", "paid_late", "supplier_open", "disputed", "created_day", "expires_at",
    "only_channel_id",
)  # fmt: skip


def _order_row(order: Order) -> dict[str, object]:
    terms = order.agreed
    return {
        **{name: getattr(order, name) for name in _ORDER},
        "product_code": terms.product_code,
        "amount_minor": order.amount.minor,
        "currency": order.amount.currency,
        "rate": terms.rate.pack(),
        "tariff_id": terms.tariff_id,
        "fee_minor": terms.fee_minor,
        "end_at": order.expires_at,
    }


def _move(move: Move) -> dict[str, Any]:
    return {
        "state_from": move.state_from,
        "move": move.name,
        "state_to": move.state_to,
        "at": move.at,
        "facts": move.facts,
    }


def _written(row: asyncpg.Record) -> Written | None:
    if row["said"] == _BUSY:
        return None
    if row["day"] is None:
        return Written(row["said"])
    return Written(row["said"], SeenDay(row["day"], row["ends_at"], row["rolled_to"]))
