"""When business days begin: a merchant's, a supplier's, the platform's, set by a person's word."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date, datetime, time
from typing import Final, Literal
from uuid import UUID

from core.books import BusinessDay, Ledger, recut, set_house_cut
from core.delivery.outbox import Notice
from core.kernel.clock import DayCut
from core.kernel.errors import Bug
from core.parties.merchants import Merchants
from core.parties.suppliers import Suppliers
from core.people.actors import Actor
from core.people.receipts import Answer, Cause, ObeyedBefore, Receipts
from core.system.store import Tx

RIGHT: Final = "day_cut"
Kind = Literal["m", "s", "p"]


@dataclass(frozen=True, slots=True)
class DayCutSet(Notice):
    """When a holder's days begin from its next one on: '06:00 Europe/Berlin'. The open `day` ends
    at `ends_at`, as it would have, and the next one at `next_ends_at`."""

    holder: Kind
    holder_no: str
    holder_name: str
    before: str
    after: str
    zone: str
    day: date
    ends_at: datetime
    next_ends_at: datetime
    actor_name: str


class DayCuts:
    """Sets day cuts and time zones."""

    def __init__(
        self, ledger: Ledger, merchants: Merchants, suppliers: Suppliers, receipts: Receipts
    ) -> None:
        self._ledger = ledger
        self._merchants = merchants
        self._suppliers = suppliers
        self._receipts = receipts

    async def set(
        self,
        actor: Actor,
        kind: Kind,
        holder_id: UUID,
        cause: Cause,
        *,
        at: time | None = None,
        zone: str | None = None,
    ) -> DayCutSet:
        """Set when a holder's days begin, from its next day on, and say so: the open one ends as
        it would have. What is None stays as it is at that moment, whoever else sets it meanwhile.

        kind: merchant (m), supplier (s), platform (p; HOUSE). Returns what was said; the same
        cause again answers the same and sets nothing. Refusals: those of `Actor.need_for`,
        day_cut_too_far.
        """
        match kind:
            case "m":
                actor.need_for(RIGHT, merchant=await self._merchants.by_id(holder_id))
            case "s":
                actor.need_for(RIGHT, supplier=await self._suppliers.by_id(holder_id))
            case "p":
                actor.need_for(RIGHT)

        async def work(tx: Tx, day: BusinessDay) -> DayCutSet:
            await tx.hold(f"day_cut:{holder_id}")
            row = await tx.fetchrow(_HOLDER, holder_id)
            if row is None:
                raise Bug(f"the holder {holder_id} is gone")
            before = DayCut(row["day_cut"], row["zone"])
            after = replace(before, at=before.at if at is None else at, zone=zone or before.zone)
            ends_at, next_ends_at = await recut(tx, day, after)
            said = DayCutSet(
                holder=kind,
                holder_no=row["no"],
                holder_name=row["name"],
                before=_shown(before),
                after=_shown(after),
                zone=after.zone,
                day=day.day,
                ends_at=ends_at,
                next_ends_at=next_ends_at,
                actor_name=actor.name,
            )
            if after != before:
                await self._write(tx, kind, holder_id, after)
            merchant_id = holder_id if kind == "m" else None
            answer = Answer(said, "day_cut" if after != before else "", merchant_id)
            await self._receipts.answer(tx, actor, cause, answer)
            return said

        try:
            return await self._ledger.in_open_day(holder_id, work)
        except ObeyedBefore as earlier:
            return earlier.told(DayCutSet)

    async def _write(self, tx: Tx, kind: Kind, holder_id: UUID, cut: DayCut) -> None:
        match kind:
            case "m":
                await self._merchants.set_day_cut(tx, holder_id, cut)
            case "s":
                await self._suppliers.set_day_cut(tx, holder_id, cut)
            case "p":
                await set_house_cut(tx, cut)


def _shown(cut: DayCut) -> str:
    return f"{cut.at:%H:%M} {cut.zone}"


_HOLDER: Final = "SELECT no, name, day_cut, zone FROM holder WHERE id = $1"
