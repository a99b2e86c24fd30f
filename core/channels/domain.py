"""Products, suppliers with their connector documents and sealed credentials, channels."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import date
from typing import Any, Final
from uuid import UUID

import asyncpg

from core.channels.choice import Channel
from core.channels.costs import TODAY, ChannelCost, find_cost
from core.channels.models import ChannelRow, DocumentRow, ProductChannelRow, ProductRow, SupplierRow
from core.clock import Clock, DayCut
from core.connectors import Connector, DocumentFaults, Fault, check, load
from core.errors import Bug, Refusal
from core.ids import Ids
from core.ledger import Ledger
from core.money import HOME_CURRENCY, need_currency
from core.store import Queries, Store, Tx
from core.tariff import Tariff, tariff_fault
from core.vault import Vault

_CREDENTIALS: Final = "supplier.credentials"


@dataclass(frozen=True, slots=True)
class Product:
    """A payment method as the platform sells it."""

    code: str
    name_zh: str
    name_en: str


@dataclass(frozen=True, slots=True)
class Supplier:
    """An upstream institution, with its credentials opened."""

    id: UUID
    supplier_no: str
    name: str
    document_id: UUID
    credentials: dict[str, str]
    sandbox: bool
    state: str
    currency: str
    day_cut: DayCut


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
    """Suppliers, channels and products."""

    def __init__(self, store: Store, vault: Vault, clock: Clock, ids: Ids, ledger: Ledger) -> None:
        self._store = store
        self._vault = vault
        self._clock = clock
        self._ids = ids
        self._ledger = ledger
        self._connectors: dict[UUID, Connector] = {}

    async def add_product(self, product: Product) -> None:
        """Add a product that merchants can buy."""
        await ProductRow.create(code=product.code, name_zh=product.name_zh, name_en=product.name_en)

    async def products(self) -> dict[str, Product]:
        """Every product that is on, by code."""
        rows = await ProductRow.filter(state="on").order_by("code")
        return {row.code: Product(row.code, row.name_zh, row.name_en) for row in rows}

    async def add_document(self, text: str) -> UUID:
        """Keep a connector document; the same text is kept once.

        Raises DocumentFaults, also for fixtures of the document that do not come out as it says.
        """
        connector = load(text)
        failures = check(connector)
        if failures:
            raise DocumentFaults(
                tuple(Fault(f.line, f.case, f.why, "a fixture that holds") for f in failures)
            )
        row = await DocumentRow.get_or_none(code=connector.code, version=connector.version)
        if row is None:
            row = await DocumentRow.create(
                id=self._ids.uuid7(),
                code=connector.code,
                version=connector.version,
                body=text,
                created_at=self._clock.now(),
            )
        return UUID(str(row.id))

    async def add_supplier(
        self,
        supplier_no: str,
        name: str,
        *,
        document_id: UUID,
        credentials: dict[str, str],
        sandbox: bool,
        legal_name: str,
        licence_no: str,
        licence_expires_on: date,
        settles_to: str,
        currency: str = HOME_CURRENCY,
        day_cut: DayCut | None = None,
    ) -> Supplier:
        """Open a supplier and put it live. A production desk has no sandbox suppliers, a demo
        no others; the database's own mark decides.

        currency: of everything it takes, costs and owes. Refusals: currency_unknown,
        field_missing.
        """
        need_currency(currency)
        if sandbox != (await self._store.kind() == "demo"):
            raise Bug("a demo desk takes sandbox suppliers only, a production desk real ones only")
        connector = await self.connector(document_id)
        if connector.sandbox_only and not sandbox:
            raise Bug(f"the document {connector.code} is for sandbox suppliers only")
        missing = set(connector.credential_names) - set(credentials)
        if missing:
            raise Refusal("field_missing", param="credentials." + min(missing))
        cut = day_cut or DayCut()
        async with self._store.transaction() as tx:
            row = await SupplierRow.create(
                id=self._ids.uuid7(),
                supplier_no=supplier_no,
                name=name,
                legal_name=legal_name,
                licence_no=licence_no,
                licence_expires_on=licence_expires_on,
                settles_to=settles_to,
                document_id=document_id,
                sandbox=sandbox,
                currency=currency,
                day_cut=cut.at,
                zone=cut.zone,
                state="live",
                credentials_sealed=self._vault.seal(json.dumps(credentials), _CREDENTIALS),
                created_at=self._clock.now(),
            )
            await self._ledger.open_first_day(tx, row.id, cut)
        return self._supplier(row)

    async def set_day_cut(self, tx: Tx, supplier_id: UUID, cut: DayCut) -> None:
        """When the supplier's days begin, from its next day on: the open one ends as it would."""
        await tx.execute(
            "UPDATE supplier SET day_cut = $2, zone = $3 WHERE id = $1",
            supplier_id,
            cut.at,
            cut.zone,
        )

    async def set_credentials(self, supplier_id: UUID, credentials: dict[str, str]) -> None:
        """Replace a supplier's credentials."""
        sealed = self._vault.seal(json.dumps(credentials), _CREDENTIALS)
        await SupplierRow.filter(id=supplier_id).update(credentials_sealed=sealed)

    async def suppliers(self) -> list[Supplier]:
        """All suppliers, by number."""
        return [self._supplier(row) for row in await SupplierRow.all().order_by("supplier_no")]

    async def supplier(self, supplier_id: UUID) -> Supplier:
        """One supplier. Raises Bug: ids come from our own rows."""
        row = await SupplierRow.get_or_none(id=supplier_id)
        if row is None:
            raise Bug(f"there is no supplier {supplier_id}")
        return self._supplier(row)

    async def supplier_by_no(self, supplier_no: str) -> Supplier:
        """Refusals: supplier_not_found."""
        row = await SupplierRow.get_or_none(supplier_no=supplier_no.strip().upper())
        if row is None:
            raise Refusal("supplier_not_found", supplier_no=supplier_no[:20])
        return self._supplier(row)

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

    async def connector(self, document_id: UUID) -> Connector:
        """The connector of a document; documents never change, so it is read once."""
        found = self._connectors.get(document_id)
        if found is None:
            row = await DocumentRow.get(id=document_id)
            found = self._connectors[document_id] = load(row.body)
        return found

    def _supplier(self, row: SupplierRow) -> Supplier:
        opened: dict[str, Any] = json.loads(self._vault.open(row.credentials_sealed, _CREDENTIALS))
        return Supplier(
            id=row.id,
            supplier_no=row.supplier_no,
            name=row.name,
            document_id=row.document_id,
            credentials=opened,
            sandbox=row.sandbox,
            state=row.state,
            currency=row.currency,
            day_cut=DayCut(row.day_cut.replace(tzinfo=None), row.zone),
        )


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
