"""Whatever happens to two merchants, in whatever order, zone and currency, the books are right.

Each life has a desk of its own and is a sequence of steps, drawn from a seed or written down. The
merchants keep books as simple as they would; the desk must come to the same.
PAYDESK_PROPERTY_EXAMPLES is how many lives are drawn, or which: 60, or 17-17 for a single one.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from datetime import time
from random import Random
from typing import Final

import pytest

from core.kernel.clock import DayCut
from core.kernel.money import Rate
from core.kernel.tariff import Tariff, Tier, TiersBy
from tests.conftest import Servers
from tests.core.support import Entrance, SandboxSupplier
from tests.simulation.books import Books
from tests.simulation.checks import check
from tests.simulation.desk import PRODUCTS, LifeDesk, fresh_desk, make_template
from tests.simulation.life import Life, Shop, Step
from tests.simulation.sequences import SEQUENCES, World
from tests.sizes import size

FIRST, _, LAST = os.environ.get("PAYDESK_PROPERTY_EXAMPLES", f"{size(3, 200)}").rpartition("-")
STEPS: Final = (20, 60)
ZONES: Final = ("Asia/Shanghai", "Europe/Berlin", "America/New_York", "Australia/Lord_Howe")
CURRENCIES: Final = ("CNY", "CNY", "CNY", "JPY", "KWD")
# How often each happens, of all that do.
VERBS: Final = {
    "open": 8, "pay": 5, "pay_oddly": 4, "complete": 5, "uncomplete": 4, "resolve": 4,
    "reserve": 4, "settle": 3, "release": 1, "prepay": 2, "undo": 1, "adjust": 1, "credit": 1,
    "tariff": 2, "rerate": 3, "cut": 2, "wait": 6, "roll": 2, "together": 6,
}  # fmt: skip


def drawn(random: Random) -> tuple[tuple[World, World], list[Step]]:
    """Two merchants, and what happens to them."""
    world = (_world(random), _world(random))
    verbs = random.choices(list(VERBS), list(VERBS.values()), k=random.randint(*STEPS))
    return world, [
        Step(
            verb, random.choice((0, 0, 1)), random.randrange(100), random.randrange(40_000),
            random.randrange(100), _tariff(random), _cut(random),
        )
        for verb in verbs
    ]  # fmt: skip


def _world(random: Random) -> World:
    return random.choice(CURRENCIES), _cut(random), (_tariff(random), _tariff(random))


def _cut(random: Random) -> DayCut:
    at = time(random.randrange(24), random.choice((0, 0, 15, 30)))
    return DayCut(at, random.choice(ZONES))


def _tariff(random: Random) -> Tariff:
    if random.random() < 0.5:
        return Tariff.flat(_rate(random))
    start = random.randint(1, 30_000)
    by: TiersBy = "volume" if random.random() < 0.6 else "amount"
    return Tariff((Tier(0, _rate(random)), Tier(start, _rate(random))), by)


def _rate(random: Random) -> Rate:
    least, more = random.randint(0, 20), random.choice((0, 100, 900))
    ppm, fixed = random.choice((0, random.randint(0, 30_000))), random.randint(0, 50)
    return Rate(ppm, fixed, least, least + more if more else None)


async def live(desk: LifeDesk, world: tuple[World, World], happens: Sequence[Step]) -> None:
    """One life, and what is right after it."""
    shops = [await _open_shop(desk, 3001 + n, mine) for n, mine in enumerate(world)]
    life = Life(desk, shops)
    done: list[Step] = []
    try:
        for step in happens:
            done.append(step)
            await life.do(step)
        await check(desk, shops)
    except BaseException as failure:
        failure.add_note("\n".join(["In this life:", *map(str, world), *map(str, done)]))
        raise


async def _open_shop(desk: LifeDesk, number: int, world: World) -> Shop:
    """A merchant with an app for money, one for tests, and tariffs."""
    currency, cut, offers = world
    merchants = desk.runtime.parties.merchants
    merchant = await merchants.open(
        f"M{number}", f"Life {number}", currency=currency, day_cut=cut, reviewed=True
    )
    for mode in ("live", "test"):
        await merchants.apps.open(merchant, mode=mode, name=mode, notify_url=None)
    tariffs = dict(zip(PRODUCTS, offers, strict=True))
    for product, tariff in tariffs.items():
        await merchants.offers.set_tariff(merchant, product, tariff, actor="life")
    return Shop(merchant, Books(merchant.id, currency, tariffs), [])


@pytest.fixture(scope="session")
async def lives(servers: Servers, supplier: SandboxSupplier) -> None:
    """The database that lives begin with."""
    await make_template(servers, supplier)


@pytest.mark.parametrize("name", SEQUENCES)
async def test_these_always(
    lives: None, servers: Servers, supplier: SandboxSupplier, entrance: Entrance, name: str
) -> None:
    async with fresh_desk(servers, supplier, entrance) as desk:
        await live(desk, *SEQUENCES[name])


@pytest.mark.parametrize("seed", range(int(FIRST or 1), int(LAST) + 1))
async def test_whatever_happens(
    lives: None, servers: Servers, supplier: SandboxSupplier, entrance: Entrance, seed: int
) -> None:
    async with fresh_desk(servers, supplier, entrance) as desk:
        await live(desk, *drawn(Random(seed)))
