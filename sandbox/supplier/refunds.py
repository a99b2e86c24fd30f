"""The supplier's rules of refunds: once per number, never more than was paid, and how each ends."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum

from sandbox.supplier.answers import CONFLICT, NOT_PAID, TOO_MUCH, Refused
from sandbox.supplier.money import yuan
from sandbox.supplier.orders import new_trade_no
from sandbox.supplier.rows import Order, Refund
from sandbox.supplier.store import Store

DEFAULT_DELAY_S = 5.0


class RefundOutcome(StrEnum):
    """How a refund ends: at once, after a while, or not at all."""

    SUCCEED = "succeed"
    DELAY = "delay"
    FAIL = "fail"


class RefundSettled(Exception):
    """The refund has ended already; the message says how."""


@dataclass(frozen=True)
class _Plan:
    outcome: RefundOutcome
    delay_s: float


class Refunds:
    """Makes, finds and ends refunds. How new ones will end is kept in memory: a restart forgets."""

    def __init__(self, store: Store, now: Callable[[], float]) -> None:
        self._store = store
        self._now = now
        self._plan = _Plan(RefundOutcome.SUCCEED, 0.0)

    def plan(self, outcome: RefundOutcome, delay_s: float) -> None:
        """From now on refunds end like this. `delay_s` is used by `RefundOutcome.DELAY` only."""
        self._plan = _Plan(outcome, delay_s)

    def make(self, order: Order, out_refund_no: str, amount_fen: int) -> tuple[Refund, bool]:
        """The refund with this number, and whether it is new. `Refused`: `CONFLICT`, `NOT_PAID`,
        `TOO_MUCH`."""
        known = self.find_of(order.mch_id, out_refund_no)
        if known is not None:
            if (known.order_trade_no, known.amount_fen) != (order.trade_no, amount_fen):
                raise Refused(CONFLICT, "out_refund_no")
            return known, False
        if order.status != "SUCCESS":
            raise Refused(NOT_PAID, "", f"it is {order.status}")
        left_fen = self._left_fen(order)
        if amount_fen > left_fen:
            raise Refused(TOO_MUCH, "", f"at most {yuan(left_fen)}")
        return self._add(order, out_refund_no, amount_fen), True

    def find_of(self, mch_id: str, out_refund_no: str) -> Refund | None:
        return self._current(self._store.refund_of(mch_id, out_refund_no))

    def find_named(self, out_refund_no: str) -> Refund | None:
        """The newest refund of any account with this merchant's number."""
        return self._current(self._store.refund_named(out_refund_no))

    def listed(self, order_trade_no: str) -> list[Refund]:
        """The refunds of an order, oldest first."""
        found = map(self._current, self._store.refunds(order_trade_no))
        return [refund for refund in found if refund]

    def end(self, refund: Refund, outcome: RefundOutcome, delay_s: float) -> Refund:
        """Decide a refund that is PROCESSING; `RefundSettled` when it is not."""
        status, due_at = self._ending(_Plan(outcome, delay_s))
        if not self._store.move_refund(refund.refund_no, status, due_at):
            raise RefundSettled(f"the refund is {refund.status}, only a PROCESSING one can end")
        found = self._store.refund_of(refund.mch_id, refund.out_refund_no)
        assert found is not None, "refunds are never deleted"
        return found

    def _add(self, order: Order, out_refund_no: str, amount_fen: int) -> Refund:
        status, due_at = self._ending(self._plan)
        created_at = int(self._now())
        refund = Refund(
            refund_no=new_trade_no(created_at),
            mch_id=order.mch_id,
            out_refund_no=out_refund_no,
            order_trade_no=order.trade_no,
            out_trade_no=order.out_trade_no,
            amount_fen=amount_fen,
            status=status,
            created_at=created_at,
            due_at=due_at,
        )
        self._store.add_refund(refund)
        return refund

    def _ending(self, plan: _Plan) -> tuple[str, float]:
        """The status now, and when a PROCESSING refund succeeds (0 for any other)."""
        if plan.outcome is RefundOutcome.DELAY:
            return "PROCESSING", self._now() + plan.delay_s
        return ("FAILED" if plan.outcome is RefundOutcome.FAIL else "SUCCEEDED"), 0.0

    def _left_fen(self, order: Order) -> int:
        paid = [payment.paid_fen for payment in self._store.payments(order.trade_no)]
        gone = [one.amount_fen for one in self.listed(order.trade_no) if one.status != "FAILED"]
        return sum(paid) - sum(gone)

    def _current(self, refund: Refund | None) -> Refund | None:
        """The refund after its time has been taken into account."""
        if refund is None or refund.status != "PROCESSING" or self._now() < refund.due_at:
            return refund
        self._store.move_refund(refund.refund_no, "SUCCEEDED", 0.0)
        return self._store.refund_of(refund.mch_id, refund.out_refund_no)
