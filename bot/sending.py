"""What everybody who sends to Telegram shares: its words for what went wrong, and the budget."""

from __future__ import annotations

from typing import Final

from core.throttle import Limit

OVERALL: Final = Limit(25, 1.0)
UNCHANGED: Final = "message is not modified"
NOT_THERE: Final = ("message to delete not found", "message can't be deleted")
GONE: Final = ("message to edit not found", "message can't be edited", "MESSAGE_ID_INVALID")


class Full(Exception):
    """The chat's budget is used up for so many seconds."""

    def __init__(self, seconds: float) -> None:
        self.seconds = seconds
        super().__init__(f"no room for {seconds:.1f} s")
