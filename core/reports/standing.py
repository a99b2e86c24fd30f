"""How the desk stands: what waits, what rests, what ran last, and who runs it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from core.people.actors import Actor
from core.supply.district import Supply
from core.system.district import System

RIGHT: Final = "watch"
# An instance that did not write for longer has ended, or cannot reach the database.
SILENT_AFTER: Final = timedelta(seconds=30)
_FORGOTTEN_AFTER: Final = timedelta(hours=1)
_MAX_INSTANCES: Final = 20


@dataclass(frozen=True, slots=True)
class QueueLine:
    """What waits in a queue now. name: inbox | outbox | parked | callbacks | notifications |
    exports. since: when the oldest came; None where nothing waits."""

    name: str
    count: int
    since: datetime | None


@dataclass(frozen=True, slots=True)
class PausedChannel:
    """A channel that failed and rests."""

    channel_no: str
    name: str
    until: datetime


@dataclass(frozen=True, slots=True)
class JobLine:
    """A job's newest turn. slot: when it was due. state: running | done | failed. failures: in a
    row."""

    job: str
    slot: datetime
    state: str
    failures: int


@dataclass(frozen=True, slots=True)
class InstanceLine:
    """A process that runs the desk. silent: it did not write lately."""

    name: str
    started_at: datetime
    seen_at: datetime
    silent: bool


@dataclass(frozen=True, slots=True)
class DeskStanding:
    """All of it at one instant. limiter: whether Redis answers, which counts for all processes.
    closed_chats: to which Telegram takes nothing for the moment. on, off: channels that are not
    archived. unread: reference data that cannot be read. alarms: that stand."""

    at: datetime
    queues: tuple[QueueLine, ...]
    limiter: bool
    closed_chats: int
    on: int
    off: int
    paused: tuple[PausedChannel, ...]
    unread: int
    jobs: tuple[JobLine, ...]
    instances: tuple[InstanceLine, ...]
    alarms: int
    database: str


class Standing:
    """Looks at the desk as a whole."""

    def __init__(self, system: System, supply: Supply) -> None:
        self._system = system
        self._supply = supply

    async def read(self, actor: Actor) -> DeskStanding:
        """Refusals: those of `Actor.need_among_staff`."""
        actor.need_among_staff(RIGHT)
        store, now = self._system.store, self._system.clock.now()
        market = await self._supply.market.now()
        channels = sorted(
            (one.channel for one in market.listed.values() if one.channel.state != "archived"),
            key=lambda channel: channel.channel_no,
        )
        on = [channel for channel in channels if channel.state == "on"]
        (row,) = await store.fetch(_COUNTS, now)
        instances = await store.fetch(_INSTANCES, now - _FORGOTTEN_AFTER, _MAX_INSTANCES)
        return DeskStanding(
            at=now,
            queues=tuple(QueueLine(**dict(one)) for one in await store.fetch(_QUEUES, now)),
            limiter=await self._system.throttle.answers(),
            closed_chats=row["closed_chats"],
            on=len(on),
            off=len(channels) - len(on),
            paused=tuple(
                PausedChannel(one.channel_no, one.name, one.paused_until)
                for one in on
                if one.paused_until is not None
            ),
            unread=len(market.unread),
            jobs=tuple(JobLine(**dict(one)) for one in await store.fetch(_JOBS)),
            instances=tuple(
                InstanceLine(
                    one["name"],
                    one["started_at"],
                    one["seen_at"],
                    silent=now - one["seen_at"] > SILENT_AFTER,
                )
                for one in instances
            ),
            alarms=row["alarms"],
            database=row["database"],
        )


# What is put off until later does not wait yet; what a supplier's callback or a merchant's news is
# tried again for does.
_QUEUES: Final = """
SELECT 'inbox' AS name, count(*) AS count, min(received_at) AS since
FROM telegram_update WHERE state = 'waiting'
UNION ALL
SELECT 'outbox', count(*), min(created_at) FROM outbox WHERE state = 'waiting' AND due_at <= $1
UNION ALL
SELECT 'parked', count(*), min(created_at) FROM outbox WHERE state = 'parked'
UNION ALL
SELECT 'callbacks', count(*), min(received_at) FROM supplier_callback WHERE state = 'waiting'
UNION ALL
SELECT 'notifications', count(*), min(created_at) FROM notification WHERE state = 'pending'
UNION ALL
SELECT 'exports', count(*), min(created_at) FROM export WHERE state = 'waiting'
"""
_JOBS: Final = "SELECT job, slot, state, failures FROM tick ORDER BY job"
_INSTANCES: Final = """
SELECT name, started_at, seen_at FROM instance WHERE seen_at > $1 ORDER BY name LIMIT $2
"""
_COUNTS: Final = """
SELECT (SELECT count(*) FROM chat_lane WHERE closed_until > $1) AS closed_chats,
    (SELECT count(*) FROM alarm WHERE state = 'standing') AS alarms,
    current_setting('server_version') AS database
"""
