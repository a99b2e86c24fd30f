"""Broadcasts as they are shown."""

from __future__ import annotations

from typing import Final

from core.delivery.outbox import Notice
from handlers.broadcasts.screens import (
    BroadcastLine,
    BroadcastQuestion,
    BroadcastResultFile,
    BroadcastResults,
    BroadcastsNotice,
    BroadcastTargets,
    BroadcastWithdrawal,
    ResultLine,
    TargetLine,
)
from tests.handlers.written import AT, HOSTILE, ID, MANY

ZONE: Final = "Asia/Shanghai"
NO: Final = 999_999_999
LINES: Final = tuple(
    BroadcastLine(ID, NO, state, task, words, 4000, failed, total, AT)
    for state, task, words, failed, total in (
        ("draft", "send", "", 0, 0),
        ("running", "send", HOSTILE, 0, 5000),
        ("stopped", "revise", HOSTILE, 3, 5000),
        ("done", "withdraw", HOSTILE, 1000, 5000),
    )
)
TARGETS: Final = tuple(TargetLine(NO, title, picked) for title in ("", HOSTILE) for picked in (
    True, False,
))  # fmt: skip
RESULTS: Final = (
    ResultLine(NO, "", "failed", HOSTILE, AT),
    ResultLine(NO, HOSTILE, "stopped", "", AT),
    ResultLine(NO, HOSTILE, "queued", "", None),
    ResultLine(NO, HOSTILE, "waiting", "", None),
    ResultLine(NO, HOSTILE, "sent", "", AT),
    ResultLine(NO, HOSTILE, "withdrawn", "", AT),
)
EXAMPLES: Final[tuple[Notice, ...]] = (
    BroadcastsNotice(1, 1, 0, (), ZONE),
    BroadcastsNotice(2, 3, 20, LINES, ZONE),
    BroadcastTargets(ID, 12, "", 1, 1, 0, (), ()),
    BroadcastTargets(ID, 12, '云<杉>&"', 2, 3, 4, TARGETS, ("重点", HOSTILE)),
    BroadcastResults(ID, 12, 1, 1, 0, (), ZONE),
    BroadcastResults(ID, 12, 2, 42, 500, RESULTS, ZONE),
    BroadcastResultFile(12, 500),
    BroadcastWithdrawal(ID, 12, 1),
    BroadcastWithdrawal(ID, 12, 500, sure=True),
    *(
        BroadcastQuestion(no=12, zone=ZONE, step=step, dialogue_id=ID.hex)
        for step in ("at", "search")
    ),
)
LARGEST: Final[tuple[Notice, ...]] = (
    BroadcastsNotice(2, 1000, 9999, LINES * 2, ZONE),
    BroadcastResults(ID, NO, 9999, 9999, 5000, RESULTS[:1] * 12, ZONE),
    BroadcastTargets(ID, NO, "群" * 6, 2, 1000, 5000, TARGETS * 2, (HOSTILE,) * MANY),
)
