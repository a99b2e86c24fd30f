"""What is the number of a card, and what only looks like one."""

from __future__ import annotations

import random
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest

from core.kernel.card_numbers import is_card_number


def with_check_digit(text: str) -> str:
    """The digits with Luhn's digit behind them."""
    total = sum(
        sum(divmod(int(digit) * 2, 10)) if place % 2 == 0 else int(digit)
        for place, digit in enumerate(reversed(text))
    )
    return f"{text}{-total % 10}"


# Numbers that networks and processors publish for tests; where none was at hand, a prefix of the
# network with Luhn's digit at the end.
TEST_CARDS = {
    "Visa": ["4111111111111111", "4012888888881881", "4242424242424242", "4222222222222",
             with_check_digit("400000000000000000")],
    "Mastercard": ["5555555555554444", "5105105105105100", "2223003122003222", "2720992593319364"],
    "American Express": ["378282246310005", "371449635398431", "343434343434343"],
    "Discover": ["6011111111111117", "6011000990139424", "6445644564456445", "6555900000604105"],
    "Diners Club": ["30569309025904", "38520000023237", "36227206271667", "3056930009020004"],
    "JCB": ["3530111333300000", "3566002020360505", with_check_digit("352800070000000")],
    "UnionPay": ["6200000000000005", "6205500000000000004", "6250941006528599",
                 "6216261000000000018", "8171999927660000", "8171999900000000021"],
    "Maestro": ["6304000000000000", "6759649826438453", "5018000000000009", "6763946698447461",
                "6731012345678906", "6771798021000008", "5000550000000029"],
    "Bancontact": ["6703444444444449"],
    "Mir": ["2200000000000053", with_check_digit("220138200000001"),
            with_check_digit("220412010000000000")],
    "Dankort": ["5019717010103742"],
    "RuPay": [with_check_digit(p.ljust(15, "0")) for p in ("60", "65", "81", "82", "508")],
    "Verve": ["5060990580000217499", with_check_digit("507865000000000000")],
    "Elo": ["5066991111111118", "6362970000457013"],
    "Troy": ["9792030000000000"],
    "UzCard": [with_check_digit("860006000000000")],
    "Humo": [with_check_digit("986000000000000")],
}  # fmt: skip


@pytest.mark.parametrize("network", TEST_CARDS)
def test_every_networks_cards_are_known(network: str) -> None:
    for number in TEST_CARDS[network]:
        assert is_card_number(number), number


@pytest.mark.parametrize("network", TEST_CARDS)
def test_a_wrong_digit_makes_no_card(network: str) -> None:
    for number in TEST_CARDS[network]:
        for place in range(len(number)):
            changed = str((int(number[place]) + 1) % 10)
            assert not is_card_number(f"{number[:place]}{changed}{number[place + 1 :]}")


def test_what_merchants_number_their_things_with_is_no_card() -> None:
    """At least a tenth of such numbers pass Luhn's check; here all of them do."""
    numbers = list(own_numbers(random.Random(17)))
    assert len(numbers) >= 100_000
    assert [number for number in numbers if is_card_number(number)] == []
    for number in ("1795972800001", "20261129120000004", "1860000000000000006"):
        assert not is_card_number(number)


def own_numbers(chance: random.Random) -> Iterator[str]:
    """Times, snowflakes, dates and numbers behind them: 13 to 19 digits that pass Luhn's check."""
    first = int(datetime(2020, 1, 1, tzinfo=UTC).timestamp())
    # Some snowflakes of later years begin as Mir's cards of 19 digits do.
    snowflakes_until = int(datetime(2027, 1, 1, tzinfo=UTC).timestamp())
    for _ in range(12_500):
        seconds = chance.randrange(first, first + 15 * 365 * 86_400)
        at = datetime.fromtimestamp(seconds, UTC) + timedelta(hours=8)
        yield with_check_digit(f"{seconds}{chance.randrange(100):02}")  # milliseconds
        yield with_check_digit(f"{seconds}{chance.randrange(10**5):05}")  # microseconds
        yield with_check_digit(f"{seconds}{chance.randrange(10**8):08}")  # nanoseconds
        since_2010 = chance.randrange(first, snowflakes_until) * 1000 - 1_288_834_974_657
        snowflake = since_2010 << 22 | chance.randrange(1 << 22)
        yield with_check_digit(str(snowflake)[:18])
        yield with_check_digit(f"{at:%Y%m%d%H%M%S}{chance.randrange(100):02}")
        yield with_check_digit(f"{at:%Y%m%d%H%M%S}{chance.randrange(10**4):04}")
        yield with_check_digit(f"{at:%Y%m%d}{chance.randrange(10 ** chance.randrange(4, 11)):04}")
        yield with_check_digit(f"1{chance.randrange(10**12):012}")  # numbers of orders
