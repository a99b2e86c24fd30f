"""WeChat Pay's documents of v2, against WeChat's own example and wechatpayv3, which still signs so.

The library knows v2's HMAC-SHA256; MD5 is signed here as WeChat's example has it.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import replace
from typing import Final
from xml.etree import ElementTree
from xml.sax.saxutils import escape

import pytest
from wechatpayv3 import SignType, WeChatPay, WeChatPayType

from core.connectors import (
    Accepted,
    Callback,
    Connector,
    HttpAnswer,
    InvalidCallback,
    Rejected,
    Unknown,
)
from core.kernel.money import Money
from tests.core.connectors.library import CONNECTORS
from tests.core.connectors.support import FACTS, NOW

MD5: Final = CONNECTORS["wechat_v2"]
HMAC: Final = CONNECTORS["wechat_v2_hmac"]
KEYS: Final = {**MD5.fixtures.credentials, "key": "192006250b4c09247ec02edce69f6a2d"}
RSA: Final = CONNECTORS["wechat_v3"].fixtures.credentials
# https://pay.weixin.qq.com/wiki/doc/api/app/app.php?chapter=4_3
EXAMPLE: Final = {
    "appid": "wxd930ea5d5a258f4f", "body": "test", "device_info": "1000", "mch_id": "10000100",
    "nonce_str": "ibuaiVcKdpRxkhJA",
}  # fmt: skip
NONCE: Final = "7d1c5b93e0a84f26"
PREPAY_ID: Final = "wx201411101639507cbf6ffd8b0779950874"
WAYS: Final = {"native": "NATIVE", "h5": "MWEB", "jsapi": "JSAPI", "app": "APP"}
US: Final = {"return_code": "SUCCESS", "appid": KEYS["app_id"], "mch_id": KEYS["mch_id"]}
PAID: Final = {
    **US, "result_code": "SUCCESS", "total_fee": "1234", "fee_type": "CNY",
    "transaction_id": "4200000985202601021234567890", "out_trade_no": FACTS.attempt_no,
    "attach": "a<b>&c", "coupon_fee_0": "",
}  # fmt: skip
BOTH: Final = pytest.mark.parametrize("connector", [MD5, HMAC], ids=["md5", "hmac"])


def signature(connector: Connector, fields: Mapping[str, str]) -> str:
    """The other side's."""
    said = {name: value for name, value in fields.items() if value and name != "sign"}
    if connector is HMAC:
        return str(library().sign(said, SignType.HMAC_SHA256))
    text = "&".join(f"{name}={said[name]}" for name in sorted(said))
    whole = f"{text}&key={KEYS['key']}".encode()
    return hashlib.md5(whole, usedforsecurity=False).hexdigest().upper()


def library() -> WeChatPay:
    """With v2's key in v3's place: what it signs this way, it signs as v2 does."""
    return WeChatPay(
        WeChatPayType.NATIVE, RSA["mch_id"], RSA["private_key"], RSA["cert_serial"], RSA["app_id"],
        KEYS["key"], public_key=RSA["platform_key"], public_key_id=RSA["platform_serial"],
    )  # fmt: skip


def fields_of(body: bytes) -> dict[str, str]:
    return {child.tag: child.text or "" for child in ElementTree.fromstring(body)}  # noqa: S314


def written(connector: Connector, fields: Mapping[str, str]) -> bytes:
    """As WeChat writes it, signed."""
    whole = {**fields, "sign": signature(connector, fields)}
    inner = (f"<{name}>{escape(value)}</{name}>" for name, value in whole.items())
    return f"<xml>{''.join(inner)}</xml>".encode()


def created(connector: Connector, way: str, fields: Mapping[str, str]) -> object:
    answer = HttpAnswer(200, {}, written(connector, fields))
    facts = replace(FACTS, channel_code=way)
    return connector.read_create(answer, facts, KEYS, now=NOW, nonce=NONCE)


def test_wechats_own_example() -> None:
    assert signature(MD5, EXAMPLE) == "9A0A8659F005D6984697E2CA0A9CF3B7"
    assert signature(HMAC, EXAMPLE) == (
        "6A9AE1657590FD6257D693A078E1C3E4BB6BA4DC30B23E0EE2496E54170DACD6"
    )


@BOTH
@pytest.mark.parametrize("way", WAYS)
def test_an_order_is_signed_as_the_other_side_signs(connector: Connector, way: str) -> None:
    facts = replace(FACTS, channel_code=way, payer_id="oUpF8uMuAJO_M2pxb1Q9zNjWeS6o")
    request = connector.build("create", facts, KEYS, now=NOW, nonce=NONCE)
    sent = fields_of(request.body)
    assert sent["sign"] == signature(connector, sent)
    assert sent["trade_type"] == WAYS[way]
    assert sent["total_fee"] == "1234"
    assert sent["body"] == FACTS.subject
    assert sent["time_expire"] == "20260304132107"  # the time of China
    assert sent.get("openid", "") == (facts.payer_id if way == "jsapi" else "")


@BOTH
@pytest.mark.parametrize("operation", ["query", "close"])
def test_a_question_is_signed_as_the_other_side_signs(connector: Connector, operation: str) -> None:
    sent = fields_of(connector.build(operation, FACTS, KEYS, now=NOW, nonce=NONCE).body)
    assert sent.pop("sign") == signature(connector, sent)
    assert sent == {
        "appid": KEYS["app_id"], "mch_id": KEYS["mch_id"], "nonce_str": NONCE,
        "out_trade_no": FACTS.attempt_no,
        **({"sign_type": "HMAC-SHA256"} if connector is HMAC else {}),
    }  # fmt: skip


@BOTH
def test_what_an_app_or_page_is_handed_is_signed_as_the_other_side_signs(
    connector: Connector,
) -> None:
    answer = {**US, "result_code": "SUCCESS", "prepay_id": PREPAY_ID}
    stamp = str(int(NOW.timestamp()))
    page = {
        "appId": KEYS["app_id"], "timeStamp": stamp, "nonceStr": NONCE,
        "package": f"prepay_id={PREPAY_ID}",
        "signType": "HMAC-SHA256" if connector is HMAC else "MD5",
    }  # fmt: skip
    app = {
        "appid": KEYS["app_id"], "partnerid": KEYS["mch_id"], "prepayid": PREPAY_ID,
        "package": "Sign=WXPay", "noncestr": NONCE, "timestamp": stamp,
    }  # fmt: skip
    for way, expected, name in (("jsapi", page, "paySign"), ("app", app, "sign")):
        reading = created(connector, way, answer)
        assert isinstance(reading, Accepted)
        assert reading.pay.kind == way
        signed = {**expected, name: signature(connector, expected)}
        assert json.loads(reading.pay.value) == signed


@BOTH
def test_answers_and_callbacks_that_the_other_side_signs_are_believed(connector: Connector) -> None:
    other = MD5 if connector is HMAC else HMAC
    callback = Callback("POST", "", {}, written(connector, PAID), "203.0.113.9")
    (event,) = connector.verify(callback, KEYS, currency="CNY", now=NOW)
    assert (event.state, event.attempt_no) == ("paid", FACTS.attempt_no)
    assert event.paid == Money(1234, "CNY")
    answer = HttpAnswer(200, {}, written(connector, {**PAID, "trade_state": "SUCCESS"}))
    standing = connector.read_standing("query", answer, FACTS, KEYS, now=NOW)
    assert (standing.state, standing.paid) == ("paid", Money(1234, "CNY"))
    # Signed the other way, or not at all, the same proves nothing.
    for body in (written(other, PAID), b"<xml><result_code>SUCCESS</result_code></xml>"):
        with pytest.raises(InvalidCallback):
            connector.verify(replace(callback, body=body), KEYS, currency="CNY", now=NOW)
    answer = HttpAnswer(200, {}, written(other, {**PAID, "trade_state": "SUCCESS"}))
    assert connector.read_standing("query", answer, FACTS, KEYS, now=NOW).state == "unknown"


@BOTH
@pytest.mark.parametrize(
    ("code", "kind"),
    [
        ("NOAUTH", Rejected),
        ("APPID_MCHID_NOT_MATCH", Rejected),
        ("SYSTEMERROR", Unknown),
        ("INVALID_REQUEST", Unknown),
        ("OUT_TRADE_NO_USED", Unknown),
        ("ORDERPAID", Unknown),
        ("ORDERCLOSED", Unknown),
    ],
)
def test_only_what_no_payment_can_follow_is_a_refusal(
    connector: Connector, code: str, kind: type
) -> None:
    fields = {**US, "result_code": "FAIL", "err_code": code, "err_code_des": "不行"}
    assert isinstance(created(connector, "native", fields), kind)
