"""Groups as they are shown."""

from __future__ import annotations

from typing import Final, get_args

from core.delivery.outbox import Notice, TopicUse
from core.people.groups import Holder, Segment, TopicLost
from handlers.groups.cards import (
    GroupDeed,
    GroupLine,
    GroupNotice,
    GroupQuestion,
    GroupSegments,
    GroupsNotice,
)
from handlers.groups.screens import (
    Bound,
    BoundElsewhere,
    Checklist,
    GroupBound,
    GroupSettingSet,
    HolderChoice,
    Info,
    LanguageSet,
    UnbindDropped,
    UnbindQuestionNotice,
    Unbound,
)
from handlers.groups.words import Deed, Language, Setting
from tests.handlers.written import AT, HOSTILE, ID, MANY

ONE: Final = (Holder("M1001", HOSTILE),)
FULL: Final = tuple(Holder(f"M{n}", HOSTILE) for n in range(MANY))
NUMBERS: Final = tuple(one.no for one in FULL)

ZONE: Final = "Asia/Shanghai"
LONG_NO: Final = 999_999_999
LINES: Final = (
    GroupLine(3, "云杉", "merchant", "supergroup", ONE, ("重点",), 17, True, "well", 0),
    GroupLine(4, HOSTILE, "unbound", "group", (), (), None, False, "parked", 1),
    GroupLine(5, "", "unbound", "channel", (), (HOSTILE,), 2, False, "mute", 0),
    GroupLine(6, "x", "ops", "group", (), (), 2, False, "gone", 2),
)
LONG: Final = GroupLine(
    LONG_NO, HOSTILE, "merchant", "supergroup", FULL, (HOSTILE,) * 10, 200_000, True, "parked",
    99_999,
)  # fmt: skip


def group(line: GroupLine, **known: bool) -> GroupNotice:
    """A card. known: whether all there may be is known."""
    at = AT if known.get("all") else None
    return GroupNotice(
        line, -1002000000101, "zh", HOSTILE, ZONE, own_zone=bool(at),
        quiet="23:00-08:00" if at else "", topics=get_args(TopicUse) if at else (),
        bot_status="administrator" if at else "member", may_post=line.health != "mute",
        added_by=HOSTILE if at else "", sent_at=at, heard_at=at, clocks=ZONE,
    )  # fmt: skip


SETTINGS: Final[tuple[tuple[Setting, str], ...]] = (
    ("label", "下发"), ("zone", ZONE), ("zone", ""), ("quiet", "23:00-08:00"), ("quiet", ""),
    ("segment", "重点"), *(("topic", use) for use in get_args(TopicUse)),
)  # fmt: skip
EXAMPLES: Final[tuple[Notice, ...]] = (
    *(
        Bound(kind, "M1", HOSTILE, new, HOSTILE)
        for kind in ("merchant", "supplier", "ops")
        for new in (True, False)
    ),
    BoundElsewhere("M1", HOSTILE, HOSTILE, HOSTILE),
    BoundElsewhere("M1", HOSTILE, HOSTILE, HOSTILE, link_by=HOSTILE),
    GroupBound(3, HOSTILE, "M1", HOSTILE),
    HolderChoice(3, HOSTILE, "merchant", ONE, 1, 1),
    HolderChoice(3, HOSTILE, "supplier", FULL[:8], 2, 3),
    HolderChoice(3, HOSTILE, "supplier", (), 1, 1),
    Checklist("merchant", ONE, admin=True, pins=True, reads_all=False),
    Checklist("unbound", (), admin=True, pins=True, reads_all=False),
    Info("merchant", HOSTILE, "zh", HOSTILE, ONE, -100),
    Info("ops", HOSTILE, "en", HOSTILE, (), -100),
    *(LanguageSet(language) for language in get_args(Language)),
    *(
        GroupSettingSet(what, value, member, HOSTILE)
        for what, value in SETTINGS
        for member in (True, False)
    ),
    *(TopicLost(use) for use in get_args(TopicUse)),
    GroupsNotice("", 1, 1, 0, (), ()),
    GroupsNotice("M1", 2, 3, 20, LINES, (Segment("重点", 2), Segment(HOSTILE, 1))),
    *(group(line, all=every) for line in LINES for every in (True, False)),
    GroupSegments(3, HOSTILE, ("重点",), ("重点", HOSTILE)),
    GroupSegments(3, "x", (), ()),
    *(
        GroupDeed(3, HOSTILE, deed, holders)
        for deed in get_args(Deed)
        for holders in ((), ONE, FULL[:2])
    ),
    *(GroupQuestion(3, HOSTILE, step=what, dialogue_id=ID.hex) for what in get_args(Setting)),
    UnbindDropped(ONE),
    *(
        UnbindQuestionNotice(ID, ONE, numbers, 5)
        for numbers in ((), ("M1001",), ("M1001", "M1002", "M1003", "M1004"))
    ),
    Unbound(ONE, (), "x"),
    Unbound(ONE, ONE, "x"),
)
LARGEST: Final[tuple[Notice, ...]] = (
    *(Checklist(kind, FULL, True, True, False) for kind in ("merchant", "ops")),
    *(Info(kind, HOSTILE, "zh", HOSTILE, FULL, -100) for kind in ("merchant", "ops")),
    UnbindQuestionNotice(ID, FULL, NUMBERS, 5),
    GroupsNotice("群" * 13, 2, 1000, 99_999, (LONG,) * 8, (Segment(HOSTILE, 99_999),) * MANY),
    group(LONG, all=True),
    GroupDeed(LONG_NO, HOSTILE, "leave", FULL),
    GroupSegments(LONG_NO, HOSTILE, (), (HOSTILE,) * MANY),
)
