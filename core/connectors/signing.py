"""Signatures over sorted fields: most of the market signs like this (reference, "Survey").

Raw joining is ambiguous: the value `1&status=SUCCESS` in one field reads like two fields. A
message in which a value contains `&name=` of a field that decides anything is therefore not
believed, whatever its signature (`ambiguous`).
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Iterable, Mapping
from typing import Final

from core.connectors.document import SignRule

MASK: Final = "***"


def canonical(fields: Mapping[str, str], rule: SignRule) -> str:
    """Sorted `name=value` joined by `&`, without key: no empties, no signature, raw values."""
    return "&".join(
        f"{name}={value}"
        for name, value in sorted(fields.items())
        if value and name != rule.field and name not in rule.unsigned
    )


def masked(text: str, rule: SignRule) -> str:
    """The signed string with the key hidden: what may be shown and logged."""
    return f"{text}{rule.join}{MASK}"


def signature(text: str, rule: SignRule, key: str) -> str:
    """The signature of a canonical string."""
    data = f"{text}{rule.join}{key}".encode()
    if rule.digest == "md5":
        digest = hashlib.md5(data, usedforsecurity=False).hexdigest()
    else:
        digest = hashlib.sha256(data).hexdigest()
    return digest.upper() if rule.case == "upper" else digest


def is_signed(fields: Mapping[str, str], rule: SignRule, key: str) -> bool:
    """Whether the fields carry their right signature; compared in constant time."""
    expected = signature(canonical(fields, rule), rule, key)
    return hmac.compare_digest(expected.encode(), fields.get(rule.field, "").encode())


def ambiguous(fields: Mapping[str, str], deciding: Iterable[str]) -> str | None:
    """The first deciding name that hides in another field's value, or None."""
    suspects = [value for value in fields.values() if "&" in value]
    if not suspects:
        return None
    for name in deciding:
        if any(f"&{name}=" in value for value in suspects):
            return name
    return None
