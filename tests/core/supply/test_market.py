"""The market in memory: each change is seen, by this process at once and by others after news."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta
from time import thread_time as time_of_thread
from typing import Final
from uuid import uuid4

import asyncpg
import pytest

from core.kernel.errors import Bug, Refusal
from core.kernel.tariff import Tariff
from core.parties.merchants import App, Merchant
from core.runtime import Runtime
from core.supply.channels.rows import read_channels
from core.supply.market import Market, Snapshot
from core.supply.market.market import MARKET_LOOK_S
from core.supply.market.rows import TABLES
from core.supply.market.snapshot import OpenDay
from core.system.vault import Purpose, Vault
from tests.conftest import MASTER_KEY, Servers
from tests.demo import eventually
from tests.steps import set_heap_aside

# Nothing stops the loop for so long, in seconds of its own thread's work.
MOST_STOOD_S: Final = 0.05
# A change of each table that the snapshot is made of, and how the snapshot shows it.
_CHANGES = {
    "merchant": "UPDATE merchant SET state = 'suspended' WHERE merchant_no = 'M1001'",
    "app": "UPDATE app SET ip_allow = '{203.0.113.0/24}'",
    "product": "UPDATE product SET state = 'off' WHERE code = 'alipay_qr'",
    "merchant_product": "UPDATE merchant_product SET state = 'off'",
    "tariff": (
        "INSERT INTO tariff (id, merchant_id, product_code, valid_from, tiers_by, tiers, actor, at)"
        " SELECT gen_random_uuid(), merchant_id, product_code, valid_from, tiers_by, tiers, 't', at"
        " FROM tariff LIMIT 1"
    ),
    "supplier": "UPDATE supplier SET name = name || '!'",
    "channel": "UPDATE channel SET state = 'off' WHERE channel_no = 'C01'",
    "channel_tariff": (
        "INSERT INTO channel_tariff (id, channel_id, valid_from, tiers, actor, at)"
        " SELECT gen_random_uuid(), channel_id, valid_from, '[{\"from\": 0, \"ppm\": 7}]', 't', at"
        " FROM channel_tariff LIMIT 1"
    ),
    "product_channel": "DELETE FROM product_channel",
}


class Steady:
    """A steady clock that stands still."""

    def __init__(self) -> None:
        self.at_s = 0.0

    def __call__(self) -> float:
        return self.at_s


@pytest.fixture
async def others(servers: Servers, database: str) -> AsyncIterator[asyncpg.Connection]:
    """Somebody else who writes to the database."""
    connection = await asyncpg.connect(servers.owner_dsn(database))
    try:
        yield connection
    finally:
        await connection.close()


async def news_of(market: Market, version: int) -> Snapshot:
    """The market once it is another one."""

    async def look() -> Snapshot | None:
        snapshot = await market.now()
        return snapshot if snapshot.version != version else None

    found: Snapshot = await eventually(look, what="another market")
    return found


def test_a_change_of_each_table_is_tried() -> None:
    assert set(_CHANGES) == set(TABLES)


@pytest.mark.parametrize("table", TABLES)
async def test_what_this_process_changes_it_sees_at_once(runtime: Runtime, table: str) -> None:
    market = runtime.supply.market
    before = await market.now()
    assert await market.now() is before
    await runtime.system.store.execute(_CHANGES[table])
    after = await market.now()
    assert after.version == before.version + 1
    assert replace(after, version=before.version) != before


@pytest.mark.parametrize("table", TABLES)
async def test_what_others_change_is_heard(
    runtime: Runtime, others: asyncpg.Connection, table: str
) -> None:
    still = Steady()
    system = runtime.system
    market = Market(system.store, system.vault, system.clock, runtime.parties.suppliers, still)
    before = await market.now()
    await others.execute(_CHANGES[table])
    assert (await news_of(market, before.version)).version == before.version + 1


async def test_a_transaction_moves_the_version_once_and_only_when_it_is_committed(
    runtime: Runtime, shop: tuple[Merchant, App]
) -> None:
    merchant, _ = shop
    market = runtime.supply.market
    before = await market.now()
    async with runtime.system.store.transaction() as tx:
        await tx.execute("UPDATE merchant SET name = 'once' WHERE id = $1", merchant.id)
        await tx.execute("UPDATE merchant SET name = 'twice'")
        await tx.execute("UPDATE channel SET weight = 7")
        assert (await market.reload()).merchant(merchant.id).name == merchant.name
    after = await market.now()
    assert (after.version, after.merchant(merchant.id).name) == (before.version + 1, "twice")
    with suppress(ZeroDivisionError):
        async with runtime.system.store.transaction() as tx:
            await tx.execute("UPDATE merchant SET name = 'never'")
            raise ZeroDivisionError
    assert await market.now() is after


async def test_what_is_not_in_memory_moves_nothing(
    runtime: Runtime, shop: tuple[Merchant, App]
) -> None:
    merchant, _ = shop
    before = await runtime.supply.market.now()
    await runtime.system.store.execute("UPDATE merchant SET credit_low = true")
    await runtime.ledger.calendar.roll(merchant.id)
    assert (await runtime.supply.market.reload()).version == before.version


async def test_two_who_change_it_at_once_wait_for_nobody_before_they_end(
    runtime: Runtime, others: asyncpg.Connection
) -> None:
    before = (await runtime.supply.market.now()).version
    async with others.transaction():
        await others.execute("UPDATE channel SET weight = 9 WHERE channel_no = 'C01'")
        # Whoever changes something else meanwhile is done before the first one.
        await runtime.system.store.execute("UPDATE channel SET weight = 9 WHERE channel_no = 'C02'")
        assert (await runtime.supply.market.now()).version == before + 1
    assert (await news_of(runtime.supply.market, before + 1)).version == before + 2


async def test_many_ask_and_one_looks(runtime: Runtime) -> None:
    market = runtime.supply.market
    first, *rest = await asyncio.gather(*(market.now() for _ in range(50)))
    assert all(one is first for one in rest)


async def test_without_news_a_look_finds_it(runtime: Runtime, others: asyncpg.Connection) -> None:
    still = Steady()
    system = runtime.system
    market = Market(system.store, system.vault, system.clock, runtime.parties.suppliers, still)
    before = await market.now()
    # A change of which no news comes.
    await others.execute("ALTER TABLE channel DISABLE TRIGGER market")
    await others.execute("UPDATE channel SET weight = 3")
    await others.execute("UPDATE market SET version = version + 1")
    assert await market.now() is before
    still.at_s += MARKET_LOOK_S
    assert (await market.now()).version == before.version + 1


async def test_a_lost_connection_is_opened_again_and_nothing_is_missed(
    runtime: Runtime, others: asyncpg.Connection
) -> None:
    market = runtime.supply.market
    before = await market.now()
    cut = (
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
        " WHERE datname = current_database() AND pid <> pg_backend_pid()"
    )
    assert await others.fetch(cut)
    await others.execute(_CHANGES["merchant"])
    assert (await news_of(market, before.version)).version == before.version + 1


async def test_whoever_asks_and_goes_away_ends_nobodys_look(runtime: Runtime) -> None:
    market = runtime.supply.market
    gone = asyncio.create_task(market.now())
    stays = asyncio.create_task(market.now())
    await asyncio.sleep(0)
    gone.cancel()
    assert (await stays).version > 0


async def test_channels_are_those_of_sql(runtime: Runtime) -> None:
    now = runtime.system.clock.now()
    in_sql = {c.channel_no: c for c in await read_channels(runtime.system.store, now, None)}
    snapshot = await runtime.supply.market.now()
    sold = {p for p, _ in snapshot.sets}
    assert sold
    for product in sold:
        for channel in snapshot.channels(product, None, now):
            assert channel == in_sql[channel.channel_no]


@pytest.mark.parametrize("ahead", [timedelta(), timedelta(days=1), timedelta(days=40, hours=7)])
async def test_a_channels_day_and_cost_are_those_of_sql_at_any_time(
    runtime: Runtime, ahead: timedelta
) -> None:
    store = runtime.system.store
    now = runtime.system.clock.now()
    await store.execute("UPDATE supplier SET day_cut = '05:30', zone = 'America/New_York'")
    await store.execute(
        "INSERT INTO channel_tariff (id, channel_id, valid_from, tiers, actor, at)"
        ' SELECT gen_random_uuid(), channel_id, valid_from + 2, \'[{"from": 0, "ppm": 7}]\','
        " 't', at FROM channel_tariff"
    )
    snapshot = await runtime.supply.market.now()
    in_sql = {c.channel_no: c for c in await read_channels(store, now + ahead, None)}
    listed = [one.at(now + ahead) for one in snapshot.listed.values()]
    assert {c.channel_no: c for c in listed if c is not None} == in_sql


async def test_offers_are_those_of_sql(runtime: Runtime, shop: tuple[Merchant, App]) -> None:
    merchant, _ = shop
    offers = runtime.parties.merchants.offers
    today = await runtime.ledger.calendar.today(merchant.id)
    in_sql = await offers.of(merchant, today)
    tariff = next(iter(in_sql.values())).tariff
    for ahead in (3, 3, 9):
        await offers.set_tariff(
            merchant, next(iter(in_sql)), Tariff(tariff.tiers), actor="t",
            valid_from=today + timedelta(days=ahead),
        )  # fmt: skip
    snapshot = await runtime.supply.market.now()
    for ahead in range(12):
        day = today + timedelta(days=ahead)
        in_sql = await offers.of(merchant, day)
        assert {code: snapshot.offer(merchant.id, code, day) for code in in_sql} == in_sql
    assert snapshot.offer(merchant.id, "none", today) is None
    assert snapshot.offer(merchant.id, next(iter(in_sql)), date(2000, 1, 1)) is None


def test_an_open_day_that_is_over_is_the_next_one() -> None:
    ends_at = datetime(2026, 3, 2, 16, tzinfo=UTC)
    day = OpenDay(date(2026, 3, 2), ends_at, time(0, 0), "Asia/Shanghai")
    assert day.at(ends_at - timedelta(microseconds=1)) == date(2026, 3, 2)
    assert day.at(ends_at) == date(2026, 3, 3)
    assert day.at(ends_at + timedelta(days=5)) == date(2026, 3, 8)
    # A later cut counts from the next day on: the day after is never the same one again.
    assert replace(day, cut=time(6, 0)).at(ends_at) == date(2026, 3, 3)
    # Nor is the next one left out, where a later cut has it begin an hour before its clock does.
    noon = datetime(2026, 3, 3, 4, tzinfo=UTC)
    moved = replace(day, ends_at=noon, cut=time(13, 0))
    assert moved.at(noon + timedelta(hours=2)) == date(2026, 3, 3)


async def test_a_secret_that_does_not_open_concerns_its_own_row_alone(
    runtime: Runtime, shop: tuple[Merchant, App]
) -> None:
    _, app = shop
    store = runtime.system.store
    await store.execute("UPDATE app SET secrets_sealed = '\\x00' WHERE id = $1", app.id)
    await store.execute("UPDATE supplier SET credentials_sealed = '' WHERE supplier_no = 'S01'")
    snapshot = await runtime.supply.market.now()
    for read in (lambda: snapshot.app(app.id), lambda: snapshot.supplier_by_no("S01")):
        with pytest.raises(Bug, match="unknown form"):
            read()
    assert snapshot.supplier_by_no(" s02").supplier_no == "S02"
    others = [one for one in snapshot.apps.values() if isinstance(one, App)]
    assert others


@pytest.mark.parametrize(
    ("spoil", "kind"),
    [
        ("UPDATE tariff SET tiers = '[]' WHERE id = (SELECT id FROM tariff LIMIT 1)", "tariff"),
        ("UPDATE tariff SET tiers = '[{}]' WHERE id = (SELECT id FROM tariff LIMIT 1)", "tariff"),
        ("UPDATE channel_tariff SET tiers = '[{\"from\": 5, \"ppm\": 7}]'", "channel"),
        ("UPDATE supplier SET zone = 'Mars/Base' WHERE supplier_no = 'S01'", "channel"),
    ],
)  # fmt: skip
async def test_a_row_that_does_not_read_concerns_nobody_else(
    runtime: Runtime, others: asyncpg.Connection, spoil: str, kind: str
) -> None:
    market, now = runtime.supply.market, runtime.system.clock.now()
    before = await market.now()
    await others.execute(spoil)
    after = await news_of(market, before.version)
    assert after.unread
    assert {one.kind for one in after.unread} == {kind}
    lost = {one.name for one in after.unread}
    no = {merchant_id: before.merchant(merchant_id).merchant_no for merchant_id in before.merchants}
    assert len(before.offers) > 1
    for (merchant_id, product), known in before.offers.items():
        if f"{no[merchant_id]} {product}" in lost:
            with pytest.raises(Bug):
                after.offer(merchant_id, product, now.date())
        else:
            assert after.offers[merchant_id, product] == known
    for channel_id, listed in before.listed.items():
        kept = after.listed.get(channel_id)
        assert (kept is None) == (listed.channel.channel_no in lost)
    assert after.merchants == before.merchants
    assert after.apps == before.apps


async def test_credentials_that_are_no_json_fail_their_supplier_alone(runtime: Runtime) -> None:
    market, system = runtime.supply.market, runtime.system
    first = (await market.now()).supplier_by_no("S01")
    sealed = system.vault.seal("no JSON", Purpose("supplier.credentials", str(first.id)))
    await system.store.execute(
        "UPDATE supplier SET credentials_sealed = $2 WHERE id = $1", first.id, sealed
    )
    after = await market.now()
    with pytest.raises(Bug):
        after.supplier(first.id)
    assert after.supplier_by_no("S02").supplier_no == "S02"
    assert [(one.kind, one.name, one.why) for one in after.unread] == [
        ("supplier", "S01", "JSONDecodeError")
    ]


async def test_tariffs_that_no_day_to_come_needs_are_not_kept(
    runtime: Runtime, others: asyncpg.Connection, shop: tuple[Merchant, App]
) -> None:
    merchant, _ = shop
    before = await runtime.supply.market.now()
    today = await runtime.ledger.calendar.today(merchant.id)
    key = next(key for key in before.offers if key[0] == merchant.id)
    for days in (-9, -5, 0, 0, 4):
        await others.execute(
            "INSERT INTO tariff (id, merchant_id, product_code, valid_from, tiers_by, tiers, actor,"
            " at) SELECT gen_random_uuid(), $1, $2, $3, 'amount', $4, 't', now()",
            *key, today + timedelta(days=days), f'[{{"from": 0, "ppm": {1000 + days}}}]',
        )  # fmt: skip
    after = await news_of(runtime.supply.market, before.version)
    kept = after.offers[key]
    assert not isinstance(kept, Bug)
    assert [offer.since for offer in kept] == [today, today + timedelta(days=4)]
    assert kept[0].tariff.tiers[0].rate.ppm == 1000


async def test_a_thousand_merchants_are_read_without_stopping_the_loop(
    runtime: Runtime, others: asyncpg.Connection
) -> None:
    system = runtime.system
    await add_merchants(others, system.vault, 1_000)
    market = Market(system.store, system.vault, system.clock, runtime.parties.suppliers)
    stood_s: list[float] = []
    set_heap_aside()
    looking = asyncio.create_task(market.now())
    while not looking.done():
        began_s = time_of_thread()
        await asyncio.sleep(0)
        stood_s.append(time_of_thread() - began_s)
    snapshot = await looking
    assert len(snapshot.merchants) >= 1_000
    assert len(snapshot.offers) >= 2_000
    assert not snapshot.unread
    assert max(stood_s) < MOST_STOOD_S


async def add_merchants(owner: asyncpg.Connection, vault: Vault, count: int) -> None:
    """Merchants with an app each, and with two products that had other rates every month."""
    await owner.execute(
        "INSERT INTO merchant (id, merchant_no, tag, name, created_at)"
        " SELECT gen_random_uuid(), 'M' || 5000 + n, 500000 + n, 'Shop ' || n, now()"
        " FROM generate_series(1, $1) n",
        count,
    )
    ids = [row["id"] for row in await owner.fetch("SELECT id FROM merchant WHERE tag > 500000")]
    await owner.execute(
        "INSERT INTO business_day (holder_id, day, starts_at, ends_at, zone, rolled_to, sums_kept)"
        " SELECT id, current_date, now(), now() + interval '1 day', 'UTC', now(), true"
        " FROM merchant WHERE id = ANY($1)",
        ids,
    )
    for product in ("alipay_qr", "wechat_qr"):
        await owner.execute(
            "INSERT INTO merchant_product (id, merchant_id, product_code, state)"
            " SELECT gen_random_uuid(), id, $2, 'on' FROM merchant WHERE id = ANY($1)",
            ids, product,
        )  # fmt: skip
    await owner.execute(
        "INSERT INTO tariff (id, merchant_id, product_code, valid_from, tiers_by, tiers, actor, at)"
        " SELECT gen_random_uuid(), merchant_id, product_code, current_date - 30 * n, 'amount',"
        ' \'[{"from": 0, "ppm": 9000}, {"from": 100000, "ppm": 8000}]\', \'t\', now()'
        " FROM merchant_product, generate_series(0, 11) n WHERE merchant_id = ANY($1)",
        ids,
    )
    apps = [(uuid4(), merchant_id) for merchant_id in ids]
    await owner.executemany(
        "INSERT INTO app (id, merchant_id, mode, name, key_id, secrets_sealed,"
        " notify_secrets_sealed, created_at) VALUES ($1, $2, 'live', 'a', $3, $4, $5, now())",
        [
            (app_id, merchant_id, f"pdk_live_{app_id.hex}",
             vault.seal("s", Purpose("app.secrets", str(app_id))),
             vault.seal("s", Purpose("app.notify_secrets", str(app_id))))
            for app_id, merchant_id in apps
        ],
    )  # fmt: skip


async def test_secrets_are_opened_once(runtime: Runtime) -> None:
    system = runtime.system
    counting = Counting(MASTER_KEY)
    market = Market(system.store, counting, system.clock, runtime.parties.suppliers)
    await market.now()
    opened = counting.opened
    assert opened > 0
    await system.store.execute("UPDATE channel SET weight = 8")
    await market.now()
    assert counting.opened == opened
    supplier = (await market.now()).supplier_by_no("S01")
    await runtime.parties.suppliers.set_credentials(system.store, supplier.id, {"key": "new"})
    assert (await market.now()).supplier(supplier.id).credentials == {"key": "new"}
    assert counting.opened == opened + 1


async def test_who_is_not_there_is_refused(runtime: Runtime) -> None:
    snapshot = await runtime.supply.market.now()
    nobody = uuid4()
    for read, code in (
        (lambda: snapshot.merchant(nobody), "merchant_not_found"),
        (lambda: snapshot.app(nobody), "key_unknown"),
        (lambda: snapshot.app_by_key("pdk_live_unknown"), "key_unknown"),
        (lambda: snapshot.supplier_by_no("S77"), "supplier_not_found"),
    ):
        with pytest.raises(Refusal) as error:
            read()
        assert error.value.code == code
    assert snapshot.merchant_by_tag(1 << 19) is None
    with pytest.raises(Bug):
        snapshot.supplier(nobody)


class Counting(Vault):
    """A vault that counts what it opens."""

    opened = 0

    def open(self, sealed: bytes, purpose: Purpose) -> str:
        self.opened += 1
        return super().open(sealed, purpose)
