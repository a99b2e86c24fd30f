"""What a test order came to, as it is shown right after it was made."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from core.connectors import Pay
from core.delivery.outbox import MAX_QR_BYTES
from core.parties.district import Parties
from core.parties.suppliers import Call
from core.system.store import Store
from core.trade.orders import Addresses, Order, get_attempts, get_shown
from core.trade.trials.notices import TrialCall, TrialCalls

MAX_CALLS: Final = 4
MAX_SHOWN_CHARS: Final = 700
# What a camera can take to a page or an app by itself.
_SCANNED: Final = frozenset({"url", "qr"})


@dataclass(frozen=True, slots=True)
class TrialResult:
    """code: what the QR code says; empty where nobody can pay the order. link: whether that is the
    supplier's own link."""

    cashier_url: str
    code: str
    link: bool
    calls: TrialCalls


class TrialResults:
    """Reads them, from the order's rows and the rows of its calls."""

    def __init__(self, store: Store, parties: Parties, addresses: Addresses) -> None:
        self._store = store
        self._calls = parties.calls
        self._addresses = addresses

    async def of(self, order: Order, zone: str) -> TrialResult:
        """zone: the merchant's, on whose clocks calls are shown."""
        await self._calls.settle()
        shown = await get_shown(self._store, order.merchant_id, order.id)
        cashier_url = self._addresses.cashier_url(order.order_no)
        pay = shown.pay if shown.order.open_to_money else None
        code = _code(pay, cashier_url)
        calls = [
            call
            for attempt in await get_attempts(self._store, order.merchant_id, order.id)
            for call in await self._calls.of_attempt(order.merchant_id, attempt.attempt_no)
        ]
        calls.sort(key=lambda call: (call.at, call.id))
        said = TrialCalls(
            order_no=order.order_no,
            zone=zone,
            pay_kind=pay.kind if pay else "",
            pay_value=_cut(pay.value) if pay and pay.kind in _SCANNED else "",
            lines=tuple(_line(call) for call in calls[-MAX_CALLS:]),
        )
        return TrialResult(cashier_url, code, bool(code) and code != cashier_url, said)


def _code(pay: Pay | None, cashier_url: str) -> str:
    """A payer's camera goes to the supplier where it can, else to the cashier."""
    if pay is None or pay.kind == "none":
        return ""
    if pay.kind in _SCANNED and len(pay.value.encode()) <= MAX_QR_BYTES:
        return pay.value
    return cashier_url


def _line(call: Call) -> TrialCall:
    return TrialCall(
        at=call.at,
        operation=call.operation,
        method=call.method,
        url=_cut(call.url),
        request=_both(call.request_headers, call.request_body),
        status=call.status or 0,
        answer=_both(call.answer_headers, call.answer_body),
        outcome=call.outcome,
        why=_cut(call.why),
        took_ms=call.took_ms,
    )


def _both(headers: str, body: str) -> str:
    """The body matters more: it comes first, and headers as far as there is room."""
    return _cut("\n\n".join(part for part in (body.strip(), headers.strip()) if part))


def _cut(text: str) -> str:
    return text if len(text) <= MAX_SHOWN_CHARS else text[: MAX_SHOWN_CHARS - 1] + "…"
