"""Writing what came of tries: those that end at about the same time are written together.

Nearly all end in one of two ways, told or to be tried again, and nobody holds their rows: one
statement writes them, whose merchants they ever are. Whatever is left is written for each merchant
by itself: a row that somebody holds, an address that is gone, news that is given up.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID
from weakref import WeakValueDictionary

import structlog

from core.kernel.clock import Clock
from core.kernel.wire import HttpAnswer
from core.people.alarms import Alarms, Incident
from core.system.batch import Batch
from core.system.pool import NoConnection
from core.system.retention import Words
from core.system.store import HELD_UP, Store, Tx
from core.trade.notifications.queue import QUEUE, Due, Ended, NewsQueue
from core.trade.notifications.retries import GONE, Verdict, judge

_LOG = structlog.get_logger(__name__)
# So many write at once: the other connections are for those who wait for an answer.
WRITERS: Final = 4
# So many go into one statement.
TOGETHER: Final = 128
SAID_CHARS: Final = 200
ANSWERS: Final = Words(
    "notification_try", "SELECT min(at) FROM notification_try", "SELECT forget_answers($1, $2)"
)


@dataclass(frozen=True, slots=True)
class AlarmExhausted(Incident):
    """A merchant's server does not take its notification, which is given up after so many
    tries. Its subject is the merchant."""

    order_no: str
    url: str
    tries: int


@dataclass(frozen=True, slots=True)
class Tried:
    """What came of one call. answer: None where there was none. at: when it began; said: how it
    went, for people."""

    due: Due
    answer: HttpAnswer | None
    said: str
    at: datetime
    written: asyncio.Event = field(default_factory=asyncio.Event)

    @property
    def status(self) -> int | None:
        return self.answer.status if self.answer else None


class Results:
    """Keeps each try, and decides what comes of it where its lease is still ours."""

    def __init__(self, store: Store, clock: Clock, alarms: Alarms, queue: NewsQueue) -> None:
        self._store = store
        self._clock = clock
        self._alarms = alarms
        self._queue = queue
        self._waiting: dict[UUID, list[Tried]] = {}
        self._writing: WeakValueDictionary[UUID, asyncio.Lock] = WeakValueDictionary()
        self._turns = asyncio.Semaphore(WRITERS)
        self._batch = Batch(self._write_ordinary, self._write_of_merchant, most=TOGETHER)

    async def write(self, tried: Tried) -> None:
        """Write a try down. Whatever goes wrong with it, it is put off like any other."""
        await self._batch.write(tried)

    async def _write_ordinary(self, together: Sequence[Tried]) -> Sequence[bool | None]:
        """Those that need nothing else, unless somebody holds them: of which that was done."""
        ended = [self._ended(tried) for tried in together]
        some = [one for one in ended if one.state != QUEUE.parked]
        try:
            done = await self._queue.end_at_once(self._store, some) if some else []
        except NoConnection:
            return [None] * len(together)  # they were told: each merchant's wait for one on its own
        written = {id(one) for one, is_done in zip(some, done, strict=True) if is_done}
        for tried, one in zip(together, ended, strict=True):
            if id(one) in written:
                _log(tried, one)
        return [True if id(one) in written else None for one in ended]

    async def _write_of_merchant(self, tried: Tried) -> bool:
        """Write one with a merchant's others. The first of them waits for a turn and writes all
        that came meanwhile; the others wait for it. One merchant has one turn at a time: whose
        rows are locked holds up itself."""
        merchant_id = tried.due.merchant_id
        waiting = self._waiting.setdefault(merchant_id, [])
        waiting.append(tried)
        if waiting[0] is not tried:
            await tried.written.wait()
            return True
        own = self._writing.setdefault(merchant_id, asyncio.Lock())
        together = waiting
        try:
            async with own, self._turns:
                together = self._waiting.pop(merchant_id)
                with self._store.called(by=merchant_id):
                    await self._write_or_put_off(merchant_id, together)
        finally:
            if self._waiting.get(merchant_id) is together:
                del self._waiting[merchant_id]
            for one in together:
                one.written.set()
        return True

    async def _write_or_put_off(self, merchant_id: UUID, together: Sequence[Tried]) -> None:
        """Whatever goes wrong with one is its own failure: it is put off like any other."""
        try:
            await self._write(merchant_id, together)
        except HELD_UP as error:
            # It is no fault of one of them: tried alone, each would wait as long as all together.
            _LOG.error("notifications not told of", count=len(together), fault=repr(error))
            await self._put_off(together)
        except Exception:  # noqa: BLE001 (the row must not come back at once, and for ever)
            if len(together) > 1:
                for one in together:
                    await self._write_or_put_off(merchant_id, [one])
                return
            (tried,) = together
            _LOG.exception("notification not told of", webhook_id=tried.due.webhook_id)
            await self._put_off(together)

    async def _put_off(self, together: Sequence[Tried]) -> None:
        await self._queue.end(self._store, [self._ended(tried) for tried in together])

    async def _write(self, merchant_id: UUID, together: Sequence[Tried]) -> None:
        now = self._clock.now()
        ended = [self._ended(tried) for tried in together]
        given_up: list[Due] = []
        async with self._store.transaction() as tx:
            ours = await self._queue.end_and_keep(tx, ended)
            for tried, end, is_ours in zip(together, ended, ours, strict=True):
                if not is_ours:
                    continue
                if tried.status == GONE:
                    await _silence(tx, tried.due, now)
                if end.state == QUEUE.parked:
                    given_up.append(tried.due)
            if given_up:
                await self._alarm(tx, given_up)
        for tried, end in zip(together, ended, strict=True):
            _log(tried, end)

    def _ended(self, tried: Tried) -> Ended:
        verdict: Verdict = judge(tried.answer, tried.due.tries)
        now = self._clock.now()
        return Ended(
            tried.due,
            verdict.state,
            now + timedelta(seconds=verdict.retry_in_s),
            tried.at,
            int((now - tried.at).total_seconds() * 1000),
            tried.status,
            tried.said[:SAID_CHARS].replace("\x00", ""),
        )

    async def _alarm(self, tx: Tx, given_up: Sequence[Due]) -> None:
        """These are of one merchant; the newest is shown."""
        due = given_up[-1]
        trouble = AlarmExhausted(due.facts.get("order_no", ""), due.url, due.tries)
        await self._alarms.sound(tx, trouble, str(due.merchant_id), times=len(given_up))


def _log(tried: Tried, ended: Ended) -> None:
    _LOG.info(
        "notification tried",
        order_no=tried.due.facts.get("order_no"),
        type=tried.due.type,
        webhook_id=tried.due.webhook_id,
        request_id=tried.due.request_id,
        status=tried.status,
        state=ended.state,
        try_no=tried.due.tries,
    )


async def _silence(tx: Tx, due: Due, now: datetime) -> None:
    await tx.execute(
        "INSERT INTO silenced_url (merchant_id, app_id, url, at)"
        " VALUES ($1, $2, $3, $4) ON CONFLICT DO NOTHING",
        due.merchant_id,
        due.app_id,
        due.url,
        now,
    )
