from __future__ import annotations

import json
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any, Literal
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.kernel.codec import pack, unpack
from core.kernel.money import Money


@dataclass(frozen=True, slots=True)
class Line:
    no: int
    amount: Money
    rate: Decimal | None


@dataclass(frozen=True, slots=True)
class Facts:
    id: UUID
    holder_id: UUID | None
    what: Literal["book", "undo"]
    on: bool
    day: date
    at: datetime
    lines: tuple[Line, ...]
    names: tuple[str, ...]
    words: dict[str, str]


ID = UUID(int=7)
LINE = Line(1, Money(-250, "CNY"), Decimal("7.20"))
FACTS = Facts(
    ID, None, "book", True, date(2026, 11, 29), datetime(2026, 11, 29, 1, 2, tzinfo=UTC),
    (LINE, replace(LINE, rate=None)), ("a", "b"), {"by": "Wang"},
)  # fmt: skip


def test_every_kind_of_field_comes_back_from_json() -> None:
    packed = json.loads(json.dumps(pack(FACTS)))
    assert unpack(Facts, packed) == FACTS
    assert (packed["id"], packed["holder_id"], packed["day"]) == (str(ID), None, "2026-11-29")
    amount = {"minor": -250, "currency": "CNY"}
    assert packed["lines"][0] == {"no": 1, "amount": amount, "rate": "7.20"}


@given(st.builds(Facts, at=st.datetimes(timezones=st.just(UTC)), lines=st.just((LINE,))))
def test_whatever_it_holds(facts: Facts) -> None:
    assert unpack(Facts, json.loads(json.dumps(pack(facts)))) == facts


@pytest.mark.parametrize(
    "change",
    [
        {"what": "drop"},
        {"on": None},
        {"names": "ab"},
        {"names": [1]},
        {"id": "7"},
        {"day": "yesterday"},
        {"lines": [{"no": 1}]},
        {"words": []},
    ],
)
def test_a_value_that_is_none_of_its_kind_is_refused(change: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=next(iter(change))):
        unpack(Facts, pack(FACTS) | change)


def test_a_value_that_is_missing_is_refused() -> None:
    packed = pack(FACTS)
    del packed["names"]
    with pytest.raises(ValueError, match="names"):
        unpack(Facts, packed)


def test_what_another_version_kept_besides_is_left_out() -> None:
    assert unpack(Facts, pack(FACTS) | {"more": 1}) == FACTS
