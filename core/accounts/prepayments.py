"""Prepayments: money the platform advanced to a merchant, or took back."""

from __future__ import annotations

from uuid import UUID

from core.accounts.vouchers import (
    PREPAYMENT,
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
from core.books import prepaid, prepaid_converted
from core.parties.merchants import Merchant
from core.people.actors import Actor


class Prepayments:
    """Records prepayments. Each is booked at most once per cause, whoever asks again."""

    def __init__(self, vouchers: Vouchers) -> None:
        self._vouchers = vouchers

    def decide(self, actor: Actor, merchant: Merchant, advance: Advance, cause: Cause) -> Decision:
        """What a line books. What left as USDT is booked as USDT that left and a conversion,
        whichever of the two amounts was written.

        Refusals: anonymous_admin, not_permitted, merchant_not_found, amount_invalid,
        amount_over_limit.
        """
        actor.need_for(PREPAYMENT.right, merchant=merchant)
        converted = convert(advance, merchant.currency)
        postings = (
            prepaid(converted.amount)
            if advance.conversion_rate is None
            else prepaid_converted(converted.original, converted.amount)
        )
        move = Move.of(advance, converted, postings)
        return Decision(Holder.merchant(merchant), PREPAYMENT, move, cause)

    async def record(
        self, actor: Actor, merchant: Merchant, advance: Advance, cause: Cause
    ) -> VoucherReceipt:
        """Book a prepayment and put its receipt into the outbox. Returns the receipt.

        The same cause again answers the same receipt and books nothing. Refusals: of `decide`.
        """
        decision = self.decide(actor, merchant, advance, cause)
        (receipt,) = await self._vouchers.record(actor, [decision])
        return receipt

    async def undo(
        self,
        actor: Actor,
        merchant: Merchant,
        prepayment_id: UUID,
        cause: Cause,
        *,
        doubted: Doubted | None = None,
    ) -> VoucherReceipt:
        """Take a prepayment back by its exact reversal. Returns the undo's receipt. doubted: as
        in `Vouchers.undo`.

        Refusals: anonymous_admin, not_permitted, merchant_not_found, record_not_found,
        already_undone, undo_too_late.
        """
        actor.need_for(PREPAYMENT.right, merchant=merchant)
        holder = Holder.merchant(merchant)
        return await self._vouchers.undo(
            actor, holder, PREPAYMENT, prepayment_id, cause, doubted=doubted
        )
