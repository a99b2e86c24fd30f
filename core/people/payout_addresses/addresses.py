"""Addresses of TRON (base58check) and Ethereum (EIP-55), by their checksums. Pure."""

from __future__ import annotations

import hashlib
import hmac
import re
from dataclasses import dataclass
from typing import Final, Literal

from Cryptodome.Hash import keccak

Network = Literal["trc20", "erc20"]
# unchecked: nothing in it would show a slip, as it is written in letters of one case.
Checksum = Literal["right", "wrong", "unchecked"]

_DIGITS58: Final = "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz"
_TRON: Final = re.compile(rf"T[{_DIGITS58}]{{33}}", re.ASCII)
_ETHEREUM: Final = re.compile(r"0[xX][0-9a-fA-F]{40}", re.ASCII)
_TRON_PREFIX: Final = 0x41
_TRON_BYTES: Final = 25
_CHECK_BYTES: Final = 4
_HIGH_NIBBLE: Final = 8
_ENDS_CHARS: Final = 4


@dataclass(frozen=True, slots=True)
class Address:
    """An address as it was written. checksum: whether it is one that nobody mistyped."""

    network: Network
    text: str
    checksum: Checksum

    def is_same(self, other: str) -> bool:
        """Whether it names the same as another address of its network."""
        if self.network == "erc20":
            return self.text.lower() == other.lower()
        return self.text == other

    def is_alike(self, other: str) -> bool:
        """Whether it is another one that begins and ends like it, as people compare them."""
        mine, theirs = self.text.lower(), other.lower()
        return (
            not self.is_same(other)
            and mine[: 2 + _ENDS_CHARS] == theirs[: 2 + _ENDS_CHARS]
            and mine[-_ENDS_CHARS:] == theirs[-_ENDS_CHARS:]
        )


def read_address(text: str) -> Address | None:
    """A text that is an address and nothing else; None where it is none. What has the shape of
    TRON's, a wrong checksum and no small letters may be a number of an order: it is none."""
    if _TRON.fullmatch(text):
        right = _is_tron(text)
        if not right and text.upper() == text:
            return None
        return Address("trc20", text, "right" if right else "wrong")
    if _ETHEREUM.fullmatch(text):
        return Address("erc20", text, _ethereum_checksum(text[2:]))
    return None


def _is_tron(text: str) -> bool:
    number = 0
    for char in text:
        number = number * len(_DIGITS58) + _DIGITS58.index(char)
    try:
        raw = number.to_bytes(_TRON_BYTES, "big")
    except OverflowError:
        return False
    body, check = raw[:-_CHECK_BYTES], raw[-_CHECK_BYTES:]
    digest = hashlib.sha256(hashlib.sha256(body).digest()).digest()
    return body[0] == _TRON_PREFIX and hmac.compare_digest(digest[:_CHECK_BYTES], check)


def _ethereum_checksum(digits: str) -> Checksum:
    if digits in (digits.lower(), digits.upper()):
        return "unchecked"
    digest = keccak.new(digest_bits=256, data=digits.lower().encode()).hexdigest()
    right = "".join(
        char.upper() if int(nibble, 16) >= _HIGH_NIBBLE else char
        for char, nibble in zip(digits.lower(), digest, strict=False)
    )
    return "right" if digits == right else "wrong"
