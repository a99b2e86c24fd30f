"""The one door: turns (person, chat) into an actor with rights."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, Literal
from uuid import UUID

import asyncpg

from core.kernel.errors import Refusal
from core.parties.merchants import Merchant, Merchants
from core.parties.suppliers import Supplier
from core.people.groups import GROUP, Group, read_group
from core.people.people import rights_of
from core.system.batch import Batch
from core.system.store import Store

# Telegram's stand-in for administrators who hide who they are: never authorises anything.
ANONYMOUS_ADMIN_ID: Final = 1087968824


@dataclass(frozen=True, slots=True)
class Actor:
    """Somebody who speaks in a chat, and what they may do there.

    chat_id: where it was said; `home` is that chat as it is now. group: None in a private chat.
    merchant_ids, supplier_ids: whose data this actor may see here; None means everybody's (staff
    in private and in ops groups).
    """

    user_id: int
    name: str
    role: str | None
    rights: frozenset[str]
    language: str
    chat_id: int
    group: Group | None
    merchant_ids: tuple[UUID, ...] | None
    supplier_ids: tuple[UUID, ...] | None
    staff: bool

    @property
    def known(self) -> bool:
        """Strangers get silence."""
        return self.role is not None

    @property
    def trail_name(self) -> str:
        """How the audit trail and histories name this person."""
        return f"telegram:{self.user_id}"

    @property
    def home(self) -> int:
        """The chat as it is now: a group that became a supergroup has another id."""
        return self.chat_id if self.group is None else self.group.chat_id

    @property
    def in_suppliers_group(self) -> bool:
        """Whether money by the line is what a supplier paid in, here."""
        return self.group is not None and self.group.kind == "supplier"

    @property
    def in_merchants_group(self) -> bool:
        """Whether a merchant's people read along here."""
        return self.group is not None and self.group.kind == "merchant"

    @property
    def in_unbound_group(self) -> bool:
        """Whether this is a group that belongs to nobody yet."""
        private = self.chat_id == self.user_id
        return not private and (self.group is None or self.group.kind == "unbound")

    def may(self, right: str) -> bool:
        return right in self.rights

    def need(self, right: str) -> None:
        """Refusals: anonymous_admin, not_permitted."""
        if self.user_id == ANONYMOUS_ADMIN_ID:
            raise Refusal("anonymous_admin")
        if right not in self.rights:
            raise Refusal("not_permitted", right=right)

    def need_among_staff(self, right: str) -> None:
        """A right, in a chat where staff alone reads. Refusals: anonymous_admin, not_permitted,
        staff_only."""
        self.need(right)
        if self.merchant_ids is not None:
            raise Refusal("staff_only")

    def need_for(
        self, right: str, *, merchant: Merchant | None = None, supplier: Supplier | None = None
    ) -> None:
        """Whoever does something by a right may do so, and sees here whom it concerns: a merchant,
        a supplier, or else the platform.

        Refusals: anonymous_admin, not_permitted, merchant_not_found, supplier_not_found,
        record_not_found (the platform, where others than staff read along).
        """
        self.need(right)
        if merchant is not None:
            if not self.sees(merchant.id):
                raise Refusal("merchant_not_found", merchant_no=merchant.merchant_no)
        elif supplier is not None:
            if not self.sees_supplier(supplier.id):
                raise Refusal("supplier_not_found", supplier_no=supplier.supplier_no)
        elif self.merchant_ids is not None:
            raise Refusal("record_not_found")

    def sees(self, merchant_id: UUID) -> bool:
        """Whether this merchant's data may be shown to this actor in this chat."""
        return self.merchant_ids is None or merchant_id in self.merchant_ids

    def sees_supplier(self, supplier_id: UUID) -> bool:
        """Whether this supplier's data may be shown to this actor in this chat."""
        return self.supplier_ids is None or supplier_id in self.supplier_ids


@dataclass(frozen=True, slots=True)
class _Speaker:
    """Somebody in a chat. chat_id: None in a private one."""

    user_id: int
    chat_id: int | None


class Access:
    """Who may do what, asked in one place."""

    def __init__(self, store: Store, merchants: Merchants) -> None:
        self._store = store
        self._merchants = merchants
        self._reads = Batch(self._read, self._read_alone)

    async def actor(self, user_id: int, name: str, chat_id: int, *, private: bool) -> Actor:
        """The actor for one message or button press: as person, group and bindings stand when it
        is asked, at one instant."""
        found = await self._reads.write(_Speaker(user_id, None if private else chat_id))
        group = read_group(found) if found["chat_id"] is not None else None
        role: str | None = found["person_role"]
        staff = role is not None
        own: frozenset[UUID] | None = None
        if role is None and group is not None:
            role, own = found["group_role"], frozenset(found["holder_ids"])
        rights = rights_of(
            role, found["person_allowed"] if staff else (), found["person_denied"] if staff else ()
        )
        everything = staff and (private or (group is not None and group.kind == "ops"))
        return Actor(
            user_id=user_id,
            name=found["person_name"] or name,
            role=role,
            rights=frozenset() if user_id == ANONYMOUS_ADMIN_ID else rights,
            language=(group.language if group else found["person_language"]) or "zh",
            chat_id=chat_id,
            group=group,
            merchant_ids=None if everything else _seen(group, "merchant_ids", own),
            supplier_ids=None if everything else _seen(group, "supplier_ids", own),
            staff=staff,
        )

    async def _read(self, speakers: Sequence[_Speaker]) -> list[asyncpg.Record]:
        """All who speak at once, in one question."""
        user_ids, chat_ids = zip(*((one.user_id, one.chat_id) for one in speakers), strict=True)
        return await self._store.fetch(_WHO, user_ids, chat_ids)

    async def _read_alone(self, speaker: _Speaker) -> asyncpg.Record:
        (found,) = await self._read([speaker])
        return found

    async def merchant_in(
        self, actor: Actor, merchant_no: str | None, *, example: str = "M1001"
    ) -> Merchant:
        """The merchant a command is about: the one named, or the only one of this group.

        example: the command with a merchant's number. Refusals: merchant_needed (a chat of
        staff), merchant_not_here (a supplier's group), group_not_bound (one that is nobody's),
        merchant_ambiguous, merchant_not_found (also for a merchant that exists but is none of
        this group's).
        """
        if merchant_no is not None:
            merchant = await self._merchants.by_no(merchant_no)
            if not actor.sees(merchant.id):
                raise Refusal("merchant_not_found", merchant_no=merchant_no)
            return merchant
        bound = actor.merchant_ids or ()
        if not bound:
            if actor.in_unbound_group:
                raise Refusal("group_not_bound")
            if actor.in_suppliers_group:
                raise Refusal("merchant_not_here")
            raise Refusal("merchant_needed", example=example)
        if len(bound) > 1:
            numbers = [(await self._merchants.by_id(m)).merchant_no for m in bound]
            raise Refusal("merchant_ambiguous", merchants=", ".join(numbers))
        return await self._merchants.by_id(bound[0])


def _seen(
    group: Group | None,
    holders: Literal["merchant_ids", "supplier_ids"],
    own: frozenset[UUID] | None,
) -> tuple[UUID, ...]:
    """Of the holders of a bound group, those this actor sees: all of them, but for people of one
    of them, who see `own`. Others are reading along: nobody else's show, to staff as well. In a
    group that is not known yet nobody's do."""
    bound: tuple[UUID, ...] = () if group is None else getattr(group, holders)
    return bound if own is None else tuple(one for one in bound if one in own)


# $1: persons, $2: the chat of each, null for a private one. A chat that moved is what it became.
_WHO: Final = (
    "SELECT p.name AS person_name, p.role AS person_role,"  # noqa: S608 (our own)
    " p.allowed AS person_allowed, p.denied AS person_denied, p.language AS person_language,"
    " (SELECT s.role FROM binding b JOIN group_staff s ON s.binding_id = b.id"
    "  WHERE b.chat_id = g.chat_id AND s.user_id = w.user_id"
    "  ORDER BY s.created_at LIMIT 1) AS group_role,"
    " array(SELECT coalesce(b.merchant_id, b.supplier_id)"
    "  FROM binding b JOIN group_staff s ON s.binding_id = b.id"
    "  WHERE b.chat_id = g.chat_id AND s.user_id = w.user_id) AS holder_ids,"
    f" {GROUP}"
    " FROM unnest($1::bigint[], $2::bigint[]) WITH ORDINALITY AS w (user_id, chat_id, place)"
    " LEFT JOIN person p ON p.user_id = w.user_id"
    " LEFT JOIN chat_group c ON c.chat_id = w.chat_id"
    " LEFT JOIN chat_group g ON g.chat_id = coalesce(c.moved_to, c.chat_id)"
    " ORDER BY w.place"
)
