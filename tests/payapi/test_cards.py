"""What looks like a card number, and what does not."""

from __future__ import annotations

import pytest

from payapi.cards import holds_card_number


@pytest.mark.parametrize(
    "text",
    ["4111111111111111", "paid with 5500-0055-5555-5559!", "3782 822463 10005",
     "卡4111111111111111号",
     "1234 4111 1111 1111 1111", "６０１１１１１１１１１１１１１７", "4222222222222"],
)  # fmt: skip
def test_cards_are_found(text: str) -> None:
    assert holds_card_number(text)


@pytest.mark.parametrize(
    "text",
    ["", "Tea 250 g", "4111111111111112", "411111111111", "41111111111111111111111",
     "2026-11-21 09:03:27", "13800138000", "0571-8888-8888"],
)  # fmt: skip
def test_other_numbers_pass(text: str) -> None:
    assert not holds_card_number(text)
