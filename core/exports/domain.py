"""Charts and files: who may have which, and what they say."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from uuid import UUID

from core.access import Actor
from core.bills import Bills
from core.channels import Channels
from core.clock import Clock
from core.errors import Refusal
from core.exports import points, reading
from core.exports.papers import CSV_TABLES, ChartFacts, Paper
from core.exports.queue import Queue
from core.exports.reading import MerchantReading, PlatformReading, SupplierReading
from core.ids import Ids
from core.ledger import HOUSE, Ledger
from core.merchants import Merchants
from core.store import Store, Tx


class Exports:
    """Pictures and files of business days. queue: what was asked for and is not out yet."""

    def __init__(
        self,
        store: Store,
        clock: Clock,
        ids: Ids,
        ledger: Ledger,
        merchants: Merchants,
        channels: Channels,
        bills: Bills,
    ) -> None:
        self._store = store
        self._ledger = ledger
        self._merchants = merchants
        self._channels = channels
        self._bills = bills
        self.queue = Queue(store, clock, ids)

    async def ask(
        self, actor: Actor, paper: Paper, *, reply_to: int | None, replaces: int | None = None
    ) -> None:
        """Have a picture or a file made for the chat in which the actor speaks.

        Channels, cost and margin are in it only where nobody else reads along: in ops groups and
        private chats of those who may see channels; paper.staff is not believed. replaces: a
        chart in whose place this one comes. Refusals: anonymous_admin, not_permitted,
        record_not_found, field_invalid, export_busy.
        """
        actor.need("read_platform" if paper.holder == "p" else "read_money")
        if not await self._visible(actor, paper):
            raise Refusal("record_not_found")
        if paper.what == "csv" and paper.table not in CSV_TABLES[paper.holder]:
            tables = " · ".join(CSV_TABLES[paper.holder])
            raise Refusal("field_invalid", param="table", expected=tables)
        seen = Paper(
            paper.what, paper.holder, paper.holder_id, paper.days, paper.table, paper.bom,
            staff=_alone(actor) and actor.may("see_channel"),
        )  # fmt: skip
        await self.queue.put(
            seen,
            language=actor.language,
            actor=actor.trail_name,
            chat_id=actor.chat_id,
            reply_to=reply_to,
            replaces=replaces,
        )

    async def _visible(self, actor: Actor, paper: Paper) -> bool:
        holder_id = paper.holder_id
        match paper.holder:
            case "m":
                there = "SELECT EXISTS (SELECT FROM merchant WHERE id = $1)"
                return actor.sees(holder_id) and await self._there(there, holder_id)
            case "s":
                there = "SELECT EXISTS (SELECT FROM supplier WHERE id = $1)"
                return actor.sees_supplier(holder_id) and await self._there(there, holder_id)
            case "p":
                return holder_id == HOUSE and _alone(actor)

    async def _there(self, sql: str, holder_id: UUID) -> bool:
        return bool(await self._store.fetchval(sql, holder_id))

    @asynccontextmanager
    async def merchant(self, paper: Paper) -> AsyncIterator[MerchantReading]:
        """A merchant's file, in one snapshot that lasts as long as this context."""
        whose = await self._merchants.by_id(paper.holder_id)
        today = await self._bills.open_day(whose.id)
        async with self._snapshot() as tx:
            bill = await self._bills.merchant_in(tx, whose, paper.days, today)
            yield await reading.read_merchant(tx, paper, bill)

    @asynccontextmanager
    async def supplier(self, paper: Paper) -> AsyncIterator[SupplierReading]:
        """A supplier's file, in one snapshot that lasts as long as this context."""
        whose = await self._channels.supplier(paper.holder_id)
        today = await self._bills.open_day(whose.id)
        async with self._snapshot() as tx:
            bill = await self._bills.supplier_in(tx, whose, paper.days, today)
            yield await reading.read_supplier(tx, paper, bill)

    @asynccontextmanager
    async def platform(self, paper: Paper) -> AsyncIterator[PlatformReading]:
        """The platform's file, in one snapshot that lasts as long as this context."""
        today = await self._bills.open_day(HOUSE)
        async with self._snapshot() as tx:
            bill = await self._bills.platform_in(tx, paper.days, today, "CNY")
            yield PlatformReading(tx, paper, bill)

    async def chart(self, paper: Paper) -> ChartFacts:
        """What a chart of these days shows."""
        match paper.holder:
            case "m":
                return await self._merchant_chart(paper)
            case "s":
                supplier = await self._channels.supplier(paper.holder_id)
                today = await self._bills.open_day(supplier.id)
                async with self._snapshot() as tx:
                    bill = await self._bills.supplier_in(tx, supplier, paper.days, today)
                    return await points.chart_of_supplier(tx, bill, supplier.day_cut)
            case "p":
                cut = await self._ledger.cut_of(HOUSE)
                today = await self._bills.open_day(HOUSE)
                async with self._snapshot() as tx:
                    whole = await self._bills.platform_in(tx, paper.days, today, "CNY")
                    return await points.chart_of_platform(tx, whole, cut)

    async def _merchant_chart(self, paper: Paper) -> ChartFacts:
        merchant = await self._merchants.by_id(paper.holder_id)
        today = await self._bills.open_day(merchant.id)
        async with self._snapshot() as tx:
            bill = await self._bills.merchant_in(tx, merchant, paper.days, today)
            return await points.chart_of_merchant(tx, bill)

    @asynccontextmanager
    async def _snapshot(self) -> AsyncIterator[Tx]:
        async with self._store.transaction() as tx:
            await tx.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY")
            yield tx


def _alone(actor: Actor) -> bool:
    """Whether only staff read along."""
    return actor.staff and actor.merchant_ids is None
