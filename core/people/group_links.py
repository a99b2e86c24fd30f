"""Links that bring the bot into a group and make it a merchant's or a supplier's: once, within a
day."""

from __future__ import annotations

import hashlib
import secrets
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final, Literal
from uuid import UUID

import asyncpg

from core.delivery.audit import Audit
from core.kernel.errors import Refusal
from core.people.actors import ANONYMOUS_ADMIN_ID, Access, Actor
from core.system.district import System
from core.system.store import Tx

RIGHT: Final = "bind"
OPEN_FOR: Final = timedelta(hours=24)
KEPT: Final = timedelta(days=30)
_CODE_BYTES: Final = 24


@dataclass(frozen=True, slots=True)
class NewGroupLink:
    """A new link. code: what it carries; shown once."""

    expires_at: datetime
    code: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class GroupLink:
    """A link that was opened. kind, holder_id: whose a group becomes by it. stands: whether its
    maker still may bind groups."""

    id: UUID
    kind: Literal["merchant", "supplier"]
    holder_id: UUID
    made_by_name: str
    stands: bool


class GroupLinks:
    """Makes links, and says who may use them."""

    def __init__(self, system: System, access: Access, audit: Audit) -> None:
        self._store = system.store
        self._clock = system.clock
        self._ids = system.ids
        self._access = access
        self._audit = audit

    async def make(
        self, actor: Actor, kind: Literal["merchant", "supplier"], holder_id: UUID, holder_no: str
    ) -> NewGroupLink:
        """A link for one group of a merchant or a supplier. Refusals: those of
        `Actor.need_among_staff`."""
        actor.need_among_staff(RIGHT)
        code, now = secrets.token_urlsafe(_CODE_BYTES), self._clock.now()
        expires_at = now + OPEN_FOR
        theirs = (holder_id, None) if kind == "merchant" else (None, holder_id)
        async with self._store.transaction() as tx:
            await tx.execute(
                _MAKE, self._ids.uuid7(), _hashed(code), *theirs, actor.user_id, actor.name, now,
                expires_at,
            )  # fmt: skip
            await self._audit.record(
                tx,
                "link_group",
                actor=actor.trail_name,
                facts={"holder_no": holder_no, "actor_name": actor.name},
                merchant_id=theirs[0],
                chat_id=actor.chat_id,
            )
        return NewGroupLink(expires_at, code)

    async def find(self, code: str) -> GroupLink | None:
        """The link of a code; None where nobody made it."""
        row = await self._store.fetchrow(_FIND, _hashed(code))
        if row is None:
            return None
        maker = await self._access.actor(
            row["made_by"], row["made_by_name"], row["made_by"], private=True
        )
        return _link(row, stands=maker.may(RIGHT))

    async def said_in(self, link: GroupLink, chat_id: int) -> None:
        """Somebody said a link in a group, where everybody reads it: from now on it counts for that
        group alone, whatever comes of it there."""
        await self._store.execute(_SAY, link.id, chat_id)

    async def use(self, tx: Tx, actor: Actor, link: GroupLink, chat_id: int) -> None:
        """Somebody uses a link in the group in which it was said, which is bound in the same
        transaction: whoever has the right to; or whoever brought the bot in, as long as who made
        the link has it.

        Opened again in the same group, while that is bound by it, it changes nothing. Refusals:
        anonymous_admin, not_permitted, group_link_over (said elsewhere before, used, too old, or
        its maker may not any more).
        """
        if actor.user_id == ANONYMOUS_ADMIN_ID:
            raise Refusal("anonymous_admin")
        row = await tx.fetchrow(_HOLD, link.id, chat_id)
        if row is None or not row["said_here"]:
            raise Refusal("group_link_over")
        if not actor.may(RIGHT) and row["added_by"] != actor.user_id:
            raise Refusal("not_permitted", right=RIGHT)
        if row["used_at"] is not None:
            if not row["bound_here"]:
                raise Refusal("group_link_over")
            return
        if row["expires_at"] <= self._clock.now() or not link.stands:
            raise Refusal("group_link_over")
        await tx.execute(_USE, link.id, actor.user_id, self._clock.now())

    async def forget_old(self) -> int:
        """Drop links that were over a month ago and more; the trail has what they bound."""
        return await self._store.execute(
            "DELETE FROM group_link WHERE expires_at < $1", self._clock.now() - KEPT
        )


def _link(row: asyncpg.Record, *, stands: bool) -> GroupLink:
    kind: Literal["merchant", "supplier"] = "merchant" if row["merchant_id"] else "supplier"
    holder_id = row["merchant_id"] or row["supplier_id"]
    return GroupLink(row["id"], kind, holder_id, row["made_by_name"], stands)


def _hashed(code: str) -> bytes:
    return hashlib.sha256(code.encode()).digest()


_MAKE: Final = """
INSERT INTO group_link
    (id, code_hash, merchant_id, supplier_id, made_by, made_by_name, made_at, expires_at)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8)
"""
_FIND: Final = "SELECT * FROM group_link WHERE code_hash = $1"
# It was said in one group, whatever that becomes meanwhile.
_SAY: Final = "UPDATE group_link SET chat_id = $2 WHERE id = $1 AND chat_id IS NULL"
# $2: the chat in which it is used, which may have moved since.
_HOLD: Final = """
SELECT l.used_at, l.expires_at, g.added_by, EXISTS (
    SELECT FROM binding b
    WHERE b.chat_id = g.chat_id
      AND coalesce(b.merchant_id, b.supplier_id) = coalesce(l.merchant_id, l.supplier_id)
) AS bound_here, coalesce(s.moved_to, l.chat_id) = coalesce(c.moved_to, $2) AS said_here
FROM group_link l
LEFT JOIN chat_group s ON s.chat_id = l.chat_id
LEFT JOIN chat_group c ON c.chat_id = $2
LEFT JOIN chat_group g ON g.chat_id = coalesce(c.moved_to, c.chat_id)
WHERE l.id = $1 FOR UPDATE OF l
"""
_USE: Final = "UPDATE group_link SET used_by = $2, used_at = $3 WHERE id = $1"
