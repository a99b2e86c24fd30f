"""How the supplier is spoken to: each account has one dialect, all of them mean the same.

A dialect reads requests, writes answers and callbacks, and signs. What is asked and answered is
`sandbox.supplier.answers.Facts` for all of them.
"""

from __future__ import annotations

from collections.abc import Mapping

from sandbox.supplier.config import Config, DialectName
from sandbox.supplier.dialects.hmac_json import HmacJson
from sandbox.supplier.dialects.md5_form import Md5Form
from sandbox.supplier.dialects.rsa import Rsa
from sandbox.supplier.dialects.seam import PAGE, Asked, Dialect, Heading, Route, Sent, Wire
from sandbox.supplier.keys import KeyPair


def dialects_of(config: Config, keys: KeyPair | None) -> Mapping[DialectName, Dialect]:
    """The dialects by name; RSA only where the supplier has keys for it."""
    spoken: dict[DialectName, Dialect] = {
        DialectName.MD5_FORM: Md5Form(),
        DialectName.HMAC_JSON: HmacJson(config.currency),
    }
    return {**spoken, DialectName.RSA: Rsa(keys)} if keys else spoken


__all__ = ["PAGE", "Asked", "Dialect", "Heading", "Route", "Sent", "Wire", "dialects_of"]
