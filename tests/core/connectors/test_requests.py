"""Requests: what is sent, and what was signed."""

from __future__ import annotations

import hashlib
import hmac
import json
from base64 import b64encode
from dataclasses import replace
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import pytest

from core.connectors import load
from core.kernel.errors import Bug
from tests.core.connectors.support import CREDENTIALS, FACTS, KEY, NOW, sandbox, signature

VECTORS: dict[str, list[dict[str, Any]]] = json.loads(
    (Path(__file__).parent / "vectors.json").read_text()
)
RULES = {
    "md5_append_key_lower_epay": '{ text: "${params}${key}", steps: md5 | hex, params: '
    "{ without: [sign_type] } }",
    "md5_and_key_lower": "{ steps: md5 | hex }",
    "md5_and_key_upper": "{ steps: md5 | hex | upper }",
    "md5_and_key_upper_caseless": "{ params: { order: caseless } }",
}
CASES = [(group, vector) for group in RULES for vector in VECTORS[group]]


UNSIGNED = "{ signed: false, ok: { code: 0 } }"


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


def test_a_json_body_with_tables_lists_numbers_and_json_in_a_text() -> None:
    fields = (
        "{ total: { fee: $amount | minor | number, currency: $currency }, tags: [a, $subject],"
        " biz: { $json: { no: $attempt_no, empty: $upstream_no } }, none: { a: $upstream_no } }"
    )
    create = f"{{ path: /c, fields: {fields}, pay: {{ url: u }} }}"
    text = document(body="json", create=create)
    request = load(text).build("create", FACTS, CREDENTIALS, now=NOW, nonce="n")
    sent = json.loads(request.body)
    assert sent["total"] == {"fee": 1234, "currency": "CNY"}
    assert sent["tags"] == ["a", FACTS.subject]
    assert json.loads(sent["biz"]) == {"no": FACTS.attempt_no}
    assert "none" not in sent


def test_a_nested_form_and_an_xml_body() -> None:
    create = "{ path: /c, fields: { a: { b: x&y, c: [1, 2] } }, pay: { url: u } }"
    form = load(document(sign="none", answers=UNSIGNED, create=create))
    request = form.build("create", FACTS, CREDENTIALS, now=NOW, nonce="n")
    assert parse_qsl(request.body.decode()) == [("a[b]", "x&y"), ("a[c][0]", "1"), ("a[c][1]", "2")]
    xml = load(document(body="{ xml: order }", create=create))
    request = xml.build("create", FACTS, CREDENTIALS, now=NOW, nonce="n")
    assert request.headers["Content-Type"] == "application/xml"
    assert request.body.decode().startswith("<order><a><b>x&amp;y</b><c>1</c><c>2</c></a><sign>")


def test_a_signature_in_a_header_over_what_leaves() -> None:
    text = document(
        credentials="[mch_id, key]",
        body="json",
        sign='{ text: "${method} ${path} ${now | time unix_s} ${body}", steps: hmac-sha256 $key'
        " | base64, field: none }",
        headers='{ X-Signature: $signature, Authorization: "Key ${mch_id}:${key}" }',
        create="{ path: '/v1/orders', fields: { no: $attempt_no }, pay: { url: u } }",
        answers=UNSIGNED,
    )
    credentials = {**CREDENTIALS, "base_url": "https://supplier.example/api/"}
    request = load(text).build("create", FACTS, credentials, now=NOW, nonce="n")
    assert request.url == "https://supplier.example/api/v1/orders"
    body = request.body.decode()
    assert body == json.dumps({"no": FACTS.attempt_no}, separators=(",", ":"))
    told = f"POST /api/v1/orders {int(NOW.timestamp())} {body}"
    assert request.signed == told
    mac = hmac.digest(KEY.encode(), told.encode(), "sha256")
    assert request.headers["X-Signature"] == b64encode(mac).decode()
    assert request.headers["Authorization"] == f"Key 880001:{KEY}"


@pytest.mark.parametrize(
    ("params", "signed"),
    [
        ("{}", "B=2&a=1&c=乌龙"),
        ("{ order: caseless }", "a=1&B=2&c=乌龙"),
        ("{ order: written }", "c=乌龙&a=1&B=2"),
        ("{ order: [a, c] }", "a=1&c=乌龙"),
        ("{ order: [a, empty, c], empty: keep }", "a=1&empty=&c=乌龙"),
        ("{ without: [c] }", "B=2&a=1"),
        ("{ write: value, join: '' }", "21乌龙"),
        ("{ write: quoted }", 'B="2"&a="1"&c="乌龙"'),
        ("{ url: true }", "B=2&a=1&c=%E4%B9%8C%E9%BE%99"),
        ("{ join: '|' }", "B=2|a=1|c=乌龙"),
        ("{ nested: json }", 'B=2&a=1&c=乌龙&d={"e":"f"}'),
        ("{ nested: flat }", "B=2&a=1&c=乌龙&d[e]=f"),
    ],
)
def test_the_ways_to_write_what_is_signed(params: str, signed: str) -> None:
    fields = "{ c: 乌龙, a: 1, empty: '', B: 2, d: { e: f } }"
    text = document(
        body="json",
        sign=f'{{ params: {params}, text: "${{params}}" }}',
        answers=UNSIGNED,
        create=f"{{ path: /c, fields: {fields}, pay: {{ url: u }} }}",
    )
    request = load(text).build("create", FACTS, CREDENTIALS, now=NOW, nonce="n")
    assert request.signed == signed


def test_values_of_the_documents_own() -> None:
    text = document(
        tables="{ methods: { alipay_qr: ALI } }",
        values="{ hashed: $key | md5 | hex, way: $channel_code | lookup methods }",
        sign='{ text: "${params}&${hashed}" }',
        create="{ path: /c, fields: { way: $way }, pay: { url: u } }",
    )
    request = load(text).build("create", FACTS, CREDENTIALS, now=NOW, nonce="n")
    assert dict(parse_qsl(request.body.decode()))["way"] == "ALI"
    hashed = hashlib.md5(KEY.encode(), usedforsecurity=False).hexdigest()
    assert hashed not in request.signed
    facts = replace(FACTS, channel_code="cash")
    with pytest.raises(Bug, match="a word is not in its table"):
        load(text).build("create", facts, CREDENTIALS, now=NOW, nonce="n")


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
    with pytest.raises(Bug, match="“capture”"):
        sandbox().build("capture", FACTS, CREDENTIALS, now=NOW, nonce="n")


def test_nothing_leaves_for_a_server_that_the_document_does_not_name() -> None:
    connector = load(document(servers="[pay.example, '*.pay.example']"))
    for good in ("https://pay.example", "https://a.pay.example/x/"):
        credentials = {**CREDENTIALS, "base_url": good}
        request = connector.build("create", FACTS, credentials, now=NOW, nonce="n")
        assert request.url == good.rstrip("/") + "/create"
    for wrong in ("https://evil.example", "https://pay.example.evil.example", "pay.example", ""):
        credentials = {**CREDENTIALS, "base_url": wrong}
        with pytest.raises(Bug):
            connector.build("create", FACTS, credentials, now=NOW, nonce="n")
