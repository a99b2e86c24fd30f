"""Credit lines: how much a merchant lets us owe beyond what was advanced, and who is told."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import ClassVar, Final
from uuid import UUID

from core.accounts.vouchers import check_moved
from core.books import Ledger
from core.delivery.outbox import Notice, Outbox, Say
from core.kernel.errors import Bug, Refusal
from core.kernel.holder import MODE
from core.kernel.money import Money
from core.parties.merchants import Merchant, Merchants
from core.people.actors import Actor
from core.people.alarms import Trouble
from core.people.approvals import Asked, SecondQuestion
from core.people.district import People
from core.people.factors import Proof
from core.people.receipts import Answer, Cause, ObeyedBefore
from core.system.store import Store, Tx

RIGHT: Final = "set_credit"
SECOND: Final = "credit_second"  # the setting
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
    none. approved_by, approved_by_name: the second person, where one was needed."""

    merchant_no: str
    merchant_name: str
    currency: str
    standing: Standing
    before_minor: int | None
    actor_name: str
    approved_by: int | None = None
    approved_by_name: str = ""


@dataclass(frozen=True, slots=True)
class CreditQuestion(SecondQuestion):
    """Whether to set a large credit line, or to switch it off. before_minor, state: of the
    merchant, as they were when that was asked."""

    kind: ClassVar[str] = "credit_line"
    right: ClassVar[str] = RIGHT
    merchant_id: UUID
    merchant_no: str
    merchant_name: str
    currency: str
    state: str
    before_minor: int | None
    line_minor: int | None


@dataclass(frozen=True, slots=True)
class CreditLow(Notice):
    """Little of a merchant's credit is left, or nothing: for its own groups."""

    merchant_no: str
    merchant_name: str
    currency: str
    standing: Standing


@dataclass(frozen=True, slots=True)
class AlarmCredit(Trouble):
    """The same for ops groups, over when enough is left. Its subject is the merchant's number."""

    low: CreditLow


class Credit:
    """Sets credit lines and watches them."""

    def __init__(
        self, store: Store, ledger: Ledger, outbox: Outbox, merchants: Merchants, people: People
    ) -> None:
        self._store = store
        self._ledger = ledger
        self._outbox = outbox
        self._alarms = people.alarms
        self._merchants = merchants
        self._access = people.access
        self._groups = people.groups
        self._settings = people.settings
        self._approvals = people.approvals
        self._receipts = people.receipts
        people.approvals.carries_out(CreditQuestion, self._decide)

    async def standing(self, merchant: Merchant) -> Standing:
        """How much of a merchant's credit is left now."""
        position = await self._ledger.position(self._store, merchant.id, MODE, merchant.currency)
        return Standing(merchant.credit_line_minor, position.minor, position.advanced_minor)

    async def set_line(
        self, actor: Actor, merchant: Merchant, line: Money | None, cause: Cause
    ) -> CreditSet | None:
        """Set a merchant's credit line, or switch it off (None), and say so in the chat. One above
        the threshold, or none at all, is asked a second person about first; what lowers a line
        counts at once.

        line: in the merchant's currency, 0 or more. Returns what was said, None where a second
        person was asked; the same cause again answers the same and sets nothing. Refusals:
        anonymous_admin, not_permitted, merchant_not_found, amount_invalid, amount_over_limit.
        """
        actor.need_for(RIGHT, merchant=merchant)
        _check(line, merchant.currency)
        if await self._approvals.find_replied(
            CreditQuestion, actor.user_id, cause.chat_id, cause.message_id
        ):
            return None
        try:
            async with self._store.transaction() as tx:
                state, before_minor = await _hold(tx, merchant)
                line_minor = None if line is None else line.minor
                if await self._needs_second(tx, before_minor, line_minor, merchant.currency):
                    await self._receipts.need_fresh(tx, cause)
                    question = CreditQuestion(
                        merchant.id, merchant.merchant_no, merchant.name, merchant.currency,
                        state, before_minor, line_minor,
                    )  # fmt: skip
                    await self._approvals.ask(
                        tx, actor, question,
                        merchant_id=merchant.id, message_id=cause.message_id,
                    )  # fmt: skip
                    return None
                said = await self._said(tx, actor, merchant, before_minor, line_minor)
                await self._set(tx, actor, merchant.id, said, cause)
                return said
        except ObeyedBefore as earlier:
            return earlier.told(CreditSet)

    async def _decide(
        self, actor: Actor, asked: Asked[CreditQuestion], yes: bool, proof: Proof | None
    ) -> None:
        """Refusals: those of `Approvals.answer`, merchant_changed, asker_not_permitted."""
        question = asked.question
        author = await asked.asker(self._access) if yes else actor
        merchant = await self._merchants.by_id(question.merchant_id)
        if asked.message_id is None:
            raise Bug(f"no message says what {asked.id} asks about")
        cause = Cause(asked.chat_id, asked.message_id, 1)
        async with self._store.transaction() as tx:
            seen = await _hold(tx, merchant)
            await self._approvals.answer(tx, actor, asked, yes=yes, proof=proof)
            if not yes:
                return
            author.need_for(RIGHT, merchant=merchant)
            if seen != (question.state, question.before_minor):
                raise Refusal("merchant_changed", merchant_no=question.merchant_no)
            said = await self._said(
                tx, author, merchant, question.before_minor, question.line_minor
            )
            said = replace(said, approved_by=actor.user_id, approved_by_name=actor.name)
            await self._set(tx, author, merchant.id, said, cause)

    async def _needs_second(
        self, tx: Tx, before_minor: int | None, line_minor: int | None, currency: str
    ) -> bool:
        """Whether a line is large, and lets more be owed than an earlier one did."""
        most = await self._settings.amount(SECOND, currency, tx)
        if most is None or line_minor == before_minor:
            return False
        if line_minor is None:
            return True
        return line_minor > most.minor and (before_minor is None or line_minor > before_minor)

    async def _said(
        self,
        tx: Tx,
        actor: Actor,
        merchant: Merchant,
        before_minor: int | None,
        line_minor: int | None,
    ) -> CreditSet:
        position = await self._ledger.position(tx, merchant.id, MODE, merchant.currency)
        return CreditSet(
            merchant_no=merchant.merchant_no,
            merchant_name=merchant.name,
            currency=merchant.currency,
            standing=Standing(line_minor, position.minor, position.advanced_minor),
            before_minor=before_minor,
            actor_name=actor.name,
        )

    async def _set(
        self, tx: Tx, actor: Actor, merchant_id: UUID, said: CreditSet, cause: Cause
    ) -> None:
        # The same again is answered and leaves no trace: nothing was changed.
        line_minor = said.standing.line_minor
        changed = said.before_minor != line_minor
        if changed:
            await tx.execute(_SET, merchant_id, line_minor)
        answer = Answer(said, "set_credit" if changed else "", merchant_id)
        await self._receipts.answer(tx, actor, cause, answer)
        if changed and line_minor is None:  # nobody watches it any more
            await self._alarms.end(tx, AlarmCredit, said.merchant_no)

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
                now = CreditLow(row["merchant_no"], row["name"], row["currency"], standing)
                told += await self._note(row["id"], low, now)
        return told

    async def _note(self, merchant_id: UUID, low: bool, now: CreditLow) -> bool:
        """Note that a merchant's credit became low, and say so; or that it is well again."""
        async with self._store.transaction() as tx:
            if not await tx.execute(_NOTE, merchant_id, low):
                return False
            if not low:
                await self._alarms.end(tx, AlarmCredit, now.merchant_no)
                return False
            for chat_id in await self._groups.of_holder(tx, merchant_id):
                await self._outbox.say(tx, chat_id, Say(now), merchant_id=merchant_id)
            await self._alarms.sound(tx, AlarmCredit(now), now.merchant_no)
            return True


def _check(line: Money | None, currency: str) -> None:
    """Refusals: amount_invalid, amount_over_limit."""
    if line is None:
        return
    if line.minor < 0 or line.currency != currency:
        raise Refusal("amount_invalid", text=line, currency=currency, example="/credit 50000")
    if line.minor:
        check_moved(line, example="/credit 50000")


async def _hold(tx: Tx, merchant: Merchant) -> tuple[str, int | None]:
    """The merchant's state and line, which nobody else changes until we commit."""
    row = await tx.fetchrow(_HOLD, merchant.id)
    if row is None:
        raise Bug(f"merchant {merchant.merchant_no} is gone")
    return row["state"], row["credit_line_minor"]


_HOLD: Final = "SELECT state, credit_line_minor FROM merchant WHERE id = $1 FOR NO KEY UPDATE"
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
