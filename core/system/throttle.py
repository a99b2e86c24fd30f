"""Limits shared by all processes through Redis; where Redis is away, limits of this process.

Every limit is a sliding window over the times of what was let through, so that a burst at the
edge of two windows cannot be twice the limit.
"""

from __future__ import annotations

import math
import secrets
import time
from collections import OrderedDict, deque
from collections.abc import Callable, Collection, Mapping
from contextlib import suppress
from dataclasses import dataclass
from itertools import islice
from typing import Any, Final, cast

from redis.asyncio import Redis
from redis.exceptions import RedisError

MAX_LOCAL_KEYS: Final = 10_000
# Among how many of those that were used longest ago one is chosen that has to go.
_LOOKED_AT: Final = 64

# KEYS: sorted sets of times in ms. ARGV: a unique member, then limit and window ms of each key.
# Answers 0 when all let it through, else the ms until all have room; then none has counted it.
_WINDOWS: Final = """
local t = redis.call('TIME')
local now = t[1] * 1000 + math.floor(t[2] / 1000)
local wait = 0
for i, key in ipairs(KEYS) do
    local limit, window = tonumber(ARGV[2 * i]), tonumber(ARGV[2 * i + 1])
    redis.call('ZREMRANGEBYSCORE', key, '-inf', now - window)
    local over = redis.call('ZCARD', key) - limit
    if over >= 0 then  -- others may use more of this window: so many have to go first
        local last = redis.call('ZRANGE', key, over, over, 'WITHSCORES')
        wait = math.max(wait, 1, tonumber(last[2]) + window - now)
    end
end
if wait == 0 then
    for i, key in ipairs(KEYS) do
        redis.call('ZADD', key, now, ARGV[1])
        redis.call('PEXPIRE', key, ARGV[2 * i + 1])
    end
end
return wait
"""
# KEYS: sorted sets. ARGV: a member, which counts from now on where it counts at all.
_AGAIN: Final = """
local t = redis.call('TIME')
local now = t[1] * 1000 + math.floor(t[2] / 1000)
for i, key in ipairs(KEYS) do
    redis.call('ZADD', key, 'XX', now, ARGV[1])
end
return 0
"""
_USED: Final = """
local t = redis.call('TIME')
local now = t[1] * 1000 + math.floor(t[2] / 1000)
return redis.call('ZCOUNT', KEYS[1], '(' .. (now - ARGV[1]), '+inf')
"""


@dataclass(frozen=True, slots=True)
class Limit:
    """At most `times` in any `window_s` seconds.

    Of one name others may be let through more often: they share the window, and what they were let
    through counts for all.
    """

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

    def wait_s(self, now_s: float) -> float:
        """0 where there is room, else the seconds until there is."""
        if self.used(now_s) < 1:
            return 0.0
        over = len(self.times_s) - self.limit.times
        return max(0.001, self.times_s[over] + self.limit.window_s - now_s)


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

    def room(self, limits: Mapping[str, Limit], now_s: float) -> float:
        """As `Throttle.room`. now_s: of a clock that only goes forward."""
        wait_s = self.wait_s(limits, now_s)
        if not wait_s:
            self.count(limits, now_s)
        return wait_s

    def wait_s(self, limits: Mapping[str, Limit], now_s: float) -> float:
        """As `room`, but nothing is counted."""
        return max(self._window(key, limit, now_s).wait_s(now_s) for key, limit in limits.items())

    def count(self, limits: Mapping[str, Limit], now_s: float) -> None:
        """One was let through under all these limits."""
        for key, limit in limits.items():
            self._window(key, limit, now_s).times_s.append(now_s)

    def count_again(self, keys: Collection[str], since_s: float, now_s: float) -> None:
        """What was counted at `since_s` counts from now on instead."""
        for key in keys:
            window = self._windows.get(key)
            if window is not None and since_s in window.times_s:
                window.times_s.remove(since_s)
                window.times_s.append(now_s)

    def used(self, key: str, window_s: float, now_s: float) -> int:
        """As `Throttle.used`."""
        window = self._windows.get(key)
        if window is None:
            return 0
        return sum(time_s > now_s - window_s for time_s in window.times_s)

    def wait(self, key: str, limit: Limit, now_s: float) -> float:
        """The seconds until there is room under one limit; 0 where there is. Nothing is counted."""
        window = self._windows.get(key)
        if window is None:
            return 0.0
        window.limit = limit
        return window.wait_s(now_s)

    def counts(self, key: str, now_s: float) -> bool:
        """Whether anything was let through under this name that still counts."""
        window = self._windows.get(key)
        return window is not None and window.used(now_s) > 0

    def _window(self, key: str, limit: Limit, now_s: float) -> _Window:
        window = self._windows.get(key)
        if window is None:
            if len(self._windows) >= self._max_keys:
                self._forget_one(now_s)
            window = self._windows[key] = _Window(limit, deque())
        self._windows.move_to_end(key)
        window.limit = limit
        return window

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


@dataclass(frozen=True, slots=True)
class Pass:
    """One that was let through. member: its name in Redis. at_s: when, by this process."""

    member: str
    at_s: float


class Throttle:
    """Sliding-window limits.

    This process knows what it let through itself, whoever counted that: where Redis goes away or
    comes back, neither begins with empty windows.
    """

    def __init__(self, redis: Redis, steady_s: Callable[[], float] = time.monotonic) -> None:
        """steady_s: seconds since any moment."""
        self._redis = redis
        self._steady_s = steady_s
        self._local = LocalLimits()
        self._token = secrets.token_hex(8)  # no two processes may count as one
        self._count = 0

    async def room(self, limits: Mapping[str, Limit]) -> float:
        """0 when this one may pass under all these limits, by their names, and is counted; else the
        seconds until there is room under all, and then it is counted under none."""
        passed = await self.ask(limits)
        return 0.0 if isinstance(passed, Pass) else passed

    async def ask(self, limits: Mapping[str, Limit]) -> Pass | float:
        """As `room`, for one that may have to be counted anew: see `count_again`."""
        if wait_s := self._local.wait_s(limits, self._steady_s()):
            return wait_s
        self._count += 1
        member = f"{self._token}:{self._count}"
        arguments = [member]
        for limit in limits.values():
            arguments += [str(limit.times), str(int(limit.window_s * 1000))]
        names = [_name(key) for key in limits]
        try:
            wait_ms = await cast(Any, self._redis.eval(_WINDOWS, len(names), *names, *arguments))
        except (RedisError, OSError):
            at_s = self._steady_s()
            return self._local.room(limits, at_s) or Pass(member, at_s)
        if wait_ms:
            return int(wait_ms) / 1000
        at_s = self._steady_s()
        self._local.count(limits, at_s)
        return Pass(member, at_s)

    async def count_again(self, keys: Collection[str], passed: Pass) -> None:
        """It counts from now on: when it was let through it had only set out, and nobody knows when
        it arrived but that it did by now."""
        self._local.count_again(keys, passed.at_s, self._steady_s())
        names = [_name(key) for key in keys]
        with suppress(RedisError, OSError):
            await cast(Any, self._redis.eval(_AGAIN, len(names), *names, passed.member))

    def known_wait_s(self, limits: Mapping[str, Limit]) -> float:
        """As `room`, by what this process let through itself: nobody is asked, nothing counted."""
        return self._local.wait_s(limits, self._steady_s())

    async def used(self, key: str, window_s: float) -> int:
        """How many were let through under this name in the last `window_s` seconds."""
        try:
            name, window_ms = _name(key), str(int(window_s * 1000))
            return int(await cast(Any, self._redis.eval(_USED, 1, name, window_ms)))
        except (RedisError, OSError):
            return self._local.used(key, window_s, self._steady_s())

    async def answers(self) -> bool:
        """Whether Redis answers, for /readyz."""
        try:
            return bool(await cast(Any, self._redis.ping()))
        except (RedisError, OSError):
            return False


def _name(key: str) -> str:
    return f"paydesk:limit:{key}"
