"""An order as its merchant is told of it: the API's answers and its notifications show the same."""

from __future__ import annotations

from typing import Any

from core.connectors import Pay
from core.kernel.clock import rfc3339
from core.trade.orders.rows import Order


def order_view(order: Order, pay: Pay | None, cashier_url: str) -> dict[str, Any]:
    """The order as JSON, as it stands. pay: of the attempt that can be paid, if there is one. What
    depends on its product is null while none is chosen.

    Amounts are smallest units; instants are as `rfc3339` writes them.
    """
    payable = order.state in ("created", "pending")
    terms = order.terms
    return {
        "order_no": order.order_no,
        "merchant_order_no": order.merchant_order_no,
        "status": order.state,
        "amount": order.amount.minor,
        "currency": order.amount.currency,
        "product": terms.product_code if terms else None,
        "subject": order.subject,
        "fee": terms.fee_minor if terms else None,
        "net": order.amount.minor - terms.fee_minor if terms else None,
        "created_at": rfc3339(order.created_at),
        "expires_at": rfc3339(order.expires_at),
        "paid_at": rfc3339(order.paid_at) if order.paid_at else None,
        "paid_late": order.paid_late,
        "manually_completed": order.paid_how == "completed",
        "disputed": order.disputed,
        "pay": _pay_view(pay if payable else None, cashier_url),
        "cashier_url": cashier_url,
        "metadata": order.metadata,
        "mode": order.mode,
    }


def _pay_view(pay: Pay | None, cashier_url: str) -> dict[str, str] | None:
    """What a merchant is told to do with its payer: a form is posted from our own page, and where
    the payer has nothing to do there is nothing to tell."""
    if pay is None or pay.kind == "none":
        return None
    if pay.kind == "form":
        return {"kind": "url", "value": cashier_url}
    return {"kind": pay.kind, "value": pay.value}
