"""Tariffs are read as people write them."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.kernel.errors import Refusal
from core.kernel.money import PPM, Rate
from core.kernel.tariff import FAULTS, MAX_TIERS, Tariff, Tier, format_tariff
from tests.core.kernel.tariffs import currencies, tariffs
from texts.tariffs import parse_tariff


@given(tariffs(), currencies)
def test_what_is_written_is_read_back(tariff: Tariff, currency: str) -> None:
    text = format_tariff(tariff, currency)
    assert parse_tariff(text, currency) == tariff


PIECES = st.sampled_from(
    [
        *(
            "1.2",
            "1000",
            "0.05",
            "１",
            "99999999999999999",
            "%",
            "％",
            ".",
            ",",
            ";",
            ":",
            " ",
            "-",
        ),
        *(
            "+",
            "min",
            "max",
            ">=",
            "月",
            "volume",
            "最低",
            "万",
            "k",
            "满",
            "以上",
            "元",
            "cny",
            "²",
        ),
        *("\x00", "\u202e", "\n"),
    ]
)


@given(st.text(max_size=60) | st.lists(PIECES, max_size=14).map("".join), currencies)
def test_any_text_is_a_tariff_or_refused(text: str, currency: str) -> None:
    try:
        tariff = parse_tariff(text, currency)
    except Refusal as error:
        refusal = error
    else:
        assert parse_tariff(format_tariff(tariff, currency), currency) == tariff
        return
    assert refusal.code == "tariff_invalid"
    assert refusal.facts["why"] in FAULTS.values()
    assert len(parse_tariff(refusal.facts["example"], "CNY").tiers) == 2


FLAT = Tariff.flat(Rate(12000))


@pytest.mark.parametrize(
    ("text", "tariff"),
    [
        ("1.2%", FLAT),
        ("1.2", FLAT),
        ("  １．２％ ", FLAT),
        ("1.20000 %", FLAT),
        (".5%", Tariff.flat(Rate(5000))),
        ("0", Tariff.flat(Rate(0))),
        ("100%", Tariff.flat(Rate(PPM))),
        ("1.2个点", FLAT),
        ("1.2% + 0.10", Tariff.flat(Rate(12000, 10))),
        ("1.2%+0.1元", Tariff.flat(Rate(12000, 10))),
        ("1.2 加 0.1 每笔", Tariff.flat(Rate(12000, 10))),
        ("1.2% min 0.05 max 50", Tariff.flat(Rate(12000, 0, 5, 5000))),
        ("1.2% MAX 50, MIN 0.05", Tariff.flat(Rate(12000, 0, 5, 5000))),
        ("1.2%，最低 0.05，最高 50", Tariff.flat(Rate(12000, 0, 5, 5000))),
        ("1.2%最低0.05封顶1,000 CNY", Tariff.flat(Rate(12000, 0, 5, 100_000))),
        (
            "1.2%; >=1000: 1%; >=5000: 0.8% + 1",
            Tariff(
                (Tier(0, Rate(12000)), Tier(100_000, Rate(10000)), Tier(500_000, Rate(8000, 100)))
            ),
        ),
        (
            "1.2％；≥1千：1％\n满5k 0.8%",
            Tariff((Tier(0, Rate(12000)), Tier(100_000, Rate(10000)), Tier(500_000, Rate(8000)))),
        ),
        (">=0: 1.2% 1,000元以上: 1%", None),
        ("1.2%; 1,000元以上: 1%", Tariff((Tier(0, Rate(12000)), Tier(100_000, Rate(10000))))),
        ("1.2%;满1000元1%", Tariff((Tier(0, Rate(12000)), Tier(100_000, Rate(10000))))),
        (
            "月 1.2%; >=100000: 1%",
            Tariff((Tier(0, Rate(12000)), Tier(10_000_000, Rate(10000))), "volume"),
        ),
        (
            "按月量：1.2%；>=10万：1%；",
            Tariff((Tier(0, Rate(12000)), Tier(10_000_000, Rate(10000))), "volume"),
        ),
        ("volume 1.2%", Tariff((Tier(0, Rate(12000)),), "volume")),
        ("1% min 0.05 max 0.05", Tariff.flat(Rate(10000, 0, 5, 5))),
    ],
)
def test_as_people_write_it(text: str, tariff: Tariff | None) -> None:
    if tariff is None:
        with pytest.raises(Refusal):
            parse_tariff(text, "CNY")
    else:
        assert parse_tariff(text, "CNY") == tariff


@pytest.mark.parametrize(
    ("text", "currency", "fault"),
    [
        ("", "CNY", "empty"),
        (" ；; ", "CNY", "empty"),
        ("月", "CNY", "empty"),
        ("1%;" * 1200, "CNY", "long"),
        ("cheap", "CNY", "unclear"),
        ("-1%", "CNY", "unclear"),
        ("1² %", "CNY", "unclear"),
        ("٣%", "CNY", "unclear"),
        ("1.2% + ", "CNY", "unclear"),
        ("1.2% + 0.10 USD", "CNY", "unclear"),
        ("1.2% + 10元", "JPY", "unclear"),
        ("1.23456%", "CNY", "percent"),
        ("100.0001%", "CNY", "percent"),
        ("1,2%", "CNY", "percent"),
        ("9" * 50, "CNY", "percent"),
        ("1% + 0.001", "CNY", "amount"),
        ("1% + 0.5", "JPY", "amount"),
        ("1% + 1,2", "CNY", "unclear"),
        ("1% max 99999999999999999", "CNY", "amount"),
        ("1%; >=99999999999999千: 1%", "CNY", "amount"),
        ("1% + 1 + 2", "CNY", "twice"),
        ("1% min 1 最低 2", "CNY", "twice"),
        ("1% min 2 max 1", "CNY", "bounds"),
        (">=100: 1%", "CNY", "start"),
        ("1%; 0.9%", "CNY", "threshold"),
        ("1%; >=0: 0.9%", "CNY", "order"),
        ("1%; >=200: 0.9%; >=100: 0.8%", "CNY", "order"),
        ("1%" + "".join(f"; >={n}: 1%" for n in range(1, MAX_TIERS + 1)), "CNY", "many"),
    ],
)
def test_what_is_wrong_is_said(text: str, currency: str, fault: str) -> None:
    with pytest.raises(Refusal) as error:
        parse_tariff(text, currency)
    assert error.value.code == "tariff_invalid"
    assert error.value.facts["why"] == FAULTS[fault]
    assert "1.2%" in error.value.message
    assert len(error.value.message) < 300


def test_it_is_shown_as_it_is_written_in_the_books() -> None:
    for text in (
        "1.2%", "1.2% + 0.10", "1% min 0.05 max 20", "1.2% + 0.10; >=1000: 1%",
        "volume 1%; >=2000: 0.9%",
    ):  # fmt: skip
        assert format_tariff(parse_tariff(text, "CNY"), "CNY") == text
    assert format_tariff(parse_tariff("0.5% + 3 max 1000", "JPY"), "JPY") == "0.5% + 3 max 1000"
