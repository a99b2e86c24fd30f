"""How the desk stands, as widely as it can be shown."""

from __future__ import annotations

from datetime import timedelta
from typing import Final

from core.delivery.outbox import Notice
from core.reports.standing import DeskStanding, InstanceLine, JobLine, PausedChannel, QueueLine
from handlers.kit.vocabulary import WORDS
from handlers.status.screens import StatusNotice, VersionLine, WebhookLine
from tests.handlers.written import AT, HOSTILE

_EARLIER: Final = AT - timedelta(hours=3)


def _standing(*, well: bool, instances: int = 1) -> DeskStanding:
    return DeskStanding(
        at=AT,
        queues=tuple(
            QueueLine(name, 0 if well else 5, None if well else _EARLIER) for name in WORDS["queue"]
        ),
        limiter=well,
        closed_chats=0 if well else 2,
        on=3,
        off=1,
        paused=() if well else tuple(PausedChannel("C01", HOSTILE, AT) for _ in range(20)),
        unread=0 if well else 1,
        jobs=tuple(
            JobLine(job, _EARLIER, state, 0 if well else 5)
            for job in WORDS["job"]
            for state in (("done",) if well else ("failed",))
        ),
        instances=tuple(InstanceLine(HOSTILE, _EARLIER, AT, not well) for _ in range(instances)),
        alarms=0 if well else 3,
        database="16.4 (Debian)",
    )


_VERSIONS: Final = (VersionLine("Python", "3.11.7"), VersionLine("aiogram", "3"))

EXAMPLES: Final[tuple[Notice, ...]] = (
    StatusNotice(_standing(well=True), WebhookLine(HOSTILE, True, 0), _VERSIONS, "UTC"),
    StatusNotice(
        _standing(well=False), WebhookLine("", False, 7, HOSTILE, AT), _VERSIONS, "Asia/Shanghai"
    ),
    StatusNotice(_standing(well=True), None, _VERSIONS, "UTC"),
)
LARGEST: Final[tuple[Notice, ...]] = (
    StatusNotice(
        _standing(well=False, instances=20), WebhookLine("h" * 64, False, 10**6, HOSTILE, AT),
        _VERSIONS, "Asia/Shanghai",
    ),
)  # fmt: skip
