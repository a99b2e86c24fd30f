"""What the supplier remembers: orders, payments, refunds, callbacks and their tries."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Order:
    """One order. `status` is WAIT, SUCCESS, CLOSED or FAIL; times are unix seconds.

    `merchant_name` is '' where none was named. `outcome` is what the payer chose ('' before).
    `paid_fen` and `paid_at` are those of the first payment and 0 while nothing was paid.
    """

    trade_no: str
    mch_id: str
    out_trade_no: str
    pay_type: str
    amount_fen: int
    subject: str
    merchant_name: str
    notify_url: str
    return_url: str
    client_ip: str
    nonce: str
    status: str
    outcome: str
    paid_fen: int
    paid_at: int
    created_at: int
    expires_at: int


@dataclass(frozen=True)
class Payment:
    """One payment of an order; the first has the order's own number."""

    trade_no: str
    order_trade_no: str
    status: str
    paid_fen: int
    paid_at: int


@dataclass(frozen=True)
class Refund:
    """One refund. `status` is PROCESSING, SUCCEEDED or FAILED.

    `due_at`: when a PROCESSING one succeeds by itself, unix seconds; 0 for any other.
    """

    refund_no: str
    mch_id: str
    out_refund_no: str
    order_trade_no: str
    out_trade_no: str
    amount_fen: int
    status: str
    created_at: int
    due_at: float


@dataclass(frozen=True)
class Callback:
    """One message to a notify URL. `fields` are in the first dialect's words and unsigned: it is
    written and signed when it leaves.

    `state`: pending (has a next try at `next_at`), delivered, exhausted, lost (never sent),
    forced (sent once through the control, never again).
    """

    callback_id: int
    order_trade_no: str
    url: str
    fields: dict[str, str]
    state: str
    tries: int
    next_at: float


@dataclass(frozen=True)
class Try:
    """One sending: when, the receiver's HTTP status (None: no answer), its answer or the fault."""

    at: float
    status: int | None
    answer: str
