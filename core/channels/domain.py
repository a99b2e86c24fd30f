"""Products and channels."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import date
from typing import Final
from uuid import UUID

import asyncpg

from core.channels.choice import Channel
from core.channels.costs import TODAY, ChannelCost, find_cost
from core.channels.models import ChannelRow, ProductChannelRow, ProductRow
from core.clock import Clock
from core.errors import Bug, Refusal
from core.ids import Ids
from core.store import Queries, Store, Tx
from core.suppliers import Supplier
from core.tariff import Tariff, tariff_fault


@dataclass(frozen=True, slots=True)
class Product:
    """A payment method as the platform sells it."""

    code: str
    name_zh: str
    name_en: str


@dataclass(frozen=True, slots=True)
class NewChannel:
    """What it takes to add a channel. Amounts in smallest units; a list, or a range.

    currency: may be said, for it can only be that of its supplier.
    """

    channel_no: str
    name: str
    supplier_code: str
    cost: Tariff
    products: tuple[str, ...]
    currency: str | None = None
    amount_list: tuple[int, ...] = ()
    amount_min: int | None = None
    amount_max: int | None = None
    weight: int = 1
    priority: int = 0


class Channels:
    """Products, and the channels that sell them."""

    def __init__(self, store: Store, clock: Clock, ids: Ids) -> None:
        self._store = store
        self._clock = clock
        self._ids = ids

    async def add_product(self, product: Product) -> None:
        """Add a product that merchants can buy."""
        await ProductRow.create(code=product.code, name_zh=product.name_zh, name_en=product.name_en)

    async def products(self) -> dict[str, Product]:
        """Every product that is on, by code."""
        rows = await ProductRow.filter(state="on").order_by("code")
        return {row.code: Product(row.code, row.name_zh, row.name_en) for row in rows}

    async def add_channel(self, supplier: Supplier, channel: NewChannel) -> None:
        """Add a channel of a supplier and put it under its products.

        Refusals: channel_in_other_currency, tariff_invalid.
        """
        if channel.currency not in (None, supplier.currency):
            raise Refusal(
                "channel_in_other_currency",
                channel_no=channel.channel_no,
                currency=channel.currency,
                supplier_no=supplier.supplier_no,
                supplier_currency=supplier.currency,
            )
        row = await ChannelRow.create(
            id=self._ids.uuid7(),
            channel_no=channel.channel_no,
            supplier_id=supplier.id,
            name=channel.name,
            supplier_code=channel.supplier_code,
            currency=supplier.currency,
            amount_list=list(channel.amount_list),
            amount_min=channel.amount_min,
            amount_max=channel.amount_max,
            weight=channel.weight,
            priority=channel.priority,
            created_at=self._clock.now(),
        )
        await self.set_cost(row.id, channel.cost, actor="script")
        for code in channel.products:
            await ProductChannelRow.create(
                id=self._ids.uuid7(), product_code=code, channel_id=row.id
            )

    async def set_cost(
        self,
        channel_id: UUID,
        cost: Tariff,
        *,
        actor: str,
        valid_from: date | None = None,
        also: Callable[[Tx, date], Awaitable[None]] | None = None,
    ) -> None:
        """What the supplier charges on a channel from a business day of its own on; None: from
        now on. Attempts that are there keep theirs.

        also: done first, in the same transaction, with the channel's costs held; it is handed the
        day. Refusals: tariff_invalid (by volume), cost_in_the_past.
        """
        if cost.tiers_by != "amount":
            raise tariff_fault("channel", cost.tiers_by)
        today = await self._today_of(channel_id)
        since = valid_from or today
        if since < today:
            raise Refusal("cost_in_the_past", day=since, today=today)
        async with self._store.transaction() as tx:
            # Those who set it at once do so one after the other: the last one's seq is the highest.
            await tx.hold(f"cost:{channel_id}")
            if also is not None:
                await also(tx, since)
            await tx.execute(
                "INSERT INTO channel_tariff (id, channel_id, valid_from, tiers, actor, at)"
                " VALUES ($1, $2, $3, $4, $5, $6)",
                self._ids.uuid7(),
                channel_id,
                since,
                cost.pack(),
                actor,
                self._clock.now(),
            )

    async def costs(self, channel_no: str, *, queries: Queries | None = None) -> ChannelCost:
        """A channel with what it costs now, and from some day on. queries: the transaction, where
        one is open. Refusals: channel_not_found."""
        return await find_cost(queries or self._store, channel_no, self._clock.now())

    async def _today_of(self, channel_id: UUID) -> date:
        today: date | None = await self._store.fetchval(
            f"SELECT {TODAY} FROM channel c JOIN supplier s ON s.id = c.supplier_id"  # noqa: S608 (our own words)
            " WHERE c.id = $2",
            self._clock.now(),
            channel_id,
        )
        if today is None:
            raise Bug(f"there is no channel {channel_id}")
        return today

    async def of_product(self, product_code: str) -> list[Channel]:
        """Every channel of a product, whatever its state, so that reasons can name them all."""
        rows = await self._store.fetch(
            _CHANNELS + " WHERE pc.product_code = $2", self._clock.now(), product_code
        )
        return [_channel(row) for row in rows]

    async def by_id(self, channel_id: UUID) -> Channel:
        """One channel. Raises Bug: ids come from our own rows."""
        row = await self._store.fetchrow(
            _CHANNELS + " WHERE c.id = $2 LIMIT 1", self._clock.now(), channel_id
        )
        if row is None:
            raise Bug(f"there is no channel {channel_id}")
        return _channel(row)

    async def names(self, supplier_id: UUID | None = None) -> dict[str, str]:
        """channel number -> name, of one supplier's channels or of all."""
        rows = await self._store.fetch(
            "SELECT channel_no, name FROM channel"
            " WHERE supplier_id = coalesce($1, supplier_id) ORDER BY channel_no",
            supplier_id,
        )
        return {row["channel_no"]: row["name"] for row in rows}


_CHANNELS: Final = f"""
SELECT c.*, s.supplier_no, s.document_id, s.state AS supplier_state, s.sandbox,
       s.licence_expires_on, t.tiers
FROM channel c
JOIN supplier s ON s.id = c.supplier_id
JOIN LATERAL (
    SELECT tiers FROM channel_tariff
    WHERE channel_id = c.id
      AND valid_from <= {TODAY}
    ORDER BY valid_from DESC, seq DESC LIMIT 1
) t ON true
LEFT JOIN product_channel pc ON pc.channel_id = c.id
"""  # noqa: S608 (our own words)


def _channel(row: asyncpg.Record) -> Channel:
    return Channel(
        id=row["id"],
        channel_no=row["channel_no"],
        name=row["name"],
        supplier_id=row["supplier_id"],
        supplier_no=row["supplier_no"],
        supplier_code=row["supplier_code"],
        document_id=row["document_id"],
        currency=row["currency"],
        cost=Tariff.unpack("amount", row["tiers"]),
        amount_list=tuple(row["amount_list"]),
        amount_min=row["amount_min"],
        amount_max=row["amount_max"],
        weight=row["weight"],
        priority=row["priority"],
        state=row["state"],
        supplier_state=row["supplier_state"],
        supplier_sandbox=row["sandbox"],
        licence_expires_on=row["licence_expires_on"],
    )
