"""Calls that were made, and what can be said of all of them together."""

from __future__ import annotations

import math
import statistics
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Final, Self

# No answer: the connection was refused or cut, or the caller's patience was over.
UNANSWERED: Final = 0


@dataclass(frozen=True, slots=True)
class Call:
    """One call: by whom, when it began (steady seconds), how long it took, what came back."""

    merchant_no: str
    reference: str
    began_s: float
    took_s: float
    status: int
    body: dict[str, object] = field(default_factory=dict)
    retry_after: str | None = None

    @property
    def order_no(self) -> str:
        return str(self.body.get("order_no", ""))

    @property
    def pay_url(self) -> str:
        pay = self.body.get("pay")
        return str(pay.get("value", "")) if isinstance(pay, dict) else ""


class Meter:
    """Calls, and their figures."""

    def __init__(self, calls: Iterable[Call] = ()) -> None:
        self.calls = list(calls)

    def add(self, call: Call) -> None:
        self.calls.append(call)

    def __len__(self) -> int:
        return len(self.calls)

    def only(self, wanted: Callable[[Call], bool]) -> Self:
        """Those calls of which this is true."""
        return type(self)(call for call in self.calls if wanted(call))

    def count(self, *statuses: int) -> int:
        return sum(call.status in statuses for call in self.calls)

    @property
    def unanswered(self) -> int:
        return self.count(UNANSWERED)

    @property
    def median_s(self) -> float:
        return statistics.median(self._took) if self.calls else math.nan

    @property
    def p95_s(self) -> float:
        return p95(self._took)

    @property
    def longest_s(self) -> float:
        return max(self._took, default=math.nan)

    @property
    def _took(self) -> list[float]:
        return [call.took_s for call in self.calls]

    def answers(self) -> str:
        """How many of each status: '39 × 201, 1 × 503'."""
        counted = Counter(call.status for call in self.calls)
        named = {status: str(status) if status else "unanswered" for status in counted}
        return ", ".join(f"{counted[s]} × {named[s]}" for s in sorted(counted)) or "no call"

    def times(self) -> str:
        """Median and 95th percentile, in words."""
        return f"median {self.median_s:.2f} s, p95 {self.p95_s:.2f} s"


def p95(values: Iterable[float]) -> float:
    """The smallest value that 95 of 100 do not exceed; nan where there is none."""
    ordered = sorted(values)
    return ordered[math.ceil(len(ordered) * 0.95) - 1] if ordered else math.nan
