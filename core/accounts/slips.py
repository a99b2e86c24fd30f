"""Slips: what people write down is booked, unless it looks like one. Then whoever wrote it is
asked once, and it is booked when that person says so again."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Any, Final
from uuid import UUID

from core.accounts.adjustments import Adjustments, Correction, check_correction
from core.accounts.payins import Payins
from core.accounts.prepayments import Prepayments
from core.accounts.vouchers import (
    ADJUSTMENT,
    KINDS,
    PAYIN,
    PREPAYMENT,
    Advance,
    Decision,
    Doubt,
    Doubts,
    Holder,
    Kind,
    Record,
    Vouchers,
    convert,
)
from core.delivery.outbox import Outbox, Say
from core.kernel.errors import Refusal
from core.kernel.money import Money
from core.parties.district import Parties
from core.parties.merchants import Merchant
from core.parties.suppliers import Supplier
from core.people.actors import Actor
from core.people.approvals import Confirmation, Confirmations
from core.people.receipts import Cause
from core.system.district import System

KIND: Final = "slip"

_Facts = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Written:
    """A line of a message: what it moves, and whose that is. line: from 1.

    advance: of an adjustment, its remark is the reason. A pay-in has a supplier, others a
    merchant.
    """

    line: int
    kind: Kind
    holder: Merchant | Supplier
    advance: Advance


class Slips:
    """Books the lines of a message and undoes what was booked, or asks first.

    All lines of a message are booked together, and wait for one answer. A question is open for a
    quarter of an hour, and only for the person who wrote.
    """

    def __init__(
        self,
        system: System,
        outbox: Outbox,
        parties: Parties,
        confirmations: Confirmations,
        vouchers: Vouchers,
        verbs: tuple[Prepayments, Adjustments, Payins],
    ) -> None:
        self._store = system.store
        self._clock = system.clock
        self._outbox = outbox
        self._merchants = parties.merchants
        self._suppliers = parties.suppliers
        self._confirmations = confirmations
        self._vouchers = vouchers
        self._prepayments, self._adjustments, self._payins = verbs

    async def record(self, actor: Actor, lines: Sequence[Written], message_id: int) -> None:
        """Book the lines of a message, all of them or none, with one receipt; or ask, where one of
        them may be a slip.

        The same message again books nothing and asks nothing. Refusals: those of the verb that
        books a line.
        """
        if await self._confirmations.find_replied(KIND, actor.user_id, actor.chat_id, message_id):
            return
        try:
            await self._book(actor, lines, message_id, sure=False)
        except Doubts as doubts:
            await self._ask_to_book(actor, lines, doubts.by_line, message_id)

    async def undo(self, actor: Actor, voucher_id: UUID, *, message_id: int) -> None:
        """Undo what a line of a receipt tells of and strike that through, or ask. message_id: of
        the receipt.

        Refusals: record_not_found and those of the verb that undoes it.
        """
        record = await self._vouchers.find(actor, voucher_id)
        try:
            await self._undo(actor, record, message_id, sure=False)
        except Doubt as doubt:
            if not await self._is_asked(actor, voucher_id, message_id):
                await self._ask_to_undo(actor, record, doubt, message_id)

    async def confirm(self, actor: Actor, confirmation_id: UUID, *, message_id: int) -> None:
        """Do what was asked about; the question becomes the answer. message_id: of it.

        Every part of it is done once: a press that was cut off can be made again.
        Refusals: confirmation_expired, confirmation_foreign and those of what is done.
        """
        found = await self._confirmations.find_own(KIND, actor, confirmation_id)
        if found.state == "dropped":
            return
        if found.state == "open":
            async with self._store.transaction() as tx:
                await self._confirmations.close(tx, confirmation_id, "used")
        facts = found.facts
        there = replace(actor, chat_id=found.chat_id)  # the cause is where it was said
        if facts["what"] == "undo":
            record = await self._vouchers.find(actor, UUID(facts["voucher_id"]))
            await self._undo(there, record, facts["message_id"], sure=True)
        else:
            lines = [await self._unpacked(packed) for packed in facts["lines"]]
            await self._book(there, lines, facts["message_id"], sure=True)
        await self._answer("slip_confirmed", actor, found, message_id)

    async def drop(self, actor: Actor, confirmation_id: UUID, *, message_id: int) -> None:
        """Whoever was asked thinks better of it. Refusals: confirmation_expired,
        confirmation_foreign."""
        found = await self._confirmations.find_own(KIND, actor, confirmation_id)
        if found.state == "used":
            return
        if found.state == "open":
            async with self._store.transaction() as tx:
                await self._confirmations.close(tx, confirmation_id, "dropped")
        await self._answer("slip_dropped", actor, found, message_id)

    # ── doing it ─────────────────────────────────────────────────────────────────────────────────
    async def _book(
        self, actor: Actor, lines: Sequence[Written], message_id: int, *, sure: bool
    ) -> None:
        decisions = [self._decide(actor, said, message_id) for said in lines]
        await self._vouchers.record(actor, decisions, sure=sure)

    def _decide(self, actor: Actor, said: Written, message_id: int) -> Decision:
        cause = Cause(actor.chat_id, message_id, said.line)
        holder, advance = said.holder, said.advance
        if isinstance(holder, Supplier):
            return self._payins.decide(actor, holder, advance, cause)
        if said.kind is PREPAYMENT:
            return self._prepayments.decide(actor, holder, advance, cause)
        return self._adjustments.decide(actor, holder, _correction(advance), cause)

    async def _undo(self, actor: Actor, record: Record, message_id: int, *, sure: bool) -> None:
        kind, cause = record.kind, Cause(actor.chat_id, message_id, -record.cause.line)
        if kind is PAYIN:
            supplier = await self._suppliers.by_id(record.holder_id)
            await self._payins.undo(actor, supplier, record.id, cause, sure=sure)
        else:
            merchant = await self._merchants.by_id(record.holder_id)
            verbs = self._prepayments if kind is PREPAYMENT else self._adjustments
            await verbs.undo(actor, merchant, record.id, cause, sure=sure)

    # ── asking ───────────────────────────────────────────────────────────────────────────────────
    async def _ask_to_book(
        self, actor: Actor, lines: Sequence[Written], doubts: dict[int, Doubt], message_id: int
    ) -> None:
        shown = [
            {"line": said.line, "minor": _amount(said).minor, "currency": said.holder.currency,
             "holder_no": _holder(said.holder).no, **_packed_doubt(doubts[said.line])}
            for said in lines if said.line in doubts
        ]  # fmt: skip
        facts = {
            "what": "book",
            **_whose(_holder(lines[0].holder)),
            "lines": [_packed(said) for said in lines],
            "doubts": shown,
        }
        await self._ask(actor, facts, message_id)

    async def _ask_to_undo(
        self, actor: Actor, record: Record, doubt: Doubt, message_id: int
    ) -> None:
        receipt, role = record.receipt, "supplier" if record.kind is PAYIN else "merchant"
        shown = {
            "line": 0, "minor": receipt["minor"], "currency": receipt["currency"],
            "holder_no": receipt[f"{role}_no"], **_packed_doubt(doubt),
        }  # fmt: skip
        facts = {
            "what": "undo",
            f"{role}_id": str(record.holder_id),
            "voucher_id": str(record.id),
            "lines": [],
            "doubts": [shown],
        }
        await self._ask(actor, facts, message_id)

    async def _ask(self, actor: Actor, facts: _Facts, message_id: int) -> None:
        """The question, in reply to the message that it is about."""
        facts = {**facts, "message_id": message_id, "actor_name": actor.name}
        async with self._store.transaction() as tx:
            asked = await self._confirmations.ask(tx, KIND, actor, facts, message_id=message_id)
            question = Say(
                "slip_question", {**facts, "confirmation_id": str(asked)}, reply_to=message_id
            )
            await self._outbox.say(tx, actor.chat_id, question)

    async def _is_asked(self, actor: Actor, voucher_id: UUID, message_id: int) -> bool:
        """Whether this person's answer about the undo of this voucher is still waited for."""
        asked = await self._confirmations.find_replied(
            KIND, actor.user_id, actor.chat_id, message_id, {"voucher_id": str(voucher_id)}
        )
        if asked is None:
            return False
        try:
            return (await self._confirmations.find_own(KIND, actor, asked)).state == "open"
        except Refusal:
            return False

    async def _answer(
        self, screen: str, actor: Actor, found: Confirmation, message_id: int
    ) -> None:
        facts = {**found.facts, "actor_name": actor.name}
        await self._outbox.say(
            self._store, actor.chat_id, Say(screen, facts, edit_message_id=message_id)
        )

    async def _unpacked(self, packed: _Facts) -> Written:
        """A line of a question. Everything in it was read before."""
        kind, holder_id = KINDS[packed["kind"]], UUID(packed["holder_id"])
        holder: Merchant | Supplier
        if kind is PAYIN:
            holder = await self._suppliers.by_id(holder_id)
        else:
            holder = await self._merchants.by_id(holder_id)
        rate = packed["rate"]
        amount = Money(packed["minor"], packed["currency"])
        advance = Advance(
            amount, packed["remark"], Decimal(rate) if rate else None, packed["proof"]
        )
        return Written(packed["line"], kind, holder, advance)


def _holder(holder: Merchant | Supplier) -> Holder:
    return Holder.supplier(holder) if isinstance(holder, Supplier) else Holder.merchant(holder)


def _amount(said: Written) -> Money:
    """What would be booked. Refusals: what the verb that books it refuses of it."""
    if said.kind is ADJUSTMENT:
        check_correction(_correction(said.advance), said.holder.currency)
        return said.advance.amount
    return convert(said.advance, said.holder.currency).amount


def _correction(advance: Advance) -> Correction:
    return Correction(advance.amount, advance.remark, advance.proof_file_id)


def _whose(holder: Holder) -> _Facts:
    return {f"{holder.role}_id": str(holder.id)}


def _packed(said: Written) -> _Facts:
    advance = said.advance
    return {
        "line": said.line,
        "kind": said.kind.name,
        "holder_id": str(said.holder.id),
        "minor": advance.amount.minor,
        "currency": advance.amount.currency,
        "remark": advance.remark,
        "rate": "" if advance.conversion_rate is None else format(advance.conversion_rate, "f"),
        "proof": advance.proof_file_id,
    }


def _packed_doubt(doubt: Doubt) -> _Facts:
    return {"code": doubt.code, "facts": doubt.facts}
