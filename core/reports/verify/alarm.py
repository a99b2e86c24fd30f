"""The alarm of books that differ."""

from __future__ import annotations

from dataclasses import dataclass

from core.people.alarms import Trouble


@dataclass(frozen=True, slots=True)
class AlarmBooks(Trouble):
    """The books do not add up. differences: how many. first: of them, in words."""

    differences: int
    first: str
