"""Vouchers as data: whose they are, what kind, what moves, and how they are listed."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Final, Literal
from uuid import UUID

from core.accounts.vouchers.amounts import Advance, Converted
from core.books import Postings
from core.kernel.clock import DayCut
from core.kernel.holder import HOUSE
from core.kernel.money import Money
from core.parties.merchants import Merchant
from core.parties.suppliers import Supplier
from core.people.actors import Actor
from core.people.receipts import Cause

PAGE_SIZE: Final = 10

KindName = Literal["prepayment", "adjustment", "payin"]
Role = Literal["merchant", "supplier"]
Booked = Literal["prepaid", "adjusted", "paid_in"]
Undone = Literal["prepaid_undone", "adjusted_undone", "paid_in_undone"]


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind of voucher. name: as its rows say. booked, undone: kinds of its events, which also
    name the receipts' screens and the audit's actions. right: who may record and undo it.

    weight: what one unit does to the balance that its receipt shows: of a merchant, the prepayment
    that remains; of a supplier, what it owes us.
    """

    name: KindName
    booked: Booked
    undone: Undone
    right: str
    weight: Literal[1, -1]


PREPAYMENT: Final = Kind("prepayment", "prepaid", "prepaid_undone", "prepay", 1)
# In the merchant's favour is against the prepayment that remains.
ADJUSTMENT: Final = Kind("adjustment", "adjusted", "adjusted_undone", "adjust", -1)
PAYIN: Final = Kind("payin", "paid_in", "paid_in_undone", "payin", -1)
KINDS: Final = {kind.name: kind for kind in (PREPAYMENT, ADJUSTMENT, PAYIN)}


@dataclass(frozen=True, slots=True)
class Holder:
    """Whose vouchers: a merchant, whose own books they move, or a supplier, who pays into the
    desk's. no: what record numbers begin with."""

    role: Role
    id: UUID
    no: str
    name: str
    currency: str
    day_cut: DayCut

    @staticmethod
    def merchant(merchant: Merchant) -> Holder:
        return Holder(
            "merchant", merchant.id, merchant.merchant_no, merchant.name, merchant.currency,
            merchant.day_cut,
        )  # fmt: skip

    @staticmethod
    def supplier(supplier: Supplier) -> Holder:
        return Holder(
            "supplier", supplier.id, supplier.supplier_no, supplier.name, supplier.currency,
            supplier.day_cut,
        )  # fmt: skip

    @property
    def books_id(self) -> UUID:
        """Whose books its vouchers are in: a merchant's own, or the desk's."""
        return self.id if self.role == "merchant" else HOUSE


@dataclass(frozen=True, slots=True)
class Move:
    """What is to be booked, decided. amount: in the holder's currency; original: as it was said,
    in its own. conversion_rate: between the two, None where they are one."""

    amount: Money
    postings: Postings
    original: Money
    remark: str
    conversion_rate: Decimal | None = None
    proof_file_id: str | None = None

    @staticmethod
    def of(advance: Advance, converted: Converted, postings: Postings) -> Move:
        """What a person wrote, converted."""
        return Move(
            converted.amount, postings, converted.original, advance.remark,
            advance.conversion_rate, advance.proof_file_id,
        )  # fmt: skip


@dataclass(frozen=True, slots=True)
class Decision:
    """A line of a message, decided: what is to be booked, of whom, and because of what. approver:
    the second person, where one was needed."""

    holder: Holder
    kind: Kind
    move: Move
    cause: Cause
    approver: Actor | None = None


@dataclass(frozen=True, slots=True)
class VoucherLine:
    """One prepayment, adjustment or pay-in as a bill lists it. undone_by: empty while it stands.

    minor: + advanced to the merchant (adjustment: in its favour; pay-in: paid by the supplier).
    conversion_rate: exact decimal text, empty where nothing was converted.
    """

    at: datetime
    record_no: str
    minor: int
    original_minor: int
    original_currency: str
    conversion_rate: str
    actor_name: str
    remark: str
    proof: bool
    undone_by: str
    id: UUID


@dataclass(frozen=True, slots=True)
class VoucherPage:
    """A page of vouchers, newest first. page: from 1, the last one where there are fewer.

    count: of all lines in these days. sum_minor: what the days moved in all, undone ones and
    their undoing included, as the books have it.
    """

    lines: tuple[VoucherLine, ...]
    count: int
    sum_minor: int
    page: int
    pages: int
