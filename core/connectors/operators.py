"""Everything a document can do to a value: one table of operators, each pure and bounded.

An operator takes a value of one kind and gives one of another. Kinds are checked while a document
is loaded, so a request never fails on them. Digests and ciphers work on bytes; a text that reaches
them is its UTF-8.
"""

from __future__ import annotations

import hashlib
import hmac as _hmac
import json
import zlib
from base64 import b64encode, urlsafe_b64encode
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any, Final, Literal
from urllib.parse import quote, unquote
from xml.sax.saxutils import escape
from zoneinfo import ZoneInfo

from core.connectors import ciphers
from core.connectors.ciphers import CipherError
from core.kernel.money import Money

Kind = Literal["text", "bytes", "money", "instant", "number"]
Value = str | bytes | Money | datetime | int | Decimal
ArgumentKind = Literal["count", "word", "text", "zone", "table", "value"]
"""count: a whole number from 0; word: one of some; zone: IANA; table: of the document's `tables`;
value: a fact, a credential or a field by `$name`."""

TIME_FORMS: Final = {
    "yyyyMMddHHmmss": "%Y%m%d%H%M%S",
    "yyyy-MM-dd HH:mm:ss": "%Y-%m-%d %H:%M:%S",
    "yyyyMMdd": "%Y%m%d",
}
TIME_WORDS: Final = ("unix_s", "unix_ms", *TIME_FORMS, "rfc3339")
MAX_COUNT: Final = 1024
_NUMBER_DIGITS: Final = 40
_KEY_FORMS: Final = ("text", "hex", "base64")


class ValueFault(Exception):
    """A value cannot be worked on: what came in is not what the document expects, or a key is not
    one. The message holds no value."""


@dataclass(frozen=True, slots=True)
class Argument:
    """What may stand behind an operator's name. words: the legal ones, of kind `word`."""

    kind: ArgumentKind
    name: str
    words: tuple[str, ...] = ()
    optional: bool = False


@dataclass(frozen=True, slots=True)
class Operator:
    """takes: the kinds it works on; gives: the kind that comes out. run(value, arguments).

    undo: the way back, for what is compared with a signature that came in. proves: whether the
    bytes that came in are the signature (run makes it), where nothing can be computed again. loses:
    what comes out may come of something else as well.
    """

    name: str
    takes: tuple[Kind, ...]
    gives: Kind
    run: Callable[..., Any]
    arguments: tuple[Argument, ...] = ()
    undo: Callable[[str], bytes] | None = None
    proves: Callable[..., bool] | None = None
    about: str = ""
    loses: bool = False


def to_bytes(value: Value) -> bytes:
    """UTF-8 of a text; bytes as they are."""
    return value if isinstance(value, bytes) else str(value).encode()


def plain(value: Value) -> str:
    """A value as it stands in a text."""
    if isinstance(value, str):
        return value
    if isinstance(value, Money):
        return value.plain()
    if isinstance(value, datetime):
        return str(int(value.timestamp()))
    if isinstance(value, bytes):
        raise ValueFault("bytes are no text")
    return str(value)


def time_text(instant: datetime, form: str, zone: str = "Asia/Shanghai") -> str:
    """An instant as a supplier writes it; zone: of the forms that show a clock."""
    if form == "unix_s":
        return str(int(instant.timestamp()))
    if form == "unix_ms":
        return str(int(instant.timestamp() * 1000))
    local = instant.astimezone(ZoneInfo(zone))
    if form == "rfc3339":
        return local.isoformat(timespec="seconds")
    return local.strftime(TIME_FORMS[form])


def _cut(text: str, most: str) -> str:
    """At most so many bytes of UTF-8, and no half of a character."""
    return text.encode()[: int(most)].decode(errors="ignore")


def _part(text: str, start: str, length: str) -> str:
    return text[int(start) : int(start) + int(length)]


def _decimal(money: Money, places: str | None = None) -> str:
    text = money.plain()
    if places is None:
        return text
    if places == "short":
        return text.rstrip("0").rstrip(".") if "." in text else text
    exact = Decimal(text)
    rounded = exact.quantize(Decimal(1).scaleb(-int(places)))
    if rounded != exact:
        raise ValueFault(f"the amount has more than {places} decimals")
    return format(rounded, "f")


def _number(text: str) -> int | Decimal:
    try:
        number = Decimal(text)
    except ArithmeticError:
        raise ValueFault("a text is no number") from None
    if not number.is_finite() or max(len(text), abs(number.adjusted())) > _NUMBER_DIGITS:
        raise ValueFault("a text is no number")  # written out, 1e999999999 would fill the memory
    return int(number) if number == number.to_integral_value() and "." not in text else number


def _digits(text: str, length: str) -> str:
    """So many digits that only this text gives: for numbers that must not repeat."""
    return str(int(hashlib.sha512(text.encode()).hexdigest(), 16))[-int(length) :]


def _piece(text: str, name: str) -> str:
    """What stands behind `name=` in a text like `t=1,v1=ab,v1=cd`: all of it, spaces between."""
    parts = (part.strip().partition("=") for part in text.split(","))
    return " ".join(value for before, equals, value in parts if equals and before == name)


def _lookup(text: str, table: Mapping[str, str]) -> str:
    if (found := table.get(text, table.get("*"))) is None:
        raise ValueFault("a word is not in its table")
    return found


def _digest(name: str) -> Callable[[Value], bytes]:
    if name == "sm3":
        return lambda value: ciphers.sm3(to_bytes(value))
    return lambda value: hashlib.new(name, to_bytes(value), usedforsecurity=False).digest()


def _key(text: str, form: str) -> bytes:
    if form == "hex":
        return unhex(text)
    return unbase64(text) if form == "base64" else text.encode()


def _keyed(name: str) -> Callable[..., bytes]:
    def run(value: Value, key: str, form: str = "text") -> bytes:
        if name == "sm3":
            return ciphers.hmac_sm3(_key(key, form), to_bytes(value))
        return _hmac.digest(_key(key, form), to_bytes(value), name)

    return run


def unhex(text: str) -> bytes:
    """Raises ValueFault."""
    try:
        return bytes.fromhex(text)
    except ValueError:
        raise ValueFault("a text is not hex") from None


def unbase64(text: str) -> bytes:
    """Both alphabets, with or without padding. Raises ValueFault."""
    content: bytes = _guard(ciphers.unbase64, text)
    return content


def _guard(work: Callable[..., Any], *arguments: object) -> Any:
    try:
        return work(*arguments)
    except CipherError as fault:
        raise ValueFault(str(fault)) from None


def _guarded(work: Callable[..., Any]) -> Callable[..., Any]:
    return lambda value, *arguments: _guard(work, to_bytes(value), *arguments)


def _utf8(value: bytes) -> str:
    try:
        return value.decode()
    except UnicodeDecodeError:
        raise ValueFault("bytes are no text") from None


_TEXT: Final[tuple[Kind, ...]] = ("text", "number")
_ANY: Final[tuple[Kind, ...]] = ("text", "number", "bytes")
_SECRET: Final = Argument("value", "key")
_FORM: Final = Argument("word", "form of the key", _KEY_FORMS, optional=True)
_COUNT: Final = Argument("count", "length")


def _asymmetric(
    name: str, sign: Callable[..., bytes], proves: Callable[..., bool], about: str
) -> Operator:
    return Operator(
        name, _ANY, "bytes", _guarded(sign), (_SECRET,), proves=_guarded(proves), about=about
    )


def _table(operators: Sequence[Operator]) -> Mapping[str, Operator]:
    return {operator.name: operator for operator in operators}


OPERATORS: Final = _table([
    # texts
    Operator("upper", _TEXT, "text", str.upper, undo=str.encode, about="capital letters",
             loses=True),
    Operator("lower", _TEXT, "text", str.lower, undo=str.encode, about="small letters",
             loses=True),
    Operator("cut", _TEXT, "text", _cut, (_COUNT,),
             about="at most so many bytes, and whole characters", loses=True),
    Operator("part", _TEXT, "text", _part, (Argument("count", "start"), _COUNT),
             about="characters from a place (0 is the first) on", loses=True),
    Operator("piece", _TEXT, "text", _piece, (Argument("text", "name"),),
             about="the value behind `name=`, of several with commas between", loses=True),
    Operator("or", _TEXT, "text", lambda text, other: text or other, (Argument("text", "text"),),
             about="another text where there is none", loses=True),
    Operator("lookup", _TEXT, "text", _lookup, (Argument("table", "table"),),
             about="what a table of the document says; its `*` is for everything else",
             loses=True),
    Operator("digits", _TEXT, "text", _digits, (_COUNT,), about="so many digits, made of the text",
             loses=True),
    Operator("url", _TEXT, "text", lambda text: quote(text, safe=""), about="percent-encoded"),
    Operator("json", _TEXT, "text", lambda text: json.dumps(text, ensure_ascii=False),
             about="a text in JSON, its quotes included"),
    Operator("xml", _TEXT, "text", lambda text: escape(text, {'"': "&quot;", "'": "&apos;"}),
             about="a text in XML"),
    Operator("unurl", _TEXT, "text", unquote, about="percent-decoded", loses=True),
    Operator("number", _TEXT, "number", _number, about="a number in JSON instead of a text",
             loses=True),
    # amounts and times
    Operator("minor", ("money",), "text", lambda money: str(money.minor), about="whole cents"),
    Operator("decimal", ("money",), "text", _decimal,
             (Argument("word", "decimals", ("short", "0", "1", "2", "3", "4", "6", "8"),
                       optional=True),),
             about="with a point; `short` leaves zeros at the end out"),
    Operator("time", ("instant",), "text", time_text,
             (Argument("word", "form", TIME_WORDS), Argument("zone", "zone", optional=True)),
             about="as a supplier writes it"),
    # digests, signatures, ciphers
    *(Operator(name, _ANY, "bytes", _digest(name), about="a digest")
      for name in ("md5", "sha1", "sha256", "sha512", "sm3")),
    *(Operator(f"hmac-{name}", _ANY, "bytes", _keyed(name), (_SECRET, _FORM),
               about="a digest with a key")
      for name in ("md5", "sha1", "sha256", "sha512", "sm3")),
    *(_asymmetric(f"rsa-{name}", ciphers.sign_rsa(digest), ciphers.proves_rsa(digest),
                  "signed with an RSA key (PKCS#1 v1.5)")
      for name, digest in ciphers.RSA_DIGESTS.items()),
    _asymmetric("ed25519", ciphers.sign_ed25519, ciphers.proves_ed25519,
                "signed with an Ed25519 key"),
    Operator("crc32", _ANY, "text", lambda value: str(zlib.crc32(to_bytes(value))),
             about="a checksum, in decimal", loses=True),
    Operator("aes-gcm-open", _ANY, "bytes", _guarded(ciphers.open_gcm),
             (_SECRET, Argument("value", "nonce"), Argument("value", "associated data",
                                                            optional=True)),
             about="what AES-GCM sealed"),
    Operator("aes-cbc-open", _ANY, "bytes", _guarded(ciphers.open_cbc),
             (_SECRET, Argument("value", "iv")), about="what AES-CBC sealed (PKCS#7)"),
    Operator("aes-ecb-open", _ANY, "bytes", _guarded(ciphers.open_ecb), (_SECRET,),
             about="what AES-ECB sealed (PKCS#7)"),
    Operator("aes-cbc", _ANY, "bytes", _guarded(ciphers.seal_cbc),
             (_SECRET, Argument("value", "iv")), about="sealed with AES-CBC (PKCS#7)"),
    Operator("aes-ecb", _ANY, "bytes", _guarded(ciphers.seal_ecb), (_SECRET,),
             about="sealed with AES-ECB (PKCS#7)"),
    # bytes as text and back
    Operator("hex", ("bytes",), "text", bytes.hex, undo=unhex, about="small letters and digits"),
    Operator("base64", _ANY, "text", lambda value: b64encode(to_bytes(value)).decode(),
             undo=unbase64, about="base64 with padding"),
    Operator("base64url", _ANY, "text",
             lambda value: urlsafe_b64encode(to_bytes(value)).rstrip(b"=").decode(),
             undo=unbase64, about="base64 for addresses, without padding"),
    Operator("unhex", _TEXT, "bytes", unhex, about="bytes of a hex text", loses=True),
    Operator("unbase64", _TEXT, "bytes", unbase64, about="bytes of a base64 text", loses=True),
    Operator("utf8", ("bytes",), "text", _utf8, about="bytes as a text"),
])  # fmt: skip
