"""Vouchers: written once per cause, undone once by exact reversal, and read again."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import replace
from datetime import date
from typing import Any, Final, TypeVar
from uuid import UUID

import asyncpg

from core.accounts.vouchers import rows
from core.accounts.vouchers.announcements import Telling, Written
from core.accounts.vouchers.doubts import UNDO_LINE, Doubted, doubt_of_undo, doubts_of_moves
from core.accounts.vouchers.limits import Limits, Second, hold_vouchers
from core.accounts.vouchers.model import (
    KINDS,
    PAGE_SIZE,
    Decision,
    Holder,
    Kind,
    VoucherLine,
    VoucherPage,
)
from core.accounts.vouchers.receipts import (
    Entry,
    Record,
    VoucherReceipt,
    read_receipt,
    write_receipt,
)
from core.accounts.vouchers.undo import need_undoable, reversal_of
from core.books import BusinessDay, Event, Ledger
from core.delivery.district import Delivery
from core.delivery.outbox import values_of
from core.kernel.errors import Bug, Refusal
from core.kernel.holder import MODE
from core.people.actors import Actor
from core.people.district import People
from core.people.receipts import Cause, receipt_of
from core.system.district import System
from core.system.store import Queries, Tx

T = TypeVar("T")
_Days = Mapping[UUID, BusinessDay]  # each holder's
_SEVERAL: Final = 2
_DAY_TRIES: Final = 3


class Vouchers:
    """The rows under prepayments, adjustments and pay-ins. Who may move what is decided there;
    here it is written, all that one message moves in one transaction."""

    def __init__(self, system: System, ledger: Ledger, delivery: Delivery, people: People) -> None:
        self._store = system.store
        self._ids = system.ids
        self._ledger = ledger
        self._telling = Telling(people.groups, delivery.outbox, delivery.audit)
        self._limits = Limits(people.limits)

    async def record(
        self,
        actor: Actor,
        decisions: Sequence[Decision],
        *,
        doubted: Doubted | None = None,
        second: Second | None = None,
    ) -> list[VoucherReceipt]:
        """Book the lines of a message, all of them or none, and put their one receipt into the
        outbox. Returns the receipt of each line.

        The same cause again answers the same receipt and books nothing. doubted: is told which of
        them may be slips; None where that is no matter. second: who approves what is above a
        threshold; None raises `SecondNeeded` for that. Refusals: daily_cap.
        """
        approver = second.person if second is not None else None

        async def work(tx: Tx, days: _Days) -> list[VoucherReceipt]:
            if second is not None:
                await second.approve(tx)
            receipts = {one.cause: await _receipt_of(tx, one.cause) for one in decisions}
            fresh = [
                replace(one, approver=approver) for one in decisions if receipts[one.cause] is None
            ]
            await self._limits.need_within_day(tx, actor, fresh)
            if doubted is not None:
                instants = {holder_id: day.at for holder_id, day in days.items()}
                await doubted(tx, await doubts_of_moves(tx, fresh, instants))
            if second is None:
                await self._limits.need_one_person(tx, actor, fresh)
            await self._hold_balances(tx, fresh)
            written, at = [], dict(days)
            for one in fresh:
                cause, day = one.cause, at[one.holder.id]
                event = Event(
                    f"{one.kind.booked}:{cause.chat_id}:{cause.message_id}:{cause.line}",
                    one.kind.booked, MODE, one.move.postings,
                )  # fmt: skip
                written.append(await self._write(tx, day, actor, one, event))
                at[one.holder.id] = day.after(day.at)
            if written:
                await self._telling.tell(tx, actor, written)
            receipts.update((one.cause, one.receipt) for one in written)
            return [receipt for receipt in receipts.values() if receipt is not None]

        return await self._in_books([one.holder for one in decisions], work)

    async def undo(
        self,
        actor: Actor,
        holder: Holder,
        kind: Kind,
        voucher_id: UUID,
        cause: Cause,
        *,
        doubted: Doubted | None = None,
    ) -> VoucherReceipt:
        """Take a movement back by its exact reversal. Returns the undo's receipt.

        Where a button is the cause, the receipt that carries it is struck through, also when the
        same press comes again. doubted: as in `record`.
        Refusals: record_not_found, already_undone, undo_too_late.
        """

        async def work(tx: Tx, days: _Days) -> VoucherReceipt:
            day = days[holder.id]
            receipt = await _receipt_of(tx, cause)
            if receipt is None or receipt.reverses != voucher_id:
                row = await tx.fetchrow(rows.TO_UNDO, holder.id, voucher_id, kind.name)
                need_undoable(row, day.at)
                assert row is not None
                if doubted is not None:
                    doubt = doubt_of_undo(actor, dict(row))
                    await doubted(tx, {} if doubt is None else {UNDO_LINE: doubt})
                receipt = await self._reverse(tx, day, actor, (holder, kind), row, cause)
            if cause.is_press:
                record = await self._record_of(tx, [holder.id], voucher_id)
                await self._telling.strike(tx, record, cause)
            return receipt

        return await self._in_books([holder], work)

    async def find(self, actor: Actor, voucher_id: UUID) -> Record:
        """A voucher that may be shown to this actor here. Refusals: record_not_found."""
        scope: list[UUID] | None = None
        if actor.merchant_ids is not None:
            scope = [*actor.merchant_ids, *(actor.supplier_ids or ())]
        return await self._record_of(self._store, scope, voucher_id)

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

    async def _record_of(
        self, queries: Queries, scope: list[UUID] | None, voucher_id: UUID
    ) -> Record:
        row = await queries.fetchrow(rows.FIND, scope, voucher_id)
        if row is None:
            raise Refusal("record_not_found")
        cause = Cause(row["chat_id"], row["message_id"], row["line"])
        kind, receipt = KINDS[row["kind"]], read_receipt(row["receipt"])
        return Record(voucher_id, row["holder_id"], kind, cause, receipt)

    async def _in_books(
        self, holders: Sequence[Holder], work: Callable[[Tx, _Days], Awaitable[T]]
    ) -> T:
        """Run `work` in open days of the books that the holders' vouchers are in. It is given the
        day of each holder, by the holder's id.

        A holder's vouchers are written one after another, and each later than the one before, so
        that none of them counts on a number, a balance or an undo that another one is about to
        change. No balance could be that lock: kinds move different ones. It is taken after the
        days and before balances, and those of several holders in the order of their ids.
        """
        whose = {holder.id: holder for holder in holders}

        async def alone(tx: Tx, held: Mapping[UUID, BusinessDay]) -> T:
            days: dict[UUID, BusinessDay] = {}
            for holder_id in sorted(whose):
                await hold_vouchers(tx, holder_id)
                newest_at = await tx.fetchval(rows.NEWEST_AT, holder_id)
                days[holder_id] = held[whose[holder_id].books_id].after(newest_at)
            return await work(tx, days)

        for _ in range(_DAY_TRIES):
            for holder in whose.values():
                if holder.role == "supplier":
                    # Its own day is opened first where it is due; no booking holds it.
                    await self._ledger.calendar.today(holder.id)
            try:
                books = (holder.books_id for holder in whose.values())
                return await self._ledger.in_open_days(books, alone)
            except _SupplierDayOver:
                continue
        raise Bug(f"a business day would not open: {', '.join(h.no for h in whose.values())}")

    async def _hold_balances(self, tx: Tx, decisions: Sequence[Decision]) -> None:
        """Hold what several lines will move, before the first of them is booked."""
        if len(decisions) < _SEVERAL:
            return
        for books_id in sorted({one.holder.books_id for one in decisions}):
            moved = [x.move.postings for x in decisions if x.holder.books_id == books_id]
            await self._ledger.hold_balances(tx, books_id, MODE, *moved)

    async def _reverse(
        self,
        tx: Tx,
        day: BusinessDay,
        actor: Actor,
        whose: tuple[Holder, Kind],
        row: asyncpg.Record,
        cause: Cause,
    ) -> VoucherReceipt:
        """Book the exact reversal of a voucher's row and tell it; the receipt."""
        holder, kind = whose
        moved = await self._ledger.postings_of(tx, day.holder_id, row["event_id"])
        event, move = reversal_of(kind, row, moved)
        decided = Decision(holder, kind, move, cause)
        written = await self._write(tx, day, actor, decided, event, (row["id"], row["record_no"]))
        written = replace(written, by_two=row["approved_by"] is not None)
        await self._telling.tell(tx, actor, [written])
        return written.receipt

    async def _write(
        self,
        tx: Tx,
        day: BusinessDay,
        actor: Actor,
        decided: Decision,
        event: Event,
        undone: tuple[UUID, str] | None = None,
    ) -> Written:
        """Event, voucher and cause. undone: id and number of what is taken back."""
        holder, cause = decided.holder, decided.cause
        listed_on = await _day_of(tx, holder, day)
        event_id = await self._ledger.book(tx, day, event)
        seq = await tx.fetchval(rows.NEXT_SEQ, holder.id)
        standing = await self._standing(tx, holder)
        entry = Entry(self._ids.uuid7(), seq, event_id, day.at, listed_on, *standing, undone)
        receipt = write_receipt(decided, entry, actor.name)
        await rows.insert(tx, actor, decided, entry, receipt)
        await tx.execute(
            rows.INSERT_CAUSE,
            cause.chat_id,
            cause.message_id,
            cause.line,
            holder.id,
            values_of(receipt),
            day.at,
        )
        by_two = decided.approver is not None
        return Written(holder, decided.kind, cause, receipt, by_two)

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


async def _receipt_of(queries: Queries, cause: Cause) -> VoucherReceipt | None:
    """What was booked because of this; None where nothing was."""
    values = await receipt_of(queries, cause)
    return None if values is None else read_receipt(values)


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
