"""The two queues of what leaves. Rows commit with their cause; workers take them with a lease.

To Telegram each chat has a lane. A worker takes the lane, which a business transaction never
touches, and with it the one row whose turn it is; it lets go of both at once.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from operator import itemgetter
from typing import Any, Final
from uuid import UUID

import asyncpg

from core.delivery.outbox.chats import LONGEST_CLOSED, Chats
from core.delivery.outbox.facts import (
    BULK,
    SAID,
    Fact,
    MerchantNews,
    Twins,
    is_bulk,
    keeper_of,
    pack,
    rank_of,
    unpack,
)
from core.delivery.outbox.statements import DROP, SAY, SENT, TAKE, TAKE_OVER, UNPARK, UNSENT
from core.kernel.clock import Clock
from core.kernel.errors import Bug
from core.kernel.ids import Ids, uuid7_time
from core.system import retention
from core.system.batch import Batch
from core.system.lanes import name_of
from core.system.leases import Held, LaneTable, Leases, Queue, last_of_ring
from core.system.store import Queries, Store, Tx

_Row = dict[str, Any]

NOBODY: Final = UUID(int=0)  # the merchant of a message that concerns none
MAX_TRIES: Final = 60
# An edit that has waited for so long is sent as if it were said, and goes before what is said: one
# of a chat in LIFTED_EVERY, so that both get on.
OLD: Final = timedelta(minutes=1)
LIFTED_EVERY: Final = timedelta(seconds=10)
_MERGES: Final = 3
QUEUE: Final = Queue(
    table="outbox",
    key=("merchant_id", "id"),
    # Short, so that the chats of a worker that was killed are served soon. Whoever lives renews it.
    lease=timedelta(seconds=6),
    returns=(),
    own_take=TAKE,
    lane_table=LaneTable("chat_lane", "chat_id"),
    # News of what waits does not undo the wait.
    put_off="wait_until",
    done="sent",
)


@dataclass(frozen=True, slots=True)
class Leaving:
    """A fact whose turn it is in its chat. A worker has taken both, and must finish it, put it off
    or park it, and renew the lease until then.

    rank: see outbox/facts.py. told: people are told something by it; else it only shows what
    changed. gone: the bot was out of the chat when it was last tried. behind: the newest message
    known there before this one was tried. maybe_out: a try of it had no answer. again: it was
    parked, and somebody had it sent again.
    """

    merchant_id: UUID
    id: UUID
    chat_id: int
    fact: Fact
    tries: int
    rank: int
    held: Held
    told: bool
    gone: bool
    behind: int
    maybe_out: bool
    again: bool


# Told of a fact that is out, and of the messages that it became, the oldest first.
Keeper = Callable[[Tx, Leaving, Sequence[int]], Awaitable[None]]
# Told of a fact that can never leave, and why.
Lost = Callable[[Tx, Leaving, str], Awaitable[None]]


@dataclass(frozen=True, slots=True)
class _Sent:
    """A row that is out. message_id: of the new message that it became."""

    held: Held
    message_id: int | None


@dataclass(frozen=True, slots=True)
class Saying:
    """A fact as it is put in; see `Outbox.say`."""

    chat_id: int
    fact: Fact
    merchant_id: UUID = NOBODY
    dedupe_key: str | None = None
    due_at: datetime | None = None


class Outbox:
    """Facts for Telegram, and news for merchants' servers.

    wake: called after something was put in, so that a worker need not wait for its next look. A
    message wakes those who serve chats, and news those who tell merchants, and nobody else. A
    worker that is woken before the commit simply looks again a moment later.

    More than seven verbs: everybody puts in, with six of them; the courier alone uses the others.
    """

    def __init__(self, store: Store, clock: Clock, ids: Ids) -> None:
        self._store = store
        self._clock = clock
        self._ids = ids
        self.chats = Chats(store, clock)
        self._leases = Leases(QUEUE, clock, ids)
        self._last_taken = 0
        # What is said at once, in whatever chats, is written together.
        self._said = Batch(self._say_together, self._say_alone)
        self._ends = Batch(self._end_together, self._end_alone)
        self._replies = Batch(self._are_unsent, self._is_unsent)
        self._chat_wakers: list[Callable[[], None]] = []
        self._merchant_wakers: list[Callable[[], None]] = []
        self._on_parked: list[Lost] = []
        self._on_through: list[Callable[[Tx, int], Awaitable[None]]] = []
        self._keepers: dict[str, Keeper] = {}
        self._losses: dict[str, Lost] = {}

    def look_on(self, parked: Lost, through: Callable[[Tx, int], Awaitable[None]]) -> None:
        """Have `parked` called with each message that is given up, and why, and `through` with the
        chat of each that is sent after it was: in the same transaction."""
        self._on_parked.append(parked)
        self._on_through.append(through)

    def on_sent(self, keeper: str, keep: Keeper, lost: Lost | None = None) -> None:
        """Have `keep` called with each fact of this keeper that is out, and the messages that it
        became: in the same transaction, and before anything else leaves for that chat. Of one of
        very many also where that is no new message. lost: likewise with each that can never leave;
        then it is not parked, for the keeper tells people of it. Raises Bug where another has that
        name."""
        if keeper in self._keepers:
            raise Bug(f"two keepers are called {keeper}")
        self._keepers[keeper] = keep
        if lost is not None:
            self._losses[keeper] = lost

    def on_news(self, wake: Callable[[], None]) -> None:
        """Have `wake` called whenever a message for a chat was put in by this process."""
        self._chat_wakers.append(wake)

    def on_merchant_news(self, wake: Callable[[], None]) -> None:
        """Have `wake` called whenever news for a merchant's server was put in by this process."""
        self._merchant_wakers.append(wake)

    def wake_chats(self) -> None:
        """A message for a chat was put in."""
        for wake in self._chat_wakers:
            wake()

    def wake_merchants(self) -> None:
        """News for a merchant's server was put in."""
        for wake in self._merchant_wakers:
            wake()

    async def say(
        self,
        tx: Queries,
        chat_id: int,
        fact: Fact,
        *,
        merchant_id: UUID = NOBODY,
        dedupe_key: str | None = None,
        due_at: datetime | None = None,
    ) -> None:
        """Put a fact in. With a dedupe_key, one that still waits under it takes the new facts.
        due_at: not before then; until then it holds nothing up."""
        row = self._row(Saying(chat_id, fact, merchant_id, dedupe_key, due_at))
        if tx is self._store and dedupe_key is None:
            await self._said.write([row])
        else:
            await tx.execute(SAY, [row])
        self.wake_chats()

    async def say_together(self, chat_id: int, facts: Sequence[tuple[UUID, Fact]]) -> None:
        """Put facts in, in their order, all of them or none. Each comes with its merchant."""
        if facts:
            sayings = [Saying(chat_id, fact, merchant_id) for merchant_id, fact in facts]
            await self._said.write([self._row(saying) for saying in sayings])
            self.wake_chats()

    async def say_all(self, tx: Queries, sayings: Sequence[Saying]) -> None:
        """As `say`, for many chats in one statement. None of them shares a key with another."""
        if sayings:
            await tx.execute(SAY, [self._row(saying) for saying in sayings])
            self.wake_chats()

    def _row(self, saying: Saying) -> _Row:
        now = self._clock.now()
        return {
            "merchant_id": saying.merchant_id,
            "id": self._ids.uuid7(),
            "chat_id": saying.chat_id,
            "rank": rank_of(saying.fact, saying.dedupe_key),
            "topic": saying.fact.topic,
            "facts": pack(saying.fact),
            "dedupe_key": saying.dedupe_key,
            "due_at": saying.due_at or now,
            "created_at": now,
        }

    async def _say_together(self, said: Sequence[list[_Row]]) -> list[bool]:
        await self._store.execute(SAY, [row for rows in said for row in rows])
        return [True] * len(said)

    async def _say_alone(self, rows: list[_Row]) -> bool:
        try:
            await self._store.execute(SAY, rows)
        except asyncpg.UniqueViolationError as error:
            if error.constraint_name != "outbox_pkey":
                raise
            # They were written together, though the answer was lost.
        return True

    async def tell_merchant(
        self, tx: Tx, news: MerchantNews, *, due_at: datetime | None = None
    ) -> None:
        """Put news for a merchant's server in, to be sent from due_at on: now where it is None.

        An address that answered 410 is not told anything until somebody sends again by hand.
        """
        silenced = await tx.fetchval(
            "SELECT EXISTS (SELECT FROM silenced_url"
            " WHERE merchant_id = $1 AND app_id = $2 AND url = $3)",
            news.merchant_id,
            news.app_id,
            news.url,
        )
        if silenced:
            return
        row = self.row_of(news, due_at=due_at)
        await tx.execute(
            "INSERT INTO notification (merchant_id, id, webhook_id, app_id, order_id,"
            " order_created_at, type, url, lane, facts, due_at, request_id, created_at)"
            " VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13)",
            *row.values(),
        )
        self.wake_merchants()

    def row_of(self, news: MerchantNews, *, due_at: datetime | None = None) -> dict[str, object]:
        """News for a merchant's server as a row of `notification`, for whoever writes it together
        with its cause. due_at: as in `tell_merchant`."""
        notification_id = self._ids.uuid7()
        now = self._clock.now()
        return {
            "merchant_id": news.merchant_id,
            "id": notification_id,
            "webhook_id": f"msg_{notification_id.hex}",
            "app_id": news.app_id,
            "order_id": news.order_id,
            "order_created_at": uuid7_time(news.order_id),
            "type": news.type,
            "url": news.url,
            "lane": name_of(news.url),
            "facts": news.facts,
            "due_at": due_at or now,
            "request_id": news.request_id,
            "created_at": now,
        }

    async def drop_untold(
        self, tx: Tx, merchant_id: UUID, order_id: UUID, *, tried: bool = False
    ) -> None:
        """An order that ended is paid after all, or another has its number: news of its end that
        nobody was told is void. tried: also what was sent in vain."""
        await tx.execute(
            "UPDATE notification SET state = 'dropped' WHERE merchant_id = $1 AND order_id = $2"
            " AND order_created_at = $4 AND state = 'pending' AND (tries = 0 OR $3)"
            " AND type IN ('order.expired', 'order.closed', 'order.failed')",
            merchant_id,
            order_id,
            tried,
            uuid7_time(order_id),
        )

    async def take(self, batch: int) -> list[Leaving]:
        """Take the lanes of at most `batch` chats, each with the row whose turn it is.

        What is said leaves a chat strictly in the order in which it was put in: its oldest row
        first, also while that one waits to be tried again. What was put in for later takes its
        place when it is due. What nobody waits for leaves when nothing else waits.
        """
        rows = await self._leases.take(self._store, batch, self._last_taken, OLD, LIFTED_EVERY)
        if rows:
            self._last_taken = last_of_ring([r["chat_id"] for r in rows], self._last_taken)
        return [
            Leaving(
                r["merchant_id"],
                r["id"],
                r["chat_id"],
                unpack(r["topic"], r["facts"]),
                r["tries"],
                min(r["rank"], SAID) if r["lifted"] else r["rank"],
                self._leases.held(r),
                r["rank"] <= SAID or r["rank"] == BULK,
                r["gone"],
                r["behind"],
                r["maybe_out"],
                r["again"],
            )
            for r in sorted(rows, key=itemgetter("place"))
        ]

    async def renew(self, leaving: Leaving) -> bool:
        """Hold its lane for another lease. False: it ended, and somebody else has the lane."""
        return await self._leases.renew(self._store, leaving.held)

    async def sent(
        self, leaving: Leaving, *, message_id: int | None = None, message_ids: Sequence[int] = ()
    ) -> None:
        """It is out. message_id: of the new message that it became. message_ids: where it became
        several, the oldest first."""
        became_ids = message_ids or (() if message_id is None else (message_id,))
        message_id = became_ids[-1] if became_ids else None
        kept = bool(became_ids) or is_bulk(leaving.fact)
        keep = self._keepers.get(keeper_of(leaving.fact)) if kept else None
        if not leaving.again and not leaving.maybe_out and keep is None:
            await self._ends.write(_Sent(leaving.held, message_id))
            return
        became = {"message_id": message_id}
        async with self._store.transaction() as tx:
            if not await self._leases.finish(tx, leaving.held, became, on_lane=SENT):
                return
            if keep is not None:
                await keep(tx, leaving, became_ids)
            if leaving.again:
                for through in self._on_through:
                    await through(tx, leaving.chat_id)
            if leaving.maybe_out and message_id is not None:
                await self.say(tx, leaving.chat_id, _twins_of(leaving, became_ids[0]))

    async def _end_together(self, sent: Sequence[_Sent]) -> list[bool]:
        ends = [(one.held, {"state": QUEUE.done, "message_id": one.message_id}) for one in sent]
        return await self._leases.end_all(self._store, ends, on_lane=SENT)

    async def _end_alone(self, sent: _Sent) -> bool:
        became = {"message_id": sent.message_id}
        return await self._leases.finish(self._store, sent.held, became, on_lane=SENT)

    async def put_off(
        self,
        leaving: Leaving,
        *,
        seconds: float,
        fault: str,
        most_tries: int = MAX_TRIES,
        maybe_out: bool = False,
    ) -> None:
        """It could not leave now. After `most_tries` it is parked, for people to see. maybe_out:
        nobody knows, since there was no answer."""
        if leaving.tries >= most_tries:
            await self.park(leaving, fault=fault)
            return
        unclear = leaving.maybe_out or maybe_out
        also = {"maybe_out": unclear, "behind": leaving.behind if unclear else None}
        await self._put_back(
            leaving,
            lambda queries: self._leases.put_off(queries, leaving.held, seconds, fault, also),
        )

    async def wait_for_room(self, leaving: Leaving, *, seconds: float) -> None:
        """The chat's window is used up: later, and this does not count as a try."""
        again_s = min(seconds, LONGEST_CLOSED.total_seconds())
        also = {"behind": leaving.behind if leaving.maybe_out else None}
        await self._put_back(
            leaving, lambda queries: self._leases.give_back(queries, leaving.held, again_s, also)
        )

    async def move(self, leaving: Leaving, chat_id: int, fact: Fact | None) -> None:
        """Its chat has moved: it waits in the lane of the new one, in its place. fact: what there
        is to say there; None: nothing."""
        if fact is None:
            await self.drop(leaving)
            return
        there = {
            "chat_id": chat_id, "facts": pack(fact), "wait_until": None, "maybe_out": False,
            "behind": None,
        }  # fmt: skip
        try:
            await self._leases.give_back(self._store, leaving.held, also=there)
        except asyncpg.UniqueViolationError:
            await self.drop(leaving)  # newer facts wait under its key, and move by themselves
        self.wake_chats()

    async def drop(self, leaving: Leaving) -> None:
        """There is nobody to see it, and nothing in it that people are told."""
        if not await self._lose(leaving, "the chat is another one now"):
            await self._leases.finish(self._store, leaving.held)

    async def park(self, leaving: Leaving, *, fault: str) -> bool:
        """It can never leave (kicked, blocked, wrong). Kept, for people to see. False: its keeper
        has people see it instead, for whom that is a result and no fault."""
        if await self._lose(leaving, fault):
            return False
        async with self._store.transaction() as tx:
            if await self._leases.park(tx, leaving.held, fault, {"dedupe_key": None}):
                for parked in self._on_parked:
                    await parked(tx, leaving, fault)
        return True

    async def _lose(self, leaving: Leaving, fault: str) -> bool:
        """Tell its keeper that it is lost. False: it has none who asked to be told."""
        lost = self._losses.get(keeper_of(leaving.fact))
        if lost is None:
            return False
        async with self._store.transaction() as tx:
            if await self._leases.finish(tx, leaving.held):
                await lost(tx, leaving, fault)
        return True

    async def unpark(self, tx: Tx, chat_id: int, limit: int) -> int:
        """Have what was parked of a chat sent again, the oldest first; how many."""
        await self.chats.back(tx, chat_id)
        now = self._clock.now()
        count = await tx.execute(UNPARK, chat_id, now, limit, now - retention.MESSAGES)
        self.wake_chats()
        return count

    async def _put_back(
        self, leaving: Leaving, write: Callable[[Queries], Awaitable[bool]]
    ) -> None:
        """It waits again, in its place and under its key. Where another waits under that key
        already, the two become one: it keeps its place and its tries, and says what the newer one
        would have said."""
        for _ in range(_MERGES):
            try:
                await write(self._store)
            except asyncpg.UniqueViolationError:
                if await self._merge(leaving, write):
                    return
            else:
                return

    async def _merge(self, leaving: Leaving, write: Callable[[Queries], Awaitable[bool]]) -> bool:
        """Put it back with the facts of the newer row under its key. False: that one waits no
        longer."""
        async with self._store.transaction() as tx:
            if not await self._leases.lock(tx, leaving.held):
                return True  # somebody else has it, and decides
            if not await tx.execute(TAKE_OVER, leaving.merchant_id, leaving.id):
                return False
            await write(tx)
        return True

    async def forget_old(self) -> int:
        """Drop what was sent long ago; how many. What was parked stays, for people to see."""
        return await retention.drop_rows(self._store, DROP, self._clock.now() - retention.MESSAGES)

    async def has_unsent_reply(self, chat_id: int, message_id: int) -> bool:
        """Whether an answer to this message waits to leave."""
        return await self._replies.write((chat_id, message_id))

    async def _are_unsent(self, messages: Sequence[tuple[int, int]]) -> list[bool]:
        """Whether an answer to each of these messages (chat, id) waits to leave."""
        chat_ids, message_ids = zip(*messages, strict=True)
        rows = await self._store.fetch(UNSENT, chat_ids, message_ids)
        return [row["unsent"] for row in rows]

    async def _is_unsent(self, message: tuple[int, int]) -> bool:
        (unsent,) = await self._are_unsent([message])
        return unsent

    async def backlog(self) -> dict[str, int]:
        """How many rows wait, are taken or are parked, for /metrics."""
        rows = await self._store.fetch(
            "SELECT CASE WHEN held_by IS NULL THEN state ELSE 'taken' END AS state, count(*) AS n"
            " FROM outbox WHERE state <> 'sent' GROUP BY 1"
        )
        return {row["state"]: row["n"] for row in rows}


def _twins_of(leaving: Leaving, message_id: int) -> Twins:
    """Where the twins of a message are, of which a former try had no answer."""
    asked = getattr(leaving.fact, "reply_to", None) or 0
    return Twins(after=max(leaving.behind, asked), before=message_id)
