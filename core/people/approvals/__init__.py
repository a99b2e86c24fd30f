"""Questions that wait for a person's word, and when one person is not enough."""

from __future__ import annotations

from core.people.approvals.approvals import Approvals
from core.people.approvals.questions import Asked, Question
from core.people.approvals.second_person import ALONE_AFTER, ALONE_MINUTES, need_second, others

__all__ = [
    "ALONE_AFTER",
    "ALONE_MINUTES",
    "Approvals",
    "Asked",
    "Question",
    "need_second",
    "others",
]
