"""What a merchant's answer means: pure."""

from __future__ import annotations

import random
from dataclasses import dataclass
from typing import Final

from core.kernel.wire import HttpAnswer

# Gaps before each try; the first is at once.
GAPS_S: Final = (0, 5, 30, 120, 300, 900, 1800, 3600, 7200, 18000, 36000, 50400, 72000)
JITTER: Final = 0.1
GONE: Final = 410  # the address asks to be told nothing any more
_LONGEST_RETRY_AFTER_S: Final = 86_400


@dataclass(frozen=True, slots=True)
class Verdict:
    state: str  # delivered | pending | exhausted
    retry_in_s: float = 0.0


def judge(answer: HttpAnswer | None, tries: int) -> Verdict:
    """What an answer means: 2xx is delivered, 410 switches the address off, all else is retried."""
    if answer is not None and 200 <= answer.status < 300:
        return Verdict("delivered")
    if tries >= len(GAPS_S) or (answer is not None and answer.status == GONE):
        return Verdict("exhausted")
    gap_s = GAPS_S[tries] * random.uniform(1 - JITTER, 1 + JITTER)  # noqa: S311 (spreads load)
    retry_after = answer.headers.get("retry-after", "") if answer else ""
    if retry_after.isascii() and retry_after.isdigit():
        gap_s = max(gap_s, min(int(retry_after), _LONGEST_RETRY_AFTER_S))
    return Verdict("pending", gap_s)
