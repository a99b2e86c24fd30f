"""Limits shared by all processes through Redis; where Redis is away, limits of this process.

Every limit is a sliding window over the times of what was let through, so that a burst at the
edge of two windows cannot be twice the limit.
"""

from __future__ import annotations

import math
import secrets
import time
from collections import OrderedDict, deque
from dataclasses import dataclass
from itertools import islice
from typing import Any, Final, cast

import structlog
from redis.asyncio import Redis
from redis.exceptions import RedisError

_LOG = structlog.get_logger(__name__)
MAX_LOCAL_KEYS: Final = 10_000
# Among how many of those that were used longest ago one is chosen that has to go.
_LOOKED_AT: Final = 64

# KEYS[1]: a sorted set of times in ms. ARGV: limit, window ms, unique member.
# Answers 0 when let through, else the ms until there is room.
_WINDOW: Final = """
local t = redis.call('TIME')
local now = t[1] * 1000 + math.floor(t[2] / 1000)
local limit, window = tonumber(ARGV[1]), tonumber(ARGV[2])
redis.call('ZREMRANGEBYSCORE', KEYS[1], '-inf', now - window)
if redis.call('ZCARD', KEYS[1]) < limit then
    redis.call('ZADD', KEYS[1], now, ARGV[3])
    redis.call('PEXPIRE', KEYS[1], window)
    return 0
end
local oldest = redis.call('ZRANGE', KEYS[1], 0, 0, 'WITHSCORES')
return math.max(1, tonumber(oldest[2]) + window - now)
"""


@dataclass(frozen=True, slots=True)
class Limit:
    """At most `times` in any `window_s` seconds."""

    times: int
    window_s: float


@dataclass(slots=True)
class _Window:
    """What one key was let through, and for how long that counts."""

    limit: Limit
    times_s: deque[float]

    def used(self, now_s: float) -> float:
        """How much of the limit is used up, from 0 (nothing counts any more) to 1."""
        while self.times_s and self.times_s[0] <= now_s - self.limit.window_s:
            self.times_s.popleft()
        return len(self.times_s) / self.limit.times


class LocalLimits:
    """Limits of this process, for at most `max_keys` keys.

    Whoever asks under ever new names must not make us forget who is at a limit. So where another
    key needs room, one goes that counts no more; where there is none, the one that used the least
    of its limit, among those that were used longest ago.
    """

    def __init__(self, max_keys: int = MAX_LOCAL_KEYS) -> None:
        self._max_keys = max_keys
        self._windows: OrderedDict[str, _Window] = OrderedDict()  # the last used last

    def __len__(self) -> int:
        return len(self._windows)

    def room(self, key: str, limit: Limit, now_s: float) -> float:
        """As `Throttle.room`. now_s: of a clock that only goes forward."""
        window = self._windows.get(key)
        if window is None:
            if len(self._windows) >= self._max_keys:
                self._forget_one(now_s)
            window = self._windows[key] = _Window(limit, deque())
        self._windows.move_to_end(key)
        window.limit = limit
        window.used(now_s)
        if len(window.times_s) < limit.times:
            window.times_s.append(now_s)
            return 0.0
        return max(0.001, window.times_s[0] + limit.window_s - now_s)

    def _forget_one(self, now_s: float) -> None:
        least, least_used = "", math.inf
        for key in list(islice(self._windows, _LOOKED_AT)):
            used = self._windows[key].used(now_s)
            if used < least_used:
                least, least_used = key, used
            if not used:
                break
            self._windows.move_to_end(key)  # others are looked at the next time
        del self._windows[least]


class Throttle:
    """Sliding-window limits."""

    def __init__(self, redis: Redis) -> None:
        self._redis = redis
        self._local = LocalLimits()
        self._token = secrets.token_hex(8)  # no two processes may count as one
        self._count = 0

    async def room(self, key: str, limit: Limit) -> float:
        """0 when this one may pass (and is counted), else the seconds until there is room."""
        self._count += 1
        member = f"{self._token}:{self._count}"
        try:
            wait_ms = await cast(
                Any,
                self._redis.eval(
                    _WINDOW,
                    1,
                    f"paydesk:limit:{key}",
                    str(limit.times),
                    str(int(limit.window_s * 1000)),
                    member,
                ),
            )
        except (RedisError, OSError) as error:
            _LOG.warning("redis is away; limits are local", fault=str(error))
            return self._local.room(key, limit, time.monotonic())
        return int(wait_ms) / 1000

    async def answers(self) -> bool:
        """Whether Redis answers, for /readyz."""
        try:
            return bool(await cast(Any, self._redis.ping()))
        except (RedisError, OSError):
            return False
