"""Sequences that are always lived through: each of them was wrong once, or nearly."""

from __future__ import annotations

from datetime import time
from typing import Final

from core.kernel.clock import DayCut
from core.kernel.money import Rate
from core.kernel.tariff import Tariff, Tier
from tests.simulation.life import TOGETHER, Step

World = tuple[str, DayCut, tuple[Tariff, Tariff]]  # currency, day cut, tariffs of the products

ONE_PERCENT = Tariff.flat(Rate(10_000))
FREE = Tariff.flat(Rate(0))
BY_VOLUME = Tariff((Tier(0, Rate(20_000)), Tier(15_000, Rate(5_000))), "volume")
MIDNIGHT: Final = DayCut()
CHINA: Final[World] = ("CNY", MIDNIGHT, (ONE_PERCENT, ONE_PERCENT))
AT_SIX: Final[World] = ("CNY", DayCut(time(6), "Europe/Berlin"), (BY_VOLUME, ONE_PERCENT))
JAPAN: Final[World] = ("JPY", DayCut(time(0), "Australia/Lord_Howe"), (BY_VOLUME, ONE_PERCENT))
KUWAIT: Final[World] = ("KWD", DayCut(time(12), "Europe/Berlin"), (ONE_PERCENT, BY_VOLUME))

LIVE, WECHAT, TEST, SECOND_SUPPLIER = 0, 3, 13, 8  # how an order is opened
CREDIT, COMPLETE = 1, 0  # how money in suspense is resolved, where the order is open
CREDIT_PAID, PAYER_PAID = 0, 1  # and where it is paid
PAYER = 2
FEE_BACK, FEE_KEPT = 0, 1
DAY = Step("wait", how=3)
ROLL = Step("roll")


def order(minor: int = 10_000, how: int = LIVE, whose: int = 0) -> Step:
    return Step("open", whose, much=minor, how=how)


def odd(more: int, which: int = 0, how: int = 0, whose: int = 0) -> Step:
    """The supplier reports so much more than was asked."""
    return Step("pay_oddly", whose, which, much=200 + more, how=how)


def at_once(*verbs: str, which: int = 0, much: int = 0, whose: int = 0) -> Step:
    return Step(
        "together",
        whose,
        which,
        much,
        TOGETHER.index(verbs),
        FREE,
        DayCut(time(9), "Europe/Berlin"),
    )


def rerate(tariff: Tariff, days_back: int = 0) -> Step:
    return Step("rerate", how=2 * days_back, tariff=tariff)


PAY, COMPLETED, REVERSED = Step("pay"), Step("complete"), Step("uncomplete")

# fmt: off
SEQUENCES: Final[dict[str, tuple[tuple[World, World], list[Step]]]] = {
    "a refund is reserved, the order is charged nothing, the refund settles with its fee": (
        (CHINA, AT_SIX),
        [order(), order(20_000), PAY, Step("pay", which=1), Step("reserve", much=5_000),
         rerate(FREE), Step("settle"), rerate(FREE), DAY, Step("reserve", much=0), rerate(FREE, 2),
         Step("settle"), ROLL],
    ),
    "too much: completed, the rest to its payer, reversed, completed again": (
        (CHINA, AT_SIX),
        [order(), odd(+100), Step("resolve", how=COMPLETE), Step("resolve", how=PAYER_PAID),
         REVERSED, COMPLETED, REVERSED, DAY, Step("resolve", how=COMPLETE), REVERSED,
         Step("resolve", how=CREDIT), COMPLETED, REVERSED, PAY],
    ),
    "too little twice: resolved in turn, completed and reversed in between": (
        (JAPAN, CHINA),
        [order(), odd(-100), odd(-30), COMPLETED, REVERSED, Step("resolve", which=1, how=CREDIT),
         COMPLETED, Step("pay"), REVERSED, Step("resolve", how=PAYER), odd(+7), odd(-9), COMPLETED,
         DAY, REVERSED, ROLL, COMPLETED, PAY],
    ),
    "completed, reversed and restored on later days, by money and by hand; tiers by volume": (
        (AT_SIX, JAPAN),
        [order(), order(12_000), COMPLETED, Step("complete"), DAY, REVERSED, DAY, PAY, ROLL,
         order(), Step("uncomplete"), DAY, order(), Step("complete"), order(), DAY, order(), DAY,
         ROLL, order(), rerate(BY_VOLUME, 4), Step("reserve", much=300), DAY, Step("settle")],
    ),
    "several refunds of one order, settled and released days later": (
        (CHINA, KUWAIT),
        [order(), order(5_000), PAY, Step("pay", which=1), Step("reserve", much=3_333),
         Step("reserve", much=3_333), Step("reserve", much=0), DAY, rerate(FREE, 1), odd(-50),
         Step("release", which=1), DAY, Step("settle", how=0), Step("reserve", much=1_111),
         rerate(FREE, 3), Step("settle", which=1, how=1), ROLL, Step("settle"), DAY,
         Step("reserve", much=0), Step("settle"), Step("resolve", how=CREDIT_PAID)],
    ),
    "other currencies": (
        (JAPAN, KUWAIT),
        [step for whose in (0, 1) for step in (
            order(30_001, whose=whose), Step("pay", whose), order(777, WECHAT, whose),
            odd(+9, 1, whose=whose), Step("resolve", whose, how=COMPLETE), DAY,
            Step("reserve", whose, much=10_000), Step("uncomplete", whose), ROLL,
            Step("settle", whose), Step("resolve", whose), Step("prepay", whose, how=3),
        )],
    ),
    "tests move nothing that is real": (
        (AT_SIX, CHINA),
        [order(20_000, TEST), order(20_000, TEST), order(20_000, TEST), PAY, odd(-5, 1),
         Step("credit", much=0), order(), order(9_000, TEST), Step("complete"),
         Step("uncomplete", which=1), Step("reserve", much=500), DAY, order(), PAY, order(),
         Step("adjust", much=500), order(), order(300, TEST), Step("settle"), odd(+5, 3),
         rerate(FREE, 4), Step("resolve")],
    ),
    "completed and confirmed, with the same, less and more": (
        (CHINA, CHINA),
        [order(), order(), order(), *3 * [COMPLETED], PAY, DAY, odd(-40, 1), odd(+40, 2),
         Step("reserve", much=4_000), Step("reserve", which=1, much=0),
         Step("reserve", which=2, much=0, how=1), ROLL, *3 * [Step("settle")],
         Step("resolve", how=CREDIT_PAID), REVERSED],
    ),
    "completed at one supplier, confirmed by another, refunded before and after": (
        (CHINA, CHINA),
        [order(how=SECOND_SUPPLIER), order(how=SECOND_SUPPLIER), order(how=SECOND_SUPPLIER),
         *3 * [COMPLETED], Step("reserve", much=2_500), Step("pay", how=1), Step("settle"),
         Step("reserve", much=2_500), Step("settle"), DAY, odd(-3, 1, how=1),
         Step("pay", which=2, how=1), Step("reserve", which=2, much=0), Step("settle"),
         Step("resolve", how=PAYER_PAID), ROLL],
    ),
    "completed at one supplier, another one has less or more": (
        (CHINA, AT_SIX),
        [*3 * [order(how=SECOND_SUPPLIER)], *3 * [COMPLETED], Step("reserve", which=1, much=4_000),
         odd(-100, how=1), odd(-60, 1, how=1), Step("settle"), odd(+70, 2, how=1), DAY,
         Step("pay"), Step("pay", which=1, how=1), Step("reserve", which=2, much=0),
         Step("settle"), Step("reserve", much=0, how=FEE_KEPT), ROLL, Step("settle"),
         Step("resolve", how=CREDIT_PAID), Step("resolve", how=PAYER_PAID)],
    ),
    "at once": (
        (CHINA, JAPAN),
        [order(), at_once("pay", "reserve", much=50), order(), PAY, Step("pay", which=1),
         at_once("reserve", "rerate", much=900),
         *(step for ms in (6, 10, 14) for step in (
             order(), Step("pay", which=99), at_once("rerate", "reserve", much=900 + ms))),
         at_once("reserve", "reserve", much=6_000),
         order(), COMPLETED, at_once("uncomplete", "+reserve", "settle"), order(), COMPLETED,
         at_once("uncomplete", "reserve"), order(), at_once("roll", "pay", "adjust"), order(),
         at_once("cut", "pay", "roll"), DAY, order(), odd(-5, 99), at_once("resolve", "complete"),
         order(), at_once("pay", "complete")],
    ),
    "days are cut anew: of a merchant, a supplier, the platform": (
        (CHINA, AT_SIX),
        [order(), PAY, *(
            step for n, hour in enumerate((3, 15, 22, 0, 9, 6)) for step in (
                Step("cut", n % 2, n, how=n, cut=DayCut(time(hour, 30), "America/New_York")),
                order(500 + n, whose=n % 2), Step("pay", n % 2, n), Step("wait", how=2), ROLL,
                Step("wait", how=2), Step("complete", n % 2), odd(n - 3, n, whose=n % 2),
            )
        )],
    ),
}
# fmt: on
