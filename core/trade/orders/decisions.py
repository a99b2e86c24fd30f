"""Decisions about orders, purely: what a repeated create means, what seen money means."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, fields
from typing import Literal
from uuid import UUID

from core.books import Event, Postings, Took, completed_from_suspense, confirmed, paid, unmatched
from core.kernel.errors import Bug, Contradiction
from core.kernel.money import Money
from core.trade.orders.lifecycle import LATE_FROM, PAYABLE, order_after
from core.trade.orders.rows import Attempt, Order


@dataclass(frozen=True, slots=True)
class OpenOrder:
    """What a merchant asks for. expires_in_s: how long the payer may take. payer_id: who the payer
    is at the supplier (an openid, a code that was scanned), for the ways that need it.

    only_channel_id: the one channel it may go over; None: as routing says. asker: who asks, as
    histories name it; empty: the app itself. Both are said by staff alone."""

    merchant_order_no: str
    amount: Money
    product: str
    subject: str
    client_ip: str
    notify_url: str | None = None
    return_url: str | None = None
    expires_in_s: int = 1800
    metadata: tuple[tuple[str, str], ...] = ()
    payer_id: str = ""
    only_channel_id: UUID | None = None
    asker: str = ""


def need_same_payment(told: PaymentSeen, seen: PaymentSeen) -> None:
    """What is said under a payment number is what was said under it before. Raises Contradiction.

    told: what was booked under the number.
    """
    before = f"{told.attempt_no} {told.paid}"
    if (told.merchant_id, told.attempt_no) != (seen.merchant_id, seen.attempt_no):
        raise Contradiction("number_taken", before)
    if told.paid != seen.paid:
        raise Contradiction("amount_changed", before)


def differences(order: Order, wanted: OpenOrder) -> list[str]:
    """Fields in which a repeated create differs from the order that is there.

    The payer's address and id, the expiry and who asks are circumstances of a call, not what was
    asked for.
    """
    there = OpenOrder(
        merchant_order_no=order.merchant_order_no,
        amount=order.amount,
        product=order.terms.product_code if order.terms else "",
        subject=order.subject,
        client_ip=wanted.client_ip,
        notify_url=order.notify_url,
        return_url=order.return_url,
        expires_in_s=wanted.expires_in_s,
        metadata=tuple(sorted(order.metadata.items())),
        payer_id=wanted.payer_id,
        only_channel_id=order.only_channel_id,
        asker=wanted.asker,
    )
    return [
        field.name
        for field in fields(OpenOrder)
        if getattr(there, field.name) != getattr(wanted, field.name)
    ]


def came_to_nothing(order: Order, attempts: Sequence[Attempt]) -> bool:
    """Whether an order failed and, for certain, no supplier ever heard of it: its merchant may use
    the number again, for the same or for something else."""
    return order.state == "failed" and all(
        attempt.state == "rejected" and attempt.unsent for attempt in attempts
    )


Meaning = Literal["order", "completed", "confirmation", "short", "over", "duplicate"]


@dataclass(frozen=True, slots=True)
class Settlement:
    """What seen money, or a completion, means.

    move: the order's move, None where it stays as it is. discrepancy: why money went to suspense,
    where some did.
    """

    meaning: Meaning
    move: str | None
    postings: Postings
    cost_minor: int
    late: bool = False
    discrepancy: Literal["short", "over", "duplicate"] | None = None

    @property
    def kind(self) -> str:
        """Of its event. An order that is restored was counted before."""
        return "restored" if self.move == "restore" else self.meaning

    @property
    def held_minor(self) -> int:
        """What goes to suspense."""
        return sum(p.minor for p in self.postings if p.account.startswith("suspense/"))

    @property
    def missing_minor(self) -> int:
        """What our shortfall is of it."""
        return -sum(p.minor for p in self.postings if p.account == "shortfall")


def settle(
    order: Order,
    attempt: Attempt,
    seen: Money,
    *,
    paid_by: Attempt | None,
    reported: bool,
    cost_back_minor: int = 0,
) -> Settlement:
    """Decide about money that a supplier saw for an attempt of an order.

    paid_by: the attempt a settled order was paid (or completed) with. reported: whether a
    supplier already reported money for this order. cost_back_minor: what paid_by's supplier gave
    back of its cost, with refunds. Raises Contradiction.
    """
    if seen.currency != order.amount.currency:
        raise Contradiction("other_currency", f"{order.order_no} {order.amount}")
    if not order.open_to_money:
        if paid_by is None:
            raise Bug(f"order {order.order_no} is {order.state} without an attempt")
        if order.paid_how == "completed" and not reported:
            return _first_report(order, attempt, seen, paid_by, cost_back_minor)
        return _unmatched(attempt, seen, "duplicate")
    if seen.minor == order.amount.minor:
        cost = attempt.cost.of(seen.minor)
        move = "restore" if order.disputed else "pay"
        if order_after(order.state, move, disputed=order.disputed) is None:
            raise Bug(f"an order that is {order.state} cannot be paid")
        return Settlement(
            "order",
            move,
            paid(
                seen,
                fee_minor=order.agreed.fee_minor,
                cost_minor=cost,
                supplier_no=attempt.supplier_no,
            ),
            cost,
            late=_late(order),
        )
    return _unmatched(attempt, seen, "short" if seen.minor < order.amount.minor else "over")


def is_ordinary(order: Order, attempt: Attempt, seen: Money) -> bool:
    """Whether money is just what an order waits for, and comes in time."""
    return (
        order.open_to_money
        and not _late(order)
        and attempt.state in PAYABLE
        and seen == order.amount
    )


@dataclass(frozen=True, slots=True)
class InSuspense:
    """Money of an order that is in suspense.

    seen: what the supplier took, and charged its cost for; left: what is still there of it.
    """

    discrepancy_id: UUID
    attempt: Attempt
    seen_minor: int
    left_minor: int


@dataclass(frozen=True, slots=True)
class Use:
    """How much of what is held pays an order."""

    held: InSuspense
    minor: int


def uses_of(order: Order, held: Sequence[InSuspense]) -> tuple[Use, ...]:
    """What of an order's money in suspense a completion takes: one payment where one suffices, of
    just the right amount rather than a larger one, else one after another until it is paid.
    held: the likeliest first."""
    enough = sorted(
        (h for h in held if h.left_minor >= order.amount.minor), key=lambda h: h.left_minor
    )
    missing, uses = order.amount.minor, []
    for one in enough[:1] or held:
        if missing:
            uses.append(Use(one, min(one.left_minor, missing)))
            missing -= uses[-1].minor
    return tuple(uses)


def complete(order: Order, attempt: Attempt, uses: Sequence[Use]) -> Settlement:
    """Decide how a completion is booked: with what is used of the order's money in suspense, where
    there is any, else as if the supplier of the attempt took all of it."""
    if not uses:
        cost = attempt.cost.of(order.amount.minor)
        postings = paid(
            order.amount,
            fee_minor=order.agreed.fee_minor,
            cost_minor=cost,
            supplier_no=attempt.supplier_no,
        )
    else:
        cost = sum(use.held.attempt.cost.of(use.held.seen_minor) for use in uses)
        used: dict[tuple[str, str], int] = defaultdict(int)
        for use in uses:
            used[use.held.attempt.supplier_no, use.held.attempt.channel_no] += use.minor
        postings = completed_from_suspense(order.amount, used, fee_minor=order.agreed.fee_minor)
    move = "restore" if order.disputed else "complete"
    return Settlement("completed", move, postings, cost, late=_late(order))


def event_of(order: Order, attempt: Attempt, settlement: Settlement, key: str) -> Event:
    """A settlement as it is booked. key: unique for the merchant."""
    return Event(
        key=key,
        kind=settlement.kind,
        mode=order.mode,
        postings=settlement.postings,
        order_id=order.id,
        product_code=order.agreed.product_code,
        channel_no=attempt.channel_no,
    )


def _late(order: Order) -> bool:
    """Whether the merchant was told that it is not paid: it ended, or is disputed."""
    return order.disputed or order.state in LATE_FROM


def _first_report(
    order: Order, attempt: Attempt, seen: Money, paid_by: Attempt, cost_back_minor: int
) -> Settlement:
    """A supplier reports, for the first time, money of an order that was completed by hand: this
    is the order's money, whichever of its attempts it names and however much it is."""
    assumed_cost, cost = paid_by.cost.of(order.amount.minor), attempt.cost.of(seen.minor)
    if attempt.attempt_no != paid_by.attempt_no:
        # What was given back of it already is not taken back once more.
        assumed_cost -= cost_back_minor
    postings = confirmed(
        seen.currency,
        assumed=Took(paid_by.supplier_no, paid_by.channel_no, order.amount.minor, assumed_cost),
        seen=Took(attempt.supplier_no, attempt.channel_no, seen.minor, cost),
    )
    over = seen.minor > order.amount.minor
    return Settlement("confirmation", None, postings, cost, discrepancy="over" if over else None)


def _unmatched(
    attempt: Attempt, seen: Money, kind: Literal["short", "over", "duplicate"]
) -> Settlement:
    cost = attempt.cost.of(seen.minor)
    postings = unmatched(seen, cost_minor=cost, supplier_no=attempt.supplier_no)
    return Settlement(kind, None, postings, cost, discrepancy=kind)


def next_attempt_of(attempts: Sequence[Attempt]) -> Attempt:
    """The attempt a completion is booked on: the one that can still be paid, else the last."""
    if not attempts:
        raise Bug("an order without an attempt cannot be completed")
    payable = [a for a in attempts if a.state in PAYABLE]
    return (payable or list(attempts))[-1]


@dataclass(frozen=True, slots=True)
class PaymentSeen:
    """Money that a supplier says it took. how: reported (a callback, from `address`) or asked (our
    query)."""

    merchant_id: UUID
    attempt_no: str
    upstream_no: str
    paid: Money
    how: Literal["reported", "asked"]
    address: str = ""

    def event_key(self, supplier_no: str) -> str:
        """What its event in the books is called: it is booked once."""
        return f"seen:{supplier_no}:{self.upstream_no}"
