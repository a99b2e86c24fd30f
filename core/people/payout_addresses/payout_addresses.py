"""The address to which a merchant or a supplier is paid out, in its group: the first one is set by
one person, and changed by two."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime
from typing import ClassVar, Final
from uuid import UUID

from core.delivery.outbox import Notice
from core.kernel.clock import Clock
from core.kernel.errors import Bug, Refusal
from core.people.actors import Access, Actor
from core.people.approvals import Approvals, Asked, SecondQuestion
from core.people.factors import Proof
from core.people.payout_addresses.addresses import Address, Network
from core.people.receipts import Answer, Cause, ObeyedBefore, Receipts
from core.system.store import Store, Tx

RIGHT: Final = "merchants"


@dataclass(frozen=True, slots=True)
class Owner:
    """Whose address it is: a merchant, or else a supplier."""

    id: UUID
    no: str
    name: str
    is_merchant: bool


@dataclass(frozen=True, slots=True)
class Stored:
    """An address as it is kept. owner_no: of the merchant or supplier."""

    owner_no: str
    network: Network
    address: str
    set_by_name: str
    set_at: datetime


@dataclass(frozen=True, slots=True)
class PayoutAddressQuestion(SecondQuestion):
    """Whether another address takes the place of the one that is kept (before)."""

    kind: ClassVar[str] = "payout_address"
    right: ClassVar[str] = RIGHT
    owner: Owner
    network: Network
    before: str
    after: str
    unchecked: bool


@dataclass(frozen=True, slots=True)
class PayoutAddressSet(Notice):
    """An address is kept from now on. before: empty for the first one."""

    owner_no: str
    owner_name: str
    network: Network
    before: str
    after: str
    actor_name: str
    approved_by: int | None = None
    approved_by_name: str = ""


class PayoutAddresses:
    """Keeps one address of each network for whom a group is bound to; they go with the binding."""

    def __init__(
        self, store: Store, clock: Clock, access: Access, approvals: Approvals, receipts: Receipts
    ) -> None:
        self._store = store
        self._clock = clock
        self._access = access
        self._approvals = approvals
        self._receipts = receipts
        approvals.carries_out(PayoutAddressQuestion, self._decide)

    async def of(self, actor: Actor) -> list[Stored]:
        """What is kept in the chat for those whom this actor sees here."""
        rows = await self._store.fetch(
            _KEPT, actor.home, list(actor.merchant_ids or ()), list(actor.supplier_ids or ())
        )
        return [Stored(**dict(row)) for row in rows]

    async def set(self, actor: Actor, owner: Owner, address: Address, cause: Cause) -> bool:
        """Keep an address; in place of another one a second person is asked first. Returns whether
        it was kept already, and nothing was said.

        Refusals: anonymous_admin, not_permitted, group_not_bound, address_wrong, ops_missing.
        """
        actor.need(RIGHT)
        if address.checksum == "wrong":
            raise Refusal("address_wrong")
        if await self._approvals.find_replied(
            PayoutAddressQuestion, actor.user_id, cause.chat_id, cause.message_id
        ):
            return False
        try:
            async with self._store.transaction() as tx:
                binding_id = await self._hold(tx, actor.home, owner)
                before = await self._kept(tx, binding_id, address.network)
                if address.is_same(before):
                    return True
                if before:
                    await self._receipts.need_fresh(tx, cause)
                    await self._ask(tx, actor, owner, address, before, cause)
                    return False
                said = PayoutAddressSet(
                    owner.no, owner.name, address.network, before, address.text, actor.name
                )
                await self._write(tx, actor, binding_id, owner, said, cause)
        except ObeyedBefore:
            pass
        return False

    async def _ask(
        self, tx: Tx, actor: Actor, owner: Owner, address: Address, before: str, cause: Cause
    ) -> None:
        question = PayoutAddressQuestion(
            owner, address.network, before, address.text, address.checksum == "unchecked"
        )
        await self._approvals.ask(
            tx,
            actor,
            question,
            merchant_id=owner.id if owner.is_merchant else None,
            supplier_id=None if owner.is_merchant else owner.id,
            message_id=cause.message_id,
        )

    async def _decide(
        self, actor: Actor, asked: Asked[PayoutAddressQuestion], yes: bool, proof: Proof | None
    ) -> None:
        """Refusals: those of `Approvals.answer`, asker_not_permitted, group_not_bound,
        address_changed."""
        question = asked.question
        author = await asked.asker(self._access) if yes else actor
        if asked.message_id is None:
            raise Bug(f"no message says what {asked.id} asks about")
        cause = Cause(asked.chat_id, asked.message_id, 1)
        async with self._store.transaction() as tx:
            if not yes:
                await self._approvals.answer(tx, actor, asked, yes=False, proof=proof)
                return
            binding_id = await self._hold(tx, author.home, question.owner)
            await self._approvals.answer(tx, actor, asked, yes=True, proof=proof)
            author.need(RIGHT)
            if await self._kept(tx, binding_id, question.network) != question.before:
                raise Refusal("address_changed")
            owner = question.owner
            said = PayoutAddressSet(
                owner.no, owner.name, question.network, question.before, question.after,
                author.name,
            )  # fmt: skip
            said = replace(said, approved_by=actor.user_id, approved_by_name=actor.name)
            await self._write(tx, author, binding_id, owner, said, cause)

    async def _hold(self, tx: Tx, chat_id: int, owner: Owner) -> UUID:
        """The group's binding to the owner, which nobody else changes until we commit."""
        binding_id: UUID | None = await tx.fetchval(
            "SELECT id FROM binding WHERE chat_id = $1"
            " AND coalesce(merchant_id, supplier_id) = $2 FOR UPDATE",
            chat_id,
            owner.id,
        )
        if binding_id is None:
            raise Refusal("group_not_bound")
        return binding_id

    async def _kept(self, tx: Tx, binding_id: UUID, network: Network) -> str:
        """The address as it is kept; empty where there is none."""
        kept: str | None = await tx.fetchval(
            "SELECT address FROM payout_address WHERE binding_id = $1 AND network = $2",
            binding_id,
            network,
        )
        return kept or ""

    async def _write(
        self,
        tx: Tx,
        actor: Actor,
        binding_id: UUID,
        owner: Owner,
        said: PayoutAddressSet,
        cause: Cause,
    ) -> None:
        await tx.execute(
            "INSERT INTO payout_address (binding_id, network, address, set_by, set_by_name, set_at)"
            " VALUES ($1, $2, $3, $4, $5, $6) ON CONFLICT (binding_id, network) DO UPDATE SET"
            " address = excluded.address, set_by = excluded.set_by,"
            " set_by_name = excluded.set_by_name, set_at = excluded.set_at",
            binding_id,
            said.network,
            said.after,
            actor.user_id,
            actor.name,
            self._clock.now(),
        )
        whose = owner.id if owner.is_merchant else None
        await self._receipts.answer(tx, actor, cause, Answer(said, "set_payout_address", whose))


_KEPT: Final = """
SELECT coalesce(m.merchant_no, s.supplier_no) AS owner_no, a.network, a.address, a.set_by_name,
       a.set_at
FROM binding b
JOIN payout_address a ON a.binding_id = b.id
LEFT JOIN merchant m ON m.id = b.merchant_id
LEFT JOIN supplier s ON s.id = b.supplier_id
WHERE b.chat_id = $1 AND (b.merchant_id = ANY($2) OR b.supplier_id = ANY($3))
ORDER BY b.created_at, b.id, a.network
"""
