"""Suppliers as they are shown."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from typing import Final

from core.delivery.outbox import Notice
from core.supply.onboarding import (
    AlarmCredentials,
    AlarmLicence,
    AlarmRolledBack,
    SupplierLiveQuestion,
)
from handlers.kit.vocabulary import WORDS
from handlers.suppliers.screens import (
    CredentialLine,
    CredentialQuestion,
    SupplierKeys,
    SupplierLine,
    SupplierNotice,
    SupplierOff,
    SupplierQuestion,
    SuppliersNotice,
    SupplierSwitch,
    SupplierVersions,
    UseLine,
    VersionLine,
)
from tests.handlers.written import AT, HOSTILE, ID

NAME: Final = "document_of_some_length_00000001 v10"
NO: Final = "S000000003"
SEEN: Final = "0" * 8
NINE: Final = (HOSTILE,) * 9
MISSING: Final = (
    *sorted(set(WORDS["gate"]) - {"credentials"}), "credentials.key", "credentials.mch_id",
)  # fmt: skip
KEYS: Final = tuple(CredentialLine(HOSTILE, HOSTILE, n % 2 == 0) for n in range(30))
LINE: Final = SupplierLine(ID, NO, HOSTILE, "off", True, NAME, -3, MISSING)
SUPPLIER: Final = SupplierNotice(
    supplier_id=ID, supplier_no=NO, name=HOSTILE, state="off", sandbox=True, document=NAME,
    days_left=-3, missing=MISSING, seen=SEEN, legal_name=HOSTILE, licence_no=HOSTILE,
    licence_expires_on=date(2027, 12, 31), settles_to="merchant", currency="CNY", credentials=KEYS,
    uses=tuple(UseLine("epay v1", how, HOSTILE, AT) for how in WORDS["use"]), waiting=NINE,
    zone="Asia/Shanghai", switched=True,
)  # fmt: skip
UNKNOWN: Final = replace(
    SUPPLIER, missing=(), uses=(), switched=False, credentials=(), days_left=None,
    licence_expires_on=None, legal_name="", licence_no="", settles_to="",
)  # fmt: skip
SWITCH: Final = SupplierSwitch(ID, NO, HOSTILE, "live", "epay v1", SEEN, "epay v2", ID, HOSTILE)

EXAMPLES: Final[tuple[Notice, ...]] = (
    SUPPLIER,
    replace(SUPPLIER, state="live", missing=(), sandbox=False),
    UNKNOWN,
    SupplierKeys(ID, NO, HOSTILE, KEYS),
    SupplierKeys(ID, NO, HOSTILE, ()),
    SupplierOff("S03", HOSTILE, dialogue_id=ID.hex),
    *(
        SupplierQuestion(
            "S03",
            step=step,
            place=1,
            of=of,
            options=options,
            later=bool(options),
            dialogue_id=ID.hex,
            turn=10**6,
        )
        for of, step, options in (
            (7, "name", ()),
            (0, "legal_name", ()),
            (7, "licence_no", ()),
            (7, "licence_expires_on", ()),
            (7, "settles_to", ("merchant", "licensed_institution")),
            (7, "document", tuple(f"document_of_some_length_{n:08} v9" for n in range(12))),
            (7, "currency", ("CNY", "USD")),
        )
    ),
    SWITCH,
    replace(SWITCH, state="off", note=""),
    *(
        SupplierVersions(ID, NO, HOSTILE, "epay v1", SEEN, (VersionLine(ID, "epay v2"),) * count)
        for count in (0, 10)
    ),
    *(
        SuppliersNotice(page, pages, total, (LINE,) * lines)
        for page, pages, total, lines in ((1, 1, 0, 0), (1, 3, 20, 8), (2, 2, 9, 1))
    ),
    *(
        CredentialQuestion("S03", HOSTILE, name, HOSTILE, servers, known, known, 1, 3, ID.hex, 4)
        for name, servers, known in (
            ("base_url", NINE, False),
            ("base_url", (), True),
            ("key", (), True),
        )
    ),
    *(
        AlarmCredentials("S01", HOSTILE, ("base_url", "key"), HOSTILE, alone, confirmed)
        for alone, confirmed in ((False, False), (True, False), (True, True))
    ),
    *(
        AlarmLicence("S01", HOSTILE, HOSTILE, date(2026, 12, 1), days_left)
        for days_left in (30, 1, 0, -3)
    ),
    AlarmRolledBack("S01", HOSTILE, "epay v2", "epay v1", HOSTILE),
)

ASKED: Final = tuple(
    SupplierLiveQuestion(
        ID, NO, HOSTILE, HOSTILE, HOSTILE, date(2027, 1, 1), settles_to, NAME, waiting, "0" * 64
    )
    for settles_to, waiting in (("merchant", ()), ("licensed_institution", NINE))
)
