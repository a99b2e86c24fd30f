"""Limits shared by all processes through Redis; where Redis is away, limits of this process.

Every limit is a sliding window over the times of what was let through, so that a burst at the
edge of two windows cannot be twice the limit.
"""

from __future__ import annotations

import secrets
import time
from collections import defaultdict, deque
from dataclasses import dataclass
from typing import Any, Final, cast

import structlog
from redis.asyncio import Redis
from redis.exceptions import RedisError

_LOG = structlog.get_logger(__name__)
_MAX_LOCAL_KEYS: Final = 10_000

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


class Throttle:
    """Sliding-window limits."""

    def __init__(self, redis: Redis) -> None:
        self._redis = redis
        self._local: defaultdict[str, deque[float]] = defaultdict(deque)
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
            return self._local_room(key, limit)
        return int(wait_ms) / 1000

    def _local_room(self, key: str, limit: Limit) -> float:
        now = time.monotonic()
        if len(self._local) > _MAX_LOCAL_KEYS:
            self._local.clear()
        times = self._local[key]
        while times and times[0] <= now - limit.window_s:
            times.popleft()
        if len(times) < limit.times:
            times.append(now)
            return 0.0
        return max(0.001, times[0] + limit.window_s - now)

    async def answers(self) -> bool:
        """Whether Redis answers, for /readyz."""
        try:
            return bool(await cast(Any, self._redis.ping()))
        except (RedisError, OSError):
            return False
