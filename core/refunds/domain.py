"""The books of refunds: reserved when asked for, then settled or released. No supplier is called
and nobody is told here."""

from __future__ import annotations

import re
from typing import Final
from uuid import UUID

from core.access import Actor
from core.errors import REASON_EXAMPLES, Bug, Refusal
from core.groups import Groups
from core.ids import Ids
from core.ledger import (
    BusinessDay,
    Event,
    Ledger,
    Postings,
    refund_reserved,
    refund_settled,
    reversal,
)
from core.merchants import App, Merchants
from core.money import Money
from core.orders import (
    Attempt,
    Order,
    charged_minor,
    hold_charges,
    lock_order,
    move_order,
    named,
    takings_of,
)
from core.refunds.deciding import back_of, named_by, need_ended, need_same, room_for
from core.refunds.reading import Refund, read_refund, refunds_of
from core.store import Tx

MAX_WHY_CHARS: Final = 300
_REFUND_NO: Final = re.compile(r"[A-Za-z0-9_.|-]{1,64}", re.ASCII)


class Refunds:
    """Reserves, settles and releases. Every verb may be said again with the same end."""

    def __init__(self, ids: Ids, ledger: Ledger, merchants: Merchants, groups: Groups) -> None:
        self._ids = ids
        self._ledger = ledger
        self._merchants = merchants
        self._groups = groups

    async def reserve(
        self,
        caller: Actor | App,
        merchant_id: UUID,
        order_id: UUID,
        refund_no: str,
        amount: Money,
        *,
        fee_returned: bool,
    ) -> Refund:
        """Hold a refund's money in the merchant's books, so that it cannot be refunded twice.

        caller: a person who may, or the app whose order it is.
        The same refund_no with the same content is the same refund; an app's are its own. Each goes
        back at one supplier, and all that did not fail are at most what that one took of the order:
        our shortfall was paid by nobody. They are borne by what orders earned: payable may not fall
        below zero, so that position >= -(what was advanced). Whoever runs on a prepayment is
        refunded on, as what was advanced is to be earned back by orders anyway; but nobody comes to
        owe more than was ever advanced to them.
        Refusals: anonymous_admin, not_permitted, merchant_not_found, order_not_found,
        field_invalid, refund_conflict, order_state, refund_over_amount, refund_not_covered.
        """
        if not _REFUND_NO.fullmatch(refund_no):
            expected = "1 to 64 characters of A-Z a-z 0-9 _ . | -"
            raise Refusal("field_invalid", param="refund_no", expected=expected)
        merchant = await self._merchants.by_id(merchant_id)
        actor = named_by(caller, merchant)

        async def work(tx: Tx, day: BusinessDay) -> Refund:
            order, attempts = await lock_order(tx, merchant_id, order_id)
            if isinstance(caller, App) and caller.id != order.app_id:
                raise Refusal("order_not_found", number=order.order_no)
            there = await tx.fetchrow(
                "SELECT * FROM refund WHERE merchant_id = $1 AND app_id = $2 AND refund_no = $3",
                merchant_id,
                order.app_id,
                refund_no,
            )
            if there is not None:
                return need_same(read_refund(there), order_id, amount, fee_returned)
            if amount.minor <= 0 or amount.currency != order.amount.currency:
                expected = f"more than 0, in {order.amount.currency}"
                raise Refusal("field_invalid", param="amount", expected=expected)
            if order.state not in ("paid", "partially_refunded") or order.disputed:
                raise Refusal("order_state", number=order.order_no, status=order.state)
            earlier = [r for r in await refunds_of(tx, order) if r.state != "failed"]
            taking, left = room_for(await takings_of(tx, order, attempts), earlier, amount.minor)
            if taking is None:
                shown = Money(left, amount.currency)
                raise Refusal("refund_over_amount", number=order.order_no, left=shown)
            fee_back = 0
            if fee_returned:
                charged = await charged_minor(tx, order)
                others = [r for r in earlier if r.fee_returned]
                given = sum(r.fee_back_minor for r in others)
                amounts = [r.amount for r in others]
                fee_back = back_of(amount, amounts, charged, order.amount.minor, given)
            wanted = Refund(
                merchant_id=merchant_id,
                id=self._ids.uuid7(),
                order_id=order.id,
                order_no=order.order_no,
                attempt_no=taking.attempt.attempt_no,
                refund_no=refund_no,
                amount=amount,
                fee_returned=fee_returned,
                fee_back_minor=fee_back,
                cost_returned=False,
                cost_back_minor=0,
                state="reserved",
                why="",
                reserve_event_id=None,
                actor=actor,
                at=day.at,
                ended_at=None,
            )
            return await self._reserve(tx, day, order, taking.attempt, wanted)

        return await self._ledger.in_open_day(
            merchant.id, work, before=lambda tx: hold_charges(tx, merchant_id)
        )

    async def _reserve(
        self, tx: Tx, day: BusinessDay, order: Order, attempt: Attempt, wanted: Refund
    ) -> Refund:
        postings = refund_reserved(wanted.amount, fee_back_minor=wanted.fee_back_minor)
        event_id = await self._book(
            tx, day, order, attempt, f"refund_reserved:{wanted.id}", "refund_reserved", postings
        )
        # Booking locks the balance, so what is read after it stands still.
        position = await self._ledger.position(
            tx, order.merchant_id, order.mode, wanted.amount.currency
        )
        if position.payable_minor < 0:
            raise Refusal("refund_not_covered")
        row = await tx.fetchrow(
            "INSERT INTO refund (merchant_id, id, order_id, order_no, attempt_no, app_id,"
            " refund_no, amount_minor, currency, fee_returned, fee_back_minor, state,"
            " reserve_event_id, actor, at)"
            " VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15)"
            " ON CONFLICT (merchant_id, app_id, refund_no) DO NOTHING RETURNING *",
            wanted.merchant_id,
            wanted.id,
            wanted.order_id,
            wanted.order_no,
            wanted.attempt_no,
            order.app_id,
            wanted.refund_no,
            wanted.amount.minor,
            wanted.amount.currency,
            wanted.fee_returned,
            wanted.fee_back_minor,
            wanted.state,
            event_id,
            wanted.actor,
            wanted.at,
        )
        if row is None:  # a twin of another order, which no lock of ours held up
            raise Refusal("refund_conflict", refund_no=wanted.refund_no, differs="order")
        await self._groups.show_order(tx, order.merchant_id, order.id)
        return read_refund(row)

    async def settle(self, merchant_id: UUID, refund_id: UUID, *, cost_returned: bool) -> Refund:
        """The supplier gave the money back to the payer. cost_returned: and its cost on it, to us.

        Refusals: record_not_found, refund_state (it failed).
        """
        merchant = await self._merchants.by_id(merchant_id)

        async def work(tx: Tx, day: BusinessDay) -> Refund:
            refund, order, attempts = await self._lock(tx, merchant_id, refund_id)
            if refund.state != "reserved":
                return need_ended(refund, "succeeded")
            attempt = named(attempts, refund.attempt_no)
            done = [r for r in await refunds_of(tx, order) if r.state == "succeeded"]
            takings = await takings_of(tx, order, attempts)
            # A supplier that turned out not to have the money has taken its cost back.
            taking = next((t for t in takings if t.attempt == attempt), None)
            cost_back = 0
            if cost_returned and taking is not None:
                others = [r for r in done if r.cost_returned and r.attempt_no == refund.attempt_no]
                given = sum(r.cost_back_minor for r in others)
                amounts = [r.amount for r in others]
                cost_back = back_of(
                    refund.amount, amounts, taking.cost_minor, taking.seen_minor, given
                )
            postings = refund_settled(
                refund.amount,
                fee_back_minor=refund.fee_back_minor,
                cost_back_minor=cost_back,
                supplier_no=attempt.supplier_no,
            )
            key = f"refund_settled:{refund.id}"
            event_id = await self._book(tx, day, order, attempt, key, "refund_settled", postings)
            ended = await self._end(
                tx, day, refund, "succeeded", event_id, cost_returned, cost_back, ""
            )
            refunded = refund.amount.minor + sum(r.amount.minor for r in done)
            moved = await move_order(
                tx,
                order,
                "refund_rest" if refunded >= sum(t.minor for t in takings) else "refund_part",
                at=day.at,
                actor=refund.actor,
                facts={"refund_no": refund.refund_no, "amount_minor": refund.amount.minor},
            )
            if moved is None:
                raise Bug(f"order {order.order_no} is {order.state} and has a refund")
            await self._groups.show_order(tx, merchant_id, order.id)
            return ended

        return await self._ledger.in_open_day(merchant.id, work)

    async def release(self, merchant_id: UUID, refund_id: UUID, why: str) -> Refund:
        """The refund has definitely failed: what was held for it is the merchant's again.

        Never for one whose end is unknown. Refusals: record_not_found, refund_state (it
        succeeded), reason_missing.
        """
        if not why.strip():
            raise Refusal("reason_missing", example=REASON_EXAMPLES["release"])
        merchant = await self._merchants.by_id(merchant_id)

        async def work(tx: Tx, day: BusinessDay) -> Refund:
            refund, order, attempts = await self._lock(tx, merchant_id, refund_id)
            if refund.state != "reserved":
                return need_ended(refund, "failed")
            reserved = refund_reserved(refund.amount, fee_back_minor=refund.fee_back_minor)
            event_id = await self._book(
                tx,
                day,
                order,
                named(attempts, refund.attempt_no),
                f"refund_released:{refund.id}",
                "refund_released",
                reversal(reserved),
                reverses=refund.reserve_event_id,
            )
            ended = await self._end(
                tx, day, refund, "failed", event_id, False, 0, why.strip()[:MAX_WHY_CHARS]
            )
            await self._groups.show_order(tx, merchant_id, order.id)
            return ended

        return await self._ledger.in_open_day(merchant.id, work)

    async def _lock(
        self, tx: Tx, merchant_id: UUID, refund_id: UUID
    ) -> tuple[Refund, Order, list[Attempt]]:
        """A refund under its order's lock, which every change of it holds."""
        order_id = await tx.fetchval(
            "SELECT order_id FROM refund WHERE merchant_id = $1 AND id = $2", merchant_id, refund_id
        )
        if order_id is None:
            raise Refusal("record_not_found")
        order, attempts = await lock_order(tx, merchant_id, order_id)
        row = await tx.fetchrow(
            "SELECT * FROM refund WHERE merchant_id = $1 AND id = $2", merchant_id, refund_id
        )
        if row is None:
            raise Bug(f"the refund {refund_id} is gone")
        return read_refund(row), order, attempts

    async def _book(
        self,
        tx: Tx,
        day: BusinessDay,
        order: Order,
        attempt: Attempt,
        key: str,
        kind: str,
        postings: Postings,
        reverses: UUID | None = None,
    ) -> UUID | None:
        """The event's id; None where the merchant bears nothing, so that nothing is moved."""
        if not postings:
            return None
        return await self._ledger.book(
            tx,
            day,
            Event(
                key=key,
                kind=kind,
                mode=order.mode,
                postings=postings,
                order_id=order.id,
                product_code=order.product_code,
                channel_no=attempt.channel_no,
                reverses=reverses,
            ),
        )

    async def _end(
        self,
        tx: Tx,
        day: BusinessDay,
        refund: Refund,
        state: str,
        event_id: UUID | None,
        cost_returned: bool,
        cost_back_minor: int,
        why: str,
    ) -> Refund:
        row = await tx.fetchrow(
            "UPDATE refund SET state = $3, end_event_id = $4, ended_at = $5, cost_returned = $6,"
            " cost_back_minor = $7, why = $8"
            " WHERE merchant_id = $1 AND id = $2 AND state = 'reserved' RETURNING *",
            refund.merchant_id,
            refund.id,
            state,
            event_id,
            day.at,
            cost_returned,
            cost_back_minor,
            why,
        )
        if row is None:
            raise Bug(f"the refund {refund.refund_no} ended while it was locked")
        return read_refund(row)
