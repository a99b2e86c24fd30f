"""Second factors: how a person proves, beside Telegram, to be who speaks."""

from __future__ import annotations

from core.people.factors.factors import (
    LOCK_AFTER,
    LOCKED_FOR,
    MIN_PASSWORD_CHARS,
    Factor,
    FactorKind,
    Factors,
    Proof,
)
from core.people.factors.notices import AlarmFactor, FactorAdded
from core.people.factors.totp import PERIOD_S, Enrolment, code_at

__all__ = [
    "LOCKED_FOR",
    "LOCK_AFTER",
    "MIN_PASSWORD_CHARS",
    "PERIOD_S",
    "AlarmFactor",
    "Enrolment",
    "Factor",
    "FactorAdded",
    "FactorKind",
    "Factors",
    "Proof",
    "code_at",
]
