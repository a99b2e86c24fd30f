"""The dialect "rsa": one address, a form with its content as JSON in one field, RSA both ways."""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Mapping
from datetime import datetime, timedelta, timezone
from typing import Any, ClassVar
from urllib.parse import urlencode

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
from sandbox.supplier.dialects.seam import (
    Asked,
    Dialect,
    Heading,
    Route,
    Sent,
    Wire,
    form_claims,
    read_form,
)
from sandbox.supplier.keys import KeyPair, verified

BEIJING = timezone(timedelta(hours=8))
TIME = "%Y-%m-%d %H:%M:%S"
SIGN_TYPE = "RSA-SHA256"
DELIVERED = "success"
METHODS = {
    "trade.create": "create",
    "trade.query": "query",
    "trade.close": "close",
    "refund.create": "refund",
    "refund.query": "refund_query",
    "account.balance": "balance",
}
SUB_CODES = {
    BAD_SIGNATURE: "SIGN.INVALID",
    BAD_PARAMETER: "PARAM.INVALID",
    UNKNOWN_PAY_TYPE: "PRODUCT.UNKNOWN",
    CHANNEL_CLOSED: "PRODUCT.CLOSED",
    AMOUNT_OUT_OF_RANGE: "AMOUNT.LIMIT",
    NOT_PAID: "TRADE.NOT_PAID",
    TOO_MUCH: "REFUND.EXCEEDS",
    CONFLICT: "NUMBER.USED",
    ORDER_NOT_FOUND: "TRADE.NOT_FOUND",
    REFUND_NOT_FOUND: "REFUND.NOT_FOUND",
}
STATUSES = {
    "WAIT": "TRADE_WAITING",
    "SUCCESS": "TRADE_PAID",
    "CLOSED": "TRADE_CLOSED",
    "FAIL": "TRADE_FAILED",
}
# Common word → this dialect's, in both directions.
_WORDS = {
    "mch_id": "app_id",
    "pay_type": "product",
    "amount": "total_amount",
    "paid_amount": "paid_amount",
    "paid_at": "gmt_paid",
    "expires_at": "gmt_expires",
    "status": "trade_status",
    "nonce": "notify_id",
    "out_refund_no": "out_request_no",
}
_ASKED = (
    "out_trade_no",
    "pay_type",
    "amount",
    "subject",
    "merchant_name",
    "client_ip",
    "out_refund_no",
    "refund_amount",
)
_TIMES = {"paid_at", "expires_at"}
_UNIX_S = re.compile(r"[0-9]{1,10}")


class Rsa(Dialect):
    """Amounts in yuan as texts; times in Beijing as `2026-01-02 03:04:05`."""

    routes = (Route("POST", "/openapi", ""),)
    names: ClassVar[Mapping[str, str]] = {**_WORDS, "notify_url": "notify_url"}
    wrong_signature = base64.b64encode(bytes(256)).decode()

    def __init__(self, keys: KeyPair) -> None:
        self._keys = keys

    def heading(self, sent: Sent) -> Heading:
        claims = form_claims(sent.body)
        return Heading(claims.get("app_id", ""), METHODS.get(claims.get("method", ""), ""))

    def read(self, sent: Sent, account: Account) -> Asked:
        params = read_form(sent.body)
        text = _joined(params, without=("sign",))
        assert account.public_key is not None, "checked with the configuration"
        if not verified(text, params.get("sign", ""), account.public_key):
            raise Refused(BAD_SIGNATURE)
        if params.get("sign_type") != SIGN_TYPE:
            raise Refused(BAD_PARAMETER, "sign_type", f"must be {SIGN_TYPE}")
        content = _content(params.get("biz_content", "{}"))
        facts = {name: _text(content, _WORDS.get(name, name)) for name in _ASKED}
        facts |= {name: params.get(name, "") for name in ("notify_url", "return_url")}
        return Asked(_unix_s(params.get("timestamp", "")), facts)

    def answer(self, operation: str, answer: Answer, account: Account | None, at: int) -> Wire:
        if answer.code == OK:
            said = {name: fact for name, fact in answer.facts.items() if name != "nonce"}
            node = {"code": "10000", "msg": "Success", **_told(said)}
        else:
            sub_code = SUB_CODES.get(answer.code, answer.code)
            node = {"code": "40004", "msg": "Business Failed"}
            node |= {"sub_code": sub_code, "sub_msg": answer.message}
        method = next((name for name, does in METHODS.items() if does == operation), "error")
        content = json.dumps(node, ensure_ascii=False)
        name = json.dumps(method.replace(".", "_") + "_response")
        body = f'{{{name}:{content},"sign":{json.dumps(self._keys.sign(content))}}}'
        return Wire(body.encode(), "application/json")

    def callback(self, facts: Facts, account: Account, at: int, sign: str | None) -> Wire:
        fields = _told(facts)
        signature = self._keys.sign(_joined(fields, without=())) if sign is None else sign
        form = urlencode({**fields, "sign": signature, "sign_type": SIGN_TYPE})
        return Wire(form.encode(), "application/x-www-form-urlencoded")

    def is_delivered(self, status: int, text: str) -> bool:
        return status == 200 and text.strip() == DELIVERED


def _joined(params: Mapping[str, str], without: tuple[str, ...]) -> str:
    """The text that is signed: `a=1&b=2`, sorted by name, without empty values."""
    names = sorted(name for name, value in params.items() if value and name not in without)
    return "&".join(f"{name}={params[name]}" for name in names)


def _told(facts: Facts) -> dict[str, str]:
    """The facts in this dialect's words."""
    told = {}
    for name, said in facts.items():
        if name in _TIMES and _UNIX_S.fullmatch(said):
            said = datetime.fromtimestamp(int(said), BEIJING).strftime(TIME)
        told[_WORDS.get(name, name)] = STATUSES.get(said, said) if name == "status" else said
    return told


def _content(text: str) -> dict[str, Any]:
    try:
        content = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise Refused(BAD_PARAMETER, "biz_content", "must be one JSON object") from error
    if not isinstance(content, dict):
        raise Refused(BAD_PARAMETER, "biz_content", "must be one JSON object")
    return content


def _text(content: Mapping[str, Any], name: str) -> str:
    value = content.get(name, "")
    if not isinstance(value, str):
        raise Refused(BAD_PARAMETER, name, "must be a text")
    return value


def _unix_s(text: str) -> int:
    try:
        return int(datetime.strptime(text, TIME).replace(tzinfo=BEIJING).timestamp())
    except (ValueError, OverflowError):
        raise Refused(BAD_PARAMETER, "timestamp", "must be like 2026-01-02 03:04:05") from None
