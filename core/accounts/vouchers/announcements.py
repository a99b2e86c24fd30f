"""Who hears of vouchers: the chat they were written in, the trail, the live bills, and ops."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from core.accounts.vouchers import rows
from core.accounts.vouchers.model import ADJUSTMENT, Decision, Holder, Kind, Record
from core.delivery.audit import Audit
from core.delivery.outbox import NOBODY, Outbox, Say, Stored
from core.kernel.money import Money
from core.people.actors import Actor
from core.people.groups import Groups
from core.people.ops import Deed, tell_ops
from core.people.receipts import Cause
from core.system.store import Queries, Tx


@dataclass(frozen=True, slots=True)
class Written:
    """A voucher that was written just now. event_kind: names the trail's action and, where it is
    the only one of its message, the receipt's screen."""

    holder: Holder
    kind: Kind
    event_kind: str
    cause: Cause
    voucher_id: UUID
    receipt: dict[str, Any]


class Telling:
    """Puts all that is told into the transaction of what was written."""

    def __init__(self, groups: Groups, outbox: Outbox, audit: Audit) -> None:
        self._groups = groups
        self._outbox = outbox
        self._audit = audit

    async def tell(self, tx: Tx, actor: Actor, written: Sequence[Written]) -> None:
        """One receipt for all that a message (or a button) moved, the trail of each, the live
        bills, and ops."""
        for one in written:
            await self._audit.record(
                tx,
                one.event_kind,
                actor=actor.trail_name,
                facts=one.receipt,
                merchant_id=_merchant_id(one.holder),
                chat_id=one.cause.chat_id,
                message_id=one.cause.message_id,
            )
        first = written[0]
        lines = [{**one.receipt, "line": one.cause.line} for one in written]
        receipt = Say(
            Stored(*_shown(first.event_kind, lines)), reply_to=first.cause.message_id,
            remember="receipt", ref=str(first.voucher_id),
        )  # fmt: skip
        holders = {one.holder.id: one.holder for one in written}
        whose = _merchant_id(first.holder) if len(holders) == 1 else None
        await self._outbox.say(tx, first.cause.chat_id, receipt, merchant_id=whose or NOBODY)
        for holder_id in sorted(holders):
            if holders[holder_id].role == "merchant":
                await self._groups.show_bill(tx, holder_id)
        await self._tell_ops(tx, actor, written)

    async def strike(self, tx: Tx, record: Record, press: Cause) -> None:
        """Strike what was undone through on the receipt whose button was pressed.

        Two people undo two lines of one receipt: whoever comes second waits here, and shows what
        both have done.
        """
        booked = record.cause
        await tx.hold(f"receipt:{booked.chat_id}:{booked.message_id}")
        lines = await receipts_of(tx, booked.chat_id, booked.message_id)
        say = Say(Stored(*_shown(record.kind.booked, lines)), edit_message_id=press.message_id)
        whose = NOBODY if record.kind.name == "payin" else record.holder_id
        await self._outbox.say(tx, press.chat_id, say, merchant_id=whose)

    async def _tell_ops(self, tx: Tx, actor: Actor, written: Sequence[Written]) -> None:
        """Of every adjustment; of others where they are made in private: in the group of whom it
        concerns, that one's people see it as well."""
        deeds = [
            Deed(
                one.kind.undone if one.receipt["reverses"] else one.kind.booked,
                one.holder.no,
                one.holder.name,
                Money(one.receipt["minor"], one.receipt["currency"]),
                one.receipt["record_no"],
                one.receipt["remark"],
            )
            for one in written
            if one.kind is ADJUSTMENT or actor.group is None
        ]
        if deeds:
            await tell_ops(tx, self._groups, actor, *deeds)


def said_of(decided: Decision) -> dict[str, Any]:
    """What a receipt says of what was decided, before it is written."""
    holder, kind, move = decided.holder, decided.kind, decided.move
    rate = move.conversion_rate
    return {
        "kind": kind.name,
        f"{holder.role}_no": holder.no,
        f"{holder.role}_name": holder.name,
        f"{holder.role}_id": str(holder.id),
        "zone": holder.day_cut.zone,
        "minor": move.amount.minor,
        "currency": move.amount.currency,
        "original_minor": move.original.minor,
        "original_currency": move.original.currency,
        "conversion_rate": "" if rate is None else format(rate, "f"),
        "remark": move.remark,
        "proof": move.proof_file_id is not None,
    }


async def receipts_of(queries: Queries, chat_id: int, message_id: int) -> list[dict[str, Any]]:
    """The receipt of each line that a message has moved, with its `line`; of one that was undone
    with `undone_by` and `undone_no`."""
    found = await queries.fetch(rows.RECEIPTS, chat_id, message_id)
    return [
        {
            **row["receipt"],
            "line": row["line"],
            **({"undone_by": row["undone_by"], "undone_no": row["undone_no"]}
               if row["undone_no"] else {}),
        }
        for row in found
    ]  # fmt: skip


def _shown(alone: str, lines: list[dict[str, Any]]) -> tuple[str, dict[str, Any]]:
    """Screen and facts of the receipt of a message. alone: the screen where it moved one line."""
    return (alone, lines[0]) if len(lines) == 1 else ("receipt", {"lines": lines})


def _merchant_id(holder: Holder) -> UUID | None:
    return holder.id if holder.role == "merchant" else None
