"""Business days in a row, as people name them and reports add them up."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Final

from core.kernel.errors import Refusal

MAX_DAYS: Final = 366
# Beyond these no calendar arithmetic is safe, and nobody has books.
EARLIEST: Final = date(2000, 1, 1)
LATEST: Final = date(2999, 12, 31)


@dataclass(frozen=True, slots=True)
class Days:
    """Business days in a row, both ends included.

    Refusals: range_reversed, range_too_long, date_invalid (of no century that has books).
    """

    first: date
    last: date

    def __post_init__(self) -> None:
        if self.last < self.first:
            raise Refusal("range_reversed", first=self.first, last=self.last)
        if (self.last - self.first).days >= MAX_DAYS:
            raise Refusal("range_too_long", limit_days=MAX_DAYS)
        for day in (self.first, self.last):
            if not EARLIEST <= day <= LATEST:
                raise Refusal("date_invalid", text=day, example="2026-11-01")

    @staticmethod
    def one(day: date) -> Days:
        return Days(day, day)

    @staticmethod
    def month(day: date) -> Days:
        """The whole calendar month of a day."""
        following = (day.replace(day=1) + timedelta(days=32)).replace(day=1)
        return Days(day.replace(day=1), following - timedelta(days=1))

    def __len__(self) -> int:
        return (self.last - self.first).days + 1

    def __iter__(self) -> Iterator[date]:
        return (self.first + timedelta(days=n) for n in range(len(self)))

    def __str__(self) -> str:
        return f"{self.first}" if self.first == self.last else f"{self.first} – {self.last}"
