"""Receipts: each line of a message is obeyed once, and a repeat gets the same answer."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal, TypeVar
from uuid import UUID

from core.delivery.audit import Action, Audit
from core.delivery.outbox import (
    NOBODY,
    Fact,
    Notice,
    Outbox,
    Say,
    Stored,
    read_notice,
    screen_of,
    values_of,
)
from core.kernel.clock import Clock
from core.kernel.errors import Bug
from core.kernel.holder import HOUSE
from core.people.actors import Actor
from core.system.store import Queries, Store, Tx

N = TypeVar("N", bound=Notice)


@dataclass(frozen=True, slots=True)
class Cause:
    """The line of a message that moves money or sets something. line: from 1; of a button under
    the message 0, or minus the line that the button is about."""

    chat_id: int
    message_id: int
    line: int

    @property
    def is_press(self) -> bool:
        """Whether a button is the cause."""
        return self.line <= 0


@dataclass(frozen=True, slots=True)
class Answer:
    """What is said of something that was set. notice: its values are the receipt.

    action: as the trail names it; empty where nothing was changed, which leaves no trace.
    merchant_id: whose it is; None for a supplier's, a group's and the platform's.
    """

    notice: Notice
    action: Action | Literal[""]
    merchant_id: UUID | None = None


class ObeyedBefore(Exception):
    """This cause was obeyed before. To be let out of the transaction, which rolls it back.

    receipt: what was answered then.
    """

    def __init__(self, receipt: dict[str, Any]) -> None:
        super().__init__()
        self.receipt = receipt

    def told(self, kind: type[N]) -> N:
        """What was answered then, of this kind."""
        return read_notice(kind, Stored(screen_of(kind), self.receipt))


class Receipts:
    """Remembers what was obeyed, so that a message which is delivered again sets nothing."""

    def __init__(self, store: Store, clock: Clock, outbox: Outbox, audit: Audit) -> None:
        self._store = store
        self._clock = clock
        self._outbox = outbox
        self._audit = audit

    async def obeyed(self, chat_id: int, message_id: int) -> bool:
        """Whether a line of this message was obeyed."""
        return bool(
            await self._store.fetchval(
                "SELECT EXISTS (SELECT FROM cause"
                " WHERE chat_id = $1 AND message_id = $2 AND line > 0)",
                chat_id,
                message_id,
            )
        )

    async def undone(self, chat_id: int, message_id: int, voucher_id: UUID) -> bool:
        """Whether a button under this message undid the voucher."""
        return bool(
            await self._store.fetchval(
                "SELECT EXISTS (SELECT FROM cause WHERE chat_id = $1 AND message_id = $2"
                " AND line <= 0 AND receipt->>'reverses' = $3)",
                chat_id,
                message_id,
                str(voucher_id),
            )
        )

    async def need_fresh(self, tx: Tx, cause: Cause) -> None:
        """Raises ObeyedBefore where the cause was obeyed before."""
        earlier = await receipt_of(tx, cause)
        if earlier is not None:
            raise ObeyedBefore(earlier)

    async def answer(
        self, tx: Tx, actor: Actor, cause: Cause, answer: Answer, *, said: Fact | None = None
    ) -> None:
        """Keep the cause, write the trail and put the receipt into the outbox, in the transaction
        of what was set. said: what says it, where that is no reply of words alone. Raises
        ObeyedBefore where the cause was obeyed before."""
        holder_id = answer.merchant_id
        kept = await tx.execute(
            "INSERT INTO cause (chat_id, message_id, line, holder_id, receipt, at)"
            " VALUES ($1, $2, $3, $4, $5, $6) ON CONFLICT DO NOTHING",
            cause.chat_id,
            cause.message_id,
            cause.line,
            holder_id or HOUSE,
            values_of(answer.notice),
            self._clock.now(),
        )
        if not kept:
            earlier = await receipt_of(tx, cause)
            if earlier is None:
                raise Bug(f"the cause {cause} is there and is not")
            raise ObeyedBefore(earlier)
        if answer.action:
            await self._audit.record(
                tx,
                answer.action,
                actor=actor.trail_name,
                facts=values_of(answer.notice),
                merchant_id=holder_id,
                chat_id=cause.chat_id,
                message_id=cause.message_id,
            )
        await self._outbox.say(
            tx,
            cause.chat_id,
            said or Say(answer.notice, reply_to=cause.message_id),
            merchant_id=holder_id or NOBODY,
        )


async def receipt_of(queries: Queries, cause: Cause) -> dict[str, Any] | None:
    """What was answered when the cause was obeyed; None where it was not."""
    found: dict[str, Any] | None = await queries.fetchval(
        "SELECT receipt FROM cause WHERE chat_id = $1 AND message_id = $2 AND line = $3",
        cause.chat_id,
        cause.message_id,
        cause.line,
    )
    return found


async def records_of(queries: Queries, chat_id: int, message_id: int | None) -> list[str]:
    """The record numbers of what a message, or a button under it, has moved."""
    rows = await queries.fetch(
        "SELECT receipt->>'record_no' AS record_no FROM cause"
        " WHERE chat_id = $1 AND message_id = $2 AND receipt ? 'record_no' ORDER BY line",
        chat_id,
        message_id,
    )
    return [row["record_no"] for row in rows]
