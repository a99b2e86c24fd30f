"""Callbacks: believed only when signed, unambiguous, ours and readable."""

from __future__ import annotations

from urllib.parse import urlencode

import pytest

from core.connectors import Callback, Event, InvalidCallback, Reply
from core.money import Money
from tests.core.connectors.support import (
    CALLBACK,
    CREDENTIALS,
    FACTS,
    KEY,
    NOW,
    callback,
    posted,
    sandbox,
    signature,
    signed,
)

CONNECTOR = sandbox()


def why_not(call: Callback) -> str:
    with pytest.raises(InvalidCallback) as caught:
        CONNECTOR.verify(call, CREDENTIALS, currency="CNY", now=NOW)
    assert KEY not in caught.value.why
    return caught.value.why


def test_paid() -> None:
    (event,) = CONNECTOR.verify(callback(signed(CALLBACK)), CREDENTIALS, currency="CNY", now=NOW)
    assert event == Event(FACTS.attempt_no, "S1", "paid", Money(1234, "CNY"))


def test_failed_needs_no_amount() -> None:
    fields = {**CALLBACK, "status": "FAIL", "paid_amount": ""}
    (event,) = CONNECTOR.verify(callback(signed(fields)), CREDENTIALS, currency="CNY", now=NOW)
    assert (event.state, event.paid) == ("failed", None)


@pytest.mark.parametrize("name", sorted(CALLBACK))
def test_every_field_is_covered_by_the_signature(name: str) -> None:
    fields = signed(CALLBACK)
    assert why_not(callback({**fields, name: fields[name] + "1"})) == "the signature is wrong"
    assert why_not(callback({**fields, name: ""})) == "the signature is wrong"


def test_an_added_field_is_covered_too() -> None:
    assert why_not(callback({**signed(CALLBACK), "x": "1"})) == "the signature is wrong"


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({"mch_id": "880002"}, "mch_id is not ours"),
        ({"mch_id": ""}, "mch_id is not ours"),
        ({"out_trade_no": ""}, "a number is missing"),
        ({"out_trade_no": "茶"}, "a number is missing"),
        ({"trade_no": "x" * 256}, "a number is missing"),
        ({"status": "PAID"}, "the state “PAID” is not in the document"),
        ({"paid_amount": ""}, "paid, but the amount cannot be read"),
        ({"paid_amount": "0.00"}, "paid, but the amount cannot be read"),
        ({"paid_amount": "12.345"}, "paid, but the amount cannot be read"),
        ({"paid_amount": "NaN"}, "paid, but the amount cannot be read"),
    ],
)
def test_a_signed_callback_that_is_not_believed(changes: dict[str, str], why: str) -> None:
    assert why_not(callback(signed({**CALLBACK, **changes}))) == why


def test_one_signed_string_cannot_be_cut_in_another_way() -> None:
    """Whoever may choose one field's value could else turn a signed failure into a success."""
    words = "1&mch_id=880001&out_trade_no=B2&paid_amount=999.00&status=SUCCESS&trade_no=S9&zz="
    honest = signed({**CALLBACK, "attach": words, "status": "FAIL"})
    text = "&".join(f"{name}={honest[name]}" for name in sorted(honest) if name != "sign")
    head, _, tail = text.partition("&zz=")
    forged = {**dict(pair.split("=", 1) for pair in head.split("&")), "zz": tail}
    assert signature(forged) == honest["sign"]
    assert forged["status"] == "SUCCESS"
    assert "stands inside another field" in why_not(callback({**forged, "sign": honest["sign"]}))


def test_an_ampersand_that_hides_nothing_is_welcome() -> None:
    fields = signed({**CALLBACK, "attach": "tea & cake&more=1"})
    (event,) = CONNECTOR.verify(callback(fields), CREDENTIALS, currency="CNY", now=NOW)
    assert event.state == "paid"


@pytest.mark.parametrize(
    "body",
    [
        "",
        "garbage",
        b"\xff\xfe",
        "status=SUCCESS&status=FAIL",
        "a%FF=1",
        "a=%FF",
        "&".join(f"f{i}=1" for i in range(500)),
        "a=" + "x" * 9000,
        "a" * 70_000,
        "a%26status%3DSUCCESS=1",
    ],
    ids=range(10),
)
def test_bodies_that_cannot_be_read(body: str | bytes) -> None:
    assert why_not(posted(body))


def test_a_repeated_field_is_refused_though_its_parts_are_signed() -> None:
    body = urlencode(signed(CALLBACK))
    assert why_not(posted(f"{body}&status=SUCCESS")) == "a field comes twice"


def test_only_the_declared_place_is_read() -> None:
    call = Callback("GET", urlencode(signed(CALLBACK)), {}, b"", "203.0.113.9")
    assert why_not(call)


def test_replies_in_the_suppliers_words() -> None:
    assert CONNECTOR.reply("success") == Reply(200, "text/plain", b"success")
    assert CONNECTOR.reply("failure") == Reply(400, "text/plain", b"fail")
