"""What people write down about money, line by line: kept while somebody is asked about it, and
booked as it was written."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final
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
    Doubted,
    Holder,
    Kind,
    KindName,
    Record,
    Second,
    Vouchers,
    convert,
)
from core.kernel.errors import Refusal
from core.kernel.money import Money
from core.parties.district import Parties
from core.parties.merchants import Merchant
from core.parties.suppliers import Supplier
from core.people.actors import Actor
from core.people.receipts import Cause
from core.system.store import Tx


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

    @property
    def whose(self) -> Holder:
        """The merchant or supplier, as vouchers know it."""
        holder = self.holder
        return Holder.supplier(holder) if isinstance(holder, Supplier) else Holder.merchant(holder)

    @property
    def amount(self) -> Money:
        """What would be booked. Refusals: what the verb that books it refuses of it."""
        if self.kind is ADJUSTMENT:
            check_correction(_correction(self.advance), self.holder.currency)
            return self.advance.amount
        return convert(self.advance, self.holder.currency).amount


@dataclass(frozen=True, slots=True)
class KeptLine:
    """A `Written` line as a question keeps it."""

    line: int
    kind: KindName
    holder_id: UUID
    advance: Advance


def kept(said: Written) -> KeptLine:
    """A line as a question keeps it."""
    return KeptLine(said.line, said.kind.name, said.holder.id, said.advance)


@dataclass(frozen=True, slots=True)
class MerchantSeen:
    """A merchant as it was when that was asked: what is answered is answered for it as such."""

    merchant_id: UUID
    merchant_no: str
    state: str
    credit_line_minor: int | None


def merchants_seen(lines: Sequence[Written]) -> tuple[MerchantSeen, ...]:
    """The merchants of these lines, each once."""
    merchants = {one.holder.id: one.holder for one in lines if isinstance(one.holder, Merchant)}
    return tuple(
        MerchantSeen(one.id, one.merchant_no, one.state, one.credit_line_minor)
        for one in merchants.values()
    )


async def need_same(tx: Tx, seen: Sequence[MerchantSeen]) -> None:
    """They are as they were. Refusals: merchant_changed."""
    rows = await tx.fetch(_MERCHANTS, [one.merchant_id for one in seen])
    now = {row["id"]: (row["state"], row["credit_line_minor"]) for row in rows}
    for one in seen:
        if now.get(one.merchant_id) != (one.state, one.credit_line_minor):
            raise Refusal("merchant_changed", merchant_no=one.merchant_no)


class WrittenLines:
    """Books what was written, by the verb of its kind, and undoes it."""

    def __init__(
        self,
        parties: Parties,
        vouchers: Vouchers,
        prepayments: Prepayments,
        adjustments: Adjustments,
        payins: Payins,
    ) -> None:
        self._merchants = parties.merchants
        self._suppliers = parties.suppliers
        self._vouchers = vouchers
        self._prepayments = prepayments
        self._adjustments = adjustments
        self._payins = payins

    async def book(
        self,
        actor: Actor,
        lines: Sequence[Written],
        message_id: int,
        *,
        doubted: Doubted | None = None,
        second: Second | None = None,
    ) -> None:
        """Book all lines of a message, or none. doubted, second, what is raised: as in
        `Vouchers.record`. Refusals: those of the verb that books a line as well."""
        decisions = [self._decide(actor, said, message_id) for said in lines]
        await self._vouchers.record(actor, decisions, doubted=doubted, second=second)

    def _decide(self, actor: Actor, said: Written, message_id: int) -> Decision:
        cause = Cause(actor.chat_id, message_id, said.line)
        holder, advance = said.holder, said.advance
        if isinstance(holder, Supplier):
            return self._payins.decide(actor, holder, advance, cause)
        if said.kind is PREPAYMENT:
            return self._prepayments.decide(actor, holder, advance, cause)
        return self._adjustments.decide(actor, holder, _correction(advance), cause)

    async def undo(
        self, actor: Actor, record: Record, message_id: int, *, doubted: Doubted
    ) -> None:
        """Undo a voucher. message_id: of the receipt whose button says so. doubted, refusals:
        those of the verb."""
        kind, cause = record.kind, Cause(actor.chat_id, message_id, -record.cause.line)
        if kind is PAYIN:
            supplier = await self._suppliers.by_id(record.holder_id)
            await self._payins.undo(actor, supplier, record.id, cause, doubted=doubted)
        else:
            merchant = await self._merchants.by_id(record.holder_id)
            verbs = self._prepayments if kind is PREPAYMENT else self._adjustments
            await verbs.undo(actor, merchant, record.id, cause, doubted=doubted)

    async def read(self, lines: Sequence[KeptLine]) -> list[Written]:
        """The lines of a question, each with its holder as that is now."""
        return [await self._read(line) for line in lines]

    async def _read(self, line: KeptLine) -> Written:
        kind = KINDS[line.kind]
        holder: Merchant | Supplier
        if kind is PAYIN:
            holder = await self._suppliers.by_id(line.holder_id)
        else:
            holder = await self._merchants.by_id(line.holder_id)
        return Written(line.line, kind, holder, line.advance)


def _correction(advance: Advance) -> Correction:
    return Correction(advance.amount, advance.remark, advance.proof_file_id)


_MERCHANTS: Final = "SELECT id, state, credit_line_minor FROM merchant WHERE id = ANY($1)"
