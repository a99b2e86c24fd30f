"""Test orders: made by staff for a merchant's app, to see that every layer works."""

from __future__ import annotations

from core.trade.trials.choices import TrialChoices, TrialOption
from core.trade.trials.notices import TrialCall, TrialCalls, TrialMade, TrialQuestionNotice
from core.trade.trials.questions import BY_ROUTING, STEPS, Step, TrialQuestion
from core.trade.trials.results import TrialResults
from core.trade.trials.trials import RIGHT, Trials

__all__ = [
    "BY_ROUTING",
    "RIGHT",
    "STEPS",
    "Step",
    "TrialCall",
    "TrialCalls",
    "TrialChoices",
    "TrialMade",
    "TrialOption",
    "TrialQuestion",
    "TrialQuestionNotice",
    "TrialResults",
    "Trials",
]
