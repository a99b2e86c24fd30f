"""Telegram's send limits as sliding windows."""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Callable, Hashable

from sandbox.telegram.errors import too_many

GROUP_MESSAGES = 20
GROUP_WINDOW_S = 60.0
ALL_MESSAGES = 30
ALL_WINDOW_S = 1.0
REACTIONS = 20
REACTION_WINDOW_S = 60.0


class Limits:
    """Counts what a bot sends; a call that does not fit is refused whole with 429.

    Edits are not counted. The windows start empty with the process, as they are short.
    """

    def __init__(self, now: Callable[[], float]) -> None:
        self._now = now
        self._sent: dict[Hashable, deque[float]] = {}

    def send(self, chat_id: int, count: int = 1) -> None:
        """Count `count` new messages in a chat; groups have negative ids."""
        windows: list[tuple[Hashable, int, float]] = [("all", ALL_MESSAGES, ALL_WINDOW_S)]
        if chat_id < 0:
            windows.append((("group", chat_id), GROUP_MESSAGES, GROUP_WINDOW_S))
        self._take(windows, count)

    def react(self, chat_id: int) -> None:
        """Count one reaction in a chat."""
        self._take([(("reaction", chat_id), REACTIONS, REACTION_WINDOW_S)], 1)

    def _take(self, windows: list[tuple[Hashable, int, float]], count: int) -> None:
        now = self._now()
        wait_s = 0.0
        for key, most, window_s in windows:
            times = self._sent.setdefault(key, deque())
            while times and times[0] <= now - window_s:
                times.popleft()
            if times and len(times) + count > most:
                over = min(len(times) + count - most, len(times))
                wait_s = max(wait_s, times[over - 1] + window_s - now)
        if wait_s > 0:
            raise too_many(max(1, math.ceil(wait_s)))
        for key, _, _ in windows:
            self._sent[key].extend([now] * count)
