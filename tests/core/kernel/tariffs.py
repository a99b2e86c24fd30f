"""Rates and tariffs that are made up."""

from __future__ import annotations

from hypothesis import strategies as st

from core.kernel.money import EXPONENTS, MAX_MINOR, PPM, Rate
from core.kernel.tariff import MAX_TIERS, Tariff, Tier

currencies = st.sampled_from(sorted(EXPONENTS))
minors = st.integers(0, 10**6) | st.integers(0, MAX_MINOR)


@st.composite
def rates(draw: st.DrawFn) -> Rate:
    least = draw(st.just(0) | minors)
    most = draw(st.none() | st.integers(least, MAX_MINOR))
    return Rate(draw(st.integers(0, PPM)), draw(st.just(0) | minors), least, most)


@st.composite
def tariffs(draw: st.DrawFn) -> Tariff:
    starts = draw(
        st.sets(st.integers(1, 10**9) | st.integers(1, MAX_MINOR), max_size=MAX_TIERS - 1)
    )
    tiers = tuple(Tier(start, draw(rates())) for start in (0, *sorted(starts)))
    return Tariff(tiers, draw(st.sampled_from(("amount", "volume"))))
