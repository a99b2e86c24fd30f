"""What happens in the demo's past, as data: how merchants sell, and what people do on which day."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import time
from decimal import Decimal
from typing import Final, TypeAlias

from bot.demo import cast
from core.accounts.adjustments import Correction
from core.accounts.vouchers import Advance
from core.kernel.money import Money

DAYS: Final = 30
CNY: Final = "CNY"


@dataclass(frozen=True, slots=True)
class Shop:
    """How a merchant sells. a_day: its orders. since: for how many days."""

    a_day: int
    one_expires_of: int
    subjects: tuple[str, ...]
    since: int = DAYS


SHOPS: Final = {
    "M1001": Shop(34, 5, ("乌龙茶礼盒", "云杉木砧板", "手冲壶", "亚麻桌布", "香薰蜡烛")),
    "M1002": Shop(22, 4, ("Canvas tote", "Field notebook", "Enamel mug", "Wool scarf")),
    "M1003": Shop(16, 6, ("有机小番茄", "当季水果箱", "冷鲜三文鱼"), cast.NEW_DAYS),
}


@dataclass(frozen=True, slots=True)
class Prepay:
    merchant_no: str
    advance: Advance


@dataclass(frozen=True, slots=True)
class PayIn:
    supplier_no: str
    amount: Money


@dataclass(frozen=True, slots=True)
class Adjust:
    merchant_no: str
    correction: Correction


@dataclass(frozen=True, slots=True)
class Complete:
    """The first of the day's orders that nobody paid is completed by hand."""

    merchant_no: str
    reason: str


@dataclass(frozen=True, slots=True)
class Refund:
    """Of the day's first order that is paid."""

    merchant_no: str
    minor: int


@dataclass(frozen=True, slots=True)
class PayAgain:
    """The day's first order that is paid is paid once more: its money is left in suspense."""

    merchant_no: str


@dataclass(frozen=True, slots=True)
class PayLess:
    """The last of the day's orders that nobody paid is paid after all, too little by so much."""

    merchant_no: str
    less_minor: int


Deed: TypeAlias = Prepay | PayIn | Adjust | Complete | Refund | PayAgain | PayLess


def deeds(ago: int) -> Iterator[tuple[time, Deed]]:
    """What people do on the day so many days ago, in its order."""
    if ago and ago % 3 == 0:
        yield time(10, 5), Prepay("M1001", Advance(Money(5_000_000, CNY), "周期预付"))
    if ago and ago % 5 == 0:
        usdt = Advance(Money(6_900_000_000, "USDT"), "weekly", Decimal("7.2"))
        yield time(10, 40), Prepay("M1002", usdt)
    if ago in (3, 6, 9, 12):
        yield time(11, 0), Prepay("M1003", Advance(Money(2_000_000, CNY), "首期预付"))
    if ago % 3 == 1:
        for supplier_no in ("S01", "S02"):
            yield time(15, 30), PayIn(supplier_no, Money(3_000_000, CNY))
    yield from _SINGLE.get(ago, ())


_SINGLE: Final[dict[int, tuple[tuple[time, Deed], ...]]] = {
    14: ((time(16, 10), Complete("M1001", "供应商已确认到账")),),
    8: ((time(17, 0), Adjust("M1001", Correction(Money(-2_000, CNY), "结算尾差"))),),
    5: ((time(16, 30), Refund("M1001", 2_000)),),
    3: ((time(17, 20), PayLess("M1002", 100)),),
    2: ((time(16, 0), Complete("M1002", "paid, the callback was lost")),),
    1: (
        (time(15, 40), Complete("M1001", "供应商回调丢失，已核对流水")),
        (time(16, 0), Refund("M1003", 1_500)),
    ),
}
