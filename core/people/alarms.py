"""Alarms: what is wrong is told to the ops groups once, counts up while it stands, and ends."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final, Literal, TypeVar
from uuid import UUID

from core.delivery.board import Board
from core.delivery.outbox import Notice, Stored, read_notice, screen_of, values_of
from core.kernel.clock import Clock
from core.kernel.errors import Refusal
from core.kernel.ids import Ids
from core.people.groups import Groups
from core.system.store import Store, Tx

# What still goes on after this long is told by a new message: nobody looks at one of yesterday.
TOLD_AGAIN_AFTER: Final = timedelta(days=1)

State = Literal["standing", "over", "renewed"]


@dataclass(frozen=True, slots=True)
class Trouble(Notice):
    """What is wrong. Each kind of alarm is a subclass, which is declared by whoever sounds it:
    `AlarmBooks` is the trouble of the kind `books`."""

    @classmethod
    def kind(cls) -> str:
        """As the alarm's row names it."""
        return screen_of(cls).removeprefix("alarm_")


T = TypeVar("T", bound=Trouble)


@dataclass(frozen=True, slots=True)
class Alarm:
    """Something wrong, and how often it was seen.

    kind: of its trouble; subject: what it is about. facts: the fields of the trouble as JSON
    values, of the newest sighting. state: `renewed` is one that a later alarm goes on with.
    ended_at: None while it stands.
    """

    id: UUID
    kind: str
    subject: str
    state: State
    facts: dict[str, Any]
    count: int
    first_at: datetime
    last_at: datetime
    ended_at: datetime | None

    def trouble(self, kind: type[T]) -> T:
        """What is wrong, as the dataclass of its kind. Raises ValueError where it was kept in
        another shape."""
        return read_notice(kind, Stored(f"alarm_{self.kind}", self.facts))


class Alarms:
    """Sounds alarms and ends them. Of one kind and subject, one stands at a time.

    Each ops group has one message of an alarm, which is drawn from the alarm's row whenever it
    leaves: another sighting, and the end, edit it.
    """

    def __init__(self, store: Store, clock: Clock, ids: Ids, groups: Groups, board: Board) -> None:
        self._store = store
        self._clock = clock
        self._ids = ids
        self._groups = groups
        self._board = board

    async def sound(self, tx: Tx, trouble: Trouble, subject: str = "", *, times: int = 1) -> None:
        """Something is wrong, or is so again; it commits with its cause.

        The row stays locked until then: sound it last, after the locks on money. trouble: takes
        the place of the one before. subject: what it is about; empty where there is but one.
        times: how often it was seen since it was last told.
        """
        now, kind = self._clock.now(), trouble.kind()
        renewed = await tx.fetchval(
            "UPDATE alarm SET state = 'renewed', ended_at = $3 WHERE kind = $1 AND subject = $2"
            " AND state = 'standing' AND first_at <= $4 RETURNING id",
            kind,
            subject,
            now,
            now - TOLD_AGAIN_AFTER,
        )
        if renewed is not None:
            await self._show(tx, renewed)
        alarm_id = await tx.fetchval(
            "INSERT INTO alarm (id, kind, subject, facts, count, first_at, last_at)"
            " VALUES ($1, $2, $3, $4, $5, $6, $6)"
            " ON CONFLICT (kind, subject) WHERE state = 'standing' DO UPDATE SET"
            " facts = excluded.facts, count = alarm.count + excluded.count,"
            " last_at = greatest(alarm.last_at, excluded.last_at) RETURNING id",
            self._ids.uuid7(),
            kind,
            subject,
            values_of(trouble),
            times,
            now,
        )
        await self._show(tx, alarm_id)

    async def end(self, tx: Tx, kind: type[Trouble], subject: str = "") -> None:
        """It is right again: the alarm that stands, if one does, says so."""
        alarm_id = await tx.fetchval(
            "UPDATE alarm SET state = 'over', ended_at = $3"
            " WHERE kind = $1 AND subject = $2 AND state = 'standing' RETURNING id",
            kind.kind(),
            subject,
            self._clock.now(),
        )
        if alarm_id is not None:
            await self._show(tx, alarm_id)

    async def get(self, alarm_id: UUID) -> Alarm:
        """An alarm as it is now. Refusals: record_not_found."""
        row = await self._store.fetchrow(
            "SELECT id, kind, subject, state, facts, count, first_at, last_at, ended_at"
            " FROM alarm WHERE id = $1",
            alarm_id,
        )
        if row is None:
            raise Refusal("record_not_found")
        return Alarm(**dict(row))

    async def _show(self, tx: Tx, alarm_id: UUID) -> None:
        await self._board.show_alarm(tx, alarm_id, await self._groups.ops(tx))
