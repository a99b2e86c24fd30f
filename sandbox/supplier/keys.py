"""RSA keys: the supplier's own pair, kept in its home, and what accounts sign with."""

from __future__ import annotations

import base64
import binascii
import os
from pathlib import Path

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.asymmetric.rsa import (
    RSAPrivateKey,
    RSAPublicKey,
    generate_private_key,
)

from sandbox.process import ConfigError

KEY_BITS = 2048


class KeyPair:
    """The supplier's own key: signs, and tells its public half."""

    def __init__(self, home: Path) -> None:
        """Reads `home/supplier_key.pem`; makes it where there is none yet. `ConfigError` when
        that file holds something else."""
        path = home / "supplier_key.pem"
        if not path.exists():
            _write_new(path)
        try:
            key = serialization.load_pem_private_key(path.read_bytes(), None)
        except (ValueError, TypeError) as error:
            raise ConfigError(f"{path} holds no private key") from error
        if not isinstance(key, RSAPrivateKey):
            raise ConfigError(f"{path} holds no RSA key")
        self._key = key

    @property
    def public_pem(self) -> str:
        form = serialization.PublicFormat.SubjectPublicKeyInfo
        return self._key.public_key().public_bytes(serialization.Encoding.PEM, form).decode()

    def sign(self, text: str) -> str:
        """RSA-SHA256 (PKCS#1 v1.5) of the UTF-8 text, in base64."""
        return base64.b64encode(self._key.sign(text.encode(), PKCS1v15(), hashes.SHA256())).decode()


def read_public_key(pem: str) -> RSAPublicKey:
    """`ValueError` when it is no RSA public key in PEM."""
    key = serialization.load_pem_public_key(pem.encode())
    if not isinstance(key, RSAPublicKey):
        raise ValueError("not an RSA key")
    return key


def verified(text: str, signature: str, key: RSAPublicKey) -> bool:
    """Whether the base64 signature is this key's RSA-SHA256 of the UTF-8 text."""
    try:
        raw = base64.b64decode(signature, validate=True)
        key.verify(raw, text.encode(), PKCS1v15(), hashes.SHA256())
    except (binascii.Error, ValueError, InvalidSignature):
        return False
    return True


def _write_new(path: Path) -> None:
    pem = generate_private_key(65537, KEY_BITS).private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    # Whole or not at all: a supplier killed here must not find half a key next time.
    fresh = path.with_suffix(".new")
    with os.fdopen(os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as file:
        file.write(pem)
    fresh.rename(path)
