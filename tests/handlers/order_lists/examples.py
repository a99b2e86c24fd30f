"""What is said of lists of orders, as widely as it can be."""

from __future__ import annotations

from datetime import date
from typing import Final

from core.delivery.outbox import Notice
from core.kernel.days import Days
from core.reports.order_lists import PAGE, ListedOrder, OrderFilter, Recent, Totals, Turn
from handlers.order_lists.screens import FilterUnknown, OrderListNotice
from handlers.orders.card import ATTEMPT_ICONS, ICONS
from tests.handlers.written import AT, HOSTILE, ID

NUMBER: Final = "P2J0001PQ8WKRZQMHM1I"
_DAY: Final = Days.one(date(2026, 11, 21))
_WEEK: Final = Days(date(2026, 11, 15), date(2026, 11, 21))
_PLAIN: Final = OrderFilter(_DAY, "CNY")
_FIRST: Final = Turn()
_WIDE: Final = OrderFilter(
    _WEEK,
    "CNY",
    product_codes=("a", "b"),
    channel_nos=("C01", "C02"),
    supplier_nos=("S01",),
    least_minor=10_000,
    most_minor=50_000,
    pay="unpaid",
    news="untold",
    marks=("completed", "refunded", "late", "disputed"),
    mode="test",
)


def _line(standing: str, news: str) -> ListedOrder:
    return ListedOrder(
        at=AT,
        number=NUMBER,
        merchant_order_no=HOSTILE,
        merchant_no="M1001",
        product_code="a",
        amount_minor=10_000_000_000,
        standing=standing,
        news=news,
        by_hand=True,
        refunded=True,
        channel_no="C01",
        paid=True,
        paid_at=AT,
        fee_minor=1_200_000,
        cost_minor=650_000,
    )


def _page(
    lines: tuple[ListedOrder, ...],
    *,
    wanted: OrderFilter = _PLAIN,
    turn: Turn = _FIRST,
    attempts: bool = False,
    seen: bool = True,
    whose: tuple[str, ...] = (HOSTILE,),
) -> OrderListNotice:
    paid = len(lines) // 2
    return OrderListNotice(
        list_id=ID,
        wanted=wanted,
        whose=whose,
        attempts=attempts,
        several=seen,
        fees=seen,
        costs=seen,
        names=dict.fromkeys("ab", (HOSTILE, HOSTILE)),
        zone="UTC",
        at=AT,
        turn=turn,
        pages=3 if turn.page > 1 else 1,
        older=turn.page == 2,
        totals=Totals(len(lines), 1_000_000 * len(lines), paid, 1_000_000 * paid, 12_000, 6_500),
        recent=(Recent(10, 0, 0), Recent(30, 6, 5), Recent(60, 9, 9)) if seen else (),
        lines=lines,
    )


_MANY: Final = tuple(_line(s, n) for s in ICONS for n in ("none", "pending", "delivered"))[:PAGE]
EXAMPLES: Final[tuple[Notice, ...]] = (
    _page(()),
    _page(_MANY, whose=()),
    _page(_MANY, wanted=_WIDE, turn=Turn(2, "older", NUMBER)),
    _page(_MANY, turn=Turn(3, "older", NUMBER), seen=False),
    *(_page((_line(standing, "exhausted"),)) for standing in ICONS),
    _page(tuple(_line(s, "none") for s in ATTEMPT_ICONS), attempts=True, seen=False),
    FilterUnknown((HOSTILE, "火星")),
)
