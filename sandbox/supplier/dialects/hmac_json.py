"""The dialect "hmac json": REST paths, nested JSON, HTTP statuses, HMAC-SHA256 in headers."""

from __future__ import annotations

import hashlib
import hmac
import json
import re
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any, ClassVar

from sandbox.supplier.answers import (
    AMOUNT_OUT_OF_RANGE,
    BAD_PARAMETER,
    BAD_SIGNATURE,
    CHANNEL_CLOSED,
    CONFLICT,
    NOT_PAID,
    OK,
    ORDER_NOT_FOUND,
    REFUND_NOT_FOUND,
    TOO_MUCH,
    UNKNOWN_PAY_TYPE,
    Answer,
    Facts,
    Refused,
)
from sandbox.supplier.config import Account
from sandbox.supplier.dialects.seam import Asked, Dialect, Heading, Route, Sent, Wire
from sandbox.supplier.money import MAX_ASKED_FEN, parse_yuan, yuan

JSON = "application/json"
# By code of the first dialect: this one's word, and the HTTP status it comes with.
ERRORS = {
    BAD_SIGNATURE: ("bad_signature", 400),
    BAD_PARAMETER: ("bad_parameter", 400),
    UNKNOWN_PAY_TYPE: ("unknown_method", 400),
    CHANNEL_CLOSED: ("method_closed", 400),
    AMOUNT_OUT_OF_RANGE: ("amount_out_of_range", 400),
    NOT_PAID: ("not_paid", 409),
    TOO_MUCH: ("more_than_paid", 409),
    CONFLICT: ("conflict", 409),
    ORDER_NOT_FOUND: ("payment_not_found", 404),
    REFUND_NOT_FOUND: ("refund_not_found", 404),
}
STATUSES = {
    "WAIT": "waiting",
    "SUCCESS": "succeeded",
    "CLOSED": "closed",
    "FAIL": "failed",
    "PROCESSING": "processing",
    "SUCCEEDED": "succeeded",
    "FAILED": "failed",
}
# Where a body has what: of the operations that have a body.
_ASKED: Mapping[str, Mapping[str, str]] = {
    "create": {
        "out_trade_no": "reference",
        "pay_type": "method",
        "amount": "amount.value",
        "currency": "amount.currency",
        "subject": "order.subject",
        "merchant_name": "order.merchant_name",
        "notify_url": "urls.notify",
        "return_url": "urls.return",
        "client_ip": "payer.ip",
    },
    "refund": {
        "out_refund_no": "reference",
        "refund_amount": "amount.value",
        "currency": "amount.currency",
    },
}
# Where an answer or a callback has what.
_PAYMENT = {
    "trade_no": "id",
    "out_trade_no": "reference",
    "status": "status",
    "amount": "amount",
    "paid_amount": "paid",
    "paid_at": "paid_at",
    "pay_url": "links.pay",
    "expires_at": "expires_at",
}
_REFUND = {
    "refund_no": "id",
    "out_refund_no": "reference",
    "out_trade_no": "payment",
    "refund_status": "status",
    "refund_amount": "amount",
}
_BALANCE = {"mch_id": "account", "balance": "balance"}
_AMOUNTS = {"amount", "paid_amount", "refund_amount", "balance"}
_TIMES = {"paid_at", "expires_at"}
_UNIX_S = re.compile(r"[0-9]{1,10}")


class HmacJson(Dialect):
    """Amounts in fen, as whole numbers beside their currency; times as RFC 3339."""

    routes = (
        Route("POST", "/v1/payments", "create"),
        Route("GET", "/v1/payments/{out_trade_no}", "query"),
        Route("POST", "/v1/payments/{out_trade_no}/close", "close"),
        Route("POST", "/v1/payments/{out_trade_no}/refunds", "refund"),
        Route("GET", "/v1/refunds/{out_refund_no}", "refund_query"),
        Route("GET", "/v1/balance", "balance"),
    )
    names: ClassVar[Mapping[str, str]] = {
        "mch_id": "X-Key-Id",
        **_ASKED["create"],
        **_ASKED["refund"],
    }
    wrong_signature = "0" * 64

    def __init__(self, currency: str) -> None:
        self._currency = currency

    def heading(self, sent: Sent) -> Heading:
        return Heading(sent.headers.get("X-Key-Id", ""), sent.operation)

    def read(self, sent: Sent, account: Account) -> Asked:
        timestamp = sent.headers.get("X-Timestamp", "")
        text = f"{timestamp}\n{sent.method}\n{sent.target}\n".encode() + sent.body
        given = sent.headers.get("X-Signature", "").encode()
        if not hmac.compare_digest(given, _mac(account, text).encode()):
            raise Refused(BAD_SIGNATURE)
        if not _UNIX_S.fullmatch(timestamp):
            raise Refused(BAD_PARAMETER, "X-Timestamp", "must be unix seconds")
        places = _ASKED.get(sent.operation, {})
        tree = _read_object(sent.body) if places or sent.body else {}
        facts = {name: self._fact(name, tree, place) for name, place in places.items()}
        return Asked(int(timestamp), {**facts, **sent.names})

    def answer(self, operation: str, answer: Answer, account: Account | None, at: int) -> Wire:
        if answer.code != OK:
            code, status = ERRORS.get(answer.code, (answer.code, 400))
            return _signed(
                {"error": {"code": code, "message": answer.message}}, account, at, status
            )
        places = {"balance": _BALANCE, "refund": _REFUND, "refund_query": _REFUND}
        tree = self._written(answer.facts, places.get(operation, _PAYMENT))
        return _signed(tree, account, at, 201 if answer.made else 200)

    def callback(self, facts: Facts, account: Account, at: int, sign: str | None) -> Wire:
        payment = self._written(facts, _PAYMENT)
        kind = f"payment.{payment.get('status', 'unknown')}"
        tree = {"type": kind, "account": facts.get("mch_id", ""), "payment": payment}
        return _signed(tree, account, at, 200, sign)

    def is_delivered(self, status: int, text: str) -> bool:
        return 200 <= status < 300

    def _fact(self, name: str, tree: dict[str, Any], place: str) -> str:
        """What a body says at a place, in the common words; '' for nothing."""
        value: Any = tree
        for part in place.split("."):
            value = value.get(part) if isinstance(value, dict) else None
        if name in _AMOUNTS:
            whole = isinstance(value, int) and not isinstance(value, bool)
            if not whole or not 0 < value <= MAX_ASKED_FEN:
                raise Refused(BAD_PARAMETER, name, "must be a whole number of fen above 0")
            return yuan(value)
        if not isinstance(value, str | None):
            raise Refused(BAD_PARAMETER, name, "must be a text")
        if name == "currency" and value != self._currency:
            raise Refused(BAD_PARAMETER, name, f"must be {self._currency}")
        return value or ""

    def _written(self, facts: Facts, places: Mapping[str, str]) -> dict[str, Any]:
        tree: dict[str, Any] = {}
        for name, place in places.items():
            if name not in facts:
                continue
            *around, last = place.split(".")
            here = tree
            for part in around:
                here = here.setdefault(part, {})
            here[last] = self._value(name, facts[name])
        return tree

    def _value(self, name: str, said: str) -> object:
        """A fact in this dialect's form. The control may forge one that has none: it stays."""
        if name in _AMOUNTS:
            fen = parse_yuan(said.removeprefix("-"))
            sign = -1 if said.startswith("-") else 1
            return {"value": said if fen is None else sign * fen, "currency": self._currency}
        if name in _TIMES and _UNIX_S.fullmatch(said):
            return datetime.fromtimestamp(int(said), UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
        return STATUSES.get(said, said) if name.endswith("status") else said


def _signed(
    tree: Mapping[str, Any], account: Account | None, at: int, status: int, sign: str | None = None
) -> Wire:
    """The JSON with its signature over time and body; unsigned where the account is unknown."""
    body = json.dumps(tree, ensure_ascii=False).encode()
    if account is None:
        return Wire(body, JSON, status)
    signature = _mac(account, f"{at}\n".encode() + body) if sign is None else sign
    return Wire(body, JSON, status, {"X-Timestamp": str(at), "X-Signature": signature})


def _mac(account: Account, text: bytes) -> str:
    return hmac.new(account.key.encode(), text, hashlib.sha256).hexdigest()


def _read_object(body: bytes) -> dict[str, Any]:
    """`Refused` when the body is no JSON object, or a name comes twice in it."""

    def table(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        found = dict(pairs)
        if len(found) != len(pairs):
            raise ValueError("a name comes twice")
        return found

    try:
        tree = json.loads(body.decode("utf-8"), object_pairs_hook=table)
    except (ValueError, RecursionError) as error:
        raise Refused(BAD_PARAMETER, "body", "must be one JSON object") from error
    if not isinstance(tree, dict):
        raise Refused(BAD_PARAMETER, "body", "must be one JSON object")
    return tree
