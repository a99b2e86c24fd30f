"""What a second person is asked about a colleague."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import ClassVar

from core.people.approvals import SecondQuestion
from core.people.people import Change, Standing
from core.people.staff.rules import RIGHT


@dataclass(frozen=True, slots=True)
class HireQuestion(SecondQuestion):
    """Whether somebody may move money, or approve, from now on. user_id, name: of whom it is about.
    before: how that person stood when it was asked. invited: the person opened a link, and is
    told."""

    kind: ClassVar[str] = "hire"
    open_for: ClassVar[timedelta] = timedelta(hours=1)
    right: ClassVar[str] = RIGHT
    user_id: int
    name: str
    change: Change
    before: Standing
    invited: bool

    @property
    def after(self) -> Standing:
        """How the person stands if it is approved."""
        return self.before.after(self.change)
