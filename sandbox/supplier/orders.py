"""The supplier's rules: what an order may become, and what a payer's choice does to it."""

from __future__ import annotations

import secrets
import time
from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum

from sandbox.supplier.money import yuan
from sandbox.supplier.rows import Order, Payment
from sandbox.supplier.store import Store

DEFAULT_DELAY_S = 5.0
ONE_YUAN_FEN = 100


class Outcome(StrEnum):
    """What a payer can do; each has a button on the payer page."""

    PAID = "paid"
    LESS = "less"
    MORE = "more"
    TWICE = "twice"
    FAIL = "fail"
    DELAY = "delay"
    LOSE_CALLBACK = "lose_callback"


class PayRefused(Exception):
    """The order cannot be paid like that; the message says why."""


@dataclass(frozen=True)
class Receipt:
    """What one choice of the payer led to; `paid_fen` is what each payment paid (0: failed)."""

    trade_nos: list[str]
    paid_fen: int


@dataclass(frozen=True)
class Ask:
    """The content of a create request; the same content twice is the same order.

    `merchant_name` and `return_url` are '' where they were not given.
    """

    mch_id: str
    out_trade_no: str
    pay_type: str
    amount_fen: int
    subject: str
    merchant_name: str
    notify_url: str
    return_url: str
    client_ip: str


class Orders:
    """Opens, finds, closes and pays orders; a callback is remembered with the payment it tells."""

    def __init__(self, store: Store, expires_in_s: int, now: Callable[[], float]) -> None:
        self._store = store
        self._expires_in_s = expires_in_s
        self._now = now

    def open(self, ask: Ask) -> Order:
        """A new waiting order."""
        created_at = int(self._now())
        order = Order(
            trade_no=new_trade_no(created_at),
            **vars(ask),
            nonce=new_nonce(),
            status="WAIT",
            outcome="",
            paid_fen=0,
            paid_at=0,
            created_at=created_at,
            expires_at=created_at + self._expires_in_s,
        )
        self._store.add_order(order)
        return order

    def find(self, trade_no: str) -> Order | None:
        return self._current(self._store.order(trade_no))

    def find_of(self, mch_id: str, out_trade_no: str) -> Order | None:
        return self._current(self._store.order_of(mch_id, out_trade_no))

    def find_named(self, out_trade_no: str) -> Order | None:
        """The newest order of any account with this merchant's number."""
        return self._current(self._store.order_named(out_trade_no))

    def listed(self) -> list[Order]:
        """The newest orders first."""
        return [order for order in map(self._current, self._store.orders()) if order]

    def close(self, order: Order) -> Order:
        """Close a waiting order; any other keeps the status it has."""
        self._store.move_order(order.trade_no, "CLOSED")
        return self._again(order)

    def pay(self, order: Order, outcome: Outcome, delay_s: float = DEFAULT_DELAY_S) -> Receipt:
        """Pay a waiting order; `PayRefused` when it waits no more or is too small for the choice.

        `delay_s` is used by `Outcome.DELAY` only.
        """
        order = self._again(order)
        if order.status != "WAIT":
            raise PayRefused(f"the order is {order.status}, only a WAIT order can be paid")
        if outcome is Outcome.LESS and order.amount_fen < 2:
            raise PayRefused("0.01 cannot be paid with less")
        now = self._now()
        payments = _payments(order, outcome, int(now))
        first = payments[0]
        late_s = delay_s if outcome is Outcome.DELAY else 0.0
        state = "lost" if outcome is Outcome.LOSE_CALLBACK else "pending"
        with self._store.transaction():
            self._store.move_order(
                order.trade_no,
                first.status,
                outcome=outcome,
                paid_fen=first.paid_fen,
                paid_at=first.paid_at if first.status == "SUCCESS" else 0,
            )
            for payment in payments:
                self._store.add_payment(payment)
                fields = callback_fields(order, payment)
                self._store.add_callback(order, fields, state=state, next_at=now + late_s)
        return Receipt([payment.trade_no for payment in payments], first.paid_fen)

    def _again(self, order: Order) -> Order:
        found = self.find(order.trade_no)
        assert found is not None, "orders are never deleted"
        return found

    def _current(self, order: Order | None) -> Order | None:
        """The order after its time has been taken into account: expired ones are closed."""
        if order is None or order.status != "WAIT" or self._now() < order.expires_at:
            return order
        self._store.move_order(order.trade_no, "CLOSED")
        return self._store.order(order.trade_no)


def callback_fields(order: Order, payment: Payment) -> dict[str, str]:
    """What the callback that tells this payment says, in the first dialect's words."""
    fields = {
        "mch_id": order.mch_id,
        "out_trade_no": order.out_trade_no,
        "trade_no": payment.trade_no,
        "amount": yuan(order.amount_fen),
        "status": payment.status,
        "nonce": new_nonce(),
    }
    if payment.status == "SUCCESS":
        fields |= {"paid_amount": yuan(payment.paid_fen), "paid_at": str(payment.paid_at)}
    return fields


def new_nonce() -> str:
    return secrets.token_hex(12)


def new_trade_no(at: int) -> str:
    """A number of the supplier, 24 characters: day and 16 random hexadecimal digits."""
    return time.strftime("%Y%m%d", time.gmtime(at)) + secrets.token_hex(8).upper()


def _payments(order: Order, outcome: Outcome, now: int) -> list[Payment]:
    """What the payer's choice pays; the first payment has the order's own number."""
    amount_fen = order.amount_fen
    if outcome is Outcome.FAIL:
        return [Payment(order.trade_no, order.trade_no, "FAIL", 0, now)]
    if outcome is Outcome.LESS:
        over = amount_fen > ONE_YUAN_FEN
        amount_fen = amount_fen - ONE_YUAN_FEN if over else amount_fen // 2
    if outcome is Outcome.MORE:
        amount_fen += ONE_YUAN_FEN
    first = Payment(order.trade_no, order.trade_no, "SUCCESS", amount_fen, now)
    if outcome is not Outcome.TWICE:
        return [first]
    second = Payment(new_trade_no(now), order.trade_no, "SUCCESS", amount_fen, now)
    return [first, second]
