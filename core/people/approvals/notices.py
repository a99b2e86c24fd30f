"""What is told of approvals beside their cards."""

from __future__ import annotations

from dataclasses import dataclass

from core.delivery.outbox import Notice


@dataclass(frozen=True, slots=True)
class ApprovedAlone(Notice):
    """Somebody said yes to what was asked by the same person, for nobody else could. kind: of the
    question."""

    kind: str
    actor_name: str
    minutes: int
