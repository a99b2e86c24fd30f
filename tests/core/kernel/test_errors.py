"""Refusals carry a stable code and a whole sentence."""

from __future__ import annotations

import re
from string import Formatter

import pytest

from core.kernel.errors import Refusal
from tests.codes import REFUSALS


@pytest.mark.parametrize("code", sorted(REFUSALS))
def test_a_refusal_reads_as_a_sentence(code: str) -> None:
    kind = REFUSALS[code]
    assert re.fullmatch(r"[a-z]+(_[a-z]+)*", code)
    names = {name for _, name, _, _ in Formatter().parse(kind.text) if name}
    facts = dict.fromkeys(names - {"param"}, "x")
    refusal = Refusal(code, param="amount", **facts)
    assert "{" not in refusal.message
    assert refusal.message[0].isupper() or refusal.message.startswith(("x", "Paydesk"))


def test_the_field_at_fault_is_a_fact() -> None:
    refusal = Refusal("field_missing", param="amount")
    assert refusal.message == "The field amount is required."
    assert str(refusal) == refusal.message
