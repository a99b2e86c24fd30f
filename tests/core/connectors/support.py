"""A supplier's side of the MD5 form dialect, written apart from the engine, and sample facts."""

from __future__ import annotations

import hashlib
import json
import re
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path
from urllib.parse import urlencode

from core.connectors import AttemptFacts, Callback, Connector, HttpAnswer, load
from core.kernel.money import Money

LIBRARY = Path(__file__).parents[3] / "connectors"
NOW = datetime(2026, 3, 4, 5, 6, 7, tzinfo=UTC)
KEY = "c0ffee5ca1ab1e"
CREDENTIALS = {"base_url": "http://127.0.0.1:9/", "mch_id": "880001", "key": KEY}
FACTS = AttemptFacts(
    attempt_no="B2A0001Q5R7T9V2X4Z6K",
    order_no="T2A0001Q5R7T9V2X4Z6K",
    amount=Money(1234, "CNY"),
    subject="乌龙茶 & more",
    merchant_name="云杉商城 & Co.",
    channel_code="alipay_qr",
    notify_url="https://desk.example/callbacks/s1?a=1",
    return_url=None,
    client_ip="203.0.113.7",
    created_at=NOW,
    expires_at=NOW + timedelta(minutes=15),
)
ACCEPTED = {
    "code": "0",
    "msg": "ok",
    "mch_id": "880001",
    "out_trade_no": FACTS.attempt_no,
    "trade_no": "S1",
    "pay_url": "http://127.0.0.1:9/pay/S1",
    "nonce": "n",
}
STANDING = {
    "code": "0",
    "out_trade_no": FACTS.attempt_no,
    "trade_no": "S1",
    "status": "WAIT",
    "amount": "12.34",
}
CALLBACK = {
    "mch_id": "880001",
    "out_trade_no": FACTS.attempt_no,
    "trade_no": "S1",
    "amount": "12.34",
    "paid_amount": "12.34",
    "status": "SUCCESS",
    "paid_at": "1772600767",
    "nonce": "n",
}


def here(code: str) -> str:
    """A document of the library that lets its supplier be on this machine as well."""
    text = (LIBRARY / f"{code}.yaml").read_text(encoding="utf-8")
    return re.sub(r"^servers: .*\n", "", text, count=1, flags=re.MULTILINE)


@cache
def sandbox() -> Connector:
    return load((LIBRARY / "sandbox_md5.yaml").read_text())


def signature(fields: dict[str, str], key: str = KEY) -> str:
    pairs = [f"{name}={fields[name]}" for name in sorted(fields) if fields[name] and name != "sign"]
    text = "&".join([*pairs, f"key={key}"])
    return hashlib.md5(text.encode(), usedforsecurity=False).hexdigest().upper()


def signed(fields: dict[str, str], key: str = KEY) -> dict[str, str]:
    return {**fields, "sign": signature(fields, key)}


def answer(fields: object, status: int = 200) -> HttpAnswer:
    return HttpAnswer(status, {}, json.dumps(fields, ensure_ascii=False).encode())


def callback(fields: dict[str, str]) -> Callback:
    return posted(urlencode(fields))


def posted(body: str | bytes) -> Callback:
    raw = body.encode() if isinstance(body, str) else body
    return Callback("POST", "", {}, raw, "203.0.113.9")
