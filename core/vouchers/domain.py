"""Vouchers: written once per cause, undone once by exact reversal, and read again."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import date, datetime
from decimal import Decimal
from typing import Any, Final
from uuid import UUID

from core.access import Actor
from core.audit import Audit
from core.causes import Cause, receipt_of
from core.errors import Bug, Refusal
from core.groups import Groups
from core.ids import Ids
from core.ledger import HOUSE, BusinessDay, Event, Ledger, reversal
from core.money import Money
from core.ops import Deed, tell_ops
from core.outbox import NOBODY, Outbox, Say
from core.store import Store, Tx
from core.vouchers import rows
from core.vouchers.doubts import Doubt, doubt_of_move, doubt_of_undo
from core.vouchers.model import (
    ADJUSTMENT,
    KINDS,
    MODE,
    PAGE_SIZE,
    UNDO_WITHIN,
    Holder,
    Kind,
    Move,
    VoucherLine,
    VoucherPage,
)

_DAY_TRIES: Final = 3


class Vouchers:
    """The rows under prepayments, adjustments and pay-ins. Who may move what is decided there;
    here it is written, all of it in one transaction."""

    def __init__(
        self, store: Store, ids: Ids, ledger: Ledger, groups: Groups, outbox: Outbox, audit: Audit
    ) -> None:
        self._store = store
        self._ids = ids
        self._ledger = ledger
        self._groups = groups
        self._outbox = outbox
        self._audit = audit

    async def record(
        self, actor: Actor, holder: Holder, kind: Kind, move: Move, cause: Cause, *, sure: bool
    ) -> dict[str, Any]:
        """Book a movement and put its receipt into the outbox. Returns the receipt.

        The same cause again answers the same receipt and books nothing. sure: False raises a
        `Doubt` where this may be a slip.
        """

        async def work(tx: Tx, day: BusinessDay) -> dict[str, Any]:
            if (earlier := await receipt_of(tx, cause)) is not None:
                return earlier
            if not sure:
                doubt = await doubt_of_move(tx, holder, kind, move.amount, cause, day.at)
                if doubt is not None:
                    raise doubt
            event = Event(
                f"{kind.booked}:{cause.chat_id}:{cause.message_id}:{cause.line}",
                kind.booked, MODE, move.postings,
            )  # fmt: skip
            return await self._write(tx, day, actor, holder, kind, event, move, cause)

        return await self._in_books(holder, work)

    async def undo(
        self,
        actor: Actor,
        holder: Holder,
        kind: Kind,
        voucher_id: UUID,
        cause: Cause,
        *,
        sure: bool,
    ) -> dict[str, Any]:
        """Take a movement back by its exact reversal. Returns the undo's receipt. sure: as in
        `record`.

        Refusals: record_not_found, already_undone, undo_too_late.
        """

        async def work(tx: Tx, day: BusinessDay) -> dict[str, Any]:
            earlier = await receipt_of(tx, cause)
            if earlier is not None and earlier["reverses"] == str(voucher_id):
                return earlier
            row = await tx.fetchrow(rows.TO_UNDO, holder.id, voucher_id, kind.name)
            if row is None:
                raise Refusal("record_not_found")
            if row["undone"]:
                raise Refusal("already_undone")
            if day.at - row["at"] > UNDO_WITHIN:
                raise Refusal("undo_too_late", limit_min=int(UNDO_WITHIN.total_seconds() // 60))
            if not sure and (doubt := doubt_of_undo(actor, dict(row))) is not None:
                raise doubt
            moved = await self._ledger.postings_of(tx, day.holder_id, row["event_id"])
            event = Event(
                f"{kind.undone}:{voucher_id}", kind.undone, MODE, reversal(moved),
                reverses=row["event_id"],
            )  # fmt: skip
            rate = row["conversion_rate"]
            move = Move(
                Money(-row["minor"], row["currency"]), event.postings,
                Money(-row["original_minor"], row["original_currency"]), row["remark"],
                Decimal(rate) if rate else None,
            )  # fmt: skip
            undone = (voucher_id, row["record_no"])
            return await self._write(tx, day, actor, holder, kind, event, move, cause, undone)

        return await self._in_books(holder, work)

    async def find(self, actor: Actor, voucher_id: UUID) -> tuple[UUID, Kind]:
        """(holder's id, kind) of a voucher that may be shown to this actor here.

        Refusals: record_not_found.
        """
        scope: list[UUID] | None = None
        if actor.merchant_ids is not None:
            suppliers = actor.group.supplier_ids if actor.group else ()
            scope = [*actor.merchant_ids, *suppliers]
        row = await self._store.fetchrow(rows.FIND, scope, voucher_id)
        if row is None:
            raise Refusal("record_not_found")
        return row["holder_id"], KINDS[row["kind"]]

    async def receipt(self, holder_id: UUID, voucher_id: UUID) -> dict[str, Any]:
        """The receipt as it was given when the voucher was booked. Refusals: record_not_found."""
        found: dict[str, Any] | None = await self._store.fetchval(
            rows.RECEIPT, holder_id, voucher_id
        )
        if found is None:
            raise Refusal("record_not_found")
        return found

    async def doubt(
        self,
        holder: Holder,
        kind: Kind,
        amount: Money,
        cause: Cause,
        at: datetime,
        before_minor: int,
    ) -> Doubt | None:
        """Why a movement may be a slip, as it looks now (at) and once the lines before it in its
        message have moved before_minor; `record` looks again."""
        return await doubt_of_move(self._store, holder, kind, amount, cause, at, before_minor)

    async def booked_lines(self, chat_id: int, message_id: int) -> dict[int, str]:
        """line -> record number, of what a message has moved already."""
        found = await self._store.fetch(rows.BOOKED_LINES, chat_id, message_id)
        return {row["line"]: row["record_no"] for row in found}

    async def page(
        self, holder_id: UUID, kind: str, days: tuple[date, date], page: int, size: int = PAGE_SIZE
    ) -> VoucherPage:
        """A page of a holder's vouchers of business days, both ends included; newest first.

        An undo is told on the line that it undid; it is a line of its own only where that one is
        on a day before these.
        """
        totals = await self._store.fetchrow(rows.TOTALS, holder_id, kind, *days, MODE)
        if totals is None:
            raise Bug("a sum has a row")
        pages = max(1, -(-totals["count"] // size))
        page = min(max(1, page), pages)
        found = await self._store.fetch(
            f"{rows.LINES} ORDER BY v.at DESC, v.id DESC LIMIT $6 OFFSET $7",
            holder_id,
            kind,
            *days,
            MODE,
            size,
            (page - 1) * size,
        )
        lines = tuple(_line(row) for row in found)
        return VoucherPage(lines, totals["count"], totals["sum_minor"], page, pages)

    async def _in_books(self, holder: Holder, work: _Work) -> dict[str, Any]:
        """Run `work` in an open day of the books that the holder's vouchers are in: a merchant's
        own, or the desk's.

        A holder's vouchers are written one after another, and each later than the one before, so
        that none of them counts on a number, a balance or an undo that another one is about to
        change. No balance could be that lock: kinds move different ones. It is taken after the day
        and before balances.
        """

        async def alone(tx: Tx, day: BusinessDay) -> dict[str, Any]:
            await tx.hold(f"voucher:{holder.id}")
            return await work(tx, day.after(await tx.fetchval(rows.NEWEST_AT, holder.id)))

        if holder.role == "merchant":
            return await self._ledger.in_open_day(holder.id, alone)
        for _ in range(_DAY_TRIES):
            # The supplier's own day is opened first where it is due; no booking holds it.
            await self._ledger.today(holder.id)
            try:
                return await self._ledger.in_open_day(HOUSE, alone)
            except _SupplierDayOver:
                continue
        raise Bug(f"the business day of supplier {holder.no} would not open")

    async def _write(
        self,
        tx: Tx,
        day: BusinessDay,
        actor: Actor,
        holder: Holder,
        kind: Kind,
        event: Event,
        move: Move,
        cause: Cause,
        undone: tuple[UUID, str] | None = None,
    ) -> dict[str, Any]:
        """Event, voucher, cause, trail, receipt. undone: id and number of what is taken back."""
        listed_on = await _day_of(tx, holder, day)
        event_id = await self._ledger.book(tx, day, event)
        voucher_id = self._ids.uuid7()
        seq = await tx.fetchval(rows.NEXT_SEQ, holder.id)
        after_minor, advanced_minor = await self._standing(tx, holder)
        rate = move.conversion_rate
        receipt = {
            f"{kind.name}_id": str(voucher_id),
            "kind": kind.name,
            "record_no": f"{holder.no}-{seq}",
            f"{holder.role}_no": holder.no,
            f"{holder.role}_name": holder.name,
            f"{holder.role}_id": str(holder.id),
            "minor": move.amount.minor,
            "currency": move.amount.currency,
            "original_minor": move.original.minor,
            "original_currency": move.original.currency,
            "conversion_rate": "" if rate is None else format(rate, "f"),
            "remark": move.remark,
            "proof": move.proof_file_id is not None,
            "before_minor": after_minor - kind.weight * move.amount.minor,
            "after_minor": after_minor,
            "advanced_minor": advanced_minor,
            "actor_name": actor.name,
            "at": day.at.isoformat(),
            "day": listed_on.isoformat(),
            "zone": holder.day_cut.zone,
            "reverses": str(undone[0]) if undone else "",
            "reverses_no": undone[1] if undone else "",
        }
        await tx.execute(
            rows.INSERT,
            holder.id,
            voucher_id,
            kind.name,
            seq,
            receipt["record_no"],
            MODE,
            move.amount.currency,
            move.amount.minor,
            move.original.minor,
            move.original.currency,
            receipt["conversion_rate"] or None,
            move.remark,
            move.proof_file_id,
            actor.user_id,
            actor.name,
            cause.chat_id,
            cause.message_id,
            event_id,
            undone[0] if undone else None,
            listed_on,
            day.at,
        )
        await tx.execute(
            rows.INSERT_CAUSE,
            cause.chat_id,
            cause.message_id,
            cause.line,
            holder.id,
            receipt,
            day.at,
        )
        await self._tell(tx, actor, holder, event.kind, receipt, cause, voucher_id)
        await self._tell_ops(tx, actor, holder, kind, receipt)
        return receipt

    async def _tell(
        self,
        tx: Tx,
        actor: Actor,
        holder: Holder,
        event_kind: str,
        receipt: dict[str, Any],
        cause: Cause,
        voucher_id: UUID,
    ) -> None:
        """The trail, the receipt in the chat, and the live bills that moved."""
        merchant_id = holder.id if holder.role == "merchant" else None
        await self._audit.record(
            tx,
            event_kind,
            actor=actor.trail_name,
            facts=receipt,
            merchant_id=merchant_id,
            chat_id=cause.chat_id,
            message_id=cause.message_id,
        )
        say = Say(
            event_kind, receipt, reply_to=cause.message_id, remember="receipt", ref=str(voucher_id)
        )
        await self._outbox.say(tx, cause.chat_id, say, merchant_id=merchant_id or NOBODY)
        if merchant_id is not None:
            await self._groups.show_bill(tx, merchant_id)

    async def _tell_ops(
        self, tx: Tx, actor: Actor, holder: Holder, kind: Kind, receipt: dict[str, Any]
    ) -> None:
        """Of every adjustment; of others where they are made in private: in the group of whom it
        concerns, that one's people see it as well."""
        if kind is not ADJUSTMENT and actor.group is not None:
            return
        deed = Deed(
            kind.undone if receipt["reverses"] else kind.booked,
            holder.no,
            holder.name,
            Money(receipt["minor"], receipt["currency"]),
            receipt["record_no"],
            receipt["remark"],
        )
        await tell_ops(tx, self._groups, actor, deed)

    async def _standing(self, tx: Tx, holder: Holder) -> tuple[int, int]:
        """How the holder stands after what was booked, and what was advanced to it in all.

        Of a merchant: the prepayment that remains (negative: we owe it). Of a supplier: what it
        owes us, over all merchants' books and what it paid in (0 is advanced to it).
        """
        if holder.role == "merchant":
            position = await self._ledger.position(tx, holder.id, MODE, holder.currency)
            return -position.minor, position.advanced_minor
        accounts = [f"due/{holder.no}", f"supplier/{holder.no}/settled"]
        return await tx.fetchval(rows.OWED, accounts, holder.currency, MODE), 0


class _SupplierDayOver(Exception):
    """A supplier's day ended between its opening and the booking."""


_Work = Callable[[Tx, BusinessDay], Awaitable[dict[str, Any]]]


async def _day_of(tx: Tx, holder: Holder, day: BusinessDay) -> date:
    """The holder's business day in which something is booked."""
    if holder.role == "merchant":
        return day.day
    found: date | None = await tx.fetchval(rows.DAY_OF, holder.id, day.at)
    if found is None:
        raise _SupplierDayOver
    return found


def _line(row: Any) -> VoucherLine:
    return VoucherLine(**dict(row))
