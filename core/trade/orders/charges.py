"""What an order is charged: the fee and rate it was made with, unless it was charged anew since.

Whoever books by what orders are charged holds the merchant's charges together with others;
whoever changes them for orders that are paid (a re-rating) holds them alone.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Final
from uuid import UUID

from core.books import BusinessDay, Event, Ledger, rerated
from core.kernel.errors import Bug, Refusal
from core.kernel.money import Money, Rate
from core.kernel.tariff import Tariff
from core.system.store import Queries, Tx
from core.trade.orders.rows import Order

_INSERT_ROWS: Final = 2000

# Of an order `o`, in SQL: the newest re-rating that changed it says.
CHARGED: Final = (
    "coalesce((SELECT r.fee_now_minor FROM rerated_order r"
    " WHERE r.merchant_id = o.merchant_id AND r.order_id = o.id"
    " ORDER BY r.seq DESC LIMIT 1), o.fee_minor)"
)
CHARGED_RATE: Final = (
    "coalesce((SELECT r.rate FROM rerated_order r"
    " WHERE r.merchant_id = o.merchant_id AND r.order_id = o.id"
    " ORDER BY r.seq DESC LIMIT 1), o.rate)"
)
_CHARGED_OF: Final = (
    f"SELECT {CHARGED} AS fee_minor, {CHARGED_RATE} AS rate FROM orders o"  # noqa: S608 (our own)
    " WHERE o.merchant_id = $1 AND o.id = $2 AND o.created_at = $3"
)


async def hold_charges(tx: Tx, merchant_id: UUID, *, alone: bool = False) -> None:
    """Keep what orders are charged as it is until the transaction ends; alone: to change it.

    Before the business day, so that a long change of many orders makes no payment wait. Whoever
    would have to wait for one is refused instead: waiting takes a connection from everybody.
    Refusals: charges_changing.
    """
    name = f"charges:{merchant_id}"
    if alone:
        await tx.hold(name)
    elif not await tx.try_hold(name):
        raise Refusal("charges_changing")


@dataclass(frozen=True, slots=True)
class Charge:
    """What an order is charged: its fee, and the rate that it comes from."""

    fee_minor: int
    rate: Rate


async def charge_of(queries: Queries, order: Order) -> Charge:
    """What an order is charged now."""
    row = await queries.fetchrow(_CHARGED_OF, order.merchant_id, order.id, order.created_at)
    if row is None:
        raise Bug(f"merchant {order.merchant_id} has no order {order.id}")
    return Charge(row["fee_minor"], Rate.unpack(row["rate"]))


@dataclass(frozen=True, slots=True)
class Recharge:
    """Orders of a product that are charged anew. difference: + the merchant pays more; in its
    currency. orders: how many; user_id, name: of who asked for it. order_id: where it is only one
    order's. approved_by: the second person, where one was needed."""

    id: UUID
    mode: str
    product_code: str
    tariff: Tariff
    first_day: date
    last_day: date
    orders: int
    difference: Money
    user_id: int
    name: str
    order_id: UUID | None = None
    approved_by: int | None = None


async def write_charges(
    tx: Tx,
    merchant_id: UUID,
    recharge_id: UUID,
    order_ids: Sequence[UUID],
    fees_then: Sequence[int],
    now: Sequence[Charge],
) -> None:
    """What orders are charged from now on. The merchant's charges are held alone."""
    for at in range(0, len(order_ids), _INSERT_ROWS):
        some = slice(at, at + _INSERT_ROWS)
        # An order has one of few rates: each is handed over once, and named by its place.
        places: dict[Rate, int] = {}
        chosen = [places.setdefault(charge.rate, len(places)) for charge in now[some]]
        await tx.execute(
            _INSERT_ORDERS,
            merchant_id,
            recharge_id,
            order_ids[some],
            fees_then[some],
            [charge.fee_minor for charge in now[some]],
            chosen,
            [rate.pack() for rate in places],
        )


async def book_recharge(tx: Tx, ledger: Ledger, day: BusinessDay, recharge: Recharge) -> None:
    """The re-rating's row, and its one event (none where the differences cancel out)."""
    event_id = None
    if recharge.difference.minor:
        event = Event(
            f"rerated:{recharge.id}",
            "rerated",
            recharge.mode,
            rerated(recharge.difference),
            order_id=recharge.order_id,
            product_code=recharge.product_code,
        )
        event_id = await ledger.book(tx, day, event)
    await tx.execute(
        _INSERT,
        day.holder_id,
        recharge.id,
        recharge.product_code,
        recharge.tariff.tiers_by,
        recharge.tariff.pack(),
        recharge.first_day,
        recharge.last_day,
        recharge.orders,
        recharge.difference.minor,
        recharge.difference.currency,
        recharge.user_id,
        recharge.name,
        event_id,
        day.day,
        day.at,
        recharge.approved_by,
    )


_INSERT_ORDERS: Final = """
INSERT INTO rerated_order
    (merchant_id, order_id, rerating_id, fee_then_minor, fee_now_minor, rate)
SELECT $1, order_id, $2, fee_then, fee_now, $7::jsonb -> place
FROM unnest($3::uuid[], $4::bigint[], $5::bigint[], $6::int[])
    AS u (order_id, fee_then, fee_now, place)
"""
_INSERT: Final = """
INSERT INTO rerating (merchant_id, id, product_code, tiers_by, tiers, first_day, last_day, orders,
                      difference_minor, currency, actor_user_id, actor_name, event_id, day, at,
                      approved_by)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16)
"""
