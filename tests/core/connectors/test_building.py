"""Requests: what is sent, and what was signed."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import pytest

from core.connectors import load
from core.errors import Bug
from tests.core.connectors.support import CREDENTIALS, FACTS, KEY, NOW, sandbox, signature

VECTORS: dict[str, list[dict[str, Any]]] = json.loads(
    (Path(__file__).parent / "vectors.json").read_text()
)
RULES = {
    "md5_append_key_lower_epay": "{ join: '', case: lower, unsigned: [sign_type] }",
    "md5_and_key_lower": "{ case: lower }",
    "md5_and_key_upper": "{ case: upper }",
}
CASES = [(group, vector) for group, vectors in VECTORS.items() for vector in vectors]


def document(**changes: str) -> str:
    parts = {
        "connector": "sample",
        "name": "Sample",
        "credentials": "[key]",
        "reads": "{ attempt_no: no }",
        "answers": "{ ok: { code: 0 } }",
        "create": "{ path: /create, fields: { no: $attempt_no }, pay: { url: url } }",
    }
    return "".join(f"{name}: {text}\n" for name, text in {**parts, **changes}.items())


def test_every_group_of_vectors_is_known() -> None:
    assert set(VECTORS) == set(RULES)


@pytest.mark.parametrize(("group", "vector"), CASES)
def test_published_vectors(group: str, vector: dict[str, Any]) -> None:
    fields = json.dumps(vector["params"], ensure_ascii=False)
    text = document(
        sign=RULES[group], create=f"{{ path: /c, fields: {fields}, pay: {{ url: u }} }}"
    )
    credentials = {"base_url": "https://supplier.example", "key": vector["key"]}
    request = load(text).build("create", FACTS, credentials, now=NOW, nonce="n")
    sent = dict(parse_qsl(request.body.decode()))
    assert sent == {**vector["params"], "sign": vector["sign"]}
    assert vector["key"] not in request.signed


def test_create_sends_every_field_signed() -> None:
    request = sandbox().build("create", FACTS, CREDENTIALS, now=NOW, nonce="abc")
    assert (request.method, request.url) == ("POST", "http://127.0.0.1:9/gateway/create")
    assert request.headers["Content-Type"] == "application/x-www-form-urlencoded"
    sent = dict(parse_qsl(request.body.decode(), strict_parsing=True))
    sign = sent.pop("sign")
    assert sent == {
        "mch_id": "880001",
        "pay_type": "alipay_qr",
        "out_trade_no": FACTS.attempt_no,
        "amount": "12.34",
        "subject": FACTS.subject,
        "merchant_name": FACTS.merchant_name,
        "notify_url": FACTS.notify_url,
        "client_ip": FACTS.client_ip,
        "timestamp": str(int(NOW.timestamp())),
        "nonce": "abc",
    }
    assert sign == signature(sent)


def test_the_signed_string_is_shown_without_its_key() -> None:
    request = sandbox().build("query", FACTS, CREDENTIALS, now=NOW, nonce="abc")
    assert request.signed == (
        f"mch_id=880001&nonce=abc&out_trade_no={FACTS.attempt_no}"
        f"&timestamp={int(NOW.timestamp())}&key=***"
    )
    assert KEY not in request.signed
    assert KEY not in repr(request)


def test_return_url_is_sent_where_there_is_one() -> None:
    facts = replace(FACTS, return_url="https://shop.example/done")
    request = sandbox().build("create", facts, CREDENTIALS, now=NOW, nonce="abc")
    assert dict(parse_qsl(request.body.decode()))["return_url"] == "https://shop.example/done"


def test_the_same_facts_give_the_same_request() -> None:
    connector = sandbox()
    one, two = (
        connector.build("create", FACTS, CREDENTIALS, now=NOW, nonce="abc") for _ in range(2)
    )
    assert one == two


@pytest.mark.parametrize(
    ("times", "expected"),
    [
        ("unix_s", "1767323045"),
        ("unix_ms", "1767323045000"),
        ("yyyyMMddHHmmss", "20260102110405"),
        ("yyyy-MM-dd HH:mm:ss", "2026-01-02 11:04:05"),
    ],
)
def test_times_in_the_suppliers_form_and_zone(times: str, expected: str) -> None:
    text = document(times=times, create="{ path: /c, fields: { t: $now }, pay: { url: u } }")
    now = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
    request = load(text).build("create", FACTS, CREDENTIALS, now=now, nonce="n")
    assert dict(parse_qsl(request.body.decode()))["t"] == expected


def test_minor_amounts_and_a_json_body() -> None:
    create = "{ path: /c, fields: { fee: $amount, note: $$5 }, pay: { url: u } }"
    text = document(amounts="minor", body="json", create=create)
    request = load(text).build("create", FACTS, CREDENTIALS, now=NOW, nonce="n")
    sent = json.loads(request.body)
    assert (sent["fee"], sent["note"]) == ("1234", "$5")
    assert request.headers["Content-Type"] == "application/json"


def test_a_get_carries_its_fields_in_the_query() -> None:
    create = "{ method: GET, path: /c, fields: { no: $attempt_no }, pay: { url: u } }"
    request = load(document(create=create)).build("create", FACTS, CREDENTIALS, now=NOW, nonce="n")
    assert request.body == b""
    assert dict(parse_qsl(urlsplit(request.url).query))["no"] == FACTS.attempt_no


def test_a_missing_credential_is_our_fault_and_named() -> None:
    with pytest.raises(Bug, match="“key”"):
        sandbox().build("create", FACTS, {**CREDENTIALS, "key": ""}, now=NOW, nonce="n")
    with pytest.raises(Bug, match="“refund”"):
        sandbox().build("refund", FACTS, CREDENTIALS, now=NOW, nonce="n")
