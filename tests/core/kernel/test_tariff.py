"""A tariff chooses a rate by amount or volume."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.kernel.errors import Refusal
from core.kernel.money import Rate
from core.kernel.tariff import FAULTS, Tariff, Tier, tariff_fault
from tests.core.kernel.tariffs import minors, tariffs


@given(tariffs())
def test_what_is_packed_is_unpacked(tariff: Tariff) -> None:
    assert Tariff.unpack(tariff.tiers_by, tariff.pack()) == tariff


@given(tariffs(), minors, minors)
def test_the_tier_that_begins_last_below_the_measure_counts(
    tariff: Tariff, amount_minor: int, volume_minor: int
) -> None:
    measured = amount_minor if tariff.tiers_by == "amount" else volume_minor
    wanted = max((t for t in tariff.tiers if t.from_minor <= measured), key=lambda t: t.from_minor)
    assert tariff.rate_for(amount_minor, volume_minor) == wanted.rate


@given(tariffs(), st.integers(max_value=-1), st.integers(max_value=-1))
def test_less_than_nothing_is_in_the_first_tier(
    tariff: Tariff, amount_minor: int, volume_minor: int
) -> None:
    assert tariff.rate_for(amount_minor, volume_minor) == tariff.tiers[0].rate


@pytest.mark.parametrize(
    ("starts", "fault"),
    [((), "start"), ((1,), "start"), ((0, 5, 5), "order"), (tuple(range(21)), "many")],
)
def test_tiers_that_cannot_be(starts: tuple[int, ...], fault: str) -> None:
    with pytest.raises(Refusal) as error:
        Tariff(tuple(Tier(start, Rate(1)) for start in starts))
    assert error.value.facts["why"] == FAULTS[fault]


def test_every_fault_has_its_words() -> None:
    assert {tariff_fault(key).facts["why"] for key in FAULTS} == set(FAULTS.values())
