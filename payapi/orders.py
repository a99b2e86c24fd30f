"""Orders over HTTP: create, look up, close."""

from __future__ import annotations

import re
from typing import Final

import structlog
from aiohttp import web

from core.connectors import Pay
from core.kernel.errors import Refusal
from core.kernel.ids import MERCHANT_NUMBER, read_number
from core.parties.merchants import App
from core.runtime import Runtime
from core.system.gateway import Uncallable, check_url
from core.trade.orders import Opened, Order, ShownOrder, find_key, get_shown, order_view
from payapi.answers import answer
from payapi.auth import authenticate
from payapi.requests import REQUEST_ID, RUNTIME, read_query
from payapi.wire import Expected, NewOrder, Nothing, OrderList, OrderView, read_json

_LOG = structlog.get_logger(__name__)
_MERCHANT_NUMBER: Final = re.compile(MERCHANT_NUMBER, re.ASCII)
_MAX_SHOWN_CHARS: Final = 64
CALLABLE: Final = {
    "form": Expected("an http or https address with a plain host, https://shop.example/notify"),
    "port": Expected("an address on port 80, 443, or 1024 and above"),
    "private": Expected("an address that the internet can reach"),
}


async def create(request: web.Request) -> web.StreamResponse:
    """201 new, 200 the same again, 202 while the supplier's answer is not known. An order of which
    nothing was sent is told as no order: its number is free."""
    runtime = request.app[RUNTIME]
    call = await authenticate(runtime, request)
    read_query(request)
    wanted = read_json(call.body, NewOrder).command()
    _check_callable(runtime, wanted.notify_url)
    opened = await runtime.trade.creation.open(call.app, wanted, request_id=request[REQUEST_ID])
    if opened.nothing_sent:
        raise Refusal("no_room")
    pay = opened.attempt.pay if opened.attempt is not None else None
    view = _view(runtime, opened.order, pay)
    return answer(view, status=_status(opened), again=opened.again)


def _check_callable(runtime: Runtime, url: str | None) -> None:
    """An address we would never call is refused now, not found out in two days of retries."""
    if url is None:
        return
    try:
        check_url(url, allow_private=runtime.system.gateway.allow_private)
    except Uncallable as error:
        expected = CALLABLE[error.fault].text
        raise Refusal("field_invalid", param="notify_url", expected=expected) from None


def _status(opened: Opened) -> int:
    if opened.order.state == "created":
        return 202
    return 200 if opened.again else 201


async def show(request: web.Request) -> web.StreamResponse:
    """One order by our number."""
    runtime = request.app[RUNTIME]
    call = await authenticate(runtime, request)
    read_query(request)
    shown = await _find(runtime, call.app, request.match_info["order_no"])
    return answer(_view(runtime, shown.order, shown.pay))


async def find(request: web.Request) -> web.StreamResponse:
    """The order that this app created under its own number: a list of one or none."""
    runtime = request.app[RUNTIME]
    call = await authenticate(runtime, request)
    query = read_query(request, ("merchant_order_no",))
    if "merchant_order_no" not in query:
        raise Refusal("field_missing", param="merchant_order_no")
    number = query["merchant_order_no"]
    if not _MERCHANT_NUMBER.fullmatch(number):
        return answer(OrderList(data=[]))  # no order has it, nor is one meant that is like it
    merchant_id = call.app.merchant.id
    key = await find_key(runtime.system.store, merchant_id, call.app.id, number)
    if key is None:
        return answer(OrderList(data=[]))
    shown = await get_shown(runtime.system.store, merchant_id, key.order_id)
    return answer(OrderList(data=[_view(runtime, shown.order, shown.pay)]))


async def close(request: web.Request) -> web.StreamResponse:
    """End an order. The supplier is asked first: money it saw makes the order paid instead."""
    runtime = request.app[RUNTIME]
    call = await authenticate(runtime, request)
    read_query(request)
    if call.body:
        read_json(call.body, Nothing)
    order = (await _find(runtime, call.app, request.match_info["order_no"])).order
    ended = await runtime.trade.follow_up.end(
        order.merchant_id, order.id, "close",
        actor=f"api:{call.app.key_id}", request_id=request[REQUEST_ID],
    )  # fmt: skip
    _LOG.info("close asked for", order_no=ended.order_no, status=ended.state)
    shown = await get_shown(runtime.system.store, ended.merchant_id, ended.id)
    return answer(_view(runtime, ended, shown.pay))


async def _find(runtime: Runtime, app: App, order_no: str) -> ShownOrder:
    """An order of the app's own merchant and mode. Refusals: order_not_found."""
    facts = read_number(order_no)
    wanted = "order", app.mode, app.merchant.tag
    if facts is not None and (facts.what, facts.mode, facts.merchant_tag) == wanted:
        shown = await runtime.trade.shown.find(app.merchant.id, order_no, facts)
        if shown is not None:
            return shown
    raise Refusal("order_not_found", param="order_no", number=order_no[:_MAX_SHOWN_CHARS])


def _view(runtime: Runtime, order: Order, pay: Pay | None) -> OrderView:
    cashier_url = runtime.trade.addresses.cashier_url(order.order_no)
    return OrderView.model_validate(order_view(order, pay, cashier_url))


ROUTES: Final[list[web.RouteDef]] = [
    web.post("/orders", create),
    web.get("/orders", find, allow_head=False),
    web.get("/orders/{order_no}", show, allow_head=False),
    web.post("/orders/{order_no}/close", close),
]
