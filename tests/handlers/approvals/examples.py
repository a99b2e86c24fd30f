"""What is said of approvals, as widely as it can be."""

from __future__ import annotations

from typing import Final

from core.delivery.outbox import Notice
from core.people.approvals import ApprovedAlone
from handlers.approvals.screens import Proven, ProveQuestion, Waiting, WaitingNotice
from handlers.kit.vocabulary import WORDS
from tests.handlers.written import HOSTILE, ID

KINDS: Final = tuple(WORDS["approval"])

EXAMPLES: Final[tuple[Notice, ...]] = (
    *(ApprovedAlone(kind, HOSTILE, 10) for kind in KINDS),
    *(ProveQuestion(kind, "", ID.hex, 15, "") for kind in KINDS),
    ProveQuestion(KINDS[0], HOSTILE, ID.hex, 1, "paydesk-demo"),
    *(Proven(kind) for kind in KINDS),
    WaitingNotice(()),
    WaitingNotice(tuple(Waiting(ID, kind, HOSTILE, HOSTILE, 61) for kind in KINDS)),
    WaitingNotice((Waiting(ID, KINDS[0], "", HOSTILE, 0),)),
)
LARGEST: Final[tuple[Notice, ...]] = (
    WaitingNotice(tuple(Waiting(ID, KINDS[0], HOSTILE, HOSTILE, 9) for _ in range(100))),
)
