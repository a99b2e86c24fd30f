"""Merchants: their review, their names, and the products that are open to them."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from contextvars import copy_context
from datetime import date, timedelta
from typing import Any

import pytest

from core.books import BusinessDay
from core.kernel.errors import Refusal
from core.kernel.ids import Ids
from core.kernel.money import Rate
from core.kernel.tariff import Tariff, Tier
from core.parties.merchants import CALLS_PER_S, App, Merchant, Merchants
from core.parties.merchants.apps import MAX_CALLS_PER_S
from core.runtime import Runtime
from core.supply.channels import Channels
from core.system.store import Tx
from tests.core.support import Desk, SetClock, refused
from tests.demo import eventually


async def keys_of(runtime: Runtime, merchant: Merchant, mode: str) -> str:
    keys = await runtime.parties.merchants.apps.open(
        merchant, mode=mode, name="shop", notify_url=None
    )
    return keys.key_id


async def test_live_keys_need_a_passed_review(runtime: Runtime) -> None:
    merchant = await runtime.parties.merchants.open("M2001", "新店", reviewed=False)
    assert not merchant.reviewed
    live = await keys_of(runtime, merchant, "live")
    test = await keys_of(runtime, merchant, "test")
    with pytest.raises(Refusal) as error:
        (await runtime.supply.market.now()).app_by_key(live)
    assert refused(error.value) == "merchant_not_reviewed"
    assert (error.value.kind.type, error.value.facts) == ("permission", {"merchant_no": "M2001"})
    assert (await runtime.supply.market.now()).app_by_key(test).mode == "test"
    await runtime.system.store.execute(
        "UPDATE merchant SET reviewed_at = now() WHERE id = $1", merchant.id
    )
    app = (await runtime.supply.market.now()).app_by_key(live)
    assert (app.mode, app.merchant.reviewed) == ("live", True)


async def test_a_merchant_is_taken_as_reviewed(runtime: Runtime) -> None:
    merchant = await runtime.parties.merchants.open("M2001", "新店", reviewed=True)
    assert merchant.reviewed
    key_id = await keys_of(runtime, merchant, "live")
    app = (await runtime.supply.market.now()).app_by_key(key_id)
    assert app.merchant == merchant


async def test_what_is_open_goes_on_without_a_review(
    runtime: Runtime, shop: tuple[Merchant, App]
) -> None:
    """Orders that exist are followed to their end: only new calls need the review."""
    merchant, app = shop
    await runtime.system.store.execute(
        "UPDATE merchant SET reviewed_at = NULL WHERE id = $1", merchant.id
    )
    assert (await runtime.supply.market.now()).app(app.id).id == app.id
    assert app.id in {found.id for found in await runtime.parties.merchants.apps.of(merchant)}


async def test_how_often_an_app_may_call_is_its_own(
    runtime: Runtime, shop: tuple[Merchant, App]
) -> None:
    apps, (_, app) = runtime.parties.merchants.apps, shop
    assert app.calls_per_s == CALLS_PER_S
    for calls_per_s in (1, MAX_CALLS_PER_S):
        await apps.set_calls_per_s(app.id, calls_per_s)
        assert (await runtime.supply.market.now()).app(app.id).calls_per_s == calls_per_s
    for wrong in (0, -1, MAX_CALLS_PER_S + 1):
        with pytest.raises(Refusal) as error:
            await apps.set_calls_per_s(app.id, wrong)
        assert (refused(error.value), error.value.param) == ("field_invalid", "calls_per_s")
    with pytest.raises(Refusal) as error:
        await apps.set_calls_per_s(runtime.system.ids.uuid7(), 1)
    assert refused(error.value) == "key_unknown"


@pytest.mark.parametrize(
    "name", ["", " ", "\u3000", "x" * 65, "a\nb", "a\x00", "\x7f", "a\x85b", "a\u2028b", "\u202eb"]
)
async def test_a_name_that_suppliers_could_not_take_is_refused(runtime: Runtime, name: str) -> None:
    with pytest.raises(Refusal) as error:
        await runtime.parties.merchants.open("M2001", name, reviewed=True)
    assert (refused(error.value), error.value.param) == ("field_invalid", "name")
    with pytest.raises(Refusal):
        await runtime.parties.merchants.by_no("M2001")


@pytest.mark.parametrize("name", ["x", "茶" * 64, "Tom & Söhne <茶>  №1 🍵"])
async def test_a_name_stays_as_it_was_written(runtime: Runtime, name: str) -> None:
    await runtime.parties.merchants.open("M2001", name, reviewed=True)
    assert (await runtime.parties.merchants.by_no("m2001")).name == name


async def test_a_product_that_is_off_is_not_sold(desk: Desk) -> None:
    merchants = desk.runtime.parties.merchants
    before = await merchants.offers.of(desk.merchant)
    assert before["alipay_qr"].tariff == Tariff.flat(Rate(12000))
    assert list(before) == sorted(before)
    await desk.open()
    await desk.runtime.system.store.execute(
        "UPDATE product SET state = 'off' WHERE code = 'alipay_qr'"
    )
    del before["alipay_qr"]
    assert await merchants.offers.of(desk.merchant) == before
    with pytest.raises(Refusal) as error:
        await desk.open()
    assert refused(error.value) == "product_unknown"


async def test_a_tariff_begins_at_the_day_cut_and_orders_keep_theirs(neighbour: Desk) -> None:
    """M1002's days begin at 06:00."""
    desk, merchants = neighbour, neighbour.runtime.parties.merchants
    desk.clock.go_to_noon()
    today = desk.merchant.day_cut.day_of(desk.clock.now())
    tomorrow = today + timedelta(days=1)
    cut = desk.merchant.day_cut.start_of(tomorrow)
    new = Tariff((Tier(0, Rate(20000, 10)), Tier(50_000, Rate(15000, 0, 0, 700))))
    tariff_id = await merchants.offers.set_tariff(
        desk.merchant, "alipay_qr", new, actor="test", valid_from=tomorrow
    )
    assert (await merchants.offers.coming(desk.merchant))["alipay_qr"].since == tomorrow
    assert (await merchants.offers.of(desk.merchant, tomorrow))["alipay_qr"].tariff_id == tariff_id

    before = await desk.open()
    desk.clock.go_to(cut - timedelta(seconds=1))  # midnight is long past
    last = await desk.open()
    desk.clock.go_to(cut)
    first, larger = await desk.open(), await desk.open(50_000)
    assert [o.order.agreed.fee_minor for o in (before, last, first, larger)] == [90, 90, 210, 700]
    assert first.order.created_day == tomorrow
    assert (
        first.order.agreed.tariff_id
        == larger.order.agreed.tariff_id
        == tariff_id
        != last.order.agreed.tariff_id
    )
    assert (await merchants.offers.of(desk.merchant))["alipay_qr"].tariff == new
    assert "alipay_qr" not in await merchants.offers.coming(desk.merchant)

    # Of one day's tariffs the one set last counts; what was made keeps rate, tariff and fee.
    await merchants.offers.set_tariff(
        desk.merchant, "alipay_qr", Tariff.flat(Rate(1)), actor="test"
    )
    for opened in (before, first, larger):
        order = await desk.order(opened)
        assert (order.agreed.rate, order.agreed.tariff_id, order.agreed.fee_minor) == (
            opened.order.agreed.rate, opened.order.agreed.tariff_id, opened.order.agreed.fee_minor,
        )  # fmt: skip
    await desk.see(before, 10_000)
    assert (await desk.balances())["fees"] == 90
    assert (await desk.open()).order.agreed.fee_minor == 0


async def test_volume_tiers_change_at_the_day_boundary(desk: Desk) -> None:
    """What was paid on the closed days of the month counts, of this product and mode alone."""
    desk.clock.go_to_noon()
    merchant = desk.merchant
    today = merchant.day_cut.day_of(desk.clock.now())
    tariff = Tariff((Tier(0, Rate(12000)), Tier(30_000, Rate(10000))), "volume")
    await desk.runtime.parties.merchants.offers.set_tariff(
        merchant, "alipay_qr", tariff, actor="test"
    )
    for amount_minor, product in (
        (20_000, "alipay_qr"),
        (10_000, "alipay_qr"),
        (9000, "wechat_qr"),
    ):
        opened = await desk.open(amount_minor, product=product)
        await desk.see(opened, amount_minor)
        assert (await desk.open()).order.agreed.fee_minor == 120
    cut = merchant.day_cut.start_of(today + timedelta(days=1))
    desk.clock.go_to(cut - timedelta(milliseconds=500))
    assert (await desk.open()).order.agreed.fee_minor == 120
    desk.clock.go_to(cut)
    opened = await desk.open()
    assert (opened.order.agreed.fee_minor, opened.order.agreed.rate) == (100, Rate(10000))
    first = (today + timedelta(days=40)).replace(day=1)
    desk.clock.go_to(merchant.day_cut.start_of(first) - timedelta(milliseconds=500))
    assert (await desk.open()).order.agreed.fee_minor == 100
    desk.clock.go_to(merchant.day_cut.start_of(first))
    assert (await desk.open()).order.agreed.fee_minor == 120  # a new month begins at nothing


async def test_a_tariff_set_while_orders_are_made(desk: Desk) -> None:
    """Each order has the rate, the tariff and the fee of one and the same tariff."""
    merchants = desk.runtime.parties.merchants
    await asyncio.gather(
        *(desk.open() for _ in range(12)),
        *(
            merchants.offers.set_tariff(
                desk.merchant, "alipay_qr", Tariff.flat(Rate(ppm, 7)), actor="test"
            )
            for ppm in (20000, 30000, 40000)
        ),
    )
    rows = await desk.runtime.system.store.fetch(
        "SELECT o.fee_minor, o.rate, t.tiers FROM orders o JOIN tariff t ON t.id = o.tariff_id"
    )
    assert len(rows) == 12
    for row in rows:
        tier = {k: v for k, v in row["tiers"][0].items() if k != "from"}
        assert tier == row["rate"]
        assert row["fee_minor"] == Rate.unpack(row["rate"]).of(10_000)


async def test_of_one_day_the_one_set_last_counts_whatever_the_clocks_say(desk: Desk) -> None:
    """The instance that sets the second one, in line behind the first, is a minute behind."""
    runtime, clock = desk.runtime, SetClock(desk.clock.now() - timedelta(minutes=1))
    store, ids = runtime.system.store, Ids(clock)
    merchants = Merchants(store, runtime.system.vault, clock, ids, runtime.ledger)
    channels = Channels(
        store, clock, ids, runtime.delivery.audit, runtime.supply.routing.limits_changed
    )
    channel_id = (await channels.costs("C01")).id
    first, second = Tariff.flat(Rate(20_000)), Tariff.flat(Rate(30_000))
    behind: list[asyncio.Task[object]] = []
    outside = copy_context()  # of the first one's transaction

    async def set_behind(tx: Tx, setting: Coroutine[Any, Any, object]) -> None:
        behind.append(asyncio.create_task(setting, context=outside.copy()))
        await eventually(lambda: tx.fetchval(_WAITING), what="the second one waits in line")

    async def rate_behind(tx: Tx, _day: BusinessDay) -> None:
        setting = merchants.offers.set_tariff(desk.merchant, "alipay_qr", second, actor="test")
        await set_behind(tx, setting)

    async def cost_behind(tx: Tx, _since: date) -> None:
        await set_behind(tx, channels.set_cost(channel_id, second, actor="test"))

    await runtime.parties.merchants.offers.set_tariff(
        desk.merchant, "alipay_qr", first, actor="test", also=rate_behind
    )
    await runtime.supply.channels.set_cost(channel_id, first, actor="test", also=cost_behind)
    await asyncio.gather(*behind)
    today = await runtime.ledger.calendar.today(desk.merchant.id)
    yesterday = today - timedelta(days=1)
    assert (await merchants.offers.of(desk.merchant))["alipay_qr"].tariff == second
    assert (await merchants.offers.coming(desk.merchant, yesterday))["alipay_qr"].tariff == second
    assert (await channels.costs("C01")).cost == second
    assert (await channels.by_id(channel_id)).cost == second
    tomorrow = today + timedelta(days=1)
    for on, cost in ((runtime.supply.channels, first), (channels, second)):
        await on.set_cost(channel_id, cost, actor="test", valid_from=tomorrow)
    assert (await channels.costs("C01")).coming == second


_WAITING = """
SELECT EXISTS (SELECT FROM pg_locks JOIN pg_database d ON d.oid = database
               WHERE datname = current_database() AND locktype = 'advisory' AND NOT granted)
"""


async def test_a_tariff_that_cannot_be_set_is_refused(desk: Desk) -> None:
    merchants, store = desk.runtime.parties.merchants, desk.runtime.system.store
    today = desk.merchant.day_cut.day_of(desk.clock.now())
    before = await store.fetchval("SELECT count(*) FROM tariff")
    flat = Tariff.flat(Rate(5000))
    with pytest.raises(Refusal) as unknown:
        await merchants.offers.set_tariff(desk.merchant, "gold", flat, actor="test")
    assert refused(unknown.value) == "product_not_found"
    yesterday = today - timedelta(days=1)
    with pytest.raises(Refusal) as past:
        await merchants.offers.set_tariff(
            desk.merchant, "alipay_qr", flat, actor="test", valid_from=yesterday
        )
    assert refused(past.value) == "tariff_in_the_past"
    assert f"/rerate M1001 alipay_qr 0.5% {yesterday}~{today}" in past.value.message
    assert await store.fetchval("SELECT count(*) FROM tariff") == before


async def test_a_cost_begins_at_the_suppliers_day_and_attempts_keep_theirs(desk: Desk) -> None:
    desk.clock.go_to_noon()
    channels = desk.runtime.supply.channels
    cost = await channels.costs(" c01 ")
    tomorrow = cost.today + timedelta(days=1)
    tiers = Tariff((Tier(0, Rate(8000)), Tier(20_000, Rate(5000, 1))))
    await channels.set_cost(cost.id, tiers, actor="test", valid_from=tomorrow)
    cost = await channels.costs("C01")
    assert (cost.cost, cost.coming, cost.coming_since) == (
        Tariff.flat(Rate(6500)), tiers, tomorrow,
    )  # fmt: skip
    before = await desk.open()
    desk.clock.go_to(desk.merchant.day_cut.start_of(tomorrow))
    after, larger = await desk.open(), await desk.open(20_000)
    costs = [o.attempt.cost for o in (before, after, larger) if o.attempt]
    assert costs == [Tariff.flat(Rate(6500)), tiers, tiers]
    for opened, amount_minor in ((before, 10_000), (larger, 20_000)):
        await desk.see(opened, amount_minor)
    assert (await desk.balances())["cost/S01"] == -(65 + 101)
    for wrong, code in (
        (Tariff(tiers.tiers, "volume"), "tariff_invalid"),
        (tiers, "cost_in_the_past"),
    ):
        with pytest.raises(Refusal) as error:
            await channels.set_cost(cost.id, wrong, actor="test", valid_from=cost.today)
        assert refused(error.value) == code
    with pytest.raises(Refusal) as error:
        await channels.costs("C99")
    assert refused(error.value) == "channel_not_found"
    await desk.sound()
