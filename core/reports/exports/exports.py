"""Charts and files: who may have which, and what they say."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace
from uuid import UUID

from core.books import Ledger
from core.kernel.errors import Refusal
from core.kernel.holder import HOUSE
from core.parties.district import Parties
from core.people.actors import Actor
from core.reports.bills import Bills
from core.reports.exports import points
from core.reports.exports.papers import CSV_TABLES, CallLog, ChartFacts, Paper
from core.reports.exports.queue import Requests
from core.reports.exports.sources import (
    ListReading,
    MerchantReading,
    PlatformReading,
    SupplierReading,
)
from core.reports.order_lists import FilteredOrders, OrderLists
from core.system.district import System
from core.trade.orders import get_attempts, get_order


class Exports:
    """Pictures and files of business days. queue: what was asked for and is not out yet."""

    def __init__(
        self, system: System, ledger: Ledger, parties: Parties, bills: Bills, lists: OrderLists
    ) -> None:
        self._store = system.store
        self._ledger = ledger
        self._merchants = parties.merchants
        self._suppliers = parties.suppliers
        self._calls = parties.calls
        self._bills = bills
        self._lists = lists
        self.queue = Requests(system.store, system.clock, system.ids)

    async def ask(
        self,
        actor: Actor,
        papers: Sequence[Paper],
        *,
        reply_to: int | None,
        replaces: int | None = None,
    ) -> None:
        """Have pictures or files made for the chat in which the actor speaks: all, or none.

        Channels, cost and margin are in them only where nobody else reads along: in ops groups
        and private chats of those who may see channels; paper.staff is not believed. replaces: a
        chart in whose place this one comes. Refusals: anonymous_admin, not_permitted,
        record_not_found (also for a currency that nothing is in), staff_only (calls to
        suppliers, where others read along), field_invalid, export_busy, export_too_many; of a
        list those of `OrderLists.seen`.
        """
        await self.queue.put(
            [await self._seen(actor, paper) for paper in papers],
            language=actor.language,
            actor=actor.trail_name,
            chat_id=actor.chat_id,
            reply_to=reply_to,
            replaces=replaces,
        )

    async def _seen(self, actor: Actor, paper: Paper) -> Paper:
        """The paper as this actor may have it here."""
        if paper.listed is not None:
            listed = self._lists.seen(actor, paper.listed.wanted)
            return Paper.of_list(listed, paper.zone)
        if paper.what == "calls":
            actor.need("see_channel")
            if not _alone(actor):
                raise Refusal("staff_only")
        actor.need("read_platform" if paper.holder == "p" else "read_money")
        known = await self._currencies(actor, paper)
        if not known or paper.currency not in (None, *known):
            raise Refusal("record_not_found")
        if paper.what == "csv" and paper.table not in CSV_TABLES[paper.holder]:
            tables = " · ".join(CSV_TABLES[paper.holder])
            raise Refusal("field_invalid", param="table", expected=tables)
        staff = _alone(actor) and actor.may("see_channel")
        return replace(paper, staff=staff, currency=paper.currency or known[0])

    async def _currencies(self, actor: Actor, paper: Paper) -> Sequence[str]:
        """What the paper's books are in, the usual first; nothing where they are not seen here."""
        holder_id = paper.holder_id
        match paper.holder:
            case "m" if actor.sees(holder_id):
                return await self._own_currency(holder_id, "merchant")
            case "s" if actor.sees_supplier(holder_id):
                return await self._own_currency(holder_id, "supplier")
            case "p" if holder_id == HOUSE and _alone(actor):
                return await self._merchants.booked_currencies()
        return ()

    async def _own_currency(self, holder_id: UUID, kind: str) -> list[str]:
        rows = await self._store.fetch(
            "SELECT currency FROM holder WHERE id = $1 AND kind = $2", holder_id, kind
        )
        return [row["currency"] for row in rows]

    @asynccontextmanager
    async def merchant(self, paper: Paper) -> AsyncIterator[MerchantReading]:
        """A merchant's file, in one snapshot that lasts as long as this context."""
        whose = await self._merchants.by_id(paper.holder_id)
        today = await self._bills.open_day(whose.id)
        async with self._store.snapshot() as tx:
            bill = await self._bills.merchant_in(tx, whose, paper.days, today)
            yield MerchantReading(tx, paper, bill)

    @asynccontextmanager
    async def supplier(self, paper: Paper) -> AsyncIterator[SupplierReading]:
        """A supplier's file, in one snapshot that lasts as long as this context."""
        whose = await self._suppliers.by_id(paper.holder_id)
        today = await self._bills.open_day(whose.id)
        async with self._store.snapshot() as tx:
            bill = await self._bills.supplier_in(tx, whose, paper.days, today)
            yield SupplierReading(tx, paper, bill)

    @asynccontextmanager
    async def platform(self, paper: Paper) -> AsyncIterator[PlatformReading]:
        """The platform's file, in one snapshot that lasts as long as this context."""
        currency = await self._currency(paper)
        today = await self._bills.open_day(HOUSE)
        async with self._store.snapshot() as tx:
            bill = await self._bills.platform_in(tx, paper.days, today, currency)
            yield PlatformReading(tx, paper, bill)

    @asynccontextmanager
    async def order_list(self, paper: Paper, listed: FilteredOrders) -> AsyncIterator[ListReading]:
        """The workbook of a list, in one snapshot that lasts as long as this context."""
        whose = await self._whose(listed)
        async with self._store.snapshot() as tx:
            yield ListReading(tx, paper, await self._lists.whole(tx, listed), whose)

    async def _whose(self, listed: FilteredOrders) -> tuple[str, ...]:
        if listed.rows == "attempts":
            suppliers = [await self._suppliers.by_id(one) for one in listed.holder_ids]
            return tuple(f"{one.supplier_no} {one.name}" for one in suppliers)
        ids = listed.sight.merchant_ids or ()
        merchants = [await self._merchants.by_id(one) for one in ids]
        return tuple(f"{one.merchant_no} {one.name}" for one in merchants)

    async def calls(self, merchant_id: UUID, order_id: UUID) -> CallLog:
        """The calls to suppliers about an order and its attempts."""
        order = await get_order(self._store, merchant_id, order_id)
        merchant = await self._merchants.by_id(merchant_id)
        calls = [
            call
            for attempt in await get_attempts(self._store, merchant_id, order_id)
            for call in await self._calls.of_attempt(merchant_id, attempt.attempt_no)
        ]
        calls.sort(key=lambda call: (call.at, call.id))
        return CallLog(order.order_no, merchant.day_cut.zone, tuple(calls))

    async def chart(self, paper: Paper) -> ChartFacts:
        """What a chart of these days shows."""
        match paper.holder:
            case "m":
                return await self._merchant_chart(paper)
            case "s":
                supplier = await self._suppliers.by_id(paper.holder_id)
                today = await self._bills.open_day(supplier.id)
                async with self._store.snapshot() as tx:
                    bill = await self._bills.supplier_in(tx, supplier, paper.days, today)
                    return await points.chart_of_supplier(tx, bill, supplier.day_cut)
            case "p":
                currency = await self._currency(paper)
                cut = await self._ledger.calendar.cut_of(HOUSE)
                today = await self._bills.open_day(HOUSE)
                async with self._store.snapshot() as tx:
                    whole = await self._bills.platform_in(tx, paper.days, today, currency)
                    return await points.chart_of_platform(tx, whole, cut)

    async def _merchant_chart(self, paper: Paper) -> ChartFacts:
        merchant = await self._merchants.by_id(paper.holder_id)
        today = await self._bills.open_day(merchant.id)
        async with self._store.snapshot() as tx:
            bill = await self._bills.merchant_in(tx, merchant, paper.days, today)
            return await points.chart_of_merchant(tx, bill)

    async def _currency(self, paper: Paper) -> str:
        return paper.currency or (await self._merchants.currencies())[0]


def _alone(actor: Actor) -> bool:
    """Whether only staff read along."""
    return actor.staff and actor.merchant_ids is None
