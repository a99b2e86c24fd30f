"""What each of the younger dialects cannot read is named in its own words."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.sandbox.supplier.peer import Platform
from tests.sandbox.supplier.tongues import Hmac, Rsa

CREATE = {
    "out_trade_no": "A1",
    "pay_type": "alipay_qr",
    "amount": "12.34",
    "subject": "tea",
    "notify_url": "http://127.0.0.1:9/",
    "client_ip": "::1",
}


async def test_rsa_says_what_it_cannot_read(desk: Platform) -> None:
    tongue = Rsa(desk.http, desk.ready, desk.notify)
    for content, word in (
        ("[]", "biz_content"),
        ("{", "biz_content"),
        ('{"subject": 1}', "subject"),
    ):
        told = await tongue.ask("query", {}, biz_content=content)
        assert told.code == "1002"
        assert word in told["msg"]
    for name, value in (("sign_type", "RSA"), ("timestamp", "soon"), ("method", "trade.steal")):
        told = await tongue.ask("query", {}, **{name: value})
        assert (told.code, name in told["msg"]) == ("1002", True)


@pytest.mark.parametrize(
    ("changes", "word"),
    [
        ({"amount": 1234}, "amount.value"),
        ({"amount": {"value": 12.34, "currency": "CNY"}}, "amount.value"),
        ({"amount": {"value": True, "currency": "CNY"}}, "amount.value"),
        ({"amount": {"value": 10**30, "currency": "CNY"}}, "amount.value"),
        ({"amount": {"value": "1234", "currency": "CNY"}}, "amount.value"),
        ({"amount": {"value": 1234, "currency": "USD"}}, "amount.currency"),
        ({"amount": {"value": 1234}}, "amount.currency"),
        ({"order": {"subject": ["x"]}}, "order.subject"),
        ({"order": {}}, "order.subject"),
        ({"urls": "x"}, "urls.notify"),
        ({"reference": None}, "reference"),
    ],
)
async def test_hmac_json_says_what_it_cannot_read(
    desk: Platform, changes: dict[str, Any], word: str
) -> None:
    told = await Hmac(desk.http, desk.ready, desk.notify).ask(
        "create", CREATE, tree=json.dumps(changes)
    )
    assert told.code == "1002"
    assert word in told["msg"]
