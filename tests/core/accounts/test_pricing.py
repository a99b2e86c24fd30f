"""Rates and costs that people set: each receipt tells what was there before it."""

from __future__ import annotations

import asyncio
from itertools import pairwise

from core.kernel.money import Rate
from core.kernel.tariff import Tariff
from core.people.receipts import Cause
from tests.core.support import ADMIN, CHAT, OPS_CHAT, Desk

AT_ONCE = 4


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
            for ppm in range(20_000, 20_000 + AT_ONCE * 1000, 1000)
        )
    )
    receipts = await told(desk, "cost_set")
    assert len({before for before, _ in receipts}) == AT_ONCE
    assert one_after_the_other(receipts)
