"""Links by which somebody becomes a colleague: for one role, one person and one day."""

from __future__ import annotations

import hashlib
import secrets
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final, Literal
from uuid import UUID

import asyncpg

from core.delivery.district import Delivery
from core.kernel.errors import Refusal
from core.people.actors import Access, Actor
from core.people.approvals import Approvals
from core.people.people import Change, Person, Persons, Standing
from core.people.staff.rules import RIGHT
from core.people.staff.staff import Staff
from core.system.district import System
from core.system.store import Queries, Tx

OPEN_FOR: Final = timedelta(hours=24)
KEPT: Final = timedelta(days=30)
MOST_LISTED: Final = 8
_CODE_BYTES: Final = 24
NOBODY_YET: Final = 0  # no person of Telegram's


@dataclass(frozen=True, slots=True)
class Invitation:
    """A new link. code: what it carries; shown once. second: a second person decides once it was
    opened."""

    role: str
    expires_at: datetime
    second: bool
    code: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class OpenLink:
    """A link that nobody opened yet."""

    id: UUID
    role: str
    made_by_name: str
    expires_at: datetime


@dataclass(frozen=True, slots=True)
class Joined:
    """What became of somebody who opened a link: hired as this, or a second person is asked."""

    state: Literal["hired", "waits"]
    role: str


class Invitations:
    """Makes links, and lets people in who open them."""

    def __init__(
        self,
        system: System,
        delivery: Delivery,
        people: Persons,
        access: Access,
        approvals: Approvals,
        staff: Staff,
    ) -> None:
        self._system = system
        self._audit = delivery.audit
        self._people = people
        self._access = access
        self._approvals = approvals
        self._staff = staff

    async def make(self, actor: Actor, role: str) -> Invitation:
        """A link for whoever opens it first. Refusals: those of `Actor.need_among_staff`, and of
        `Staff.make` as far as nobody has opened it."""
        actor.need_among_staff(RIGHT)
        after = Standing().after(Change("role", role))
        somebody = Person(NOBODY_YET, "", Standing())
        second = await self._staff.need_may(self._system.store, actor.user_id, somebody, after)
        code, now = secrets.token_urlsafe(_CODE_BYTES), self._system.clock.now()
        made_id, expires_at = self._system.ids.uuid7(), now + OPEN_FOR
        async with self._system.store.transaction() as tx:
            await tx.execute(
                _MAKE, made_id, _hashed(code), role, actor.user_id, actor.name, now, expires_at
            )
            await self._audit.record(
                tx,
                "invite",
                actor=actor.trail_name,
                facts={"invitation_id": str(made_id), "word": role, "actor_name": actor.name},
                chat_id=actor.chat_id,
            )
        return Invitation(role, expires_at, second, code)

    async def join(self, user_id: int, name: str, code: str) -> Joined | None:
        """Somebody opened a link in a private chat. Opened again by the same person, it answers the
        same, and asks again where nobody decided in time. None: there is no such link.

        Refusals: staff_already, invitation_over.
        """
        found = await self._find(self._system.store, code)
        if found is None:
            return None
        made_by = found["made_by"]
        giver = await self._access.actor(made_by, found["made_by_name"], made_by, private=True)
        async with self._system.store.transaction() as tx:
            there = await self._find(tx, code, hold=True)
            if there is None:
                return None
            return await self._let_in(tx, giver, there, user_id, name)

    async def open(self) -> list[OpenLink]:
        """The links that somebody may still open, the oldest first; MOST_LISTED at most."""
        rows = await self._system.store.fetch(_OPEN, self._system.clock.now(), MOST_LISTED)
        return [OpenLink(**dict(row)) for row in rows]

    async def end(self, actor: Actor, invitation_id: UUID) -> None:
        """Nobody comes in by a link any more; one that was opened or ended before stays as it is.
        Refusals: those of `Actor.need_among_staff`."""
        actor.need_among_staff(RIGHT)
        async with self._system.store.transaction() as tx:
            role = await tx.fetchval(_END, invitation_id, self._system.clock.now())
            if role is not None:
                facts = {
                    "invitation_id": str(invitation_id), "word": role, "actor_name": actor.name,
                }  # fmt: skip
                await self._audit.record(
                    tx, "end_invitation", actor=actor.trail_name, facts=facts,
                    chat_id=actor.chat_id,
                )  # fmt: skip

    async def forget_old(self) -> int:
        """Drop links that were over a month ago and more; the trail has who came by them."""
        return await self._system.store.execute(
            "DELETE FROM invitation WHERE expires_at < $1", self._system.clock.now() - KEPT
        )

    async def _let_in(
        self, tx: Tx, giver: Actor, link: asyncpg.Record, user_id: int, name: str
    ) -> Joined:
        """The link is held."""
        role, again = link["role"], link["used_by"] == user_id
        person = await self._people.find(user_id, tx)
        if person is not None and person.role is not None:
            if again:
                return Joined("hired", person.role)
            raise Refusal("staff_already", role=person.role)
        if link["expires_at"] <= self._system.clock.now() or (link["used_by"] and not again):
            raise Refusal("invitation_over")
        if again and await self._waits(tx, link["approval_id"]):
            return Joined("waits", role)
        somebody = Person(user_id, name, Standing())
        try:
            made = await self._staff.make(tx, giver, somebody, Change("role", role), invited=True)
        except Refusal as refusal:
            # Whoever made it may not any more: that is nothing to tell a stranger.
            raise Refusal("invitation_over") from refusal
        asked_id = None if isinstance(made, Person) else made.id
        await tx.execute(_USE, link["id"], user_id, self._system.clock.now(), asked_id)
        return Joined("hired" if asked_id is None else "waits", role)

    async def _waits(self, tx: Tx, approval_id: UUID | None) -> bool:
        """Whether a second person is still asked; False where nobody answered in time. Refusals:
        invitation_over (turned down, or approved and over since)."""
        if approval_id is None:
            raise Refusal("invitation_over")
        state = (await self._approvals.cards.of(approval_id, tx)).state
        if state in ("used", "dropped"):
            raise Refusal("invitation_over")
        return state == "open"

    async def _find(
        self, queries: Queries, code: str, *, hold: bool = False
    ) -> asyncpg.Record | None:
        return await queries.fetchrow(_HOLD if hold else _FIND, _hashed(code))


def _hashed(code: str) -> bytes:
    return hashlib.sha256(code.encode()).digest()


_FIND: Final = "SELECT * FROM invitation WHERE code_hash = $1"
_HOLD: Final = f"{_FIND} FOR UPDATE"
_MAKE: Final = """
INSERT INTO invitation (id, code_hash, role, made_by, made_by_name, made_at, expires_at)
VALUES ($1, $2, $3, $4, $5, $6, $7)
"""
_OPEN: Final = """
SELECT id, role, made_by_name, expires_at FROM invitation
WHERE used_by IS NULL AND expires_at > $1 ORDER BY made_at, id LIMIT $2
"""
_END: Final = """
UPDATE invitation SET expires_at = $2 WHERE id = $1 AND used_by IS NULL AND expires_at > $2
RETURNING role
"""
_USE: Final = """
UPDATE invitation SET used_by = $2, used_at = coalesce(used_at, $3), approval_id = $4 WHERE id = $1
"""
