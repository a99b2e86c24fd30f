"""What is said of vouchers: the receipt of each, and of a message that moved several lines."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, Final
from uuid import UUID

from core.accounts.vouchers.model import KINDS, Decision, Kind, KindName, Role
from core.delivery.outbox import Notice, Stored, read_notice, screen_of
from core.people.receipts import Cause


@dataclass(frozen=True, slots=True)
class VoucherReceipt(Notice):
    """What a voucher moved, and how its holder stands by it. A subclass for each deed; its name is
    that of the event in the books and of the trail's action.

    line: of the message that is its cause, as in `Cause`. conversion_rate: exact decimal text;
    empty where nothing was converted. before_minor, after_minor: of a merchant, the prepayment that
    remains; of a supplier, what it owes us. advanced_minor: to a merchant in all. reverses,
    reverses_no: of the voucher that it takes back. undone_by, undone_no: who took this one back
    since, and the number of that record. approved_by, approved_by_name: the second person's id at
    Telegram and name; none where one person was enough.
    """

    kind: KindName
    voucher_id: UUID
    record_no: str
    line: int
    role: Role
    holder_id: UUID
    holder_no: str
    holder_name: str
    zone: str
    minor: int
    currency: str
    original_minor: int
    original_currency: str
    conversion_rate: str
    remark: str
    proof: bool
    before_minor: int
    after_minor: int
    advanced_minor: int
    actor_name: str
    at: datetime
    day: date
    reverses: UUID | None = None
    reverses_no: str = ""
    undone_by: str = ""
    undone_no: str = ""
    approved_by: int | None = None
    approved_by_name: str = ""


@dataclass(frozen=True, slots=True)
class Prepaid(VoucherReceipt):
    """Money was advanced to a merchant, or taken back."""


@dataclass(frozen=True, slots=True)
class PrepaidUndone(VoucherReceipt):
    """A prepayment was undone."""


@dataclass(frozen=True, slots=True)
class Adjusted(VoucherReceipt):
    """What we owe a merchant was corrected."""


@dataclass(frozen=True, slots=True)
class AdjustedUndone(VoucherReceipt):
    """An adjustment was undone."""


@dataclass(frozen=True, slots=True)
class PaidIn(VoucherReceipt):
    """A supplier paid of what it owes us, or was given back."""


@dataclass(frozen=True, slots=True)
class PaidInUndone(VoucherReceipt):
    """A pay-in was undone."""


@dataclass(frozen=True, slots=True)
class ReceiptNotice(Notice):
    """What a message of several lines moved."""

    lines: tuple[VoucherReceipt, ...]


@dataclass(frozen=True, slots=True)
class Record:
    """A voucher as it was booked: by which line of which message, and the receipt of that line."""

    id: UUID
    holder_id: UUID
    kind: Kind
    cause: Cause
    receipt: VoucherReceipt


@dataclass(frozen=True, slots=True)
class Entry:
    """A voucher's place in the books. seq: of its holder. at: when it was booked; day: of its
    holder. after_minor, advanced_minor: as in its receipt. undone: id and number of the voucher
    that it takes back."""

    id: UUID
    seq: int
    event_id: UUID
    at: datetime
    day: date
    after_minor: int
    advanced_minor: int
    undone: tuple[UUID, str] | None


_BY_DEED: Final[Mapping[str, type[VoucherReceipt]]] = {
    screen_of(kind): kind
    for kind in (Prepaid, PrepaidUndone, Adjusted, AdjustedUndone, PaidIn, PaidInUndone)
}


def write_receipt(decided: Decision, entry: Entry, actor_name: str) -> VoucherReceipt:
    """The receipt of a decision that was booked."""
    holder, kind, move = decided.holder, decided.kind, decided.move
    rate, approver = move.conversion_rate, decided.approver
    return _BY_DEED[kind.undone if entry.undone else kind.booked](
        kind=kind.name,
        voucher_id=entry.id,
        record_no=f"{holder.no}-{entry.seq}",
        line=decided.cause.line,
        role=holder.role,
        holder_id=holder.id,
        holder_no=holder.no,
        holder_name=holder.name,
        zone=holder.day_cut.zone,
        minor=move.amount.minor,
        currency=move.amount.currency,
        original_minor=move.original.minor,
        original_currency=move.original.currency,
        conversion_rate="" if rate is None else format(rate, "f"),
        remark=move.remark,
        proof=move.proof_file_id is not None,
        before_minor=entry.after_minor - kind.weight * move.amount.minor,
        after_minor=entry.after_minor,
        advanced_minor=entry.advanced_minor,
        actor_name=actor_name,
        at=entry.at,
        day=entry.day,
        reverses=entry.undone[0] if entry.undone else None,
        reverses_no=entry.undone[1] if entry.undone else "",
        approved_by=approver.user_id if approver else None,
        approved_by_name=approver.name if approver else "",
    )


def read_receipt(values: Mapping[str, Any]) -> VoucherReceipt:
    """A receipt as it was kept with its cause."""
    kind = KINDS[values["kind"]]
    deed = kind.undone if values["reverses"] else kind.booked
    return read_notice(_BY_DEED[deed], Stored(deed, values))


def told(lines: tuple[VoucherReceipt, ...]) -> Notice:
    """What is said of a message that moved these."""
    return lines[0] if len(lines) == 1 else ReceiptNotice(lines)
