"""Groups as they are shown."""

from __future__ import annotations

from typing import Final, get_args

from core.delivery.outbox import Notice
from handlers.groups.screens import (
    Bound,
    BoundElsewhere,
    Checklist,
    Holder,
    Info,
    LanguageSet,
    UnbindDropped,
    UnbindQuestionNotice,
    Unbound,
)
from handlers.groups.words import Language
from tests.handlers.written import HOSTILE, ID, MANY

ONE: Final = (Holder("M1001", HOSTILE),)
FULL: Final = tuple(Holder(f"M{n}", HOSTILE) for n in range(MANY))
NUMBERS: Final = tuple(one.no for one in FULL)

EXAMPLES: Final[tuple[Notice, ...]] = (
    *(
        Bound(kind, "M1", HOSTILE, new, HOSTILE)
        for kind in ("merchant", "supplier", "ops")
        for new in (True, False)
    ),
    BoundElsewhere("M1", HOSTILE, HOSTILE, HOSTILE),
    Checklist("merchant", ONE, admin=True, pins=True, reads_all=False),
    Checklist("unbound", (), admin=True, pins=True, reads_all=False),
    Info("merchant", HOSTILE, "zh", HOSTILE, ONE, -100),
    Info("ops", HOSTILE, "en", HOSTILE, (), -100),
    *(LanguageSet(language) for language in get_args(Language)),
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
)
