"""The market, read from its rows."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Iterable, Iterator, Sequence
from dataclasses import replace
from datetime import datetime
from itertools import groupby
from typing import Any, Final, TypeVar
from zoneinfo import ZoneInfo

import asyncpg

from core.kernel.errors import Bug, Refusal
from core.kernel.tariff import Tariff
from core.parties.merchants import App, Merchant, Offer, read_app, read_merchant
from core.parties.suppliers import Supplier, read_supplier
from core.supply.channels import Product, read_channel
from core.supply.market.snapshot import Listed, OpenDay, Snapshot, Unread
from core.system.vault import Purpose, Vault

T = TypeVar("T")
_Rows = Sequence[Any]
# Whose rows are in the snapshot. Each has a trigger that moves the version. So has business_day,
# which the clock moves.
TABLES: Final = (
    "merchant", "app", "product", "merchant_product", "tariff", "supplier", "channel",
    "channel_tariff", "product_channel",
)  # fmt: skip
VERSION: Final = "SELECT version FROM market"
_ROWS_AT_ONCE: Final = 100


class Opener:
    """Opens sealed secrets, each of them once, as long as somebody still asks for it."""

    def __init__(self, vault: Vault) -> None:
        self._vault = vault
        self._kept: dict[tuple[bytes, Purpose], str] = {}
        self._used: dict[tuple[bytes, Purpose], str] = {}

    def open(self, sealed: bytes, purpose: Purpose) -> str:
        """What was sealed. Raises Bug as the vault does."""
        key = sealed, purpose
        opened = self._kept.get(key)
        if opened is None:
            opened = self._vault.open(sealed, purpose)
        self._used[key] = opened
        return opened

    def forget_others(self) -> None:
        """Keep only what was asked for since this was last called."""
        self._kept, self._used = self._used, {}


async def read_snapshot(
    connection: asyncpg.Connection[asyncpg.Record], opener: Opener, now: datetime
) -> Snapshot:
    """The market as it stands: all of one instant. Others have the loop after every few rows."""
    async with connection.transaction(isolation="repeatable_read", readonly=True):
        version = await connection.fetchval(VERSION)
        tables = {name: await connection.fetch(sql) for name, sql in _QUERIES.items()}
    reader = _Reader(opener)
    merchants = {row["id"]: reader.merchant(row) async for row in _gently(tables["merchants"])}
    apps = {
        row["id"]: reader.app(row, merchants[row["merchant_id"]])
        async for row in _gently(tables["apps"])
    }
    suppliers = {row["id"]: reader.supplier(row) async for row in _gently(tables["suppliers"])}
    offers = {
        key: reader.offers(rows)
        async for key, rows in _gently(_grouped(tables["tariffs"], "merchant_id", "product_code"))
    }
    costs = dict(_grouped(tables["costs"], "channel_id"))
    channels = {
        row["id"]: reader.channel(row, costs.get((row["id"],), ()), now)
        async for row in _gently(tables["channels"])
    }
    opener.forget_others()
    return Snapshot(
        version=version,
        merchants=merchants,
        apps=apps,
        keys={row["key_id"]: row["id"] for row in tables["apps"] if row["state"] == "open"},
        suppliers=suppliers,
        offers=offers,
        products={row["code"]: Product(**dict(row)) for row in tables["products"]},
        listed={key: one for key, one in channels.items() if isinstance(one, Listed)},
        sets={
            key: tuple(row["channel_id"] for row in rows)
            for key, rows in _grouped(tables["sets"], "product_code", "merchant_id")
        },
        tags={row["tag"]: row["id"] for row in tables["merchants"]},
        supplier_nos={row["supplier_no"]: row["id"] for row in tables["suppliers"]},
        unread=tuple(reader.unread),
    )


class _Reader:
    """Reads rows one by one. One that does not read is a Bug for whoever needs it, and concerns
    nobody else. unread: what it was, and why."""

    def __init__(self, opener: Opener) -> None:
        self._opener = opener
        self.unread: list[Unread] = []

    def merchant(self, row: Any) -> Merchant | Bug:
        return self._read("merchant", row["merchant_no"], lambda: read_merchant(row))

    def app(self, row: Any, merchant: Merchant | Bug) -> App | Bug:
        if isinstance(merchant, Bug):
            return merchant
        opened = self._opener.open
        return self._read("app", row["key_id"], lambda: read_app(row, merchant, opened))

    def supplier(self, row: Any) -> Supplier | Bug:
        opened = self._opener.open
        return self._read("supplier", row["supplier_no"], lambda: read_supplier(row, opened))

    def offers(self, rows: _Rows) -> tuple[Offer, ...] | Bug:
        """The tariffs of a merchant's product. Where one does not read, none of them counts: what
        the others would charge is not what was agreed."""
        name = f"{rows[0]['merchant_no']} {rows[0]['product_code']}"
        return self._read("tariff", name, lambda: tuple(map(_offer, rows)))

    def channel(self, row: Any, costs: _Rows, now: datetime) -> Listed | Bug | None:
        """A channel with its costs; None where it has none: it takes nothing."""
        if not costs:
            return None
        return self._read("channel", row["channel_no"], lambda: _listed(row, costs, now))

    def _read(self, kind: str, name: str, read: Callable[[], T]) -> T | Bug:
        try:
            return read()
        except Exception as fault:  # noqa: BLE001 (whatever a row holds, the others are read)
            # What other errors say may quote what was opened.
            why = str(fault) if isinstance(fault, Bug | Refusal) else type(fault).__name__
            self.unread.append(Unread(kind, name, why))
            return Bug(why)


async def _gently(rows: Iterable[T]) -> AsyncIterator[T]:
    """Rows, with a break for others after every few."""
    for place, row in enumerate(rows, 1):
        yield row
        if place % _ROWS_AT_ONCE == 0:
            await asyncio.sleep(0)


def _grouped(rows: _Rows, *names: str) -> Iterator[tuple[Any, _Rows]]:
    """Rows that have the same values in these columns, behind those; such rows come together."""
    return (
        (key, tuple(some)) for key, some in groupby(rows, key=lambda r: tuple(r[n] for n in names))
    )


def _offer(row: Any) -> Offer:
    return Offer(row["id"], Tariff.unpack(row["tiers_by"], row["tiers"]), row["valid_from"])


def _listed(row: Any, costs: _Rows, now: datetime) -> Listed:
    ZoneInfo(row["zone"])  # or its next day could not be said
    days = tuple(cost["valid_from"] for cost in costs)
    tariffs = tuple(Tariff.unpack("amount", cost["tiers"]) for cost in costs)
    open_day = OpenDay(row["day"], row["ends_at"], row["day_cut"], row["zone"])
    channel = read_channel(row, open_day.at(now), tariffs[0])
    one = Listed(channel, open_day, days, tariffs)
    return replace(one, channel=one.at(now) or channel)


_QUERIES: Final = {
    "merchants": "SELECT * FROM merchant",
    "apps": "SELECT * FROM app",
    "suppliers": "SELECT * FROM supplier",
    "products": """
        SELECT code, name_zh, name_en, state FROM product WHERE state = 'on' ORDER BY code""",
    # In force on the open day, or later; of several from one day on the last that was said.
    "tariffs": """
        SELECT DISTINCT ON (t.merchant_id, t.product_code, t.valid_from)
               t.id, t.merchant_id, m.merchant_no, t.product_code, t.valid_from, t.tiers_by, t.tiers
        FROM merchant_product mp
        JOIN merchant m ON m.id = mp.merchant_id
        JOIN product p ON p.code = mp.product_code AND p.state = 'on'
        JOIN business_day d ON d.holder_id = mp.merchant_id AND d.closed_at IS NULL
        JOIN tariff t ON t.merchant_id = mp.merchant_id AND t.product_code = mp.product_code
            AND t.valid_from >= coalesce((
                SELECT max(valid_from) FROM tariff
                WHERE merchant_id = mp.merchant_id AND product_code = mp.product_code
                  AND valid_from <= d.day), d.day)
        WHERE mp.state = 'on'
        ORDER BY t.merchant_id, t.product_code, t.valid_from, t.seq DESC""",
    "channels": """
        SELECT c.*, s.supplier_no, s.document_id, s.state AS supplier_state, s.sandbox,
               s.licence_expires_on, s.zone, s.day_cut, d.day, d.ends_at
        FROM channel c
        JOIN supplier s ON s.id = c.supplier_id
        JOIN business_day d ON d.holder_id = s.id AND d.closed_at IS NULL""",
    "costs": """
        SELECT DISTINCT ON (t.channel_id, t.valid_from) t.channel_id, t.valid_from, t.tiers
        FROM channel c
        JOIN business_day d ON d.holder_id = c.supplier_id AND d.closed_at IS NULL
        JOIN channel_tariff t ON t.channel_id = c.id AND t.valid_from >= coalesce((
            SELECT max(valid_from) FROM channel_tariff
            WHERE channel_id = c.id AND valid_from <= d.day), d.day)
        ORDER BY t.channel_id, t.valid_from, t.seq DESC""",
    "sets": """
        SELECT p.product_code, p.merchant_id, p.channel_id
        FROM product_channel p JOIN channel c ON c.id = p.channel_id
        ORDER BY p.product_code, p.merchant_id, c.channel_no""",
}
