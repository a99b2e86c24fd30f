"""The supplier's signature: MD5, upper-case hex, over the sorted parameters and the key."""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Mapping


def signed_text(params: Mapping[str, str], key: str) -> str:
    """The exact text that is hashed: `a=1&b=2&key=KEY`.

    Parameters with an empty value and `sign` itself are left out; names are sorted by their
    bytes; values are taken raw, as they were before any URL encoding.
    """
    pairs = [f"{name}={params[name]}" for name in sorted(params) if name != "sign" and params[name]]
    return "&".join([*pairs, f"key={key}"])


def sign(params: Mapping[str, str], key: str) -> str:
    """The value of `sign` for these parameters: 32 upper-case hexadecimal characters."""
    text = signed_text(params, key).encode()
    return hashlib.md5(text, usedforsecurity=False).hexdigest().upper()


def signed(params: Mapping[str, str], key: str) -> dict[str, str]:
    """The parameters with their `sign` added (an old one is replaced)."""
    return {**params, "sign": sign(params, key)}


def verified(params: Mapping[str, str], key: str) -> bool:
    """Whether `sign` fits the other parameters; compared in constant time."""
    return hmac.compare_digest(params.get("sign", "").encode(), sign(params, key).encode())
