from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from sandbox.supplier.config import Account, DialectName
from sandbox.supplier.dialects.hmac_json import HmacJson
from sandbox.supplier.dialects.seam import Sent
from sandbox.supplier.signatures import sign, signed, signed_text, verified
from tests.sandbox.supplier.peer import own_sign

NAMES = st.text("abcdefghijklmnopqrstuvwxyzABC_0123456789", min_size=1, max_size=12)
VALUES = st.text(max_size=30).filter(lambda text: text.isprintable())
PARAMS = st.dictionaries(NAMES, VALUES, max_size=8)


def test_published_vector() -> None:
    # md5_and_key_upper, published by kancloud.cn zzkpay/wallet/1793911
    params = {
        "amount": "100",
        "order_sn": "6998371888800015881",
        "panterid": "00002352",
        "phone": "15890100000",
    }
    assert sign(params, "9f6a2d") == "700D4E0883F6321482200011B4777FF2"


def test_documented_example() -> None:
    params = {
        "mch_id": "880001",
        "pay_type": "alipay_qr",
        "out_trade_no": "A2611K7Q2ZB41",
        "amount": "12.34",
        "subject": "绿茶 Tea",
        "notify_url": "http://127.0.0.1:8080/callbacks/s1",
        "return_url": "",
        "client_ip": "203.0.113.7",
        "timestamp": "1795222800",
        "nonce": "4f1c9a0e",
    }
    assert sign(params, "sandbox-key-1") == "543E07F2BEBAB4BC2392ED2EA5822EEF"


def test_documented_example_of_hmac_json() -> None:
    body = b'{"reference":"R1","amount":{"value":500,"currency":"CNY"}}'
    path = "/v1/payments/A2611K7Q2ZB41/refunds"
    signature = "23ffbb5e03595867514854cd836e39ba076b1933bfd9977739d6b1f82872b87e"
    headers = {"X-Key-Id": "880011", "X-Timestamp": "1795222800", "X-Signature": signature}
    account = Account("880011", "A", "", DialectName.HMAC_JSON, "sandbox-key-1", None, 0)
    names = {"out_trade_no": "A2611K7Q2ZB41"}
    asked = HmacJson("CNY").read(Sent("POST", path, headers, body, "refund", names), account)
    assert asked.sent_at == 1_795_222_800
    assert asked.facts == {
        **names,
        "out_refund_no": "R1",
        "refund_amount": "5.00",
        "currency": "CNY",
    }


def test_text_is_sorted_raw_and_without_empty_values_and_sign() -> None:
    params = {"b": "2&3", "a": "一", "B": "x", "empty": "", "sign": "old"}
    assert signed_text(params, "K") == "B=x&a=一&b=2&3&key=K"


@given(PARAMS, st.text(min_size=1, max_size=16))
def test_agrees_with_a_second_implementation(params: dict[str, str], key: str) -> None:
    assert sign(params, key) == own_sign(params, key)


@given(PARAMS, NAMES, VALUES)
def test_any_change_of_a_signed_value_is_noticed(
    params: dict[str, str], name: str, value: str
) -> None:
    genuine = signed(params, "K")
    assert verified(genuine, "K")
    assert not verified(genuine, "other")
    changed = {**genuine, name: value}
    # An empty parameter signs like an absent one; joining raw values is ambiguous around & alone.
    same = params.get(name, "") == value or name == "sign"
    if not same and "&" not in "".join([*params.values(), value]):
        assert not verified(changed, "K")


def test_signature_that_is_no_ascii_is_refused() -> None:
    assert not verified({"a": "1", "sign": "签"}, "K")
    assert not verified({"a": "1"}, "K")
