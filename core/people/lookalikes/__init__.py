"""Lookalikes: somebody in a group who goes by the name of one of the staff."""

from __future__ import annotations

from core.people.lookalikes.lookalikes import (
    AlarmLookalike,
    Lookalikes,
    LookalikeWarning,
    StaffRenamed,
)
from core.people.lookalikes.skeletons import Named, looks_like, skeleton

__all__ = [
    "AlarmLookalike",
    "LookalikeWarning",
    "Lookalikes",
    "Named",
    "StaffRenamed",
    "looks_like",
    "skeleton",
]
