"""What is kept of a call is kept without its secrets, in whatever form they went over the wire.

Pure. A secret is looked for as it is, percent-encoded, inside a JSON string or an XML text, in hex,
and in base64 at every offset, so that `Basic base64(id:secret)` hides it as well.
"""

from __future__ import annotations

import json
import re
from base64 import b64encode
from collections.abc import Iterable, Iterator, Mapping
from functools import lru_cache
from html import escape
from typing import Final
from urllib.parse import quote, quote_plus

from core.kernel.card_numbers import is_card_number

MASK: Final = "•••"
KEPT_CHARS: Final = 8192
# Shorter ones are words of every message ("1", "cn"): they are hidden where they stand alone.
_SHORT_CHARS: Final = 4
_BASE64_CHARS: Final = 6
# A key in PEM: nobody sends one, so its lines are looked for, and not all their encodings.
_LONG_CHARS: Final = 512
_LINE_CHARS: Final = 16
_SECRETS_REMEMBERED: Final = 256
_URL_SAFE: Final = str.maketrans("+/", "-_")

_PROOFS: Final = frozenset({"authorization", "proxy-authorization"})
_HIDDEN: Final = frozenset({"cookie", "set-cookie", "x-api-key"})
_SCHEME: Final = re.compile(r"[A-Za-z][A-Za-z0-9-]{0,40} ")
# "access_token": "…" of a JSON answer, access_token=… of a form
_TOKEN: Final = re.compile(
    r"""(?:access|refresh|id)[_-]?token["']?\s*[:=]\s*["']?([^"'&\s,}]+)""", re.IGNORECASE
)
# A run of digits, or groups as they are printed on cards
_CARD: Final = re.compile(
    r"(?<![0-9])(?:[0-9]{13,19}|[0-9]{4}(?:[ -][0-9]{4}){3}|[0-9]{4}[ -][0-9]{6}[ -][0-9]{5})"
    r"(?![0-9])"
)
_CARD_HEAD, _CARD_TAIL = 6, 4

Span = tuple[int, int]


class Mask:
    """Hides a supplier's secrets, tokens, and what looks like the number of a card."""

    def __init__(self, secrets: Iterable[str]) -> None:
        whole = {text for secret in secrets for text in (secret, secret.strip()) if text}
        forms = {form for secret in whole for form in _forms(secret)}
        self._needles = sorted(form for form in forms if len(form) >= _SHORT_CHARS)
        words = [re.escape(form) for form in forms if len(form) < _SHORT_CHARS]
        self._words = re.compile(rf"(?<!\w)(?:{'|'.join(words)})(?!\w)") if words else None
        self._ahead = max(map(len, self._needles), default=_SHORT_CHARS)

    def text(self, text: str) -> str:
        """The text as it may be kept: masked, at most KEPT_CHARS of it and a note of its length."""
        if not text:
            return ""
        # More than is kept is looked at, or of a secret on the edge a part would stay.
        seen = text[: KEPT_CHARS + self._ahead]
        kept = _without(seen[:KEPT_CHARS], sorted(self._spans(seen)))
        if len(text) > KEPT_CHARS:
            kept += f"\n… ({len(text)} characters)"
        return kept.replace("\x00", "\ufffd").encode("utf-8", "replace").decode()

    def body(self, body: bytes) -> str:
        """A body, as far as it is text."""
        return self.text(body.decode("utf-8", "replace"))

    def headers(self, headers: Mapping[str, str]) -> str:
        """Headers, one on each line; of those that prove who somebody is, the scheme at most."""
        return self.text("\n".join(_header(name, value) for name, value in headers.items()))

    def _spans(self, text: str) -> Iterator[Span]:
        for needle in self._needles:
            at = text.find(needle)
            while at >= 0:
                yield at, at + len(needle)
                at = text.find(needle, at + 1)
        if self._words is not None:
            yield from (found.span() for found in self._words.finditer(text))
        if "token" in text.lower():  # the pattern takes its time
            yield from (found.span(1) for found in _TOKEN.finditer(text))
        for found in _CARD.finditer(text):
            if is_card_number(re.sub("[ -]", "", found[0])):
                yield found.start() + _CARD_HEAD, found.end() - _CARD_TAIL


def _without(text: str, spans: Iterable[Span]) -> str:
    """The text with a mask in place of the spans, which come in order and may overlap."""
    pieces: list[str] = []
    end = 0
    for first, last in spans:
        if first >= len(text):
            break
        if first > end or not pieces:
            pieces += [text[end:first], MASK]
        end = max(end, last)
    return "".join([*pieces, text[end:]])


def _header(name: str, value: str) -> str:
    if name.lower() in _PROOFS:
        scheme = _SCHEME.match(value)
        return f"{name}: {scheme[0] if scheme else ''}{MASK}"
    return f"{name}: {MASK if name.lower() in _HIDDEN else value}"


@lru_cache(maxsize=_SECRETS_REMEMBERED)
def _forms(secret: str) -> frozenset[str]:
    """Every form in which a secret may stand in a message."""
    lines = {line for line in secret.splitlines() if len(line) >= _LINE_CHARS}
    if len(secret) > _LONG_CHARS:
        return frozenset({secret, json.dumps(secret)[1:-1], *lines})
    raw = secret.encode("utf-8", "replace")
    forms = {
        *lines,
        secret,
        raw.hex(),
        raw.hex().upper(),
        escape(secret),
        escape(secret, quote=False),
    }
    for encoded in (quote(raw), quote(raw, safe=""), quote_plus(raw)):
        forms |= {encoded, re.sub("%..", lambda found: found[0].lower(), encoded)}
    for text in (json.dumps(secret)[1:-1], json.dumps(secret, ensure_ascii=False)[1:-1]):
        forms |= {text, text.replace("/", "\\/")}
    for text in _in_base64(raw):
        forms |= {text, text.translate(_URL_SAFE), quote(text, safe="")}
    return frozenset(forms)


def _in_base64(raw: bytes) -> Iterator[str]:
    """The bytes in base64, and what base64 of anything around them must hold at each offset."""
    yield b64encode(raw).decode().rstrip("=")
    for before in (0, 1, 2):
        # Characters on the edges are made of the neighbours' bits as well.
        first, last = -(-8 * before // 6), 8 * (before + len(raw)) // 6
        inner = b64encode(bytes(before) + raw + bytes(2)).decode()[first:last]
        if len(inner) >= _BASE64_CHARS:
            yield inner
