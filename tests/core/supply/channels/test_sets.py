"""Which channels sell a product: the product's set, and merchants' own in its place."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from core.kernel.errors import Refusal
from core.kernel.money import Money, Rate
from core.kernel.tariff import Tariff
from core.supply.channels import SCRIPT, By, ChannelSet, NewChannel, Wish
from core.system.store import Tx
from tests.core.support import Desk, refused

BY = By("telegram:77", -100, 7)


def numbers(found: ChannelSet) -> tuple[bool, tuple[str, ...]]:
    return found.own, found.channel_nos


async def routed(desk: Desk) -> list[str]:
    """The channels that an order of the merchant may go to, in order."""
    wish = Wish(desk.merchant.id, "live", "alipay_qr", Money(10_000, "CNY"))
    return [c.channel_no for c in (await desk.runtime.supply.routing.explain(wish)).ranked]


async def test_a_merchants_own_set_replaces_the_products(desk: Desk, neighbour: Desk) -> None:
    sets, mine = desk.runtime.supply.channel_sets, desk.merchant.id
    assert numbers(await sets.of("alipay_qr", desk.merchant.id)) == (False, ("C01", "C03"))
    # The first change copies: a channel is forbidden to a merchant by taking it out.
    after = await sets.remove("alipay_qr", " c01 ", BY, merchant_id=mine)
    assert numbers(after) == (True, ("C03",))
    assert (await routed(desk), await routed(neighbour)) == (["C03"], ["C01", "C03"])
    opened = await desk.open()
    assert opened.attempt is not None
    assert opened.attempt.channel_no == "C03"
    assert opened.attempt.reasons == ()
    # It no longer follows the product's.
    await sets.add("alipay_qr", "C04", BY)
    assert (await routed(desk), await routed(neighbour)) == (["C03"], ["C01", "C04", "C03"])
    await sets.put("alipay_qr", ["C02", "C01", "c01"], BY, merchant_id=mine)
    assert await sets.using("C01") == [("alipay_qr", None), ("alipay_qr", desk.merchant.id)]
    assert await routed(desk) == ["C01", "C02"]
    await sets.add("alipay_qr", "C03", BY, merchant_id=mine)
    assert await routed(desk) == ["C01", "C02", "C03"]
    assert numbers(await sets.follow("alipay_qr", desk.merchant.id, BY)) == (
        False, ("C01", "C03", "C04"),
    )  # fmt: skip
    assert await routed(desk) == await routed(neighbour)


async def test_changes_are_in_the_trail_and_no_change_is_not(desk: Desk) -> None:
    sets, store = desk.runtime.supply.channel_sets, desk.runtime.system.store
    written: list[dict[str, Any]] = []

    async def also(_: Tx, facts: dict[str, Any]) -> None:
        written.append(facts)

    await sets.add("alipay_qr", "C01", BY, also=also)
    await sets.follow("alipay_qr", desk.merchant.id, BY, also=also)
    assert written == []
    await sets.remove("alipay_qr", "C01", BY, merchant_id=desk.merchant.id, also=also)
    await sets.add("alipay_qr", "C04", BY, also=also)
    rows = await store.fetch("SELECT * FROM audit WHERE action = 'channel_set' ORDER BY id")
    assert [row["facts"] for row in rows] == written == [
        {"product_code": "alipay_qr", "own_before": False, "own": True,
         "before": ["C01", "C03"], "after": ["C03"]},
        {"product_code": "alipay_qr", "own_before": False, "own": False,
         "before": ["C01", "C03"], "after": ["C01", "C03", "C04"]},
    ]  # fmt: skip
    assert [row["merchant_id"] for row in rows] == [desk.merchant.id, None]
    assert {(r["actor"], r["chat_id"], r["message_id"]) for r in rows} == {(BY.actor, -100, 7)}

    async def no(_: Tx, __: dict[str, Any]) -> None:
        raise Refusal("not_permitted", right="x")

    with pytest.raises(Refusal):
        await sets.remove("alipay_qr", "C04", BY, also=no)
    assert numbers(await sets.of("alipay_qr")) == (False, ("C01", "C03", "C04"))


async def test_what_makes_no_sense_is_refused(desk: Desk) -> None:
    sets, mine = desk.runtime.supply.channel_sets, desk.merchant.id
    await desk.runtime.supply.channels.turn("C04", "archive", SCRIPT)
    for verb, code in (
        (sets.of("gold"), "product_not_found"),
        (sets.of("", mine), "product_not_found"),
        (sets.add("gold", "C01", BY), "product_not_found"),
        (sets.follow("gold", mine, BY), "product_not_found"),
        (sets.add("alipay_qr", "C99", BY), "channel_not_found"),
        (sets.add("alipay_qr", "' OR 1", BY), "channel_not_found"),
        (sets.remove("alipay_qr", "C99", BY), "channel_not_found"),
        (sets.remove("alipay_qr", "C02", BY), "channel_not_in_set"),
        (sets.add("alipay_qr", "C04", BY), "channel_state"),
        (sets.put("alipay_qr", ["C01", "C04"], BY, merchant_id=mine), "channel_state"),
        (sets.put("alipay_qr", [], BY, merchant_id=mine), "channel_set_size"),
        (sets.put("alipay_qr", [f"C{n}" for n in range(100, 201)], BY), "channel_set_size"),
    ):
        with pytest.raises(Refusal) as error:
            await verb
        assert refused(error.value) == code
    await sets.put("alipay_qr", ["C01"], BY, merchant_id=mine)
    with pytest.raises(Refusal) as error:
        await sets.remove("alipay_qr", "C01", BY, merchant_id=mine)
    assert refused(error.value) == "channel_set_size"
    assert await desk.runtime.system.store.fetchval(
        "SELECT count(*) FROM audit WHERE action = 'channel_set'"
    ) == 1  # fmt: skip


async def test_a_product_without_channels_takes_no_orders(desk: Desk) -> None:
    await desk.runtime.supply.channel_sets.put("alipay_qr", [], BY)
    with pytest.raises(Refusal) as error:
        await desk.open()
    assert refused(error.value) == "no_channel"
    assert error.value.facts["reasons"] == "alipay_qr has no channel"


async def test_changes_at_once_lose_nothing(desk: Desk) -> None:
    channels, sets = desk.runtime.supply.channels, desk.runtime.supply.channel_sets
    supplier = await desk.runtime.parties.suppliers.by_no("S01")
    for n in range(10, 18):
        cost = Tariff.flat(Rate(1))
        await channels.add_channel(supplier, NewChannel(f"C{n}", "x", "x", cost, ()))
    for whose in (None, desk.merchant.id):
        await asyncio.gather(
            *(sets.add("alipay_qr", f"C{n}", BY, merchant_id=whose) for n in range(10, 18)),
            sets.remove("alipay_qr", "C01", BY, merchant_id=whose),
        )
        found = await sets.of("alipay_qr", whose)
        assert found.channel_nos == ("C03", *(f"C{n}" for n in range(10, 18)))
        await sets.put("alipay_qr", ["C01", "C03"], BY)
