"""Re-rating: past orders charged anew where somebody asks for it, with the difference first."""

from __future__ import annotations

from core.accounts.rerating.comparison import RerateDay, RerateView, Seen
from core.accounts.rerating.notices import (
    RerateApproval,
    Rerated,
    RerateDropped,
    RerateQuestion,
    RerateQuestionNotice,
    RerateWaits,
)
from core.accounts.rerating.rerating import Reratings

__all__ = [
    "RerateApproval",
    "RerateDay",
    "RerateDropped",
    "RerateQuestion",
    "RerateQuestionNotice",
    "RerateView",
    "RerateWaits",
    "Rerated",
    "Reratings",
    "Seen",
]
