"""The OpenAPI 3.1 document, from the models that validate and the table of refusals."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

from pydantic import BaseModel
from pydantic.json_schema import models_json_schema

from core.delivery.outbox import News
from core.trade.notifications import GAPS_S
from payapi import examples
from payapi.answers import status_of
from payapi.wire import (
    BalanceView,
    Body,
    DescribedRequest,
    ErrorView,
    NewOrder,
    Nothing,
    OrderList,
    OrderNews,
    OrderView,
    ProductList,
    RefundNews,
    TextToSign,
)

VERSION: Final = "1.0.0"
_REF: Final = "#/components/schemas/{model}"


@dataclass(frozen=True, slots=True)
class Operation:
    """One operation of the API. ok: status -> what it means. refusals: codes of its own."""

    id: str
    method: str
    path: str
    summary: str
    description: str
    answer: type[BaseModel]
    ok: dict[int, str]
    refusals: tuple[str, ...] = ()
    body: type[Body] | None = None
    body_example: dict[str, Any] | None = None
    query: tuple[tuple[str, str], ...] = ()
    signed: bool = True


@dataclass(frozen=True, slots=True)
class Event:
    """News that a merchant's server is told of, and when."""

    name: News
    text: str
    body: type[BaseModel]


EVENTS: Final = (
    Event("order.paid", "The money was seen, or the order was completed by hand.", OrderNews),
    Event(
        "order.paid_late",
        "Money came after the order had expired, failed, been closed or been disputed. Late money"
        " is still money.",
        OrderNews,
    ),
    Event(
        "order.disputed",
        "The order had been marked paid by hand, and that was wrong. Do not deliver, or take back.",
        OrderNews,
    ),
    Event("order.closed", "The order was closed before anything was paid.", OrderNews),
    Event("order.expired", "The time to pay was over before anything was paid.", OrderNews),
    Event("order.failed", "No supplier took the order, or its payment failed.", OrderNews),
    Event("refund.succeeded", "The refund goes back to the payer.", RefundNews),
    Event(
        "refund.failed",
        "The refund did not work. Where its supplier carries it out after all, refund.succeeded"
        " follows.",
        RefundNews,
    ),
)

OPERATIONS: Final = (
    Operation(
        "createOrder", "post", "/v1/orders", "Create an order",
        "Idempotent by merchant_order_no: the same content again answers the same order with"
        " Idempotency-Hit: true; other content is refused. A call that was refused used up no"
        " number: send it again.",
        OrderView,
        {201: "A new order", 200: "The same order again",
         202: "Taken down; the supplier's answer is not known yet. Ask again."},
        ("field_missing", "field_invalid", "currency_unknown", "currency_not_sold", "card_number",
         "product_unknown", "fee_exceeds_amount", "order_conflict", "order_in_progress",
         "credit_line_reached", "no_channel", "no_room"),
        body=NewOrder, body_example=examples.NEW_ORDER,
    ),
    Operation(
        "getOrder", "get", "/v1/orders/{order_no}", "Look an order up",
        "By our number. You see the orders of your own merchant and of the key's mode only.",
        OrderView, {200: "The order"}, ("order_not_found",),
    ),
    Operation(
        "findOrders", "get", "/v1/orders", "Find an order by your number",
        "A list of one, or an empty one, of the orders that this app created.",
        OrderList, {200: "What was found"}, ("field_missing",),
        query=(("merchant_order_no", "Your own number."),),
    ),
    Operation(
        "closeOrder", "post", "/v1/orders/{order_no}/close", "Close an order",
        "The supplier is asked first: money it has seen makes the order paid instead. Closing a"
        " closed order changes nothing.",
        OrderView, {200: "The order as it stands now"}, ("order_not_found", "order_state"),
        body=Nothing, body_example={},
    ),
    Operation(
        "listProducts", "get", "/v1/products", "List products",
        "The payment methods that are open to you, each with your rate.",
        ProductList, {200: "Products"},
    ),
    Operation(
        "getBalance", "get", "/v1/balance", "Read the balance",
        "In the key's mode and your currency, all in smallest units.",
        BalanceView, {200: "The balance"},
    ),
    Operation(
        "checkSignature", "post", "/v1/signature-check", "See what has to be signed",
        "Takes a description of a request and answers the exact text to sign, never a signature."
        " For test keys; this call itself is not signed.",
        TextToSign, {200: "The text"}, ("not_permitted",),
        body=DescribedRequest,
        body_example=examples.DESCRIBED_REQUEST,
        signed=False,
    ),
)  # fmt: skip

_EVERYWHERE: Final = (
    "body_encoded", "field_unknown", "key_missing", "key_unknown", "address_not_allowed",
    "merchant_suspended", "merchant_archived", "merchant_not_reviewed", "rate_limited",
    "unavailable", "internal",
)  # fmt: skip
_SIGNED: Final = ("signature_invalid", "timestamp_out_of_range", "field_invalid")
_WITH_BODY: Final = ("body_invalid", "body_too_large", "field_missing", "field_invalid")
_ROUTING: Final = ("page_not_found", "method_not_allowed")


def refusals_of(operation: Operation) -> list[str]:
    """Every code an operation may answer, sorted."""
    codes = {*_EVERYWHERE, *operation.refusals}
    codes.update(_SIGNED if operation.signed else ())
    codes.update(_WITH_BODY if operation.body else ())
    return sorted(codes)


def api_refusals() -> list[str]:
    """Every code of the API, by status and name."""
    codes = {code for operation in OPERATIONS for code in refusals_of(operation)}
    return sorted({*codes, *_ROUTING}, key=lambda code: (status_of(code), code))


def document(public_url: str) -> dict[str, Any]:
    """The OpenAPI document."""
    paths: dict[str, Any] = {}
    for operation in OPERATIONS:
        entry = _operation(operation, public_url)
        paths.setdefault(operation.path, {})[operation.method] = entry
    return {
        "openapi": "3.1.0",
        "info": {"title": "Paydesk Payment API", "version": VERSION,
                 "description": "JSON over HTTPS. Every request is signed; amounts are whole"
                 " smallest units of the currency."},
        "servers": [{"url": public_url}],
        "security": [{"key": [], "id": [], "timestamp": [], "signature": []}],
        "paths": paths,
        "webhooks": {event.name: {"post": _webhook(event)} for event in EVENTS},
        "components": {"securitySchemes": _SECURITY, "schemas": _schemas()},
    }  # fmt: skip


_SECURITY: Final = {
    name: {"type": "apiKey", "in": "header", "name": header, "description": text}
    for name, header, text in (
        ("key", "Paydesk-Key", "Names the app: pdk_live_… or pdk_test_…"),
        ("id", "Paydesk-Id", "1 to 128 visible ASCII characters, new for every request."),
        ("timestamp", "Paydesk-Timestamp", "Unix seconds, at most 300 s from our clock."),
        ("signature", "Paydesk-Signature",
         "v1,<base64 of HMAC-SHA256> over `id.timestamp.METHOD path?query\\nbody`"),
    )
}  # fmt: skip


def _schemas() -> dict[str, Any]:
    taken: list[type[BaseModel]] = [ErrorView, *(event.body for event in EVENTS)]
    given: list[type[BaseModel]] = []
    for operation in OPERATIONS:
        taken.append(operation.answer)
        if operation.body:
            given.append(operation.body)
    _, found = models_json_schema(
        [(m, "serialization") for m in dict.fromkeys(taken)]
        + [(m, "validation") for m in dict.fromkeys(given)],
        ref_template=_REF,
    )
    schemas: dict[str, Any] = found["$defs"]
    return schemas


def _operation(operation: Operation, url: str) -> dict[str, Any]:
    entry: dict[str, Any] = {
        "operationId": operation.id,
        "summary": operation.summary,
        "description": operation.description,
        "parameters": _parameters(operation),
        "responses": {
            **{str(s): _answered(operation, text) for s, text in operation.ok.items()},
            **_refused(refusals_of(operation), url),
        },
    }
    if operation.body is not None:
        entry["requestBody"] = {
            "required": operation.body is not Nothing,
            "content": _content(operation.body, operation.body_example),
        }
    if not operation.signed:
        entry["security"] = [{"key": []}]
    return entry


def _parameters(operation: Operation) -> list[dict[str, Any]]:
    found = [
        {"name": name, "in": "query", "required": True, "description": text,
         "schema": {"type": "string"}, "example": examples.NEW_ORDER[name]}
        for name, text in operation.query
    ]  # fmt: skip
    if "{order_no}" in operation.path:
        found.append({"name": "order_no", "in": "path", "required": True,
                      "description": "Our number.", "schema": {"type": "string"},
                      "example": examples.ORDER_NO})  # fmt: skip
    return found


def _content(model: type[BaseModel], example: Any) -> dict[str, Any]:
    schema = {"$ref": _REF.format(model=model.__name__)}
    return {"application/json": {"schema": schema, "example": example}}


def _answered(operation: Operation, text: str) -> dict[str, Any]:
    model = operation.answer
    return {"description": text, "content": _content(model, examples.ANSWERS[model.__name__])}


def _refused(codes: list[str], url: str) -> dict[str, Any]:
    by_status: dict[int, list[str]] = {}
    for code in codes:
        by_status.setdefault(status_of(code), []).append(code)
    return {
        str(status): {
            "description": "; ".join(found),
            "content": {
                "application/json": {
                    "schema": {"$ref": _REF.format(model="ErrorView")},
                    "examples": {code: {"value": examples.error(code, url)} for code in found},
                }
            },
        }
        for status, found in sorted(by_status.items())
    }


def _webhook(event: Event) -> dict[str, Any]:
    """What we send, and what your answer means to us."""
    name = event.body.__name__
    return {
        "summary": event.name,
        "description": event.text,
        "security": [],
        "parameters": [
            {"name": header, "in": "header", "required": True, "description": text,
             "schema": {"type": "string"}}
            for header, text in _NEWS_HEADERS
        ],
        "requestBody": {
            "required": True,
            "content": {
                "application/json": {
                    "schema": {
                        "allOf": [
                            {"$ref": _REF.format(model=name)},
                            {"properties": {"type": {"const": event.name}}},
                        ]
                    },
                    "example": examples.NEWS[event.name],
                }
            },
        },
        "responses": {
            "2XX": {"description": "Delivered."},
            "410": {"description": "Nothing more is sent to this address."},
            "default": {"description": f"Sent again after {retry_gaps()} (±10 %)."},
        },
    }  # fmt: skip


_NEWS_HEADERS: Final = (
    ("webhook-id", "The same at every try: remember it, the same news may come twice."),
    ("webhook-timestamp", "Unix seconds of this try."),
    ("webhook-signature", "v1,<base64 of HMAC-SHA256> over `id.timestamp.body`, or several."),
)  # fmt: skip


def retry_gaps() -> str:
    """The pauses before each further try: '5 s, 30 s, 2 min, …'."""
    return ", ".join(_duration(gap_s) for gap_s in GAPS_S[1:])


def _duration(seconds: int) -> str:
    for unit, size_s in (("h", 3600), ("min", 60)):
        if seconds % size_s == 0:
            return f"{seconds // size_s} {unit}"
    return f"{seconds} s"
