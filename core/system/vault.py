"""Secrets at rest: sealed with AES-256-GCM, each for one row and one use of it."""

from __future__ import annotations

import secrets
from base64 import b64decode
from dataclasses import dataclass
from typing import Final

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from core.kernel.errors import Bug

_NONCE_BYTES: Final = 12
_KEY_BYTES: Final = 32
_VERSION: Final = b"\x01"


@dataclass(frozen=True, slots=True)
class Purpose:
    """Where a secret belongs. use: its table and column, 'app.secrets'. row: whose it is there,
    which is what that table's rows are told apart by."""

    use: str
    row: str

    def __str__(self) -> str:
        return f"{self.use} of {self.row}"


class Vault:
    """Seals and opens texts.

    A sealed text opens only for the purpose that it was sealed for: each use has a key of its own,
    made of the desk's master key, and the row is bound to what is sealed. What somebody copies
    into another row, column or table is useless there.
    """

    def __init__(self, master_key: str) -> None:
        """master_key: base64 of 32 bytes."""
        self._master_key = master_key
        self._ciphers: dict[str, AESGCM] = {}

    def seal(self, text: str, purpose: Purpose) -> bytes:
        nonce = secrets.token_bytes(_NONCE_BYTES)
        sealed = self._cipher(purpose.use).encrypt(nonce, text.encode(), purpose.row.encode())
        return _VERSION + nonce + sealed

    def open(self, sealed: bytes, purpose: Purpose) -> str:
        """Raises Bug where it was sealed for something else or with another master key, or was
        changed."""
        if sealed[:1] != _VERSION:
            raise Bug(f"the secret for {purpose} has an unknown form")
        nonce, rest = sealed[1 : 1 + _NONCE_BYTES], sealed[1 + _NONCE_BYTES :]
        try:
            return self._cipher(purpose.use).decrypt(nonce, rest, purpose.row.encode()).decode()
        except (InvalidTag, ValueError):  # the latter where it is too short to be anything
            raise Bug(
                f"the secret for {purpose} does not open: it was sealed for another row or use, "
                "or with another MASTER_KEY, or it was changed; set it anew there"
            ) from None

    def _cipher(self, use: str) -> AESGCM:
        """The cipher of a use; there are a handful of them."""
        cipher = self._ciphers.get(use)
        if cipher is None:
            cipher = self._ciphers[use] = AESGCM(derived_key(self._master_key, use))
        return cipher


def derived_key(master_key: str, use: str) -> bytes:
    """32 bytes for one use alone: who has them learns neither the master key nor another's.

    master_key: base64 of 32 bytes.
    """
    hkdf = HKDF(SHA256(), _KEY_BYTES, salt=None, info=f"paydesk {use}".encode())
    return hkdf.derive(b64decode(master_key, validate=True))
