"""What can be asked for, and what a chart shows."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from typing import Final, Literal
from uuid import UUID

from core.kernel.days import Days
from core.parties.suppliers import Call
from core.reports.order_lists import FilteredOrders

What = Literal["chart", "excel", "csv", "calls", "list"]
Holder = Literal["m", "s", "p"]
Table = Literal["orders", "prepayments", "days"]

# Which tables there are as CSV, of whom.
CSV_TABLES: Final[dict[Holder, tuple[Table, ...]]] = {
    "m": ("orders", "prepayments", "days"),
    "s": ("orders", "prepayments"),
    "p": ("orders",),
}


@dataclass(frozen=True, slots=True)
class Paper:
    """A picture or a file of business days.

    holder: whose days: a merchant's (m), a supplier's (s), the platform's (p; nil id). table: of
    a CSV: orders (of a supplier: what it took; of the platform: its merchants), prepayments (of a
    supplier: what it paid in), days. bom: whether a CSV says that it is UTF-8, as Excel wants it.
    staff: with channels, cost and margin; decided by `Exports.ask`, never by who asks. currency:
    of the platform's papers, which are in one each; None: the one that most merchants have. Those
    of others are in their own. order_id: the order whose calls to suppliers a log (calls) holds,
    and which is one of the merchant's. listed: the orders of a workbook (list), whose times are
    told on the clocks of `zone`.
    """

    what: What
    holder: Holder
    holder_id: UUID
    days: Days
    table: Table = "orders"
    bom: bool = True
    staff: bool = False
    currency: str | None = None
    order_id: UUID | None = None
    listed: FilteredOrders | None = None
    zone: str = ""

    @staticmethod
    def of_list(listed: FilteredOrders, zone: str) -> Paper:
        """The workbook of a list, as its sight has it."""
        sight, orders = listed.sight, listed.rows == "orders"
        everybody = orders and sight.merchant_ids is None
        return Paper(
            "list",
            "p" if everybody else "m" if orders else "s",
            listed.holder_ids[0],
            listed.wanted.days,
            staff=orders and (sight.channels or sight.costs),
            currency=listed.wanted.currency,
            listed=listed,
            zone=zone,
        )

    @property
    def holder_ids(self) -> tuple[UUID, ...]:
        """Whose it is; several merchants' or suppliers' where a list is of all of them."""
        return (self.holder_id,) if self.listed is None else self.listed.holder_ids


@dataclass(frozen=True, slots=True)
class CallLog:
    """Every call to a supplier about one order, the oldest first, as it was kept: masked."""

    order_no: str
    zone: str
    calls: tuple[Call, ...]


@dataclass(frozen=True, slots=True)
class Point:
    """An hour (at: when it begins) or a day of a chart. cohort_paid: of those created then, how
    many were paid before their business day ended."""

    at: datetime | date
    amount_minor: int
    paid: int
    created: int
    cohort_paid: int


@dataclass(frozen=True, slots=True)
class ChartFacts:
    """What a chart shows. Points without a gap: hours of one day, or days of several.

    net_minor: after fees; of a supplier: what it owes for these days. has_orders: whether
    created and cohort_paid are known (not of a supplier).
    """

    no: str
    name: str
    currency: str
    zone: str
    days: Days
    open: bool
    points: tuple[Point, ...]
    net_minor: int
    has_orders: bool = True

    @property
    def by_hour(self) -> bool:
        return len(self.days) == 1

    @property
    def amount_minor(self) -> int:
        return sum(point.amount_minor for point in self.points)

    @property
    def paid(self) -> int:
        return sum(point.paid for point in self.points)

    @property
    def created(self) -> int:
        return sum(point.created for point in self.points)

    @property
    def cohort_paid(self) -> int:
        return sum(point.cohort_paid for point in self.points)
