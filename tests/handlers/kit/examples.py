"""Why not, as it is shown."""

from __future__ import annotations

from typing import Final

from core.delivery.outbox import Notice, values_of
from core.people.refusals import RefusalsNotice, ToldRefusal
from handlers.kit.forms import OnInPrivate
from handlers.kit.refusals import OnlyInGroups, RefusalNotice, Repeated, StaleMoney
from handlers.money.screens import MoneyUnreadable
from tests.handlers.written import HOSTILE


def told(notice: Notice, quote: str) -> ToldRefusal:
    """A refusal among others."""
    return ToldRefusal(notice.screen, values_of(notice), quote)


NOT_FOUND: Final = RefusalNotice("order_not_found", {"number": HOSTILE}, 2)
UNREADABLE: Final = MoneyUnreadable(2, HOSTILE, "amount", payin=False)

EXAMPLES: Final[tuple[Notice, ...]] = (
    RefusalNotice("order_not_found", {"number": HOSTILE}),
    NOT_FOUND,
    *(
        RefusalsNotice(
            (told(NOT_FOUND, HOSTILE), told(UNREADABLE, ""), told(StaleMoney(), "&" * 60)) * count
        )
        for count in (1, 10)
    ),
    OnInPrivate(),
    OnlyInGroups(),
    Repeated(),
    StaleMoney(),
)
LARGEST: Final[tuple[Notice, ...]] = (
    RefusalNotice("merchant_ambiguous", {"merchants": ", ".join(f"M{n}" for n in range(5000))}, 20),
    *(RefusalsNotice((told(UNREADABLE, quote),) * 30) for quote in ("&" * 60, "😀" * 60)),
)
