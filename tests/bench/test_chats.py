"""The bench of chats in small: every line is acted on, and its group is answered."""

from __future__ import annotations

from bench.chats import chats
from bench.place import Measures
from tests.bench.conftest import TINY


async def test_every_line_is_acted_on(m: Measures) -> None:
    figures = await chats(m)
    assert [figure.failed for figure in figures] == [0, 0, 0]
    assert all(figure.desk > 0 for figure in figures)
    done = await m.database.fetch(
        "SELECT state, count(*) AS lines FROM telegram_update GROUP BY state"
    )
    assert {row["state"]: row["lines"] for row in done} == {"done": 3 * TINY.items}
    topics = await m.database.fetch("SELECT DISTINCT topic FROM outbox")
    assert {"say", "bill"} <= {row["topic"] for row in topics}
