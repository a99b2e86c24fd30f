"""Credit lines: how much a merchant lets us owe beyond what was advanced, and who is told."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final
from uuid import UUID

from core.accounts.vouchers import check_moved
from core.books import Ledger
from core.delivery.outbox import Notice, Outbox, Say
from core.kernel.errors import Bug, Refusal
from core.kernel.holder import MODE
from core.kernel.money import Money
from core.parties.merchants import Merchant
from core.people.actors import Actor
from core.people.groups import Groups
from core.people.receipts import Answer, Cause, ObeyedBefore, Receipts
from core.system.store import Store, Tx

LOW_PERCENT: Final = 20  # people are told below it,
WELL_PERCENT: Final = 25  # and may be told again once it came back to this


@dataclass(frozen=True, slots=True)
class Standing:
    """How much of a merchant's credit is left. All in smallest units of its currency.

    line: None where it is switched off and orders are never stopped. position: what we owe it;
    negative: prepayment that remains.
    """

    line_minor: int | None
    position_minor: int
    advanced_minor: int

    @property
    def left_minor(self) -> int | None:
        """What may still be owed to it; negative: new orders are refused."""
        return None if self.line_minor is None else self.line_minor - self.position_minor

    @property
    def whole_minor(self) -> int | None:
        """What is left when nothing is drawn down: what was advanced, and the line."""
        return None if self.line_minor is None else self.line_minor + self.advanced_minor

    def is_low(self, was_low: bool) -> bool:
        """Whether little is left: under 20 % of the whole, and then until it is 25 % again."""
        left, whole = self.left_minor, self.whole_minor
        if left is None or whole is None:
            return False
        return left * 100 < max(0, whole) * (WELL_PERCENT if was_low else LOW_PERCENT)


@dataclass(frozen=True, slots=True)
class CreditSet(Notice):
    """A merchant's credit line was set. before_minor: the line until then; None where there was
    none."""

    merchant_no: str
    merchant_name: str
    currency: str
    standing: Standing
    before_minor: int | None
    actor_name: str


@dataclass(frozen=True, slots=True)
class AlarmCredit(Notice):
    """Little of a merchant's credit is left, or nothing."""

    merchant_no: str
    merchant_name: str
    currency: str
    standing: Standing


class Credit:
    """Sets credit lines and watches them."""

    def __init__(
        self, store: Store, ledger: Ledger, groups: Groups, outbox: Outbox, receipts: Receipts
    ) -> None:
        self._store = store
        self._ledger = ledger
        self._groups = groups
        self._outbox = outbox
        self._receipts = receipts

    async def standing(self, merchant: Merchant) -> Standing:
        """How much of a merchant's credit is left now."""
        position = await self._ledger.position(self._store, merchant.id, MODE, merchant.currency)
        return Standing(merchant.credit_line_minor, position.minor, position.advanced_minor)

    async def set_line(
        self, actor: Actor, merchant: Merchant, line: Money | None, cause: Cause
    ) -> CreditSet:
        """Set a merchant's credit line, or switch it off (None), and say so in the chat.

        line: in the merchant's currency, 0 or more. Returns what was said; the same cause again
        answers the same and sets nothing. Refusals: anonymous_admin, not_permitted,
        merchant_not_found, amount_invalid, amount_over_limit.
        """
        actor.need_for("set_credit", merchant=merchant)
        if line is not None:
            if line.minor < 0 or line.currency != merchant.currency:
                raise Refusal(
                    "amount_invalid", text=line, currency=merchant.currency, example="/credit 50000"
                )
            if line.minor:
                check_moved(line, example="/credit 50000")
        try:
            async with self._store.transaction() as tx:
                return await self._set(tx, actor, merchant, line, cause)
        except ObeyedBefore as earlier:
            return earlier.told(CreditSet)

    async def _set(
        self, tx: Tx, actor: Actor, merchant: Merchant, line: Money | None, cause: Cause
    ) -> CreditSet:
        line_minor = None if line is None else line.minor
        row = await tx.fetchrow(_HOLD, merchant.id)
        if row is None:
            raise Bug(f"merchant {merchant.merchant_no} is gone")
        position = await self._ledger.position(tx, merchant.id, MODE, merchant.currency)
        said = CreditSet(
            merchant_no=merchant.merchant_no,
            merchant_name=merchant.name,
            currency=merchant.currency,
            standing=Standing(line_minor, position.minor, position.advanced_minor),
            before_minor=row["credit_line_minor"],
            actor_name=actor.name,
        )
        # The same again is answered and leaves no trace: nothing was changed.
        changed = said.before_minor != line_minor
        if changed:
            await tx.execute(_SET, merchant.id, line_minor)
        action = "set_credit" if changed else ""
        await self._receipts.answer(tx, actor, cause, Answer(said, action, merchant.id))
        return said

    async def watch(self) -> int:
        """Tell the merchant's groups and the ops groups, once, where little credit is left.

        Returns how many merchants were told of.
        """
        told = 0
        for row in await self._store.fetch(_WATCHED, MODE):
            standing = Standing(
                row["credit_line_minor"], row["position_minor"], row["advanced_minor"]
            )
            low = standing.is_low(row["credit_low"])
            if low != row["credit_low"]:
                alarm = AlarmCredit(row["merchant_no"], row["name"], row["currency"], standing)
                told += await self._note(row["id"], low, alarm)
        return told

    async def _note(self, merchant_id: UUID, low: bool, alarm: AlarmCredit) -> bool:
        """Note that a merchant's credit became low, and say so; or that it is well again."""
        async with self._store.transaction() as tx:
            if not await tx.execute(_NOTE, merchant_id, low) or not low:
                return False
            chats = await self._groups.of_holder(tx, merchant_id) + await self._groups.ops(tx)
            for chat_id in dict.fromkeys(chats):
                await self._outbox.say(tx, chat_id, Say(alarm), merchant_id=merchant_id)
            return True


_HOLD: Final = "SELECT credit_line_minor FROM merchant WHERE id = $1 FOR NO KEY UPDATE"
_SET: Final = """
UPDATE merchant SET credit_line_minor = $2::bigint,
    credit_low = credit_low AND $2::bigint IS NOT NULL
WHERE id = $1
"""
# The line may have been switched off since it was looked at.
_NOTE: Final = (
    "UPDATE merchant SET credit_low = $2"
    " WHERE id = $1 AND credit_low <> $2 AND credit_line_minor IS NOT NULL"
)
_WATCHED: Final = """
SELECT m.id, m.merchant_no, m.name, m.currency, m.credit_line_minor, m.credit_low,
       coalesce(sum(b.minor), 0)::bigint AS position_minor,
       coalesce(-sum(b.minor) FILTER (WHERE b.account = 'prepaid'), 0)::bigint AS advanced_minor
FROM merchant m
LEFT JOIN balance b ON b.merchant_id = m.id AND b.mode = $1 AND b.currency = m.currency
    AND b.account IN ('payable', 'prepaid')
WHERE m.credit_line_minor IS NOT NULL
GROUP BY m.id ORDER BY m.merchant_no
"""
