"""What is said of rates and costs, as widely as it can be."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from typing import Final

from core.accounts.pricing import CostQuestion, CostSet, RateQuestion, RateSet
from core.accounts.rerating import (
    RerateApproval,
    Rerated,
    RerateDay,
    RerateDropped,
    RerateQuestion,
    RerateQuestionNotice,
    RerateWaits,
)
from core.delivery.outbox import Notice
from core.supply.margins import Below, Loss
from handlers.rates.screens import CostLine, RateLine, Rates, SupplierRates
from tests.handlers.written import AT, HOSTILE, ID, TARIFF

LONG_TARIFF: Final = "volume " + "; ".join(
    f">={n}00000: 0.{n}% + 0.10 min 0.05 max 50" for n in range(10, 40)
)
SINCE: Final = date(2026, 12, 1)
LATER: Final = date(2026, 12, 2)
LINE: Final = RateLine("alipay_qr", HOSTILE, HOSTILE, TARIFF, date(2026, 11, 1), TARIFF, SINCE)
RATE: Final = RateSet(
    merchant_no="M1001",
    merchant_name=HOSTILE,
    product_code="alipay_qr",
    before="1.2%",
    after=TARIFF,
    since=SINCE,
    from_now=True,
    later="",
    later_since=None,
    actor_name=HOSTILE,
)
COST: Final = CostSet(
    channel_no="C01",
    channel_name=HOSTILE,
    supplier_no="S01",
    before="1.2%",
    after=TARIFF,
    since=SINCE,
    from_now=True,
    later="",
    later_since=None,
    actor_name=HOSTILE,
)
QUESTION: Final = RerateQuestion(
    merchant_id=ID,
    merchant_no="M1001",
    merchant_name=HOSTILE,
    product_code="alipay_qr",
    tiers_by="amount",
    tiers=({"from": 0, "ppm": 11_000},),
    tariff_text=TARIFF,
    first_day=date(2026, 11, 1),
    last_day=date(2026, 11, 10),
    currency="CNY",
    orders=12,
    changed=9,
    left_out=0,
    fee_then_minor=120,
    fee_now_minor=110,
    difference_minor=10,
    lines=tuple(
        RerateDay(date(2026, 10, n), orders=10**6, fee_then_minor=10**12, fee_now_minor=10**12)
        for n in range(1, 32)
    ),
    until=AT,
    mark="",
    more_days=0,
    actor_name=HOSTILE,
)

EXAMPLES: Final[tuple[Notice, ...]] = (
    SupplierRates("S01", HOSTILE, "CNY", ()),
    SupplierRates("S01", HOSTILE, "CNY", (CostLine("C01", HOSTILE, "0.65% + 0.10"),) * 40),
    Rates("M1", HOSTILE, "CNY", ()),
    Rates(
        "M1",
        HOSTILE,
        "CNY",
        tuple(
            replace(
                LINE,
                tariff=tariff,
                since=LINE.since if tariff else None,
                coming_tariff=coming,
                coming_since=SINCE if coming else None,
            )
            for tariff in ("", TARIFF)
            for coming in ("", TARIFF)
        ),
    ),
    RATE,
    replace(RATE, approved_by=1, approved_by_name=HOSTILE),
    replace(RATE, before="", from_now=False, later=TARIFF, later_since=LATER),
    COST,
    replace(COST, approved_by=7, approved_by_name=HOSTILE),
    replace(COST, from_now=False, later=TARIFF, later_since=LATER),
    RerateQuestionNotice(ID, QUESTION),
    RerateQuestionNotice(ID, replace(QUESTION, more_days=2, left_out=1, orders=1)),
    RerateWaits(QUESTION),
    Rerated(QUESTION, booked_on=date(2026, 11, 21)),
    Rerated(QUESTION, date(2026, 11, 21), HOSTILE),
    Rerated(
        replace(QUESTION, last_day=QUESTION.first_day, difference_minor=-5),
        booked_on=date(2026, 11, 21),
    ),
    RerateDropped(QUESTION),
)
LARGEST: Final[tuple[Notice, ...]] = (
    *(
        Rates(
            "M1",
            HOSTILE,
            "CNY",
            tuple(
                replace(LINE, code=f"product_{n}", tariff=LONG_TARIFF, coming_tariff=LONG_TARIFF)
                for n in range(lines)
            ),
        )
        for lines in (2, 40, 500)
    ),
    replace(
        RATE,
        before=LONG_TARIFF,
        after=LONG_TARIFF,
        from_now=False,
        later=LONG_TARIFF,
        later_since=LATER,
    ),
    replace(
        COST,
        before=LONG_TARIFF,
        after=LONG_TARIFF,
        from_now=False,
        later=LONG_TARIFF,
        later_since=LATER,
    ),
)

_LOSS: Final = Loss("C01", HOSTILE, LONG_TARIFF, 10_000, 50, 65)
BELOW: Final = Below("M1001", HOSTILE, "alipay_qr", LONG_TARIFF, "CNY", _LOSS)
_QUESTION: Final = RateQuestion(
    ID, "M1001", HOSTILE, "CNY", "alipay_qr", "", TARIFF, "amount", ({"from": 0, "ppm": 5_000},),
    SINCE, True, (_LOSS,),
)  # fmt: skip
ASKED: Final = (
    *(QUESTION.as_kind(RerateApproval, losses=losses) for losses in ((), (_LOSS,) * 50)),
    _QUESTION,
    replace(_QUESTION, before=LONG_TARIFF, after=LONG_TARIFF, from_now=False, losses=(_LOSS,) * 50),
    *(
        CostQuestion(
            "C01",
            HOSTILE,
            "S01",
            "CNY",
            LONG_TARIFF,
            LONG_TARIFF,
            ({"from": 0, "ppm": 5_000},),
            SINCE,
            from_now,
            (BELOW,) * count,
        )
        for from_now, count in ((True, 1), (False, 50))
    ),
)
