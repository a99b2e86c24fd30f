"""What alarms say, and what is said beside them, as widely as it can be."""

from __future__ import annotations

from typing import Final, get_args

from core.connectors import REFUSED_FOR
from core.delivery.outbox import Notice
from core.kernel.errors import CONTRADICTIONS
from core.kernel.money import Money
from core.people.alarms import Trouble
from core.people.factors import AlarmFactor
from core.people.ops import Deed, DeedNotice, What
from core.people.parked import AlarmParked, ParkedMessage
from core.reports.instance import AlarmClock
from core.reports.ticks import AlarmJob
from core.reports.verify import AlarmBooks
from core.supply.market import AlarmMarket, Unread
from core.trade.callbacks import AlarmCallback, AlarmRefused
from core.trade.orders import AlarmContradiction, Sighting
from handlers.alarms.screens import (
    AlarmLogs,
    AlarmUnreadable,
    AlarmWebhook,
    ParkedMessages,
    ParkedUpdate,
    Sightings,
    UpdateParked,
)
from handlers.kit.vocabulary import WORDS
from tests.handlers.written import AT, HOSTILE, ID

PARKED: Final = (
    ParkedMessage(AT, topic="say", number="M1001-3", fault=HOSTILE),
    ParkedMessage(AT, topic="bill", number="", fault=HOSTILE),
)


def _sightings(kind: str) -> tuple[Sighting, ...]:
    """Two of a payment: what was booked, and what contradicts it."""
    paid, asked = Money(6_000, "CNY"), Money(10_000, "CNY")
    order_no, attempt_no = "P" + "0" * 19, "A" + "0" * 19
    numbers = ("M1001", order_no, attempt_no, paid, asked)
    return (
        Sighting(AT, "reported", "203.0.113.7", *numbers, "short", contradicts=False, times=1),
        Sighting(AT, "asked", "", *numbers, kind, contradicts=True, times=7),
    )


EXAMPLES: Final[tuple[Notice, ...]] = (
    *(
        DeedNotice(
            (Deed(what, "M1001", HOSTILE, Money(minor, "CNY"), "M1001-3", reason, reason),) * count,
            HOSTILE,
            group,
        )
        for what in get_args(What)
        for count, minor, reason, group in (
            (1, 4_999_900, HOSTILE, ""),
            (1, -5, "", HOSTILE),
            (20, 10**10, "&" * 200, ""),
        )
    ),
    *(
        UpdateParked(records, pressed, unread, alarm)
        for records in ((), ("M1-1", "M1-2"))
        for pressed, unread in ((True, False), (False, False), (False, True))
        for alarm in (None, ParkedUpdate(HOSTILE, update_id=1, tries=5, fault=HOSTILE))
    ),
    ParkedMessages(HOSTILE, "Asia/Shanghai", ()),
    ParkedMessages(HOSTILE, "Asia/Shanghai", PARKED * 10),
    *(
        Sightings("S01", HOSTILE, "Asia/Shanghai", _sightings(kind) * count, together)
        for kind in CONTRADICTIONS
        for together, count in ((None, 0), (None, 6), (Money(10_000, "CNY"), 1))
    ),
)
TROUBLES: Final[tuple[Trouble, ...]] = (
    AlarmBooks(1, HOSTILE),
    AlarmBooks(7, HOSTILE),
    *(
        AlarmMarket(rows, Unread(kind, HOSTILE, HOSTILE))
        for kind in WORDS["unread"]
        for rows in (1, 7)
    ),
    *(AlarmJob(job, failures=5, fault=HOSTILE) for job in WORDS["job"]),
    AlarmCallback("A" + "0" * 19, HOSTILE, tries=4, given_up=False, said=HOSTILE),
    AlarmCallback("A" + "0" * 19, "", tries=40, given_up=True, said=""),
    *(
        AlarmContradiction(
            contradiction=kind,
            merchant_id=ID,
            supplier_no="S01",
            upstream_no=HOSTILE,
            order_no="P1",
            attempt_no="A" + "0" * 19,
            paid_minor=9_999,
            currency="CNY",
            said=said,
        )
        for kind in CONTRADICTIONS
        for said in ("", HOSTILE)
    ),
    *(AlarmParked(-1, HOSTILE, topic, HOSTILE) for topic in WORDS["topic"]),
    *(AlarmRefused("S01", HOSTILE, reason, HOSTILE, "203.0.113.7") for reason in REFUSED_FOR),
    AlarmWebhook(HOSTILE),
    AlarmFactor(10**12, HOSTILE, 5, 15),
    AlarmUnreadable("message", HOSTILE, update_id=1, fault=HOSTILE),
    AlarmLogs(HOSTILE, lines=1),
    AlarmLogs(HOSTILE, lines=9_000),
    AlarmClock(HOSTILE, ahead_s=600.0),
    AlarmClock(HOSTILE, ahead_s=-42.3),
)
