"""Colleagues: how somebody becomes one, what each may do, and how it ends."""

from __future__ import annotations

from core.people.staff.invitations import Invitation, Invitations, Joined, OpenLink
from core.people.staff.notices import Hired, StaffChanged, TurnedAway
from core.people.staff.questions import HireQuestion
from core.people.staff.rules import need_may_change
from core.people.staff.staff import Outcome, Staff, Waits, seen

__all__ = [
    "HireQuestion",
    "Hired",
    "Invitation",
    "Invitations",
    "Joined",
    "OpenLink",
    "Outcome",
    "Staff",
    "StaffChanged",
    "TurnedAway",
    "Waits",
    "need_may_change",
    "seen",
]
