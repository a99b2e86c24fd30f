"""Books that are written straight, without orders, and read one by one: what bills must equal."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import count, pairwise
from uuid import UUID

from core.books import (
    BusinessDay,
    Event,
    Posting,
    Postings,
    adjusted,
    paid,
    paid_in,
    prepaid,
    returned_to_payer,
    unmatched,
)
from core.kernel.clock import DayCut
from core.kernel.holder import HOUSE
from core.kernel.money import Money
from core.parties.merchants import Merchant
from core.reports.bills import Bill
from core.runtime import Runtime
from core.system.store import Tx
from tests.core.support import SetClock

_keys = count(1)
# What is found in any books that were written without orders and discrepancies.
_ORDERLESS = {"suspense holds what is open", "what a supplier has of an order is what it reported"}


@dataclass
class Books:
    """Writes events at the clock's time, each in the open day of whose books it is."""

    runtime: Runtime
    clock: SetClock

    async def merchant(self, merchant_no: str, cut: DayCut | None = None) -> Merchant:
        return await self.runtime.parties.merchants.open(
            merchant_no, merchant_no, day_cut=cut, reviewed=True
        )

    async def pay(
        self,
        merchant: Merchant,
        minor: int,
        *,
        product: str = "alipay_qr",
        channel: str = "C01",
        supplier: str = "S01",
        fee: int = 12,
        cost: int = 5,
        mode: str = "live",
    ) -> None:
        postings = paid(Money(minor, "CNY"), fee_minor=fee, cost_minor=cost, supplier_no=supplier)
        await self.book(merchant.id, "order", postings, product, channel, mode)

    async def duplicate(self, merchant: Merchant, minor: int, supplier: str = "S01") -> None:
        postings = unmatched(Money(minor, "CNY"), cost_minor=7, supplier_no=supplier)
        await self.book(merchant.id, "duplicate", postings, "alipay_qr", "C01")

    async def give_back(self, merchant: Merchant, minor: int, supplier: str = "S01") -> None:
        postings = returned_to_payer(Money(minor, "CNY"), supplier_no=supplier)
        await self.book(merchant.id, "payer_refunded", postings, "alipay_qr", "C01")

    async def advance(self, merchant: Merchant, minor: int) -> None:
        await self.book(merchant.id, "prepaid", prepaid(Money(minor, "CNY")))

    async def adjust(self, merchant: Merchant, minor: int) -> None:
        await self.book(merchant.id, "adjusted", adjusted(Money(minor, "CNY")))

    async def pay_in(self, minor: int, supplier: str = "S01") -> None:
        postings = paid_in(Money(minor, "CNY"), supplier_no=supplier)
        await self.book(HOUSE, "paid_in", postings)

    async def book(
        self,
        holder_id: UUID,
        kind: str,
        postings: Postings | tuple[Posting, ...],
        product: str = "",
        channel: str = "",
        mode: str = "live",
    ) -> None:
        event = Event(
            f"books:{next(_keys)}", kind, mode, postings, product_code=product, channel_no=channel
        )

        async def work(tx: Tx, day: BusinessDay) -> None:
            await self.runtime.ledger.book(tx, day, event)

        await self.runtime.ledger.in_open_day(holder_id, work)

    async def roll(self, *merchants: Merchant) -> None:
        for merchant in merchants:
            await self.runtime.ledger.calendar.roll(merchant.id)

    async def faults(self) -> list[str]:
        """What is wrong beside that there are no orders and no discrepancies behind events."""
        found = (await self.runtime.reports.verify.whole()).differences
        return [str(difference) for difference in found if difference.what not in _ORDERLESS]

    async def moved(self, accounts: str, starts_at: datetime, ends_at: datetime) -> int:
        """What accounts of a pattern moved between two instants, entry by entry; live CNY."""
        return int(
            await self.runtime.system.store.fetchval(
                "SELECT coalesce(sum(minor), 0) FROM ledger_entry WHERE account ~ $1"
                " AND booked_at >= $2 AND booked_at < $3 AND mode = 'live' AND currency = 'CNY'",
                accounts,
                starts_at,
                ends_at,
            )
        )


def adds_up(bill: Bill) -> bool:
    moved = bill.net_minor + bill.other_minor - bill.prepaid_minor
    return bill.opening_minor + moved == bill.closing_minor


def joined(bills: Sequence[Bill]) -> bool:
    return all(adds_up(bill) for bill in bills) and all(
        before.closing_minor == after.opening_minor and before.ends_at == after.starts_at
        for before, after in pairwise(bills)
    )
