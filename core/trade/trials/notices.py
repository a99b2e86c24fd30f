"""What is said of test orders."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Literal
from uuid import UUID

from core.delivery.outbox import Notice
from core.trade.trials.choices import TrialOption
from core.trade.trials.questions import TrialQuestion


@dataclass(frozen=True, slots=True)
class TrialQuestionNotice(Notice):
    """A test order as far as it is told, and what may be chosen next. step: of STEPS; `made` and
    `dropped` where nothing is asked any more."""

    approval_id: UUID
    told: TrialQuestion
    step: Literal["merchant", "app", "product", "channel", "amount", "confirm", "made", "dropped"]
    options: tuple[TrialOption, ...] = ()
    page: int = 1
    pages: int = 1


@dataclass(frozen=True, slots=True)
class TrialMade(Notice):
    """A test order was made. order: what it was to be. link: whether the code says the supplier's
    own pay link; else it says the cashier's address."""

    order_no: str
    order: TrialQuestion
    cashier_url: str
    link: bool
    actor_name: str


@dataclass(frozen=True, slots=True)
class TrialCall:
    """A call to a supplier, its secrets masked. operation, outcome: keys of words. status: of HTTP,
    0 for none. request, answer: headers and body, cut where they are long. why: in words, where no
    answer came."""

    at: datetime
    operation: str
    method: str
    url: str
    request: str
    status: int
    answer: str
    outcome: str
    why: str
    took_ms: int


@dataclass(frozen=True, slots=True)
class TrialCalls(Notice):
    """What suppliers were told of a test order, and what they answered. zone: on whose clocks.
    pay_kind, pay_value: what the payer pays with, where a supplier took it. lines: the oldest
    first; none where the payer takes the order to the supplier."""

    order_no: str
    zone: str
    pay_kind: str
    pay_value: str
    lines: tuple[TrialCall, ...]
