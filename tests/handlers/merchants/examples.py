"""Merchants, their apps and keys as they are shown."""

from __future__ import annotations

from dataclasses import replace
from typing import Final

from core.accounts.onboarding import (
    KeysQuestion,
    KeysReady,
    MerchantAmended,
    MerchantReviewed,
    ReviewQuestion,
)
from core.delivery.outbox import Notice
from core.parties.merchants import REVIEW_FACTS
from handlers.merchants.screens import (
    AppLine,
    AppNotice,
    MerchantLine,
    MerchantNotice,
    MerchantProducts,
    MerchantQuestion,
    MerchantsNotice,
    PingNotice,
    ProveKeys,
    SoldLine,
)
from tests.handlers.written import AT, HOSTILE, ID, TARIFF

NO: Final = "M123456789"
KEY: Final = "pdk_live_" + "0" * 24
ADDRESS: Final = "https://shop.example/" + "x" * 300
LINES: Final = tuple(
    MerchantLine(ID, NO, HOSTILE, state, reviewed)
    for state, reviewed in (
        ("open", True),
        ("open", False),
        ("suspended", True),
        ("archived", True),
    )
)
SOLD: Final = (SoldLine("alipay_qr", "on", TARIFF), SoldLine("p" * 32, "off", ""))
APPS: Final = tuple(
    AppLine(ID, place, HOSTILE, mode, KEY, state)
    for place, mode, state in ((1, "live", "open"), (2, "test", "open"), (3, "test", "withdrawn"))
)
MERCHANT: Final = MerchantNotice(
    merchant_id=ID, merchant_no=NO, name=HOSTILE, state="open", currency="CNY",
    zone="Asia/Shanghai", cut="06:00", legal_name=HOSTILE, licence_no=HOSTILE, category=HOSTILE,
    site=HOSTILE, contact=HOSTILE, reviewed=True, reviewed_at=AT, reviewed_by_name=HOSTILE,
    changed=True, lacking=(), balance_minor=-1_234_500, advanced_minor=1_000_000,
    line_minor=5_000_000, products=SOLD * 10,
    apps=APPS * 4, groups=(HOSTILE,) * 10, private=True,
)  # fmt: skip
NEW: Final = replace(
    MERCHANT, reviewed=False, reviewed_at=None, reviewed_by_name="", changed=False,
    lacking=tuple(REVIEW_FACTS), legal_name="", licence_no="", category="", site="", contact="",
    balance_minor=100, advanced_minor=0, line_minor=None, products=(), apps=(), groups=(),
    private=False,
)  # fmt: skip
APP: Final = AppNotice(
    app_id=ID, merchant_id=ID, merchant_no=NO, merchant_name=HOSTILE, place=1, name=HOSTILE,
    mode="live", key_id=KEY, state="open", created_at=AT, used_at=AT, notify_url=ADDRESS,
    ip_allow=("203.0.113.0/24",) * 50, calls_per_s=10_000, old_until=AT, zone="Asia/Shanghai",
)  # fmt: skip
PING: Final = PingNotice(ID, NO, HOSTILE, ADDRESS, 200, True, 12, "", HOSTILE)
STEPS: Final = (
    "merchant_no", "name", "currency", "zone", "cut", *REVIEW_FACTS, "suspend", "test", "live",
    "notify_url", "ip", "limit", "revoke",
)  # fmt: skip

EXAMPLES: Final[tuple[Notice, ...]] = (
    *(
        MerchantsNotice(page, pages, total, words, state, LINES * lines)
        for page, pages, total, words, state, lines in (
            (1, 1, 0, "", "", 0), (1, 1, 0, HOSTILE, "", 0), (2, 3, 20, "茶" * 13, "suspended", 2),
        )
    ),
    MERCHANT,
    NEW,
    replace(MERCHANT, lacking=()),
    replace(MERCHANT, state="suspended", changed=False),
    replace(MERCHANT, state="archived"),
    replace(MERCHANT, reviewed_at=None, reviewed_by_name=""),
    MerchantProducts(ID, NO, HOSTILE, SOLD),
    MerchantProducts(ID, NO, HOSTILE, ()),
    APP,
    replace(APP, mode="test", used_at=None, notify_url="", ip_allow=(), old_until=None),
    replace(APP, state="withdrawn"),
    PING,
    replace(PING, status=503, heard=False),
    replace(PING, status=None, heard=False, why=HOSTILE, body=""),
    *(
        MerchantQuestion(
            NO, name, step=step, place=place, of=of, options=options, later=later,
            dialogue_id=ID.hex, turn=10**6,
        )
        for step in STEPS
        for place, of, name, options, later in (
            (1, 10, "", ("CNY", "USD"), True), (0, 0, HOSTILE, (), False),
        )
    ),
    ProveKeys(NO, HOSTILE, HOSTILE, KEY, ID.hex, 60),
    ProveKeys(NO, HOSTILE, HOSTILE, "", ID.hex, 60),
    KeysReady(ID, NO, HOSTILE, HOSTILE, KEY, HOSTILE, 30),
    KeysReady(ID, NO, HOSTILE, HOSTILE, "", HOSTILE, 30),
    MerchantReviewed(NO, HOSTILE, HOSTILE),
    *(MerchantAmended(NO, HOSTILE, field, HOSTILE, "", HOSTILE) for field in ("name", "site")),
    MerchantAmended(NO, HOSTILE, "contact", "", "", HOSTILE),
)  # fmt: skip
ASKED: Final = (
    ReviewQuestion(NO, HOSTILE, HOSTILE, HOSTILE, HOSTILE, HOSTILE, "0" * 64),
    KeysQuestion(NO, HOSTILE, ID, HOSTILE, KEY, "d1", review_changed=True),
    KeysQuestion(NO, HOSTILE, None, HOSTILE, "", "d1", review_changed=False),
)
