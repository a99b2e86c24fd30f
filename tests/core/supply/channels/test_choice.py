"""Which channel takes an order: by priority, by weight, and with a reason for every other."""

from __future__ import annotations

import random
from collections import Counter
from dataclasses import replace
from datetime import UTC, date, datetime, time
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.kernel.errors import Refusal
from core.kernel.money import Money, Rate
from core.kernel.tariff import Tariff
from core.supply.channels import REASONS, Channel, Choice, Hours, Used, choose, read_hours, why_full

# 20:00 in Shanghai, still the tenth there.
NOW = datetime(2026, 11, 10, 12, 0, tzinfo=UTC)
BASE = Channel(
    id=UUID(int=1), channel_no="C01", name="one", supplier_id=UUID(int=2), supplier_no="S01",
    supplier_code="alipay_qr", document_id=UUID(int=3), currency="CNY",
    cost=Tariff.flat(Rate(6500)),
    amount_list=(), amount_min=100, amount_max=10000, hours=None, day_limit_minor=None,
    day_limit_count=None, weight=1, priority=0, state="on", paused_at=None, paused_until=None,
    paused_why="",
    supplier_state="live", supplier_sandbox=False, licence_expires_on=date(2026, 12, 31),
    zone="Asia/Shanghai", today=date(2026, 11, 10),
)  # fmt: skip


def chosen(*channels: Channel, amount: int = 5000, **changes: Any) -> Choice:
    values: dict[str, Any] = {
        "now": NOW,
        "sandbox_allowed": False,
        "real_allowed": True,
        "draw": lambda: 0.5,
    }
    return choose(channels, Money(amount, "CNY"), **(values | changes))


def test_a_channel_that_is_named_need_not_be_offered() -> None:
    for changes in ({"state": "off"}, {"weight": 0}, {"state": "off", "weight": 0}):
        quiet = replace(BASE, **changes)
        assert not chosen(quiet).ranked
        assert chosen(quiet, by_name=True).ranked == (quiet,)
    for channel in (
        replace(BASE, state="archived"), replace(BASE, supplier_state="off"),
        replace(BASE, supplier_sandbox=True), replace(BASE, amount_min=6000),
        replace(BASE, licence_expires_on=date(2026, 11, 9)),
    ):  # fmt: skip
        assert not chosen(channel, by_name=True).ranked


def reasons(choice: Choice) -> tuple[str, ...]:
    return tuple(map(str, choice.reasons))


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"state": "off"}, "C01: is off"),
        ({"state": "archived"}, "C01: is archived"),
        ({"weight": 0}, "C01: has weight 0"),
        (
            {"paused_at": NOW, "paused_until": datetime(2026, 11, 10, 12, 1, tzinfo=UTC)},
            "C01: is paused until 20:01:00 Asia/Shanghai",
        ),
        ({"supplier_state": "off"}, "C01: its supplier is off"),
        ({"supplier_sandbox": True}, "C01: is a sandbox, and the key is live"),
        ({"licence_expires_on": date(2026, 11, 9)}, "C01: its supplier's licence is over"),
        ({"currency": "USD"}, "C01: takes USD only"),
        ({"amount_list": (3000, 10000)}, "C01: takes 30.00, 100.00 only"),
        ({"amount_min": 5001}, "C01: takes 50.01 or more"),
        ({"amount_max": 4999}, "C01: takes 49.99 or less"),
        ({"hours": Hours(time(9), time(20))}, "C01: works 09:00-20:00 only"),
        ({"hours": Hours(time(22), time(6))}, "C01: works 22:00-06:00 only"),
    ],
)
def test_a_channel_left_out_has_its_reason(changes: dict[str, Any], reason: str) -> None:
    assert chosen(BASE).ranked == (BASE,)
    choice = chosen(replace(BASE, **changes))
    assert (choice.ranked, reasons(choice)) == ((), (reason,))
    assert choice.reasons[0].code in REASONS


def test_the_edges_of_a_range_are_taken() -> None:
    for amount in (100, 10000):
        assert chosen(BASE, amount=amount).ranked == (BASE,)
    assert chosen(replace(BASE, amount_list=(5000,))).ranked
    assert chosen(replace(BASE, paused_at=NOW, paused_until=NOW)).ranked


def test_a_licence_is_over_by_the_calendar_of_its_supplier() -> None:
    """At 20:00 UTC it is the eleventh in Shanghai already."""
    last = replace(BASE, licence_expires_on=date(2026, 11, 10))
    late = NOW.replace(hour=20)
    assert chosen(last).ranked
    assert not chosen(last, now=late).ranked
    assert chosen(replace(last, zone="Europe/Berlin"), now=late).ranked


def test_hours_are_those_of_its_supplier() -> None:
    evening = replace(BASE, hours=Hours(time(20), time(21)))
    assert chosen(evening).ranked
    assert not chosen(replace(evening, zone="Europe/Berlin")).ranked


def test_a_test_key_reaches_no_real_supplier() -> None:
    choice = chosen(BASE, sandbox_allowed=True, real_allowed=False)
    assert reasons(choice) == ("C01: is real, and the key is for tests",)


def test_priority_comes_before_weight() -> None:
    heavy = replace(BASE, channel_no="C02", weight=1000, priority=1)
    assert chosen(heavy, BASE).ranked == (BASE, heavy)


def test_equals_are_drawn_by_weight() -> None:
    """20,000 draws: each share is within four standard deviations of its weight's."""
    weights = {"C01": 1, "C02": 3, "C03": 6, "C04": 40}
    channels = [replace(BASE, channel_no=no, weight=w) for no, w in weights.items()]
    draw, draws, whole = random.Random(7).random, 20_000, sum(weights.values())
    first = Counter(chosen(*channels, draw=draw).ranked[0].channel_no for _ in range(draws))
    for number, weight in weights.items():
        share = weight / whole
        deviation = (draws * share * (1 - share)) ** 0.5
        assert abs(first[number] - draws * share) < 4 * deviation, (number, first)


def test_the_second_is_drawn_by_weight_among_the_rest() -> None:
    weights = {"C01": 1, "C02": 3, "C03": 96}
    channels = [replace(BASE, channel_no=no, weight=w) for no, w in weights.items()]
    draw = random.Random(7).random
    ranked = [chosen(*channels, draw=draw).ranked for _ in range(10_000)]
    after = Counter(r[1].channel_no for r in ranked if r[0].channel_no == "C03")
    assert 0.73 < after["C02"] / sum(after.values()) < 0.77


def test_the_draw_survives_a_zero() -> None:
    assert len(chosen(BASE, replace(BASE, channel_no="C02"), draw=lambda: 0.0).ranked) == 2


def test_what_is_full_is_said_with_its_limit() -> None:
    limited = replace(BASE, day_limit_count=3, day_limit_minor=10_000)
    assert why_full(limited, Used(2, 5_000), 5_000) is None
    assert str(why_full(limited, Used(3, 0), 1)) == "C01: has its 3 orders of the day"
    assert str(why_full(limited, Used(2, 5_001), 5_000)) == "C01: has 50.01 of the day's 100.00"
    assert why_full(BASE, Used(10**9, 10**15), 10**15) is None
    full = why_full(limited, Used(3, 0), 1)
    assert full is not None
    choice = chosen(limited, replace(BASE, channel_no="C02")).without(full)
    assert [c.channel_no for c in choice.ranked] == ["C02"]
    assert reasons(choice) == ("C01: has its 3 orders of the day",)


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("09:00-23:00", "09:00-23:00"), (" 9:00 ~ 23:30 ", "09:00-23:30"),
        ("22：00–06：00", "22:00-06:00"), ("00:00-24:00", None), ("09:00-24:00", "09:00-00:00"),
        ("09:00-09:00", None), ("25:00-26:00", None), ("09:60-10:00", None), ("", None),
        ("always", None), ("9-23", None), ("09:00-23:00-01:00", None), ("٠٩:00-23:00", None),
    ],
)  # fmt: skip
def test_hours_as_people_write_them(text: str, shown: str | None) -> None:
    if shown is None:
        with pytest.raises(Refusal) as error:
            read_hours(text)
        assert error.value.code == "hours_invalid"
    else:
        assert str(read_hours(text)) == shown


@given(st.times(), st.times(), st.times())
def test_over_midnight_is_what_the_day_is_not(opens: time, closes: time, at: time) -> None:
    if opens != closes:
        assert (at in Hours(opens, closes)) != (at in Hours(closes, opens))
        assert opens in Hours(opens, closes)
        assert closes not in Hours(opens, closes)
