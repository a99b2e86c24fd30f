"""Completion (补单): an order is marked paid by hand, after the supplier was asked once more."""

from __future__ import annotations

from datetime import timedelta
from typing import Any, Final
from uuid import UUID

from core.access import Actor
from core.audit import Audit
from core.clock import Clock
from core.errors import Refusal
from core.ids import Ids
from core.orders import Completing, Following, Order, Settling, find_for, get_order
from core.outbox import Outbox, Say
from core.store import Store, Tx

OPEN_FOR: Final = timedelta(minutes=15)
MAX_REASON_CHARS: Final = 200


class Completions:
    """Asks for a confirmation, and completes when the same person gives it."""

    def __init__(
        self,
        store: Store,
        clock: Clock,
        ids: Ids,
        audit: Audit,
        outbox: Outbox,
        following: Following,
        settling: Settling,
    ) -> None:
        self._store = store
        self._clock = clock
        self._ids = ids
        self._audit = audit
        self._outbox = outbox
        self._following = following
        self._settling = settling

    async def ask(
        self, actor: Actor, number: str, reason: str, *, message_id: int, request_id: str
    ) -> None:
        """Ask the supplier, then post the question whether to complete, with two buttons.

        Money the supplier reports is booked instead, and the answer says so.
        Refusals: anonymous_admin, not_permitted, reason_missing, order_not_found, order_state.
        """
        actor.need("complete")
        if not reason.strip():
            raise Refusal("reason_missing", example=f"补单 {number} 供应商已确认到账")
        order = await find_for(self._store, actor, number)
        if order.settled:
            raise Refusal("order_state", number=order.order_no, status=order.state)
        standing = await self._following.ask(order.merchant_id, order.id, request_id=request_id)
        order = await get_order(self._store, order.merchant_id, order.id)
        facts: dict[str, Any] = {
            "order_no": order.order_no,
            "merchant_order_no": order.merchant_order_no,
            "merchant_id": str(order.merchant_id),
            "order_id": str(order.id),
            "version": order.version,
            "minor": order.amount.minor,
            "currency": order.amount.currency,
            "status": order.state,
            "reason": reason.strip()[:MAX_REASON_CHARS],
            "supplier_says": standing.state,
            "supplier_why": standing.why[:200],
            "created_at": order.created_at.isoformat(),
            "age_min": int((self._clock.now() - order.created_at).total_seconds() // 60),
            "completed_today": await self._completed_today(order.merchant_id),
            "actor_name": actor.name,
        }
        if order.settled:
            await self._outbox.say(
                self._store,
                actor.chat_id,
                Say("complete_settled_itself", facts, reply_to=message_id),
                merchant_id=order.merchant_id,
            )
            return
        confirmation_id = self._ids.uuid7()
        now = self._clock.now()
        async with self._store.transaction() as tx:
            await tx.execute(
                "INSERT INTO confirmation (id, kind, actor_user_id, chat_id, facts, expires_at,"
                " created_at) VALUES ($1, 'complete', $2, $3, $4, $5, $6)",
                confirmation_id,
                actor.user_id,
                actor.chat_id,
                facts,
                now + OPEN_FOR,
                now,
            )
            await self._outbox.say(
                tx,
                actor.chat_id,
                Say(
                    "complete_question",
                    {**facts, "confirmation_id": str(confirmation_id)},
                    reply_to=message_id,
                ),
                merchant_id=order.merchant_id,
            )

    async def confirm(
        self, actor: Actor, confirmation_id: UUID, *, message_id: int, request_id: str
    ) -> Order:
        """The person who asked confirms: the supplier is asked again, then the order is paid.

        message_id: of the question, which is edited to say what became of it.
        Refusals: anonymous_admin, not_permitted, confirmation_expired, confirmation_foreign,
        order_state.
        """
        actor.need("complete")
        facts = await self._question(actor, confirmation_id)
        merchant_id, order_id = UUID(facts["merchant_id"]), UUID(facts["order_id"])
        if facts["answered"] == "used":
            return await get_order(self._store, merchant_id, order_id)  # pressed twice
        await self._following.ask(merchant_id, order_id, request_id=request_id)
        current = await get_order(self._store, merchant_id, order_id)

        async def close(tx: Tx) -> None:
            screen = "complete_settled_itself" if current.settled else "completed"
            await self._close(tx, actor, confirmation_id, "used", screen, facts, message_id)

        if current.settled:
            async with self._store.transaction() as tx:
                await close(tx)
            return current
        return await self._settling.complete(
            merchant_id,
            order_id,
            facts["version"],
            Completing(facts["reason"], actor.user_id, actor.name, actor.chat_id),
            request_id=request_id,
            also=close,
        )

    async def drop(self, actor: Actor, confirmation_id: UUID, *, message_id: int) -> None:
        """The person who asked thinks better of it. Refusals: confirmation_expired,
        confirmation_foreign."""
        facts = await self._question(actor, confirmation_id)
        if facts["answered"] == "dropped":
            return  # pressed twice
        async with self._store.transaction() as tx:
            await self._close(
                tx, actor, confirmation_id, "dropped", "complete_dropped", facts, message_id
            )

    async def _question(self, actor: Actor, confirmation_id: UUID) -> dict[str, Any]:
        """The question's facts, and `answered`: open, used or dropped."""
        row = await self._store.fetchrow(
            "SELECT actor_user_id, chat_id, facts, state, expires_at FROM confirmation"
            " WHERE id = $1 AND kind = 'complete'",
            confirmation_id,
        )
        if row is None or row["chat_id"] != actor.chat_id:
            raise Refusal("confirmation_expired")
        if row["actor_user_id"] != actor.user_id:
            raise Refusal("confirmation_foreign")
        if row["state"] == "open" and row["expires_at"] <= self._clock.now():
            raise Refusal("confirmation_expired")
        return {**row["facts"], "answered": row["state"]}

    async def _close(
        self,
        tx: Tx,
        actor: Actor,
        confirmation_id: UUID,
        state: str,
        screen: str,
        facts: dict[str, Any],
        message_id: int,
    ) -> None:
        """Answer the question, once, in the transaction of what the answer does."""
        closed = await tx.execute(
            "UPDATE confirmation SET state = $2 WHERE id = $1 AND state = 'open'",
            confirmation_id,
            state,
        )
        if not closed:
            raise Refusal("confirmation_expired")
        await self._audit.record(
            tx,
            f"complete_{state}",
            actor=actor.trail_name,
            facts={**facts, "screen": screen},
            merchant_id=UUID(facts["merchant_id"]),
            chat_id=actor.chat_id,
            message_id=message_id,
        )
        await self._outbox.say(
            tx,
            actor.chat_id,
            Say(screen, {**facts, "actor_name": actor.name}, edit_message_id=message_id),
            merchant_id=UUID(facts["merchant_id"]),
        )

    async def _completed_today(self, merchant_id: UUID) -> int:
        return int(
            await self._store.fetchval(
                "SELECT count(*) FROM completion WHERE merchant_id = $1 AND at > $2",
                merchant_id,
                self._clock.now() - timedelta(hours=24),
            )
        )
