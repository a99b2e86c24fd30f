"""What ops is told of second factors."""

from __future__ import annotations

from dataclasses import dataclass

from core.delivery.outbox import Notice
from core.people.alarms import Incident


@dataclass(frozen=True, slots=True)
class AlarmFactor(Incident):
    """Somebody gave wrong codes or passwords until the factor was locked. minutes: for so long."""

    user_id: int
    name: str
    tries: int
    minutes: int


@dataclass(frozen=True, slots=True)
class FactorAdded(Notice):
    """Somebody proves with this as well from now on. kind: totp or password."""

    user_id: int
    name: str
    kind: str
