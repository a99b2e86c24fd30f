"""What of a channel people may set, what cannot be of one, and its states. Pure."""

from __future__ import annotations

import re
from dataclasses import asdict, dataclass
from typing import Any, Final

from core.kernel.errors import Refusal
from core.kernel.money import MAX_MINOR
from core.supply.channels.hours import Hours

MAX_WEIGHT: Final = 1000
MAX_PRIORITY: Final = 1000
MAX_COUNT: Final = 1_000_000_000
MAX_AMOUNTS: Final = 50
MAX_NAME_CHARS: Final = 60
MAX_CODE_CHARS: Final = 100
_NUMBER: Final = re.compile(r"C[0-9]{2,9}", re.ASCII)
_SHOWN_CHARS: Final = 40

# What can be wrong with a channel; the catalogues translate each.
FAULTS: Final[dict[str, str]] = {
    "number": "a channel's number is C and 2 to 9 digits",
    "name": "a name has 1 to 60 characters",
    "code": "the supplier's code has 1 to 100 characters",
    "both": "amounts are a list or a range, not both",
    "amount": "an amount is more than 0",
    "many": "a list has at most 50 amounts, each of them once",
    "range": "the least amount is more than the most",
    "limit": "a limit of the day is more than 0",
    "weight": "a weight is a whole number from 0 to 1000",
    "priority": "a priority is a whole number from 0 to 1000",
}
# (state, move) -> next state. What is archived keeps its number, its past and its places.
NEXT: Final[dict[tuple[str, str], str]] = {
    ("off", "on"): "on",
    ("on", "off"): "off",
    ("on", "archive"): "archived",
    ("off", "archive"): "archived",
    ("archived", "restore"): "off",
}


@dataclass(frozen=True, slots=True)
class Terms:
    """What people may change of a channel, as `Channel` has it."""

    name: str
    supplier_code: str
    amount_list: tuple[int, ...] = ()
    amount_min: int | None = None
    amount_max: int | None = None
    hours: Hours | None = None
    day_limit_minor: int | None = None
    day_limit_count: int | None = None
    weight: int = 1
    priority: int = 0

    def pack(self) -> dict[str, Any]:
        """As JSON: for the trail."""
        packed = asdict(self)
        return packed | {"hours": str(self.hours) if self.hours else None}


def changed(before: Terms, after: Terms) -> tuple[dict[str, Any], dict[str, Any]]:
    """The fields that differ, as they were and as they are."""
    old, new = before.pack(), after.pack()
    names = [name for name in old if old[name] != new[name]]
    return {n: old[n] for n in names}, {n: new[n] for n in names}


def check_number(channel_no: str) -> None:
    """Refusals: channel_invalid."""
    if not _NUMBER.fullmatch(channel_no):
        raise channel_fault("number", channel_no)


def check_terms(terms: Terms) -> None:
    """Refusals: channel_invalid."""
    if not 0 < len(terms.name.strip()) <= MAX_NAME_CHARS:
        raise channel_fault("name", terms.name)
    if not 0 < len(terms.supplier_code.strip()) <= MAX_CODE_CHARS:
        raise channel_fault("code", terms.supplier_code)
    _check_amounts(terms)
    for limit, most in (
        (terms.day_limit_minor, MAX_MINOR), (terms.day_limit_count, MAX_COUNT),
    ):  # fmt: skip
        if limit is not None and not 0 < limit <= most:
            raise channel_fault("limit", limit)
    if not 0 <= terms.weight <= MAX_WEIGHT:
        raise channel_fault("weight", terms.weight)
    if not 0 <= terms.priority <= MAX_PRIORITY:
        raise channel_fault("priority", terms.priority)


def _check_amounts(terms: Terms) -> None:
    least, most, listed = terms.amount_min, terms.amount_max, terms.amount_list
    if listed and (least is not None or most is not None):
        raise channel_fault("both")
    if len(listed) > MAX_AMOUNTS or len(set(listed)) < len(listed):
        raise channel_fault("many", len(listed))
    for amount in (*listed, least, most):
        if amount is not None and not 0 < amount <= MAX_MINOR:
            raise channel_fault("amount", amount)
    if least is not None and most is not None and least > most:
        raise channel_fault("range", f"{least} > {most}")


def channel_fault(key: str, text: object = "") -> Refusal:
    """The refusal of a channel. key: of FAULTS. text: what is at fault."""
    shown = str(text)[:_SHOWN_CHARS] or "…"
    return Refusal("channel_invalid", channel_fault=FAULTS[key], text=shown)
