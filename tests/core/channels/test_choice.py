"""Which channel takes an order: by priority, by weight, and with a reason for every other."""

from __future__ import annotations

import random
from collections import Counter
from dataclasses import replace
from datetime import date
from typing import Any
from uuid import UUID

import pytest

from core.channels import Channel, Choice, choose
from core.money import Money, Rate
from core.tariff import Tariff

BASE = Channel(
    id=UUID(int=1), channel_no="C01", name="one", supplier_id=UUID(int=2), supplier_no="S01",
    supplier_code="alipay_qr", document_id=UUID(int=3), currency="CNY",
    cost=Tariff.flat(Rate(6500)),
    amount_list=(), amount_min=100, amount_max=10000, weight=1, priority=0, state="on",
    supplier_state="live", supplier_sandbox=False, licence_expires_on=date(2026, 12, 31),
)  # fmt: skip


def chosen(*channels: Channel, amount: int = 5000, **changes: Any) -> Choice:
    values: dict[str, Any] = {
        "today": date(2026, 11, 10),
        "sandbox_allowed": False,
        "real_allowed": True,
        "draw": lambda: 0.5,
    }
    return choose(channels, Money(amount, "CNY"), **(values | changes))


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"state": "off"}, "C01: is off"),
        ({"state": "archived"}, "C01: is archived"),
        ({"weight": 0}, "C01: has weight 0"),
        ({"supplier_state": "off"}, "C01: its supplier is off"),
        ({"supplier_sandbox": True}, "C01: is a sandbox, and the key is live"),
        ({"licence_expires_on": date(2026, 11, 9)}, "C01: its supplier's licence is over"),
        ({"currency": "USD"}, "C01: takes USD only"),
        ({"amount_list": (3000, 10000)}, "C01: takes 30.00, 100.00 only"),
        ({"amount_min": 5001}, "C01: takes 50.01 or more"),
        ({"amount_max": 4999}, "C01: takes 49.99 or less"),
    ],
)
def test_a_channel_left_out_has_its_reason(changes: dict[str, Any], reason: str) -> None:
    assert chosen(BASE).ranked == (BASE,)
    assert chosen(replace(BASE, **changes)) == Choice((), (reason,))


def test_the_edges_of_a_range_are_taken() -> None:
    for amount in (100, 10000):
        assert chosen(BASE, amount=amount).ranked == (BASE,)
    assert chosen(replace(BASE, amount_list=(5000,))).ranked
    assert chosen(replace(BASE, licence_expires_on=date(2026, 11, 10))).ranked


def test_a_test_key_reaches_no_real_supplier() -> None:
    choice = chosen(BASE, sandbox_allowed=True, real_allowed=False)
    assert choice.reasons == ("C01: is real, and the key is for tests",)


def test_priority_comes_before_weight() -> None:
    heavy = replace(BASE, channel_no="C02", weight=1000, priority=1)
    assert chosen(heavy, BASE).ranked == (BASE, heavy)


def test_equals_are_drawn_by_weight() -> None:
    heavy = replace(BASE, channel_no="C02", weight=3)
    draw = random.Random(7).random
    first = Counter(chosen(BASE, heavy, draw=draw).ranked[0].channel_no for _ in range(2000))
    assert 0.70 < first["C02"] / 2000 < 0.80


def test_the_draw_survives_a_zero() -> None:
    assert len(chosen(BASE, replace(BASE, channel_no="C02"), draw=lambda: 0.0).ranked) == 2
