"""Callbacks: believed only when signed, unambiguous, ours and readable."""

from __future__ import annotations

import hashlib
from dataclasses import replace
from urllib.parse import urlencode

import pytest

from core.connectors import Callback, Connector, Event, InvalidCallback, Reply, load
from core.kernel.money import Money
from tests.core.connectors.support import (
    CALLBACK,
    CREDENTIALS,
    FACTS,
    KEY,
    LIBRARY,
    NOW,
    callback,
    posted,
    sandbox,
    signature,
    signed,
)

CONNECTOR = sandbox()
DOCUMENT = (LIBRARY / "sandbox_md5.yaml").read_text()


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
    assert "reads in two ways" in why_not(callback({**forged, "sign": honest["sign"]}))
    assert "reads in two ways" in why_not(callback(honest))


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


def read(call: Callback, connector: Connector = CONNECTOR) -> Event:
    (event,) = connector.verify(call, CREDENTIALS, currency="CNY", now=NOW)
    return event


FORM = urlencode(signed(CALLBACK))
PAID = Event(FACTS.attempt_no, "S1", "paid", Money(1234, "CNY"))


@pytest.mark.parametrize("query", ["a=1&a=2", "a=%B0%A1", "%", "out_trade_no=X&sign=Y", "\udcff"])
def test_what_the_address_says_decides_nothing(query: str) -> None:
    assert read(replace(posted(FORM), query=query)) == PAID


def test_a_document_that_speaks_of_the_address_wants_it_readable() -> None:
    text = "${query.t}|${params}&key=${key}"
    connector = load(f"{DOCUMENT}\nverify: {{ text: '{text}', fresh: $query.t }}\n")
    now = str(int(NOW.timestamp()))
    said = "&".join(f"{name}={CALLBACK[name]}" for name in sorted(CALLBACK))
    made = hashlib.md5(f"{now}|{said}&key={KEY}".encode(), usedforsecurity=False)
    form = urlencode({**CALLBACK, "sign": made.hexdigest().upper()})
    assert read(replace(posted(form), query=f"t={now}"), connector) == PAID
    for query in (f"t={now}&t={now}", f"t={now}&a=%B0%A1", ""):
        with pytest.raises(InvalidCallback):
            read(replace(posted(form), query=query), connector)


def test_the_same_by_the_other_method_hears_where_it_was_looked_for() -> None:
    by_get = Callback("GET", FORM, {}, b"", "203.0.113.9")
    names = "mch_id, out_trade_no, trade_no, amount, paid_amount, status, paid_at, nonce, …"
    assert why_not(by_get) == f"nothing came in the form; the query has {names}"
    assert why_not(replace(by_get, query="")) == "nothing came in the form"
    assert why_not(replace(by_get, query='{"a":"s3cret"}')).endswith("the query has 14 bytes")
    in_query = load(DOCUMENT.replace("callback: {", "callback: { from: query,"))
    with pytest.raises(InvalidCallback) as caught:
        read(posted(FORM), in_query)
    assert caught.value.why == f"nothing came in the query; the body has {names}"
    assert read(by_get, in_query) == PAID


def test_a_document_may_take_both_methods_but_one_at_a_time() -> None:
    both = load(DOCUMENT.replace("callback: {", "callback: { from: [query, form],"))
    by_get = Callback("GET", FORM, {}, b"", "203.0.113.9")
    assert both.called_by == ("query", "form")
    assert read(by_get, both) == read(posted(FORM), both) == PAID
    assert read(replace(by_get, body=b"\r\n"), both) == PAID
    for call, why in (
        (replace(by_get, body=FORM.encode()), "one of them has to be empty"),
        (replace(posted(FORM), query="a=1"), "one of them has to be empty"),
        (posted(""), "nothing came in the query and in the form"),
    ):
        with pytest.raises(InvalidCallback, match=why):
            read(call, both)


def test_fields_that_decide_nothing_may_have_names_of_any_script() -> None:
    for name in ("备注", "附加 信息", "märkus", "a/b", "$x"):
        assert read(callback(signed({**CALLBACK, name: "x"}))) == PAID
    for name in ("备=注", "备&注", 'a"b'):
        assert "no name has" in why_not(callback(signed({**CALLBACK, name: "x"})))


@pytest.mark.parametrize(
    ("said", "minor"),
    [("1.0E7", 1_000_000_000), ("1e3", 100_000), ("1.25E1", 1250), ("100.00 ", 10_000),
     (" 12.34\t", 1234), ("12.340", 1234), ("1.234E-1", None), ("1E-3", None), ("1e99", None),
     ("1e999999999", None), ("1.0E", None), ("E7", None), ("1 000", None), ("0x10", None),
     ("１２", None), ("1_000", None), ("1e+2", 10_000), ("12.345", None), ("-1e3", None)],
)  # fmt: skip
def test_a_decimal_amount_is_read_exactly_or_not_at_all(said: str, minor: int | None) -> None:
    fields = signed({**CALLBACK, "paid_amount": said})
    if minor is None:
        assert why_not(callback(fields)) == "paid, but the amount cannot be read"
    else:
        assert read(callback(fields)).paid == Money(minor, "CNY")


@pytest.mark.parametrize(
    ("said", "minor"),
    [("1234", 1234), ("1234.0", 1234), ("1234.000", 1234), ("1.234E3", 1234), ("1234 ", 1234),
     ("1e2", 100), ("1234.5", None), ("1.2345E3", None), ("1e-1", None), ("12.34", None),
     ("1234.", None), (".5", None), ("1e16", None), ("1,234", None), ("+1234", None)],
)  # fmt: skip
def test_whole_cents_are_read_exactly_or_not_at_all(said: str, minor: int | None) -> None:
    in_cents = load(f"{DOCUMENT}\namounts: minor\n")
    call = callback(signed({**CALLBACK, "paid_amount": said}))
    if minor is None:
        with pytest.raises(InvalidCallback, match="the amount cannot be read"):
            read(call, in_cents)
    else:
        assert read(call, in_cents).paid == Money(minor, "CNY")


def test_another_charset_is_named() -> None:
    fields = urlencode({**CALLBACK, "subject": "绿茶", "sign": "x"}, encoding="gbk")
    assert why_not(posted(fields)) == "the form is not UTF-8"
    raw = "&".join(f"{name}={text}" for name, text in {**CALLBACK, "subject": "绿茶"}.items())
    assert why_not(posted(raw.encode("gbk"))) == "the body is not UTF-8"
    assert why_not(posted("a=1&" * 300)) == "too many fields"
