"""The OpenAPI 3.1 document, from the models that validate and the table of refusals."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

from pydantic import BaseModel
from pydantic.json_schema import models_json_schema

from core.errors import REFUSALS
from payapi.wire import (
    BalanceView,
    DescribedRequest,
    ErrorView,
    NewOrder,
    Nothing,
    OrderList,
    OrderView,
    ProductList,
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
    body: type[BaseModel] | None = None
    body_example: dict[str, Any] | None = None
    query: tuple[tuple[str, str], ...] = ()
    signed: bool = True


_NUMBER: Final = "P2H000108QF5JW3X7KRT"
ORDER_EXAMPLE: Final[dict[str, Any]] = {
    "order_no": _NUMBER, "merchant_order_no": "S-20261121-0001", "status": "pending",
    "amount": 1234, "currency": "CNY", "product": "alipay_qr", "subject": "Green tea 250 g",
    "fee": 15, "net": 1219, "created_at": "2026-11-21T01:00:00Z",
    "expires_at": "2026-11-21T01:30:00Z", "paid_at": None, "paid_late": False,
    "disputed": False,
    "pay": {"kind": "url", "value": "https://pay.institution.example/c/8f2a"},
    "cashier_url": f"https://desk.example/pay/{_NUMBER}", "metadata": {"cart": "8841"},
    "mode": "test",
}  # fmt: skip
NEW_ORDER_EXAMPLE: Final[dict[str, Any]] = {
    "merchant_order_no": "S-20261121-0001", "amount": 1234, "currency": "CNY",
    "product": "alipay_qr", "subject": "Green tea 250 g", "client_ip": "203.0.113.7",
    "notify_url": "https://shop.example/paydesk/notify", "metadata": {"cart": "8841"},
}  # fmt: skip
EXAMPLES: Final[dict[str, Any]] = {
    "OrderView": ORDER_EXAMPLE,
    "OrderList": {"data": [ORDER_EXAMPLE], "next": None},
    "ProductList": {
        "data": [{
            "code": "alipay_qr", "name": "Alipay QR", "tiers_by": "amount",
            "tiers": [
                {"from": 0, "rate": "1.2%", "fixed": 10, "min": 0, "max": None},
                {"from": 100000, "rate": "1%", "fixed": 0, "min": 0, "max": 50000},
            ],
        }],
        "next": None,
    },
    "BalanceView": {
        "mode": "test", "currency": "CNY", "payable": 121900, "prepaid": -100000,
        "position": 21900, "remaining_prepayment": 0,
    },
    "TextToSign": {
        "expected_to_sign": "req-7f3a.1795222800.GET /v1/balance\n",
        "sha256": "0cfc49cbd2c5d0cf26f1b9b7b4a6c9d8c8d7c5b0a3e0a2f1d6b7e8f9a0b1c2d3",
    },
}  # fmt: skip

OPERATIONS: Final = (
    Operation(
        "createOrder", "post", "/v1/orders", "Create an order",
        "Idempotent by merchant_order_no: the same content again answers the same order with"
        " Idempotency-Hit: true; other content is refused.",
        OrderView,
        {201: "A new order", 200: "The same order again",
         202: "Taken down; the supplier's answer is not known yet. Ask again."},
        ("field_missing", "field_invalid", "currency_unknown", "currency_not_sold", "card_number",
         "product_unknown", "fee_exceeds_amount", "order_conflict", "order_in_progress",
         "credit_line_reached", "no_channel"),
        body=NewOrder, body_example=NEW_ORDER_EXAMPLE,
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
        body_example={"id": "req-7f3a", "timestamp": 1795222800, "method": "GET",
                      "target": "/v1/balance", "body": ""},
        signed=False,
    ),
)  # fmt: skip

_EVERYWHERE: Final = (
    "field_unknown", "key_missing", "key_unknown", "address_not_allowed", "merchant_suspended",
    "merchant_not_reviewed", "rate_limited", "unavailable", "internal",
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
    """Every code of the API, in the order of core's table."""
    codes = {code for operation in OPERATIONS for code in refusals_of(operation)}
    return [code for code in REFUSALS if code in codes or code in _ROUTING]


def document(public_url: str, statuses: dict[str, int]) -> dict[str, Any]:
    """The OpenAPI document. statuses: refusal code -> HTTP status."""
    paths: dict[str, Any] = {}
    for operation in OPERATIONS:
        entry = _operation(operation, statuses, public_url)
        paths.setdefault(operation.path, {})[operation.method] = entry
    return {
        "openapi": "3.1.0",
        "info": {"title": "Paydesk Payment API", "version": VERSION,
                 "description": "JSON over HTTPS. Every request is signed; amounts are whole"
                 " smallest units of the currency."},
        "servers": [{"url": public_url}],
        "security": [{"key": [], "id": [], "timestamp": [], "signature": []}],
        "paths": paths,
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
    taken: list[type[BaseModel]] = [ErrorView]
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


def _operation(operation: Operation, statuses: dict[str, int], url: str) -> dict[str, Any]:
    entry: dict[str, Any] = {
        "operationId": operation.id,
        "summary": operation.summary,
        "description": operation.description,
        "parameters": _parameters(operation),
        "responses": {
            **{str(s): _answered(operation, text) for s, text in operation.ok.items()},
            **_refused(refusals_of(operation), statuses, url),
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
         "schema": {"type": "string"}, "example": NEW_ORDER_EXAMPLE[name]}
        for name, text in operation.query
    ]  # fmt: skip
    if "{order_no}" in operation.path:
        found.append({"name": "order_no", "in": "path", "required": True,
                      "description": "Our number.", "schema": {"type": "string"},
                      "example": _NUMBER})  # fmt: skip
    return found


def _content(model: type[BaseModel], example: Any) -> dict[str, Any]:
    schema = {"$ref": _REF.format(model=model.__name__)}
    return {"application/json": {"schema": schema, "example": example}}


def _answered(operation: Operation, text: str) -> dict[str, Any]:
    model = operation.answer
    return {"description": text, "content": _content(model, EXAMPLES[model.__name__])}


def _refused(codes: list[str], statuses: dict[str, int], url: str) -> dict[str, Any]:
    by_status: dict[int, list[str]] = {}
    for code in codes:
        by_status.setdefault(statuses[code], []).append(code)
    return {
        str(status): {
            "description": "; ".join(found),
            "content": {
                "application/json": {
                    "schema": {"$ref": _REF.format(model="ErrorView")},
                    "examples": {code: {"value": _example(code, url)} for code in found},
                }
            },
        }
        for status, found in sorted(by_status.items())
    }


def _example(code: str, url: str) -> dict[str, Any]:
    kind = REFUSALS[code]
    return {
        "error": {
            "type": kind.type, "code": code, "message": kind.text, "param": None,
            "request_id": "019d4a4c8e7b7c3f9b1d2e3f4a5b6c7d",
            "doc_url": f"{url}/docs/api#error-{code}",
        }
    }  # fmt: skip
