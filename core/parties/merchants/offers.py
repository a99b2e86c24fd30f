"""What merchants buy: products that are open to them, each at a tariff."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import date
from typing import Final
from uuid import UUID

from core.books import BusinessDay, Ledger
from core.kernel.clock import Clock
from core.kernel.errors import Refusal
from core.kernel.ids import Ids
from core.kernel.tariff import Tariff, format_tariff
from core.parties.merchants.merchant import Merchant
from core.system.store import Queries, Store, Tx


@dataclass(frozen=True, slots=True)
class Offer:
    """What a merchant pays for a product. since: the business day from which on it counts."""

    tariff_id: UUID
    tariff: Tariff
    since: date


class Offers:
    """The products of merchants, and their tariffs."""

    def __init__(self, store: Store, clock: Clock, ids: Ids, ledger: Ledger) -> None:
        self._store = store
        self._clock = clock
        self._ids = ids
        self._ledger = ledger

    async def set_tariff(
        self,
        merchant: Merchant,
        product_code: str,
        tariff: Tariff,
        *,
        actor: str,
        valid_from: date | None = None,
        also: Callable[[Tx, BusinessDay], Awaitable[None]] | None = None,
        then: Callable[[Tx], Awaitable[None]] | None = None,
    ) -> UUID:
        """Open a product to a merchant at a tariff, or change it for orders from a day on.

        valid_from: a business day of the merchant; None: from now on. Orders that are there keep
        what they were made with. also: done first, in the same transaction and open day, with the
        tariffs of the product held. then: done last, once it is written. Returns the tariff's id.
        Refusals: product_not_found, tariff_in_the_past.
        """

        async def work(tx: Tx, day: BusinessDay) -> UUID:
            if not await tx.fetchval(_SOLD, product_code):
                raise Refusal("product_not_found", product=product_code[:32])
            since = valid_from or day.day
            if since < day.day:
                raise Refusal(
                    "tariff_in_the_past",
                    day=since,
                    today=day.day,
                    merchant_no=merchant.merchant_no,
                    product=product_code,
                    tariff=format_tariff(tariff, merchant.currency),
                )
            # Those who set it at once do so one after the other: the last one's seq is the highest.
            await tx.hold(f"tariff:{merchant.id}:{product_code}")
            if also is not None:
                await also(tx, day)
            tariff_id = self._ids.uuid7()
            await tx.execute(_OPEN_PRODUCT, self._ids.uuid7(), merchant.id, product_code)
            await tx.execute(
                "INSERT INTO tariff (id, merchant_id, product_code, valid_from, tiers_by, tiers,"
                " actor, at) VALUES ($1, $2, $3, $4, $5, $6, $7, $8)",
                tariff_id,
                merchant.id,
                product_code,
                since,
                tariff.tiers_by,
                tariff.pack(),
                actor,
                day.at,
            )
            if then is not None:
                await then(tx)
            return tariff_id

        return await self._ledger.in_open_day(merchant.id, work)

    async def turn_product(self, tx: Tx, merchant: Merchant, product_code: str, state: str) -> bool:
        """Switch a product that was opened to a merchant on or off for it; orders that are there
        go on. state: on | off. False: it was so already. Refusals: product_unknown."""
        before = await tx.fetchval(_OPENED, merchant.id, product_code)
        if before is None:
            raise Refusal("product_unknown", product=product_code[:32])
        if before == state:
            return False
        await tx.execute(_TURN_PRODUCT, merchant.id, product_code, state)
        return True

    async def states(self, merchant: Merchant) -> dict[str, str]:
        """product code -> on | off, for every product that was ever opened to the merchant."""
        rows = await self._store.fetch(
            "SELECT product_code, state FROM merchant_product WHERE merchant_id = $1"
            " ORDER BY product_code",
            merchant.id,
        )
        return {row["product_code"]: row["state"] for row in rows}

    async def of(
        self, merchant: Merchant, day: date | None = None, *, queries: Queries | None = None
    ) -> dict[str, Offer]:
        """product code -> tariff of a business day (None: of now), for every product that is on
        and open to the merchant. queries: the transaction, where one is open."""
        return await self._offers(queries or self._store, _OFFERS, merchant, day)

    async def coming(
        self, merchant: Merchant, day: date | None = None, *, queries: Queries | None = None
    ) -> dict[str, Offer]:
        """product code -> the next tariff that begins after a business day (None: after now).
        queries: as in `of`."""
        return await self._offers(queries or self._store, _COMING, merchant, day)

    async def _offers(
        self, queries: Queries, sql: str, merchant: Merchant, day: date | None
    ) -> dict[str, Offer]:
        rows = await queries.fetch(sql, merchant.id, day, self._clock.now())
        return {
            row["product_code"]: Offer(
                row["id"], Tariff.unpack(row["tiers_by"], row["tiers"]), row["valid_from"]
            )
            for row in rows
        }


_SOLD: Final = "SELECT EXISTS (SELECT FROM product WHERE code = $1 AND state = 'on')"
_OPENED: Final = (
    "SELECT state FROM merchant_product WHERE merchant_id = $1 AND product_code = $2 FOR UPDATE"
)
_TURN_PRODUCT: Final = (
    "UPDATE merchant_product SET state = $3 WHERE merchant_id = $1 AND product_code = $2"
)
_OPEN_PRODUCT: Final = """
INSERT INTO merchant_product (id, merchant_id, product_code, state) VALUES ($1, $2, $3, 'on')
ON CONFLICT (merchant_id, product_code) DO UPDATE SET state = 'on'
"""

# $1 merchant, $2 business day or null, $3 now. The open day, where it is over but not yet closed,
# is the one after it.
_TARIFFS: Final = """
SELECT DISTINCT ON (t.product_code) t.product_code, t.id, t.tiers_by, t.tiers, t.valid_from
FROM tariff t
JOIN merchant_product mp ON mp.merchant_id = t.merchant_id
    AND mp.product_code = t.product_code AND mp.state = 'on'
JOIN product p ON p.code = t.product_code AND p.state = 'on'
WHERE t.merchant_id = $1 AND t.valid_from {after} coalesce($2,
    (SELECT CASE WHEN ends_at > $3 THEN day ELSE day + 1 END FROM business_day
     WHERE holder_id = $1 AND closed_at IS NULL))
ORDER BY t.product_code, t.valid_from {first}, t.seq DESC
"""
_OFFERS: Final = _TARIFFS.format(after="<=", first="DESC")
_COMING: Final = _TARIFFS.format(after=">", first="ASC")
