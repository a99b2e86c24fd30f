"""A merchant on its way to live: let in, reviewed by two, its apps and their keys."""

from __future__ import annotations

from core.accounts.onboarding.admission import (
    Admission,
    MerchantAmended,
    MerchantReviewed,
    ReviewQuestion,
)
from core.accounts.onboarding.key_questions import KeysQuestion, KeysReady, TakeKeysQuestion
from core.accounts.onboarding.keys import Keys
from core.accounts.onboarding.pings import Ping, Pings

__all__ = [
    "Admission",
    "Keys",
    "KeysQuestion",
    "KeysReady",
    "MerchantAmended",
    "MerchantReviewed",
    "Ping",
    "Pings",
    "ReviewQuestion",
    "TakeKeysQuestion",
]
