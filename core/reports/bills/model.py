"""Bills: a merchant's, a supplier's, the platform's; of a business day, or of several in a row.

All amounts are in smallest units of the bill's currency. What adds to what we owe
the merchant is positive on a merchant's bill, what adds to what the supplier owes us on a
supplier's. Each bill's opening and its movements add up to its closing, always. A merchant reads
the same the other way round, as what remains of what was advanced: remaining before + prepaid -
net - other = remaining.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from uuid import UUID

from core.accounts.vouchers import VoucherLine as VoucherLine
from core.books import Heading, MerchantBalance
from core.kernel.days import Days


@dataclass(frozen=True, slots=True)
class ProductLine:
    """A product's orders. created counts by day of creation, the rest by day of booking;
    cohort_paid: of the created ones, how many were paid before their day ended. reversed: of paid,
    amount and fee, what reversals of completions took away (below 0) or gave back."""

    product_code: str
    created: int
    cohort_paid: int
    paid: int
    amount_minor: int
    fee_minor: int
    net_minor: int
    reversed: int = 0
    reversed_minor: int = 0
    reversed_fee_minor: int = 0


@dataclass(frozen=True, slots=True)
class ChannelLine:
    """A product on a channel, for staff only. fee and cost include what came after the orders
    (money in suspense, refunds); margin = fee - cost."""

    channel_no: str
    product_code: str
    paid: int
    amount_minor: int
    fee_minor: int
    cost_minor: int

    @property
    def margin_minor(self) -> int:
        return self.fee_minor - self.cost_minor


@dataclass(frozen=True, slots=True)
class Movement:
    """What moved the merchant's position under one heading: gross - fee = net. minor: the net; +
    we owe more. fee_minor: + the merchant pays more."""

    heading: Heading
    minor: int
    fee_minor: int
    events: int

    @property
    def gross_minor(self) -> int:
        """Before fees: of refunds, what their payers got, with a minus."""
        return self.minor + self.fee_minor


@dataclass(frozen=True, slots=True)
class DayLine:
    """One day of a bill of several. opening + net + other - prepaid = closing. other: net of its
    fees, other_fee. advanced: in all, net of what was taken back, at the day's end."""

    day: date
    paid: int
    amount_minor: int
    fee_minor: int
    net_minor: int
    prepaid_minor: int
    other_minor: int
    other_fee_minor: int
    opening_minor: int
    closing_minor: int
    advanced_minor: int

    @property
    def idle(self) -> bool:
        """Whether nothing moved."""
        orders = (self.paid, self.amount_minor, self.net_minor)
        return not any((*orders, self.prepaid_minor, self.other_minor, self.other_fee_minor))

    @property
    def closing(self) -> MerchantBalance:
        return MerchantBalance.of(self.closing_minor, self.advanced_minor)

    @property
    def remaining_before_minor(self) -> int:
        """What remained of the prepayments at its start; negative: we owed the merchant."""
        return -self.opening_minor

    @property
    def remaining_minor(self) -> int:
        """What remains of the prepayments at its end; negative: we owe the merchant."""
        return -self.closing_minor


@dataclass(frozen=True, slots=True)
class CompletedLine:
    """An order that was completed by hand. reversed_by: empty while the completion stands."""

    at: datetime
    order_no: str
    amount_minor: int
    actor_name: str
    reversed_by: str


@dataclass(frozen=True, slots=True)
class CompletedPage:
    """A page of them, the newest first. page: from 1, the last one where there are fewer. count: of
    all pages."""

    lines: tuple[CompletedLine, ...]
    count: int
    page: int
    pages: int


@dataclass(frozen=True, slots=True)
class Bill:
    """A merchant's bill. opening + net of products + other - prepaid = closing.

    opening/closing: what we owe the merchant (negative: prepayment that remains). movements: one
    for each heading but orders, reversals and prepaid that moved something; other_minor is their
    sum.
    carried: orders among the paid that were created on an earlier day than they are booked on.
    advanced_minor: advanced in all, net of what was taken back, at the end. unpaid: orders that
    were created in these days and are still open. channels: for staff only. by_day: of several.
    prepaid_lines, completed_lines: the newest of prepaid_count and completed_count.
    """

    merchant_id: UUID
    merchant_no: str
    merchant_name: str
    currency: str
    zone: str
    days: Days
    open: bool
    starts_at: datetime
    ends_at: datetime
    opening_minor: int
    products: tuple[ProductLine, ...]
    channels: tuple[ChannelLine, ...]
    carried: int
    movements: tuple[Movement, ...]
    prepaid_minor: int
    prepaid_lines: tuple[VoucherLine, ...]
    prepaid_count: int
    completed_lines: tuple[CompletedLine, ...]
    completed_count: int
    closing_minor: int
    advanced_minor: int
    unpaid: int
    by_day: tuple[DayLine, ...]

    @property
    def opening(self) -> MerchantBalance:
        return MerchantBalance.of(self.opening_minor, self.advanced_minor - self.prepaid_minor)

    @property
    def closing(self) -> MerchantBalance:
        return MerchantBalance.of(self.closing_minor, self.advanced_minor)

    @property
    def net_minor(self) -> int:
        return sum(line.net_minor for line in self.products)

    @property
    def other_minor(self) -> int:
        return sum(movement.minor for movement in self.movements)

    @property
    def fee_minor(self) -> int:
        """All that the merchant paid us, less what it got back."""
        of_orders = sum(line.fee_minor for line in self.products)
        return of_orders + sum(movement.fee_minor for movement in self.movements)

    @property
    def remaining_before_minor(self) -> int:
        """What remained of the prepayments at the start; negative: we owed the merchant."""
        return -self.opening_minor

    @property
    def remaining_minor(self) -> int:
        """What remains of the prepayments at the end; negative: we owe the merchant."""
        return -self.closing_minor


@dataclass(frozen=True, slots=True)
class SupplierLine:
    """What a supplier took on one of its channels. amount: all money it saw or is taken to have
    seen, less what it gave back to payers; due = amount - cost. unconfirmed: of that, orders that
    were completed by hand in these days and that it had not reported when they ended."""

    channel_no: str
    product_code: str
    paid: int
    amount_minor: int
    cost_minor: int
    unconfirmed: int = 0
    unconfirmed_minor: int = 0
    unconfirmed_cost_minor: int = 0

    @property
    def due_minor(self) -> int:
        return self.amount_minor - self.cost_minor

    @property
    def unconfirmed_due_minor(self) -> int:
        return self.unconfirmed_minor - self.unconfirmed_cost_minor


@dataclass(frozen=True, slots=True)
class SupplierBill:
    """A supplier's bill. opening + due of its lines - paid_in = closing: what it owes us.

    suspense_minor: money of no settled order that it held for us at the end.
    """

    supplier_id: UUID
    supplier_no: str
    supplier_name: str
    currency: str
    zone: str
    days: Days
    open: bool
    starts_at: datetime
    ends_at: datetime
    opening_minor: int
    lines: tuple[SupplierLine, ...]
    paid_in_minor: int
    paid_in_lines: tuple[VoucherLine, ...]
    paid_in_count: int
    closing_minor: int
    suspense_minor: int

    @property
    def unconfirmed(self) -> int:
        """How many completions of these days it had not confirmed."""
        return sum(line.unconfirmed for line in self.lines)

    @property
    def unconfirmed_minor(self) -> int:
        return sum(line.unconfirmed_minor for line in self.lines)

    @property
    def unconfirmed_due_minor(self) -> int:
        return sum(line.unconfirmed_due_minor for line in self.lines)


@dataclass(frozen=True, slots=True)
class MerchantLine:
    """A merchant on the platform's bill, or all others together. closing: how it stands at the
    end; of several, each of the three is their sum."""

    merchant_no: str
    merchant_name: str
    paid: int
    amount_minor: int
    fee_minor: int
    cost_minor: int
    closing: MerchantBalance

    @property
    def closing_minor(self) -> int:
        """What we owe the merchant at the end, net."""
        return self.closing.net_minor


@dataclass(frozen=True, slots=True)
class SupplierDueLine:
    """A supplier on the platform's bill. closing: what it owes us at the end."""

    supplier_no: str
    supplier_name: str
    amount_minor: int
    cost_minor: int
    paid_in_minor: int
    closing_minor: int


@dataclass(frozen=True, slots=True)
class HandedOut:
    """Prepayments in another currency than their merchants have, at one rate: original_minor left,
    and counts as minor. records: how many there are, undos apart."""

    original_currency: str
    conversion_rate: str
    currency: str
    records: int
    original_minor: int
    minor: int


@dataclass(frozen=True, slots=True)
class PlatformBill:
    """The platform's bill: the sum of all merchants' books between two instants.

    opening + net + other - prepaid = closing: what we owe all merchants together. fee and cost:
    everything on these accounts, so that fee - cost is the margin of these days. shortfall: what
    completed orders lacked; adjust: corrections; both + in our favour. margin + shortfall + adjust
    is the result. fx: what was advanced in another currency, as it counts in this one; it is no
    part of the result, for as much left in that currency. handed_out: that, by currency and rate;
    and what left in this currency for merchants of others. paid_out: what left in this currency.
    """

    currency: str
    zone: str
    days: Days
    open: bool
    starts_at: datetime
    ends_at: datetime
    opening_minor: int
    created: int
    products: tuple[ProductLine, ...]
    channels: tuple[ChannelLine, ...]
    merchants: tuple[MerchantLine, ...]
    suppliers: tuple[SupplierDueLine, ...]
    movements: tuple[Movement, ...]
    prepaid_minor: int
    fee_minor: int
    cost_minor: int
    shortfall_minor: int
    adjust_minor: int
    fx_minor: int
    paid_out_minor: int
    handed_out: tuple[HandedOut, ...]
    closing_minor: int
    suspense_minor: int

    @property
    def margin_minor(self) -> int:
        return self.fee_minor - self.cost_minor

    @property
    def result_minor(self) -> int:
        return self.margin_minor + self.shortfall_minor + self.adjust_minor

    @property
    def net_minor(self) -> int:
        return sum(line.net_minor for line in self.products)

    @property
    def other_minor(self) -> int:
        return sum(movement.minor for movement in self.movements)

    @property
    def remaining_before_minor(self) -> int:
        """What all merchants owed us at the start, less what we owed them."""
        return -self.opening_minor

    @property
    def remaining_minor(self) -> int:
        """What all merchants owe us at the end, less what we owe them."""
        return -self.closing_minor

    @property
    def closing(self) -> MerchantBalance:
        """What that is made of: no merchant's debt is netted against what another is owed."""
        return MerchantBalance.sum_of(line.closing for line in self.merchants)
