"""What the API's documents show. What follows from something else is computed from it."""

from __future__ import annotations

import hashlib
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from core.delivery.outbox import News
from core.kernel.clock import rfc3339
from core.kernel.errors import Refusal
from payapi.auth import CLOCK_SKEW_S, KEY, TIMESTAMP, text_to_sign
from payapi.requests import BODY_LIMIT_BYTES
from payapi.wire import DEFAULT_EXPIRES_IN_S, NewOrder, expected_of
from texts import refusal_text

_CREATED_AT: Final = datetime(2026, 11, 21, 1, 0, tzinfo=UTC)
_PAID_AT: Final = _CREATED_AT + timedelta(minutes=2, seconds=3, milliseconds=450)
_EXPIRES_AT: Final = _CREATED_AT + timedelta(seconds=DEFAULT_EXPIRES_IN_S)
_LATER_AT: Final = _EXPIRES_AT + timedelta(minutes=7)
_CHECKED_AT_S: Final = 1795222800
ORDER_NO: Final = "T2J000108QF5JW3X7KR2"

NEW_ORDER: Final[dict[str, Any]] = {
    "merchant_order_no": "S-20261121-0001", "amount": 1234, "currency": "CNY",
    "product": "alipay_qr", "subject": "Green tea 250 g", "client_ip": "203.0.113.7",
    "notify_url": "https://shop.example/paydesk/notify", "metadata": {"cart": "8841"},
}  # fmt: skip
ORDER: Final[dict[str, Any]] = {
    "order_no": ORDER_NO,
    "merchant_order_no": NEW_ORDER["merchant_order_no"],
    "status": "pending",
    "amount": NEW_ORDER["amount"],
    "currency": NEW_ORDER["currency"],
    "product": NEW_ORDER["product"],
    "subject": NEW_ORDER["subject"],
    "fee": 15,
    "net": NEW_ORDER["amount"] - 15,
    "created_at": rfc3339(_CREATED_AT),
    "expires_at": rfc3339(_EXPIRES_AT),
    "paid_at": None,
    "paid_late": False,
    "manually_completed": False,
    "disputed": False,
    "pay": {"kind": "url", "value": "https://pay.institution.example/c/8f2a"},
    "cashier_url": f"https://desk.example/pay/{ORDER_NO}",
    "metadata": NEW_ORDER["metadata"],
    "mode": "test",
}
_CLOSED: Final = {**ORDER, "status": "closed", "pay": None}
_PAID: Final = {**ORDER, "status": "paid", "paid_at": rfc3339(_PAID_AT), "pay": None}
REFUND: Final[dict[str, Any]] = {
    "refund_no": "RS-1",
    "order_no": ORDER_NO,
    "merchant_order_no": ORDER["merchant_order_no"],
    "status": "succeeded",
    "amount": 500,
    "currency": ORDER["currency"],
    "fee_back": 0,
    "order_status": "partially_refunded",
    "created_at": rfc3339(_LATER_AT),
    "ended_at": rfc3339(_LATER_AT + timedelta(seconds=2)),
    "metadata": ORDER["metadata"],
    "mode": ORDER["mode"],
}
DESCRIBED_REQUEST: Final[dict[str, Any]] = {
    "id": "req-7f3a", "timestamp": _CHECKED_AT_S, "method": "GET", "target": "/v1/balance",
    "body": "",
}  # fmt: skip
_PAYABLE: Final = 121900
_PREPAID: Final = -100000


def _text_to_sign() -> dict[str, str]:
    """The answer to DESCRIBED_REQUEST."""
    asked = DESCRIBED_REQUEST
    head = text_to_sign(asked["id"], str(asked["timestamp"]), asked["method"], asked["target"])
    text = head + asked["body"]
    return {"expected_to_sign": text, "sha256": hashlib.sha256(text.encode()).hexdigest()}


ANSWERS: Final[dict[str, Any]] = {
    "OrderView": ORDER,
    "OrderList": {"data": [ORDER], "next": None},
    "ProductList": {
        "data": [{
            "code": NEW_ORDER["product"], "name": "Alipay QR", "tiers_by": "amount",
            "tiers": [
                {"from": 0, "rate": "1.2%", "fixed": 0, "min": 0, "max": None},
                {"from": 100000, "rate": "1%", "fixed": 0, "min": 10, "max": 50000},
            ],
        }],
        "next": None,
    },
    "BalanceView": {
        "mode": ORDER["mode"], "currency": ORDER["currency"], "payable": _PAYABLE,
        "prepaid": _PREPAID, "position": _PAYABLE + _PREPAID,
        "remaining_prepayment": max(0, -(_PAYABLE + _PREPAID)),
    },
    "TextToSign": _text_to_sign(),
}  # fmt: skip

_NEWS: Final[dict[News, tuple[str, dict[str, Any]]]] = {
    "order.paid": (rfc3339(_PAID_AT), _PAID),
    "order.paid_late": (
        rfc3339(_LATER_AT), {**_PAID, "paid_at": rfc3339(_LATER_AT), "paid_late": True},
    ),
    "order.disputed": (
        rfc3339(_LATER_AT), {**_PAID, "manually_completed": True, "disputed": True},
    ),
    "order.closed": (rfc3339(_PAID_AT), _CLOSED),
    "order.expired": (rfc3339(_EXPIRES_AT), {**_CLOSED, "status": "expired"}),
    "order.failed": (rfc3339(_PAID_AT), {**_CLOSED, "status": "failed"}),
    "refund.succeeded": (REFUND["ended_at"], REFUND),
    "refund.failed": (
        REFUND["ended_at"], {**REFUND, "status": "failed", "order_status": "paid"},
    ),
}  # fmt: skip
NEWS: Final[dict[News, dict[str, Any]]] = {
    name: {"type": name, "timestamp": at, "data": data} for name, (at, data) in _NEWS.items()
}

# What an error's example is about. Codes that are not here say the same every time.
_ERROR_FACTS: Final[dict[str, dict[str, Any]]] = {
    "body_too_large": {"limit_bytes": BODY_LIMIT_BYTES},
    "body_encoded": {"param": "Content-Encoding", "encoding": "gzip"},
    "field_unknown": {"param": "colour"},
    "field_missing": {"param": "amount"},
    "field_invalid": {"param": "amount", "expected": expected_of(NewOrder, "amount")},
    "card_number": {"param": "subject"},
    "currency_unknown": {"param": "currency", "currency": "XXX"},
    "key_missing": {"param": KEY, "header": KEY},
    "timestamp_out_of_range": {
        "param": TIMESTAMP, "limit_s": CLOCK_SKEW_S, "now": _CHECKED_AT_S,
    },
    "address_not_allowed": {"address": "203.0.113.9"},
    "not_permitted": {"right": "test_key"},
    "merchant_suspended": {"merchant_no": "M1001"},
    "merchant_archived": {"merchant_no": "M1001"},
    "merchant_not_reviewed": {"merchant_no": "M1001"},
    "order_not_found": {"param": "order_no", "number": ORDER_NO},
    "method_not_allowed": {"method": "DELETE"},
    "order_conflict": {
        "param": "amount", "merchant_order_no": ORDER["merchant_order_no"], "differs": "amount",
    },
    "order_state": {"number": ORDER_NO, "status": "paid"},
    "rate_limited": {"retry_after_s": 1},
    "product_unknown": {"param": "product", "product": "gold_bars"},
    "no_channel": {"reasons": f"{NEW_ORDER['product']} has no channel"},
    "currency_not_sold": {"param": "currency", "currency": ORDER["currency"]},
    "fee_exceeds_amount": {"param": "amount"},
}  # fmt: skip


def error(code: str, public_url: str) -> dict[str, Any]:
    """The envelope of a refusal as somebody gets it who reads English."""
    refusal = Refusal(code, **_ERROR_FACTS.get(code, {}))
    return {
        "error": {
            "type": refusal.kind.type, "code": code, "message": refusal_text(refusal, "en"),
            "param": refusal.param, "request_id": "019d4a4c8e7b7c3f9b1d2e3f4a5b6c7d",
            "doc_url": f"{public_url}/docs/api#error-{code}",
        }
    }  # fmt: skip


# A signed call in three lines of shell. KEY and SECRET are the app's.
CURL: Final = r"""
body='{"merchant_order_no":"S-1","amount":1234,"currency":"CNY","product":"alipay_qr","subject":"Tea","client_ip":"203.0.113.7"}'; id=req-$(date +%s%N); t=$(date +%s)
sig=$(printf '%s.%s.POST /v1/orders\n%s' "$id" "$t" "$body" | openssl dgst -sha256 -mac HMAC -macopt hexkey:$(printf %s "${SECRET#whsec_}" | base64 -d | od -An -vtx1 | tr -d ' \n') -binary | base64)
curl -s {url}/v1/orders -H "Paydesk-Key: $KEY" -H "Paydesk-Id: $id" -H "Paydesk-Timestamp: $t" -H "Paydesk-Signature: v1,$sig" -d "$body"
""".strip()  # noqa: E501 - people paste whole lines


def curl_script(public_url: str) -> str:
    """The script for this desk."""
    return CURL.replace("{url}", public_url)
