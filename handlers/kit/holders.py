"""Whose books a command or a button means: a merchant's, a supplier's, the platform's."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from uuid import UUID

from core.books import Ledger
from core.kernel.clock import DayCut
from core.kernel.errors import Refusal
from core.kernel.holder import HOUSE
from core.parties.district import Parties
from core.parties.merchants import Merchant
from core.parties.suppliers import Supplier
from core.people.actors import Actor
from core.people.district import People
from core.supply.district import Supply
from handlers.kit.buttons import HolderKind


@dataclass(frozen=True, slots=True)
class Holder:
    """kind: merchant (m), supplier (s), platform (p; the nil id). no, name: '' for the latter,
    whose books in each currency are told apart; also: those that this one is not of."""

    kind: HolderKind
    id: UUID
    no: str
    name: str
    currency: str
    day_cut: DayCut
    also: tuple[str, ...] = ()


class Holders:
    """Finds whose books are meant."""

    def __init__(self, parties: Parties, people: People, supply: Supply, ledger: Ledger) -> None:
        self._merchants = parties.merchants
        self._suppliers = parties.suppliers
        self._access = people.access
        self._market = supply.market
        self._calendar = ledger.calendar

    async def meant(
        self, actor: Actor, number: str | None, currency: str | None = None
    ) -> list[Holder]:
        """What is named; else everything this group is bound to; else, among staff, the platform:
        of these, what counts in this currency. None: all; of the platform, what most merchants
        have.

        Refusals: merchant_not_found, supplier_not_found (also for what is not to be seen here),
        group_not_bound, currency_not_here.
        """
        if means_platform(actor, number):
            platform = await self._platform()
            return _counted_in(currency or platform[0].currency, platform)
        there = await self._named_or_bound(actor, number)
        return there if currency is None else _counted_in(currency, there)

    async def readable(
        self, actor: Actor, number: str | None, currency: str | None = None
    ) -> list[Holder]:
        """As `meant`, all of which this actor may read. Refusals: those, anonymous_admin,
        not_permitted."""
        # before anybody learns what there is
        actor.need("read_platform" if means_platform(actor, number) else "read_money")
        return await self.meant(actor, number, currency)

    async def zone_on(self, holder: Holder, day: date) -> str:
        """On whose clocks a business day of the holder is read."""
        return await self._calendar.zone_on(holder.id, day)

    async def behind(
        self, actor: Actor, kind: HolderKind, holder_id: UUID, currency: str | None = None
    ) -> Holder:
        """What a button names, among what may be read here. currency: of the platform's books, as
        in `meant`. Refusals: record_not_found, anonymous_admin, not_permitted."""
        holder = await self._seen(actor, kind, holder_id, currency)
        actor.need("read_platform" if kind == "p" else "read_money")
        return holder

    async def _seen(
        self, actor: Actor, kind: HolderKind, holder_id: UUID, currency: str | None
    ) -> Holder:
        match kind:
            case "m" if actor.sees(holder_id):
                return _merchant(await self._merchants.by_id(holder_id))
            case "s" if actor.sees_supplier(holder_id):
                for supplier in await self._suppliers.all():
                    if supplier.id == holder_id:
                        return _supplier(supplier)
            case "p" if actor.merchant_ids is None:
                for books in await self._platform():
                    if currency in (None, books.currency):
                        return books
        raise Refusal("record_not_found")

    async def _named_or_bound(self, actor: Actor, number: str | None) -> list[Holder]:
        if number is not None:
            return [await self._numbered(actor, number)]
        if actor.merchant_ids:
            market = await self._market.now()
            return [_merchant(market.merchant(m)) for m in actor.merchant_ids]
        if actor.supplier_ids:
            market = await self._market.now()
            return [_supplier(market.supplier(s)) for s in actor.supplier_ids]
        raise Refusal("group_not_bound")

    async def _numbered(self, actor: Actor, number: str) -> Holder:
        if number.startswith("S"):
            supplier = await self._suppliers.by_no(number)
            if not actor.sees_supplier(supplier.id):
                raise Refusal("supplier_not_found", supplier_no=number)
            return _supplier(supplier)
        return _merchant(await self._access.merchant_in(actor, number))

    async def _platform(self) -> list[Holder]:
        """Its books in each currency, that of most merchants first."""
        cut = await self._calendar.cut_of(HOUSE)
        known = await self._merchants.booked_currencies()
        return [
            Holder("p", HOUSE, "", "", of, cut, tuple(other for other in known if other != of))
            for of in known
        ]


def means_platform(actor: Actor, number: str | None) -> bool:
    """Whether the platform is meant: nothing is named, where only staff reads."""
    return number is None and actor.merchant_ids is None


def _counted_in(currency: str, there: list[Holder]) -> list[Holder]:
    found = [holder for holder in there if holder.currency == currency]
    if not found:
        known = ", ".join(dict.fromkeys(holder.currency for holder in there))
        raise Refusal("currency_not_here", currency=currency, currencies=known)
    return found


def _merchant(merchant: Merchant) -> Holder:
    return Holder(
        "m", merchant.id, merchant.merchant_no, merchant.name, merchant.currency, merchant.day_cut
    )


def _supplier(supplier: Supplier) -> Holder:
    return Holder(
        "s", supplier.id, supplier.supplier_no, supplier.name, supplier.currency, supplier.day_cut
    )
