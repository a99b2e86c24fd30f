"""Orders completed by hand, and wrong completions reversed; each in one transaction."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from uuid import UUID

from core.books import BusinessDay, Event, Postings, rerated, reversal
from core.kernel.errors import Bug, Refusal
from core.kernel.money import Money
from core.kernel.tariff import Tariff
from core.supply.channels import Routing
from core.system.store import Tx
from core.trade.booking_tools import TradeBooks
from core.trade.orders import moves
from core.trade.orders.charges import (
    Charge,
    Recharge,
    book_recharge,
    charge_of,
    hold_charges,
    write_charges,
)
from core.trade.orders.completion_rows import completion_of, held_of, need_reversible
from core.trade.orders.decisions import Use, complete, next_attempt_of, uses_of
from core.trade.orders.notices import ease_suspense, sound_suspense
from core.trade.orders.payments import PaidBy, Payments
from core.trade.orders.rows import Attempt, Order, in_turn, lock_order, named

Also = Callable[[Tx], Awaitable[None]]


@dataclass(frozen=True, slots=True)
class Approver:
    """A second person, who said yes to it."""

    user_id: int
    name: str


@dataclass(frozen=True, slots=True)
class ByHand:
    """Who completes an order by hand (or reverses that), where, and why.

    proof_file_id: a picture, at Telegram. discrepancy_id: whose money in suspense is to be used;
    None for whatever the order has there. approved_by: None where one person was enough.
    """

    reason: str
    user_id: int
    name: str
    chat_id: int
    proof_file_id: str | None = None
    discrepancy_id: UUID | None = None
    approved_by: Approver | None = None

    @property
    def facts(self) -> dict[str, str]:
        """What the order's history keeps of it."""
        second = self.approved_by
        approved = {"approved_by": f"telegram:{second.user_id}"} if second else {}
        return {"reason": self.reason} | approved


class OrdersByHand:
    """Marks orders paid by a person's word, and takes that back."""

    def __init__(self, books: TradeBooks, payments: Payments, routing: Routing) -> None:
        self._ids = books.ids
        self._ledger = books.ledger
        self._alarms = books.alarms
        self._payments = payments
        self._routing = routing

    async def complete(
        self,
        merchant_id: UUID,
        order_id: UUID,
        version: int | None,
        by: ByHand,
        *,
        request_id: str,
        also: Also,
        held_minor: int | None = None,
    ) -> Order:
        """Mark an order paid by hand, with the amount it was asked for.

        version: the order's version the person saw; another one means that it moved on; None
        where it does not matter. held_minor: as much of its money as the person saw in suspense.
        also: what is written in the same transaction, before anything else; its refusal undoes
        all. Refusals: order_state, already_resolved, discrepancy_changed.
        """

        async def work(tx: Tx, day: BusinessDay) -> Order:
            order, attempts = await lock_order(tx, merchant_id, order_id)
            await also(tx)
            if not order.open_to_money or version not in (None, order.version):
                raise Refusal("order_state", number=order.order_no, status=order.state)
            day = await in_turn(tx, day, order)
            attempt = next_attempt_of(attempts)
            held = await held_of(tx, order, attempts, attempt, by.discrepancy_id)
            if held_minor not in (None, sum(h.left_minor for h in held)):
                raise Refusal("discrepancy_changed", number=order.order_no)
            uses = uses_of(order, held)
            if not uses and by.discrepancy_id is not None:
                raise Refusal("already_resolved", number=order.order_no)
            if uses:
                attempt = uses[0].held.attempt
            settlement = complete(order, attempt, uses)
            nth = 1 + await tx.fetchval(
                "SELECT count(*) FROM completion"
                " WHERE merchant_id = $1 AND order_id = $2 AND reverses IS NULL",
                merchant_id,
                order_id,
            )
            event_id = await self._payments.book(
                tx, day, order, attempt, settlement, f"completed:{order.id}:{nth}"
            )
            if event_id is None:
                raise Bug(f"the completion of {order.order_no} moves nothing")
            for use in uses:
                await self._use(tx, day, order, use, by, event_id)
            await self._record(tx, day, order, by, event_id, reverses=None)
            staff = f"telegram:{by.user_id}"
            paid_by = PaidBy("completed", staff, request_id, by.facts)
            order = await self._payments.pay(tx, day, order, attempt, settlement, paid_by)
            await moves.ask_anew(tx, order, at=day.at)
            if uses:
                await ease_suspense(tx, self._alarms, merchant_id)
            return order

        completed = await self._ledger.in_open_day(merchant_id, work)
        if completed.paid_late and completed.paid_attempt_no is not None:
            await self._routing.recount(merchant_id, completed.paid_attempt_no)
        return completed

    async def reverse(
        self,
        merchant_id: UUID,
        order_id: UUID,
        version: int,
        by: ByHand,
        *,
        asked_by: int,
        request_id: str,
        also: Also,
    ) -> Order:
        """Take a wrong completion back: its exact reversal is booked, money it took from suspense
        returns there, and the order is disputed until money comes after all. An order that was
        charged anew since is charged its first fee again, which the reversal gives back.

        by: who confirms, with the reason of who asked (asked_by). version, also: as in `complete`.
        Refusals: order_state, completion_confirmed, refund_under_way.
        """

        async def work(tx: Tx, day: BusinessDay) -> Order:
            order, attempts = await lock_order(tx, merchant_id, order_id)
            await also(tx)
            await need_reversible(tx, order)
            if order.version != version:
                raise Refusal("order_state", number=order.order_no, status=order.state)
            day = await in_turn(tx, day, order)
            attempt = named(attempts, order.paid_attempt_no or "")
            charged_anew_minor = await self._book_back(tx, day, order, attempt, by, asked_by)
            moved = await moves.move_order(
                tx,
                order,
                "dispute",
                at=day.at,
                actor=f"telegram:{by.user_id}",
                facts={
                    "reason": by.reason,
                    "asked_by": f"telegram:{asked_by}",
                    "request_id": request_id,
                    "charged_anew_minor": charged_anew_minor,
                },
                changes={"disputed": True},
            )
            if moved is None:
                raise Bug(f"order {order.order_no} moved while it was locked")
            await moves.ask_anew(tx, order, at=day.at)
            await self._payments.tell(tx, moved, "order.disputed", request_id=request_id)
            return moved

        return await self._ledger.in_open_day(
            merchant_id, work, before=lambda tx: hold_charges(tx, merchant_id, alone=True)
        )

    async def _book_back(
        self, tx: Tx, day: BusinessDay, order: Order, attempt: Attempt, by: ByHand, asked_by: int
    ) -> int:
        """Book the exact reversal of the completion that an order is paid by, and give back what
        it took from suspense. Returns what the merchant is charged more before that."""
        wrong = await completion_of(tx, order)
        back = reversal(await self._ledger.postings_of(tx, order.merchant_id, wrong["event_id"]))
        charged_anew_minor = await self._charge_first_fee(tx, day, order, by, asked_by, back)
        event_id = await self._ledger.book(
            tx,
            day,
            Event(
                key=f"completion_reversed:{wrong['id']}",
                kind="completion_reversed",
                mode=order.mode,
                postings=back,
                order_id=order.id,
                product_code=order.agreed.product_code,
                channel_no=attempt.channel_no,
                reverses=wrong["event_id"],
            ),
        )
        # Resolutions are append-only: one whose event is reversed no longer counts.
        given_back = await tx.execute(
            "UPDATE discrepancy d SET left_minor = d.left_minor + r.minor FROM resolution r"
            " WHERE r.merchant_id = $1 AND r.event_id = $2 AND d.merchant_id = r.merchant_id"
            " AND d.id = r.discrepancy_id",
            order.merchant_id,
            wrong["event_id"],
        )
        await self._record(tx, day, order, by, event_id, reverses=wrong["id"])
        if given_back and order.mode == "live":
            await sound_suspense(tx, self._alarms, order.merchant_id)
        return charged_anew_minor

    async def _charge_first_fee(
        self, tx: Tx, day: BusinessDay, order: Order, by: ByHand, asked_by: int, back: Postings
    ) -> int:
        """What is charged more by that (0 where the order was not charged anew). back: what is
        booked after it, in the same transaction."""
        charged, first = (
            await charge_of(tx, order),
            Charge(order.agreed.fee_minor, order.agreed.rate),
        )
        if charged == first or order.paid_day is None:
            return 0
        recharge = Recharge(
            id=self._ids.uuid7(),
            mode=order.mode,
            product_code=order.agreed.product_code,
            tariff=Tariff.flat(order.agreed.rate),
            first_day=order.paid_day,
            last_day=order.paid_day,
            orders=1,
            difference=Money(first.fee_minor - charged.fee_minor, order.amount.currency),
            user_id=by.user_id,
            name=by.name,
            order_id=order.id,
            approved_by=asked_by,  # both said so: no one person moved it alone
        )
        await self._ledger.hold_balances(
            tx, order.merchant_id, order.mode, back, rerated(recharge.difference)
        )
        await write_charges(
            tx, order.merchant_id, recharge.id, [order.id], [charged.fee_minor], [first]
        )
        await book_recharge(tx, self._ledger, day, recharge)
        return recharge.difference.minor

    async def _use(
        self, tx: Tx, day: BusinessDay, order: Order, use: Use, by: ByHand, event_id: UUID
    ) -> None:
        """The completion takes its money from suspense."""
        await tx.execute(
            "UPDATE discrepancy SET left_minor = left_minor - $3"
            " WHERE merchant_id = $1 AND id = $2",
            order.merchant_id,
            use.held.discrepancy_id,
            use.minor,
        )
        await tx.execute(
            "INSERT INTO resolution (merchant_id, id, discrepancy_id, how, minor, reason,"
            " actor_user_id, actor_name, event_id, day, at, approved_by,"
            " approved_by_name)"
            " VALUES ($1, $2, $3, 'complete', $4, $5, $6, $7, $8, $9, $10, $11, $12)",
            order.merchant_id,
            self._ids.uuid7(),
            use.held.discrepancy_id,
            use.minor,
            by.reason,
            by.user_id,
            by.name,
            event_id,
            day.day,
            day.at,
            by.approved_by.user_id if by.approved_by else None,
            by.approved_by.name if by.approved_by else None,
        )

    async def _record(
        self,
        tx: Tx,
        day: BusinessDay,
        order: Order,
        by: ByHand,
        event_id: UUID,
        *,
        reverses: UUID | None,
    ) -> None:
        await tx.execute(
            "INSERT INTO completion (merchant_id, id, order_id, order_no, reason,"
            " actor_user_id, actor_name, chat_id, proof_file_id, reverses, event_id, day, at,"
            " approved_by, approved_by_name)"
            " VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15)",
            order.merchant_id,
            self._ids.uuid7(),
            order.id,
            order.order_no,
            by.reason,
            by.user_id,
            by.name,
            by.chat_id,
            by.proof_file_id,
            reverses,
            event_id,
            day.day,
            day.at,
            by.approved_by.user_id if by.approved_by else None,
            by.approved_by.name if by.approved_by else None,
        )
