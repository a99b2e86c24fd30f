"""Test orders as they are shown."""

from __future__ import annotations

from dataclasses import replace
from typing import Final

from core.delivery.outbox import Notice
from core.trade.trials import (
    BY_ROUTING,
    TrialCall,
    TrialCalls,
    TrialMade,
    TrialOption,
    TrialQuestion,
    TrialQuestionNotice,
)
from tests.handlers.written import AT, HOSTILE, ID

KEY: Final = "pdk_live_" + "a" * 24
TOLD: Final = TrialQuestion(
    "M123456789", HOSTILE, "CNY", KEY, "live", "p" * 32, "C123456789", 10**15
)
MERCHANTS: Final = tuple(TrialOption(f"M{n}23456789", HOSTILE) for n in range(8))
CALL: Final = TrialCall(
    at=AT, operation="create", method="POST", url="https://pay.example/" + "x" * 600,
    request=HOSTILE + "r" * 600, status=200, answer=HOSTILE + "a" * 600, outcome="answered", why="",
    took_ms=12,
)  # fmt: skip
LOST: Final = replace(CALL, status=0, answer="", outcome="may_have_happened", why=HOSTILE)

EXAMPLES: Final[tuple[Notice, ...]] = (
    TrialQuestionNotice(ID, TrialQuestion(), "merchant", MERCHANTS, 2, 3),
    TrialQuestionNotice(ID, TrialQuestion(), "merchant"),
    TrialQuestionNotice(
        ID,
        TrialQuestion("M1001", HOSTILE, "CNY"),
        "app",
        (TrialOption(KEY, "live"), TrialOption(KEY.replace("live", "test"), "test")),
    ),
    TrialQuestionNotice(ID, TrialQuestion("M1001", HOSTILE, "CNY"), "app"),
    TrialQuestionNotice(
        ID,
        replace(TOLD, product_code=""),
        "product",
        (TrialOption("p" * 32, f"{HOSTILE} | {HOSTILE}"),),
    ),
    TrialQuestionNotice(ID, TOLD, "product"),
    TrialQuestionNotice(
        ID,
        replace(TOLD, channel_no=""),
        "channel",
        (TrialOption(BY_ROUTING), TrialOption("C123456789", HOSTILE)),
        100,
        101,
    ),
    TrialQuestionNotice(
        ID, replace(TOLD, minor=0), "amount", tuple(TrialOption(str(10**n)) for n in range(1, 16))
    ),
    TrialQuestionNotice(ID, replace(TOLD, minor=0, mode="test", channel_no=BY_ROUTING), "amount"),
    TrialQuestionNotice(ID, TOLD, "confirm"),
    TrialQuestionNotice(ID, replace(TOLD, mode="test"), "made"),
    TrialQuestionNotice(ID, TOLD, "dropped"),
    TrialMade(
        "P" + "0" * 19, TOLD, "https://pay.example/" + "c" * 600, link=True, actor_name=HOSTILE
    ),
    TrialMade(
        "P1", replace(TOLD, mode="test", channel_no=BY_ROUTING), "https://x/", False, HOSTILE
    ),
    TrialCalls("P1", "Asia/Shanghai", "qr", HOSTILE, (CALL, LOST) * 2),
    TrialCalls("P1", "Asia/Shanghai", "form", "", ()),
    TrialCalls("P1", "Asia/Shanghai", "", "", (LOST,)),
)
