"""What suppliers' words mean for a refund, whatever they say and in whatever order."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.kernel.errors import Bug
from core.kernel.money import Money
from core.trade.orders import NOT_FOUND_APART
from core.trade.refunds import Refund
from core.trade.refunds.answers import (
    ASKED_ACCEPTED,
    ASKED_IN_DOUBT,
    DOUBT_TOLD_AFTER,
    LONGEST_GAP,
    MAX_SENDS,
    Heard,
    Offers,
    after_asking,
    after_sending,
)
from core.trade.refunds.lifecycle import NEXT, after

NOW = datetime(2026, 3, 4, 5, 6, 7, tzinfo=UTC)
STATES = {state for state, _ in NEXT} | set(NEXT.values())
ENDED = {"succeeded", "failed"}
REFUND = Refund(
    merchant_id=UUID(int=1), id=UUID(int=2), order_id=UUID(int=3), order_no="P", attempt_no="A",
    refund_no="R1", sent_no="R", amount=Money(500, "CNY"), fee_returned=True, fee_back_minor=6,
    state="sent", actor="api", at=NOW, sends=1,
)  # fmt: skip
EVERY = Offers(refund=True, query=True, again=True)
ONCE = Offers(refund=True, query=True, again=False)
BLIND = Offers(refund=True, query=False, again=False)
offers = st.builds(Offers, refund=st.just(True), query=st.booleans(), again=st.booleans())
heard = st.builds(
    Heard, st.sampled_from(["succeeded", "pending", "failed", "not_found", "unknown", "never_sent"])
)
refunds = st.builds(
    lambda **changes: replace(REFUND, **changes),
    state=st.sampled_from(["sent", "accepted", "unknown"]),
    sends=st.integers(1, MAX_SENDS),
    sent_again=st.booleans(),
    asked=st.integers(0, ASKED_ACCEPTED),
    not_found_at=st.none() | st.integers(0, 200).map(lambda s: NOW - timedelta(seconds=s)),
)


def test_every_state_is_reached_and_only_the_ends_are_ends() -> None:
    known = {"created"}
    for _ in STATES:
        known |= {to for (state, _), to in NEXT.items() if state in known}
    assert known == STATES
    assert {state for state, _ in NEXT} == STATES - {"succeeded"}
    # The supplier's word about money wins, and is all that leads on from an end.
    assert [move for state, move in NEXT if state in ENDED] == ["settle_late"]
    for state in STATES - ENDED:
        assert (after(state, "settle"), after(state, "release")) == ("succeeded", "failed")
    for state, move in (("succeeded", "release"), ("failed", "send"), ("accepted", "send")):
        with pytest.raises(Bug):
            after(state, move)


@given(refunds, heard, offers)
def test_every_step_is_legal_and_leads_on(refund: Refund, word: Heard, can: Offers) -> None:
    """Whoever is not asked about again has ended, or staff know of it."""
    steps = [after_sending(refund, word, can)]
    if refund.state != "sent":
        steps.append(after_asking(refund, word, can, NOW))
    for step in steps:
        state = after(refund.state, step.move) if step.move else refund.state
        if step.ask_in is None:
            assert state in {*ENDED, "sent"} or step.tell
        else:
            assert state not in ENDED
            assert timedelta(0) < step.ask_in <= LONGEST_GAP
        if state == "succeeded":
            assert word.state == "succeeded"


@given(refunds, heard, offers)
def test_what_is_held_is_released_on_a_clear_word_alone(
    refund: Refund, word: Heard, can: Offers
) -> None:
    released = after_sending(refund, word, can).move == "release"
    proof = word.state == "failed" or (word.state == "never_sent" and refund.sends == MAX_SENDS)
    assert not released or (proof and not refund.sent_again)
    if refund.state != "sent":
        assert (after_asking(refund, word, can, NOW).move == "release") == (word.state == "failed")


@given(refunds, heard, offers)
def test_one_in_doubt_is_sent_again_only_where_that_gives_back_once(
    refund: Refund, word: Heard, can: Offers
) -> None:
    if refund.state != "sent" and after_asking(refund, word, can, NOW).move == "send":
        assert (word.state, refund.state, can.again) == ("not_found", "unknown", True)
        assert refund.sends < MAX_SENDS
        assert refund.not_found_at is not None
        assert NOW - refund.not_found_at >= NOT_FOUND_APART
    assert after_sending(refund, word, can).move != "send"


def test_gaps_grow_and_asking_ends() -> None:
    for state, limit in (("unknown", ASKED_IN_DOUBT), ("accepted", ASKED_ACCEPTED)):
        refund, gaps, told = replace(REFUND, state=state), [], []
        for _ in range(limit):
            step = after_asking(refund, Heard("unknown"), ONCE, NOW)
            refund = replace(refund, asked=step.asked)
            gaps.append(step.ask_in)
            told.append(step.tell)
        known = [gap for gap in gaps if gap is not None]
        assert known == sorted(known)
        assert gaps.index(None) == limit - 1
        assert told[-1] == "silent"
        first = DOUBT_TOLD_AFTER if state == "unknown" else limit
        assert [bool(tell) for tell in told].index(True) == first - 1


def test_a_call_that_was_never_sent_is_made_again_for_a_while() -> None:
    for sends in range(1, MAX_SENDS):
        step = after_sending(replace(REFUND, sends=sends), Heard("never_sent"), BLIND)
        assert step.move == "return"
    step = after_sending(replace(REFUND, sends=MAX_SENDS), Heard("never_sent"), BLIND)
    assert step.move == "release"
    again = replace(REFUND, sends=MAX_SENDS, sent_again=True)
    assert after_sending(again, Heard("never_sent"), EVERY).move == "lose"
    assert after_sending(REFUND, Heard("unknown"), BLIND).tell == "in_doubt"
