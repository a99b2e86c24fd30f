"""What people write, and what the parser makes of it: the tables beside this file.

They are read by whoever wants to know what the desk hears. A row is what somebody typed and what it
comes to, as `meaning` writes it.
"""

from __future__ import annotations

import pytest

from tests.handlers.support import OPERATOR, SPRUCE, Desk
from tests.handlers.utterances.booked import BOOKED
from tests.handlers.utterances.desk_said import DESK
from tests.handlers.utterances.figures_said import FIGURES
from tests.handlers.utterances.hints import HINTS
from tests.handlers.utterances.meaning import meaning
from tests.handlers.utterances.numbers import NUMBERS
from tests.handlers.utterances.orders_said import ORDERS
from tests.handlers.utterances.pages import PAGES
from tests.handlers.utterances.talk import TALK
from tests.handlers.utterances.unbooked import UNBOOKED

LEAST = 1200
TABLES = {
    "booked": BOOKED, "unbooked": UNBOOKED, "numbers": NUMBERS, "orders": ORDERS,
    "figures": FIGURES, "desk": DESK, "hints": HINTS, "pages": PAGES,
    "talk": tuple((text, "talk") for text in TALK),
}  # fmt: skip


@pytest.mark.parametrize("table", TABLES)
def test_what_is_said_comes_to_what_it_means(table: str) -> None:
    faults = [
        (text, means, found) for text, means in TABLES[table] if (found := meaning(text)) != means
    ]
    assert not faults


def test_the_tables_are_long_and_say_nothing_twice() -> None:
    said = [text for table in TABLES.values() for text, _ in table]
    assert len(said) > LEAST
    assert len(said) == len(set(said))


async def test_chat_is_ignored_by_a_desk(desk: Desk) -> None:
    desk.same_minute = True
    answered = [text for text in TALK if text.strip() and await desk.say(OPERATOR, SPRUCE, text)]
    assert answered == []
