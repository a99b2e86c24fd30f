"""Where an owner begins: the steps that open a desk, ticked by what is true."""

from __future__ import annotations

from dataclasses import fields, replace
from typing import get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.reports.checklist import OWNERS_WANTED, Facts, Name, steps
from handlers import build_dispatcher
from handlers.checklist.buttons import OpenStep, RefreshSteps
from handlers.checklist.words import TYPED, Start
from handlers.commands import COMMANDS, parse
from handlers.kit.intents import Mistake
from handlers.screens import render_say
from tests.handlers.dialogue import employed, says
from tests.handlers.support import ADMIN, OPS, OWNER, SPRUCE, SUQING, Desk

ORDER = (
    "ops_group", "colleagues", "factor", "product", "supplier", "channel", "merchant", "group",
    "test_order",
)  # fmt: skip


@pytest.fixture
def production(desk: Desk) -> Desk:
    """The same desk, as one in production."""
    runtime = replace(desk.runtime, system=replace(desk.runtime.system, demo=False))
    return replace(
        desk, runtime=runtime, dispatcher=build_dispatcher(runtime, desk.bot, desk.reactions)
    )


# ── purely ───────────────────────────────────────────────────────────────────────────────────────
@given(st.lists(st.integers(0, 5), min_size=9, max_size=9))
def test_a_step_is_done_by_what_there_is_of_it_alone(counts: list[int]) -> None:
    found = steps(Facts(*counts))
    assert tuple(one.name for one in found) == ORDER == get_args(Name)
    assert [one.count for one in found] == counts
    for one, count in zip(found, counts, strict=True):
        assert one.done == (count >= (OWNERS_WANTED if one.name == "colleagues" else 1))
    assert len(fields(Facts)) == len(ORDER)


def test_what_is_told_to_type_is_understood() -> None:
    assert set(TYPED) == set(ORDER)
    for typed in TYPED.values():
        assert typed
        for spoken, slash in typed:
            if slash.split()[0].removeprefix("/") not in COMMANDS.by_name:
                continue
            for text in (spoken, slash):
                intent = parse(text)
                assert intent is not None, text
                assert not isinstance(intent, Mistake), text


def test_begin_is_one_word() -> None:
    assert parse("/start") == parse("/start anything") == Start()


# ── in the chat ──────────────────────────────────────────────────────────────────────────────────
def done(facts: dict[str, object]) -> set[str]:
    lines = facts["steps"]
    assert isinstance(lines, list)
    return {one["name"] for one in lines if one["done"]}


async def test_an_owner_sees_what_is_true(production: Desk) -> None:
    desk = production
    store = desk.runtime.system.store
    (say,) = says(await desk.say(OWNER, OWNER, "/start"))
    assert say.screen == "desk_checklist"
    seeded = {"ops_group", "product", "supplier", "channel", "merchant", "group"}
    assert done(say.facts) >= seeded
    assert "factor" not in done(say.facts)
    actor = await desk.runtime.people.access.actor(OWNER, "x", OWNER, private=True)
    await desk.runtime.people.factors.set_password(actor, "correct horse battery")
    await desk.news()  # ops is told
    other = await employed(desk, "owner")
    (say,) = says(await desk.press(OWNER, OWNER, RefreshSteps().data()))
    assert say.edit_message_id is not None
    assert done(say.facts) >= {*seeded, "factor", "colleagues"}
    (say,) = says(await desk.press(other, other, RefreshSteps().data()))
    assert "factor" not in done(say.facts), "of whoever asks"
    await store.execute("UPDATE channel SET state = 'off'")
    await store.execute("UPDATE app SET state = 'withdrawn'")
    await store.execute("UPDATE person SET role = 'admin' WHERE user_id = $1", other)
    (say,) = says(await desk.press(OWNER, OWNER, RefreshSteps().data()))
    assert not done(say.facts) & {"channel", "merchant"}


async def test_a_booked_order_is_the_last_step(production: Desk) -> None:
    desk = production
    store = desk.runtime.system.store
    (say,) = says(await desk.say(OWNER, OWNER, "/start"))
    before = "test_order" in done(say.facts)
    booked = await store.fetchval(
        "SELECT EXISTS (SELECT FROM ledger_event WHERE kind IN ('order', 'completed'))"
    )
    assert before is booked


@pytest.mark.parametrize("step", ORDER)
async def test_each_step_says_how_it_is_done(production: Desk, step: Name) -> None:
    (say,) = says(await production.press(OWNER, OWNER, OpenStep(step).data()))
    assert (say.screen, say.facts["step"]) == ("step", step)
    for language in ("zh", "en"):
        assert render_say(say, language).html
    if step == "group":
        keyboard = render_say(say, "en").keyboard
        assert keyboard is not None
        assert keyboard.inline_keyboard[0][0].url == "https://t.me/paydesk_demo_bot?startgroup=desk"


async def test_others_and_demos_get_the_help(desk: Desk, production: Desk) -> None:
    for where, user_id, chat_id in (
        (desk, OWNER, OWNER), (production, ADMIN, ADMIN), (production, OWNER, OPS),
        (production, SUQING, SPRUCE),
    ):  # fmt: skip
        (say,) = says(await where.say(user_id, chat_id, "/start"))
        assert say.screen == "help"


async def test_a_button_shows_nothing_to_others(production: Desk) -> None:
    desk = production
    for user_id, chat_id in ((ADMIN, ADMIN), (OWNER, OPS), (SUQING, SPRUCE)):
        for button in (RefreshSteps(), OpenStep("factor")):
            assert says(await desk.press(user_id, chat_id, button.data())) == []
            assert desk.line.answers[-1].show_alert
