"""What alarms say, and what is said beside them, as widely as it can be."""

from __future__ import annotations

from dataclasses import replace
from typing import Final, get_args

from core.accounts.credit import AlarmCredit, CreditLow, Standing
from core.connectors import REFUSED_FOR
from core.delivery.outbox import Notice, values_of
from core.kernel.errors import CONTRADICTIONS
from core.kernel.money import Money
from core.people.alarms import PAGE_SIZE, Alarm, StandingAlarms, State, Trouble
from core.people.factors import AlarmFactor
from core.people.lookalikes import AlarmLookalike, LookalikeWarning, StaffRenamed
from core.people.ops import Deed, DeedNotice, What
from core.people.parked import AlarmParked, ParkedMessage
from core.reports.instance import AlarmClock
from core.reports.ticks import AlarmJob
from core.reports.verify import AlarmBooks
from core.supply.channels import AlarmChannel
from core.supply.market import AlarmMarket, Unread
from core.trade.callbacks import AlarmCallback, AlarmRefused
from core.trade.notifications import AlarmExhausted
from core.trade.orders import (
    AlarmContradiction,
    AlarmDiscrepancy,
    AlarmShortfall,
    OddPayment,
    Sighting,
)
from core.trade.refunds import AlarmRefund
from handlers.alarms.screens import (
    AlarmLogs,
    AlarmsNotice,
    AlarmUnreadable,
    AlarmUpdate,
    AlarmWebhook,
    OneAlarm,
    ParkedMessages,
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


PAYMENT: Final = OddPayment(
    "P1", "S01", HOSTILE, asked_minor=10_000, seen_minor=100, currency="CNY"
)
REFUND: Final = AlarmRefund(
    merchant_id=ID,
    refund_id=ID,
    why="manual",
    order_no="P1",
    refund_no="R1",
    sent_no="R2",
    supplier_no="S01",
    minor=5_000,
    currency="CNY",
    said="",
)
LOW: Final = CreditLow("M1001", HOSTILE, "CNY", Standing(10_000, 1_000, 10_000))
TROUBLES: Final[tuple[Trouble, ...]] = (
    AlarmChannel("C01", HOSTILE, "S01", 1, tried=False, said=HOSTILE),
    AlarmChannel("C01", HOSTILE, "S01", 60, tried=True, said=HOSTILE),
    AlarmCredit(LOW),
    AlarmCredit(replace(LOW, standing=Standing(10_000, 10_001, 10_000))),
    AlarmDiscrepancy(ID, "M1001", HOSTILE, 1, (Money(9_900, "CNY"),)),
    AlarmDiscrepancy(ID, "M1001", HOSTILE, 12, (Money(9_900, "CNY"), Money(100, "USD"))),
    AlarmShortfall(9_900, PAYMENT),
    AlarmExhausted("P1", f"https://x/{HOSTILE}", tries=1),
    AlarmExhausted("P1", f"https://x/{HOSTILE}", tries=13),
    REFUND,
    replace(REFUND, why="in_doubt", said=HOSTILE),
    replace(REFUND, why="not_found", said=HOSTILE),
    replace(REFUND, why="silent", said=HOSTILE),
    replace(REFUND, why="late", said=HOSTILE),
    replace(REFUND, why="late_disputed"),
    replace(REFUND, why="contradicts", said=HOSTILE),
    AlarmUpdate(HOSTILE, update_id=1, tries=1, fault=HOSTILE),
    AlarmUpdate(HOSTILE, update_id=1, tries=5, fault=HOSTILE),
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
    AlarmLookalike(10**12, HOSTILE, "", HOSTILE, -1, HOSTILE),
    AlarmLookalike(10**12, HOSTILE, "x" * 32, HOSTILE, -1, HOSTILE),
    AlarmUnreadable("message", HOSTILE, update_id=1, fault=HOSTILE),
    AlarmLogs(HOSTILE, lines=1),
    AlarmLogs(HOSTILE, lines=9_000),
    AlarmClock(HOSTILE, ahead_s=600.0),
    AlarmClock(HOSTILE, ahead_s=-42.3),
)


def standing(trouble: Trouble, state: State = "standing", *, taken: bool = False) -> Alarm:
    """Its alarm, as it is kept."""
    return Alarm(
        id=ID,
        kind=trouble.kind(),
        subject="S01",
        state=state,
        facts=values_of(trouble),
        ends_itself=trouble.ends_by_itself,
        count=2,
        first_at=AT,
        last_at=AT,
        ended_at=None if state == "standing" else AT,
        taken_by=10**12 if taken else None,
        taken_by_name=HOSTILE if taken else "",
        taken_at=AT if taken else None,
        ended_by_name="" if state == "standing" else HOSTILE,
    )


STATES: Final[tuple[tuple[State, bool], ...]] = (
    ("standing", False),
    ("standing", True),
    ("over", True),
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
        UpdateParked(records, pressed, unread)
        for records in ((), ("M1-1", "M1-2"))
        for pressed, unread in ((True, False), (False, False), (False, True))
    ),
    StaffRenamed(10**12, HOSTILE, HOSTILE),
    LookalikeWarning(HOSTILE),
    ParkedMessages(ID, HOSTILE, "Asia/Shanghai", ()),
    ParkedMessages(ID, HOSTILE, "Asia/Shanghai", PARKED * 10),
    *(
        Sightings("S01", HOSTILE, "Asia/Shanghai", _sightings(kind) * count, together)
        for kind in CONTRADICTIONS
        for together, count in ((None, 0), (None, 6), (Money(10_000, "CNY"), 1))
    ),
    *(
        OneAlarm(standing(trouble, state, taken=taken), "Asia/Shanghai")
        for trouble in TROUBLES
        for state, taken in STATES
    ),
    AlarmsNotice(StandingAlarms(1, 1, 1, 0, ()), "UTC"),
    *(
        AlarmsNotice(
            StandingAlarms(
                page, 3, page * PAGE_SIZE - 7, 24, (standing(trouble, taken=taken),) * PAGE_SIZE
            ),
            "Asia/Shanghai",
        )
        for trouble in TROUBLES
        for page, taken in ((1, False), (2, True), (3, True))
    ),
)
