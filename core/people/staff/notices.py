"""What is told of colleagues."""

from __future__ import annotations

from dataclasses import dataclass

from core.delivery.outbox import Notice
from core.people.people import Change


@dataclass(frozen=True, slots=True)
class StaffChanged(Notice):
    """Told to ops: somebody is made something. before: the role of before; empty for who was not of
    the staff. actor_name: who made the change; approved_by: the second person, where one was
    asked."""

    user_id: int
    name: str
    change: Change
    before: str
    actor_name: str
    approved_by: str


@dataclass(frozen=True, slots=True)
class Hired(Notice):
    """Told to whoever opened a link: you are a colleague now."""

    role: str


@dataclass(frozen=True, slots=True)
class TurnedAway(Notice):
    """Told to whoever opened a link: a second person said no."""
