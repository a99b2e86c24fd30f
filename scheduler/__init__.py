"""What happens by the clock."""

from __future__ import annotations

from scheduler.app import Timetable

__all__ = ["Timetable"]
