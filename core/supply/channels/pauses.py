"""Channels that fail pause themselves, for longer each time, and are tried with one order then.

What counts is the answer to a create. A supplier that does not answer, answers what nobody can
read, or is not reached, fails, whoever's order it was. One that refuses may have been given
orders it is right to refuse (a payer, an amount, a subject), and its document does not say which:
so refusals of one merchant's orders alone count only when there are many of them, and the refusal
of the one order that tries a paused channel makes its pause no longer: another tries it soon.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any, Final, Literal
from uuid import UUID

import structlog

from core.delivery.outbox import values_of
from core.kernel.clock import Clock
from core.people.alarms import Alarms, Trouble
from core.supply.channels.choice import Channel
from core.system.store import Store, Tx

_LOG = structlog.get_logger(__name__)
# So many creates in a row that failed pause a channel,
STREAK: Final = 5
# and so many where all of them were refused, and all of one merchant.
STREAK_OF_ONE: Final = 20
PAUSES: Final = tuple(timedelta(minutes=minutes) for minutes in (1, 5, 15, 60))
# As long as an order tries whether a channel works again, no other does; longer than a create may
# take. Of an order that dies on the way, nothing is heard.
PROBE: Final = timedelta(seconds=30)
_SHOWN_CHARS: Final = 200


@dataclass(frozen=True, slots=True)
class Try:
    """How a create ended. silent: unknown, or never sent."""

    merchant_id: UUID
    ended: Literal["accepted", "refused", "silent"]


def is_failing(tries: Sequence[Try]) -> bool:
    """Whether a channel with these creates, the newest first, does not work."""
    streak: list[Try] = []
    for one in tries:
        if one.ended == "accepted":
            break
        streak.append(one)
    newest = streak[:STREAK]
    if len(newest) < STREAK:
        return False
    silent = any(one.ended == "silent" for one in newest)
    merchants = {one.merchant_id for one in newest}
    return silent or len(merchants) > 1 or len(streak) >= STREAK_OF_ONE


@dataclass(frozen=True, slots=True)
class _Probe:
    """An order's claim to try a paused channel. was_until: the pause's end before it."""

    channel_id: UUID
    paused_at: datetime
    was_until: datetime
    until: datetime


@dataclass(frozen=True, slots=True)
class AlarmChannel(Trouble):
    """A channel fails and is paused. minutes: for so long. tried: an order tried whether it works
    again. said: the supplier's words. Its subject is the channel's number."""

    channel_no: str
    channel_name: str
    supplier_no: str
    minutes: int
    tried: bool
    said: str


class Pauses:
    """Notes how creates end, pauses channels and takes them up again."""

    def __init__(self, store: Store, clock: Clock, alarms: Alarms) -> None:
        self._store = store
        self._clock = clock
        self._alarms = alarms
        self._probes: dict[str, _Probe] = {}  # by attempt number

    async def probe(self, channel: Channel, attempt_no: str) -> bool:
        """Whether this attempt may go to the channel: always, but of those that find its pause
        over only the first, which tries it."""
        if channel.paused_at is None or channel.paused_until is None:
            return True
        until = self._clock.now() + PROBE
        probe = _Probe(channel.id, channel.paused_at, channel.paused_until, until)
        claimed = await self._put_off(probe, channel.paused_until, until)
        if claimed:
            self._probes[attempt_no] = probe
        return claimed

    async def drop(self, attempt_no: str) -> None:
        """The attempt tries nothing after all: the next one may."""
        probe = self._probes.pop(attempt_no, None)
        if probe is not None:
            await self._put_off(probe, probe.until, probe.was_until)

    async def _put_off(self, probe: _Probe, until: datetime, to: datetime) -> bool:
        """Whether the pause was still the same one, and over at `until`."""
        moved = await self._store.execute(
            "UPDATE channel SET paused_until = $4"
            " WHERE id = $1 AND paused_at = $2 AND paused_until = $3",
            probe.channel_id,
            probe.paused_at,
            until,
            to,
        )
        return bool(moved)

    async def accepted(self, channel_id: UUID, attempt_no: str) -> None:
        """A create was accepted: if it was to try the channel, that works again."""
        probe = self._probes.pop(attempt_no, None)
        if probe is None:
            return
        async with self._store.transaction() as tx:
            row = await tx.fetchrow(_HOLD, channel_id)
            if row is None or row["paused_at"] != probe.paused_at:
                return
            await tx.execute(RESUME, channel_id, self._clock.now())
            _LOG.info("channel resumed", attempt_no=attempt_no, channel_no=row["channel_no"])
            await self._alarms.end(tx, AlarmChannel, row["channel_no"])

    async def failed(
        self, channel_id: UUID, day: date, attempt_no: str, said: str, *, refused: bool
    ) -> None:
        """A create was refused, or nothing clear was said: pause the channel where that is enough,
        or longer where it was to try it. said: the supplier's words, for people. refused: by the
        supplier itself."""
        probe = self._probes.pop(attempt_no, None)
        if probe is not None and refused:
            await self._put_off(probe, probe.until, self._clock.now() + PAUSES[0])
            return
        probed = probe.paused_at if probe is not None else None
        since = None
        if probed is None:
            since = await self._streak_since(channel_id, day)
            if since is None:
                return
        async with self._store.transaction() as tx:
            row = await tx.fetchrow(_HOLD, channel_id)
            # Meanwhile somebody resumed it, switched it off, or paused it already.
            if row is None or row["paused_at"] != probed or since not in (None, row["tries_from"]):
                return
            await self._pause(tx, row, tried=probed is not None, said=said[:_SHOWN_CHARS])

    async def _streak_since(self, channel_id: UUID, day: date) -> datetime | None:
        """From when on the creates of a failing channel were counted; None: it is none."""
        rows = await self._store.fetch(_TRIES, channel_id, day, STREAK_OF_ONE)
        if not is_failing([Try(row["merchant_id"], row["ended"]) for row in rows]):
            return None
        since: datetime = rows[0]["tries_from"]
        return since

    async def _pause(self, tx: Tx, row: Any, *, tried: bool, said: str) -> None:
        step = min(row["pauses"], len(PAUSES) - 1)
        now = self._clock.now()
        await tx.execute(
            "UPDATE channel SET paused_at = $2, paused_until = $3, paused_why = $4, pauses = $5"
            " WHERE id = $1",
            row["id"],
            now,
            now + PAUSES[step],
            said,
            step + 1,
        )
        paused = AlarmChannel(
            channel_no=row["channel_no"],
            channel_name=row["name"],
            supplier_no=row["supplier_no"],
            minutes=int(PAUSES[step].total_seconds() // 60),
            tried=tried,
            said=said,
        )
        _LOG.warning("channel paused", **values_of(paused))
        await self._alarms.sound(tx, paused, paused.channel_no)


# $1 the channel, $2 now. What failed before is not counted again.
RESUME: Final = """
UPDATE channel SET paused_at = NULL, paused_until = NULL, paused_why = '', pauses = 0,
    tries_from = $2
WHERE id = $1
"""
_HOLD: Final = """
SELECT c.id, c.channel_no, c.name, c.paused_at, c.tries_from, c.pauses, s.supplier_no
FROM channel c JOIN supplier s ON s.id = c.supplier_id
WHERE c.id = $1 AND c.state = 'on' FOR NO KEY UPDATE OF c
"""
# $1 the channel, $2 a business day of its supplier. The newest creates that have ended: what a
# supplier answered, whatever became of it since.
_TRIES: Final = """
SELECT a.merchant_id, c.tries_from,
       CASE WHEN a.pay_kind IS NOT NULL OR a.state = 'paid' THEN 'accepted'
            WHEN a.answered_at IS NOT NULL THEN 'refused' ELSE 'silent' END AS ended
FROM attempt a JOIN channel c ON c.id = a.channel_id
WHERE a.channel_id = $1 AND a.channel_day = $2 AND a.created_at > c.tries_from
  -- no order of that day was created later: months to come are not looked at
  AND a.order_created_at < ($2 + interval '4 days') AT TIME ZONE 'UTC'
  AND a.sent_at IS NOT NULL AND a.state <> 'sent'
ORDER BY a.created_at DESC LIMIT $3
"""
