"""Pay-ins: what a supplier paid of what it owes us, or was given back."""

from __future__ import annotations

from uuid import UUID

from core.accounts.vouchers import (
    PAYIN,
    Advance,
    Cause,
    Decision,
    Doubted,
    Holder,
    Move,
    VoucherReceipt,
    Vouchers,
    convert,
)
from core.books import paid_in
from core.parties.suppliers import Supplier
from core.people.actors import Actor


class Payins:
    """Records pay-ins. Each is booked at most once per cause, whoever asks again."""

    def __init__(self, vouchers: Vouchers) -> None:
        self._vouchers = vouchers

    def decide(self, actor: Actor, supplier: Supplier, advance: Advance, cause: Cause) -> Decision:
        """What a line books. The desk's own books are kept in the supplier's currency alone: of
        what came as USDT, they have what it came to, and the record has the USDT and the rate.

        Refusals: anonymous_admin, not_permitted, supplier_not_found, amount_invalid,
        amount_over_limit.
        """
        actor.need_for(PAYIN.right, supplier=supplier)
        converted = convert(advance, supplier.currency)
        postings = paid_in(converted.amount, supplier_no=supplier.supplier_no)
        move = Move.of(advance, converted, postings)
        return Decision(Holder.supplier(supplier), PAYIN, move, cause)

    async def record(
        self, actor: Actor, supplier: Supplier, advance: Advance, cause: Cause
    ) -> VoucherReceipt:
        """Book what a supplier paid in and put its receipt into the outbox. Returns the receipt.

        The same cause again answers the same receipt and books nothing. Refusals: of `decide`.
        """
        decision = self.decide(actor, supplier, advance, cause)
        (receipt,) = await self._vouchers.record(actor, [decision])
        return receipt

    async def undo(
        self,
        actor: Actor,
        supplier: Supplier,
        payin_id: UUID,
        cause: Cause,
        *,
        doubted: Doubted | None = None,
    ) -> VoucherReceipt:
        """Take a pay-in back by its exact reversal. Returns the undo's receipt. doubted: as in
        `Vouchers.undo`.

        Refusals: anonymous_admin, not_permitted, supplier_not_found, record_not_found,
        already_undone, undo_too_late.
        """
        actor.need_for(PAYIN.right, supplier=supplier)
        return await self._vouchers.undo(
            actor, Holder.supplier(supplier), PAYIN, payin_id, cause, doubted=doubted
        )
