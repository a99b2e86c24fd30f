"""Writing what came of tries: those of one merchant that end together are written together."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID
from weakref import WeakValueDictionary

import structlog

from core.delivery.outbox import Notice, Say
from core.kernel.clock import Clock
from core.kernel.wire import HttpAnswer
from core.people.groups import Groups
from core.system.retention import Words
from core.system.store import HELD_UP, Store, Tx
from core.trade.notifications.queue import Due, Ended, NewsQueue
from core.trade.notifications.retries import GONE, Verdict, judge

_LOG = structlog.get_logger(__name__)
# So many write at once: the other connections are for those who wait for an answer.
WRITERS: Final = 4
SAID_CHARS: Final = 200
ANSWERS: Final = Words(
    "notification_try", "SELECT min(at) FROM notification_try", "SELECT forget_answers($1, $2)"
)


@dataclass(frozen=True, slots=True)
class AlarmExhausted(Notice):
    """A merchant's server does not take its notification, which is given up after so many
    tries."""

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

    def __init__(self, store: Store, clock: Clock, groups: Groups, queue: NewsQueue) -> None:
        self._store = store
        self._clock = clock
        self._groups = groups
        self._queue = queue
        self._waiting: dict[UUID, list[Tried]] = {}
        self._writing: WeakValueDictionary[UUID, asyncio.Lock] = WeakValueDictionary()
        self._turns = asyncio.Semaphore(WRITERS)

    async def write(self, tried: Tried) -> None:
        """Write a try down. The first of a merchant's waits for a turn and writes all that came
        meanwhile; the others wait for it. One merchant has one turn at a time: whose rows are
        locked holds up itself."""
        merchant_id = tried.due.merchant_id
        waiting = self._waiting.setdefault(merchant_id, [])
        waiting.append(tried)
        if waiting[0] is not tried:
            await tried.written.wait()
            return
        own = self._writing.setdefault(merchant_id, asyncio.Lock())
        async with own, self._turns:
            together = self._waiting.pop(merchant_id)
            try:
                with self._store.called(by=merchant_id):
                    await self._write_or_put_off(merchant_id, together)
            finally:
                for one in together:
                    one.written.set()

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
        async with self._store.transaction() as tx:
            ours = await self._queue.end_and_keep(tx, ended)
            for tried, end, is_ours in zip(together, ended, ours, strict=True):
                if not is_ours:
                    continue
                if tried.status == GONE:
                    await _silence(tx, tried.due, now)
                if end.state == "exhausted":
                    await self._alarm(tx, tried.due)
        for tried, end in zip(together, ended, strict=True):
            _LOG.info(
                "notification tried",
                order_no=tried.due.facts.get("order_no"),
                type=tried.due.type,
                webhook_id=tried.due.webhook_id,
                request_id=tried.due.request_id,
                status=tried.status,
                state=end.state,
                try_no=tried.due.tries,
            )

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

    async def _alarm(self, tx: Tx, due: Due) -> None:
        alarm = AlarmExhausted(due.facts.get("order_no", ""), due.url, due.tries)
        await self._groups.tell_ops(tx, Say(alarm))


async def _silence(tx: Tx, due: Due, now: datetime) -> None:
    await tx.execute(
        "INSERT INTO silenced_url (merchant_id, app_id, url, at)"
        " VALUES ($1, $2, $3, $4) ON CONFLICT DO NOTHING",
        due.merchant_id,
        due.app_id,
        due.url,
        now,
    )
