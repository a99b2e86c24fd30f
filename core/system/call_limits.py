"""How often each name may call in a second, decided at once by what this process knows.

A question of Redis for each call would cost more than most answers do. So a process counts its own
calls, and tells the others' processes of them through Redis, all names together, TELLS_PER_S times
a second; the answer says what the others let through meanwhile. All of them together may pass a
limit by what they let through in such a moment. Where Redis is away, each has the limit for itself.
"""

from __future__ import annotations

import asyncio
import secrets
import time
from collections import Counter
from collections.abc import Callable
from contextlib import suppress
from contextvars import Context
from dataclasses import dataclass
from typing import Any, Final, cast

from redis.asyncio import Redis
from redis.exceptions import RedisError

from core.system.throttle import Limit, LocalLimits

WINDOW_S: Final = 1.0
TELLS_PER_S: Final = 10

# KEYS: a hash of each name: "process:slice" -> calls. ARGV: the process, how long a slice is in ms,
# how many count, then the calls of each name. Answers what other processes let through of each.
_TELL: Final = """
local t = redis.call('TIME')
local now = math.floor((t[1] * 1000 + math.floor(t[2] / 1000)) / ARGV[2])
local others = {}
for i, key in ipairs(KEYS) do
    redis.call('HINCRBY', key, ARGV[1] .. ':' .. now, ARGV[3 + i])
    redis.call('PEXPIRE', key, 2 * ARGV[2] * ARGV[3])
    local sum, all = 0, redis.call('HGETALL', key)
    for place = 1, #all, 2 do
        local process, slice = string.match(all[place], '^(.*):(%d+)$')
        if tonumber(slice) <= now - ARGV[3] then
            redis.call('HDEL', key, all[place])
        elseif process ~= ARGV[1] then
            sum = sum + all[place + 1]
        end
    end
    others[i] = sum
end
return others
"""


@dataclass(frozen=True, slots=True)
class _Heard:
    """What other processes had let through under one name, and when that was said."""

    calls: int
    at_s: float

    def counts(self, now_s: float) -> bool:
        return now_s < self.at_s + WINDOW_S


class CallLimits:
    """Limits of calls a second, by names."""

    def __init__(self, redis: Redis, steady_s: Callable[[], float] = time.monotonic) -> None:
        """steady_s: seconds since any moment."""
        self._redis = redis
        self._steady_s = steady_s
        self._token = secrets.token_hex(8)
        self._own = LocalLimits()
        self._untold: Counter[str] = Counter()
        self._heard: dict[str, _Heard] = {}
        self._telling: asyncio.Task[None] | None = None
        self._asks = False

    def room(self, name: str, per_s: int) -> float:
        """0 when this call may pass, and is counted; else the seconds until one may."""
        now_s = self._steady_s()
        heard = self._heard.get(name)
        others = heard.calls if heard is not None and heard.counts(now_s) else 0
        if others >= per_s:
            return WINDOW_S
        wait_s = self._own.room({name: Limit(per_s - others, WINDOW_S)}, now_s)
        if not wait_s:
            self._untold[name] += 1
            if self._telling is None or self._telling.done():
                # In a context of its own: it is nobody's in particular.
                self._telling = asyncio.create_task(
                    self._tell(), name="call-limits", context=Context()
                )
        return wait_s

    async def close(self) -> None:
        """Tell no more. A question under way has its answer first: cut off while it connects, its
        connection would be nobody's."""
        self._untold.clear()
        if self._telling is not None:
            if not self._asks:
                self._telling.cancel()
            with suppress(asyncio.CancelledError):
                await self._telling

    async def _tell(self) -> None:
        """Until there is nothing to tell of."""
        while self._untold:
            await asyncio.sleep(WINDOW_S / TELLS_PER_S)
            told, self._untold = self._untold, Counter()
            self._asks = True
            names = [f"paydesk:calls:{name}" for name in told]
            slice_ms = int(WINDOW_S * 1000) // TELLS_PER_S
            arguments = [self._token, *map(str, (slice_ms, TELLS_PER_S, *told.values()))]
            try:
                others = await cast(Any, self._redis.eval(_TELL, len(names), *names, *arguments))
            except (RedisError, OSError):
                continue
            finally:
                self._asks = False
            now_s = self._steady_s()
            still = {name: heard for name, heard in self._heard.items() if heard.counts(now_s)}
            fresh = zip(told, (_Heard(int(calls), now_s) for calls in others), strict=True)
            self._heard = {**still, **dict(fresh)}
