"""Completion (补单): an order is marked paid by hand, after the supplier was asked once more."""

from __future__ import annotations

from core.trade.completions.completions import Completions
from core.trade.completions.notices import (
    CompleteApproval,
    Completed,
    CompleteDropped,
    CompleteQuestion,
    CompleteQuestionNotice,
    CompleteSettledItself,
    CompleteWaits,
    Uncompleted,
    UncompleteDropped,
    UncompleteQuestion,
    UncompleteQuestionNotice,
)

__all__ = [
    "CompleteApproval",
    "CompleteDropped",
    "CompleteQuestion",
    "CompleteQuestionNotice",
    "CompleteSettledItself",
    "CompleteWaits",
    "Completed",
    "Completions",
    "UncompleteDropped",
    "UncompleteQuestion",
    "UncompleteQuestionNotice",
    "Uncompleted",
]
