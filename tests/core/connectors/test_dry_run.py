"""A dry run shows what would be sent and how a message is read, and gives no secret away."""

from __future__ import annotations

import json
from dataclasses import asdict
from datetime import timedelta
from urllib.parse import quote_plus

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.connectors import Connector, DryRead, DryRun, load, tried_facts
from core.connectors.dry_run import pasted_answer, pasted_callback
from core.connectors.fixtures import Case
from core.connectors.trace import hint
from core.kernel.errors import Refusal
from tests.core.connectors.library import CONNECTORS
from tests.core.connectors.support import LIBRARY

MD5 = CONNECTORS["generic_md5_form"]
ANSWER = {
    "code": "0", "msg": "ok", "mch_id": "00002352", "out_trade_no": "B2A0001Q5R7T9V2X4Z6K",
    "trade_no": "S20260102000017", "pay_url": "https://pay.example/p/S20260102000017",
    "sign": "ABA08D32CF6FA7722E4E124E4AC4F62B",
}  # fmt: skip


def raw(case: Case, first_line: str) -> str:
    """A message as people paste it whole."""
    headers = "".join(f"{name}: {value}\r\n" for name, value in case.headers.items())
    return f"{first_line}\r\n{headers}\r\n{case.body}"


def read(connector: Connector, case: Case) -> DryRead:
    tried = DryRun(connector, facts=case.facts, now=case.now)
    if case.kind == "read":
        return tried.answer(case.operation, raw(case, f"HTTP/1.1 {case.status} Said"))
    if connector.called_by == ("query",):
        return tried.callback(raw(case, f"GET /c?{case.body} HTTP/1.1"), address=case.address)
    return tried.callback(raw(case, "POST /c HTTP/1.1"), address=case.address)


@pytest.mark.parametrize("code", sorted(CONNECTORS))
def test_what_a_dry_run_says_is_what_the_engine_does(code: str) -> None:
    connector = CONNECTORS[code]
    for case in connector.fixtures.cases:
        if case.kind == "build":
            continue
        tried = read(connector, case)
        assert tried.gives == case.gives, case.about
        doubted = tried.gives in ("unknown", "invalid", "refused")
        assert [step.ok for step in tried.steps[:-1]] == [True] * (len(tried.steps) - 1)
        assert tried.steps[-1].ok != doubted, case.about
        assert bool(tried.steps[-1].why) == doubted


@pytest.mark.parametrize("code", sorted(CONNECTORS))
def test_no_secret_of_a_fixture_is_in_a_dry_run(code: str) -> None:
    connector = CONNECTORS[code]
    shared = connector.fixtures
    secrets = [shared.credentials[n] for n in connector.secrets & shared.credentials.keys()]
    shown = [asdict(DryRun(connector).request(o)) for o in connector.operations - {"callback"}]
    shown += [asdict(read(connector, c)) for c in shared.cases if c.kind != "build"]
    text = json.dumps(shown, ensure_ascii=False)
    for secret in secrets:
        assert secret not in text
        assert quote_plus(secret) not in text


def answer(**changes: str) -> str:
    return json.dumps({**ANSWER, **changes})


def test_the_step_that_fails_is_named_with_what_to_compare() -> None:
    tried = DryRun(MD5).answer("create", answer(pay_url="https://evil.example"))
    *before, last = tried.steps
    assert [step.name for step in before] == ["status", "form"]
    assert (last.name, last.ok, last.why) == ("signature", False, "the signature is wrong")
    assert last.said["text"].endswith(
        "&pay_url=https://evil.example&trade_no=S20260102000017&key=***"
    )
    assert last.said["steps"] == "md5 | hex | upper"
    assert last.said["came"] == ANSWER["sign"]
    assert last.said["expected"].endswith("(32 characters)")
    assert "differs" not in last.said


def test_a_signature_in_other_capitals_is_told_apart() -> None:
    tried = DryRun(MD5).answer("create", answer(sign=ANSWER["sign"].lower()))
    assert tried.steps[-1].said["differs"] == "capitals"


@pytest.mark.parametrize(
    ("text", "steps", "why"),
    [
        ("HTTP/1.1 502 Bad Gateway\n\n<html>", ["status"], "HTTP status 502"),
        ("<html>", ["status", "form"], "the body is not JSON"),
        ("", ["status", "form"], "the body is not JSON"),
        ("\x00", ["status", "form"], "the body is not JSON"),
        ("HTTP/1.1 200", ["status", "form"], "the body is not JSON"),
        ("x" * 300_000, ["status"], "the answer is too long"),
    ],
)
def test_what_cannot_be_read_is_told_where(text: str, steps: list[str], why: str) -> None:
    tried = DryRun(MD5).answer("create", text)
    assert tried.gives == "unknown"
    assert [step.name for step in tried.steps] == steps
    assert tried.steps[-1].why == why


def test_an_answer_about_another_attempt_fails_at_its_number() -> None:
    facts = tried_facts(MD5, {"attempt_no": "B2A0001OTHER"})
    tried = DryRun(MD5, facts=facts).answer("create", answer())
    assert tried.steps[-1].name == "number"
    assert tried.steps[-1].said == {"said": ANSWER["out_trade_no"], "ours": "B2A0001OTHER"}


def test_a_message_of_the_suppliers_own_key_shows_whose_it_is() -> None:
    connector = CONNECTORS["alipay"]
    case = next(c for c in connector.fixtures.cases if c.kind == "verify" and c.gives == "invalid")
    step = next(s for s in read(connector, case).steps if s.name == "signature")
    assert step.said["key"].startswith("$")
    assert "expected" not in step.said


def test_an_old_callback_fails_at_its_moment() -> None:
    connector = CONNECTORS["stripe_checkout"]
    case = next(c for c in connector.fixtures.cases if c.kind == "verify" and c.gives == "paid")
    late = DryRun(connector, facts=case.facts, now=case.now + timedelta(hours=1))
    tried = late.callback(raw(case, "POST /c HTTP/1.1"), address=case.address)
    assert (tried.gives, tried.steps[-1].name) == ("invalid", "freshness")


def test_the_items_of_a_batch_are_each_asked() -> None:
    connector = CONNECTORS["adyen"]
    case = next(c for c in connector.fixtures.cases if c.kind == "verify" and c.gives == "paid")
    assert "item" in [step.name for step in read(connector, case).steps]


def test_facts_of_ones_own_are_sent() -> None:
    facts = tried_facts(MD5, {"amount": "5", "channel_code": "wx", "refund_amount": "1.5"})
    sent = DryRun(MD5, facts=facts).request("create")
    assert dict(sent.fields) | {"amount": "5.00", "pay_type": "wx"} == dict(sent.fields)
    assert not sent.by_payer
    assert "1.50" in DryRun(MD5, facts=facts).request("refund").body


def test_what_the_payer_brings_is_told() -> None:
    facts = tried_facts(CONNECTORS["epay"], {"channel_code": "page"})
    assert DryRun(CONNECTORS["epay"], facts=facts).request("create").by_payer


GOOD = {"base_url": "https://pay.example", "mch_id": "1", "key": "k"}


@pytest.mark.parametrize(
    ("credentials", "why"),
    [
        ({}, "the credentials lack base_url, mch_id, key"),
        ({**GOOD, "key": ""}, "the credentials lack key"),
        ({**GOOD, "keys": "x"}, "the document names no credential keys"),
    ],
)
def test_credentials_must_be_those_of_the_document(credentials: dict[str, str], why: str) -> None:
    with pytest.raises(Refusal, match=why) as refused:
        DryRun(MD5, credentials=credentials)
    assert refused.value.code == "dry_run_impossible"


@pytest.mark.parametrize(
    ("said", "why"),
    [
        ({"amout": "5"}, "did you mean “amount”"),
        ({"amount": "five"}, "is not an amount"),
        ({"amount": "12.345"}, "is not an amount"),
        ({"currency": "XXX"}, "is not supported"),
        ({"created_at": "today"}, "an instant like"),
        ({"refund_amount": "-1"}, "amount"),
    ],
)
def test_facts_that_cannot_be_are_named(said: dict[str, str], why: str) -> None:
    with pytest.raises(Refusal, match=why):
        tried_facts(MD5, said)


@pytest.mark.parametrize("operation", ["close", "creat", "", "token"])
def test_an_operation_that_is_not_offered_is_refused(operation: str) -> None:
    tried = DryRun(MD5)
    with pytest.raises(Refusal, match="offered are callback, create"):
        tried.request(operation)
    with pytest.raises(Refusal, match="offered are callback, create"):
        tried.answer(operation, "{}")


def test_a_callback_is_pasted_and_not_built() -> None:
    with pytest.raises(Refusal, match="paste one"):
        DryRun(MD5).request("callback")


def test_a_document_without_fixtures_lacks_credentials() -> None:
    text = (LIBRARY / "generic_md5_form.yaml").read_text().partition("\nfixtures:")[0]
    with pytest.raises(Refusal, match="has no credential"):
        DryRun(load(text)).request("create")
    with pytest.raises(Refusal, match="has no credential"):
        DryRun(load(text)).answer("create", answer())
    with pytest.raises(Refusal, match="has no credential"):
        DryRun(load(text)).callback("sign=a")


def test_values_made_of_a_secret_are_hidden_as_well() -> None:
    connector = load(
        "connector: sample\nname: Sample\ncredentials: [key]\n"
        "values: { hashed: $key | md5 | hex }\nsign: none\n"
        "answers: { signed: false, ok: { code: 0 } }\n"
        "create: { path: /c, fields: { auth: $hashed, no: $attempt_no },"
        " reads: { attempt_no: none }, pay: { url: url } }\n"
    )
    tried = DryRun(connector, credentials={"base_url": "https://pay.example", "key": "opensesame"})
    assert "0fb0bf6f" not in json.dumps(asdict(tried.request("create")))
    assert dict(tried.request("create").fields)["auth"] == "•••"


def test_a_token_that_is_answered_is_hidden() -> None:
    connector = CONNECTORS["paypal_orders_v2"]
    case = next(c for c in connector.fixtures.cases if c.operation == "token" and c.kind == "read")
    tried = read(connector, case)
    assert tried.gives == "token"
    assert tried.outcomes["token"] == "•••"


# ── what is pasted ───────────────────────────────────────────────────────────────────────────────
def test_an_answer_is_pasted_with_or_without_its_head() -> None:
    whole = pasted_answer("HTTP/1.1 100 Continue\n\nHTTP/2 404 \r\nX-A: b: c\r\n\r\n{}\n\nx\r\n")
    assert (whole.status, dict(whole.headers), whole.body) == (404, {"x-a": "b: c"}, b"{}\n\nx")
    alone = pasted_answer('{"a": 1}\n')
    assert (alone.status, dict(alone.headers), alone.body) == (200, {}, b'{"a": 1}')


def test_a_callback_is_pasted_with_or_without_its_head() -> None:
    whole = pasted_callback("POST /callbacks/B2?x=1 HTTP/1.1\nX-Sign: ab\n\na=1\n", in_query=False)
    assert (whole.method, whole.query, whole.body) == ("POST", "x=1", b"a=1")
    assert dict(whole.headers) == {"x-sign": "ab"}
    assert pasted_callback("a=1\n", in_query=False).body == b"a=1"
    for text in ("a=1", "https://desk.example/callbacks/B2?a=1", "GET /c?a=1 HTTP/1.1"):
        assert pasted_callback(text, in_query=True).query == "a=1"


@given(st.text(max_size=80))
def test_whatever_is_pasted_is_read_or_doubted(text: str) -> None:
    for start in ("", "HTTP/1.1 200 OK\n", "POST /c HTTP/1.1\n"):
        text_whole = start + text.replace("\ud800", "")
        for tried in (DryRun(MD5).answer("query", text_whole), DryRun(MD5).callback(text_whole)):
            assert tried.gives in ("unknown", "invalid")
            assert not tried.steps[-1].ok


def test_of_a_signature_only_the_ends_are_shown() -> None:
    assert hint("a" * 6 + "b" * 20 + "c" * 6) == "aaaaaa…cccccc (32 characters)"
    assert hint("123456789") == "(9 characters)"
    assert hint("") == ""


# ── in words ─────────────────────────────────────────────────────────────────────────────────────
@pytest.mark.parametrize("code", sorted(CONNECTORS))
def test_every_document_of_the_library_can_be_explained(code: str) -> None:
    found = CONNECTORS[code].explained()
    assert {*found.offers} == CONNECTORS[code].operations
    assert not {*found.offers} & {*found.lacks}
    assert {call.operation for call in found.calls} >= CONNECTORS[code].operations - {"callback"}


def test_what_to_think_about_is_said() -> None:
    cautions = {c.code: c.about for c in CONNECTORS["epay"].explained().cautions}
    assert cautions["answers_unsigned"][:2] == ("create", "query")
    assert cautions["refused_codes"] == ("-2", "-3", "-4")
    assert {"no_close", "callbacks_any_address", "number_not_repeated"} <= cautions.keys()
    assert "no_query" not in cautions
    paypal = {c.code for c in CONNECTORS["paypal_orders_v2"].explained().cautions}
    assert "callbacks_unsigned" in paypal


def test_a_document_without_any_care_is_told_all_of_it() -> None:
    connector = load(
        "connector: sample\nname: Sample\ncredentials: [key]\nsign: none\n"
        "create_is_idempotent: true\nrefund_is_idempotent: true\nnot_found_is_final: true\n"
        "answers: { signed: good, ok: { code: 0 } }\n"
        "verify: { text: '${body}', steps: hmac-sha256 $key | hex, from: header.X }\n"
        "create: { path: /c, reads: { attempt_no: none }, pay: { url: url } }\n"
        "refund: { path: /r, gives: pending }\n"
    )
    assert {caution.code for caution in connector.explained().cautions} == {
        "answers_signed_good", "no_callback", "no_query", "no_close", "no_refund_query",
        "refused_none", "number_not_repeated", "servers_anywhere", "hosts_anywhere",
        "create_repeatable", "refund_repeatable", "not_found_final",
    }  # fmt: skip


def test_apps_that_payers_may_be_sent_to_are_told() -> None:
    text = (LIBRARY / "sandbox_md5.yaml").read_text()
    assert load(text).explained().apps == ()
    assert load(f"{text}\napps: [alipays, weixin]\n").explained().apps == ("alipays", "weixin")


def test_a_callback_that_may_come_in_two_places_is_tried_in_both() -> None:
    told = CONNECTORS["epay"].explained().callback
    assert told is not None
    assert told.sources == ("query", "form")
    (case, *_) = [case for case in CONNECTORS["epay"].fixtures.cases if case.kind == "verify"]
    tried = DryRun(CONNECTORS["epay"], facts=case.facts, now=case.now)
    for pasted in (
        case.body,
        raw(case, "POST /c HTTP/1.1"),
        f"GET /c?{case.body} HTTP/1.1\r\n\r\n",
        f"POST /c?{case.body} HTTP/1.1\r\n\r\n",
    ):
        assert tried.callback(pasted).gives == "paid"
    both = tried.callback(raw(case, f"POST /c?{case.body} HTTP/1.1"))
    assert both.gives == "invalid"
    assert "one of them has to be empty" in both.outcomes["why"]
