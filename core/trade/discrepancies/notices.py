"""What people are asked and told about money in suspense."""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID

from core.delivery.outbox import Notice
from core.trade.discrepancies.decisions import ResolveQuestion
from core.trade.discrepancies.rows import Discrepancy, Resolution


@dataclass(frozen=True, slots=True)
class DiscrepancyNotice(Notice):
    """A discrepancy's card: how it stands, and what became of its money so far. Where others than
    staff read along, its supplier is empty."""

    discrepancy: Discrepancy
    resolved: tuple[Resolution, ...]


@dataclass(frozen=True, slots=True)
class ResolveQuestionNotice(Notice):
    """Asks why, and then whether to do it. approval_id: goes under the buttons."""

    approval_id: UUID
    question: ResolveQuestion


@dataclass(frozen=True, slots=True)
class ResolveWaits(Notice):
    """Whoever asked has proven it: a second person decides."""

    question: ResolveQuestion


@dataclass(frozen=True, slots=True)
class Resolved(Notice):
    """It was done as the question says. approved_by: the second person; empty where none was
    needed."""

    question: ResolveQuestion
    approved_by: str = ""
