"""Staff by numeric Telegram id; never by @username, which anybody can take."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Final

import asyncpg

from core.kernel.clock import Clock
from core.kernel.ids import Ids
from core.people.people.standing import Change, Standing
from core.system.store import Queries, Store

MAX_NAME_CHARS: Final = 128


@dataclass(frozen=True, slots=True)
class Person:
    """A member of staff (its standing has a role), or somebody who only chose a language, speaks
    for a merchant or a supplier, or left. hired_at: None for who is not of the staff."""

    user_id: int
    name: str
    standing: Standing
    language: str | None = None
    hired_at: datetime | None = None

    @property
    def role(self) -> str | None:
        """None for who is not of the staff."""
        return self.standing.role

    @property
    def rights(self) -> frozenset[str]:
        """What this person may do."""
        return self.standing.rights


class Persons:
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
        """Give a person a role, where the desk itself says who has one; said again, it changes
        nothing. What people decide of each other is `Staff`."""
        person = await self.find(user_id)
        before = person.standing if person is not None else Standing()
        after = before.after(Change("role", role))
        await self.put(self._store, user_id, name, after)

    async def put(self, queries: Queries, user_id: int, name: str, standing: Standing) -> None:
        """A person has this name and standing from now on. What that person could do and no longer
        can is kept with its time."""
        before, now = await self.find(user_id, queries), self._clock.now()
        had = before.rights if before is not None else frozenset()
        await queries.execute(
            _PUT,
            self._ids.uuid7(),
            user_id,
            name[:MAX_NAME_CHARS],
            standing.role,
            standing.allowed,
            standing.denied,
            now,
            dict.fromkeys(had - standing.rights, now.isoformat()),
        )

    async def follow(self, queries: Queries, user_id: int, name: str) -> None:
        """Telegram shows this person under another name: it is ours as well. Somebody whom we do
        not know yet is known by it, and is nobody of the staff."""
        await queries.execute(
            _FOLLOW, self._ids.uuid7(), user_id, name[:MAX_NAME_CHARS], self._clock.now()
        )

    async def lost_at(self, queries: Queries, right: str, *, but: int) -> datetime | None:
        """When somebody last lost a right; None where nobody ever did. but: of others than this
        person."""
        lost: str | None = await queries.fetchval(_LOST_AT, right, but)
        return None if lost is None else datetime.fromisoformat(lost)

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
    role = row["role"]
    there = Standing(role, tuple(row["allowed"]), tuple(row["denied"])) if role else Standing()
    return Person(
        user_id=row["user_id"],
        name=row["name"],
        standing=there,
        language=row["language"],
        hired_at=row["hired_at"],
    )


_SELECT: Final = "SELECT user_id, name, role, language, allowed, denied, hired_at FROM person"
_PUT: Final = """
INSERT INTO person AS p (id, user_id, name, role, allowed, denied, created_at, hired_at, lost)
VALUES ($1, $2, $3, $4::text, $5, $6, $7::timestamptz,
    CASE WHEN $4::text IS NOT NULL THEN $7::timestamptz END, $8)
ON CONFLICT (user_id) DO UPDATE SET name = excluded.name, role = excluded.role,
    allowed = excluded.allowed, denied = excluded.denied, lost = p.lost || excluded.lost,
    hired_at = CASE WHEN excluded.role IS NOT NULL THEN coalesce(p.hired_at, excluded.hired_at) END
"""
# Instants of one zone, written alike: the greatest text is the latest.
_LOST_AT: Final = "SELECT max(lost->>$1) FROM person WHERE user_id <> $2"
_FOLLOW: Final = """
INSERT INTO person AS p (id, user_id, name, created_at) VALUES ($1, $2, $3, $4)
ON CONFLICT (user_id) DO UPDATE SET name = excluded.name WHERE p.name <> excluded.name
"""
