"""Channels and products as they are shown."""

from __future__ import annotations

from dataclasses import replace
from typing import Final

from core.delivery.outbox import Notice
from core.kernel.money import Rate
from core.kernel.tariff import Tariff, Tier
from core.supply.channel_question import ChannelQuestion
from core.supply.loss_question import ChannelLossQuestion, NewChange, SetChange, TermsChange
from core.supply.notices import (
    ChannelAdded,
    ChannelChanged,
    ChannelDropped,
    ChannelQuestionNotice,
    ChannelSetNotice,
    ChannelTurned,
    ChannelWaits,
    ProductAdded,
    ProductNamed,
    ProductNames,
    ProductTurned,
    ShownTerms,
)
from handlers.channels.screens import (
    ChannelLine,
    ChannelNotice,
    ChannelsNotice,
    LeftOut,
    ProductLine,
    ProductQuestion,
    ProductsNotice,
    Ranked,
    Seller,
    Why,
)
from tests.handlers.rates.examples import BELOW
from tests.handlers.written import AT, HOSTILE, ID, TARIFF

CHANNEL: Final = ChannelLine(
    channel_no="C01", name=HOSTILE, supplier_no="S01", supplier_state="live", state="on", pause="",
    paused_until=None, zone="Asia/Shanghai", currency="CNY", amount_list=(), amount_min=None,
    amount_max=None, hours="", day_limit_minor=None, day_limit_count=None, used_minor=0,
    used_count=0, weight=1, priority=0, sold=(),
)  # fmt: skip
FULL: Final = replace(
    CHANNEL, channel_no="C123456789", supplier_no="S123456789", supplier_state="off",
    pause="until", paused_until=AT, hours="22:00-06:00",
    amount_list=tuple(10**14 + n for n in range(50)), day_limit_minor=10**15,
    day_limit_count=10**9, used_minor=10**15, used_count=10**9, weight=1000, priority=1000,
    sold=tuple(f"{'p' * 31}{n} (M1001)" for n in range(10)),
)  # fmt: skip
CHANNELS: Final = (
    CHANNEL, FULL,
    replace(CHANNEL, state="archived", amount_min=100),
    replace(CHANNEL, state="off", amount_max=100, day_limit_count=1),
    replace(CHANNEL, pause="trying", amount_min=100, amount_max=200, day_limit_minor=5),
)  # fmt: skip
TERMS: Final = ShownTerms(
    name=HOSTILE, supplier_code="alipay_qr", amount_list=(10_000, 20_000), amount_min=None,
    amount_max=None, hours=None, day_limit_minor=None, day_limit_count=5, weight=1, priority=0,
)  # fmt: skip
COST: Final = Tariff((Tier(0, Rate(6500, 10)), Tier(100_000, Rate(5000))))
NEW: Final = ChannelQuestion(
    supplier_no="S01", supplier_name=HOSTILE, currency="CNY", cost=COST,
    products=("alipay_qr",), name=HOSTILE, supplier_code="alipay_qr", amount_list=(10_000, 20_000),
    amount_min=None, amount_max=None, hours=None, day_limit_minor=None, day_limit_count=5,
    weight=1, priority=0, actor_name=HOSTILE,
)  # fmt: skip
WHY: Final = Why(
    product_code="alipay_qr", product_off=False, merchant_no="", merchant_name=HOSTILE, own=False,
    not_open=False, mode="live", minor=10_000, currency="CNY", ranked=(),
    lines=(LeftOut("C02", HOSTILE, "off", {}),),
)  # fmt: skip
RANKED: Final = tuple(Ranked("C01", HOSTILE, "S01", 0, 33, alone) for alone in (True, False))
PAUSED: Final = LeftOut("C02", HOSTILE, "paused", {"until": "12:00:00 Asia/Shanghai"})
SELLERS: Final = (
    ("on", False, (Seller("C01", True), Seller("C02", False))),
    ("off", True, ()),
    ("on", True, tuple(Seller(f"C{n}", True) for n in range(10, 110))),
)

EXAMPLES: Final[tuple[Notice, ...]] = (
    *(
        ChannelNotice(channel, HOSTILE, HOSTILE, TARIFF, why, same, may)
        for channel in CHANNELS
        for why, same, may in (("", False, True), (HOSTILE, True, False))
    ),
    ChannelsNotice(1, 2, 9, False, 1, "", "", CHANNELS),
    ChannelsNotice(2, 2, 9, True, 1, "S123456789", "p" * 32, (FULL,) * 8),
    ChannelsNotice(1, 2, 9, False, 1, "", "alipay_qr", ()),
    ChannelQuestionNotice(ID, NEW),
    ChannelQuestionNotice(ID, replace(NEW, amount_list=(), amount_max=5)),
    ChannelAdded("C05", NEW),
    ChannelWaits(NEW),
    ChannelDropped("S01", HOSTILE),
    *(
        ChannelChanged("C01", HOSTILE, "S01", "CNY", TERMS, after, HOSTILE)
        for after in (
            replace(TERMS, weight=3),
            ShownTerms("x", HOSTILE, (), 100, None, "09:00-23:00", 5, None, 0, 9),
        )
    ),
    *(
        ChannelTurned("C01", HOSTILE, move, HOSTILE, "off", "on")
        for move in ("on", "off", "archive", "restore")
    ),
    ChannelTurned("C01", HOSTILE, "resume", HOSTILE),
    *(
        ChannelSetNotice("alipay_qr", merchant_no, HOSTILE, own_before, own, before, after, HOSTILE)
        for merchant_no, own_before, own, before, after in (
            ("", False, False, ("C01",), ()),
            ("M1001", False, True, (), ("C01", "C02")),
            ("M1001", True, False, ("C02",), ("C01",) * 100),
        )
    ),
    ProductTurned("alipay_qr", "on", "", HOSTILE, HOSTILE),
    ProductTurned("alipay_qr", "off", "M1001", HOSTILE, HOSTILE),
    *(ProductTurned("p" * 32, move, "", HOSTILE, HOSTILE) for move in ("archive", "restore")),
    ProductAdded("alipay_qr", HOSTILE, HOSTILE, HOSTILE),
    ProductNamed("alipay_qr", ProductNames(HOSTILE, "x"), ProductNames("x", HOSTILE), HOSTILE),
    *(
        ProductQuestion(code, step=step, place=place, of=3, dialogue_id=ID.hex)
        for place, (step, code) in enumerate(
            (("code", ""), ("name_zh", "alipay_qr"), ("name_en", "p" * 32)), start=1
        )
    ),
    ProductsNotice("", HOSTILE, True, ()),
    ProductsNotice("", HOSTILE, False, (), archived=True, archived_count=2),
    ProductsNotice(
        "",
        HOSTILE,
        False,
        (ProductLine("x1", HOSTILE, HOSTILE, "archived", False, False, ()),),
        archived_count=1,
        may_make=True,
    ),
    ProductsNotice(
        "M1001",
        HOSTILE,
        False,
        tuple(
            ProductLine("alipay_qr", HOSTILE, HOSTILE, state, own, own, sellers)
            for state, own, sellers in SELLERS
        ),
    ),
    replace(WHY, product_off=True, own=True, merchant_no="M1001", mode="test", lines=()),
    replace(WHY, not_open=True, merchant_no="M1001", ranked=RANKED * 20, lines=(PAUSED,) * 100),
    WHY,
)

_MANY: Final = tuple(f"C{n}" for n in range(10, 110))
ASKED: Final = (
    ChannelLossQuestion(SetChange("alipay_qr", "add", "C05", None, "", "", (), ("C05",)), (BELOW,)),
    ChannelLossQuestion(
        SetChange("alipay_qr", "follow", "C05", ID, "M1001", HOSTILE, _MANY, _MANY), (BELOW,) * 50
    ),
    ChannelLossQuestion(
        TermsChange("C01", HOSTILE, "S01", "CNY", TERMS, replace(TERMS, amount_list=())),
        (BELOW,) * 50,
    ),
    ChannelLossQuestion(NewChange(NEW), (replace(BELOW, loss=replace(BELOW.loss, channel_no="")),)),
)
