"""What a callback may say: batches, words that mean nothing, hearsay, certificates, old ones."""

from __future__ import annotations

import hashlib
import hmac
import json
from base64 import b64encode
from datetime import datetime, timedelta
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.x509.oid import NameOID

from core.connectors import Callback, Connector, Event, InvalidCallback, load
from core.kernel.money import Money
from tests.core.connectors.support import CREDENTIALS, FACTS, KEY, NOW, callback, signed
from tests.core.connectors.test_loader import faults
from tests.core.connectors.test_requests import UNSIGNED, document

READS = "{ attempt_no: no, upstream_no: id, state: state, paid: paid }"
STATES = "{ OK: paid, WAIT: pending, NOTE: ignore }"
SAID = {"no": FACTS.attempt_no, "id": "U1", "state": "OK", "paid": "12.34"}
PAID = Event(FACTS.attempt_no, "U1", "paid", Money(1234, "CNY"))


def called(rule: str, **changes: str) -> Connector:
    parts = {
        "answers": UNSIGNED,
        "callback": f"{{ {rule}, reads: {READS}, states: {STATES}, success: ok, failure: no }}",
        **changes,
    }
    return load(document(**parts))


def events(connector: Connector, came: Callback, now: datetime = NOW) -> tuple[Event, ...]:
    return connector.verify(came, CREDENTIALS, currency="CNY", now=now)


def why_not(connector: Connector, came: Callback, now: datetime = NOW) -> str:
    with pytest.raises(InvalidCallback) as caught:
        events(connector, came, now)
    return caught.value.why


def raw(body: object, headers: dict[str, str] | None = None, address: str = "") -> Callback:
    return Callback("POST", "", headers or {}, json.dumps(body).encode(), address)


def test_a_word_that_means_nothing_is_no_event() -> None:
    connector = called("from: form")
    assert events(connector, callback(signed(SAID))) == (PAID,)
    assert events(connector, callback(signed({**SAID, "state": "NOTE", "no": ""}))) == ()
    assert "ODD" in why_not(connector, callback(signed({**SAID, "state": "ODD"})))
    assert why_not(connector, callback({**SAID, "state": "NOTE"})) == "the signature is wrong"
    others = load(
        document(
            answers=UNSIGNED,
            callback=f"{{ reads: {READS}, states: {{ OK: paid, '*': ignore }}, success: ok,"
            " failure: no }",
        )
    )
    assert events(others, callback(signed({**SAID, "state": "ODD"}))) == ()


BATCH = (
    'from: json, each: items, verify: { text: "${body.no}:${body.id}:${body.state}:${body.paid}",'
    " steps: hmac-sha256 $key | base64, from: body.mac }"
)


def item(**changes: str) -> dict[str, str]:
    said = {**SAID, **changes}
    text = ":".join(said[name] for name in ("no", "id", "state", "paid"))
    mac = hmac.new(KEY.encode(), text.encode(), hashlib.sha256).digest()
    return {**said, "mac": b64encode(mac).decode()}


def test_every_item_of_a_batch_is_proved_by_itself() -> None:
    connector = called(BATCH)
    second = item(id="U2", state="WAIT")
    assert events(connector, raw({"items": [item(), second, item(state="NOTE")]})) == (
        PAID,
        Event(FACTS.attempt_no, "U2", "pending", None),
    )
    forged = {**second, "state": "OK"}
    assert why_not(connector, raw({"items": [item(), forged]})) == "the signature is wrong"
    wrong: list[object] = [[], {}, "x", None, ["x"], [item()] * 51]
    for items in wrong:
        assert why_not(connector, raw({"items": items}))


def test_hearsay_is_an_event_that_only_a_query_may_confirm() -> None:
    query = "{ path: /q }"
    connector = called("then: query", query=query, reads=READS, states="{ OK: paid }")
    (event,) = events(connector, callback(signed(SAID)))
    assert (event.hearsay, event.state, event.paid) == (True, "paid", None)
    assert connector.signs_callbacks
    unsigned = called("verify: none, then: query", query=query, reads=READS, states="{ OK: paid }")
    (event,) = events(unsigned, callback({"no": FACTS.attempt_no}))
    assert (event.hearsay, event.state, event.upstream_no) == (True, "pending", "")
    assert not unsigned.signs_callbacks
    assert why_not(unsigned, callback({"id": "U1"})) == "a number is missing"


def test_who_does_not_sign_is_never_believed() -> None:
    text = document(
        answers=UNSIGNED,
        callback=f"{{ verify: none, reads: {READS}, states: {STATES}, success: ok, failure: no }}",
    )
    assert [fault.path for fault in faults(text)] == ["callback.verify"]


def test_only_the_suppliers_addresses_may_call() -> None:
    connector = called("addresses: [203.0.113.0/24, 2001:db8::1]")
    came = callback(signed(SAID))  # from 203.0.113.9
    assert events(connector, came) == (PAID,)
    for address in ("198.51.100.1", "2001:db8::2", "", "nonsense"):
        wrong = Callback("POST", "", {}, came.body, address)
        assert "address" in why_not(connector, wrong)
    text = document(
        answers=UNSIGNED,
        callback=f"{{ addresses: [203.0.113.7/24, home], reads: {READS}, states: {STATES},"
        " success: ok, failure: no }",
    )
    assert {fault.path for fault in faults(text)} == {"callback.addresses"}


def test_a_supplier_may_want_another_answer_to_what_it_told_before() -> None:
    assert called("duplicate: again").reply("duplicate").body == b"again"
    assert called("from: form").reply("duplicate").body == b"ok"


FRESH = (
    'from: json, verify: { text: "${header.X-Time}.${body}", steps: hmac-sha256 $key | hex,'
    " from: $header.X-Signature | piece v1, fresh: $header.X-Time }"
)


def fresh(at: str, *keys: str) -> Callback:
    text = json.dumps(SAID)
    macs = [hmac.new(k.encode(), f"{at}.{text}".encode(), hashlib.sha256) for k in keys]
    signatures = ",".join(f"v1={mac.hexdigest()}" for mac in macs)
    return Callback("POST", "", {"x-time": at, "x-signature": signatures}, text.encode(), "")


def test_an_old_signature_is_not_believed_and_one_of_several_is_enough() -> None:
    connector, at = called(FRESH), int(NOW.timestamp())
    for good in (at, at - 299, at + 299, at * 1000):
        assert events(connector, fresh(str(good), KEY)) == (PAID,)
    for old in (at - 301, at + 301, (at - 400) * 1000):
        assert "300 s" in why_not(connector, fresh(str(old), KEY))
    assert "when" in why_not(connector, fresh("today", KEY))
    assert events(connector, fresh(str(at), "other", KEY)) == (PAID,)
    assert why_not(connector, fresh(str(at), "other", "more")) == "the signature is wrong"
    assert why_not(connector, fresh(str(at))) == "the signature is wrong"


def certificate(
    name: str, key: rsa.RSAPrivateKey, issuer: str, by: rsa.RSAPrivateKey, days: int = 30
) -> str:
    def named(text: str) -> x509.Name:
        return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, text)])

    built = (
        x509.CertificateBuilder()
        .subject_name(named(name))
        .issuer_name(named(issuer))
        .public_key(key.public_key())
        .serial_number(7)
        .not_valid_before(NOW - timedelta(days=1))
        .not_valid_after(NOW + timedelta(days=days))
        .sign(by, hashes.SHA256())
    )
    return built.public_bytes(serialization.Encoding.PEM).decode()


CERTIFIED = (
    'verify: { text: "${params}", steps: rsa-sha256 $certificate | base64, from: sign,'
    " params: { without: [cert] },"
    " certificate: { from: $body.cert, issued_by: $root, issued_to: EXAMPLE PAY } }"
)


def test_a_certificate_is_worth_what_its_issuer_is() -> None:
    root, theirs, evil = (rsa.generate_private_key(65537, 2048) for _ in range(3))
    root_pem = certificate("Root", root, "Root", root, days=900)
    connector = called(CERTIFIED, credentials="[key, root]")

    def come(cert: str, key: rsa.RSAPrivateKey) -> Callback:
        text = "&".join(f"{name}={SAID[name]}" for name in sorted(SAID))
        made = key.sign(text.encode(), PKCS1v15(), hashes.SHA256())
        return callback({**SAID, "cert": cert, "sign": b64encode(made).decode()})

    def said(came: Callback, now: datetime = NOW) -> tuple[Event, ...]:
        credentials = {**CREDENTIALS, "root": root_pem}
        return connector.verify(came, credentials, currency="CNY", now=now)

    good = certificate("CN EXAMPLE PAY 01", theirs, "Root", root)
    assert said(come(good, theirs)) == (PAID,)
    for cert, key in [
        (good, evil),
        (certificate("CN EXAMPLE PAY 01", evil, "Root", evil), evil),
        (certificate("CN EXAMPLE PAY 01", evil, "CN EXAMPLE PAY 01", evil), evil),
        (certificate("SOMEBODY ELSE", theirs, "Root", root), theirs),
        ("no certificate", theirs),
        ("", theirs),
    ]:
        with pytest.raises(InvalidCallback):
            said(come(cert, key))
    with pytest.raises(InvalidCallback, match="of today"):
        said(come(good, theirs), NOW + timedelta(days=31))


@pytest.mark.parametrize(
    ("verify", "path"),
    [
        ('{ text: "${params}", steps: rsa-sha256 $body.cert | base64, from: sign }',
         "callback.verify.steps"),
        ('{ text: "${params}", steps: hmac-sha256 $header.X-Key | hex, from: sign }',
         "callback.verify.steps"),
        ('{ text: "${params}", steps: rsa-sha256 $certificate | base64, from: sign }',
         "callback.verify.steps"),
        ("{ certificate: { from: $body.cert, issued_by: $nobody, issued_to: A } }",
         "callback.verify.certificate.issued_by"),
        ("{ certificate: { from: $body.cert, issued_by: $key } }",
         "callback.verify.certificate.issued_to"),
    ],
)  # fmt: skip
def test_nobody_proves_himself_with_a_key_he_brought(verify: str, path: str) -> None:
    rule = f"{{ verify: {verify}, reads: {READS}, states: {STATES}, success: ok, failure: no }}"
    assert path in {fault.path for fault in faults(document(answers=UNSIGNED, callback=rule))}


def test_a_body_says_nothing_of_what_stands_in_the_address() -> None:
    rule = (
        'from: query, verify: { text: "${body}", steps: hmac-sha256 $key | hex, from: header.X-S }'
    )
    text = document(
        answers=UNSIGNED,
        callback=f"{{ {rule}, reads: {READS}, states: {STATES}, success: ok, failure: no }}",
    )
    assert "callback.verify" in {fault.path for fault in faults(text)}


def test_several_public_keys_one_behind_another() -> None:
    old, new, evil = (rsa.generate_private_key(65537, 2048) for _ in range(3))

    def pem(key: rsa.RSAPrivateKey) -> str:
        form = serialization.PublicFormat.SubjectPublicKeyInfo
        return key.public_key().public_bytes(serialization.Encoding.PEM, form).decode()

    connector = called(
        'verify: { text: "${params}", steps: rsa-sha256 $theirs | base64, from: sign }',
        credentials="[key, theirs]",
    )
    keys: dict[str, Any] = {**CREDENTIALS, "theirs": pem(old) + pem(new)}
    text = "&".join(f"{name}={SAID[name]}" for name in sorted(SAID))
    for key in (old, new):
        made = b64encode(key.sign(text.encode(), PKCS1v15(), hashes.SHA256())).decode()
        came = callback({**SAID, "sign": made})
        assert connector.verify(came, keys, currency="CNY", now=NOW) == (PAID,)
    made = b64encode(evil.sign(text.encode(), PKCS1v15(), hashes.SHA256())).decode()
    with pytest.raises(InvalidCallback):
        connector.verify(callback({**SAID, "sign": made}), keys, currency="CNY", now=NOW)


def test_pairs_are_read_as_they_stand() -> None:
    connector = called("from: pairs")
    fields = signed({**SAID, "id": "a+b%20c", "more": "{x=1&y=2}"})
    came = Callback("POST", "", {}, "&".join(f"{k}={v}" for k, v in fields.items()).encode(), "")
    (event,) = events(connector, came)
    assert event.upstream_no == "a+b%20c"
    for body in (b"no", b"no=1&no=1", b"a", b"\xff=1"):
        assert why_not(connector, Callback("POST", "", {}, body, ""))


@pytest.mark.parametrize(
    ("params", "path"),
    [
        ("{ join: '' }", "callback.verify.params.join"),
        ("{ join: a }", "callback.verify.params.join"),
        ("{ join: '.' , url: 'true' }", "callback.verify.params.join"),
        ("{ write: value, join: '|' }", "callback.verify.params.write"),
        ("{ write: value, join: '|', order: [no, id], empty: drop }",
         "callback.verify.params.write"),
        ("{ write: value, join: '|', order: name, empty: keep }", "callback.verify.params.write"),
    ],
)  # fmt: skip
def test_what_does_not_come_apart_in_one_way_is_a_fault(params: str, path: str) -> None:
    rule = (
        f"{{ verify: {{ params: {params} }}, reads: {READS}, states: {STATES}, success: ok,"
        " failure: no }"
    )
    assert path in {fault.path for fault in faults(document(answers=UNSIGNED, callback=rule))}


def md5(text: str) -> str:
    whole = f"{text}&key={KEY}".encode()
    return hashlib.md5(whole, usedforsecurity=False).hexdigest().upper()


def test_values_alone_may_hold_what_parts_them_where_one_field_can() -> None:
    connector = called(
        "verify: { params: { write: value, join: '|', order: [attach, no, id, state, paid],"
        " empty: keep } }"
    )

    def come(attach: str, number: str = SAID["no"]) -> Callback:
        text = "|".join([attach, number, *(SAID[name] for name in ("id", "state", "paid"))])
        return callback({**SAID, "attach": attach, "no": number, "sign": md5(text)})

    for attach in ("tea", "", "tea|B2A0001OTHER00000001"):
        assert events(connector, come(attach)) == (PAID,)
    assert "“no” holds “|”" in why_not(connector, come("tea", f"B2A0001OTHER|{SAID['no']}"))


def test_a_flat_name_inside_a_value_is_seen() -> None:
    """The payer's note is not to say what was paid."""
    connector = called(
        "from: json, verify: { params: { nested: flat } }",
        callback=f"""{{ from: json, verify: {{ params: {{ nested: flat }} }},
            reads: {{ attempt_no: d.no, upstream_no: d.id, state: d.state, paid: d.paid }},
            states: {STATES}, success: ok, failure: no }}""".replace("\n", " "),
    )

    def come(attach: str) -> Callback:
        fields = {"attach": attach, **{f"d[{name}]": value for name, value in SAID.items()}}
        text = "&".join(f"{name}={fields[name]}" for name in sorted(fields))
        return raw({"attach": attach, "d": SAID, "sign": md5(text)})

    assert events(connector, come("tea")) == (PAID,)
    assert events(connector, come("x&d[paid]=999.00")) == (PAID,)  # it would come twice
    wishes = "&".join(f"d[{name}]={'U2' if name == 'id' else SAID[name]}" for name in sorted(SAID))
    assert "d[id]" in why_not(connector, come(f"x&{wishes}&z="))
