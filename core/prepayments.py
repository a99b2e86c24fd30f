"""Prepayments: money the platform advanced to a merchant, or took back; undone by reversal."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal
from typing import Any, Final
from uuid import UUID

from core.access import Actor
from core.audit import Audit
from core.errors import Refusal
from core.groups import Groups
from core.ids import Ids
from core.ledger import (
    AlreadyBooked,
    BusinessDay,
    Event,
    Ledger,
    prepaid,
    prepaid_converted,
    reversal,
)
from core.merchants import Merchant
from core.money import Money, exchange
from core.outbox import Outbox, Say
from core.store import Tx

UNDO_WITHIN: Final = timedelta(minutes=30)
MODE: Final = "live"


@dataclass(frozen=True, slots=True)
class Cause:
    """The line of a message that moves money. line: from 1; 0 for a button."""

    chat_id: int
    message_id: int
    line: int


@dataclass(frozen=True, slots=True)
class Advance:
    """What a person wrote. amount: in its own currency, negative for a take-back.

    conversion_rate: how much of the merchant's currency one of the other is; None where the
    amount is in the merchant's currency already.
    """

    amount: Money
    remark: str
    conversion_rate: Decimal | None = None


class Prepayments:
    """Records prepayments. Each is booked at most once per cause, whoever asks again."""

    def __init__(
        self, ids: Ids, ledger: Ledger, groups: Groups, outbox: Outbox, audit: Audit
    ) -> None:
        self._ids = ids
        self._ledger = ledger
        self._groups = groups
        self._outbox = outbox
        self._audit = audit

    async def record(
        self, actor: Actor, merchant: Merchant, advance: Advance, cause: Cause
    ) -> dict[str, Any]:
        """Book a prepayment and put its receipt into the outbox. Returns the receipt.

        The same cause again answers the same receipt and books nothing.
        Refusals: anonymous_admin, not_permitted, amount_invalid.
        """
        actor.need("prepay")
        converted = convert(advance, merchant.currency)

        async def work(tx: Tx, day: BusinessDay) -> dict[str, Any]:
            earlier = await _receipt_of(tx, cause)
            if earlier is not None:
                return earlier
            postings = (
                prepaid(converted)
                if advance.conversion_rate is None
                else prepaid_converted(advance.amount, converted)
            )
            event = Event(
                f"prepaid:{cause.chat_id}:{cause.message_id}:{cause.line}",
                "prepaid",
                MODE,
                postings,
            )
            return await self._write(
                tx,
                day,
                actor,
                merchant,
                cause,
                event,
                amount=converted,
                original=advance.amount,
                remark=advance.remark,
                conversion_rate=advance.conversion_rate,
                reverses=None,
            )

        return await self._once(merchant, work)

    async def undo(
        self, actor: Actor, merchant: Merchant, prepayment_id: UUID, cause: Cause
    ) -> dict[str, Any]:
        """Take a prepayment back by its exact reversal. Returns the undo's receipt.

        Refusals: anonymous_admin, not_permitted, record_not_found, already_undone, undo_too_late.
        """
        actor.need("prepay")

        async def work(tx: Tx, day: BusinessDay) -> dict[str, Any]:
            earlier = await _receipt_of(tx, cause)
            if earlier is not None and earlier.get("reverses") == str(prepayment_id):
                return earlier
            row = await tx.fetchrow(
                "SELECT p.*, EXISTS (SELECT FROM voucher r WHERE r.holder_id = p.holder_id"
                " AND r.reverses = p.id) AS undone FROM voucher p"
                " WHERE p.holder_id = $1 AND p.id = $2 AND p.reverses IS NULL",
                merchant.id,
                prepayment_id,
            )
            if row is None:
                raise Refusal("record_not_found")
            if row["undone"]:
                raise Refusal("already_undone")
            if day.at - row["at"] > UNDO_WITHIN:
                raise Refusal("undo_too_late", limit_min=int(UNDO_WITHIN.total_seconds() // 60))
            postings = await self._ledger.postings_of(tx, merchant.id, row["event_id"])
            event = Event(
                f"prepaid_undone:{prepayment_id}",
                "prepaid_undone",
                MODE,
                reversal(postings),
                reverses=row["event_id"],
            )
            return await self._write(
                tx,
                day,
                actor,
                merchant,
                cause,
                event,
                amount=Money(-row["minor"], row["currency"]),
                original=Money(-row["original_minor"], row["original_currency"]),
                remark=row["remark"],
                conversion_rate=Decimal(row["conversion_rate"]) if row["conversion_rate"] else None,
                reverses=prepayment_id,
                reverses_no=row["record_no"],
            )

        return await self._once(merchant, work)

    async def _once(
        self, merchant: Merchant, work: Callable[[Tx, BusinessDay], Awaitable[dict[str, Any]]]
    ) -> dict[str, Any]:
        """Where a twin of this very call booked first, a second run finds what the twin wrote."""
        try:
            return await self._ledger.in_open_day(merchant.id, merchant.day_cut, work)
        except AlreadyBooked:
            return await self._ledger.in_open_day(merchant.id, merchant.day_cut, work)

    async def _write(
        self,
        tx: Tx,
        day: BusinessDay,
        actor: Actor,
        merchant: Merchant,
        cause: Cause,
        event: Event,
        *,
        amount: Money,
        original: Money,
        remark: str,
        conversion_rate: Decimal | None,
        reverses: UUID | None,
        reverses_no: str = "",
    ) -> dict[str, Any]:
        # Booking locks the prepaid balance, so what is read after it stands still.
        event_id = await self._ledger.book(tx, day, event)
        after = await self._ledger.position(tx, merchant.id, MODE, merchant.currency)
        prepayment_id = self._ids.uuid7()
        seq = await tx.fetchval(
            "SELECT coalesce(max(seq), 0) + 1 FROM voucher WHERE holder_id = $1", merchant.id
        )
        receipt = {
            "prepayment_id": str(prepayment_id),
            "record_no": f"{merchant.merchant_no}-{seq}",
            "merchant_no": merchant.merchant_no,
            "merchant_name": merchant.name,
            "merchant_id": str(merchant.id),
            "minor": amount.minor,
            "currency": amount.currency,
            "original_minor": original.minor,
            "original_currency": original.currency,
            "conversion_rate": str(conversion_rate) if conversion_rate is not None else "",
            "remark": remark,
            "before_minor": -after.minor - amount.minor,
            "after_minor": -after.minor,
            "advanced_minor": after.advanced_minor,
            "actor_name": actor.name,
            "at": day.at.isoformat(),
            "day": day.day.isoformat(),
            "zone": merchant.day_cut.zone,
            "reverses": str(reverses) if reverses else "",
            "reverses_no": reverses_no,
        }
        await tx.execute(
            "INSERT INTO voucher (holder_id, id, kind, seq, record_no, mode, currency, minor,"
            " original_minor, original_currency, conversion_rate, remark, actor_user_id,"
            " actor_name, chat_id, message_id, event_id, reverses, day, at)"
            " VALUES ($1, $2, 'prepayment', $3,"
            " $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19)",
            merchant.id,
            prepayment_id,
            seq,
            receipt["record_no"],
            MODE,
            amount.currency,
            amount.minor,
            original.minor,
            original.currency,
            receipt["conversion_rate"] or None,
            remark,
            actor.user_id,
            actor.name,
            cause.chat_id,
            cause.message_id,
            event_id,
            reverses,
            day.day,
            day.at,
        )
        await tx.execute(
            "INSERT INTO cause (chat_id, message_id, line, holder_id, receipt, at)"
            " VALUES ($1, $2, $3, $4, $5, $6)",
            cause.chat_id,
            cause.message_id,
            cause.line,
            merchant.id,
            receipt,
            day.at,
        )
        await self._audit.record(
            tx,
            event.kind,
            actor=actor.trail_name,
            facts=receipt,
            merchant_id=merchant.id,
            chat_id=cause.chat_id,
            message_id=cause.message_id,
        )
        await self._outbox.say(
            tx,
            cause.chat_id,
            Say(
                "prepaid_undone" if reverses else "prepaid",
                receipt,
                reply_to=cause.message_id,
                remember="receipt",
                ref=str(prepayment_id),
            ),
            merchant_id=merchant.id,
        )
        await self._groups.show_bill(tx, merchant.id)
        return receipt


def convert(advance: Advance, currency: str) -> Money:
    """The advance in the merchant's currency: exact where none is converted, else rounded
    half-up to the smallest unit at the stated rate. Refusals: amount_invalid."""
    amount = advance.amount
    if advance.conversion_rate is None:
        if amount.currency != currency:
            raise Refusal("amount_invalid", text=amount, currency=currency, example="+1000")
        result = amount
    else:
        result = exchange(amount, advance.conversion_rate, currency)
    if result.minor == 0:
        raise Refusal("amount_invalid", text=amount, currency=currency, example="+1000")
    return result


async def _receipt_of(tx: Tx, cause: Cause) -> dict[str, Any] | None:
    found: dict[str, Any] | None = await tx.fetchval(
        "SELECT receipt FROM cause WHERE chat_id = $1 AND message_id = $2 AND line = $3",
        cause.chat_id,
        cause.message_id,
        cause.line,
    )
    return found
