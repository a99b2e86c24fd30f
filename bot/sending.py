"""What everybody who sends to Telegram shares: its words for what went wrong, and the budget."""

from __future__ import annotations

from typing import Final

from core.throttle import Limit, Throttle

OVERALL: Final = Limit(25, 1.0)
_MINUTE_S: Final = 60.0
UNCHANGED: Final = "message is not modified"
NOT_THERE: Final = ("message to delete not found", "message can't be deleted")
GONE: Final = ("message to edit not found", "message can't be edited", "MESSAGE_ID_INVALID")


class Full(Exception):
    """The chat's budget is used up for so many seconds."""

    def __init__(self, seconds: float) -> None:
        self.seconds = seconds
        super().__init__(f"no room for {seconds:.1f} s")


class Budget:
    """What may be sent: Telegram counts messages of a group in a sliding minute, and all in a
    second. Both are taken, or neither: a message that waits uses up nothing."""

    def __init__(self, throttle: Throttle, group_per_min: int) -> None:
        self._throttle = throttle
        self._per_group = Limit(group_per_min, _MINUTE_S)

    async def take(self, chat_id: int) -> None:
        """Count one message to a chat. Raises Full."""
        limits = {"telegram:all": OVERALL}
        if chat_id < 0:
            limits[f"telegram:{chat_id}"] = self._per_group
        if wait_s := await self._throttle.room(limits):
            raise Full(wait_s)
