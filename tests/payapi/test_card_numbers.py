"""What looks like a card number in a text, and what does not."""

from __future__ import annotations

import pytest

from payapi.card_numbers import holds_card_number
from tests.core.kernel.test_card_numbers import TEST_CARDS


@pytest.mark.parametrize(
    "text",
    ["4111111111111111", "paid with 5500-0055-5555-5559!", "3782 822463 10005",
     "卡4111111111111111号",
     "1234 4111 1111 1111 1111", "６０１１１１１１１１１１１１１７", "4222222222222"],
)  # fmt: skip
def test_cards_are_found(text: str) -> None:
    assert holds_card_number(text)


def test_every_networks_cards_are_found_however_their_digits_are_grouped() -> None:
    for number in (number for numbers in TEST_CARDS.values() for number in numbers):
        for between in ("", " ", "-"):
            groups = [number[at : at + 4] for at in range(0, len(number), 4)]
            if len(groups[-1]) < 3:  # as it is printed: no group of one or two digits
                groups[-2:] = ["".join(groups[-2:])]
            assert holds_card_number(f"card {between.join(groups)}, thank you"), (number, between)


@pytest.mark.parametrize(
    "text",
    ["", "Tea 250 g", "4111111111111112", "411111111111", "41111111111111111111111",
     "2026-11-21 09:03:27", "13800138000", "0571-8888-8888",
     "1795972800001", "20261129120000004", "1860000000000000006", "2026 1129 1200 00004"],
)  # fmt: skip
def test_other_numbers_pass(text: str) -> None:
    assert not holds_card_number(text)
