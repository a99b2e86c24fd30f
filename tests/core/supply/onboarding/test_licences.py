"""Licences: people are told in time, once each, and an old licence takes no orders."""

from __future__ import annotations

from datetime import datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest

from core.delivery.outbox import Say
from core.kernel.errors import Refusal
from handlers.screens import render_say
from tests.core.supply.onboarding.support import staff
from tests.core.support import OPS_CHAT, SUPPLIER_CHAT, Desk, facts, refused

ZONE = ZoneInfo("Asia/Shanghai")


async def test_30_7_1_days_before_and_on_the_day_each_once(desk: Desk) -> None:
    runtime, clock, boss = desk.runtime, desk.clock, await staff(desk.runtime)
    watch, amend = runtime.supply.licences.watch, runtime.supply.onboarding.amend
    today = clock.go_to_noon().astimezone(ZONE).date()
    ends = today + timedelta(days=31)
    first, second = await runtime.parties.suppliers.all()
    first = await amend(boss, first, licence_expires_on=ends)
    await facts(runtime, OPS_CHAT)

    async def told() -> list[tuple[str, int]]:
        await watch()
        said = [fact for fact in await facts(runtime, OPS_CHAT) if isinstance(fact, Say)]
        return [(say.facts["supplier_no"], say.facts["days_left"]) for say in said]

    seen: list[tuple[int, list[tuple[str, int]]]] = []
    for days_left in range(31, -3, -1):
        midnight = datetime.combine(ends - timedelta(days=days_left), time(), ZONE)
        for late in (timedelta(seconds=1), timedelta(hours=23)):
            if midnight + late > clock.now():
                clock.go_to(midnight + late)
                if news := await told():
                    seen.append((days_left, news))
        if days_left in (0, -1):  # the last day counts, and the state is nobody's but people's
            opened = await desk.open()
            assert opened.attempt is not None
            assert opened.attempt.supplier_no == ("S01" if days_left == 0 else "S02")
            assert (await runtime.parties.suppliers.by_no("S01")).state == "live"
    assert seen == [(days, [("S01", days)]) for days in (30, 7, 1, 0)]

    with pytest.raises(Refusal) as error:
        await amend(boss, first, licence_expires_on=ends + timedelta(days=1))
    assert refused(error.value) == "supplier_not_ready"
    assert (await amend(boss, first, name="Still a name")).licence_expires_on == ends
    today = clock.now().astimezone(ZONE).date()
    renewed = await amend(boss, first, licence_expires_on=today + timedelta(days=5))
    assert await told() == [("S01", 5)], "another licence is told of anew, also when it is late"
    assert await told() == []
    await runtime.supply.onboarding.switch_off(boss, renewed, "its contract ends")
    await amend(boss, second, licence_expires_on=today + timedelta(days=20))
    clock.advance(5 * 86_400)
    assert await told() == [("S02", 15)], "nobody asks for a licence of one that is off"
    assert await facts(runtime, SUPPLIER_CHAT) == []


async def test_where_there_is_no_ops_group_yet_it_is_told_later_and_in_both_languages(
    desk: Desk,
) -> None:
    runtime, boss = desk.runtime, await staff(desk.runtime)
    supplier = await runtime.parties.suppliers.by_no("S01")
    today = desk.clock.now().astimezone(ZONE).date()
    await runtime.supply.onboarding.amend(
        boss, supplier, licence_expires_on=today + timedelta(days=3)
    )
    await facts(runtime, OPS_CHAT)
    async with runtime.system.store.transaction() as tx:
        await runtime.people.groups.unbind(tx, OPS_CHAT)
    assert await runtime.supply.licences.watch() == 0
    async with runtime.system.store.transaction() as tx:
        await runtime.people.groups.bind_ops(tx, OPS_CHAT)
    assert await runtime.supply.licences.watch() == 1
    (said,) = await facts(runtime, OPS_CHAT)
    assert isinstance(said, Say)
    for language, words in (("en", "expires in 3 days"), ("zh", "将在 3 天后到期")):
        assert words in render_say(said, language).html
