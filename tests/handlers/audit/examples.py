"""What is shown of the trail, as widely as it can be."""

from __future__ import annotations

from typing import Final

from core.delivery.outbox import Notice
from core.people.trail import PAGE_ROWS
from handlers.audit.screens import MAX_FACTS, AuditNotice, DeedLine, FactSaid
from handlers.kit.vocabulary import WORDS
from tests.handlers.written import AT, HOSTILE

FACTS: Final = tuple(FactSaid(name, HOSTILE) for name in (*WORDS["fact"], "明日"))[-MAX_FACTS:]
ACTIONS: Final = (*WORDS["trail"], "明日")
DAY: Final = AT.date()

EXAMPLES: Final[tuple[Notice, ...]] = (
    AuditNotice(1, (), older=False, zone="UTC", what="M1001"),
    *(
        AuditNotice(
            2,
            (
                DeedLine(AT, HOSTILE, "1001", HOSTILE, False, "M1001", action, FACTS),
                DeedLine(AT, "", "script", "", False, "", action, ()),
                DeedLine(AT, HOSTILE, "1001", "", True, "", action, FACTS),
            ),
            older=True,
            zone="Asia/Shanghai",
            who="1001",
            what=action,
            first=DAY,
            last=DAY,
        )
        for action in ACTIONS
    ),
)
LARGEST: Final[tuple[Notice, ...]] = (
    AuditNotice(
        100,
        tuple(
            DeedLine(AT, HOSTILE, "1001", HOSTILE, False, "M123456789", "lock_factor", FACTS)
            for _ in range(PAGE_ROWS)
        ),
        older=True,
        zone="Asia/Shanghai",
        who="9" * 15,
        what="P" * 20,
        first=DAY,
        last=DAY,
    ),
)
