"""Staff by numeric Telegram id; never by @username, which anybody can take."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from core.kernel.clock import Clock
from core.kernel.ids import Ids
from core.people.people.rights import ROLES
from core.system.store import Queries, Store


@dataclass(frozen=True, slots=True)
class Person:
    """A member of staff (role set), or somebody who only chose a language."""

    user_id: int
    name: str
    role: str | None
    language: str | None


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
        return Person(**dict(row)) if row is not None else None

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
        return await _with_roles(
            queries, [role for role, rights in ROLES.items() if right in rights]
        )

    async def owners(self) -> list[Person]:
        """Everybody with the role owner."""
        return await _with_roles(self._store, ["owner"])


async def _with_roles(queries: Queries, roles: list[str]) -> list[Person]:
    rows = await queries.fetch(f"{_SELECT} WHERE role = ANY($1) ORDER BY user_id", roles)
    return [Person(**dict(row)) for row in rows]


_SELECT: Final = "SELECT user_id, name, role, language FROM person"
