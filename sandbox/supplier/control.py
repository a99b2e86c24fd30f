"""The control listener: pays like a payer, orders faults, shows and forges callbacks."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any

import aiohttp
from aiohttp import web

from sandbox.supplier.answers import CHANNEL_CLOSED
from sandbox.supplier.callbacks import Courier
from sandbox.supplier.config import Config
from sandbox.supplier.faults import DEFAULT_DELAY_S as FAULT_DELAY_S
from sandbox.supplier.faults import OPERATIONS, Fault, Faults, Kind
from sandbox.supplier.follow_up import Elsewhere, Follower, Lost
from sandbox.supplier.money import yuan
from sandbox.supplier.orders import DEFAULT_DELAY_S as CALLBACK_DELAY_S
from sandbox.supplier.orders import Orders, Outcome, PayRefused, callback_fields
from sandbox.supplier.refunds import DEFAULT_DELAY_S as REFUND_DELAY_S
from sandbox.supplier.refunds import RefundOutcome, Refunds, RefundSettled
from sandbox.supplier.rows import Order, Payment
from sandbox.supplier.store import Store

MAX_DELAY_S = 600.0
MAX_TIMES = 1_000
FETCH_TIMEOUT_S = 10.0
BROWSER = "Mozilla/5.0 (sandbox payer)"

Handle = Callable[[web.Request], Awaitable[web.Response]]


class ControlError(Exception):
    """What was asked for cannot be done: an HTTP status and a sentence."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status = status


class Control:
    """The verbs of docs/sandbox.md, "Supplier", as HTTP handlers behind the token."""

    def __init__(
        self,
        config: Config,
        store: Store,
        orders: Orders,
        refunds: Refunds,
        faults: Faults,
        courier: Courier,
        now: Callable[[], float],
        base: Callable[[], str],
    ) -> None:
        self._token = config.control_token
        self._store = store
        self._orders = orders
        self._refunds = refunds
        self._faults = faults
        self._courier = courier
        self._now = now
        self._base = base
        self._http: aiohttp.ClientSession | None = None

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        timeout = aiohttp.ClientTimeout(total=FETCH_TIMEOUT_S)
        headers = {"User-Agent": BROWSER, "Accept": "text/html"}
        async with aiohttp.ClientSession(timeout=timeout, headers=headers) as self._http:
            yield

    def routes(self) -> list[web.RouteDef]:
        at = f"/{self._token}"
        return [
            web.post(f"{at}/pay", _answering(self._pay)),
            web.post(f"{at}/fault", _answering(self._fault)),
            web.post(f"{at}/refund_outcome", _answering(self._refund_outcome)),
            web.get(f"{at}/orders", _answering(self._list_orders)),
            web.get(f"{at}/callbacks", _answering(self._list_callbacks)),
            web.post(f"{at}/callback", _answering(self._send_callback)),
            web.get(f"{at}/log", _answering(self._list_log)),
        ]

    async def _pay(self, request: web.Request) -> dict[str, Any]:
        body = await _json_body(request, {"url", "outcome", "delay_s"})
        url = body.get("url")
        if not isinstance(url, str):
            raise ControlError(400, "url must be a pay link")
        try:
            outcome = Outcome(body.get("outcome", "paid"))
        except ValueError:
            raise ControlError(400, f"outcome must be one of {', '.join(Outcome)}") from None
        delay_s = _seconds(body, "delay_s", CALLBACK_DELAY_S)
        order = self._orders.find(await self._follow(url))
        if order is None:
            raise ControlError(404, "no order has this pay link")
        try:
            receipt = self._orders.pay(order, outcome, delay_s)
        except PayRefused as refused:
            raise ControlError(409, str(refused)) from refused
        self._courier.wake()
        return {"trade_nos": receipt.trade_nos, "paid_amount": yuan(receipt.paid_fen)}

    async def _follow(self, url: str) -> str:
        """The trade number a payer arrives at who opens this URL."""
        assert self._http is not None, "follow only while running"
        try:
            return await Follower(self._http, self._base).follow(url)
        except Elsewhere as error:
            raise ControlError(400, str(error)) from error
        except Lost as error:
            raise ControlError(422, str(error)) from error

    async def _fault(self, request: web.Request) -> dict[str, Any]:
        allowed = {"operation", "kind", "times", "delay_s", "code", "after"}
        body = await _json_body(request, allowed)
        operation = body.get("operation", "any")
        if operation not in OPERATIONS:
            raise ControlError(400, f"operation must be one of {', '.join(OPERATIONS)}")
        if body.get("kind") == "clear":
            return {"cleared": self._faults.clear(operation)}
        try:
            kind = Kind(str(body.get("kind")))
        except ValueError:
            raise ControlError(400, f"kind must be one of {', '.join(Kind)}, clear") from None
        times = body.get("times", 1)
        if isinstance(times, bool) or not isinstance(times, int) or not 1 <= times <= MAX_TIMES:
            raise ControlError(400, f"times must be a whole number from 1 to {MAX_TIMES}")
        fault = Fault(
            operation=operation,
            kind=kind,
            times=times,
            delay_s=_seconds(body, "delay_s", FAULT_DELAY_S.get(kind, 0.0)),
            code=str(body.get("code", CHANNEL_CLOSED)),
            after=body.get("after", False) is True,
        )
        try:
            self._faults.add(fault)
        except ValueError as error:
            raise ControlError(409, str(error)) from error
        return {"waiting": times}

    async def _refund_outcome(self, request: web.Request) -> dict[str, Any]:
        body = await _json_body(request, {"outcome", "delay_s", "out_refund_no"})
        try:
            outcome = RefundOutcome(str(body.get("outcome")))
        except ValueError:
            known = ", ".join(RefundOutcome)
            raise ControlError(400, f"outcome must be one of {known}") from None
        delay_s = _seconds(body, "delay_s", REFUND_DELAY_S)
        if "out_refund_no" not in body:
            self._refunds.plan(outcome, delay_s)
            return {"outcome": outcome}
        refund = self._refunds.find_named(str(body["out_refund_no"]))
        if refund is None:
            raise ControlError(404, "no refund has this number")
        try:
            return {"status": self._refunds.end(refund, outcome, delay_s).status}
        except RefundSettled as error:
            raise ControlError(409, str(error)) from error

    async def _list_orders(self, request: web.Request) -> dict[str, Any]:
        return {"orders": [self._order_shown(order) for order in self._orders.listed()]}

    def _order_shown(self, order: Order) -> dict[str, Any]:
        payments = self._store.payments(order.trade_no)
        return {
            "mch_id": order.mch_id,
            "out_trade_no": order.out_trade_no,
            "trade_no": order.trade_no,
            "pay_type": order.pay_type,
            "amount": yuan(order.amount_fen),
            "subject": order.subject,
            "merchant_name": order.merchant_name,
            "status": order.status,
            "outcome": order.outcome,
            "pay_url": f"{self._base()}/pay/{order.trade_no}",
            "notify_url": order.notify_url,
            "created_at": order.created_at,
            "expires_at": order.expires_at,
            "payments": [
                {
                    "trade_no": payment.trade_no,
                    "status": payment.status,
                    "paid_amount": yuan(payment.paid_fen),
                    "paid_at": payment.paid_at,
                }
                for payment in payments
            ],
            "refunds": [
                {
                    "out_refund_no": refund.out_refund_no,
                    "refund_no": refund.refund_no,
                    "status": refund.status,
                    "refund_amount": yuan(refund.amount_fen),
                }
                for refund in self._refunds.listed(order.trade_no)
            ],
        }

    async def _list_callbacks(self, request: web.Request) -> dict[str, Any]:
        order = self._named(dict(request.query))
        return {
            "callbacks": [
                {
                    "trade_no": callback.fields.get("trade_no"),
                    "url": callback.url,
                    "state": callback.state,
                    "next_at": callback.next_at if callback.state == "pending" else None,
                    "fields": callback.fields,
                    "tries": [vars(attempt) for attempt in self._store.tries(callback.callback_id)],
                }
                for callback in self._store.callbacks_of(order.trade_no)
            ]
        }

    async def _send_callback(self, request: web.Request) -> dict[str, Any]:
        allowed = {"out_trade_no", "trade_no", "overrides", "sign"}
        body = await _json_body(request, allowed)
        overrides = body.get("overrides", {})
        if not isinstance(overrides, dict):
            raise ControlError(400, "overrides must be an object")
        if body.get("sign", "valid") not in ("valid", "wrong"):
            raise ControlError(400, "sign must be valid or wrong")
        order = self._named(body)
        payment = self._store.payment(str(body.get("trade_no") or order.trade_no))
        if payment is None:
            now = int(self._now())
            payment = Payment(order.trade_no, order.trade_no, "SUCCESS", order.amount_fen, now)
        changed: dict[str, Any] = {**callback_fields(order, payment), **overrides}
        fields = {name: str(value) for name, value in changed.items() if value is not None}
        genuine = body.get("sign", "valid") == "valid"
        sign = fields.pop("sign", None)
        attempt = await self._courier.send_once(order, fields, genuine=genuine, sign=sign)
        if attempt.status is None:
            raise ControlError(502, f"{order.notify_url} did not answer: {attempt.answer}")
        return {"status": attempt.status, "body": attempt.answer}

    async def _list_log(self, request: web.Request) -> dict[str, Any]:
        return {"log": self._store.log()}

    def _named(self, body: dict[str, Any]) -> Order:
        """The order meant by `trade_no` or `out_trade_no`."""
        if trade_no := body.get("trade_no"):
            order = self._orders.find(str(trade_no))
        elif out_trade_no := body.get("out_trade_no"):
            order = self._orders.find_named(str(out_trade_no))
        else:
            raise ControlError(400, "out_trade_no or trade_no is needed")
        if order is None:
            raise ControlError(404, "no order has this number")
        return order


def _answering(act: Callable[[web.Request], Awaitable[dict[str, Any]]]) -> Handle:
    """A handler that answers what `act` returns, and `{"error"}` when it refuses."""

    async def handle(request: web.Request) -> web.Response:
        try:
            return web.json_response(await act(request))
        except ControlError as error:
            return web.json_response({"error": str(error)}, status=error.status)

    return handle


async def _json_body(request: web.Request, allowed: set[str]) -> dict[str, Any]:
    try:
        body = json.loads(await request.read())
    except ValueError:
        body = None
    if not isinstance(body, dict):
        raise ControlError(400, "the body must be one JSON object")
    if unknown := sorted(set(body) - allowed):
        raise ControlError(400, f"unknown field {unknown[0]}; known: {', '.join(sorted(allowed))}")
    return body


def _seconds(body: dict[str, Any], name: str, default: float) -> float:
    value = body.get(name, default)
    number = isinstance(value, int | float) and not isinstance(value, bool)
    if not number or not 0 <= value <= MAX_DELAY_S:
        raise ControlError(400, f"{name} must be seconds from 0 to {MAX_DELAY_S:.0f}")
    return float(value)
