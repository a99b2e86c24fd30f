"""Telegram's send limits as sliding windows."""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Callable, Hashable
from dataclasses import dataclass

from sandbox.telegram.errors import too_many

GROUP_MESSAGES = 20
GROUP_WINDOW_S = 60.0
ALL_MESSAGES = 30
ALL_WINDOW_S = 1.0
REACTIONS = 20
REACTION_WINDOW_S = 60.0


@dataclass(slots=True)
class Strictness:
    """What of Telegram's limits is disputed. edits_count: an edit spends its group's window as a
    message does. chat_closes: after a 429 a chat takes nothing, of whatever kind, until its time
    is over."""

    edits_count: bool = False
    chat_closes: bool = False


class Limits:
    """Counts what a bot sends; a call that does not fit is refused whole with 429.

    The windows start empty with the process, as they are short. refused: how many calls did not
    fit since then.
    """

    def __init__(self, now: Callable[[], float]) -> None:
        self.strict = Strictness()
        self.refused = 0
        self._now = now
        self._sent: dict[Hashable, deque[float]] = {}
        self._closed_until: dict[int, float] = {}

    def send(self, chat_id: int, count: int = 1) -> None:
        """Count `count` new messages in a chat; groups have negative ids."""
        windows: list[tuple[Hashable, int, float]] = [("all", ALL_MESSAGES, ALL_WINDOW_S)]
        if chat_id < 0:
            windows.append((("group", chat_id), GROUP_MESSAGES, GROUP_WINDOW_S))
        self._take(chat_id, windows, count)

    def edit(self, chat_id: int) -> None:
        """Count an edit, where edits count."""
        if self.strict.edits_count:
            self.send(chat_id)
        else:
            self._take(chat_id, [], 1)

    def react(self, chat_id: int) -> None:
        """Count one reaction in a chat."""
        self._take(chat_id, [(("reaction", chat_id), REACTIONS, REACTION_WINDOW_S)], 1)

    def close(self, chat_id: int, seconds: float) -> None:
        """A chat was answered with 429: it takes nothing for so long, where chats close."""
        if self.strict.chat_closes:
            self._closed_until[chat_id] = self._now() + seconds

    def _take(self, chat_id: int, windows: list[tuple[Hashable, int, float]], count: int) -> None:
        now = self._now()
        wait_s = max(0.0, self._closed_until.get(chat_id, now) - now)
        for key, most, window_s in windows:
            times = self._sent.setdefault(key, deque())
            while times and times[0] <= now - window_s:
                times.popleft()
            if times and len(times) + count > most:
                over = min(len(times) + count - most, len(times))
                wait_s = max(wait_s, times[over - 1] + window_s - now)
        if wait_s > 0:
            retry_after_s = max(1, math.ceil(wait_s))
            self.close(chat_id, retry_after_s)
            self.refused += 1
            raise too_many(retry_after_s)
        for key, _, _ in windows:
            self._sent[key].extend([now] * count)
