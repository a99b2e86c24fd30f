"""The engine's benchmark in short: it runs, and nothing takes ten times what it may."""

from __future__ import annotations

import pytest

from bench.engine import BAR_US, CODES, LIBRARY, measure, turn
from core.connectors import load


@pytest.mark.parametrize("code", CODES)
def test_a_turn_is_read_as_accepted_and_takes_no_age(code: str) -> None:
    once = turn(load((LIBRARY / f"{code}.yaml").read_text(encoding="utf-8")))
    assert 0 < measure(once, rounds=3, times=20) < 10 * BAR_US.get(code, 500.0)
