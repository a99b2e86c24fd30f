"""The market at one version: who buys and sells what, at which rates, over which channels. Pure."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime, time, timedelta
from typing import TypeVar
from uuid import UUID
from zoneinfo import ZoneInfo

from core.kernel.clock import SHORTEST_DAY, DayCut
from core.kernel.errors import Bug, Refusal
from core.kernel.tariff import Tariff
from core.parties.merchants import App, Merchant, Offer
from core.parties.suppliers import Supplier
from core.supply.channels import Channel, Product

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class OpenDay:
    """The open business day of a supplier, and how its next ones are cut."""

    day: date
    ends_at: datetime
    cut: time
    zone: str

    def at(self, now: datetime) -> date:
        """The business day of an instant, as SQL's TODAY says it (`core.supply.channels.costs`).

        A changed cut counts from the next day on, so the row knows and the clock does not; where
        the row's day is over but not yet closed, it is the one after it.
        """
        if now < self.ends_at:
            return self.day
        if now < self.ends_at + SHORTEST_DAY:
            return self.day + timedelta(days=1)
        local = now.astimezone(ZoneInfo(self.zone)).replace(tzinfo=None)
        cut = timedelta(hours=self.cut.hour, minutes=self.cut.minute, seconds=self.cut.second)
        ahead = timedelta(days=DayCut(self.cut, self.zone).days_ahead)
        return max(self.day + timedelta(days=1), (local - cut).date() + ahead)


@dataclass(frozen=True, slots=True)
class Listed:
    """A channel with all its costs: from which day on each counts, the last that counts last."""

    channel: Channel
    open_day: OpenDay
    days: tuple[date, ...]
    costs: tuple[Tariff, ...]

    def at(self, now: datetime) -> Channel | None:
        """The channel as it stands at an instant; None before its first cost."""
        today = self.open_day.at(now)
        place = bisect_right(self.days, today)
        if not place:
            return None
        if today == self.channel.today and self.costs[place - 1] is self.channel.cost:
            return self.channel
        return replace(self.channel, today=today, cost=self.costs[place - 1])


@dataclass(frozen=True, slots=True)
class Unread:
    """A row that does not read. kind: merchant | app | supplier | tariff | channel. name: as people
    know it."""

    kind: str
    name: str
    why: str


@dataclass(frozen=True, slots=True)
class Snapshot:
    """Reference data that belongs together. version: of the row in `market`.

    A Bug stands for what does not read, such as a sealed secret that does not open. Whoever needs
    it fails, and nobody else is concerned. A channel that does not read is not listed.

    More than seven verbs: one for each kind of reference data, and for each way to name it.
    """

    version: int
    merchants: Mapping[UUID, Merchant | Bug]
    apps: Mapping[UUID, App | Bug]
    keys: Mapping[str, UUID] = field(repr=False)  # of apps that are open
    suppliers: Mapping[UUID, Supplier | Bug]
    offers: Mapping[tuple[UUID, str], tuple[Offer, ...] | Bug]  # the oldest first
    products: Mapping[str, Product]  # that are on, by code
    listed: Mapping[UUID, Listed]
    sets: Mapping[tuple[str, UUID | None], tuple[UUID, ...]]  # channels by number
    tags: Mapping[int, UUID]
    supplier_nos: Mapping[str, UUID]
    unread: tuple[Unread, ...] = ()

    def merchant(self, merchant_id: UUID) -> Merchant:
        """Refusals: merchant_not_found."""
        found = self.merchants.get(merchant_id)
        if found is None:
            raise Refusal("merchant_not_found", merchant_no=merchant_id)
        return _opened(found)

    def merchant_by_tag(self, tag: int) -> Merchant | None:
        """The merchant that a public number names."""
        merchant_id = self.tags.get(tag)
        return _opened(self.merchants[merchant_id]) if merchant_id is not None else None

    def app(self, app_id: UUID) -> App:
        """The app of an order, also one that is withdrawn. Refusals: key_unknown."""
        found = self.apps.get(app_id)
        if found is None:
            raise Refusal("key_unknown")
        return _opened(found)

    def app_by_key(self, key_id: str) -> App:
        """The app that an API key names.

        Refusals: key_unknown, merchant_suspended, merchant_archived, merchant_not_reviewed.
        """
        app_id = self.keys.get(key_id)
        if app_id is None:
            raise Refusal("key_unknown")
        app = self.app(app_id)
        app.need_merchant()
        return app

    def supplier(self, supplier_id: UUID) -> Supplier:
        """One supplier, its credentials opened. Raises Bug: ids come from our own rows."""
        found = self.suppliers.get(supplier_id)
        if found is None:
            raise Bug(f"there is no supplier {supplier_id}")
        return _opened(found)

    def supplier_by_no(self, supplier_no: str) -> Supplier:
        """Refusals: supplier_not_found."""
        supplier_id = self.supplier_nos.get(supplier_no.strip().upper())
        if supplier_id is None:
            raise Refusal("supplier_not_found", supplier_no=supplier_no[:20])
        return self.supplier(supplier_id)

    def offer(self, merchant_id: UUID, product_code: str, day: date) -> Offer | None:
        """What a merchant pays for a product on a business day of its own; None where the product
        is not on, or not open to the merchant. day: none before the one that is open."""
        offers = _opened(self.offers.get((merchant_id, product_code), ()))
        return next((offer for offer in reversed(offers) if offer.since <= day), None)

    def channels(
        self, product_code: str, merchant_id: UUID | None, now: datetime, only: UUID | None = None
    ) -> list[Channel]:
        """Every channel that a merchant's orders of a product may go to, by number, whatever its
        state, so that reasons can name them all: its own set where it has one, else the
        product's (also for None). only: the one channel that is named, whatever sells the
        product."""
        own = self.sets.get((product_code, merchant_id)) if merchant_id is not None else None
        ids: Sequence[UUID] = own or self.sets.get((product_code, None), ())
        if only is not None:
            ids = (only,)
        standing = (self.listed[one].at(now) for one in ids if one in self.listed)
        return [channel for channel in standing if channel is not None]


def _opened(found: T | Bug) -> T:
    if isinstance(found, Bug):
        raise Bug(str(found))
    return found
