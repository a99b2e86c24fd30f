"""Who goes by the name of one of the staff, and who of the staff goes by another: ops is told."""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

from core.delivery.district import Delivery
from core.delivery.outbox import Notice, Say
from core.kernel.clock import Clock
from core.kernel.errors import Refusal
from core.people.actors import ANONYMOUS_ADMIN_ID, Actor
from core.people.alarms import RIGHT, Alarms, Incident
from core.people.groups import Groups
from core.people.lookalikes.skeletons import Named, looks_like, skeleton
from core.system.store import Store

# Names of the staff are read again so often: somebody new is known a little later.
_READ_EVERY: Final = timedelta(minutes=1)
# So many people of groups are remembered, with the name under which they were looked at.
_REMEMBERED: Final = 10_000


@dataclass(frozen=True, slots=True)
class AlarmLookalike(Incident):
    """Somebody in a bound group goes by a name that reads like a colleague's. chat: the group's
    title. username: of that person, empty where there is none. staff_name: of the colleague."""

    user_id: int
    name: str
    username: str
    staff_name: str
    chat_id: int
    chat: str


@dataclass(frozen=True, slots=True)
class StaffRenamed(Notice):
    """Ops is told: a colleague goes by another name."""

    user_id: int
    before: str
    after: str


@dataclass(frozen=True, slots=True)
class LookalikeWarning(Notice):
    """A group is told: this member is none of the staff."""

    name: str


@dataclass(slots=True)
class _Known:
    """The staff as it was read last, and who was looked at since."""

    read_at: datetime | None = None
    staff: dict[int, Named] = field(default_factory=dict)
    seen: OrderedDict[tuple[int, Named], None] = field(default_factory=OrderedDict)


class Lookalikes:
    """Looks at the names of who speaks. Each person is looked at once in a group under a name."""

    def __init__(
        self, store: Store, clock: Clock, delivery: Delivery, groups: Groups, alarms: Alarms
    ) -> None:
        self._store = store
        self._clock = clock
        self._delivery = delivery
        self._groups = groups
        self._alarms = alarms
        self._known = _Known()

    async def hear(self, actor: Actor, name: str, username: str) -> None:
        """Somebody speaks or presses, under the name that Telegram shows. Of the staff, another
        name is kept, and ops is told. Of others in a bound group, a name that reads like a
        colleague's is an alarm, unless somebody said that this person is known by it."""
        if actor.user_id == ANONYMOUS_ADMIN_ID or not name:
            return
        somebody = Named(actor.user_id, name, username)
        if actor.staff:
            await self._follow(somebody)
        elif actor.group is not None and actor.group.kind in ("merchant", "supplier"):
            await self._look(actor, somebody)

    async def know(self, actor: Actor, alarm_id: UUID) -> None:
        """This person is known by that name: it is no alarm any more. Refusals: those of
        `Alarms.close`, record_not_found."""
        actor.need_among_staff(RIGHT)
        trouble = await self._trouble(alarm_id)
        await self._alarms.close(actor, alarm_id)
        await self._store.execute(
            "INSERT INTO known_lookalike (user_id, name, username, by_user_id, by_name, at)"
            " VALUES ($1, $2, $3, $4, $5, $6) ON CONFLICT DO NOTHING",
            trouble.user_id,
            skeleton(trouble.name),
            skeleton(trouble.username),
            actor.user_id,
            actor.name,
            self._clock.now(),
        )

    async def warn(self, actor: Actor, alarm_id: UUID) -> None:
        """Tell the group that this member is none of the staff. Refusals: those of
        `Actor.need_among_staff`, record_not_found."""
        actor.need_among_staff(RIGHT)
        trouble = await self._trouble(alarm_id)
        async with self._store.transaction() as tx:
            warning = Say(LookalikeWarning(trouble.name))
            await self._delivery.outbox.say(tx, trouble.chat_id, warning)
            await self._delivery.audit.record(
                tx,
                "warn_of_lookalike",
                actor=actor.trail_name,
                facts={"user_id": trouble.user_id, "chat_id": trouble.chat_id},
                chat_id=actor.chat_id,
            )

    async def _trouble(self, alarm_id: UUID) -> AlarmLookalike:
        alarm = await self._alarms.get(alarm_id)
        if alarm.kind != AlarmLookalike.kind():
            raise Refusal("record_not_found")
        return alarm.trouble(AlarmLookalike)

    async def _follow(self, somebody: Named) -> None:
        """Another name of one of the staff is kept and told, whoever hears it first."""
        known = await self._staff()
        if known.get(somebody.user_id) == somebody:
            return
        async with self._store.transaction() as tx:
            before = await tx.fetchrow(
                "SELECT name, username FROM person WHERE user_id = $1 FOR UPDATE", somebody.user_id
            )
            if before is None:
                return
            await tx.execute(
                "UPDATE person SET name = $2, username = $3 WHERE user_id = $1",
                somebody.user_id,
                somebody.name,
                somebody.username,
            )
            was = Named(somebody.user_id, before["name"], before["username"])
            if was.username is not None and was != somebody:
                told = StaffRenamed(somebody.user_id, _shown(was), _shown(somebody))
                await self._groups.tell_ops(tx, Say(told))
        known[somebody.user_id] = somebody
        self._known.seen.clear()

    async def _look(self, actor: Actor, somebody: Named) -> None:
        staff, seen = await self._staff(), self._known.seen
        if (actor.home, somebody) in seen:
            return
        colleague = looks_like(somebody, staff.values())
        if colleague is not None and not await self._is_known(somebody):
            trouble = AlarmLookalike(
                user_id=somebody.user_id,
                name=somebody.name,
                username=somebody.username or "",
                staff_name=colleague.name,
                chat_id=actor.home,
                chat=actor.group.title if actor.group else "",
            )
            async with self._store.transaction() as tx:
                await self._alarms.sound(tx, trouble, str(somebody.user_id))
        seen[actor.home, somebody] = None
        while len(seen) > _REMEMBERED:
            seen.popitem(last=False)

    async def _is_known(self, somebody: Named) -> bool:
        return bool(
            await self._store.fetchval(
                "SELECT EXISTS (SELECT FROM known_lookalike"
                " WHERE user_id = $1 AND name = $2 AND username = $3)",
                somebody.user_id,
                skeleton(somebody.name),
                skeleton(somebody.username or ""),
            )
        )

    async def _staff(self) -> dict[int, Named]:
        """By Telegram's id. Where somebody came or goes by another name, all are looked at anew."""
        known, now = self._known, self._clock.now()
        if known.read_at is None or now - known.read_at >= _READ_EVERY:
            rows = await self._store.fetch(
                "SELECT user_id, name, username FROM person WHERE role IS NOT NULL"
            )
            staff = {row["user_id"]: Named(**dict(row)) for row in rows}
            if staff != known.staff:
                known.staff = staff
                known.seen.clear()
            known.read_at = now
        return known.staff


def _shown(somebody: Named) -> str:
    return f"{somebody.name} @{somebody.username}" if somebody.username else somebody.name
