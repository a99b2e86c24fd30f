"""What a file says, read in one snapshot: the bill first, then its rows a few hundred at a time."""

from __future__ import annotations

import hashlib
import json
from abc import ABC, abstractmethod
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any, Final, TypeVar
from uuid import UUID

import asyncpg

from core.books import KINDS
from core.kernel import codec
from core.kernel.errors import Refusal
from core.kernel.holder import MODE
from core.reports.bills import Bill, PlatformBill, SupplierBill
from core.reports.exports import rows
from core.reports.exports.papers import Paper
from core.reports.exports.queue import file_of
from core.reports.exports.rows import (
    CompletionRow,
    DiscrepancyRow,
    MovementRow,
    OrderRow,
    TakingRow,
    VoucherRow,
)
from core.reports.order_lists import ListedOrder, WholeList
from core.system.store import Tx

R = TypeVar("R")
MAX_ROWS: Final = 1_000_000  # of a workbook, which ends at 1,048,576
CHUNK_ROWS: Final = 500
# Raised when files look different: those that were sent before are not sent again.
LAYOUT: Final = 7
_OTHER_KINDS: Final = sorted(
    kind for kind, heading in KINDS.items() if heading not in (None, "orders", "prepaid")
)


class Reading(ABC):
    """Rows of one paper, in its snapshot. What all of them come to is read when somebody asks for
    it: the first rows wait for no others."""

    def __init__(self, tx: Tx, paper: Paper) -> None:
        self._tx = tx
        self.paper = paper
        self._known: tuple[int, object] | None = None

    async def count(self) -> int:
        """How many orders (of a supplier: bookings)."""
        return (await self._whole())[0]

    async def digest(self, language: str) -> str:
        """Of everything the file would say: the same again is not built again."""
        _, facts = await self._whole()
        said = [LAYOUT, language, codec.pack(self.paper), repr(facts)]
        return hashlib.sha256(json.dumps(said, sort_keys=True).encode()).hexdigest()

    async def file_of(self, digest: str) -> str | None:
        """Telegram's id of a file that says the same, where one was sent."""
        return await file_of(self._tx, digest)

    async def need_room(self, max_rows: int) -> None:
        """Refusals: export_too_large."""
        count = await self.count()
        if count > max_rows:
            raise Refusal("export_too_large", rows=f"{count:,}", limit=f"{max_rows:,}")

    async def _whole(self) -> tuple[int, object]:
        if self._known is None:
            self._known = await self._read_whole()
        return self._known

    @abstractmethod
    async def _read_whole(self) -> tuple[int, object]:
        """How many there are, and all that makes one file differ from another."""

    async def _rows(self, kind: type[R], sql: str, *args: object) -> AsyncIterator[list[R]]:
        async for chunk in self._tx.chunks(sql, *args, rows=CHUNK_ROWS):
            yield [kind(*row) for row in chunk]


class MerchantReading(Reading):
    """A merchant's days. Channel, cost and reasons are read for staff only."""

    def __init__(self, tx: Tx, paper: Paper, bill: Bill) -> None:
        super().__init__(tx, paper)
        self.bill = bill
        self._span = _span_of(bill)

    async def _read_whole(self) -> tuple[int, object]:
        orders = await _row(self._tx, rows.COUNT_ORDERS, *self._span)
        undone = await self._tx.fetchval(_UNDONE, self.bill.merchant_id, *self._span[5:])
        left = await self._tx.fetchval(_LEFT, *self._span[:5])
        cost_minor = orders["cost"] if self.paper.staff else 0
        names = await _names(self._tx)
        return orders["n"], (self.bill, Traces(orders["moves"], cost_minor, undone, left, names))

    def orders(self) -> AsyncIterator[list[OrderRow]]:
        """The orders booked in these days, in the order of booking."""
        sql = rows.ORDERS_FOR_STAFF if self.paper.staff else rows.ORDERS
        return self._rows(OrderRow, sql, *self._span)

    def prepayments(self) -> AsyncIterator[list[VoucherRow]]:
        return self._rows(
            VoucherRow, rows.PREPAYMENTS, self.bill.merchant_id, MODE, *self._span[5:]
        )

    def movements(self) -> AsyncIterator[list[MovementRow]]:
        """What else moved the position: adjustments, re-ratings, reversals, refunds, credits."""
        sql = rows.MOVEMENTS_FOR_STAFF if self.paper.staff else rows.MOVEMENTS
        return self._rows(MovementRow, sql, *self._span, _OTHER_KINDS)

    def completions(self) -> AsyncIterator[list[CompletionRow]]:
        sql = rows.COMPLETIONS_FOR_STAFF if self.paper.staff else rows.COMPLETIONS
        return self._rows(CompletionRow, sql, self.bill.merchant_id, MODE, *self._span[5:])

    def discrepancies(self) -> AsyncIterator[list[DiscrepancyRow]]:
        """Money of no settled order that was seen in these days; for staff."""
        return self._rows(DiscrepancyRow, rows.DISCREPANCIES, *self._span[:5])


class SupplierReading(Reading):
    """A supplier's days: what it took for all merchants, none of whom is named."""

    def __init__(self, tx: Tx, paper: Paper, bill: SupplierBill) -> None:
        super().__init__(tx, paper)
        self.bill = bill

    async def _read_whole(self) -> tuple[int, object]:
        count = await self._tx.fetchval(rows.COUNT_TAKINGS, *takings_of(self.bill))
        return count, (self.bill, await _names(self._tx))

    def takings(self) -> AsyncIterator[list[TakingRow]]:
        return self._rows(TakingRow, rows.TAKINGS, *takings_of(self.bill))

    def paid_in(self) -> AsyncIterator[list[VoucherRow]]:
        """What the supplier paid in, undos included."""
        bill = self.bill
        return self._rows(
            VoucherRow, rows.PAID_IN, bill.supplier_id, MODE, bill.starts_at, bill.ends_at
        )


class PlatformReading(Reading):
    """The platform's days: the bill has every row there is."""

    def __init__(self, tx: Tx, paper: Paper, bill: PlatformBill) -> None:
        super().__init__(tx, paper)
        self.bill = bill

    async def _read_whole(self) -> tuple[int, object]:
        return sum(line.paid for line in self.bill.products), self.bill


class ListReading(Reading):
    """The lines of a list. whose: numbers and names; empty for everybody."""

    def __init__(self, tx: Tx, paper: Paper, whole: WholeList, whose: tuple[str, ...]) -> None:
        super().__init__(tx, paper)
        self.listed = whole.listed
        self.totals = whole.totals
        self.whose = whose
        self._list = whole

    async def count(self) -> int:
        return self.totals.count

    async def need_room(self, max_rows: int) -> None:
        """Refusals: list_too_large."""
        if self.totals.count > max_rows:
            count = f"{self.totals.count:,}"
            raise Refusal("list_too_large", rows=count, limit=f"{max_rows:,}")

    async def _read_whole(self) -> tuple[int, object]:
        facts = (self.totals, self.whose, await self._list.trace(), await _names(self._tx))
        return self.totals.count, facts

    def lines(self) -> AsyncIterator[list[ListedOrder]]:
        """Orders, or attempts, the newest first."""
        return self._list.lines(CHUNK_ROWS)


@dataclass(frozen=True, slots=True)
class Traces:
    """What may change in a file of days that are closed: undos of other days, orders that were
    restored, costs that turned out different, discrepancies that were resolved, and names."""

    moves: int
    cost_minor: int
    undone: int
    left_minor: int
    names: str


def takings_of(bill: SupplierBill) -> tuple[Any, ...]:
    accounts = (f"due/{bill.supplier_no}", f"cost/{bill.supplier_no}")
    return (MODE, bill.currency, bill.starts_at, bill.ends_at, *accounts)


def _span_of(bill: Bill) -> tuple[Any, ...]:
    days = bill.days
    whose: tuple[UUID, str, str] = (bill.merchant_id, MODE, bill.currency)
    return (*whose, bill.starts_at, bill.ends_at, days.first, days.last)


async def _row(tx: Tx, sql: str, *args: object) -> asyncpg.Record:
    (row,) = await tx.fetch(sql, *args)
    return row


async def _names(tx: Tx) -> str:
    """Products' names, which stand in files beside their codes."""
    return str(await tx.fetchval("SELECT string_agg(p::text, ';' ORDER BY code) FROM product p"))


_UNDONE: Final = """
SELECT count(*) FROM voucher p JOIN voucher u ON u.holder_id = p.holder_id AND u.reverses = p.id
WHERE p.holder_id = $1 AND p.kind = 'prepayment' AND p.day BETWEEN $2 AND $3
"""
_LEFT: Final = """
SELECT coalesce(sum(left_minor), 0)::bigint FROM discrepancy
WHERE merchant_id = $1 AND mode = $2 AND currency = $3 AND at >= $4 AND at < $5
"""
