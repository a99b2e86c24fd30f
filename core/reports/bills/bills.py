"""Bills, each read from the books in one snapshot."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import date
from typing import Final
from uuid import UUID

from core.books import Ledger
from core.kernel.clock import Clock, DayCut
from core.kernel.days import Days
from core.kernel.errors import Bug
from core.kernel.holder import HOUSE
from core.parties.merchants import Merchant, Merchants
from core.parties.suppliers import Supplier
from core.reports.bills import completions, merchant, platform, supplier
from core.reports.bills.model import Bill, CompletedPage, PlatformBill, SupplierBill
from core.supply.market import Market
from core.system.store import Store, Tx


async def _nothing(_: Tx, __: UUID, ___: date) -> None:
    """Nobody is told of a day."""


class Bills:
    """What business days came to: of a merchant, a supplier, the platform.

    More than seven verbs: three kinds of bill, each alone or in a snapshot that is open.
    """

    def __init__(
        self, store: Store, clock: Clock, ledger: Ledger, merchants: Merchants, market: Market
    ) -> None:
        self._store = store
        self._clock = clock
        self._ledger = ledger
        self._merchants = merchants
        self._market = market

    async def open_day(self, holder_id: UUID) -> date:
        """The business day that is open now (a day that is over is closed first).

        holder_id: a merchant, a supplier, or HOUSE for the platform.
        """
        return await self._ledger.calendar.today(holder_id)

    async def merchant(self, merchant_id: UUID, days: Days | None = None) -> Bill:
        """A merchant's bill; None: of the open day.

        Days without books, before the first or still to come, are zeros that join the others.
        """
        whose = (await self._market.now()).merchant(merchant_id)
        today = await self.open_day(merchant_id)
        async with self._store.snapshot() as tx:
            return await self.merchant_in(tx, whose, days or Days.one(today), today)

    async def merchant_in(self, tx: Tx, whose: Merchant, days: Days, today: date) -> Bill:
        """A merchant's bill, read in the caller's snapshot: one for all of its questions, or its
        parts would not add up. today: the open day."""
        return await merchant.read(tx, whose, days, today)

    async def completed(self, merchant_id: UUID, days: Days, page: int) -> CompletedPage:
        """A page of a merchant's orders that were completed by hand on these days, as the merchant
        may read it: without reasons and channels."""
        async with self._store.snapshot() as tx:
            return await completions.page(tx, merchant_id, days, page)

    async def supplier(self, supplier_id: UUID, days: Days | None = None) -> SupplierBill:
        """A supplier's bill; None: of its open day. Its days are windows over all merchants'."""
        whose = (await self._market.now()).supplier(supplier_id)
        today = await self.open_day(supplier_id)
        async with self._store.snapshot() as tx:
            return await self.supplier_in(tx, whose, days or Days.one(today), today)

    async def supplier_in(self, tx: Tx, whose: Supplier, days: Days, today: date) -> SupplierBill:
        """A supplier's bill, read in the caller's snapshot."""
        return await supplier.read(tx, whose, days, today)

    async def platform(self, days: Days | None = None, currency: str | None = None) -> PlatformBill:
        """The platform's bill in one currency (None: in the one that most merchants have) of some
        days (None: of its open day)."""
        currency = currency or (await self._merchants.currencies())[0]
        today = await self.open_day(HOUSE)
        async with self._store.snapshot() as tx:
            return await self.platform_in(tx, days or Days.one(today), today, currency)

    async def platform_in(self, tx: Tx, days: Days, today: date, currency: str) -> PlatformBill:
        """The platform's bill, read in the caller's snapshot."""
        return await platform.read(tx, days, today, await self._house_cut(tx), currency)

    async def keep_sums(self, also: Callable[[Tx, UUID, date], Awaitable[None]] = _nothing) -> None:
        """Keep the closing balances of suppliers' and the platform's days that can be summed up
        by now, so that no bill adds up all that came before. also: as in `Calendar.keep_sums`."""
        rows = await self._store.fetch(_UNKEPT)
        for row in rows:
            await self._ledger.calendar.keep_sums(row["holder_id"], row["accounts"], also)

    async def _house_cut(self, tx: Tx) -> DayCut:
        row = await tx.fetchrow("SELECT day_cut, zone FROM desk")
        if row is None:
            raise Bug("the database is not marked")
        return DayCut(row["day_cut"], row["zone"])


_UNKEPT: Final = """
SELECT DISTINCT d.holder_id,
       coalesce('^((due|cost|suspense)/' || s.supplier_no
                || '|supplier/' || s.supplier_no || '/settled)$', '') AS accounts
FROM business_day d LEFT JOIN supplier s ON s.id = d.holder_id
WHERE d.closed_at IS NOT NULL AND NOT d.sums_kept
"""
