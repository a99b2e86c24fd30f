"""Who hears of vouchers: the chat they were written in, the trail, and ops."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from uuid import UUID

from core.accounts.vouchers import rows
from core.accounts.vouchers.model import ADJUSTMENT, Booked, Holder, Kind, Undone
from core.accounts.vouchers.receipts import Record, VoucherReceipt, read_receipt, told
from core.delivery.audit import Audit
from core.delivery.outbox import NOBODY, Outbox, Say, values_of
from core.kernel.money import Money
from core.people.actors import Actor
from core.people.groups import Groups
from core.people.ops import Deed, tell_ops
from core.people.receipts import Cause
from core.system.store import Queries, Tx


@dataclass(frozen=True, slots=True)
class Written:
    """A voucher that was written just now. by_two: it, or what it takes back, was approved by a
    second person."""

    holder: Holder
    kind: Kind
    cause: Cause
    receipt: VoucherReceipt
    by_two: bool

    @property
    def deed(self) -> Booked | Undone:
        """The kind of its event, which is also the trail's action."""
        return self.kind.undone if self.receipt.reverses else self.kind.booked


class Telling:
    """Puts all that is told into the transaction of what was written."""

    def __init__(self, groups: Groups, outbox: Outbox, audit: Audit) -> None:
        self._groups = groups
        self._outbox = outbox
        self._audit = audit

    async def tell(self, tx: Tx, actor: Actor, written: Sequence[Written]) -> None:
        """One receipt for all that a message (or a button) moved, the trail of each, and
        ops."""
        for one in written:
            await self._audit.record(
                tx,
                one.deed,
                actor=actor.trail_name,
                facts=values_of(one.receipt),
                merchant_id=_merchant_id(one.holder),
                chat_id=one.cause.chat_id,
                message_id=one.cause.message_id,
            )
        first = written[0]
        receipt = Say(
            told(tuple(one.receipt for one in written)),
            reply_to=first.cause.message_id,
            remember="receipt",
            ref=str(first.receipt.voucher_id),
        )
        holders = {one.holder.id: one.holder for one in written}
        whose = _merchant_id(first.holder) if len(holders) == 1 else None
        await self._outbox.say(tx, first.cause.chat_id, receipt, merchant_id=whose or NOBODY)
        await self._tell_ops(tx, actor, written)

    async def strike(self, tx: Tx, record: Record, press: Cause) -> None:
        """Strike what was undone through on the receipt whose button was pressed.

        Two people undo two lines of one receipt: whoever comes second waits here, and shows what
        both have done.
        """
        booked = record.cause
        await tx.hold(f"receipt:{booked.chat_id}:{booked.message_id}")
        lines = await receipts_of(tx, booked.chat_id, booked.message_id)
        say = Say(told(lines), edit_message_id=press.message_id)
        whose = NOBODY if record.kind.name == "payin" else record.holder_id
        await self._outbox.say(tx, press.chat_id, say, merchant_id=whose)

    async def _tell_ops(self, tx: Tx, actor: Actor, written: Sequence[Written]) -> None:
        """Of every adjustment and of what two people decided, its undo included. Of others where
        they are made in private: in the group of whom it concerns, that one's people see it as
        well."""
        deeds = [
            Deed(
                one.deed,
                one.holder.no,
                one.holder.name,
                Money(one.receipt.minor, one.receipt.currency),
                one.receipt.record_no,
                one.receipt.remark,
                one.receipt.approved_by_name,
            )
            for one in written
            if one.kind is ADJUSTMENT or one.by_two or actor.group is None
        ]
        if deeds:
            await tell_ops(tx, self._groups, actor, *deeds)


async def receipts_of(
    queries: Queries, chat_id: int, message_id: int
) -> tuple[VoucherReceipt, ...]:
    """The receipt of each line that a message has moved, as it stands now."""
    found = await queries.fetch(rows.RECEIPTS, chat_id, message_id)
    return tuple(
        replace(
            read_receipt(row["receipt"]), undone_by=row["undone_by"], undone_no=row["undone_no"]
        )
        for row in found
    )


def _merchant_id(holder: Holder) -> UUID | None:
    return holder.id if holder.role == "merchant" else None
