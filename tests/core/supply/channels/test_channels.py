"""Channels opened, changed, switched, archived and restored, with everything in the trail."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from core.kernel.errors import Refusal
from core.kernel.money import Money, Rate
from core.kernel.tariff import Tariff
from core.runtime import Runtime
from core.supply.channels import SCRIPT, By, NewChannel, Reason, Terms, Wish, read_hours
from core.supply.channels.terms import FAULTS
from tests.core.support import Desk, refused

BY = By("telegram:77", -100, 7)
COST = Tariff.flat(Rate(5000))


async def trail(runtime: Runtime) -> list[tuple[str, dict[str, Any]]]:
    rows = await runtime.system.store.fetch(
        "SELECT action, facts FROM audit WHERE actor = $1 ORDER BY id", BY.actor
    )
    return [(row["action"], row["facts"]) for row in rows]


async def counts(runtime: Runtime) -> list[int]:
    return [
        await runtime.system.store.fetchval(f"SELECT count(*) FROM {table}")
        for table in ("channel", "channel_tariff", "product_channel", "audit")
    ]


async def test_every_field_is_set_and_changed(runtime: Runtime) -> None:
    channels = runtime.supply.channels
    supplier = await runtime.parties.suppliers.by_no("S01")
    new = NewChannel(
        "C10", " new ", "qr", COST, ("alipay_qr", "alipay_qr"), amount_list=(100, 200), weight=3,
        priority=2, hours=read_hours("22:00-06:00"), day_limit_minor=10_000, day_limit_count=5,
    )  # fmt: skip
    channel = await channels.add_channel(supplier, new, BY)
    assert (channel.name, channel.amount_list, str(channel.hours)) == (
        "new", (100, 200), "22:00-06:00",
    )  # fmt: skip
    assert (channel.state, channel.cost, channel.currency) == ("on", COST, "CNY")
    assert await runtime.supply.channel_sets.using("c10") == [("alipay_qr", None)]

    def edit(_: Terms) -> Terms:
        return Terms("other", "qr2", amount_min=1, weight=0, priority=1000)

    changed = await channels.change("c10", edit, BY)
    assert changed == replace(
        channel, name="other", supplier_code="qr2", amount_list=(), amount_min=1, hours=None,
        day_limit_minor=None, day_limit_count=None, weight=0, priority=1000,
    )  # fmt: skip
    assert await channels.by_no("C10") == await channels.by_id(channel.id) == changed
    assert changed in await channels.all()
    assert changed in await channels.all(supplier.id)
    assert changed not in await channels.all((await runtime.parties.suppliers.by_no("S02")).id)
    assert await channels.change("C10", edit, BY) == changed
    added, then = await trail(runtime)
    assert (added[0], added[1]["terms"]["hours"]) == ("channel_added", "22:00-06:00")
    assert then == (
        "channel_changed",
        {
            "channel_no": "C10", "channel_name": "new",
            "before": {"name": "new", "supplier_code": "qr", "amount_list": [100, 200],
                       "amount_min": None, "hours": "22:00-06:00", "day_limit_minor": 10_000,
                       "day_limit_count": 5, "weight": 3, "priority": 2},
            "after": {"name": "other", "supplier_code": "qr2", "amount_list": [], "amount_min": 1,
                      "hours": None, "day_limit_minor": None, "day_limit_count": None,
                      "weight": 0, "priority": 1000},
        },
    )  # fmt: skip


WRONG: list[tuple[str, Callable[[Terms], Terms]]] = [
    ("name", lambda t: replace(t, name=" ")),
    ("name", lambda t: replace(t, name="x" * 61)),
    ("code", lambda t: replace(t, supplier_code="")),
    ("both", lambda t: replace(t, amount_list=(100,), amount_min=1)),
    ("amount", lambda t: replace(t, amount_list=(0,), amount_min=None, amount_max=None)),
    ("amount", lambda t: replace(t, amount_min=-1)),
    ("amount", lambda t: replace(t, amount_max=10**16)),
    ("many", lambda t: replace(t, amount_list=(5, 5), amount_min=None, amount_max=None)),
    ("range", lambda t: replace(t, amount_min=2, amount_max=1)),
    ("limit", lambda t: replace(t, day_limit_minor=0)),
    ("limit", lambda t: replace(t, day_limit_count=10**10)),
    ("weight", lambda t: replace(t, weight=-1)),
    ("weight", lambda t: replace(t, weight=1001)),
    ("priority", lambda t: replace(t, priority=1001)),
]


async def test_what_cannot_be_is_refused_and_nothing_is_written(runtime: Runtime) -> None:
    channels, supplier = runtime.supply.channels, await runtime.parties.suppliers.by_no("S01")
    before = await counts(runtime)
    base = NewChannel("C10", "new", "qr", COST, ("alipay_qr",))
    new: list[tuple[NewChannel, str]] = [
        (replace(base, channel_no=number), "channel_invalid")
        for number in ("", "C1", "c10", "C1234567890", "X10", "C10'", "C١٢")
    ]
    new += [
        (replace(base, channel_no="C01"), "channel_exists"),
        (replace(base, products=("gold",)), "product_not_found"),
        (replace(base, currency="USD"), "channel_in_other_currency"),
        (replace(base, cost=replace(COST, tiers_by="volume")), "tariff_invalid"),
        (replace(base, weight=-1), "channel_invalid"),
    ]
    for channel, code in new:
        with pytest.raises(Refusal) as error:
            await channels.add_channel(supplier, channel, BY)
        assert refused(error.value) == code
    for fault, edit in WRONG:
        with pytest.raises(Refusal) as error:
            await channels.change("C01", edit, BY)
        assert refused(error.value) == "channel_invalid"
        assert error.value.facts["channel_fault"] == FAULTS[fault]
    for verb in (
        channels.change("C99", lambda t: t, BY), channels.turn("C99", "on", BY),
        channels.resume("C99", BY), channels.by_no("; DROP TABLE channel"),
    ):  # fmt: skip
        with pytest.raises(Refusal) as error:
            await verb
        assert refused(error.value) == "channel_not_found"
    assert await counts(runtime) == before


async def test_archived_it_takes_nothing_keeps_all_and_comes_back_off(desk: Desk) -> None:
    channels = desk.runtime.supply.channels
    opened = await desk.open()
    for move in ("on", "restore", "gone"):
        with pytest.raises(Refusal) as error:
            await channels.turn("C01", move, BY)
        assert refused(error.value) == "channel_state"
    assert (await channels.turn("c01", "archive", BY)).state == "archived"
    wish = Wish(desk.merchant.id, "live", "alipay_qr", Money(10_000, "CNY"))
    explained = await desk.runtime.supply.routing.explain(wish)
    assert [c.channel_no for c in explained.ranked] == ["C03"]
    assert list(map(str, explained.reasons)) == ["C01: is archived"]
    await desk.pay(opened)  # its money comes all the same
    assert (await desk.order(opened)).state == "paid"
    for verb in (
        channels.turn("C01", "archive", BY), channels.turn("C01", "on", BY),
        channels.turn("C01", "off", BY),
        channels.change("C01", lambda t: replace(t, weight=9), BY),
    ):  # fmt: skip
        with pytest.raises(Refusal) as error:
            await verb
        assert refused(error.value) == "channel_state"
    supplier = await desk.runtime.parties.suppliers.by_no("S02")
    with pytest.raises(Refusal) as error:
        await channels.add_channel(supplier, NewChannel("C01", "x", "x", COST, ()), BY)
    assert refused(error.value) == "channel_exists"
    assert (await channels.turn("C01", "restore", BY)).state == "off"
    assert (await channels.turn("C01", "on", BY)).state == "on"
    assert [
        (action, facts["move"], facts["before"], facts["after"])
        for action, facts in await trail(desk.runtime)
    ] == [
        ("channel_turned", "archive", "on", "archived"),
        ("channel_turned", "restore", "archived", "off"),
        ("channel_turned", "on", "off", "on"),
    ]
    opened = await desk.open()
    assert opened.attempt is not None
    assert opened.attempt.channel_no == "C01"
    await desk.sound()


async def test_hours_are_kept_by_the_suppliers_clock(desk: Desk) -> None:
    noon = desk.clock.go_to_noon()  # in Shanghai, where the supplier is
    hours = read_hours("12:00-13:00")
    await desk.runtime.supply.channels.change("C01", lambda t: replace(t, hours=hours), SCRIPT)
    opened = await desk.open()
    assert opened.attempt is not None
    assert opened.attempt.channel_no == "C01"
    desk.clock.go_to(noon.replace(hour=5))
    opened = await desk.open()
    assert opened.attempt is not None
    assert opened.attempt.channel_no == "C03"
    assert opened.attempt.reasons == (Reason("C01", "hours", {"hours": "12:00-13:00"}),)
