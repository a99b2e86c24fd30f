"""The language of values: what it says, what it refuses, and what it makes of vectors."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ed25519, rsa
from hypothesis import given
from hypothesis import strategies as st

from core.connectors.operators import OPERATORS, Value, ValueFault
from core.connectors.pipes import MAX_STEPS, PipeFault, Vocabulary, prove, read_steps, read_words
from core.kernel.money import Money

VECTORS = json.loads((Path(__file__).parent / "vectors.json").read_text(encoding="utf-8"))
RSA = rsa.generate_private_key(65537, 2048)
ED = ed25519.Ed25519PrivateKey.generate()


def pem(key: Any) -> str:
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    return str(private.decode())


def public_pem(key: Any) -> str:
    form = serialization.PublicFormat.SubjectPublicKeyInfo
    return str(key.public_key().public_bytes(serialization.Encoding.PEM, form).decode())


VALUES: dict[str, Value] = {
    "amount": Money(1230, "CNY"),
    "subject": "乌龙茶 250g",
    "now": datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC),
    "channel_code": "alipay_qr",
    "nonce": "7d1c5b93e0a84f26",
    "none": "",
    "key": "4e1f6c0b9d2a47358c61",
    "hex_key": "00ff",
    "private_key": pem(RSA),
    "public_key": public_pem(RSA),
    "ed_private": pem(ED),
    "ed_public": public_pem(ED),
    "aes_key": "0123456789abcdef",
    "iv": "fedcba9876543210",
}
KINDS = {"amount": "money", "now": "instant"}
WORDS = Vocabulary(
    {name: KINDS.get(name, "text") for name in VALUES},  # type: ignore[misc]  # kinds by name
    {"types": {"alipay_qr": "ALIPAY", "*": "OTHER"}, "strict": {"a": "b"}},
    ("body", "header"),
)


def scope(name: str) -> Value:
    return VALUES.get(name, "came in")


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        ("fixed", "fixed"),
        ("", ""),
        ("$subject", "乌龙茶 250g"),
        ("$$5", "$5"),
        ("a $ b", "a $ b"),
        ("5$$ and ${subject}", "5$ and 乌龙茶 250g"),
        ("$amount | minor", "1230"),
        ("$amount | decimal", "12.30"),
        ("$amount | decimal short", "12.3"),
        ("$amount | decimal 1", "12.3"),
        ("$amount | decimal 3", "12.300"),
        ("$amount | minor | number", 1230),
        ("$amount | decimal | number", Decimal("12.30")),
        ("$amount | minor | number | cut 2", "12"),
        ("$amount | decimal | number | number", Decimal("12.30")),
        ("$now | time unix_s", "1767323045"),
        ("$now | time unix_ms", "1767323045000"),
        ("$now | time yyyyMMddHHmmss", "20260102110405"),
        ("$now | time rfc3339 Europe/Berlin", "2026-01-02T04:04:05+01:00"),
        ('$now | time "yyyy-MM-dd HH:mm:ss" UTC', "2026-01-02 03:04:05"),
        ("$subject | cut 10", "乌龙茶 "),
        ("$subject | cut 8", "乌龙"),
        ("$nonce | part 2 4 | upper", "1C5B"),
        ("$none | or nobody", "nobody"),
        ('$none | or "no body"', "no body"),
        ("$channel_code | lookup types", "ALIPAY"),
        ("$nonce | lookup types", "OTHER"),
        ("$subject | url", "%E4%B9%8C%E9%BE%99%E8%8C%B6%20250g"),
        ("id=${channel_code|upper}; t=${now | time unix_s}", "id=ALIPAY_QR; t=1767323045"),
        ("$body.data.trade_no", "came in"),
        ("$header.X-Sign", "came in"),
    ],
)
def test_what_is_written_is_what_comes_out(written: str, expected: object) -> None:
    assert read_words(written, WORDS).value(scope) == expected


@pytest.mark.parametrize(
    ("written", "found", "expected"),
    [
        ("$subjct", "“$subjct”", "did you mean “subject”?"),
        ("${amont | minor}", "“$amont”", "did you mean “amount”?"),
        ("$amount | minr", "“minr”", "did you mean “minor”?"),
        ("$subject | minor", "minor behind a text", "it works on amounts"),
        ("$amount | upper", "upper behind an amount (add minor or decimal)", "it works on texts"),
        ("$subject | cut", "cut with 0 words", "cut length"),
        ("$subject | cut x", "cut x", "a whole number up to 1024"),
        ("$subject | cut 9999999999", "cut 9999999999", "a whole number up to 1024"),
        ("$now | time noon", "time noon", "one of unix_s"),
        ("$now | time unix_s Mars/Base", "time Mars/Base", "an IANA zone"),
        ("$subject | hmac-sha256 key", "hmac-sha256 key", "key by name, like $key"),
        ("$subject | hmac-sha256 $kee", "“$kee”", "did you mean “key”?"),
        ("$subject | hmac-sha256 $key octal", "hmac-sha256 octal", "one of text, hex, base64"),
        ("$channel_code | lookup typs", "lookup typs", "did you mean “types”?"),
        ("$subject |", "nothing behind |", "an operator"),
        ("${subject", "“${subject”", "a closing }"),
        ("${}", "“${}”", "${name}"),
        ("$subject and more", "“$subject and more”", "a text: ${name}"),
        ("$subject" + " | upper" * (MAX_STEPS + 1), "13 operators", "at most 12"),
        ("$cookie.a", "“$cookie.a”", "one of"),
    ],
)
def test_what_cannot_be_says_what_can(written: str, found: str, expected: str) -> None:
    with pytest.raises(PipeFault) as fault:
        read_words(written, WORDS)
    assert fault.value.found == found
    assert expected in fault.value.expected


@given(st.text(alphabet="$${}| abamountkey.\"'0\n", max_size=40) | st.text(max_size=60))
def test_whatever_is_written_is_read_or_refused(written: str) -> None:
    try:
        words = read_words(written, WORDS)
    except PipeFault:
        return
    try:
        words.value(scope)
    except ValueFault:
        return


def signed(steps: str, text: str) -> str:
    read, kind = read_steps(steps, "text", WORDS)
    assert kind == "text"
    value: Value = text
    for step in read:
        value = step.run(value, scope)
    return str(value)


@pytest.mark.parametrize("vector", VECTORS["md5_append_key_lower_epay"])
def test_epay(vector: dict[str, Any]) -> None:
    params = "&".join(f"{k}={v}" for k, v in sorted(vector["params"].items()))
    assert signed("md5 | hex", params + vector["key"]) == vector["sign"]


@pytest.mark.parametrize("case", ["lower", "upper"])
def test_md5_and_key(case: str) -> None:
    (vector,) = VECTORS[f"md5_and_key_{case}"]
    params = "&".join(f"{k}={v}" for k, v in sorted(vector["params"].items()))
    assert signed(f"md5 | hex | {case}", f"{params}&key={vector['key']}") == vector["sign"]


def test_wechat_opens_what_is_sealed() -> None:
    vector = VECTORS["aes_256_gcm_wechat_v3"]
    names = {"key": vector["key"], "n": vector["nonce"], "a": vector["associated_data"]}
    words = Vocabulary(dict.fromkeys(names, "text"), {})
    steps, _ = read_steps("unbase64 | aes-gcm-open $key $n $a | utf8", "text", words)
    value: Value = vector["ciphertext_base64"]
    for step in steps:
        value = step.run(value, names.__getitem__)
    assert value == vector["plaintext"]


@pytest.mark.parametrize(
    ("ours", "theirs"),
    [
        ("md5 | hex | upper", None),
        ("hmac-sha256 $key | base64", None),
        ("hmac-sha512 $hex_key hex | hex", None),
        ("hmac-sm3 $key | hex", None),
        ("sm3 | hex", None),
        ("rsa-sha256 $private_key | base64", "rsa-sha256 $public_key | base64"),
        ("rsa-sha1 $private_key | hex | upper", "rsa-sha1 $public_key | hex | upper"),
        ("sha256 | hex | rsa-sha256 $private_key | base64",
         "sha256 | hex | rsa-sha256 $public_key | base64"),
        ("ed25519 $ed_private | base64url", "ed25519 $ed_public | base64url"),
        ("ed25519 $ed_private | base64 | base64", "ed25519 $ed_public | base64 | base64"),
    ],
)  # fmt: skip
def test_what_one_side_signs_the_other_believes(ours: str, theirs: str | None) -> None:
    text = "a=1&b=乌龙茶"
    signature = signed(ours, text)
    steps, _ = read_steps(theirs or ours, "text", WORDS)

    def believed(of: str, came: str) -> bool:
        try:
            return prove(steps, of, came, scope)
        except ValueFault:
            return False

    assert believed(text, signature)
    assert not believed(text + " ", signature)
    last = "A" if signature[-4] != "A" else "B"
    assert not believed(text, signature[:-4] + last + signature[-3:])
    for nonsense in ("", "!", "/w==", signature[:-1] + "é", "0" * len(signature)):
        assert not believed(text, nonsense)


def test_what_is_sealed_is_opened() -> None:
    for seal, unseal in (
        ("aes-cbc $aes_key $iv", "aes-cbc-open $aes_key $iv"),
        ("aes-ecb $aes_key", "aes-ecb-open $aes_key"),
    ):
        assert signed(f"{seal} | base64 | unbase64 | {unseal} | utf8", "乌龙茶") == "乌龙茶"
        with pytest.raises(ValueFault, match="not sealed"):
            signed(f"unbase64 | {unseal} | utf8", "AAAA")


@pytest.mark.parametrize("steps", ["rsa-sha256 $key | base64", "ed25519 $private_key | base64",
                                   "aes-ecb $key | hex"])  # fmt: skip
def test_a_key_that_is_none_is_said_without_the_key(steps: str) -> None:
    with pytest.raises(ValueFault) as fault:
        signed(steps, "x")
    assert str(VALUES["key"]) not in str(fault.value)


def test_what_was_signed_is_shown_without_the_key() -> None:
    words = read_words("a=${subject}&key=${key}&h=${key | md5 | hex}&n=${nonce | upper}", WORDS)
    shown = words.masked(scope, frozenset({"key"}))
    assert shown == "a=乌龙茶 250g&key=***&h=***&n=7D1C5B93E0A84F26"
    by_argument = read_words("${subject | hmac-sha256 $key | hex}", WORDS)
    assert by_argument.masked(scope, frozenset({"key"})) == "***"


def test_every_operator_says_what_it_is() -> None:
    for name, operator in OPERATORS.items():
        assert operator.about
        assert name == operator.name
        optional = [argument.optional for argument in operator.arguments]
        assert optional == sorted(optional), "an optional argument comes last"
