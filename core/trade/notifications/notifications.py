"""Telling merchants' servers: who is told next, and the call itself."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Awaitable, Callable, Collection, Sequence
from typing import Final, get_args
from uuid import UUID

import structlog

from core.delivery.outbox import News
from core.kernel.clock import Clock
from core.kernel.errors import Refusal
from core.kernel.ids import Ids, uuid7_time
from core.people.alarms import Alarms
from core.supply.market import Market
from core.system import retention
from core.system.gateway import Gateway, MayHaveHappened, NeverSent, Timeouts
from core.system.lanes import Lane, Lanes, Rooms
from core.system.store import Store
from core.trade.notifications.queue import Due, NewsQueue
from core.trade.notifications.results import ANSWERS, SAID_CHARS, Results, Tried
from core.trade.notifications.signatures import signed_request

_LOG = structlog.get_logger(__name__)

TIMEOUTS: Final = Timeouts(connect_s=5.0, read_s=15.0, total_s=20.0)
# A call that waits costs little: these are many, so that whoever is silent holds up nobody.
HANDS: Final = 300
_PROVEN: Final = Rooms(lane=128, holder=192, overall=HANDS)
_UNPROVEN: Final = Rooms(lane=4, holder=16, overall=100)
_NOBODY: Final = UUID(int=0)
# A take looks so often at most.
_LOOKS: Final = 6
_LANE_NAMES: Final = 2**63 - 1

Job = Callable[[], Awaitable[None]]


class Notifications:
    """Delivers news to merchants' servers."""

    def __init__(
        self, store: Store, clock: Clock, ids: Ids, gateway: Gateway, market: Market, alarms: Alarms
    ) -> None:
        self._store = store
        self._clock = clock
        self._gateway = gateway
        self._market = market
        self._queue = NewsQueue(clock, ids)
        self._results = Results(store, clock, alarms, self._queue)
        self._lanes = Lanes(clock, proven=_PROVEN, unproven=_UNPROVEN)
        self._after = _NOBODY

    async def take_due(self, hands: int) -> Sequence[Job]:
        """Lease what is due, for so many hands at most, each merchant and each of its servers its
        fair share; what remains to be done with each."""
        shares = await self._shares(hands)
        if not shares:
            return []
        async with self._store.transaction() as tx:
            taken = await self._queue.take(tx, shares)
        secrets = await self._secrets({due.app_id for due in taken})
        return [self._job(due, secrets.get(due.app_id)) for due in taken]

    async def _shares(self, hands: int) -> dict[Lane, int]:
        """Who gets the hands. A look goes on after the merchant at which the last one ended, and
        counts no more than twice what the hands can do. Where whoever it finds has enough under
        way, another goes on from there, and counts more: so the ring is soon gone round."""
        rows, enough, began = min(hands, _PROVEN.lane), 2 * hands, self._after
        start = random.randrange(_LANE_NAMES)  # noqa: S311 (spreads looks over lanes)
        waiting, shares = dict[Lane, int](), dict[Lane, int]()
        for _ in range(_LOOKS):
            found, after = await self._queue.waiting(
                self._store, self._after, start=start, most_rows=rows, enough=enough
            )
            waiting |= found
            self._after = after or _NOBODY
            shares = self._lanes.share(hands, waiting)
            if sum(shares.values()) == hands or (after is None and began == _NOBODY):
                break
            if after is None:
                began = _NOBODY
            enough *= 4
        return shares

    async def deliver_due(self, hands: int) -> int:
        """Take what is due for so many hands, and send it; how many there were."""
        jobs = await self.take_due(hands)
        async with asyncio.TaskGroup() as tasks:
            for job in jobs:
                tasks.create_task(_run(job))
        return len(jobs)

    async def _secrets(self, app_ids: Collection[UUID]) -> dict[UUID, tuple[str, ...]]:
        """What each app's news is signed with; an app whose secrets cannot be had is left out."""
        found = {}
        for app_id in app_ids:
            try:
                app = (await self._market.now()).app(app_id)
                found[app_id] = app.notify_secrets_at(self._clock.now())
            except Exception:  # noqa: BLE001 (it must not hold up the others)
                _LOG.exception("no secret to sign with", app_id=str(app_id))
        return found

    def _job(self, due: Due, secrets: tuple[str, ...] | None) -> Job:
        lane = Lane(due.merchant_id, due.lane)
        began = self._lanes.begin(lane)

        async def job() -> None:
            silent = True
            try:
                tried = await self._try(due, secrets)
                silent = tried.answer is None
            finally:
                self._lanes.end(lane, began, silent=silent)
            await self._results.write(tried)

        return job

    async def _try(self, due: Due, secrets: tuple[str, ...] | None) -> Tried:
        started = self._clock.now()
        if secrets is None:
            return Tried(due, None, "it could not be signed", started)
        try:
            request = signed_request(due, secrets, started)
            answer = await self._gateway.send(
                request, timeouts=TIMEOUTS, status_decides=True, twice=True
            )
        except (NeverSent, MayHaveHappened) as error:
            return Tried(due, None, str(error), started)
        except Exception as error:  # noqa: BLE001 (a row like no other: it is tried, and parked)
            _LOG.exception(
                "notification not sent", webhook_id=due.webhook_id, request_id=due.request_id
            )
            return Tried(due, None, f"it could not be sent: {type(error).__name__}", started)
        return Tried(due, answer, answer.body[:SAID_CHARS].decode("utf-8", "replace"), started)

    async def resend(self, merchant_id: UUID, order_id: UUID) -> None:
        """Send the newest news of an order again, at once; its address is no longer silenced.

        Refusals: record_not_found.
        """
        async with self._store.transaction() as tx:
            again = await tx.fetchrow(
                # Nobody holds it now: a try that is under way decides nothing any more.
                "UPDATE notification SET state = 'pending', due_at = $3, tries = 0,"
                " held_by = NULL, lease_until = NULL"
                " WHERE merchant_id = $1 AND order_created_at = $4 AND id = ("
                "SELECT id FROM notification WHERE merchant_id = $1 AND order_id = $2"
                " AND order_created_at = $4 AND state <> 'dropped'"
                " ORDER BY created_at DESC LIMIT 1) RETURNING app_id, url",
                merchant_id,
                order_id,
                self._clock.now(),
                uuid7_time(order_id),
            )
            if again is None:
                raise Refusal("record_not_found")
            await tx.execute(
                "DELETE FROM silenced_url WHERE merchant_id = $1 AND app_id = $2 AND url = $3",
                merchant_id,
                again["app_id"],
                again["url"],
            )

    async def forget_old(self) -> int:
        """Forget what merchants' servers answered long ago; of how many tries. The tries stay."""
        before = self._clock.now() - retention.NEWS_ANSWERS
        return await retention.forget_words(self._store, ANSWERS, before)

    async def state_of(
        self, merchant_id: UUID, order_id: UUID, news: Collection[News] = get_args(News)
    ) -> str:
        """How the newest news of an order stands: none | pending | delivered | exhausted.

        news: of these kinds only.
        """
        found = await self._store.fetchval(
            "SELECT state FROM notification WHERE merchant_id = $1 AND order_id = $2"
            " AND order_created_at = $4 AND type = ANY($3) ORDER BY created_at DESC LIMIT 1",
            merchant_id,
            order_id,
            list(news),
            uuid7_time(order_id),
        )
        return str(found) if found else "none"

    async def backlog(self) -> dict[str, int]:
        """How much news waits or was given up, by state, for /metrics."""
        rows = await self._store.fetch(
            "SELECT state, count(*) AS n FROM notification"
            " WHERE state IN ('pending', 'exhausted') GROUP BY state"
        )
        return {row["state"]: row["n"] for row in rows}


async def _run(job: Job) -> None:
    await job()
