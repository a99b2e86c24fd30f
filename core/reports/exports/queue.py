"""The queue of what was asked for. Builders take one with a lease and renew it as they build."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Final
from uuid import UUID

from core.kernel import codec
from core.kernel.clock import Clock
from core.kernel.errors import Refusal
from core.kernel.ids import Ids
from core.reports.exports.papers import Paper
from core.system.leases import Held, Leases, Queue
from core.system.store import Queries, Store

MAX_WAITING: Final = 3  # of one chat; whoever asks while fewer wait is served
MAX_AT_ONCE: Final = 10  # for one message: one for each merchant of its group
KEPT: Final = timedelta(days=30)  # how long a file is sent again without being built anew
QUEUE: Final = Queue(
    table="export",
    key=("id",),
    lease=timedelta(seconds=60),
    returns=("facts", "language", "chat_id", "reply_to", "replaces", "message_id"),
    order="created_at",
    done="sent",
    parked="failed",
    gaps_s=(2, 10, 30, 120, 300),
)


@dataclass(frozen=True, slots=True)
class Taken:
    """Something that was asked for, and that its builder must finish, put off or fail.

    replaces: the chart in whose place it comes. message_id: where its progress is shown.
    """

    id: UUID
    paper: Paper
    language: str
    chat_id: int
    reply_to: int | None
    replaces: int | None
    message_id: int | None
    tries: int
    held: Held


class Requests:
    """Who asked for what, in which chat, and what became of it.

    More than seven verbs: those of a lease, and what is shown of a file while it is made.
    """

    def __init__(self, store: Store, clock: Clock, ids: Ids) -> None:
        self._store = store
        self._clock = clock
        self._ids = ids
        self._leases = Leases(QUEUE, clock, ids)
        self._wakers: list[Callable[[], None]] = []

    def on_news(self, wake: Callable[[], None]) -> None:
        """Have `wake` called whenever something was asked for in this process."""
        self._wakers.append(wake)

    async def put(
        self,
        papers: Sequence[Paper],
        *,
        language: str,
        actor: str,
        chat_id: int,
        reply_to: int | None,
        replaces: int | None,
    ) -> None:
        """Put them in, all or none, each once: the same that still waits is enough.

        Refusals: export_busy, export_too_many.
        """
        if len(papers) > MAX_AT_ONCE:
            raise Refusal("export_too_many", count=len(papers), limit=MAX_AT_ONCE)
        now = self._clock.now()
        async with self._store.transaction() as tx:
            await tx.execute("SELECT pg_advisory_xact_lock(hashint8($1))", chat_id)
            rows = await tx.fetch(
                "SELECT facts, reply_to, replaces FROM export"
                " WHERE chat_id = $1 AND state = 'waiting'",
                chat_id,
            )
            there = [(r["facts"], r["reply_to"], r["replaces"]) for r in rows]
            new = [p for p in papers if (codec.pack(p), reply_to, replaces) not in there]
            if new and len(rows) >= MAX_WAITING:
                raise Refusal("export_busy", limit=MAX_WAITING)
            for paper in new:
                await tx.execute(
                    "INSERT INTO export (id, what, facts, language, actor, chat_id, reply_to,"
                    " replaces, due_at, created_at)"
                    " VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $9)",
                    self._ids.uuid7(),
                    paper.what,
                    codec.pack(paper),
                    language,
                    actor,
                    chat_id,
                    reply_to,
                    replaces,
                    now,
                )
        for wake in self._wakers:
            wake()

    async def is_waited_for(self, chat_id: int, message_id: int) -> bool:
        """Whether a file that was asked for in this message is still to come."""
        return bool(
            await self._store.fetchval(
                "SELECT EXISTS (SELECT FROM export WHERE chat_id = $1 AND reply_to = $2"
                " AND state = 'waiting')",
                chat_id,
                message_id,
            )
        )

    async def is_under_way(self, chat_id: int) -> bool:
        """Whether somebody builds or sends something for a chat at this moment."""
        return bool(
            await self._store.fetchval(
                "SELECT EXISTS (SELECT FROM export WHERE chat_id = $1 AND held_by IS NOT NULL)",
                chat_id,
            )
        )

    async def take(self) -> Taken | None:
        """The oldest that is due, or whose builder's lease has ended."""
        for row in await self._leases.take(self._store, 1):
            return Taken(
                row["id"],
                codec.unpack(Paper, row["facts"]),
                row["language"],
                row["chat_id"],
                row["reply_to"],
                row["replaces"],
                row["message_id"],
                row["tries"],
                self._leases.held(row),
            )
        return None

    async def renew(self, taken: Taken) -> bool:
        """Hold it for another lease. False: the lease had ended, and somebody else has it."""
        return await self._leases.renew(self._store, taken.held)

    async def show_at(self, taken: Taken, message_id: int | None) -> None:
        """Remember where its progress is shown, so that whoever goes on takes it away."""
        await self._leases.note(self._store, taken.held, {"message_id": message_id})

    async def finish(
        self, taken: Taken, *, digest: str, file_id: str, message_id: int | None = None
    ) -> None:
        """It is out. digest: of what it says; file_id: by which Telegram sends it again.
        message_id: of the message that it became, where it is a new one."""
        also = {"digest": digest, "file_id": file_id or None, "message_id": message_id}
        await self._leases.finish(self._store, taken.held, also)

    async def put_off(self, taken: Taken, *, fault: str) -> bool:
        """It could not be sent now: it waits for another try, each time longer. False: that was
        the last try, and it has failed."""
        again_s = QUEUE.gap_s(taken.tries)
        if again_s is None:
            await self.fail(taken, fault=fault)
            return False
        await self._leases.put_off(self._store, taken.held, again_s, fault)
        return True

    async def wait_for_room(self, taken: Taken, *, seconds: float) -> None:
        """The chat's budget is used up: later, and this does not count as a try."""
        await self._leases.give_back(self._store, taken.held, seconds)

    async def move(self, taken: Taken, chat_id: int) -> None:
        """Its chat has moved: it is sent there, where message ids mean other messages."""
        there = {"chat_id": chat_id, "reply_to": None, "replaces": None, "message_id": None}
        await self._leases.give_back(self._store, taken.held, also=there)

    async def fail(self, taken: Taken, *, fault: str) -> None:
        """It is not to be."""
        await self._leases.park(self._store, taken.held, fault)

    async def file_of(self, digest: str) -> str | None:
        """Telegram's id of a file that says the same, where one was sent."""
        return await file_of(self._store, digest)

    async def forget_file(self, digest: str) -> None:
        """Telegram no longer knows the file: it is built anew."""
        await self._store.execute("UPDATE export SET file_id = NULL WHERE digest = $1", digest)

    async def forget_old(self) -> int:
        """Drop what was sent, or failed, long ago."""
        return await self._store.execute(
            "DELETE FROM export WHERE state IN ('sent', 'failed') AND created_at < $1",
            self._clock.now() - KEPT,
        )


async def file_of(queries: Queries, digest: str) -> str | None:
    """Telegram's id of a file that says the same, where one was sent."""
    found: str | None = await queries.fetchval(_FILE, digest)
    return found


_FILE: Final = """
SELECT file_id FROM export WHERE digest = $1 AND file_id IS NOT NULL
ORDER BY created_at DESC LIMIT 1
"""
