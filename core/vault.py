"""Secrets at rest: sealed with AES-256-GCM, bound to what they are for."""

from __future__ import annotations

import secrets
from base64 import b64decode
from typing import Final

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from core.errors import Bug

_NONCE_BYTES: Final = 12
_VERSION: Final = b"\x01"


class Vault:
    """Seals and opens texts with the desk's master key.

    purpose: a name such as 'app.secrets'. A sealed text opens only under the purpose it was
    sealed for, so that a row copied into another column is useless.
    """

    def __init__(self, master_key: str) -> None:
        """master_key: base64 of 32 bytes."""
        self._cipher = AESGCM(b64decode(master_key, validate=True))

    def seal(self, text: str, purpose: str) -> bytes:
        nonce = secrets.token_bytes(_NONCE_BYTES)
        return _VERSION + nonce + self._cipher.encrypt(nonce, text.encode(), purpose.encode())

    def open(self, sealed: bytes, purpose: str) -> str:
        """Raises Bug when the key is another one or the bytes were changed."""
        if sealed[:1] != _VERSION:
            raise Bug("a sealed secret has an unknown form")
        nonce, rest = sealed[1 : 1 + _NONCE_BYTES], sealed[1 + _NONCE_BYTES :]
        try:
            return self._cipher.decrypt(nonce, rest, purpose.encode()).decode()
        except InvalidTag:
            raise Bug(
                f"the secret for {purpose} does not open: MASTER_KEY is not the one it was "
                "sealed with"
            ) from None
