"""From sums by kind, product and channel to a bill's lines. Pure."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import asyncpg

from core.books import KINDS, ORDERS, Heading
from core.reports.bills.model import ChannelLine, Movement, ProductLine

PREPAID_KINDS: Final = tuple(kind for kind, heading in KINDS.items() if heading == "prepaid")
_SOLD: Final = ("orders", "reversals")
_ELSEWHERE: Final = (*_SOLD, "prepaid")  # a bill shows these as products and as vouchers


@dataclass(frozen=True, slots=True)
class Sums:
    """What the events of one kind moved for a product on a channel; events counts each once.

    payable, prepaid, fee: + credit, as booked. cost: + what suppliers charged.
    """

    kind: str
    product_code: str
    channel_no: str
    payable_minor: int
    prepaid_minor: int
    fee_minor: int
    cost_minor: int
    events: int

    @staticmethod
    def of(row: asyncpg.Record) -> Sums:
        """From a row of a query that names its columns so."""
        return Sums(**{name: row[name] for name in Sums.__slots__})

    @property
    def heading(self) -> Heading | None:
        return KINDS[self.kind]

    @property
    def sold(self) -> bool:
        """Whether it is orders that were paid, or taken back."""
        return self.heading in _SOLD

    @property
    def orders(self) -> int:
        """How many paid orders it makes."""
        return ORDERS.get(self.kind, 0) * self.events

    @property
    def amount_minor(self) -> int:
        return self.payable_minor + self.fee_minor


@dataclass(frozen=True, slots=True)
class Cohort:
    """Orders of a product by the day they were created. paid: before that day ended."""

    created: int
    paid: int


def products(sums: Iterable[Sums], cohorts: Mapping[str, Cohort]) -> tuple[ProductLine, ...]:
    """A line for each product that was asked for or paid, by code."""
    booked: dict[str, list[Sums]] = defaultdict(list)
    for row in sums:
        if row.sold:
            booked[row.product_code].append(row)
    lines = []
    for code in sorted({*booked, *cohorts}):
        cohort = cohorts.get(code, Cohort(0, 0))
        rows = booked[code]
        back = [row for row in rows if row.heading == "reversals"]
        line = ProductLine(
            product_code=code,
            created=cohort.created,
            cohort_paid=cohort.paid,
            paid=sum(row.orders for row in rows),
            amount_minor=sum(row.amount_minor for row in rows),
            fee_minor=sum(row.fee_minor for row in rows),
            net_minor=sum(row.payable_minor for row in rows),
            reversed=sum(row.orders for row in back),
            reversed_minor=sum(row.amount_minor for row in back),
            reversed_fee_minor=sum(row.fee_minor for row in back),
        )
        lines.append(line)
    return tuple(lines)


def channels(sums: Iterable[Sums]) -> tuple[ChannelLine, ...]:
    """A line for each product on each channel, by number; no channel where none is concerned."""
    rows: dict[tuple[str, str], list[Sums]] = defaultdict(list)
    for row in sums:
        rows[row.channel_no, row.product_code].append(row)
    lines = []
    for (channel_no, code), of_channel in sorted(rows.items()):
        orders = [row for row in of_channel if row.sold]
        line = ChannelLine(
            channel_no=channel_no,
            product_code=code,
            paid=sum(row.orders for row in orders),
            amount_minor=sum(row.amount_minor for row in orders),
            fee_minor=sum(row.fee_minor for row in of_channel),
            cost_minor=sum(row.cost_minor for row in of_channel),
        )
        if line.paid or line.amount_minor or line.fee_minor or line.cost_minor:
            lines.append(line)
    return tuple(lines)


def movements(sums: Sequence[Sums]) -> tuple[Movement, ...]:
    """One for each heading but orders, reversals and prepaid under which something was booked."""
    found = []
    for heading in dict.fromkeys(KINDS.values()):
        rows = [row for row in sums if row.heading == heading]
        if rows and heading is not None and heading not in _ELSEWHERE:
            minor, fee = position_minor(rows), sum(row.fee_minor for row in rows)
            found.append(Movement(heading, minor, fee, sum(row.events for row in rows)))
    return tuple(found)


def prepaid_minor(sums: Iterable[Sums]) -> int:
    """What was advanced, net of what was taken back."""
    return -sum(row.payable_minor + row.prepaid_minor for row in sums if row.heading == "prepaid")


def position_minor(sums: Iterable[Sums]) -> int:
    """What the position moved by."""
    return sum(row.payable_minor + row.prepaid_minor for row in sums)
