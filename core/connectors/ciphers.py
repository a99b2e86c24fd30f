"""Keys, signatures and ciphers, by the library `cryptography`. Errors never hold key or content."""

from __future__ import annotations

import base64
import binascii
import re
import warnings
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from functools import lru_cache, partial
from typing import Final

from cryptography import x509
from cryptography.exceptions import InvalidSignature, InvalidTag, UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes, hmac, padding, serialization
from cryptography.hazmat.primitives.asymmetric import ed25519, rsa
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.x509.oid import NameOID

_BLOCK_BITS: Final = 128
_KEYS_KEPT: Final = 256
_UNREADABLE: Final = (ValueError, TypeError, UnsupportedAlgorithm, x509.InvalidVersion, Warning)
_KEYS_AT_ONCE: Final = 8
_PEM: Final = re.compile(r"-----BEGIN [A-Z ]+-----.*?-----END [A-Z ]+-----", re.DOTALL)
# What suppliers demand; SHA-1 is here because some still do.
RSA_DIGESTS: Final[Mapping[str, hashes.HashAlgorithm]] = {
    "sha1": hashes.SHA1(),  # noqa: S303
    "sha256": hashes.SHA256(),
}


class CipherError(Exception):
    """A key is not one, or content was not sealed with it. Says which, and nothing of either."""


def unbase64(text: str) -> bytes:
    """Both alphabets, with or without padding. Raises CipherError."""
    normal = text.translate(_ALPHABET).rstrip("=")
    try:
        return base64.b64decode(normal + "=" * (-len(normal) % 4), validate=True)
    except (binascii.Error, ValueError):
        raise CipherError("a text is not base64") from None


_ALPHABET: Final = str.maketrans("-_", "+/")


def sm3(data: bytes) -> bytes:
    digest = hashes.Hash(hashes.SM3())
    digest.update(data)
    return digest.finalize()


def hmac_sm3(key: bytes, data: bytes) -> bytes:
    keyed = hmac.HMAC(key, hashes.SM3())
    keyed.update(data)
    return keyed.finalize()


def sign_rsa(digest: hashes.HashAlgorithm) -> Callable[[bytes, str], bytes]:
    """sign(data, private key), PKCS#1 v1.5."""

    def sign(data: bytes, key: str) -> bytes:
        private = _load_private(key)
        if not isinstance(private, rsa.RSAPrivateKey):
            raise CipherError("the private key is not an RSA key")
        return private.sign(data, PKCS1v15(), digest)

    return sign


def proves_rsa(digest: hashes.HashAlgorithm) -> Callable[[bytes, str, bytes], bool]:
    """proves(data, public key, signature), PKCS#1 v1.5."""

    def proves(data: bytes, key: str, signature: bytes) -> bool:
        for public in _load_public(key):
            if not isinstance(public, rsa.RSAPublicKey):
                raise CipherError("the public key is not an RSA key")
            if _holds(partial(public.verify, signature, data, PKCS1v15(), digest)):
                return True
        return False

    return proves


def sign_ed25519(data: bytes, key: str) -> bytes:
    private = _load_private(key)
    if not isinstance(private, ed25519.Ed25519PrivateKey):
        raise CipherError("the private key is not an Ed25519 key")
    return private.sign(data)


def proves_ed25519(data: bytes, key: str, signature: bytes) -> bool:
    for public in _load_public(key):
        if not isinstance(public, ed25519.Ed25519PublicKey):
            raise CipherError("the public key is not an Ed25519 key")
        if _holds(partial(public.verify, signature, data)):
            return True
    return False


def open_gcm(data: bytes, key: str, nonce: str, associated: str = "") -> bytes:
    """data: ciphertext and tag."""
    try:
        return AESGCM(key.encode()).decrypt(nonce.encode(), data, associated.encode() or None)
    except (InvalidTag, ValueError):
        raise CipherError("the content was not sealed with this key") from None


def open_cbc(data: bytes, key: str, iv: str) -> bytes:
    return _open(data, key, modes.CBC(_iv(iv)))


def open_ecb(data: bytes, key: str) -> bytes:
    return _open(data, key, modes.ECB())  # noqa: S305 (what suppliers demand)


def seal_cbc(data: bytes, key: str, iv: str) -> bytes:
    return _seal(data, key, modes.CBC(_iv(iv)))


def seal_ecb(data: bytes, key: str) -> bytes:
    return _seal(data, key, modes.ECB())  # noqa: S305 (what suppliers demand)


def _iv(text: str) -> bytes:
    iv = text.encode()
    if len(iv) * 8 != _BLOCK_BITS:
        raise CipherError("an iv is 16 characters")
    return iv


def _aes(key: str) -> algorithms.AES:
    try:
        return algorithms.AES(key.encode())
    except ValueError:
        raise CipherError("an AES key is 16, 24 or 32 characters") from None


def _open(data: bytes, key: str, mode: modes.CBC | modes.ECB) -> bytes:
    decryptor = Cipher(_aes(key), mode).decryptor()
    unpadder = padding.PKCS7(_BLOCK_BITS).unpadder()
    try:
        padded = decryptor.update(data) + decryptor.finalize()
        return unpadder.update(padded) + unpadder.finalize()
    except ValueError:
        raise CipherError("the content was not sealed with this key") from None


def _seal(data: bytes, key: str, mode: modes.CBC | modes.ECB) -> bytes:
    encryptor = Cipher(_aes(key), mode).encryptor()
    padder = padding.PKCS7(_BLOCK_BITS).padder()
    padded = padder.update(data) + padder.finalize()
    return encryptor.update(padded) + encryptor.finalize()


def certified_key(certificate: str, issuers: str, issued_to: Sequence[str], now: datetime) -> str:
    """The public key of a certificate, as PEM, if one of the issuers gave it out, and both are of
    today. issuers: PEM certificates, one behind another. issued_to: one of these the name of the
    certificate's subject contains."""
    try:
        leaf, known = _certificates(certificate)[0], _certificates(issuers)
        key = _key_of(leaf, known, issued_to, now)
    except _UNREADABLE:  # much of a certificate is only read when it is asked about
        raise CipherError("a certificate cannot be read") from None
    return key.decode()


def _key_of(
    leaf: x509.Certificate,
    known: Sequence[x509.Certificate],
    issued_to: Sequence[str],
    now: datetime,
) -> bytes:
    names = leaf.subject.get_attributes_for_oid(NameOID.COMMON_NAME)
    if not any(part in str(name.value) for part in issued_to for name in names):
        raise CipherError("the certificate was given out to somebody else")
    issuer = next((other for other in known if _issued(leaf, other)), None)
    if issuer is None:
        raise CipherError("the certificate was given out by somebody we do not know")
    if not all(c.not_valid_before_utc <= now <= c.not_valid_after_utc for c in (leaf, issuer)):
        raise CipherError("a certificate is not of today")
    return leaf.public_key().public_bytes(
        serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
    )


def _issued(certificate: x509.Certificate, by: x509.Certificate) -> bool:
    try:
        certificate.verify_directly_issued_by(by)
    except (*_UNREADABLE, InvalidSignature):
        return False
    return True


@lru_cache(maxsize=_KEYS_KEPT)
def _certificates(text: str) -> list[x509.Certificate]:
    with warnings.catch_warnings(action="error"):  # what is only just read today is none of ours
        return x509.load_pem_x509_certificates(text.strip().encode())


def _holds(verify: Callable[[], None]) -> bool:
    try:
        verify()
    except InvalidSignature:
        return False
    return True


# Reading a key costs more than signing with it; there are a few for each supplier.
@lru_cache(maxsize=_KEYS_KEPT)
def _load_private(text: str) -> object:
    """PKCS#1 or PKCS#8, as PEM or as the bare base64 that many suppliers hand out."""
    try:
        if "-----BEGIN" in text:
            return serialization.load_pem_private_key(text.strip().encode(), None)
        return serialization.load_der_private_key(unbase64("".join(text.split())), None)
    except _UNREADABLE:
        raise CipherError("the private key cannot be read") from None


@lru_cache(maxsize=_KEYS_KEPT)
def _load_public(text: str) -> tuple[object, ...]:
    """A public key or certificate as PEM or bare base64; or several as PEM, one behind another,
    as while a supplier changes its key."""
    try:
        if "-----BEGIN" not in text:
            return (serialization.load_der_public_key(unbase64("".join(text.split()))),)
        return tuple(
            x509.load_pem_x509_certificate(block.encode()).public_key()
            if "BEGIN CERTIFICATE" in block
            else serialization.load_pem_public_key(block.encode())
            for block in _PEM.findall(text)[:_KEYS_AT_ONCE]
        )
    except _UNREADABLE:
        raise CipherError("the public key cannot be read") from None
