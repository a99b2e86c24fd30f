"""Whether a rate is below cost: at the amounts that decide."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.kernel.money import MAX_MINOR, Rate
from core.kernel.tariff import Tariff, Tier
from core.supply.channels import Channel
from core.supply.margins import losses
from tests.core.supply.channels.test_choice import BASE
from texts.tariffs import parse_tariff


def selling(cost: str, least: int | None = None, most: int | None = None) -> Channel:
    return replace(BASE, cost=parse_tariff(cost, "CNY"), amount_min=least, amount_max=most)


@pytest.mark.parametrize(
    ("tariff", "cost", "least", "most", "at"),
    [
        ("1.2%", "0.65%", None, None, None),
        ("0.65%", "0.65%", None, None, None),
        ("0.5%", "0.65%", None, None, 10_000),
        ("1.2%", "0.65% + 0.10", None, None, 100),
        ("1.2%", "0.65% + 0.10", 2_000, None, None),
        ("1.2% max 50", "0.65%", None, 700_000, None),
        ("1.2% max 50", "0.65%", None, None, 1_000_000),
        ("1.2%; >=5000: 0.6%", "0.65%", None, None, 1_000_000),
        ("1.2%; >=5000: 0.6%", "0.65%", None, 499_999, None),
        ("volume 1.2%; >=100000: 0.6%", "0.65%", None, None, 10_000),
        ("1.2%", "0.65% min 1", 100, None, 100),
    ],
)
def test_a_loss_is_found_where_it_is(
    tariff: str, cost: str, least: int | None, most: int | None, at: int | None
) -> None:
    found = losses(parse_tariff(tariff, "CNY"), [selling(cost, least, most)])
    assert [one.amount_minor for one in found] == ([] if at is None else [at])
    for one in found:
        assert one.fee_minor < one.cost_minor


def test_a_channel_of_fixed_amounts_is_judged_by_these() -> None:
    fixed = replace(selling("0.65% + 0.10"), amount_list=(2_000, 5_000))
    assert losses(parse_tariff("1.2%", "CNY"), [fixed]) == ()
    (loss,) = losses(parse_tariff("0.7%", "CNY"), [fixed])
    assert loss.amount_minor == 2_000


RATES = st.builds(
    lambda ppm, fixed, least, more: Rate(ppm, fixed, least, None if more is None else least + more),
    st.integers(0, 30_000), st.integers(0, 50), st.integers(0, 100),
    st.none() | st.integers(0, 5_000),
)  # fmt: skip
TARIFFS = st.lists(st.tuples(st.integers(1, 10**6), RATES), max_size=3).flatmap(
    lambda more: RATES.map(
        lambda first: Tariff(
            (Tier(0, first), *(Tier(at, rate) for at, rate in sorted(dict(more).items())))
        )
    )
)


@given(tariff=TARIFFS, cost=TARIFFS, amounts=st.lists(st.integers(100, 10**7), min_size=1))
def test_where_none_is_found_no_amount_loses_more_than_rounding(
    tariff: Tariff, cost: Tariff, amounts: list[int]
) -> None:
    sells = replace(selling("1%"), cost=cost, amount_max=MAX_MINOR)
    if not losses(tariff, [sells]):
        assert all(tariff.of(amount) >= cost.of(amount) - 1 for amount in amounts)
