"""Re-rating: past orders charged anew where somebody asks for it, with the difference first."""

from __future__ import annotations

from core.accounts.rerating.comparison import RerateDay, RerateView, Seen
from core.accounts.rerating.notices import (
    Rerated,
    RerateDropped,
    RerateQuestion,
    RerateQuestionNotice,
)
from core.accounts.rerating.rerating import Reratings

__all__ = [
    "RerateDay",
    "RerateDropped",
    "RerateQuestion",
    "RerateQuestionNotice",
    "RerateView",
    "Rerated",
    "Reratings",
    "Seen",
]
