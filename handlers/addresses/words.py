"""What is said of addresses: one that stands alone is verified; behind the command it is kept."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from core.people.payout_addresses import RIGHT, Address, read_address
from handlers.kit.commands import Command, Words
from handlers.kit.grammar import HOLDERS, latin, take_holders
from handlers.kit.intents import Changing, Intent, Reading
from texts.amounts import fold


@dataclass(frozen=True, slots=True)
class CheckAddress(Reading):
    """An address, and nothing else was written."""

    address: Address


@dataclass(frozen=True, slots=True)
class ShowPayoutAddresses(Reading):
    """What is kept for this group."""


@dataclass(frozen=True, slots=True)
class SetPayoutAddress(Changing):
    """Keep this address. holder_no: whose, where a group is bound to several."""

    address: Address
    holder_no: str | None = None


def hear(text: str) -> Intent | None:
    """A message that is an address and nothing else."""
    address = read_address(fold(text).strip())
    return None if address is None else CheckAddress(address)


def read_payout_address(words: Words) -> Intent | None:
    """Nothing; or an address, and whose it is."""
    if not words:
        return ShowPayoutAddresses()
    numbers, _ = take_holders(words, HOLDERS)
    rest = [word for word in words if fold(word).upper() not in numbers]
    if len(numbers) > 1 or len(rest) != 1:
        return None
    address = read_address(fold(rest[0]))
    return None if address is None else SetPayoutAddress(address, *numbers)


COMMANDS: Final = (
    Command(
        "payout_address",
        {SetPayoutAddress: RIGHT, ShowPayoutAddresses: "read_money", CheckAddress: "read_money"},
        read_payout_address,
        forms=("设置打款地址", "打款地址"),
        takes=latin,
        what="The address this group is paid out to",
        usage=("打款地址", "设置打款地址 T…", "/payout_address 0x…"),
        answer=(
            "the addresses kept for this group (TRC20, ERC20), or keeps one; another one in its"
            " place takes a second person; an address that stands alone is verified and"
            " compared with them"
        ),
        place="groups",
    ),
)
