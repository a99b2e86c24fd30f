"""Day cuts: set once per message, and none lost to another one at the same time."""

from __future__ import annotations

import asyncio
from datetime import time, timedelta
from itertools import pairwise
from uuid import UUID

import pytest

from core.accounts.daycuts import Kind
from core.accounts.vouchers import Cause
from core.kernel.clock import read_time
from core.kernel.errors import Refusal
from core.kernel.holder import HOUSE
from core.parties.merchants import App, Merchant
from core.runtime import Runtime
from tests.core.support import ADMIN, CHAT, FINANCE, OPS_CHAT, SetClock


async def test_two_who_set_time_and_zone_at_once_both_count(
    runtime: Runtime, shop: tuple[Merchant, App]
) -> None:
    merchant, _ = shop
    supplier = await runtime.parties.suppliers.by_no("S01")
    actor = await runtime.people.access.actor(ADMIN, "somebody", OPS_CHAT, private=False)
    cuts = runtime.accounts.daycuts
    holders: list[tuple[Kind, UUID]] = [("m", merchant.id), ("s", supplier.id), ("p", HOUSE)]
    for number, (kind, holder_id) in enumerate(holders):
        await asyncio.gather(
            cuts.set(actor, kind, holder_id, Cause(OPS_CHAT, 10 + number, 1), at=time(6)),
            cuts.set(actor, kind, holder_id, Cause(OPS_CHAT, 20 + number, 1), zone="Europe/Berlin"),
        )
    found = (
        (await runtime.parties.merchants.by_id(merchant.id)).day_cut,
        (await runtime.parties.suppliers.by_id(supplier.id)).day_cut,
        await runtime.ledger.calendar.cut_of(HOUSE),
    )
    assert {(cut.at, cut.zone) for cut in found} == {(time(6), "Europe/Berlin")}
    assert (
        await runtime.system.store.fetchval("SELECT count(*) FROM audit WHERE action = 'day_cut'")
        == 6
    )


async def test_the_same_message_sets_once(runtime: Runtime, shop: tuple[Merchant, App]) -> None:
    merchant, _ = shop
    actor = await runtime.people.access.actor(ADMIN, "somebody", CHAT, private=False)
    cuts, cause = runtime.accounts.daycuts, Cause(CHAT, 1, 1)
    first = await cuts.set(actor, "m", merchant.id, cause, at=time(0, 0), zone="Asia/Tokyo")
    await cuts.set(actor, "m", merchant.id, Cause(CHAT, 2, 1), at=time(7))
    assert await cuts.set(actor, "m", merchant.id, cause, at=time(0, 0)) == first
    again = await cuts.set(actor, "m", merchant.id, Cause(CHAT, 3, 1), at=time(7))
    assert again.before == again.after == "07:00 Asia/Tokyo"
    assert (
        await runtime.system.store.fetchval("SELECT count(*) FROM audit WHERE action = 'day_cut'")
        == 2
    )
    told = "SELECT count(*) FROM outbox WHERE facts->>'screen' = 'day_cut_set'"
    assert await runtime.system.store.fetchval(told) == 3
    finance = await runtime.people.access.actor(FINANCE, "somebody", CHAT, private=False)
    with pytest.raises(Refusal) as error:
        await cuts.set(finance, "m", merchant.id, Cause(CHAT, 4, 1), at=time(8))
    assert error.value.code == "not_permitted"
    assert (await runtime.parties.merchants.by_id(merchant.id)).day_cut.at == time(7)


async def test_days_are_never_called_by_the_wrong_date(
    runtime: Runtime, shop: tuple[Merchant, App]
) -> None:
    """A cut that would move the beginning of days by a whole day takes two steps."""
    merchant, _ = shop
    actor = await runtime.people.access.actor(ADMIN, "somebody", CHAT, private=False)
    with pytest.raises(Refusal) as refusal:
        await runtime.accounts.daycuts.set(
            actor, "m", merchant.id, Cause(CHAT, 1, 1), at=time(12), zone="America/Los_Angeles"
        )
    assert refusal.value.code == "day_cut_too_far"
    assert (await runtime.parties.merchants.by_id(merchant.id)).day_cut == merchant.day_cut
    assert await runtime.system.store.fetchval("SELECT count(*) FROM cause") == 0
    await runtime.accounts.daycuts.set(
        actor, "m", merchant.id, Cause(CHAT, 2, 1), zone="America/Los_Angeles"
    )
    assert (
        await runtime.parties.merchants.by_id(merchant.id)
    ).day_cut.zone == "America/Los_Angeles"


@pytest.mark.parametrize(
    ("moves", "hours"),
    [
        (["23:00"], [24, 23, 24, 24]),
        (["23:00", "00:00"], [24, 23, 25, 24]),
        (["12:00"], [24, 36, 24, 24]),
        (["13:00", "12:00"], [24, 13, 36, 35, 24]),
        (["12:00", "13:00"], [24, 36, 12, 13, 24]),
    ],
)
async def test_the_days_of_a_change_bear_their_dates_and_last_36_hours_at_most(
    runtime: Runtime,
    shop: tuple[Merchant, App],
    clock: SetClock,
    moves: list[str],
    hours: list[int],
) -> None:
    """Each cut is set in the day before the one that it begins with."""
    merchant, _ = shop
    clock.go_to_noon()
    actor = await runtime.people.access.actor(ADMIN, "somebody", CHAT, private=False)
    calendar, store = runtime.ledger.calendar, runtime.system.store
    first = await calendar.today(merchant.id)
    for number in range(len(hours)):
        day = await calendar.today(merchant.id)
        assert day == first + timedelta(days=number)
        if number < len(moves):
            cause = Cause(CHAT, 10 + number, 1)
            await runtime.accounts.daycuts.set(
                actor, "m", merchant.id, cause, at=read_time(moves[number])
            )
        clock.go_to(
            await store.fetchval(
                "SELECT ends_at FROM business_day WHERE holder_id = $1 AND day = $2",
                merchant.id,
                day,
            )
        )
    await calendar.today(merchant.id)
    rows = await store.fetch(
        "SELECT day, starts_at, ends_at FROM business_day WHERE holder_id = $1 ORDER BY day",
        merchant.id,
    )
    spans = [(row["starts_at"], row["ends_at"]) for row in rows if row["day"] >= first]
    assert [(end - start) // timedelta(hours=1) for start, end in spans][: len(hours)] == hours
    assert all(one[1] == other[0] for one, other in pairwise(spans))
    cut = (await runtime.parties.merchants.by_id(merchant.id)).day_cut
    assert cut.day_of(clock.now()) == await calendar.today(merchant.id)
