"""Every document of the library loads, keeps its word and stays short."""

from __future__ import annotations

import re
from urllib.parse import parse_qsl

import pytest

from core.connectors import check, load
from core.connectors.forgeries import MOST_CHANGED, MOST_MOVED
from tests.core.connectors.library import CALLED, CONNECTORS, DOCUMENTS
from tests.core.connectors.support import LIBRARY, posted, signature
from tests.core.connectors.test_requests import document

EVERYTHING = ("query", "close", "refund", "refund_query", "balance", "callback")
# What each document offers beside `create`: the library at a glance.
OFFERS = {
    "adyen": {"query", "close", "refund", "callback"},
    "alipay": {"query", "close", "refund", "refund_query", "callback"},
    "epay": {"query", "refund", "callback"},
    "generic_hmac": {"query", "close", "refund", "refund_query", "callback"},
    "generic_md5_form": {"query", "refund", "refund_query", "callback"},
    "generic_md5_json": {"query", "refund", "refund_query", "callback"},
    "jeepay": {"query", "close", "refund", "refund_query", "callback"},
    "paypal_orders_v2": {"query", "capture", "refund", "refund_query", "callback"},
    "sandbox_hmac": {*EVERYTHING},
    "sandbox_md5": {*EVERYTHING},
    "sandbox_rsa": {*EVERYTHING},
    "stripe_checkout": {"query", "close", "refund", "refund_query", "callback"},
    "stripe_payment_intent": {"query", "close", "refund", "refund_query", "callback"},
    "unionpay_5_1": {"query", "refund", "refund_query", "callback"},
    "wechat_v2": {"query", "close", "callback"},
    "wechat_v2_hmac": {"query", "close", "callback"},
    "wechat_v3": {"query", "close", "refund", "refund_query", "callback"},
}


def test_every_document_of_the_library_is_listed() -> None:
    assert {path.stem for path in LIBRARY.glob("*.yaml")} == set(OFFERS)


@pytest.mark.parametrize(("code", "offers"), OFFERS.items(), ids=list(OFFERS))
def test_a_document_offers_what_it_is_listed_with(code: str, offers: set[str]) -> None:
    connector = CONNECTORS[code]
    assert connector.code == code
    assert connector.operations == {"create", *offers}


@pytest.mark.parametrize("code", OFFERS)
def test_the_fixtures_of_a_document_hold(code: str) -> None:
    assert check(CONNECTORS[code]) == []


@pytest.mark.parametrize("code", OFFERS)
def test_a_document_names_its_source(code: str) -> None:
    before, _, _ = (LIBRARY / f"{code}.yaml").read_text().partition("\nconnector:")
    assert code.startswith("sandbox_") or "https://" in before


def without_value(text: str, name: str) -> str:
    """A document's text whose fixtures have no value of this credential."""
    head, mark, fixtures = text.partition("\nfixtures:")
    # A line each, with what is indented further below it; or all between one pair of braces.
    lines = rf"^(  credentials:\n(?:    .*\n)*?)    {name}:.*\n(?:     .*\n)*"
    braced = rf"^(  credentials: \{{[^}}]*?)\b{name}: [^,}}]*,? *"
    lacking, count = re.subn(f"{lines}|{braced}", r"\1\2", fixtures, count=1, flags=re.MULTILINE)
    assert count == 1
    return head + mark + lacking


@pytest.mark.parametrize("code", OFFERS)
def test_a_document_asks_for_no_credential_that_it_does_not_need(code: str) -> None:
    for name in CONNECTORS[code].credential_names:
        found = check(load(without_value(DOCUMENTS[code], name)))
        lacking = f"no credential “{name}”"
        assert any(lacking in failure.why for failure in found), name


@pytest.mark.parametrize("code", OFFERS)
def test_no_secret_of_a_fixture_is_shown_as_signed(code: str) -> None:
    connector = CONNECTORS[code]
    shared = connector.fixtures
    for operation in connector.operations - {"callback"}:
        facts = None if operation == "balance" else shared.facts
        request = connector.build(
            operation, facts, shared.credentials, now=shared.now, nonce=shared.nonce
        )
        for name in connector.secrets & shared.credentials.keys():
            assert shared.credentials[name] not in request.signed


@pytest.mark.parametrize(
    ("code", "most"),
    [("epay", 50), ("jeepay", 65), ("generic_md5_form", 25), ("generic_md5_json", 32)],
)
def test_the_documents_of_the_market_stay_short(code: str, most: int) -> None:
    assert len(lines_of(code)) <= most


def lines_of(code: str) -> list[str]:
    """What a document says, without its fixtures, comments and empty lines."""
    text = (LIBRARY / f"{code}.yaml").read_text().partition("\nfixtures:")[0]
    return [line for line in text.splitlines() if line.strip() and not line.startswith("#")]


def test_the_usual_dialect_needs_few_lines() -> None:
    assert len(lines_of("sandbox_md5")) <= 50


def test_a_broken_fixture_is_named_with_its_line() -> None:
    text = (LIBRARY / "sandbox_md5.yaml").read_text().replace("      paid: 12.34", "      paid: 12")
    (failure,) = check(load(text))
    assert failure.case == "verify callback: paid"
    assert "paid is “12.34”, not “12”" in failure.why
    assert text.splitlines()[failure.line - 1].strip() == "- verify: callback"


def test_a_document_with_callbacks_needs_a_good_one_and_a_forged_one() -> None:
    text = (LIBRARY / "sandbox_md5.yaml").read_text().partition("\nfixtures:")[0]
    assert [failure.why for failure in check(load(text))] == [
        "no fixture of a good callback",
        "no fixture of a forged callback",
        "no fixture of a good answer: add `read: create`, `gives: accepted`",
    ]


def without(text: str, *starts: str) -> str:
    """A document without the cases that begin like this."""
    head, *cases = re.split(r"(?=^    - )", text, flags=re.MULTILINE)
    kept = [case for case in cases if not case.lstrip(" -").startswith(starts)]
    assert len(kept) < len(cases)
    return head + "".join(kept)


def test_a_document_shows_an_order_that_is_accepted() -> None:
    text = (LIBRARY / "sandbox_md5.yaml").read_text()
    (failure,) = check(load(without(text, "read: create")))
    assert (failure.case, failure.why) == (
        "create", "no fixture of a good answer: add `read: create`, `gives: accepted`",
    )  # fmt: skip


def test_who_asks_before_he_believes_shows_how_it_is_answered() -> None:
    text = (LIBRARY / "paypal_orders_v2.yaml").read_text()
    (failure,) = check(load(without(text, "read: query", "read: capture")))
    assert (failure.case, failure.why) == (
        "query", "no fixture of an answer that says paid: add `read: query`, `gives: paid`",
    )  # fmt: skip


NEVER_BOOKS = """
  credentials: { base_url: 'https://a.example', key: k }
  cases:
    - read: create
      body: '{"code": "0", "no": "B2A0001EXAMPLE00001A", "url": "https://a.example/1"}'
      gives: accepted
"""


def test_a_document_that_can_never_book_is_told_so() -> None:
    unsigned = "{ signed: false, ok: { code: 0 } }"
    (failure,) = check(load(document(answers=unsigned, fixtures=NEVER_BOOKS)))
    assert failure.why == (
        "nothing says that money came: add `callback` or `query` with a word for paid"
    )


def test_a_number_that_does_not_come_back_as_it_was_sent_is_told() -> None:
    text = (LIBRARY / "adyen.yaml").read_text()
    other = text.replace("      attempt: { attempt_no: TestPayment-1407325143704 }\n", "")
    (failure,) = check(load(other))
    assert failure.why == (
        "its number is “TestPayment-1407325143704”, and that of the attempt is"
        " “B2A0001Q5R7T9V2X4Z6K”: it must come back as it was sent; if that was"
        " “TestPayment-1407325143704”, add `attempt: { attempt_no: TestPayment-1407325143704 }`"
    )


@pytest.mark.parametrize("code", OFFERS)
def test_check_forges_what_is_believed(code: str) -> None:
    """Many ways, always the same ones, and quickly."""
    for one in CALLED:
        if one.connector.code == code and one.case.gives in ("paid", "hearsay"):
            forged = list(one.connector.forgeries(one.callback))
            assert 100 < len(forged) <= MOST_CHANGED + MOST_MOVED
            assert forged == list(one.connector.forgeries(one.callback))
            assert sum(changed != one.callback for changed in forged) > 100


def test_among_the_forgeries_are_those_whose_signature_is_right() -> None:
    """One field moved into the one before it: nobody's key is needed for that."""
    connector = load((LIBRARY / "generic_md5_form.yaml").read_text())
    key = connector.fixtures.credentials["key"]
    case = next(case for case in connector.fixtures.cases if case.gives == "paid"
                and case.kind == "verify")  # fmt: skip
    forged = connector.forgeries(posted(case.body))
    said = [dict(parse_qsl(one.body.decode())) for one in forged]
    genuine = dict(parse_qsl(case.body))
    right = [one for one in said if one != genuine and signature(one, key) == genuine["sign"]]
    assert len(right) >= len(genuine) - 2


def test_the_version_follows_the_text() -> None:
    text = (LIBRARY / "sandbox_md5.yaml").read_text()
    assert load(text).version == load(text).version
    assert load(text).version != load(text + "\n# changed\n").version
