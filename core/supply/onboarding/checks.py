"""What people write about suppliers and documents, checked: all of it before anything is kept."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Mapping
from dataclasses import replace
from difflib import unified_diff
from typing import Final
from urllib.parse import urlsplit

from core.connectors import Connector, fits_host
from core.kernel.errors import Refusal
from core.kernel.money import need_currency
from core.parties.lines import acts, line
from core.parties.suppliers import NewSupplier
from core.system.gateway import NeverSent, check_url

NAME_CHARS: Final = 64
LEGAL_NAME_CHARS: Final = 200
LICENCE_CHARS: Final = 100
WORDS_CHARS: Final = 500
CREDENTIAL_CHARS: Final = 8 * 1024  # a certificate chain fits
DIFF_LINES: Final = 400
DIFF_LINE_CHARS: Final = 500
SETTLES_TO: Final = ("merchant", "licensed_institution")
_LINES: Final = {
    "name": NAME_CHARS, "legal_name": LEGAL_NAME_CHARS, "licence_no": LICENCE_CHARS,
}  # fmt: skip
_SUPPLIER_NO: Final = re.compile(r"S[0-9]{2,9}", re.ASCII)
_KEY_CONTROLS: Final = frozenset({"\n", "\r", "\t"})  # keys are written on several lines


def supplier_line(param: str, text: str) -> str:
    """What somebody wrote as a supplier's name, legal_name or licence_no. Refusals:
    field_invalid."""
    return line(param, text, _LINES[param])


def reason(what: str, text: str) -> str:
    """Why somebody does something. what: the deed, as `reason_missing` names it. Refusals:
    reason_missing, field_invalid."""
    if not text.strip():
        raise Refusal("reason_missing", reason_for=what)
    return line("reason", text, WORDS_CHARS)


def supplier_no(text: str) -> str:
    """Refusals: field_invalid."""
    number = text.strip().upper()
    if not _SUPPLIER_NO.fullmatch(number):
        raise Refusal("field_invalid", param="supplier_no", expected="S and 2 to 9 digits")
    return number


def new_supplier(new: NewSupplier) -> NewSupplier:
    """As it is opened. Refusals: field_invalid, currency_unknown."""
    need_currency(new.currency)
    return replace(
        new,
        supplier_no=supplier_no(new.supplier_no),
        name=line("name", new.name, NAME_CHARS),
        legal_name=line("legal_name", new.legal_name, LEGAL_NAME_CHARS, least=0),
        licence_no=line("licence_no", new.licence_no, LICENCE_CHARS, least=0),
        settles_to=None if new.settles_to is None else settles_to(new.settles_to),
    )


def settles_to(text: str) -> str:
    """Refusals: field_invalid."""
    if text not in SETTLES_TO:
        raise Refusal("field_invalid", param="settles_to", expected=" | ".join(SETTLES_TO))
    return text


def credentials(
    given: Mapping[str, str],
    connector: Connector,
    *,
    document: str,
    in_use: Connector,
    allow_private: bool,
) -> dict[str, str]:
    """Credentials as they are kept. connector, document: what names them. in_use: what the supplier
    is spoken to by, whose servers count as well.

    Refusals: credential_unknown, field_invalid. What was given is in none of them.
    """
    names = connector.credential_names
    unknown = sorted(set(given) - set(names))
    if unknown:
        raise Refusal(
            "credential_unknown", document=document, name=unknown[0][:40], names=", ".join(names)
        )
    kept = {name: _credential(name, text) for name, text in given.items()}
    if "base_url" in kept:
        kept["base_url"] = _base_url(
            kept["base_url"], (in_use.servers, connector.servers), allow_private=allow_private
        )
    return kept


def _credential(name: str, text: str) -> str:
    text = text.strip()
    strange = any(acts(c) and unicodedata.category(c) != "Cf" for c in set(text) - _KEY_CONTROLS)
    if not 1 <= len(text) <= CREDENTIAL_CHARS or strange:
        raise Refusal(
            "field_invalid",
            param=f"credentials.{name}",
            expected=f"1 to {CREDENTIAL_CHARS} characters of text",
        )
    return text


def _base_url(text: str, lists: Iterable[tuple[str, ...]], *, allow_private: bool) -> str:
    """The address of a supplier's interface, without a slash at its end.

    https, but where private targets are allowed; at one of each document's servers where it names
    some, so that no single person can send orders elsewhere. lists: each document's.
    """

    def wrong(expected: str) -> Refusal:
        return Refusal("field_invalid", param="credentials.base_url", expected=expected)

    try:
        scheme, host, _ = check_url(text, allow_private=allow_private)
    except NeverSent as error:
        raise wrong(f"an address like https://pay.example ({error.why})") from None
    if scheme != "https" and not allow_private:
        raise wrong("an address that begins with https://")
    parts = urlsplit(text)
    if parts.query or parts.fragment or text.endswith(("?", "#")):
        raise wrong("an address without ? and #")
    for servers in lists:
        if servers and not fits_host(host, servers):
            raise wrong(f"an address at one of the document's servers: {', '.join(servers)}")
    return text.rstrip("/")


def diff(before: str, after: str, *, names: tuple[str, str]) -> str:
    """What changed between two texts, in the unified form; at most DIFF_LINES lines of it."""
    lines = list(unified_diff(before.splitlines(), after.splitlines(), *names, lineterm=""))
    shown = [text[:DIFF_LINE_CHARS] for text in lines[:DIFF_LINES]]
    if len(lines) > DIFF_LINES:
        shown.append(f"… {len(lines) - DIFF_LINES} more lines")
    return "\n".join(shown)
