"""Connector documents as they are shown."""

from __future__ import annotations

from dataclasses import replace
from typing import Final, get_args

from core.connectors import Fault
from core.delivery.outbox import Notice
from core.supply.onboarding import AlarmDocument, DocumentDecided, DocumentQuestion
from handlers.documents.screens import (
    CautionLine,
    DocumentChecked,
    DocumentFaultsNotice,
    DocumentLibrary,
    DocumentLine,
    DocumentNotice,
    DocumentsNotice,
    DocumentWanted,
    DocumentWhy,
    DryReadNotice,
    DryRequest,
    DryRunNotice,
    DryStep,
    FailureLine,
    Signing,
    Summary,
)
from handlers.documents.words import Decision
from handlers.kit.vocabulary import WORDS
from tests.handlers.written import AT, HOSTILE, ID

NAME: Final = "document_of_some_length_00000001 v10"
LONG: Final = "&" * 901  # a request is clipped before it comes here
OFFERS: Final = tuple(WORDS["offer"])
NINE: Final = (HOSTILE,) * 9
DOCUMENT: Final = DocumentNotice(
    document_id=ID, document=NAME, state="proposed", note=HOSTILE, proposed_by_name=HOSTILE,
    proposed_at=AT, decided_by_name="", why="", alone=False, zone="Asia/Shanghai",
)  # fmt: skip
SUMMARY: Final = Summary(
    code="epay", name=HOSTILE, offers=OFFERS, lacks=OFFERS, signing=Signing(HOSTILE, HOSTILE),
    credentials=NINE, servers=NINE, hosts=NINE, ways=NINE, sandbox_only=True,
    cautions=tuple(CautionLine(code, HOSTILE) for code in WORDS["caution"]), cases=14,
    failures=(), sound=True,
)  # fmt: skip
CHECKED: Final = DocumentChecked(SUMMARY, HOSTILE, HOSTILE, (HOSTILE,) * 10, 70, ID.hex, 2)
PLAIN: Final = replace(
    SUMMARY, lacks=(), ways=(), signing=Signing("", ""), cautions=(), sandbox_only=False
)
UNSOUND: Final = replace(SUMMARY, sound=False, failures=(FailureLine(HOSTILE, 9, HOSTILE),) * 9)
ALARM: Final = AlarmDocument(
    document_id=ID, code="epay", version=2, note=HOSTILE, actor_name=HOSTILE,
    alone=False, former=HOSTILE, diff=(HOSTILE,) * 20, diff_lines=70,
)  # fmt: skip

EXAMPLES: Final[tuple[Notice, ...]] = (
    *(
        replace(DOCUMENT, state=state, decided_by_name=by, why=why, alone=bool(why))
        for state, by, why in (
            ("proposed", "", ""),
            ("approved", "x", ""),
            ("rejected", HOSTILE, HOSTILE),
            ("withdrawn", "x", HOSTILE),
        )
    ),
    ALARM,
    replace(ALARM, note="", alone=True, diff=()),
    replace(ALARM, former=""),
    *(DocumentDecided(ID, NAME, "proposed", why, HOSTILE) for why in ("", HOSTILE)),
    CHECKED,
    replace(CHECKED, summary=PLAIN, diff=(), diff_lines=0, note=""),
    replace(CHECKED, former=""),
    replace(CHECKED, summary=UNSOUND),
    *(
        DocumentFaultsNotice(total, (Fault(10**4, HOSTILE, HOSTILE, HOSTILE),) * min(total, 20))
        for total in (1, 20, 77)
    ),
    DocumentLibrary(tuple(f"document_of_some_length_{n:08}" for n in range(30))),
    DocumentWanted(ID.hex, 64),
    *(DocumentWhy("epay v2", decision, dialogue_id=ID.hex) for decision in get_args(Decision)[1:]),
    *(
        DocumentsNotice((DocumentLine(ID, NAME, "proposed", HOSTILE),) * lines, more, private)
        for lines, more, private in ((0, 0, True), (15, 9, True), (3, 0, False))
    ),
    DryReadNotice(
        "epay", "callback", "invalid", {"why": HOSTILE},
        (
            DryStep("form", True, "", {}),
            DryStep("signature", False, HOSTILE, {"text": LONG, "came": HOSTILE}),
        ),
    ),
    DryReadNotice("epay", "query", "paid", {"paid": "1.00", "upstream_no": HOSTILE}, ()),
    DryRunNotice("epay", DryRequest(HOSTILE, fault=HOSTILE), 0),
    DryRunNotice("epay", DryRequest("app", "POST", LONG, LONG, LONG, LONG, LONG), 3),
    DryRunNotice("epay", DryRequest("app", "GET", "https://x", "Accept: */*"), 0),
)  # fmt: skip
ASKED: Final = tuple(DocumentQuestion(ID, NAME, "0" * 64, note) for note in ("", HOSTILE))
