"""How much of its day's limits a channel used, counted in Redis for all processes.

One hash per channel and business day of its supplier: attempt number -> amount, and two fields of
its own. What counts is what the database says (`_COUNTED`), so a hash that is missing is built
from it, and an attempt that ended (or was paid after all) is looked at there. Redis only makes
the choice atomic. While it is away, the database is counted: then, and when Redis loses its data,
the limits can be passed by what other processes have in flight at that moment, and no more.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any, Final, cast
from uuid import UUID, uuid4

from redis.asyncio import Redis
from redis.exceptions import RedisError

from core.kernel.errors import Bug
from core.supply.channels.choice import Channel, Reason, Used, why_full
from core.system.store import Store

# Longer than any business day is.
KEPT: Final = timedelta(days=4)
_TRIES: Final = 5
_MAX_KEYS: Final = 10_000


@dataclass(frozen=True, slots=True)
class _Asked:
    """taken: the place of the channel that has room, and was taken; None: nothing was."""

    taken: int | None
    used: tuple[Used, ...]


@dataclass(frozen=True, slots=True)
class _Flying:
    """An attempt that was taken a channel for, and may not be in the database yet."""

    key: str
    minor: int


class Limits:
    """Takes and gives back room on channels that take only so much in a day."""

    def __init__(
        self, store: Store, redis: Redis, new_id: Callable[[], str] = lambda: uuid4().hex
    ) -> None:
        """new_id: never the same twice, in any process; each hash has one."""
        self._store = store
        self._redis = redis
        self._new_id = new_id
        self._flying: dict[str, _Flying] = {}
        self._made: dict[str, str] = {}  # the hash that was known last, by its id
        self._stale: set[str] = set()
        self._lock = asyncio.Lock()

    async def take(
        self, ranked: Sequence[Channel], minor: int, attempt_no: str
    ) -> tuple[Reason, ...]:
        """Take the first of these channels that has room for an attempt; why those before it have
        none. One round trip to Redis, and none where the first has no limits."""
        before = _limited_first(ranked)
        if not before:
            return ()
        asked = await self._ask(before, minor, attempt_no)
        full = before if asked.taken is None else before[: asked.taken]
        reasons = (why_full(c, u, minor) for c, u in zip(full, asked.used, strict=False))
        return tuple(reason for reason in reasons if reason is not None)

    async def used(self, channels: Sequence[Channel]) -> dict[str, Used]:
        """channel number -> what it took today; of those that have limits."""
        limited = [channel for channel in channels if channel.limited]
        if not limited:
            return {}
        asked = await self._ask(limited, 0, "")
        return {c.channel_no: used for c, used in zip(limited, asked.used, strict=True)}

    def has_taken(self, attempt_no: str) -> bool:
        """Whether a channel was taken for an attempt of which it is not known yet that it is in the
        database."""
        return attempt_no in self._flying

    def keep(self, attempt_no: str) -> None:
        """The attempt that took a channel is in the database, which counts it from now on."""
        self._flying.pop(attempt_no, None)

    async def recount(self, merchant_id: UUID, attempt_no: str) -> None:
        """Have an attempt counted as the database does: after it ended, was never written, or was
        paid after all. Harmless when it is said again."""
        row = await self._store.fetchrow(_COUNTS, merchant_id, attempt_no)
        flying = self._flying.pop(attempt_no, None)
        if row is not None:
            if not row["limited"]:
                return
            key = _key(row["channel_id"], row["channel_day"])
            minor = row["amount_minor"] if row["counts"] else None
        elif flying is not None:
            key, minor = flying.key, None
        else:
            return
        await self._set(key, attempt_no, minor)

    async def give_back(self, attempt_no: str) -> None:
        """The attempt that took a channel will not be written."""
        flying = self._flying.pop(attempt_no, None)
        if flying is not None:
            await self._set(flying.key, attempt_no, None)

    async def _set(self, key: str, attempt_no: str, minor: int | None) -> None:
        try:
            await self._eval(_SET, [key], attempt_no, "" if minor is None else str(minor))
        except (RedisError, OSError):
            self._stale.add(key)

    async def forget(self, channel_id: UUID, day: date) -> None:
        """Count anew at the next look: the limits were changed, and before there may have been
        none that anybody counted for."""
        key = _key(channel_id, day)
        try:
            await cast(Any, self._redis.delete(key))
        except (RedisError, OSError):
            self._stale.add(key)

    async def _ask(self, channels: Sequence[Channel], minor: int, attempt_no: str) -> _Asked:
        keys = [_key(channel.id, channel.today) for channel in channels]
        try:
            heard = ""
            for _ in range(_TRIES):
                await self._drop_stale(keys)
                asked = await self._ask_redis(keys, channels, minor, attempt_no, heard)
                if isinstance(asked, _Asked):
                    return asked
                heard = asked
                for channel in channels:
                    await self._build(channel)
        except (RedisError, OSError):
            self._stale.update(keys)
        return await self._ask_database(channels, minor, attempt_no)

    async def _ask_redis(
        self, keys: list[str], channels: Sequence[Channel], minor: int, attempt_no: str, heard: str
    ) -> _Asked | str:
        """A hash's id where it is not the known one, so that it may be from before the data was
        lost, and what it took went with that: it is believed when it is heard a second time.
        Empty: a hash is missing."""
        limits = [
            "" if limit is None else str(limit)
            for c in channels
            for limit in (c.day_limit_count, c.day_limit_minor)
        ]
        place, made, *said = await self._eval(_TAKE, keys, attempt_no, str(minor), *limits)
        if int(place) < 0:
            return ""
        taken = int(place) - 1 if int(place) else None
        if taken is not None:
            made = _text(made)
            if made not in (heard, self._made.get(keys[taken], made)):
                return made
            self._know(keys[taken], made)
            self._flying[attempt_no] = _Flying(keys[taken], minor)
        used = zip(map(int, said[::2]), map(int, said[1::2]), strict=True)
        return _Asked(taken, tuple(Used(count, of) for count, of in used))

    async def _build(self, channel: Channel) -> None:
        """Make a channel's hash from the database, where it is not there."""
        key = _key(channel.id, channel.today)
        async with self._lock:
            if await cast(Any, self._redis.exists(key)):
                return
            # Before the database is read: whatever is written meanwhile is in one or the other.
            fields = {no: f.minor for no, f in self._flying.items() if f.key == key}
            rows = await self._store.fetch(_COUNTED, channel.id, channel.today)
            fields |= {row["attempt_no"]: row["amount_minor"] for row in rows}
            flat = [str(part) for pair in fields.items() for part in pair]
            lives_s = str(int(KEPT.total_seconds()))
            self._know(key, _text(await self._eval(_BUILD, [key], lives_s, self._new_id(), *flat)))

    def _know(self, key: str, made: str) -> None:
        if len(self._made) > _MAX_KEYS:
            self._made.clear()
        self._made[key] = made

    async def _ask_database(
        self, channels: Sequence[Channel], minor: int, attempt_no: str
    ) -> _Asked:
        """Without Redis. One after another in this process, so that it does not overtake itself."""
        async with self._lock:
            pairs = [(channel.id, channel.today) for channel in channels]
            rows = await self._store.fetch(
                _SUMS, [pair[0] for pair in pairs], [pair[1] for pair in pairs], list(self._flying)
            )
            sums = {row["channel_id"]: Used(row["count"], row["minor"]) for row in rows}
            used, taken = [], None
            for place, channel in enumerate(channels):
                key = _key(channel.id, channel.today)
                there = sums.get(channel.id, Used(0, 0))
                flying = [f.minor for f in self._flying.values() if f.key == key]
                used.append(Used(there.count + len(flying), there.minor + sum(flying)))
                if attempt_no and taken is None and not why_full(channel, used[-1], minor):
                    taken = place
            if taken is not None:
                key = _key(channels[taken].id, channels[taken].today)
                self._flying[attempt_no] = _Flying(key, minor)
            return _Asked(taken, tuple(used))

    async def _drop_stale(self, keys: list[str]) -> None:
        """What was counted while Redis was away is not in it."""
        stale = self._stale.intersection(keys)
        if stale:
            await cast(Any, self._redis.delete(*stale))
            self._stale -= stale

    async def _eval(self, script: str, keys: list[str], *values: str) -> Any:
        return await cast(Any, self._redis.eval(script, len(keys), *keys, *values))


def _text(value: bytes | str) -> str:
    return value.decode() if isinstance(value, bytes) else value


def _limited_first(ranked: Sequence[Channel]) -> list[Channel]:
    """The channels with limits before the first without: that one has room."""
    for place, channel in enumerate(ranked):
        if not channel.limited:
            return list(ranked[:place])
    return list(ranked)


def _key(channel_id: UUID, day: date | None) -> str:
    """The braces put all of them on one node of a cluster, so that a script may touch several."""
    if day is None:
        raise Bug("an attempt without the day it counts in")
    return f"paydesk:{{channels}}:{channel_id}:{day.isoformat()}"


# What counts: what was paid, or may still be while its order waits for it. Money that was seen
# counts, whatever became of it.
_COUNTING: Final = """(
    a.state = 'paid'
    OR a.state IN ('created', 'sent', 'accepted', 'unknown')
       AND o.state NOT IN ('failed', 'expired', 'closed')
    OR EXISTS (SELECT FROM supplier_payment p WHERE p.merchant_id = a.merchant_id
               AND p.order_id = a.order_id AND p.attempt_no = a.attempt_no)
)"""
# Each order is looked for by itself (OFFSET 0), or all orders that ever were would be read.
_ATTEMPTS: Final = """
FROM attempt a CROSS JOIN LATERAL (
    SELECT state FROM orders
    WHERE merchant_id = a.merchant_id AND id = a.order_id AND created_at = a.order_created_at
    OFFSET 0
) o
"""
# An attempt of a day has no order that was created days later: months to come are not looked at.
_MADE_BY_THEN: Final = "a.order_created_at < ({day} + interval '4 days') AT TIME ZONE 'UTC'"
_COUNTED: Final = f"""
SELECT a.attempt_no, a.amount_minor {_ATTEMPTS}
WHERE a.channel_id = $1 AND a.channel_day = $2 AND {_COUNTING}
  AND {_MADE_BY_THEN.format(day="$2")}
"""
# $1, $2 channels and their days, $3 attempts that are counted elsewhere.
_SUMS: Final = f"""
SELECT a.channel_id, count(*) AS count, sum(a.amount_minor)::bigint AS minor {_ATTEMPTS}
JOIN unnest($1::uuid[], $2::date[]) AS c (id, day)
    ON c.id = a.channel_id AND c.day = a.channel_day
WHERE {_COUNTING} AND a.attempt_no <> ALL($3) AND {_MADE_BY_THEN.format(day="c.day")}
GROUP BY a.channel_id
"""
_COUNTS: Final = f"""
SELECT a.channel_id, a.channel_day, a.amount_minor, {_COUNTING} AS counts,
       num_nonnulls(c.day_limit_minor, c.day_limit_count) > 0 AS limited
{_ATTEMPTS} JOIN channel c ON c.id = a.channel_id
WHERE a.merchant_id = $1 AND a.attempt_no = $2
  AND a.order_created_at >= number_month($2) AND a.order_created_at < number_month($2, 1)
"""

# KEYS: hashes in the order of choice. ARGV: attempt (empty: only look), amount, then for each the
# most orders and the most money ('' where there is none). Answers -1 where one is missing, else
# the place taken (0: none), that hash's id, and what each has, before it.
_TAKE: Final = """
local said = {0, ''}
for i = 1, #KEYS do
    local kept = redis.call('HMGET', KEYS[i], '#sum', '#made')
    if not kept[1] then return {-1, ''} end
    local count, sum = redis.call('HLEN', KEYS[i]) - 2, tonumber(kept[1])
    local most, limit = ARGV[2 * i + 1], ARGV[2 * i + 2]
    if ARGV[1] ~= '' and said[1] == 0 and (most == '' or count + 1 <= tonumber(most))
            and (limit == '' or sum + tonumber(ARGV[2]) <= tonumber(limit)) then
        said[1], said[2] = i, kept[2]
    end
    said[#said + 1], said[#said + 2] = count, sum
end
if said[1] > 0 and redis.call('HSETNX', KEYS[said[1]], ARGV[1], ARGV[2]) == 1 then
    redis.call('HINCRBY', KEYS[said[1]], '#sum', ARGV[2])
end
return said
"""
# KEYS[1]: a hash. ARGV: seconds to live, its id, then attempts and amounts. Answers the id it has.
_BUILD: Final = """
local there = redis.call('HGET', KEYS[1], '#made')
if there then return there end
local sum = 0
for i = 3, #ARGV, 2 do
    redis.call('HSET', KEYS[1], ARGV[i], ARGV[i + 1])
    sum = sum + tonumber(ARGV[i + 1])
end
redis.call('HSET', KEYS[1], '#sum', string.format('%.0f', sum), '#made', ARGV[2])
redis.call('EXPIRE', KEYS[1], ARGV[1])
return ARGV[2]
"""
# KEYS[1]: a hash. ARGV: attempt, amount ('' where it does not count).
_SET: Final = """
local sum = redis.call('HGET', KEYS[1], '#sum')
if not sum then return 0 end
local there = redis.call('HGET', KEYS[1], ARGV[1])
if ARGV[2] ~= '' and not there then
    redis.call('HSET', KEYS[1], ARGV[1], ARGV[2])
    redis.call('HINCRBY', KEYS[1], '#sum', ARGV[2])
elseif ARGV[2] == '' and there then
    redis.call('HDEL', KEYS[1], ARGV[1])
    redis.call('HINCRBY', KEYS[1], '#sum', '-' .. there)
end
return 1
"""
