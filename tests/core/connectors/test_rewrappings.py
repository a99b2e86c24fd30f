"""What is rightly signed and says the same is read the same, in whatever wrapping it comes.

Suppliers change servers, languages and gateways without a word. What they send then is written
otherwise: another dialect of percent-encoding, another order of fields, a byte order mark, a line's
end. None of it changes what is signed, and so none of it may change what is read.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, replace
from random import Random
from typing import Any, Final
from urllib.parse import parse_qsl
from xml.etree import ElementTree

from core.connectors import Callback
from tests.core.connectors.library import CALLED, PARSED, Called
from tests.core.connectors.test_forgeries import ODD_CERTIFICATES, credentials_of

REWRAPPINGS: Final = 8_000
GENUINE: Final = [one for one in CALLED if one.case.gives != "invalid"]
JUNK_QUERIES: Final = [
    "", "a=1&a=2", "a=%B0%A1", "%", "&&", "utm=1", "sign=x&trade_no=9", "\udcff", "?", "a=茶",
]  # fmt: skip
JUNK_BODIES: Final = [b"", b"\xff\xfe", b"a=1&a=2", b"{", b"<a>", "茶=%".encode(), b"\r\n"]
UNRESERVED: Final = frozenset("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~")
# What servers leave as it is in a form, though others escape it
LEFT: Final = frozenset("!'()*/:@,;?=$[]{}|\"<>^`\\")
MARK: Final = b"\xef\xbb\xbf"


# ── forms and queries ────────────────────────────────────────────────────────────────────────────
@dataclass(frozen=True)
class Dialect:
    """How one server percent-encodes: capitals of hex or not, plus or %20, what it leaves."""

    capitals: bool
    plus: bool
    left: frozenset[str]
    unescaped: bool
    escapes_all: bool

    @classmethod
    def any(cls, random: Random) -> Dialect:
        return cls(
            capitals=bool(random.randrange(2)),
            plus=bool(random.randrange(2)),
            left=random.choice((frozenset(), LEFT, frozenset("/:"))),
            unescaped=bool(random.randrange(2)),
            escapes_all=not random.randrange(8),
        )

    def written(self, text: str, *, name: bool) -> str:
        return "".join(self._written(character, name=name) for character in text)

    def _written(self, character: str, *, name: bool) -> str:
        if character == " " and self.plus:
            return "+"
        stays = character in UNRESERVED or (self.unescaped and not character.isascii())
        stays = stays or (character in self.left and not (name and character == "="))
        if stays and not self.escapes_all:
            return character
        form = "%{:02X}" if self.capitals else "%{:02x}"
        return "".join(form.format(byte) for byte in character.encode())


def as_form(one: Called, random: Random) -> str:
    fields = parse_qsl(one.case.body, keep_blank_values=True, strict_parsing=True)
    if order_is_free(one):
        random.shuffle(fields)
    dialect = Dialect.any(random)
    pieces = [
        f"{dialect.written(name, name=True)}={dialect.written(value, name=False)}"
        for name, value in fields
    ]
    for _ in range(random.choice((0, 0, 1))):
        pieces.insert(random.randrange(len(pieces) + 1), "")  # a join too many
    return "&".join(pieces)


def order_is_free(one: Called) -> bool:
    """Whether fields are sorted before they are signed."""
    signing = {**PARSED[one.connector.code], **PARSED[one.connector.code]["callback"]}
    rules = [signing.get("verify") or {}, signing.get("sign") or {}]
    orders = [rule["params"]["order"] for rule in rules if "order" in rule.get("params", {})]
    return "written" not in orders


def around(body: bytes, random: Random, *, blanks: bytes = b"") -> bytes:
    """With what editors and servers put before and behind."""
    before = random.choice((b"", b"", MARK, b"\r\n", MARK + b"\n", blanks))
    return before + body + random.choice((b"", b"", b"\n", b"\r\n", b"\r\n\r\n", blanks))


# ── JSON ─────────────────────────────────────────────────────────────────────────────────────────
class Number(str):
    """A number as it was written."""

    __slots__ = ()


def as_json(one: Called, random: Random) -> bytes:
    tree = json.loads(one.case.body, parse_int=Number, parse_float=Number)
    return around(json_text(tree, random).encode(), random, blanks=b" \t\r\n ")


def json_text(value: Any, random: Random) -> str:
    def gap() -> str:
        return random.choice(("", "", " ", "\n  ", "\r\n\t"))

    match value:
        case dict():
            items = list(value.items())
            random.shuffle(items)
            inner = (
                f"{gap()}{json_text(name, random)}{gap()}:{gap()}{json_text(item, random)}{gap()}"
                for name, item in items
            )
            return f"{{{','.join(inner) or gap()}}}"
        case list():
            inner = (f"{gap()}{json_text(item, random)}{gap()}" for item in value)
            return f"[{','.join(inner)}]"
        case Number():
            return str(value)
        case str():
            how = random.randrange(3)
            return f'"{"".join(json_character(c, random, how) for c in value)}"'
        case _:
            return json.dumps(value)


def json_character(character: str, random: Random, how: int) -> str:
    if how == 2 and not random.randrange(3):
        units = character.encode("utf-16-be")
        form = random.choice(("\\u{:04x}", "\\u{:04X}"))
        pairs = [units[at : at + 2] for at in range(0, len(units), 2)]
        return "".join(form.format(int.from_bytes(pair)) for pair in pairs)
    if character == "/" and how:
        return "\\/"
    return json.dumps(character, ensure_ascii=how == 1)[1:-1]


# ── XML ──────────────────────────────────────────────────────────────────────────────────────────
def as_xml(one: Called, random: Random) -> bytes:
    root = ElementTree.fromstring(one.case.body)  # noqa: S314 (a fixture of ours)
    head = random.choice((
        "", '<?xml version="1.0"?>', "<?xml version='1.0' encoding='utf-8'?>\n",
        '<?xml version="1.0" encoding="UTF-8" standalone="yes"?>\r\n',
        '<?xml version="1.0" encoding="GBK"?>', "<!-- from the gateway -->\n",
    ))  # fmt: skip
    body = f"{head}{xml_text(root, random)}".encode()
    return around(body, random, blanks=b"\r\n \t\n")


def xml_text(element: ElementTree.Element, random: Random) -> str:
    def gap() -> str:
        return random.choice(("", "", "\n", "\r\n  ", "<!-- x -->", "<?pi x?>"))

    children = list(element)
    random.shuffle(children)
    note = random.choice(("", "", " ", ' id="1"', ' xml:space="preserve"'))
    inner = "".join(f"{gap()}{xml_text(child, random)}{gap()}" for child in children)
    if not children:
        text = element.text or ""
        if not text and random.randrange(2):
            return f"<{element.tag}{note}/>"
        inner = xml_words(text, random)
    return f"<{element.tag}{note}>{inner}</{element.tag}{random.choice(('', ' '))}>"


def xml_words(text: str, random: Random) -> str:
    how = random.randrange(4)
    if how == 0 and "]]>" not in text:
        cut = random.randrange(len(text) + 1)
        return f"<![CDATA[{text[:cut]}]]><![CDATA[{text[cut:]}]]>"
    named = {"&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;", "'": "&apos;"}
    number = "&#{:d};" if how == 2 else "&#x{:X};"
    return "".join(
        named.get(c) or (number.format(ord(c)) if how > 1 and not random.randrange(3) else c)
        for c in text
    )


# ── all of them ──────────────────────────────────────────────────────────────────────────────────
def signs_raw_bytes(one: Called) -> bool:
    whole = PARSED[one.connector.code]
    verify = whole["callback"].get("verify") or whole.get("verify") or whole.get("sign") or {}
    text = verify.get("text", "") if isinstance(verify, dict) else ""
    return "${body}" in text or "${content}" in text


def rewrapped(one: Called, random: Random) -> Callback:
    """The same callback as another server would send it."""
    came, places = one.callback, one.connector.called_by
    place = random.choice(places)
    if place == "query":
        body = random.choice(JUNK_BODIES) if len(places) == 1 else b""
        return replace(came, query=as_form(one, random), body=body)
    came = replace(came, query=random.choice(JUNK_QUERIES) if len(places) == 1 else "")
    if signs_raw_bytes(one):
        return came
    match place:
        case "form":
            return replace(came, body=around(as_form(one, random).encode(), random))
        case "json":
            return replace(came, body=as_json(one, random))
        case "xml":
            return replace(came, body=as_xml(one, random))
        case other:
            raise AssertionError(f"no rewrapping of {other}")


def rewrappings() -> Iterator[tuple[Called, Callback]]:
    random = Random(20261129)  # the same in every run
    # Where the bytes are signed there is little to change.
    turns = [one for one in GENUINE for _ in range(1 if signs_raw_bytes(one) else 4)]
    for index in range(REWRAPPINGS):
        one = turns[index % len(turns)]
        yield one, rewrapped(one, random)


@ODD_CERTIFICATES
def test_every_harmless_rewrapping_of_every_document_is_read_alike() -> None:
    said = {id(one): one.said(one.callback, credentials_of(one)) for one in GENUINE}
    seen, bytes_changed = Counter[str](), set[tuple[str, bytes, str]]()
    for one, came in rewrappings():
        assert one.said(came, credentials_of(one)) == said[id(one)], (one.connector.code, came)
        seen[one.connector.code] += 1
        bytes_changed.add((one.connector.code, came.body, came.query))
    assert len(bytes_changed) >= 5_000
    assert set(seen) == {one.connector.code for one in CALLED}
