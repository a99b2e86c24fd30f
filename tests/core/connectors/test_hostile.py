"""Whatever bytes come in: they are read, or refused in words. Nothing else leaves the engine."""

from __future__ import annotations

import encodings
import encodings.aliases
import json
import pkgutil
import re
from base64 import b64encode
from collections.abc import Mapping
from dataclasses import replace
from random import Random
from typing import Any, Final, get_args

import pytest

from core.connectors import Callback, HttpAnswer, InvalidCallback, load
from core.connectors.messages import BodyForm, UnreadableError, read_body
from core.connectors.operators import OPERATORS, ValueFault
from tests.core.connectors.library import ANSWERED, CALLED
from tests.core.connectors.support import CREDENTIALS, FACTS, NOW, signed
from tests.core.connectors.test_forgeries import ODD_CERTIFICATES
from tests.core.connectors.test_requests import UNSIGNED, document

READ: Final = 20_000
CALLS: Final = 12_000
ANSWERS: Final = 12_000
FORMS: Final[tuple[BodyForm, ...]] = get_args(BodyForm)

# Pieces that have hurt readers of one kind or another.
PIECES: Final = [
    b"\xff", b"\xfe\xff", b"\xef\xbb\xbf", b"\x00", b"\r\n", b"\xc3", b"\xed\xa0\x80", b"%", b"%zz",
    b"%ff", b"%00", b"%ed%a0%80", b"&", b"==", b"&&", b"+", b"{", b"}", b"[", b"]", b'"', b"\\",
    b"\\ud800", b'"\\ud83d"', b'{"a":[["\\udfff"]]}', b'[[{"a":"\\ud800"}]]', b"NaN", b"-Infinity",
    b"1e999999999", b"9" * 5000, b"[" * 3000, b'{"a":' * 3000, b'{"a":[' * 40, b"null", b"true",
    b"<", b"</", b"<a>", b"&lt;", b"&#0;", b"&#xD800;", b"&#x110000;", b"&x;", b"<![CDATA[", b"]]>",
    b"<!DOCTYPE a [<!ENTITY x 'y'>]>", b"<?xml version='1.0' encoding='zz'?>", b"<?xml?>",
    b"<a " + b"b='c' " * 300 + b"/>", b"<b/>" * 300, b"a=1&" * 300, b"\xe5\xa4\x87\xe6\xb3\xa8",
    "１２".encode(), "\u202e".encode(), b"__proto__", b"", b" ",
]  # fmt: skip
# What XML itself takes for the name of an encoding
XML_NAME: Final = re.compile(r"[A-Za-z][A-Za-z0-9._\-]*")
DECLARED: Final = sorted(
    {
        *encodings.aliases.aliases,
        *(module.name for module in pkgutil.iter_modules(encodings.__path__)),
        "zz", "hex", "x", "utf-8-", "UTF-16", "ebcdic", "undefined", "idna", "..", "a" * 5000,
    }
)  # fmt: skip


def spoilt(body: bytes, random: Random) -> bytes:
    """A body in which something was put, cut, doubled or repeated."""
    for _ in range(random.choice((1, 1, 2, 4))):
        at, end = sorted((random.randrange(len(body) + 1), random.randrange(len(body) + 1)))
        match random.randrange(5):
            case 0:
                body = body[:at] + random.choice(PIECES) + body[end:]
            case 1:
                body = body[:at]
            case 2:
                body = body[:at] + body[at:end] * 2 + body[end:]
            case 3:
                body = body[:at] + bytes(random.randrange(256) for _ in range(4)) + body[at:]
            case _:
                body = body[:at] + random.choice(PIECES) + body[at:]
    return body


def odd_text(random: Random) -> str:
    """What a header or a query may hold where bytes came that are no UTF-8."""
    return spoilt(b"a=1&b=2", random).decode("utf-8", "surrogateescape")


def odd_headers(headers: Mapping[str, str], random: Random) -> dict[str, str]:
    odd = dict(headers)
    for name in odd:
        if not random.randrange(3):
            odd[name] += odd_text(random)
    return odd


def test_every_reader_reads_or_refuses() -> None:
    random = Random(20261129)  # the same bytes in every run
    bodies = [*(one.case.body.encode() for one in CALLED), *PIECES]
    bodies += [one.case.body.encode() for one in ANSWERED]
    read, whys = 0, set[str]()
    for _ in range(READ):
        body = spoilt(random.choice(bodies), random)
        for form in (random.choice(FORMS), random.choice(FORMS)):
            try:
                json.dumps(read_body(form, body), ensure_ascii=False).encode()
                read += 1
            except UnreadableError as error:
                whys.add(str(error))
    assert all(whys)
    assert read > READ // 20, "and some are read"


@pytest.mark.parametrize("quote", ['"', "'"])
def test_no_declaration_chooses_how_xml_is_decoded(quote: str) -> None:
    for name in DECLARED:
        head = f"<?xml version={quote}1.0{quote} encoding={quote}{name}{quote}?>"
        for inside, expected in ((b"1", "1"), ("茶".encode(), "茶"), (b"\xb2\xe8", None)):
            body = head.encode() + b"<xml><a>" + inside + b"</a></xml>"
            try:
                assert read_body("xml", body) == {"a": expected}
            except UnreadableError:
                assert expected is None or not XML_NAME.fullmatch(name)


@ODD_CERTIFICATES
def test_no_callback_breaks_the_engine() -> None:
    random, whys = Random(20261130), set[str]()
    for index in range(CALLS):
        one = CALLED[index % len(CALLED)]
        came = replace(one.callback, headers=odd_headers(one.callback.headers, random))
        if random.randrange(4):
            came = replace(came, body=spoilt(came.body, random))
        if came.query or not random.randrange(3):
            query = came.query.encode() or b"a=1"
            came = replace(came, query=spoilt(query, random).decode("utf-8", "surrogateescape"))
        try:
            one.said(came, one.connector.fixtures.credentials)
        except InvalidCallback as invalid:
            whys.add(invalid.why)
    assert all(why and why.encode() for why in whys)
    assert "the signature is wrong" in whys, "some are read"


@ODD_CERTIFICATES
def test_no_answer_breaks_the_engine() -> None:
    random = Random(20261201)
    for index in range(ANSWERS):
        one = ANSWERED[index % len(ANSWERED)]
        headers = odd_headers(one.answer.headers, random)
        body = spoilt(one.answer.body, random) if random.randrange(4) else one.answer.body
        answer = HttpAnswer(one.case.status, headers, body)
        one.said(answer, one.connector.fixtures.credentials)


@pytest.mark.parametrize("form", ["json", "form", "xml", "query"])
def test_no_sealed_content_breaks_the_engine(form: str) -> None:
    """Rightly signed, and what is inside is anything at all."""
    reads = "{ attempt_no: no, upstream_no: id, state: state, paid: paid }"
    connector = load(
        document(
            answers=UNSIGNED,
            callback=f"{{ open: {{ text: '$body.box | unbase64 | utf8', as: {form} }},"
            f" reads: {reads}, states: {{ OK: paid }}, success: ok, failure: no }}",
        )
    )
    inside: dict[str, Any] = {"no": FACTS.attempt_no, "id": "U1", "state": "OK", "paid": "12.34"}
    good = {
        "json": json.dumps(inside),
        "xml": f"<xml>{''.join(f'<{name}>{text}</{name}>' for name, text in inside.items())}</xml>",
    }.get(form, "&".join(f"{name}={text}" for name, text in inside.items()))
    random = Random(20261202)
    believed, whys = 0, set[str]()
    for index in range(1_000):
        body = spoilt(good.encode(), random) if index else good.encode()
        fields = signed({"box": b64encode(body).decode()})
        text = "&".join(f"{name}={value.replace('+', '%2B')}" for name, value in fields.items())
        came = Callback("POST", "", {}, text.encode(), "203.0.113.9")
        try:
            believed += len(connector.verify(came, CREDENTIALS, currency="CNY", now=NOW))
        except InvalidCallback as invalid:
            whys.add(invalid.why)
    assert believed
    assert all(whys)


@pytest.mark.parametrize("text", ["1e999999999", "1e-999999999", "9" * 5000, "NaN", "-Infinity"])
def test_no_number_fills_the_memory(text: str) -> None:
    with pytest.raises(ValueFault):
        OPERATORS["number"].run(text)
