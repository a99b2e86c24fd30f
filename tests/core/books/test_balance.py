"""What a merchant's position is called."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.books import MerchantBalance

MINOR = st.integers(-(10**15), 10**15)


@given(MINOR, MINOR)
def test_the_parts_are_the_position(position: int, advanced: int) -> None:
    balance = MerchantBalance.of(position, advanced)
    assert balance.net_minor == position
    assert min(balance.prepaid_minor, balance.owing_minor, balance.owed_minor) >= 0
    assert balance.prepaid_minor <= max(0, advanced)


@pytest.mark.parametrize(
    ("position", "advanced", "parts"),
    [
        (-1000, 0, (("owing", 1000),)),  # a charge-back, and nothing was advanced
        (-1000, -50, (("owing", 1000),)),
        (-1000, 400, (("prepaid", 400), ("owing", 600))),
        (-1000, 4000, (("prepaid", 1000),)),
        (0, 4000, ()),
        (1000, 4000, (("owed", 1000),)),
    ],
)
def test_only_what_was_advanced_is_a_prepayment(
    position: int, advanced: int, parts: tuple[tuple[str, int], ...]
) -> None:
    assert MerchantBalance.of(position, advanced).parts == parts


def test_debts_are_not_netted_against_what_others_are_owed() -> None:
    both = MerchantBalance.sum_of([MerchantBalance.of(-100, 0), MerchantBalance.of(70, 0)])
    assert (both.owing_minor, both.owed_minor, both.net_minor) == (100, 70, -30)
