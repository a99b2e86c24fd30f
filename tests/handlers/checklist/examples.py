"""The checklist of a new desk, as it is shown."""

from __future__ import annotations

from typing import Final

from core.delivery.outbox import Notice
from core.reports.checklist import Facts, steps
from handlers.checklist.screens import DeskChecklist, StepNotice, Typed
from handlers.checklist.words import TYPED
from tests.handlers.written import HOSTILE

_NOTHING: Final = steps(Facts(*[0] * 9))
_ALL: Final = steps(Facts(*[12] * 9))

EXAMPLES: Final[tuple[Notice, ...]] = (
    DeskChecklist(HOSTILE, _NOTHING),
    DeskChecklist(HOSTILE, _ALL),
    *(
        StepNotice(step, done, tuple(Typed(*one) for one in typed), "paydesk_bot")
        for step, typed in TYPED.items()
        for done in (False, True)
    ),
)
