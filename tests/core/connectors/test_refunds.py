"""Refunds, balances, tokens and captures: only the supplier's clear word counts there as well."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.connectors import (
    Balance,
    Connector,
    HttpAnswer,
    RefundFacts,
    RefundStanding,
    Standing,
    Token,
    TokenRefused,
    load,
)
from core.kernel.errors import Bug
from core.kernel.money import Money
from tests.core.connectors.support import CREDENTIALS, FACTS, NOW, answer, signature, signed
from tests.core.connectors.test_loader import faults
from tests.core.connectors.test_requests import document

REFUND = RefundFacts("R2A0001Q5R7T9V2X4Z6K", Money(500, "CNY"), "returned", NOW)
ABOUT = replace(FACTS, refund=REFUND)
PARTS = {
    "reads": "{ attempt_no: no, upstream_no: trade, state: status, paid: paid, amount: amount }",
    "answers": "{ ok: { code: 0 }, message: msg, refused: [1001], not_found: [1404] }",
    "refund": "{ path: /r, fields: { no: $attempt_no, refund: $refund_no, amount: $refund_amount,"
    " why: $refund_reason }, reads: { refund_no: refund, upstream_refund_no: id, refunded: amount,"
    " state: status }, states: { DONE: succeeded, WAIT: pending, NO: failed },"
    " answers: { refused: [1007] } }",
    "refund_query": "{ path: /rq, fields: { refund: $refund_no } }",
    "balance": "{ path: /b, reads: { available: left, currency: cur } }",
}
CONNECTOR = load(document(**PARTS))
SAID = {"code": "0", "refund": REFUND.refund_no, "id": "U1", "amount": "5.00", "status": "DONE"}


def read(said: dict[str, str], operation: str = "refund", status: int = 200) -> RefundStanding:
    reply = answer(signed(said), status)
    return CONNECTOR.read_refund(operation, reply, ABOUT, CREDENTIALS, now=NOW)


def test_a_refund_is_asked_for_by_its_own_number() -> None:
    request = CONNECTOR.build("refund", ABOUT, CREDENTIALS, now=NOW, nonce="n")
    fields = {"no": FACTS.attempt_no, "refund": REFUND.refund_no, "amount": "5.00"}
    fields["why"] = "returned"
    assert signature(fields) in request.body.decode()
    assert f"amount=5.00&no={FACTS.attempt_no}" in request.signed


@pytest.mark.parametrize("operation", ["refund", "refund_query"])
@pytest.mark.parametrize(
    ("word", "state"), [("DONE", "succeeded"), ("WAIT", "pending"), ("NO", "failed")]
)
def test_states(operation: str, word: str, state: str) -> None:
    reading = read({**SAID, "status": word}, operation)
    assert (reading.state, reading.upstream_refund_no) == (state, "U1")


def test_a_refusal_is_the_refunds_own_and_a_question_is_never_refused() -> None:
    no = {"code": "1007", "msg": "too much"}
    assert read(no) == RefundStanding("failed", "1007", "the supplier says: 1007 too much")
    assert read({**no, "code": "1001"}).state == "unknown"  # of payments
    assert read(no, "refund_query").state == "unknown"
    assert read({"code": "1404"}, "refund_query").state == "not_found"
    text = document(**{**PARTS, "refund_query": "{ path: /rq, answers: { refused: [1] } }"})
    assert [fault.path for fault in faults(text)] == ["refund_query.answers.refused"]


@pytest.mark.parametrize(
    "changes",
    [
        {"status": "ODD"},
        {"status": ""},
        {"refund": "R2A0001OTHER00000001"},
        {"amount": "5.01"},
        {"amount": "much"},
        {"code": "9999"},
    ],
)
def test_what_is_about_something_else_or_unclear_proves_nothing(changes: dict[str, str]) -> None:
    assert read({**SAID, **changes}).state == "unknown"


@pytest.mark.parametrize("status", [302, 400, 500, 502])
def test_a_status_that_is_not_a_success_proves_nothing(status: int) -> None:
    assert read(SAID, status=status).state == "unknown"


@given(st.dictionaries(st.sampled_from([*SAID, "sign"]), st.sampled_from(["0", "DONE", "x"])))
def test_without_its_signature_no_refund_ends(said: dict[str, str]) -> None:
    reply = answer(said)
    for operation in ("refund", "refund_query"):
        reading = CONNECTOR.read_refund(operation, reply, ABOUT, CREDENTIALS, now=NOW)
        assert reading.state == "unknown"


def test_a_good_answer_alone_may_say_that_it_is_on_its_way() -> None:
    parts = {name: text for name, text in PARTS.items() if name != "refund_query"}
    parts["refund"] = "{ path: /r, gives: pending }"
    connector = load(document(**parts))
    reply = answer(signed({"code": "0"}))
    reading = connector.read_refund("refund", reply, ABOUT, CREDENTIALS, now=NOW)
    assert reading.state == "pending"
    assert "refund_query" not in connector.operations


def test_balances() -> None:
    def balance(said: dict[str, str]) -> Balance:
        reply = answer(signed(said))
        return CONNECTOR.read_balance(reply, CREDENTIALS, currency="CNY", now=NOW)

    good = {"code": "0", "left": "100.50", "cur": "cny"}
    assert balance(good) == Balance(Money(10050, "CNY"))
    assert balance({**good, "left": "0.00"}) == Balance(Money(0, "CNY"))
    for wrong in ({"left": "-1"}, {"left": ""}, {"cur": "USD"}, {"code": "1001"}):
        assert balance({**good, **wrong}).available is None
    request = CONNECTOR.build("balance", None, CREDENTIALS, now=NOW, nonce="n")
    assert request.url.endswith("/b")


WITH_TOKEN = {
    "credentials": "[key, secret]",
    "values": '{ pair: "${key}:${secret}", basic: $pair | base64 }',
    "sign": "none",
    "answers": "{ signed: false, ok: { code: 0 } }",
    "headers": '{ Authorization: "Bearer ${token}" }',
    "token": '{ path: /t, headers: { Authorization: "Basic ${basic}" }, fields: { a: b },'
    " answers: { statuses: [200], ok: { access: '*' } }, reads: { token: access, lives: for } }",
}


def with_token() -> Connector:
    return load(document(**WITH_TOKEN))


def test_a_token_is_fetched_once_and_goes_with_every_other_call() -> None:
    connector, keys = with_token(), {**CREDENTIALS, "secret": "s"}
    assert connector.needs_token("create")
    assert "token" not in connector.operations
    request = connector.build_token(keys, now=NOW, nonce="n")
    assert request.headers["Authorization"].startswith("Basic ")
    said = connector.read_token(answer({"access": "T0", "for": "3600"}), keys, now=NOW)
    assert said == Token("T0", 3600)
    assert connector.read_token(answer({"access": "T0"}), keys, now=NOW).lives_s > 0
    create = connector.build(
        "create", FACTS, keys, now=NOW, nonce="n", resources={"token": said.value}
    )
    assert create.headers["Authorization"] == "Bearer T0"
    assert connector.token_lost(HttpAnswer(401, {}, b""))
    assert not connector.token_lost(HttpAnswer(403, {}, b""))


@pytest.mark.parametrize(
    ("body", "status"),
    [({}, 200), ({"access": ""}, 200), ({"access": "T\n"}, 200), ({"access": "T"}, 500)],
)
def test_no_token_is_no_token(body: dict[str, str], status: int) -> None:
    with pytest.raises(TokenRefused):
        with_token().read_token(answer(body, status), CREDENTIALS, now=NOW)


def test_what_waits_for_our_capture_is_not_paid() -> None:
    parts = {
        **PARTS,
        "states": "{ YES: approved, OK: paid }",
        "query": "{ path: /q }",
        "capture": "{ path: /cap }",
    }
    connector = load(document(**parts))
    said = {"code": "0", "no": FACTS.attempt_no, "status": "YES", "trade": "S1"}
    reply = answer(signed(said))
    for operation in ("query", "capture"):
        standing = connector.read_standing(operation, reply, FACTS, CREDENTIALS, now=NOW)
        assert standing == Standing("approved", upstream_no="S1")
    del parts["capture"]
    assert [fault.path for fault in faults(document(**parts))] == ["query.states"]


def test_a_state_that_two_fields_say() -> None:
    parts = {
        **PARTS,
        "reads": "{ attempt_no: no, upstream_no: trade, state: status + pay, paid: amount }",
        "states": "{ complete paid: paid, complete unpaid: pending, open: pending }",
        "query": "{ path: /q }",
    }
    connector = load(document(**parts))

    def standing(**said: str) -> str:
        whole = {"code": "0", "no": FACTS.attempt_no, "trade": "S1", "amount": "12.34", **said}
        reply = answer(signed(whole))
        return connector.read_standing("query", reply, FACTS, CREDENTIALS, now=NOW).state

    assert standing(status="complete", pay="paid") == "paid"
    assert standing(status="complete", pay="unpaid") == "pending"
    assert standing(status="open") == "pending"
    assert standing(status="complete") == "unknown"


@pytest.mark.parametrize(
    ("changes", "path"),
    [
        ({"refund": "{ path: /r }"}, "refund.states"),
        ({"refund": "{ path: /r, states: { A: paid } }"}, "refund.states.A"),
        ({"refund": "{ path: /r, states: { A: failed }, reads: { paid: x } }"},
         "refund.reads.paid"),
        ({"refund": "{ path: /r, gives: closed }"}, "refund.gives"),
        ({"balance": "{ path: /b }"}, "balance.reads"),
        ({"balance": "{ path: /b, fields: { a: $attempt_no }, reads: { available: a } }"},
         "balance.fields.a"),
        ({"token": "{ path: /t, reads: { lives: a } }"}, "token.reads"),
        ({"query": "{ path: /q, fields: { a: $refund_no } }", "states": "{ A: closed }"},
         "query.fields.a"),
    ],
)  # fmt: skip
def test_what_makes_no_sense_is_a_fault(changes: dict[str, str], path: str) -> None:
    assert path in {fault.path for fault in faults(document(**{**PARTS, **changes}))}


def test_a_refund_query_without_a_refund_is_a_fault() -> None:
    parts = {name: text for name, text in PARTS.items() if name != "refund"}
    assert "refund_query." in {f.path + "." for f in faults(document(**parts))}
    with pytest.raises(Bug):
        load(document()).build("refund", ABOUT, CREDENTIALS, now=NOW, nonce="n")


def test_who_goes_by_its_own_number_is_not_asked_before_that_is_known() -> None:
    parts = {**PARTS, "refund_query": '{ path: "/r/${upstream_refund_no}" }'}
    connector = load(document(**parts))
    assert not connector.can_ask("refund_query", ABOUT)
    known = replace(ABOUT, refund=replace(REFUND, upstream_refund_no="U1"))
    assert connector.can_ask("refund_query", known)
    assert connector.can_ask("refund", ABOUT)
    assert not connector.can_ask("query", ABOUT)
