"""The market, read from its rows."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from datetime import date, datetime
from typing import Any, Final, TypeVar
from uuid import UUID

import asyncpg

from core.kernel.errors import Bug
from core.kernel.tariff import Tariff
from core.parties.merchants import Offer, read_app, read_merchant
from core.parties.suppliers import read_supplier
from core.supply.channels import Product, read_channel
from core.supply.market.snapshot import Listed, OpenDay, Snapshot
from core.system.vault import Purpose, Vault

K = TypeVar("K")
T = TypeVar("T")
_Rows = Sequence[Any]
# Whose rows are in the snapshot. Each has a trigger that moves the version. So has business_day,
# which the clock moves.
TABLES: Final = (
    "merchant", "app", "product", "merchant_product", "tariff", "supplier", "channel",
    "channel_tariff", "product_channel",
)  # fmt: skip
VERSION: Final = "SELECT version FROM market"


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
    """The market as it stands: all of one instant."""
    async with connection.transaction(isolation="repeatable_read", readonly=True):
        version = await connection.fetchval(VERSION)
        tables = {name: await connection.fetch(sql) for name, sql in _QUERIES.items()}
    merchants = {row["id"]: read_merchant(dict(row)) for row in tables["merchants"]}
    apps = {
        row["id"]: _or_bug(read_app, row, merchants[row["merchant_id"]], opener.open)
        for row in tables["apps"]
    }
    suppliers = {row["id"]: _or_bug(read_supplier, row, opener.open) for row in tables["suppliers"]}
    opener.forget_others()
    return Snapshot(
        version=version,
        merchants=merchants,
        apps=apps,
        keys={row["key_id"]: row["id"] for row in tables["apps"] if row["state"] == "open"},
        suppliers=suppliers,
        offers=_offers(tables["tariffs"]),
        products={row["code"]: Product(**dict(row)) for row in tables["products"]},
        listed=_listed(tables["channels"], tables["costs"], now),
        sets=_gathered(
            ((row["product_code"], row["merchant_id"]), row["channel_id"]) for row in tables["sets"]
        ),
        tags={merchant.tag: merchant.id for merchant in merchants.values()},
        supplier_nos={row["supplier_no"]: row["id"] for row in tables["suppliers"]},
    )


def _or_bug(read: Callable[..., T], row: Any, *given: object) -> T | Bug:
    """What a row reads as; a Bug where its sealed secret does not open."""
    try:
        return read(dict(row), *given)
    except Bug as bug:
        return bug.with_traceback(None)


def _gathered(pairs: Iterable[tuple[K, T]]) -> dict[K, tuple[T, ...]]:
    """key -> what came with it, in that order."""
    lists: defaultdict[K, list[T]] = defaultdict(list)
    for key, value in pairs:
        lists[key].append(value)
    return {key: tuple(values) for key, values in lists.items()}


def _offers(rows: _Rows) -> dict[tuple[UUID, str], tuple[Offer, ...]]:
    return _gathered(
        (
            (row["merchant_id"], row["product_code"]),
            Offer(row["id"], Tariff.unpack(row["tiers_by"], row["tiers"]), row["valid_from"]),
        )
        for row in rows
    )


def _listed(rows: _Rows, costs: _Rows, now: datetime) -> dict[UUID, Listed]:
    """Channels with their costs; those without any take nothing, and are not here."""
    of_channels = _gathered(
        (row["channel_id"], (row["valid_from"], Tariff.unpack("amount", row["tiers"])))
        for row in costs
    )
    listed: dict[UUID, Listed] = {}
    for row in rows:
        dated: tuple[tuple[date, Tariff], ...] = of_channels.get(row["id"], ())
        if not dated:
            continue
        days, tariffs = zip(*dated, strict=True)
        open_day = OpenDay(row["day"], row["ends_at"], row["day_cut"], row["zone"])
        channel = read_channel(row, open_day.at(now), tariffs[0])
        one = Listed(channel, open_day, days, tariffs)
        listed[row["id"]] = replace(one, channel=one.at(now) or channel)
    return listed


_QUERIES: Final = {
    "merchants": "SELECT * FROM merchant",
    "apps": "SELECT * FROM app",
    "suppliers": "SELECT * FROM supplier",
    "products": """
        SELECT code, name_zh, name_en, state FROM product WHERE state = 'on' ORDER BY code""",
    "tariffs": """
        SELECT t.id, t.merchant_id, t.product_code, t.valid_from, t.tiers_by, t.tiers
        FROM tariff t
        JOIN merchant_product mp ON mp.merchant_id = t.merchant_id
            AND mp.product_code = t.product_code AND mp.state = 'on'
        JOIN product p ON p.code = t.product_code AND p.state = 'on'
        ORDER BY t.valid_from, t.seq""",
    "channels": """
        SELECT c.*, s.supplier_no, s.document_id, s.state AS supplier_state, s.sandbox,
               s.licence_expires_on, s.zone, s.day_cut, d.day, d.ends_at
        FROM channel c
        JOIN supplier s ON s.id = c.supplier_id
        JOIN business_day d ON d.holder_id = s.id AND d.closed_at IS NULL""",
    "costs": "SELECT channel_id, valid_from, tiers FROM channel_tariff ORDER BY valid_from, seq",
    "sets": """
        SELECT p.product_code, p.merchant_id, p.channel_id
        FROM product_channel p JOIN channel c ON c.id = p.channel_id ORDER BY c.channel_no""",
}
