"""Bodies: written as a supplier wants them, and read without interpretation: every number that
comes in stays the text it was."""

from __future__ import annotations

import json
import re
from codecs import BOM_UTF8
from collections.abc import Iterable, Iterator, Mapping, Sequence
from decimal import Decimal
from typing import Final, Literal, NoReturn
from urllib.parse import parse_qsl, quote_plus
from xml.parsers import expat
from xml.sax.saxutils import escape

from core.connectors import limits

BodyForm = Literal["form", "json", "xml", "query", "pairs"]
"""`query`: in the address; `pairs`: a form whose values are not percent-encoded."""
Path = tuple[str, ...]
"""Names from a body's root inwards: `data.pay_url` is ("data", "pay_url"); a list's items are
numbered from 0."""
Tree = dict[str, object]
"""A body: texts, numbers that we write, and lists and tables of them. What was null is absent."""

CONTENT_TYPES: Final[Mapping[BodyForm, str]] = {
    "form": "application/x-www-form-urlencoded",
    "json": "application/json",
    "xml": "application/xml",
}
_UNRESERVED: Final = re.compile(r"[A-Za-z0-9_.\-~]*", re.ASCII).fullmatch
_FORM_BYTES: Final = [quote_plus(bytes([byte])) for byte in range(256)]
_PAIRS: Final = re.compile(r"(?:\{[^{}]*\}|\[[^\[\]]*\]|[^&{}\[\]]|[{}\[\]])+")
_SURROGATE: Final = re.compile("[\ud800-\udfff]")
_NAME: Final = re.compile(r"[A-Za-z0-9_.\-\[\]:]+", re.ASCII)
_LINE_BYTES: Final = b" \t\r\n"


class Bare(str):
    """A number or truth value of JSON that came in, as it was written there."""

    __slots__ = ()


class UnreadableError(Exception):
    """The body is not what the document expects. The message says why, for staff."""


# ── out ──────────────────────────────────────────────────────────────────────────────────────────
def write_body(form: BodyForm, tree: Tree, *, root: str = "xml") -> bytes:
    """The bytes of a body. root: of XML. A form's nested fields are written a[b]."""
    if form == "json":
        return write_json(tree).encode()
    if form == "xml":
        return f"<{root}>{''.join(_elements(tree))}</{root}>".encode()
    return write_form(tree).encode()


def write_form(tree: Tree) -> str:
    return "&".join([f"{_form_text(name)}={_form_text(text)}" for name, text in flat(tree)])


def _form_text(text: str) -> str:
    # As quote_plus, which costs more than all the rest of a request.
    return text if _UNRESERVED(text) else "".join([_FORM_BYTES[byte] for byte in text.encode()])


def write_json(value: object) -> str:
    """Compact, in the order of the document, characters as they are."""
    if isinstance(value, dict):
        inner = ",".join(f"{_quoted(name)}:{write_json(item)}" for name, item in value.items())
        return f"{{{inner}}}"
    if isinstance(value, list):
        return f"[{','.join(map(write_json, value))}]"
    if isinstance(value, Decimal):
        return format(value, "f")
    return str(value) if isinstance(value, int | Bare) else _quoted(str(value))


def flat(tree: Tree, before: str = "") -> Iterator[tuple[str, str]]:
    """Every text with its whole name: `a[b]`, and `a[0]` of a list."""
    for name, value in tree.items():
        whole = f"{before}[{name}]" if before else name
        if isinstance(value, str):  # nearly always
            yield whole, value
        elif isinstance(value, dict):
            yield from flat(value, whole)
        elif isinstance(value, list):
            yield from flat({str(index): item for index, item in enumerate(value)}, whole)
        else:
            yield whole, str(value)


def _quoted(text: str) -> str:
    return json.dumps(text, ensure_ascii=False)


def _elements(tree: Tree) -> Iterator[str]:
    for name, value in tree.items():
        for item in value if isinstance(value, list) else [value]:
            inner = "".join(_elements(item)) if isinstance(item, dict) else escape(str(item))
            yield f"<{name}>{inner}</{name}>"


# ── in ───────────────────────────────────────────────────────────────────────────────────────────
def read_body(form: BodyForm, body: bytes) -> Tree:
    """Raises UnreadableError; also where a name comes twice in one place."""
    match form:
        case "json":
            return read_json(body)
        case "xml":
            return read_xml(body)
        case "pairs":
            return read_pairs(body)
        case _:
            return read_form(_decoded(body))


def read_form(text: str) -> Tree:
    """A form or query string; characters that should have been escaped stand for themselves.

    Raises UnreadableError; a name that comes twice is a fault.
    """
    try:
        pairs = parse_qsl(
            text, keep_blank_values=True, errors="strict", max_num_fields=limits.FIELDS
        )
    except UnicodeDecodeError:
        raise UnreadableError("the form is not UTF-8") from None
    except ValueError:
        raise UnreadableError("too many fields") from None
    fields: Tree = {**dict(pairs)}
    if len(fields) != len(pairs):
        raise UnreadableError("a field comes twice")
    _check(fields)
    return fields


def read_pairs(body: bytes) -> Tree:
    """`a=1&b={c=2&d=3}`: what stands between braces or brackets stays together. Raises
    UnreadableError."""
    fields: Tree = {}
    # What stands at the end belongs to the last value, a line's end as well.
    for piece in _PAIRS.findall(text_of(body).removeprefix("\ufeff")):
        name, equals, value = piece.partition("=")
        if not equals or name in fields:
            raise UnreadableError("a field comes twice" if name in fields else "no pair")
        fields[name] = value
    _check(fields)
    return fields


def read_json(body: bytes) -> Tree:
    """A JSON object. Raises UnreadableError; a name that comes twice is a fault."""
    try:
        root = json.loads(
            _decoded(body),
            object_pairs_hook=_table,
            parse_int=Bare,
            parse_float=Bare,
            parse_constant=_refuse,
        )
    except (ValueError, RecursionError):
        raise UnreadableError("the body is not JSON") from None
    if not isinstance(root, dict):
        raise UnreadableError("the body is not a JSON object")
    _check(root)
    return root


def read_xml(body: bytes) -> Tree:
    """What stands inside the root element; attributes are not looked at. An element that comes
    again is a list. No document type, no entity but XML's own. It is read as UTF-8 whatever it
    says it is: what somebody else names must not choose who decodes it. Raises UnreadableError."""
    reader = _Xml()
    parser = expat.ParserCreate("utf-8")
    parser.buffer_text = True
    parser.StartDoctypeDeclHandler = reader.refuse
    parser.StartElementHandler = reader.start
    parser.EndElementHandler = reader.end
    parser.CharacterDataHandler = reader.text
    try:
        parser.Parse(body.removeprefix(BOM_UTF8).lstrip(_LINE_BYTES), True)
    except (expat.ExpatError, ValueError):
        raise UnreadableError("the body is not XML in UTF-8") from None
    _check(reader.root)
    return reader.root


def _decoded(body: bytes) -> str:
    """A body's text, without the mark before it and the line ends around it, which say nothing."""
    return text_of(body).removeprefix("\ufeff").strip("\r\n")


def text_of(body: bytes) -> str:
    """A body as it is, for signatures. Raises UnreadableError."""
    try:
        return body.decode()
    except UnicodeDecodeError:
        raise UnreadableError("the body is not UTF-8") from None


def need_text(text: str, what: str) -> str:
    """The same. Raises UnreadableError where bytes came in that are no text."""
    if _SURROGATE.search(text):
        raise UnreadableError(f"{what} is not text")
    return text


def raw_member(text: str, name: str) -> str:
    """A member of a JSON object's root exactly as it is written there; empty where there is none.
    The text has been read as JSON before, and no name comes twice in it."""
    decoder = json.JSONDecoder(parse_int=Bare, parse_float=Bare)
    at = text.index("{") + 1
    while (quote := text.find('"', at)) >= 0:
        found, at = decoder.raw_decode(text, quote)
        start = text.index(":", at) + 1
        start += len(text[start:]) - len(text[start:].lstrip())
        _, at = decoder.raw_decode(text, start)
        if found == name:
            return text[start:at]
    return ""


class _Xml:
    def __init__(self) -> None:
        self.root: dict[str, object] = {}
        self._open: list[tuple[str, dict[str, object], list[str]]] = []
        self._count = 0

    def refuse(self, *_: object) -> None:
        raise UnreadableError("the body has a document type")

    def start(self, name: str, _: object) -> None:
        self._count += 1
        if len(self._open) > limits.BODY_DEPTH or self._count > limits.FIELDS:
            raise UnreadableError("too many elements")
        self._open.append((name, {}, []))

    def text(self, text: str) -> None:
        self._open[-1][2].append(text)

    def end(self, _: str) -> None:
        name, inside, texts = self._open.pop()
        if not self._open:
            self.root = inside
            return
        value: object = inside or "".join(texts)
        around = self._open[-1][1]
        if name not in around:
            around[name] = value
        else:
            there = around[name]
            around[name] = [*there, value] if isinstance(there, list) else [there, value]


def path_of(text: str) -> Path:
    """`links[rel=next].href` as a path: an item of a list by what it says, or by its number."""
    return tuple(text.replace("[", ".[").split("."))


def find(tree: object, path: Path) -> str:
    """The text at a path; empty where there is none."""
    here = within(tree, path)
    return here if isinstance(here, str) else ""


def within(tree: object, path: Sequence[str]) -> object:
    """What is at a path, whatever it is; None where there is nothing."""
    here: object = tree
    for name in path:
        if isinstance(here, dict):
            here = here.get(name)
        elif isinstance(here, list) and name.isdigit() and int(name) < len(here):
            here = here[int(name)]
        elif isinstance(here, list) and name.startswith("["):
            here = _item(here, *name[1:-1].split("="))
        else:
            return None
    return here


def need_plain_names(names: Iterable[str], join: str) -> None:
    """Raises UnreadableError where a name could be taken for more than a name when fields are
    joined to a text. Letters of any script, like 备注, are as good as ours."""
    marks = {*'="', *join}
    if any(not (_NAME.fullmatch(name) or marks.isdisjoint(name)) for name in names):
        raise UnreadableError("a field's name has characters that no name has")


def _item(items: Sequence[object], name: str, value: str) -> object:
    return next((i for i in items if isinstance(i, dict) and i.get(name) == value), None)


def _check(fields: Mapping[str, object], depth: int = 0) -> None:
    if len(fields) > limits.FIELDS or depth > limits.BODY_DEPTH:
        raise UnreadableError("too many fields")
    for name, value in fields.items():
        if not 0 < len(name) <= limits.NAME_CHARS or not name.isprintable():
            raise UnreadableError("a field's name has characters that no name has")
        _check_value(value, depth)


def _check_value(value: object, depth: int) -> None:
    if isinstance(value, str):
        if len(value) > limits.FIELD_CHARS:
            raise UnreadableError("a field is too long")
        need_text(value, "a field")
    elif isinstance(value, dict):
        _check(value, depth + 1)
    elif isinstance(value, list):
        if depth > limits.BODY_DEPTH:
            raise UnreadableError("too many fields")
        for item in value:
            _check_value(item, depth + 1)


def _table(pairs: list[tuple[str, object]]) -> dict[str, object]:
    table = {name: _scalar(value) for name, value in pairs if value is not None}
    if len({name for name, _ in pairs}) != len(pairs):
        raise UnreadableError("a field comes twice")
    return table


def _scalar(value: object) -> object:
    if isinstance(value, bool):
        return Bare("true" if value else "false")
    if isinstance(value, list):
        return [_scalar(item) for item in value if item is not None]
    return value


def _refuse(word: str) -> NoReturn:
    raise UnreadableError(f"{word} is not JSON")
