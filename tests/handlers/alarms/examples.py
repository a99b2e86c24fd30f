"""What is said beside alarms, as widely as it can be."""

from __future__ import annotations

from typing import Final, get_args

from core.delivery.outbox import Notice
from core.kernel.errors import CONTRADICTIONS
from core.kernel.money import Money
from core.people.ops import Deed, DeedNotice, What
from core.people.parked import ParkedMessage
from core.trade.orders import Sighting
from handlers.alarms.screens import ParkedAlarm, ParkedMessages, Sightings, UpdateParked
from tests.handlers.written import AT, HOSTILE

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
            (Deed(what, "M1001", HOSTILE, Money(minor, "CNY"), "M1001-3", reason),) * count,
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
    ParkedMessages(HOSTILE, "Asia/Shanghai", ()),
    ParkedMessages(HOSTILE, "Asia/Shanghai", PARKED * 10),
    *(
        Sightings("S01", HOSTILE, "Asia/Shanghai", _sightings(kind) * count, together)
        for kind in CONTRADICTIONS
        for together, count in ((None, 0), (None, 6), (Money(10_000, "CNY"), 1))
    ),
    *(
        UpdateParked(records, pressed, unread, alarm)
        for records in ((), ("M1-1", "M1-2"))
        for pressed, unread in ((True, False), (False, False), (False, True))
        for alarm in (None, ParkedAlarm(HOSTILE, 1, tries=5, fault=HOSTILE))
    ),
)
