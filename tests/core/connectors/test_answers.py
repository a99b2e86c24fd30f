"""Answers: accepted or rejected only on the supplier's clear and signed word."""

from __future__ import annotations

import json

import pytest

from core.connectors import Accepted, HttpAnswer, Pay, Rejected, Standing, Unknown, load
from core.kernel.money import Money
from tests.core.connectors.support import (
    ACCEPTED,
    CREDENTIALS,
    FACTS,
    LIBRARY,
    NOW,
    STANDING,
    answer,
    sandbox,
    signed,
)

CONNECTOR = sandbox()
REFUSED = {"code": "1004", "msg": "channel\nclosed", "nonce": "n"}


def create(body: object, status: int = 200) -> object:
    return CONNECTOR.read_create(answer(body, status), FACTS, CREDENTIALS, now=NOW, nonce="n")


def standing(body: object, operation: str = "query") -> Standing:
    return CONNECTOR.read_standing(operation, answer(body), FACTS, CREDENTIALS, now=NOW)


def test_accepted() -> None:
    assert create(signed(ACCEPTED)) == Accepted("S1", Pay("url", "http://127.0.0.1:9/pay/S1"))


def test_rejected_with_the_suppliers_words() -> None:
    assert create(signed(REFUSED)) == Rejected("1004", "channel closed")


@pytest.mark.parametrize("code", ["1009", "1404", "9999", ""])
def test_other_codes_prove_nothing(code: str) -> None:
    assert isinstance(create(signed({**REFUSED, "code": code})), Unknown)


@pytest.mark.parametrize("fields", [ACCEPTED, REFUSED])
def test_without_its_signature_nothing_is_believed(fields: dict[str, str]) -> None:
    for forged in (fields, {**fields, "sign": ""}, signed(fields, key="other"), {
        **signed(fields), "nonce": "m"
    }):  # fmt: skip
        assert create(forged) == Unknown("the signature is wrong")


@pytest.mark.parametrize("fields", [ACCEPTED, REFUSED])
@pytest.mark.parametrize("status", [302, 400, 403, 404, 500, 502, 504])
def test_a_status_that_is_not_a_success_proves_nothing(fields: dict[str, str], status: int) -> None:
    assert create(signed(fields), status) == Unknown(f"HTTP status {status}")


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"null",
        b"[]",
        b'"ok"',
        b"<html>",
        b"\xff\xfe",
        b"[" * 100_000,
        b'{"code": NaN}',
        b'{"code": "0", "code": "1004"}',
        b'{"code": "0", "sign": {"a": 1}}',
        b'{"a\\ud800": "1"}',
        b'{"code": "\\ud800", "sign": "x"}',
        b"{" + b" " * 300_000 + b"}",
        json.dumps({f"f{i}": "x" for i in range(1000)}).encode(),
        json.dumps({"a": "x" * 10_000}).encode(),
    ],
    ids=range(15),
)
def test_what_cannot_be_read_proves_nothing(body: bytes) -> None:
    reply = HttpAnswer(200, {}, body)
    assert isinstance(CONNECTOR.read_create(reply, FACTS, CREDENTIALS, now=NOW, nonce="n"), Unknown)
    assert CONNECTOR.read_standing("query", reply, FACTS, CREDENTIALS, now=NOW).state == "unknown"


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({"out_trade_no": "B2A0001OTHER00000001"}, "the answer is about another attempt"),
        ({"out_trade_no": ""}, "our number is missing"),
        ({"mch_id": "880002"}, "mch_id is not ours"),
        ({"amount": "12.35"}, "the answer is about another amount"),
        ({"amount": "much"}, "the answer is about another amount"),
        ({"pay_url": ""}, "accepted, but there is nothing to pay with"),
        ({"pay_url": "http://x/\ny"}, "what to pay with cannot be read"),
    ],
)
def test_a_signed_answer_about_something_else_proves_nothing(
    changes: dict[str, str], why: str
) -> None:
    assert create(signed({**ACCEPTED, **changes})) == Unknown(why)


@pytest.mark.parametrize(
    "url",
    [
        "javascript:alert(1)",
        "ftp://supplier.example/",
        "//supplier.example/pay",
        "https://",
        "https://user@supplier.example/",
        "https://supplier.example:99999/",
        "https://supplier.example\\@evil.example/",
        "https://[::1/",
        "pay/S1",
    ],
)
def test_payers_are_sent_to_http_addresses_only(url: str) -> None:
    assert isinstance(create(signed({**ACCEPTED, "pay_url": url})), Unknown)


@pytest.mark.parametrize(
    ("url", "fits"),
    [
        ("https://pay.example.com/x", True),
        ("https://a.b.example.net/x", True),
        ("https://example.net/x", False),
        ("https://pay.example.com.evil.example/", False),
        ("https://evilexample.net/", False),
    ],
)
def test_payers_are_sent_to_the_documents_hosts(url: str, fits: bool) -> None:
    text = (LIBRARY / "sandbox_md5.yaml").read_text()
    connector = load(f"{text}\nhosts: [pay.example.com, '*.example.net']\n")
    assert connector.hosts == ("pay.example.com", "*.example.net")
    said = answer(signed({**ACCEPTED, "pay_url": url}))
    reading = connector.read_create(said, FACTS, CREDENTIALS, now=NOW, nonce="n")
    assert isinstance(reading, Accepted) is fits


def test_numbers_of_json_are_read_as_they_are_written() -> None:
    fields = signed({**STANDING, "status": "SUCCESS", "paid_amount": "12.30"})
    text = json.dumps(fields).replace('"12.30"', "12.30").replace('"0"', "0")
    said = HttpAnswer(200, {}, text.encode())
    reading = CONNECTOR.read_standing("query", said, FACTS, CREDENTIALS, now=NOW)
    assert reading == Standing("paid", upstream_no="S1", paid=Money(1230, "CNY"))


@pytest.mark.parametrize("operation", ["query", "close"])
@pytest.mark.parametrize(
    ("word", "state"), [("WAIT", "pending"), ("CLOSED", "closed"), ("FAIL", "failed")]
)
def test_standings(operation: str, word: str, state: str) -> None:
    reading = standing(signed({**STANDING, "status": word}), operation)
    assert (reading.state, reading.upstream_no, reading.paid) == (state, "S1", None)


def test_paid_says_what_was_paid_even_if_it_is_not_what_was_asked() -> None:
    paid = {**STANDING, "status": "SUCCESS", "paid_amount": "99.00"}
    assert standing(signed(paid)) == Standing("paid", upstream_no="S1", paid=Money(9900, "CNY"))


def test_not_found() -> None:
    assert standing(signed({"code": "1404", "msg": "no"})) == Standing("not_found")
    assert standing({"code": "1404", "msg": "no"}).state == "unknown"


@pytest.mark.parametrize(
    "changes",
    [
        {"status": "SUCCESS"},
        {"status": "SUCCESS", "paid_amount": "0"},
        {"status": "SUCCESS", "paid_amount": "-1"},
        {"status": "SUCCESS", "paid_amount": "12.345"},
        {"status": "SUCCESS", "paid_amount": "1e-3"},
        {"status": "SUCCESS", "paid_amount": "1e99"},
        {"status": "SUCCESS", "paid_amount": "1e3.0"},
        {"status": "SUCCESS", "paid_amount": "12.34", "trade_no": ""},
        {"status": "REFUND"},
        {"status": ""},
        {"amount": "12.33"},
        {"out_trade_no": "B2A0001OTHER00000001"},
        {"code": "1001"},
    ],
)
def test_a_standing_that_proves_nothing(changes: dict[str, str]) -> None:
    reading = standing(signed({**STANDING, **changes}))
    assert reading.state == "unknown"
    assert reading.why


def test_a_number_without_end_is_no_crash() -> None:
    text = (LIBRARY / "alipay.yaml").read_text()
    connector = load(text)
    shared = connector.fixtures
    body = (
        b'{"a": '
        + b"9" * 5000
        + b', "alipay_trade_query_response": {"code": "10000"}, "sign": "x"}'
    )
    standing = connector.read_standing(
        "query", HttpAnswer(200, {}, body), shared.facts, shared.credentials, now=NOW
    )
    assert standing.state == "unknown"
