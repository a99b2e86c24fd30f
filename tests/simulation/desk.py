"""A desk of its own for every example: four suppliers in three currencies, and who works there."""

from __future__ import annotations

import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Final
from uuid import uuid4

import asyncpg

from bot.world import DOCUMENTS, Addresses, approved_document, open_live, seed
from core.kernel.money import Rate
from core.kernel.tariff import Tariff, Tier
from core.parties.suppliers import NewSupplier
from core.people.actors import Actor
from core.runtime import Runtime
from core.supply.channels import NewChannel
from tests.conftest import SUPPLIER_KEYS, Servers
from tests.core.support import (
    ADMIN,
    OPS_CHAT,
    OWNER,
    Entrance,
    SandboxSupplier,
    SetClock,
    build_runtime,
    set_setting,
)
from texts.tariffs import parse_tariff

PRODUCTS: Final = ("alipay_qr", "wechat_qr")
# What the demo's own channels cost here: most orders of the written sequences come to 100.00.
COSTS: Final = {
    "C01": "0.65%; >=100: 0.4%; >=250: 0.9% + 0.02",
    "C02": "0.3% min 0.05; >=99.50: 0.6%",
    "C03": "0.2% + 0.10; >=100.30: 0.7% max 2",
}
# What they take, besides the demo's own two: S01 for both products, S02 for the first.
ABROAD: Final = (("S03", "JPY", "C31", "C32"), ("S04", "KWD", "C41", "C42"))
# Longer than any life: a step takes 26 hours at most.
MONTHS: Final = 6
_MIGRATED = "template_demo"
# Each worker has its own, since each has its own supplier, whose address is in it.
_TEMPLATE = f"template_lives_{os.environ.get('PYTEST_XDIST_WORKER', 'gw0')}"


def start() -> datetime:
    """Some days before clocks change in New York (14 March) and Berlin (28 March)."""
    return datetime(datetime.now(UTC).year + 1, 3, 12, 1, 0, 17, tzinfo=UTC)


@dataclass
class LifeDesk:
    """The desk, its clock, and two people of its ops group: one asks, the other confirms."""

    runtime: Runtime
    clock: SetClock
    supplier: SandboxSupplier
    asks: Actor
    confirms: Actor


async def make_template(servers: Servers, supplier: SandboxSupplier) -> None:
    """The database that examples start from, in which the desk's first day is that of `start`."""
    await _sql(servers, f"CREATE DATABASE {_TEMPLATE} TEMPLATE {_MIGRATED}")
    runtime = await build_runtime(servers, _TEMPLATE, SetClock(start()))
    try:
        assert await runtime.system.store.make_months(start().date(), MONTHS) == 0
        await seed(runtime, Addresses(supplier.base, SUPPLIER_KEYS, {}))
        for channel_no, cost in COSTS.items():
            channel = await runtime.supply.channels.costs(channel_no)
            await runtime.supply.channels.set_cost(
                channel.id, parse_tariff(cost, "CNY"), actor="life"
            )
        await _open_suppliers_abroad(runtime, supplier)
    finally:
        await runtime.close()


async def _open_suppliers_abroad(runtime: Runtime, supplier: SandboxSupplier) -> None:
    text = (DOCUMENTS / "sandbox_md5.yaml").read_text(encoding="utf-8")
    document = await approved_document(runtime, text)
    mch_id, key = next(iter(SUPPLIER_KEYS.items()))
    for supplier_no, currency, *channels in ABROAD:
        new = NewSupplier(
            supplier_no,
            f"Abroad {currency}",
            document.id,
            sandbox=True,
            currency=currency,
            legal_name=f"Abroad {currency} Ltd",
            licence_no="SANDBOX-0003",
            licence_expires_on=date(2099, 12, 31),
            settles_to="licensed_institution",
        )
        credentials = {"base_url": supplier.base, "mch_id": mch_id, "key": key}
        opened = await open_live(runtime, new, credentials)
        for channel_no, product, ppm in zip(channels, PRODUCTS, (5500, 8000), strict=True):
            cost = Tariff((Tier(0, Rate(ppm, 3)), Tier(15_000, Rate(ppm // 2))))
            channel = NewChannel(
                channel_no, f"{product} {currency}", product, cost, (product,),
                amount_min=1, amount_max=5_000_000,
            )  # fmt: skip
            await runtime.supply.channels.add_channel(opened, channel)


@asynccontextmanager
async def fresh_desk(
    servers: Servers, supplier: SandboxSupplier, entrance: Entrance
) -> AsyncIterator[LifeDesk]:
    """A desk on a database that nobody else has seen."""
    database, clock = f"life_{uuid4().hex}", SetClock(start())
    await _sql(servers, f"CREATE DATABASE {database} TEMPLATE {_TEMPLATE} STRATEGY FILE_COPY")
    runtime = await build_runtime(servers, database, clock, public_url=entrance.url)
    entrance.runtime = runtime
    try:
        asks, confirms = [
            await runtime.people.access.actor(user_id, "Life", OPS_CHAT, private=False)
            for user_id in (ADMIN, OWNER)
        ]
        # Two do what two are asked for by its kind, and one does it however large it is.
        for name in (
            "prepay_second", "adjust_second", "credit_second", "complete_second", "refund_second",
            "resolve_second",
        ):  # fmt: skip
            await set_setting(runtime, name, None)
        await set_setting(runtime, "below_cost_second", value=False)
        yield LifeDesk(runtime, clock, supplier, asks, confirms)
    finally:
        entrance.runtime = None
        await supplier.fault("any", "clear")
        await runtime.close()
        await _sql(servers, f"DROP DATABASE {database} WITH (FORCE)")


async def _sql(servers: Servers, statement: str) -> None:
    connection = await asyncpg.connect(servers.owner_dsn("paydesk"))
    try:
        await connection.execute(statement)
    finally:
        await connection.close()
