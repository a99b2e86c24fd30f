"""Staff by numeric Telegram id; never by @username, which anybody can take."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import asyncpg

from core.kernel.clock import Clock
from core.kernel.ids import Ids
from core.people.people.rights import rights_of
from core.system.store import Queries, Store


@dataclass(frozen=True, slots=True)
class Person:
    """A member of staff (role set), or somebody who only chose a language, or left. allowed,
    denied: rights besides those of the role, and of those that are not this person's."""

    user_id: int
    name: str
    role: str | None
    language: str | None
    allowed: frozenset[str] = frozenset()
    denied: frozenset[str] = frozenset()

    @property
    def rights(self) -> frozenset[str]:
        """What this person may do."""
        return rights_of(self.role, self.allowed, self.denied)


class People:
    """The staff."""

    def __init__(self, store: Store, clock: Clock, ids: Ids) -> None:
        self._store = store
        self._clock = clock
        self._ids = ids

    async def find(self, user_id: int, queries: Queries | None = None) -> Person | None:
        """The person with this numeric id, where we know one. queries: the transaction that is
        open, if one is."""
        row = await (queries or self._store).fetchrow(f"{_SELECT} WHERE user_id = $1", user_id)
        return _person(row) if row is not None else None

    async def employ(self, user_id: int, name: str, role: str) -> None:
        """Give a person a role; said again, it changes nothing."""
        await self._store.execute(
            "INSERT INTO person (id, user_id, name, role, created_at) VALUES ($1, $2, $3, $4, $5)"
            " ON CONFLICT (user_id) DO UPDATE SET name = excluded.name, role = excluded.role",
            self._ids.uuid7(),
            user_id,
            name,
            role,
            self._clock.now(),
        )

    async def with_right(self, queries: Queries, right: str) -> list[Person]:
        """The staff that has a right."""
        return [person for person in await self.staff(queries) if right in person.rights]

    async def owners(self) -> list[Person]:
        """Everybody with the role owner."""
        return [person for person in await self.staff() if person.role == "owner"]

    async def staff(self, queries: Queries | None = None) -> list[Person]:
        """Everybody who has a role. queries: the transaction that is open, if one is."""
        rows = await (queries or self._store).fetch(
            f"{_SELECT} WHERE role IS NOT NULL ORDER BY user_id"
        )
        return [_person(row) for row in rows]


def _person(row: asyncpg.Record) -> Person:
    return Person(
        user_id=row["user_id"],
        name=row["name"],
        role=row["role"],
        language=row["language"],
        allowed=frozenset(row["allowed"]),
        denied=frozenset(row["denied"]),
    )


_SELECT: Final = "SELECT user_id, name, role, language, allowed, denied FROM person"
