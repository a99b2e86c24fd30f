"""Large vouchers: what is above the threshold of its kind is booked once a second person with the
same right has approved it in the ops groups, as the very lines that were written."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import ClassVar, Final

from core.accounts.vouchers import ADJUSTMENT, PREPAYMENT, Doubt, KindName, Second
from core.accounts.written import (
    KeptLine,
    MerchantSeen,
    Written,
    WrittenLines,
    kept,
    merchants_seen,
    need_same,
)
from core.kernel.errors import Bug
from core.people.actors import Actor
from core.people.approvals import Asked, SecondQuestion
from core.people.district import People
from core.people.factors import Proof
from core.system.store import Store, Tx


@dataclass(frozen=True, slots=True)
class LargeLine:
    """A line as it was written, and what of it people read. minor: in the merchant's currency."""

    said: KeptLine
    holder_no: str
    holder_name: str
    minor: int
    currency: str


@dataclass(frozen=True, slots=True)
class LargeQuestion(SecondQuestion):
    """Whether to book all lines of a message."""

    lines: tuple[LargeLine, ...]
    merchants: tuple[MerchantSeen, ...]


@dataclass(frozen=True, slots=True)
class PrepaymentQuestion(LargeQuestion):
    """Whether to book prepayments that are large."""

    kind: ClassVar[str] = "prepayment"
    right: ClassVar[str] = PREPAYMENT.right


@dataclass(frozen=True, slots=True)
class AdjustmentQuestion(LargeQuestion):
    """Whether to book an adjustment that is large."""

    kind: ClassVar[str] = "adjustment"
    right: ClassVar[str] = ADJUSTMENT.right


_QUESTIONS: Final[Mapping[KindName, type[LargeQuestion]]] = {
    PREPAYMENT.name: PrepaymentQuestion,
    ADJUSTMENT.name: AdjustmentQuestion,
}


class VoucherApprovals:
    """Asks a second person, and books what was approved: with the message as its cause, whoever
    wrote it as its author, and whoever approved it by name."""

    def __init__(self, store: Store, people: People, lines: WrittenLines) -> None:
        self._store = store
        self._access = people.access
        self._approvals = people.approvals
        self._lines = lines
        for question in _QUESTIONS.values():
            people.approvals.carries_out(question, self._decide)

    async def asked(self, actor: Actor, lines: Sequence[Written], message_id: int) -> bool:
        """Whether a second person was asked about this message, whatever became of that."""
        question = _QUESTIONS.get(lines[0].kind.name)
        if question is None:
            return False
        user_id, chat_id = actor.user_id, actor.chat_id
        found = await self._approvals.find_replied(question, user_id, chat_id, message_id)
        return found is not None

    async def doubts(self, lines: Sequence[Written]) -> dict[int, Doubt]:
        """line -> why it may be a slip: the same amount for the same merchant waits already for a
        second person, by whomever it was written."""
        waits = await self._approvals.cards.open_about(
            self._store, _QUESTIONS[lines[0].kind.name], merchant_id=lines[0].holder.id
        )
        found: dict[int, Doubt] = {}
        for one in lines:
            for asked in waits:
                if any(_same(one, line) for line in asked.question.lines):
                    found[one.line] = Doubt("repeat_waits", name=asked.asked_by_name)
        return found

    async def ask(
        self,
        actor: Actor,
        lines: Sequence[Written],
        message_id: int,
        *,
        also: Callable[[Tx], Awaitable[None]] | None = None,
    ) -> None:
        """Ask about the lines of a message, once. They are all of one kind. also: done first, in
        the same transaction."""
        if await self.asked(actor, lines, message_id):
            return
        question = _QUESTIONS[lines[0].kind.name](
            lines=tuple(
                LargeLine(
                    kept(one), one.whose.no, one.whose.name, one.amount.minor, one.amount.currency
                )
                for one in lines
            ),
            merchants=merchants_seen(lines),
        )
        async with self._store.transaction() as tx:
            if also is not None:
                await also(tx)
            await self._approvals.ask(
                tx, actor, question, merchant_id=lines[0].holder.id, message_id=message_id
            )

    async def _decide(
        self, actor: Actor, asked: Asked[LargeQuestion], yes: bool, proof: Proof | None
    ) -> None:
        """Refusals: those of `Approvals.answer`, of what is booked, merchant_changed,
        asker_not_permitted."""
        question = asked.question

        async def approve(tx: Tx) -> None:
            await self._approvals.answer(tx, actor, asked, yes=yes, proof=proof)
            if yes:
                await need_same(tx, question.merchants)

        if not yes:
            async with self._store.transaction() as tx:
                await approve(tx)
            return
        if asked.message_id is None:
            raise Bug(f"no message says what {asked.id} asks about")
        author = await asked.asker(self._access)
        lines = await self._lines.read([line.said for line in question.lines])
        second = Second(actor, approve)
        await self._lines.book(author, lines, asked.message_id, second=second)


def _same(one: Written, line: LargeLine) -> bool:
    return (one.holder.id, one.amount.minor) == (line.said.holder_id, line.minor)
