"""Addresses on the screen."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final, Literal

from core.delivery.outbox import Notice
from core.people.payout_addresses import Address, PayoutAddressSet, Stored
from handlers.kit.screen import View

# alike: another one that begins and ends like the one that is kept, as forged ones do.
Verdict = Literal["same", "different", "alike", "none"]


@dataclass(frozen=True, slots=True)
class Comparison:
    """An address beside what is kept. stored: the one it was compared with; None where none is
    kept."""

    verdict: Verdict
    stored: Stored | None


@dataclass(frozen=True, slots=True)
class AddressCheckNotice(Notice):
    """What is found of an address that somebody wrote."""

    address: Address
    comparison: Comparison
    zone: str


@dataclass(frozen=True, slots=True)
class PayoutAddressesNotice(Notice):
    """What is kept for a group."""

    lines: tuple[Stored, ...]
    zone: str


def compared(address: Address, kept: Sequence[Stored]) -> Comparison:
    """An address beside those that are kept of its network: the likest counts."""
    for one in kept:
        if address.is_same(one.address):
            return Comparison("same", one)
    for one in kept:
        if address.is_alike(one.address):
            return Comparison("alike", one)
    return Comparison("different", kept[0]) if kept else Comparison("none", None)


VIEWS: Final[tuple[View[Any], ...]] = (
    View(AddressCheckNotice),
    View(PayoutAddressesNotice),
    View(PayoutAddressSet),
)
