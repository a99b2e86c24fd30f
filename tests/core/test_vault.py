"""Secrets open under the key and the purpose they were sealed with, and nowhere else."""

from __future__ import annotations

from base64 import b64encode

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.errors import Bug
from core.vault import Vault

VAULT = Vault(b64encode(bytes(range(32))).decode())


@given(st.text())
def test_what_is_sealed_opens(text: str) -> None:
    sealed = VAULT.seal(text, "app.secrets")
    assert VAULT.open(sealed, "app.secrets") == text
    assert sealed != VAULT.seal(text, "app.secrets")


def test_the_text_does_not_show() -> None:
    assert b"whsec_abcdef" not in VAULT.seal("whsec_abcdef", "app.secrets")


def test_another_purpose_or_key_opens_nothing() -> None:
    sealed = VAULT.seal("secret", "app.secrets")
    with pytest.raises(Bug):
        VAULT.open(sealed, "supplier.credentials")
    with pytest.raises(Bug) as error:
        Vault(b64encode(bytes(32)).decode()).open(sealed, "app.secrets")
    assert "MASTER_KEY" in str(error.value)


@given(st.integers(0, 35))
def test_one_changed_byte_is_noticed(place: int) -> None:
    sealed = bytearray(VAULT.seal("secret!", "app.secrets"))
    sealed[place] ^= 1
    with pytest.raises(Bug):
        VAULT.open(bytes(sealed), "app.secrets")
