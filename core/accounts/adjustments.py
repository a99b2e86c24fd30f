"""Adjustments: corrections of what we owe a merchant, each with its reason."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final
from uuid import UUID

from core.accounts.vouchers import (
    ADJUSTMENT,
    MAX_REMARK_CHARS,
    Cause,
    Decision,
    Doubted,
    Holder,
    Move,
    VoucherReceipt,
    Vouchers,
    check_moved,
)
from core.books import adjusted
from core.kernel.errors import Refusal
from core.kernel.money import Money
from core.parties.merchants import Merchant
from core.people.actors import Actor

_EXAMPLE: Final = "-20"


@dataclass(frozen=True, slots=True)
class Correction:
    """What is to be corrected. amount: in the merchant's currency, + in its favour.

    reason: required; at most 200 characters are kept. proof_file_id: a picture, at Telegram.
    """

    amount: Money
    reason: str
    proof_file_id: str | None = None


def check_correction(correction: Correction, currency: str) -> None:
    """Refusals: reason_missing, amount_invalid, amount_over_limit."""
    amount = correction.amount
    if not correction.reason.strip():
        raise Refusal("reason_missing", reason_for="adjust")
    if amount.currency != currency:
        raise Refusal("amount_invalid", text=amount, currency=currency, example=_EXAMPLE)
    check_moved(amount, example=_EXAMPLE)


class Adjustments:
    """Records adjustments. Each is booked at most once per cause, whoever asks again."""

    def __init__(self, vouchers: Vouchers) -> None:
        self._vouchers = vouchers

    def decide(
        self, actor: Actor, merchant: Merchant, correction: Correction, cause: Cause
    ) -> Decision:
        """What a correction books. Refusals: anonymous_admin, not_permitted, merchant_not_found and
        those of `check_correction`."""
        actor.need_for(ADJUSTMENT.right, merchant=merchant)
        check_correction(correction, merchant.currency)
        amount, reason = correction.amount, correction.reason.strip()
        move = Move(
            amount, adjusted(amount), amount, reason[:MAX_REMARK_CHARS],
            proof_file_id=correction.proof_file_id,
        )  # fmt: skip
        return Decision(Holder.merchant(merchant), ADJUSTMENT, move, cause)

    async def record(
        self, actor: Actor, merchant: Merchant, correction: Correction, cause: Cause
    ) -> VoucherReceipt:
        """Book an adjustment and put its receipt into the outbox. Returns the receipt.

        The same cause again answers the same receipt and books nothing. Refusals: of `decide`.
        """
        decision = self.decide(actor, merchant, correction, cause)
        (receipt,) = await self._vouchers.record(actor, [decision])
        return receipt

    async def undo(
        self,
        actor: Actor,
        merchant: Merchant,
        adjustment_id: UUID,
        cause: Cause,
        *,
        doubted: Doubted | None = None,
    ) -> VoucherReceipt:
        """Take an adjustment back by its exact reversal. Returns the undo's receipt. doubted: as
        in `Vouchers.undo`.

        Refusals: anonymous_admin, not_permitted, merchant_not_found, record_not_found,
        already_undone, undo_too_late.
        """
        actor.need_for(ADJUSTMENT.right, merchant=merchant)
        holder = Holder.merchant(merchant)
        return await self._vouchers.undo(
            actor, holder, ADJUSTMENT, adjustment_id, cause, doubted=doubted
        )
