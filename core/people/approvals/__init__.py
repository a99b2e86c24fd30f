"""Questions that wait for a person's word, and when one person is not enough."""

from __future__ import annotations

from core.people.approvals.approvals import Approvals
from core.people.approvals.cards import APPROVALS_DUE, ApprovalCards
from core.people.approvals.notices import ApprovedAlone
from core.people.approvals.questions import (
    ALONE_AFTER,
    ALONE_MINUTES,
    LAST_AFTER,
    Asked,
    Decide,
    Question,
    SecondQuestion,
)
from core.people.approvals.second_person import alone_from, others

__all__ = [
    "ALONE_AFTER",
    "ALONE_MINUTES",
    "APPROVALS_DUE",
    "LAST_AFTER",
    "ApprovalCards",
    "Approvals",
    "ApprovedAlone",
    "Asked",
    "Decide",
    "Question",
    "SecondQuestion",
    "alone_from",
    "others",
]
