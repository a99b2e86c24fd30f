"""Secrets open under the key and for the purpose they were sealed with, and nowhere else."""

from __future__ import annotations

from base64 import b64encode

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.kernel.errors import Bug
from core.system.vault import Purpose, Vault, derived_key

KEY = b64encode(bytes(range(32))).decode()
VAULT = Vault(KEY)
APP = Purpose("app.secrets", "a1")


@given(st.text())
def test_what_is_sealed_opens(text: str) -> None:
    sealed = VAULT.seal(text, APP)
    assert VAULT.open(sealed, APP) == text
    assert sealed != VAULT.seal(text, APP)


def test_the_text_does_not_show() -> None:
    assert b"whsec_abcdef" not in VAULT.seal("whsec_abcdef", APP)


def test_another_row_use_or_key_opens_nothing() -> None:
    sealed = VAULT.seal("secret", APP)
    for purpose in (Purpose("app.secrets", "a2"), Purpose("app.notify_secrets", "a1"),
                    Purpose("app.secretsa1", ""), Purpose("", "app.secrets of a1")):  # fmt: skip
        with pytest.raises(Bug, match="sealed for another row or use"):
            VAULT.open(sealed, purpose)
    with pytest.raises(Bug) as error:
        Vault(b64encode(bytes(32)).decode()).open(sealed, APP)
    assert "MASTER_KEY" in str(error.value)
    assert "app.secrets of a1" in str(error.value)


def test_each_use_has_a_key_of_its_own() -> None:
    keys = {derived_key(KEY, use) for use in ("app.secrets", "app.notify_secrets", "")}
    assert len(keys) == 3
    assert all(len(key) == 32 for key in keys)
    assert bytes(range(32)) not in keys
    assert derived_key(KEY, "app.secrets") in keys


@given(st.integers(0, 35))
def test_one_changed_byte_is_noticed(place: int) -> None:
    sealed = bytearray(VAULT.seal("secret!", APP))
    sealed[place] ^= 1
    with pytest.raises(Bug):
        VAULT.open(bytes(sealed), APP)


@given(st.binary(max_size=40))
def test_what_was_never_sealed_does_not_open(content: bytes) -> None:
    for sealed in (content, b"\x01" + content):
        with pytest.raises(Bug):
            VAULT.open(sealed, APP)
