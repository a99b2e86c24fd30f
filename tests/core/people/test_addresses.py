"""Addresses by their checksums: published ones of TRON and of EIP-55, and what slips do to them."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.people.payout_addresses import read_address

# The contracts of USDT, USDC and WTRX, and the null address of TRON.
TRON = (
    "TR7NHqjeKQxGTCi8q8ZY4pL8otSzgjLj6t",
    "TEkxiTehnzSmSe2XqrBj4w32RUN966rdz8",
    "TNUC9Qb1rRpS5CbWLmNMxXBjyFoydXjWFR",
    "T9yD14Nj9j7xAB4dbGeiX9h8unkKHxuWwb",
)
# The mixed ones of EIP-55, and the contract of USDT.
ETHEREUM = (
    "0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed",
    "0xfB6916095ca1df60bB79Ce92cE3Ea74c37c5d359",
    "0xdbF03B407c01E7cD3CBea99509d93f8DDDC8C6FB",
    "0xD1220A0cf47c7B9Be7A2E6BA89F429762e7b9aDb",
    "0xdAC17F958D2ee523a2206206994597C13D831ec7",
)
# Those of EIP-55 in one case.
ONE_CASE = (
    "0x52908400098527886E0F7030069857D2E4169EE7",
    "0x8617E340B3D01FA5F11F306F4090FD50E238070D",
    "0xde709f2102306220921060314715629080e2fb77",
    "0x27b1fdb04752bbc536007a920d24acb045561c26",
)
_DIGITS58 = "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz"


@pytest.mark.parametrize("text", TRON + ETHEREUM)
def test_published_addresses_are_right(text: str) -> None:
    address = read_address(text)
    assert address is not None
    assert (address.network, address.checksum) == ("trc20" if text in TRON else "erc20", "right")


@pytest.mark.parametrize("text", ONE_CASE)
def test_one_case_has_no_checksum(text: str) -> None:
    address = read_address(text)
    assert address is not None
    assert (address.network, address.checksum) == ("erc20", "unchecked")


@given(st.sampled_from(TRON), st.integers(1, 33), st.sampled_from(_DIGITS58))
def test_any_other_character_is_seen_in_trons(text: str, at: int, char: str) -> None:
    slip = text[:at] + char + text[at + 1 :]
    address = read_address(slip)
    assert address is not None
    assert (address.checksum == "right") == (slip == text)
    assert address.is_same(text) == (slip == text)


@given(st.sampled_from(ETHEREUM), st.integers(2, 41))
def test_another_case_is_seen_in_ethereums(text: str, at: int) -> None:
    slip = text[:at] + text[at].swapcase() + text[at + 1 :]
    address = read_address(slip)
    assert address is not None
    assert address.checksum == ("right" if slip == text else "wrong")
    assert address.is_same(text), "an address has no case"


@pytest.mark.parametrize(
    "text",
    ["", "T", TRON[0][:-1], TRON[0] + "x", f"x{TRON[0]}", f"{TRON[0]} {TRON[1]}", ETHEREUM[0][2:],
     ETHEREUM[0][:-1], ETHEREUM[0] + "0", "P2J0001PQ8WKRZQMHM1I", "T" + "1234567890" * 4,
     "T2026112012345678A12345678B12345678"[:34], "TR0NHqjeKQxGTCi8q8ZY4pL8otSzgjLj6t"],
)  # fmt: skip
def test_other_texts_are_no_addresses(text: str) -> None:
    assert read_address(text) is None


def test_forged_ones_begin_and_end_alike() -> None:
    address = read_address("TR7NHqjeKQxGTCi8q8ZY4pL8otSzgjLx6t")
    assert address is not None
    assert not address.is_alike(TRON[0]), "its last four differ"
    forged = read_address("TR7NHqABCDxGTCi8q8ZY4pL8otSzgjLj6t")
    assert forged is not None
    assert forged.is_alike(TRON[0])
    assert not forged.is_alike(TRON[1])
    same = read_address(TRON[0])
    assert same is not None
    assert not same.is_alike(TRON[0])
