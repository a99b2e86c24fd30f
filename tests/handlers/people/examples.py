"""What is said of people, as widely as it can be."""

from __future__ import annotations

from datetime import timedelta
from typing import Final

from core.delivery.outbox import Notice
from core.people.appointments import Appointed, AppointmentEnded, AppointQuestion, Employer
from core.people.people import RIGHTS, STAFF_ROLES, Change, Standing
from core.people.staff import Hired, HireQuestion, OpenLink, StaffChanged, TurnedAway
from handlers.people.screens import (
    HireRoles,
    HireWaits,
    JoinWaits,
    MemberLine,
    MembersNotice,
    PeopleNotice,
    PersonChoice,
    PersonLine,
    PersonNotice,
)
from tests.handlers.written import AT, HOSTILE, ID, MANY

USER: Final = 2**52 - 1
EVERY: Final = tuple(RIGHTS)
SEEN: Final = "0" * 8
LINE: Final = PersonLine(USER, HOSTILE, "operator", ("refund",), ("complete",), True)
LATER: Final = AT + timedelta(hours=1)
LINK: Final = OpenLink(ID, "operator", HOSTILE, AT)
MEMBER: Final = MemberLine(USER, HOSTILE, "merchant_staff", "M1001", AT)
CHANGES: Final = (
    *(Change("role", role) for role in STAFF_ROLES),
    Change("allow", "approve_document"), Change("deny", "approve_document"), Change("leave"),
)  # fmt: skip

EXAMPLES: Final[tuple[Notice, ...]] = (
    *(StaffChanged(USER, HOSTILE, change, "support", HOSTILE, HOSTILE) for change in CHANGES),
    StaffChanged(USER, HOSTILE, Change("role", "owner"), "", HOSTILE, ""),
    Hired("operator"),
    TurnedAway(),
    JoinWaits("finance", 60),
    Appointed(USER, HOSTILE, "merchant_staff", "M1001", HOSTILE),
    AppointmentEnded(USER, HOSTILE, HOSTILE),
    PeopleNotice(1, 1, 1, (LINE,), (), "UTC"),
    PeopleNotice(2, 3, 24, (LINE,) * 8, (LINK,) * 2, "Asia/Shanghai"),
    PersonNotice(USER, HOSTILE, "operator", ("refund",), ("complete",), False, AT, "UTC"),
    PersonNotice(USER, HOSTILE, "", (), (), False, None, "UTC"),
    *(
        PersonChoice(USER, HOSTILE, what, tuple(one for one in CHANGES if one.what == what), SEEN)
        for what in ("role", "allow", "deny", "leave")
    ),
    HireWaits(HOSTILE, 60, LATER, None, True, "UTC"),
    HireWaits(HOSTILE, 60, LATER, AT, False, "Asia/Shanghai"),
    HireWaits(HOSTILE, 60, AT, LATER, True, "Asia/Shanghai"),
    HireRoles(),
    MembersNotice((), "UTC"),
    MembersNotice((MEMBER,), "UTC"),
)
LARGEST: Final[tuple[Notice, ...]] = (
    PeopleNotice(
        2,
        3,
        24,
        (PersonLine(USER, HOSTILE, "owner", EVERY[:16], EVERY[16:], True),) * 8,
        (LINK,) * 8,
        "Asia/Shanghai",
    ),
    PersonNotice(USER, HOSTILE, "owner", EVERY[:16], EVERY[16:], True, AT, "UTC"),
    PersonChoice(USER, HOSTILE, "allow", tuple(Change("allow", one) for one in EVERY), SEEN),
    MembersNotice((MEMBER,) * MANY, "Asia/Shanghai"),
)
ASKED: Final = (
    HireQuestion(USER, HOSTILE, Change("role", "finance"), Standing(), True),
    HireQuestion(USER, HOSTILE, Change("allow", "refund"), Standing("support"), False),
    AppointQuestion(USER, HOSTILE, "merchant_staff", Employer(ID, "M1001", HOSTILE), HOSTILE),
)
