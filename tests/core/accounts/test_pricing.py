"""Rates and costs that people set: each receipt tells what was there before it."""

from __future__ import annotations

import asyncio
from itertools import count, pairwise

import pytest

from core.kernel.errors import Refusal
from core.kernel.money import Rate
from core.kernel.tariff import Tariff
from core.people.receipts import Cause
from tests.core.support import ADMIN, CHAT, FINANCE, OPS_CHAT, OWNER, Desk, set_setting

AT_ONCE = 4
BELOW = 5_000  # 0.5 %: the cheapest channel of the product costs more
_messages = count(1000)


async def told(desk: Desk, screen: str) -> list[tuple[str, str]]:
    """(before, after) of every receipt, oldest first."""
    rows = await desk.runtime.system.store.fetch(
        "SELECT facts FROM outbox WHERE facts ->> 'screen' = $1 ORDER BY created_at, id", screen
    )
    facts = [row["facts"]["facts"] for row in rows]
    return [(f["before"], f["after"]) for f in facts]


def one_after_the_other(receipts: list[tuple[str, str]]) -> bool:
    """Whether they can be ordered so that each begins where another ended."""
    after = dict(receipts)
    (first,) = set(after) - set(after.values())
    chain = [first]
    while chain[-1] in after:
        chain.append(after[chain[-1]])
    return len(list(pairwise(chain))) == len(receipts)


async def test_rates_that_are_set_at_once_tell_of_each_other(desk: Desk) -> None:
    actor = await desk.actor(ADMIN)
    await asyncio.gather(
        *(
            desk.runtime.accounts.pricing.set_rate(
                actor, desk.merchant, "alipay_qr", Tariff.flat(Rate(ppm)), Cause(CHAT, ppm, 1)
            )
            for ppm in range(20_000, 20_000 + AT_ONCE * 1000, 1000)
        )
    )
    receipts = await told(desk, "rate_set")
    assert len({before for before, _ in receipts}) == AT_ONCE
    assert one_after_the_other(receipts)


async def test_costs_that_are_set_at_once_tell_of_each_other(desk: Desk) -> None:
    actor = await desk.actor(ADMIN, OPS_CHAT)
    await asyncio.gather(
        *(
            desk.runtime.accounts.pricing.set_cost(
                actor, "C01", Tariff.flat(Rate(ppm)), Cause(OPS_CHAT, ppm, 1)
            )
            for ppm in range(1_000, 1_000 + AT_ONCE * 1000, 1000)
        )
    )
    receipts = await told(desk, "cost_set")
    assert len({before for before, _ in receipts}) == AT_ONCE
    assert one_after_the_other(receipts)


async def set_rate(desk: Desk, ppm: int, *, message_id: int = 0) -> None:
    await desk.runtime.accounts.pricing.set_rate(
        await desk.actor(ADMIN), desk.merchant, "alipay_qr", Tariff.flat(Rate(ppm)),
        Cause(CHAT, message_id or next(_messages), 1),
    )  # fmt: skip


async def rate(desk: Desk) -> int:
    """What the merchant pays now, in parts per million."""
    offers = await desk.runtime.parties.merchants.offers.of(desk.merchant)
    return offers["alipay_qr"].tariff.tiers[0].rate.ppm


async def answer(desk: Desk, user_id: int, *, yes: bool = True) -> str:
    """Press a button of the newest card; the code of what is refused."""
    asked = await desk.runtime.system.store.fetchval(
        "SELECT id FROM approval WHERE kind = 'rate' ORDER BY created_at DESC, id DESC"
    )
    actor = await desk.actor(user_id, OPS_CHAT)
    try:
        await desk.runtime.people.approvals.decide(actor, asked, yes=yes)
    except Refusal as refusal:
        return refusal.code
    return ""


async def test_a_rate_below_cost_is_set_by_two(desk: Desk) -> None:
    before = await rate(desk)
    message_id = next(_messages)
    for _ in range(2):  # and when the message is delivered again
        await set_rate(desk, BELOW, message_id=message_id)
    assert await desk.runtime.system.store.fetchval("SELECT count(*) FROM approval") == 1
    assert await answer(desk, ADMIN) == "second_person_needed"
    assert await answer(desk, FINANCE) == "not_permitted"
    assert await rate(desk) == before
    assert await answer(desk, OWNER) == ""
    assert await rate(desk) == BELOW
    assert await answer(desk, OWNER) == ""
    (said,) = [one for one in await desk.said(CHAT) if one.screen == "rate_set"]
    assert (said.reply_to, said.facts["approved_by"]) == (message_id, OWNER)
    trail = await desk.runtime.system.store.fetch(
        "SELECT actor, facts->'approved_by' AS by FROM audit WHERE action = 'rate_set'"
    )
    assert [tuple(row) for row in trail] == [(f"telegram:{ADMIN}", OWNER)]
    await set_rate(desk, BELOW, message_id=message_id)
    assert len(await told(desk, "rate_set")) == 1


async def test_a_rate_that_pays_for_its_channels_is_set_by_one(desk: Desk) -> None:
    await set_rate(desk, 9_000)
    assert await rate(desk) == 9_000
    await set_setting(desk.runtime, "below_cost_second", value=False)
    await set_rate(desk, BELOW)
    assert await rate(desk) == BELOW
    assert await desk.runtime.system.store.fetchval("SELECT count(*) FROM approval") == 0


@pytest.mark.parametrize("what", ["rate", "cost"])
async def test_a_rate_is_approved_beside_what_was_seen(desk: Desk, what: str) -> None:
    await set_rate(desk, BELOW)
    if what == "rate":
        await set_rate(desk, 20_000)
    else:
        await desk.runtime.accounts.pricing.set_cost(
            await desk.actor(ADMIN, OPS_CHAT), "C01", Tariff.flat(Rate(4_000)),
            Cause(OPS_CHAT, 1, 1),
        )  # fmt: skip
    now = await rate(desk)
    assert await answer(desk, OWNER) == "rate_changed"
    assert await rate(desk) == now
    assert await answer(desk, OWNER, yes=False) == ""
    assert await answer(desk, OWNER) == ""
    assert await rate(desk) == now
