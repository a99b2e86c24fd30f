"""Alarms: what is wrong is told to the ops groups once, counts up while it stands, is taken by
somebody, and ends."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final, Literal, TypeVar
from uuid import UUID

from core.delivery.audit import Action, Audit
from core.delivery.board import Board
from core.delivery.outbox import Notice, Stored, read_notice, screen_of, values_of
from core.kernel.clock import Clock
from core.kernel.errors import Refusal
from core.kernel.ids import Ids
from core.people.actors import Actor
from core.people.groups import Groups
from core.system.store import Store, Tx

# What still goes on after this long is told by a new message: nobody looks at one of yesterday.
TOLD_AGAIN_AFTER: Final = timedelta(days=1)
# Who may see alarms among staff may take them.
RIGHT: Final = "see_channel"
PAGE_SIZE: Final = 8

State = Literal["standing", "over", "renewed"]


@dataclass(frozen=True, slots=True)
class Trouble(Notice):
    """What is wrong. Each kind of alarm is a subclass, which is declared by whoever sounds it:
    `AlarmBooks` is the trouble of the kind `books`."""

    @property
    def ends_by_itself(self) -> bool:
        """Whether the desk sees that it is right again; else a person says so."""
        return True

    @classmethod
    def kind(cls) -> str:
        """As the alarm's row names it."""
        return screen_of(cls).removeprefix("alarm_")


@dataclass(frozen=True, slots=True)
class Incident(Trouble):
    """Something happened, and stays so: a person says when it is seen to."""

    @property
    def ends_by_itself(self) -> bool:
        return False


T = TypeVar("T", bound=Trouble)


@dataclass(frozen=True, slots=True)
class Alarm:
    """Something wrong, and how often it was seen.

    kind: of its trouble; subject: what it is about. facts: the fields of the trouble as JSON
    values, of the newest sighting. ends_itself: see `Trouble.ends_by_itself`. state: `renewed` is
    one that a later alarm goes on with. ended_at: None while it stands. taken_by: the Telegram id
    of who sees to it; None for nobody. ended_by_name: who said that it is over; empty where the
    desk saw it.
    """

    id: UUID
    kind: str
    subject: str
    state: State
    facts: dict[str, Any]
    ends_itself: bool
    count: int
    first_at: datetime
    last_at: datetime
    ended_at: datetime | None
    taken_by: int | None = None
    taken_by_name: str = ""
    taken_at: datetime | None = None
    ended_by_name: str = ""

    def trouble(self, kind: type[T]) -> T:
        """What is wrong, as the dataclass of its kind. Raises ValueError where it was kept in
        another shape."""
        return read_notice(kind, Stored(f"alarm_{self.kind}", self.facts))


@dataclass(frozen=True, slots=True)
class StandingAlarms:
    """A page of the alarms that stand, the oldest first. first: the number of its first line, from
    1. total: of all pages."""

    page: int
    pages: int
    first: int
    total: int
    lines: tuple[Alarm, ...]


class Alarms:
    """Sounds alarms and ends them. Of one kind and subject, one stands at a time.

    Each ops group has one message of an alarm, which is drawn from the alarm's row whenever it
    leaves: another sighting, and the end, edit it.
    """

    def __init__(
        self, store: Store, clock: Clock, ids: Ids, groups: Groups, board: Board, audit: Audit
    ) -> None:
        self._store = store
        self._clock = clock
        self._ids = ids
        self._groups = groups
        self._board = board
        self._audit = audit

    async def sound(self, tx: Tx, trouble: Trouble, subject: str = "", *, times: int = 1) -> None:
        """Something is wrong, or is so again; it commits with its cause.

        The row stays locked until then: sound it last, after the locks on money. trouble: takes
        the place of the one before. subject: what it is about; empty where there is but one.
        times: how often it was seen since it was last told.
        """
        now, kind = self._clock.now(), trouble.kind()
        renewed = await tx.fetchrow(
            "UPDATE alarm SET state = 'renewed', ended_at = $3 WHERE kind = $1 AND subject = $2"
            " AND state = 'standing' AND first_at <= $4"
            " RETURNING id, taken_by, taken_by_name, taken_at",
            kind,
            subject,
            now,
            now - TOLD_AGAIN_AFTER,
        )
        if renewed is not None:
            await self._show(tx, renewed["id"])
        alarm_id = await tx.fetchval(
            "INSERT INTO alarm (id, kind, subject, facts, ends_itself, count, first_at, last_at,"
            " taken_by, taken_by_name, taken_at)"
            " VALUES ($1, $2, $3, $4, $5, $6, $7, $7, $8, $9, $10)"
            " ON CONFLICT (kind, subject) WHERE state = 'standing' DO UPDATE SET"
            " facts = excluded.facts, ends_itself = excluded.ends_itself,"
            " count = alarm.count + excluded.count,"
            " last_at = greatest(alarm.last_at, excluded.last_at) RETURNING id",
            self._ids.uuid7(),
            kind,
            subject,
            values_of(trouble),
            trouble.ends_by_itself,
            times,
            now,
            renewed["taken_by"] if renewed else None,
            renewed["taken_by_name"] if renewed else "",
            renewed["taken_at"] if renewed else None,
        )
        await self._show(tx, alarm_id)

    async def amend(self, tx: Tx, trouble: Trouble, subject: str = "") -> None:
        """What is wrong is less than it was: the alarm that stands, if one does, says so. Amend it
        last, like `sound`."""
        alarm_id = await tx.fetchval(
            "UPDATE alarm SET facts = $3"
            " WHERE kind = $1 AND subject = $2 AND state = 'standing' RETURNING id",
            trouble.kind(),
            subject,
            values_of(trouble),
        )
        if alarm_id is not None:
            await self._show(tx, alarm_id)

    async def end(self, tx: Tx, kind: type[Trouble], subject: str = "") -> None:
        """It is right again: the alarm that stands, if one does, says so. End it last, like
        `sound`."""
        alarm_id = await tx.fetchval(
            "UPDATE alarm SET state = 'over', ended_at = $3"
            " WHERE kind = $1 AND subject = $2 AND state = 'standing' RETURNING id",
            kind.kind(),
            subject,
            self._clock.now(),
        )
        if alarm_id is not None:
            await self._show(tx, alarm_id)

    async def take(self, actor: Actor, alarm_id: UUID) -> None:
        """Somebody sees to it: its card says who. Another person may take it over.

        Refusals: those of `Actor.need_among_staff`, record_not_found, alarm_over.
        """
        actor.need_among_staff(RIGHT)
        async with self._store.transaction() as tx:
            alarm = await self._hold(tx, alarm_id)
            if alarm.taken_by == actor.user_id:
                return
            await tx.execute(
                "UPDATE alarm SET taken_by = $2, taken_by_name = $3, taken_at = $4 WHERE id = $1",
                alarm_id,
                actor.user_id,
                actor.name,
                self._clock.now(),
            )
            await self._record(tx, actor, "take_alarm", alarm)
            await self._show(tx, alarm_id)

    async def close(self, actor: Actor, alarm_id: UUID) -> None:
        """Somebody says that it is over, where the desk cannot see it. Seen again, it is told anew.

        Refusals: those of `take`, alarm_ends_itself.
        """
        actor.need_among_staff(RIGHT)
        async with self._store.transaction() as tx:
            alarm = await self._hold(tx, alarm_id)
            if alarm.ends_itself:
                raise Refusal("alarm_ends_itself")
            await tx.execute(
                "UPDATE alarm SET state = 'over', ended_at = $2, ended_by_name = $3 WHERE id = $1",
                alarm_id,
                self._clock.now(),
                actor.name,
            )
            await self._record(tx, actor, "close_alarm", alarm)
            await self._show(tx, alarm_id)

    async def get(self, alarm_id: UUID) -> Alarm:
        """An alarm as it is now. Refusals: record_not_found."""
        row = await self._store.fetchrow(f"{_READ} WHERE id = $1", alarm_id)
        if row is None:
            raise Refusal("record_not_found")
        return Alarm(**dict(row))

    async def standing(self, actor: Actor, page: int) -> StandingAlarms:
        """A page of those that stand; one behind the last is the last. Refusals: those of
        `Actor.need_among_staff`."""
        actor.need_among_staff(RIGHT)
        total = await self._store.fetchval("SELECT count(*) FROM alarm WHERE state = 'standing'")
        pages = max(1, -(-total // PAGE_SIZE))
        page = min(page, pages)
        before = (page - 1) * PAGE_SIZE
        rows = await self._store.fetch(
            f"{_READ} WHERE state = 'standing' ORDER BY first_at, id LIMIT $1 OFFSET $2",
            PAGE_SIZE,
            before,
        )
        lines = tuple(Alarm(**dict(row)) for row in rows)
        return StandingAlarms(page, pages, before + 1, total, lines)

    async def _hold(self, tx: Tx, alarm_id: UUID) -> Alarm:
        row = await tx.fetchrow(f"{_READ} WHERE id = $1 FOR UPDATE", alarm_id)
        if row is None:
            raise Refusal("record_not_found")
        if row["state"] != "standing":
            raise Refusal("alarm_over")
        return Alarm(**dict(row))

    async def _record(self, tx: Tx, actor: Actor, action: Action, alarm: Alarm) -> None:
        await self._audit.record(
            tx,
            action,
            actor=actor.trail_name,
            facts={"alarm": alarm.kind, "about": alarm.subject, "count": alarm.count},
            chat_id=actor.chat_id,
        )

    async def _show(self, tx: Tx, alarm_id: UUID) -> None:
        await self._board.show_alarm(tx, alarm_id, await self._groups.ops(tx))


_READ: Final = (
    "SELECT id, kind, subject, state, facts, ends_itself, count, first_at, last_at, ended_at,"
    " taken_by, taken_by_name, taken_at, ended_by_name FROM alarm"
)
