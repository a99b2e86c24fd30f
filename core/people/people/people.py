"""Staff by numeric Telegram id; never by @username, which anybody can take."""

from __future__ import annotations

from dataclasses import dataclass

from core.kernel.clock import Clock
from core.kernel.ids import Ids
from core.people.people.models import PersonRow
from core.people.people.rights import ROLES


@dataclass(frozen=True, slots=True)
class Person:
    """A member of staff (role set), or somebody who only chose a language."""

    user_id: int
    name: str
    role: str | None
    language: str | None


class People:
    """The staff."""

    def __init__(self, clock: Clock, ids: Ids) -> None:
        self._clock = clock
        self._ids = ids

    async def find(self, user_id: int) -> Person | None:
        """The person with this numeric id, where we know one."""
        row = await PersonRow.get_or_none(user_id=user_id)
        return Person(row.user_id, row.name, row.role, row.language) if row else None

    async def employ(self, user_id: int, name: str, role: str) -> None:
        """Give a person a role; said again, it changes nothing."""
        changed = await PersonRow.filter(user_id=user_id).update(name=name, role=role)
        if not changed:
            await PersonRow.create(
                id=self._ids.uuid7(),
                user_id=user_id,
                name=name,
                role=role,
                created_at=self._clock.now(),
            )

    async def with_right(self, right: str) -> list[Person]:
        """The staff that has a right."""
        roles = [role for role, rights in ROLES.items() if right in rights]
        rows = await PersonRow.filter(role__in=roles).order_by("user_id")
        return [Person(r.user_id, r.name, r.role, r.language) for r in rows]

    async def owners(self) -> list[Person]:
        """Everybody with the role owner."""
        rows = await PersonRow.filter(role="owner").order_by("user_id")
        return [Person(r.user_id, r.name, r.role, r.language) for r in rows]
