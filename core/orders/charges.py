"""What an order is charged: the fee it was made with, unless it was charged anew since.

Whoever books by what orders are charged holds the merchant's charges together with others;
whoever changes them for orders that are paid (a re-rating) holds them alone.
"""

from __future__ import annotations

from typing import Final
from uuid import UUID

from core.orders.reading import Order
from core.store import Queries, Tx

# Of an order `o`, in SQL: the newest re-rating that changed it says.
CHARGED: Final = (
    "coalesce((SELECT r.fee_now_minor FROM rerated_order r"
    " WHERE r.merchant_id = o.merchant_id AND r.order_id = o.id"
    " ORDER BY r.rerating_id DESC LIMIT 1), o.fee_minor)"
)
_CHARGED_OF: Final = (
    f"SELECT {CHARGED} FROM orders o"  # noqa: S608 (our own words)
    " WHERE o.merchant_id = $1 AND o.id = $2 AND o.created_at = $3"
)


async def hold_charges(tx: Tx, merchant_id: UUID, *, alone: bool = False) -> None:
    """Keep what orders are charged as it is until the transaction ends; alone: to change it.

    After the business day, before any order.
    """
    await tx.hold(f"charges:{merchant_id}", together=not alone)


async def charged_minor(queries: Queries, order: Order) -> int:
    """The fee that an order is charged now."""
    fee: int = await queries.fetchval(_CHARGED_OF, order.merchant_id, order.id, order.created_at)
    return fee
