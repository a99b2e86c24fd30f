from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.people.people import RIGHTS
from handlers.bills.words import SetDayCut
from handlers.calculator.words import Calculate
from handlers.checklist.words import Start
from handlers.commands import COMMANDS, parse
from handlers.desk.words import Help
from handlers.groups.words import BindOps, SetLanguage
from handlers.kit.intents import Changing, Reading
from handlers.money.words import Adjust, Advances, AdvancesFault
from handlers.orders.words import Complete
from handlers.people.words import Apply
from tests.handlers.support import kinds
from texts.amounts import fold


def test_whatever_may_be_meant_takes_a_right_or_is_for_everybody() -> None:
    meant = {*kinds(Reading), *kinds(Changing), AdvancesFault}
    assert set(COMMANDS.rights) == meant - {Help, Start, Apply, Calculate}
    assert set(COMMANDS.rights.values()) <= set(RIGHTS)
    for kind in (Advances, Adjust, SetDayCut, Complete, BindOps, SetLanguage):
        assert issubclass(kind, Changing)


@pytest.mark.parametrize("command", sorted(COMMANDS.by_name))
def test_a_slash_form_always_means_something(command: str) -> None:
    assert parse(f"/{command}") is not None
    assert parse(f"/{command} ?? %%") is not None


@given(st.text(max_size=400))
def test_no_text_raises(text: str) -> None:
    parse(text)
    parse("/" + text)
    parse("+" + text)


_TALK = st.text(st.characters(codec="utf-8", exclude_characters="+-＋－−﹢﹣/／"), max_size=200)


@given(_TALK)
def test_nothing_without_a_sign_moves_money(text: str) -> None:
    assert not isinstance(parse(text), Advances)


@given(st.from_regex(r"[+-]?[^0-9０-９+\-\n\r/／]{1,3}[^\n\r]{0,20}", fullmatch=True))
def test_a_line_that_does_not_begin_with_an_amount_moves_none(text: str) -> None:
    stripped = fold(text).replace("\x00", "").lstrip()
    if len(stripped) > 1 and stripped[0] in "+-" and stripped[1] in "0123456789":
        return
    assert not isinstance(parse(text), Advances)


@given(
    st.decimals(min_value="10", max_value="9999999999", places=2),
    st.sampled_from(["+", "-", "＋", "－"]),
    st.booleans(),
)
def test_what_is_read_is_what_was_written(amount: Decimal, sign: str, grouped: bool) -> None:
    found = parse(f"{sign}{amount:,}" if grouped else f"{sign}{amount}")
    assert isinstance(found, Advances)
    assert abs(found.lines[0].amount.units) == amount
    assert (found.lines[0].amount.units < 0) == (sign in "-－")
