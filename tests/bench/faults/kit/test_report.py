"""The table of what was measured, for people and for programs."""

from __future__ import annotations

import json

from bench.faults.kit import Row, as_json, as_table

ROWS = (
    Row("log: disk full", "20 creates", "20 × 201", "20 of 20 are 201", ok=True),
    Row(
        "kills",
        "kill -9",
        "an order after 31.0 s, which is a long time for all",
        "≤ 10 s",
        ok=False,
    ),
    Row("clocks", "one of two", "not planted here: no library", "0 doubled", ok=None),
)


def test_a_table_shows_every_row_and_whether_its_bar_is_met() -> None:
    lines = as_table(ROWS).splitlines()
    assert max(map(len, lines)) < 150
    verdicts = [line.split()[-1] for line in lines if line.startswith(("log", "kills", "clocks"))]
    assert verdicts == ["ok", "MISSED", "—"]
    assert "an order after 31.0 s, which is a long" in as_table(ROWS)


def test_what_programs_read_has_the_same() -> None:
    found = json.loads(as_json(ROWS))
    assert [Row(**row) for row in found] == list(ROWS)
