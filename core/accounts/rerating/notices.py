"""What people are asked and told about charging past orders anew."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from typing import ClassVar
from uuid import UUID

from core.accounts.rerating.comparison import RerateDay
from core.delivery.outbox import Notice
from core.kernel.tariff import TiersBy
from core.people.approvals import Question, SecondQuestion
from core.supply.margins import Loss


@dataclass(frozen=True, slots=True)
class RerateQuestion(Question):
    """A preview as it was shown. tiers: of the tariff, packed. lines: its first days; more_days:
    how many others there are. until, mark: as in `Seen`."""

    kind: ClassVar[str] = "rerate"
    merchant_id: UUID
    merchant_no: str
    merchant_name: str
    product_code: str
    tiers_by: TiersBy
    tiers: tuple[dict[str, int], ...]
    tariff_text: str
    first_day: date
    last_day: date
    currency: str
    orders: int
    changed: int
    left_out: int
    fee_then_minor: int
    fee_now_minor: int
    difference_minor: int
    lines: tuple[RerateDay, ...]
    until: datetime
    mark: str
    more_days: int
    actor_name: str


@dataclass(frozen=True, slots=True)
class RerateApproval(RerateQuestion, SecondQuestion):
    """The same, of a second person: it moves much, or is below cost. losses: where it is."""

    kind: ClassVar[str] = "rerate_second"
    right: ClassVar[str] = "price"
    losses: tuple[Loss, ...]


@dataclass(frozen=True, slots=True)
class RerateQuestionNotice(Notice):
    """The preview, and whether to book it. approval_id: goes under the buttons."""

    approval_id: UUID
    question: RerateQuestion


@dataclass(frozen=True, slots=True)
class RerateWaits(Notice):
    """Whoever asked said yes: a second person decides."""

    question: RerateQuestion


@dataclass(frozen=True, slots=True)
class Rerated(Notice):
    """The difference was booked as it was shown. booked_on: the business day. approved_by: the
    second person; empty where none was needed."""

    question: RerateQuestion
    booked_on: date
    approved_by: str = ""


@dataclass(frozen=True, slots=True)
class RerateDropped(Notice):
    """The question was answered with no: nothing was charged anew."""

    question: RerateQuestion
