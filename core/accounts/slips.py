"""Slips: what people write down is booked, unless it looks like one. Then whoever wrote it is
asked once, and it is booked when that person says so again."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import ClassVar, Literal
from uuid import UUID

from core.accounts.voucher_approvals import VoucherApprovals
from core.accounts.vouchers import (
    UNDO_LINE,
    Doubt,
    Doubts,
    Record,
    Role,
    SecondNeeded,
    Vouchers,
    ask_first,
)
from core.accounts.written import (
    KeptLine,
    MerchantSeen,
    Written,
    WrittenLines,
    kept,
    merchants_seen,
    need_same,
)
from core.delivery.outbox import Notice, Outbox, Say
from core.kernel.errors import Refusal
from core.people.actors import Actor
from core.people.approvals import Approvals, Asked, Question
from core.system.store import Store, Tx

_What = Literal["book", "undo"]


@dataclass(frozen=True, slots=True)
class SlipDoubt:
    """Why a line may be a slip: what it moves, at whom, and a refusal's code and facts. line:
    UNDO_LINE of an undo."""

    line: int
    minor: int
    currency: str
    holder_no: str
    code: str
    facts: dict[str, str]


@dataclass(frozen=True, slots=True)
class SlipQuestion(Question):
    """Whether it is meant: to book all lines of a message, or to undo a voucher. message_id: of
    the message that says so. merchants: of the lines; a yes is for them as they were."""

    kind: ClassVar[str] = "slip"
    what: _What
    voucher_id: UUID | None
    lines: tuple[KeptLine, ...]
    merchants: tuple[MerchantSeen, ...]
    doubts: tuple[SlipDoubt, ...]
    message_id: int
    actor_name: str


@dataclass(frozen=True, slots=True)
class SlipQuestionNotice(Notice):
    """Whether it is meant, with the buttons that answer. lines: how many wait for the answer; 0 of
    an undo."""

    approval_id: UUID
    what: _What
    lines: int
    doubts: tuple[SlipDoubt, ...]
    actor_name: str


@dataclass(frozen=True, slots=True)
class SlipConfirmed(Notice):
    """It was meant, and is done. waits: a second person is asked before it is."""

    what: _What
    actor_name: str
    waits: bool = False


@dataclass(frozen=True, slots=True)
class SlipDropped(Notice):
    """It was not meant, and is not done."""

    what: _What


class Slips:
    """Books the lines of a message and undoes what was booked, or asks first.

    All lines of a message are booked together, and wait for one answer. A question is open for a
    quarter of an hour, and only for the person who wrote.
    """

    def __init__(
        self,
        store: Store,
        outbox: Outbox,
        approvals: Approvals,
        vouchers: Vouchers,
        lines: WrittenLines,
        large: VoucherApprovals,
    ) -> None:
        self._store = store
        self._outbox = outbox
        self._approvals = approvals
        self._vouchers = vouchers
        self._lines = lines
        self._large = large

    async def record(self, actor: Actor, lines: Sequence[Written], message_id: int) -> None:
        """Book the lines of a message, all of them or none, with one receipt; or ask. Where one of
        them may be a slip, whoever wrote them is asked first. Where they move much, a second
        person is asked then.

        The same message again books nothing and asks nothing. Refusals: those of the verb that
        books a line, daily_cap.
        """
        user_id, chat_id = actor.user_id, actor.chat_id
        if await self._approvals.find_replied(SlipQuestion, user_id, chat_id, message_id):
            return
        if await self._large.asked(actor, lines, message_id):
            return
        try:
            await self._book(actor, lines, message_id)
        except Doubts as doubts:
            await self._ask_to_book(actor, lines, doubts.by_line, message_id)

    async def undo(self, actor: Actor, voucher_id: UUID, *, message_id: int) -> None:
        """Undo what a line of a receipt tells of and strike that through, or ask. message_id: of
        the receipt.

        One person undoes also what two have booked: for half an hour that brings back what was
        before, nothing else, and the ops groups are told.
        Refusals: record_not_found and those of the verb that undoes it.
        """
        record = await self._vouchers.find(actor, voucher_id)
        try:
            await self._lines.undo(actor, record, message_id, doubted=ask_first)
        except Doubts as doubts:
            if not await self._is_asked(actor, voucher_id, message_id):
                await self._ask_to_undo(actor, record, doubts.by_line[UNDO_LINE], message_id)

    async def confirm(self, actor: Actor, approval_id: UUID, *, message_id: int) -> None:
        """Do what was asked about, or ask a second person then; the question becomes the answer.
        message_id: of it.

        The yes counts in the transaction of what it does, for what was seen when it was asked: one
        that was cut off did nothing, and can be said again in time.
        Refusals: confirmation_expired, confirmation_foreign, merchant_changed, slip_changed and
        those of what is done.
        """
        asked = await self._approvals.find(SlipQuestion, actor, approval_id)
        if asked.state == "dropped":
            return
        question = asked.question
        there = replace(actor, chat_id=asked.chat_id)  # the cause is where it was said
        lines = await self._lines.read(question.lines)
        if asked.state == "open":
            await self._do(actor, there, asked, lines)
        booked = await self._vouchers.booked_lines(there.chat_id, question.message_id)
        waits = bool(lines) and not booked
        confirmed = SlipConfirmed(question.what, question.actor_name, waits=waits)
        await self._show(actor, confirmed, message_id)

    async def drop(self, actor: Actor, approval_id: UUID, *, message_id: int) -> None:
        """Whoever was asked thinks better of it. Refusals: confirmation_expired,
        confirmation_foreign."""
        asked = await self._approvals.find(SlipQuestion, actor, approval_id, yes=False)
        if asked.state == "used":
            return
        if asked.state == "open":
            async with self._store.transaction() as tx:
                await self._approvals.answer(tx, actor, asked, yes=False)
        await self._show(actor, SlipDropped(asked.question.what), message_id)

    async def _do(
        self, actor: Actor, there: Actor, asked: Asked[SlipQuestion], lines: Sequence[Written]
    ) -> None:
        """What was asked about, for it is meant."""
        question = asked.question

        async def answer(tx: Tx) -> None:
            await self._approvals.answer(tx, actor, asked, yes=True)
            await need_same(tx, question.merchants)

        async def doubted(tx: Tx, doubts: Mapping[int, Doubt]) -> None:
            await answer(tx)
            _need_seen(question, doubts)

        if question.voucher_id is not None:
            record = await self._vouchers.find(actor, question.voucher_id)
            await self._lines.undo(there, record, question.message_id, doubted=doubted)
            return
        try:
            await self._lines.book(there, lines, question.message_id, doubted=doubted)
        except SecondNeeded:
            await self._large.ask(there, lines, question.message_id, also=answer)

    async def _book(self, actor: Actor, lines: Sequence[Written], message_id: int) -> None:
        """Book them, or ask a second person. Raises `Doubts` where they may be slips."""
        try:
            await self._lines.book(actor, lines, message_id, doubted=ask_first)
        except SecondNeeded:
            if doubts := await self._large.doubts(lines):
                raise Doubts(doubts) from None
            await self._large.ask(actor, lines, message_id)

    # ── asking ───────────────────────────────────────────────────────────────────────────────────
    async def _ask_to_book(
        self, actor: Actor, lines: Sequence[Written], doubts: dict[int, Doubt], message_id: int
    ) -> None:
        doubted = tuple(_doubted(said, doubts[said.line]) for said in lines if said.line in doubts)
        question = SlipQuestion(
            what="book",
            voucher_id=None,
            lines=tuple(kept(said) for said in lines),
            merchants=merchants_seen(lines),
            doubts=doubted,
            message_id=message_id,
            actor_name=actor.name,
        )
        whose = lines[0].whose
        await self._ask(actor, question, whose.role, whose.id)

    async def _ask_to_undo(
        self, actor: Actor, record: Record, doubt: Doubt, message_id: int
    ) -> None:
        receipt = record.receipt
        doubted = SlipDoubt(
            UNDO_LINE, receipt.minor, receipt.currency, receipt.holder_no, doubt.code, doubt.facts
        )
        question = SlipQuestion(
            what="undo",
            voucher_id=record.id,
            lines=(),
            merchants=(),
            doubts=(doubted,),
            message_id=message_id,
            actor_name=actor.name,
        )
        await self._ask(actor, question, receipt.role, record.holder_id)

    async def _ask(self, actor: Actor, question: SlipQuestion, role: Role, holder_id: UUID) -> None:
        """The question, in reply to the message that it is about."""
        message_id = question.message_id
        async with self._store.transaction() as tx:
            asked = await self._approvals.ask(
                tx,
                actor,
                question,
                merchant_id=holder_id if role == "merchant" else None,
                supplier_id=holder_id if role == "supplier" else None,
                message_id=message_id,
            )
            asking = SlipQuestionNotice(
                approval_id=asked.id,
                what=question.what,
                lines=len(question.lines),
                doubts=question.doubts,
                actor_name=question.actor_name,
            )
            await self._outbox.say(tx, actor.chat_id, Say(asking, reply_to=message_id))

    async def _is_asked(self, actor: Actor, voucher_id: UUID, message_id: int) -> bool:
        """Whether this person's answer about the undo of this voucher is still waited for."""
        about = {"voucher_id": str(voucher_id)}
        asked = await self._approvals.find_replied(
            SlipQuestion, actor.user_id, actor.chat_id, message_id, about
        )
        if asked is None:
            return False
        try:
            return (await self._approvals.find(SlipQuestion, actor, asked)).state == "open"
        except Refusal:
            return False

    async def _show(self, actor: Actor, answer: Notice, message_id: int) -> None:
        said = Say(answer, edit_message_id=message_id)
        await self._outbox.say(self._store, actor.chat_id, said)


def _doubted(said: Written, doubt: Doubt) -> SlipDoubt:
    amount = said.amount
    return SlipDoubt(
        said.line, amount.minor, amount.currency, said.whose.no, doubt.code, doubt.facts
    )


def _need_seen(question: SlipQuestion, doubts: Mapping[int, Doubt]) -> None:
    """Whoever said yes saw each of these doubts; some may be gone since. Refusals: slip_changed."""
    seen = {(one.line, one.code, _lasting(one.facts)) for one in question.doubts}
    for line, doubt in doubts.items():
        if (line, doubt.code, _lasting(doubt.facts)) not in seen:
            raise Refusal("slip_changed")


def _lasting(facts: Mapping[str, str]) -> frozenset[tuple[str, str]]:
    """Facts of a doubt without its age, which is another one at every look."""
    return frozenset((name, said) for name, said in facts.items() if name != "ago_s")
