"""Whatever a secret is and however it went over the wire, what is kept does not have it."""

from __future__ import annotations

import json
import re
from base64 import b64encode, urlsafe_b64encode
from collections.abc import Callable
from html import escape
from urllib.parse import quote, quote_plus, urlencode

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from core.kernel.masking import KEPT_CHARS, MASK, Mask

secrets = st.text(min_size=4, max_size=200).filter(lambda text: len(text.strip()) >= 4)
around = st.text('abc019+/=&%"\\<>: \n…é茶', max_size=12)


def b64(text: str) -> str:
    return b64encode(text.encode()).decode()


FORMS: dict[str, Callable[[str], str]] = {
    "raw": str,
    "percent": lambda text: quote(text, safe=""),
    "path": quote,
    "form": quote_plus,
    "lower percent": lambda text: re.sub("%..", lambda found: found[0].lower(), quote(text)),
    "json": lambda text: json.dumps(text)[1:-1],
    "json as it is": lambda text: json.dumps(text, ensure_ascii=False)[1:-1],
    "php json": lambda text: json.dumps(text)[1:-1].replace("/", "\\/"),
    "xml": escape,
    "xml text": lambda text: escape(text, quote=False),
    "hex": lambda text: text.encode().hex(),
    "HEX": lambda text: text.encode().hex().upper(),
    "base64": b64,
    "base64 for urls": lambda text: urlsafe_b64encode(text.encode()).decode(),
    "base64 in a form": lambda text: quote_plus(b64(text)),
}  # fmt: skip


@given(secrets, around, around, st.sampled_from(sorted(FORMS)))
@example('p"a\\ss/w&rd<1>', "", "", "json")
@example("\x00\x01\x02\x03", "a", "b", "raw")
@example("\r0000", "", "0000", "base64")
@example("••••", "•", "", "raw")
@example("aaaa", "aa", "aaa", "raw")
def test_a_secret_is_in_nothing_that_is_kept(
    secret: str, before: str, after: str, form: str
) -> None:
    written = FORMS[form](secret)
    mask = Mask([secret])
    for kept in (
        mask.text(before + written + after),
        mask.body((before + written + after).encode()),
        mask.headers({"X-Key": before + written + after}),
    ):
        assert MASK in kept
        if not set(written) <= set(MASK + before + after):
            assert written.strip() not in kept


@given(secrets, st.text(min_size=1, max_size=30), st.text(max_size=30))
def test_base64_hides_it_at_every_offset(secret: str, before: str, after: str) -> None:
    for written in (b64(f"{before}:{secret}{after}"), urlsafe_b64encode(
        f"{before}:{secret}{after}".encode()
    ).decode()):  # fmt: skip
        kept = Mask([secret]).text(f"x={written}.")
        if len(secret.strip().encode()) >= 8:
            assert MASK in kept
            start = len(f"{before}:".encode()) * 4 // 3 + 4
            inside = written[start : start + (len(secret.strip().encode()) - 7) * 4 // 3]
            assert not inside or len(inside) < 4 or inside not in kept
    headers = Mask([secret]).headers({"Authorization": "Basic " + b64(f"{before}:{secret}")})
    assert headers == f"Authorization: Basic {MASK}"


@given(st.lists(secrets, min_size=2, max_size=4, unique=True))
def test_secrets_that_overlap_are_hidden_whole(several: list[str]) -> None:
    first, second = several[0].strip(), several[1].strip()
    overlapping = first + second[1:] if second.startswith(first[-1]) else first + second
    kept = Mask(several).text(f"<{overlapping}>")
    for secret in (first, second):
        if not set(secret) <= set(MASK + "<>"):
            assert secret not in kept


@given(secrets, st.integers(-300, 10))
def test_no_part_of_a_secret_stays_at_the_edge(secret: str, shift: int) -> None:
    secret = "S" + secret.strip() + "S"
    text = "-" * (KEPT_CHARS + shift) + secret + "-" * 500
    kept = Mask([secret]).text(text)
    assert kept.rpartition("\n")[0].replace(MASK, "").strip("-") == ""
    assert kept.endswith(f"… ({len(text)} characters)")
    assert len(kept) < KEPT_CHARS + 60


def test_what_is_no_secret_stays_as_it_is() -> None:
    text = '{"amount":"10.00","sign":"9F86D081884C7D65","id":1}'
    assert Mask([]).text(text) == text
    assert Mask(["", "1"]).text(text) == text.replace('"id":1', f'"id":{MASK}')
    assert Mask(["cn"]).text("region=cn&since=cno") == f"region={MASK}&since=cno"
    assert Mask(["k" * 40]).text("x" * KEPT_CHARS) == "x" * KEPT_CHARS


def test_headers_that_prove_who_somebody_is() -> None:
    kept = Mask([]).headers(
        {
            "Authorization": "WECHATPAY2-SHA256-RSA2048 mchid=1,signature=x",
            "authorization": "no-scheme",
            "Proxy-Authorization": "Basic eA==",
            "Cookie": "session=1",
            "set-cookie": "session=1; Path=/",
            "X-API-Key": "abc",
            "X-Sign": "kept",
        }
    )
    assert kept.splitlines() == [
        f"Authorization: WECHATPAY2-SHA256-RSA2048 {MASK}",
        f"authorization: {MASK}",
        f"Proxy-Authorization: Basic {MASK}",
        f"Cookie: {MASK}",
        f"set-cookie: {MASK}",
        f"X-API-Key: {MASK}",
        "X-Sign: kept",
    ]


@pytest.mark.parametrize(
    ("text", "kept"),
    [
        ('{"access_token": "eyJ.a-b", "n": 1}', f'{{"access_token": "{MASK}", "n": 1}}'),
        ("refresh_token=abc&n=1", f"refresh_token={MASK}&n=1"),
        ('{"card":"4111111111111111"}', f'{{"card":"411111{MASK}1111"}}'),
        ("4111 1111 1111 1111", f"4111 1{MASK}1111"),
        ("3782-822463-10005", f"3782-8{MASK}0005"),
        ("4111111111111112", "4111111111111112"),
        ("20261121094922001", "20261121094922001"),
        ("41111111111111110000000000", "41111111111111110000000000"),
    ],
)
def test_tokens_and_cards_are_hidden_though_nobody_named_them(text: str, kept: str) -> None:
    assert Mask([]).text(text) == kept


def test_a_key_of_many_lines_is_hidden_line_by_line() -> None:
    lines = [f"{number:02}" + "MIIEvQIBADANBgkqhkiG" * 3 for number in range(20)]
    pem = "-----BEGIN PRIVATE KEY-----\n" + "\n".join(lines) + "\n-----END PRIVATE KEY-----\n"
    mask = Mask([pem])
    for text in (pem, json.dumps({"key": pem}), "".join(lines), urlencode({"k": lines[3]})):
        assert "MIIEvQ" not in mask.text(text)


def test_what_no_database_takes_is_replaced() -> None:
    assert Mask([]).text("a\x00b\udcff") == "a\ufffdb?"
    assert Mask([]).body(b"\xff\xfe\x00") == "\ufffd\ufffd\ufffd"
