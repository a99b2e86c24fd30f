"""A second factor is enrolled in private; what is secret is shown once and kept nowhere."""

from __future__ import annotations

import pytest
from aiogram.methods import SendPhoto

from core.delivery.outbox import TakeAway
from core.people.factors import code_at
from handlers.factors.buttons import Enrol
from tests.handlers.dialogue import code, employed, says, taken_away
from tests.handlers.support import OPS, SHOWN_FROM, SUQING, Desk

PASSWORD = "/no-such-word is a fine one"


async def secret_of(desk: Desk, user_id: int) -> str:
    """Begin with an app; the secret that was shown."""
    await desk.press(user_id, user_id, Enrol("totp").data())
    shown = desk.line.shown[-1]
    assert isinstance(shown, SendPhoto)
    assert shown.caption is not None
    return shown.caption.partition("<code>")[2].partition("</code>")[0]


async def test_an_app_is_enrolled_by_its_picture_and_first_code(desk: Desk) -> None:
    clock = desk.runtime.system.clock
    user_id = await employed(desk, "operator")
    (say,) = says(await desk.say(user_id, user_id, "/factor"))
    assert (say.facts["totp"], say.facts["password"]) == (False, False)
    secret = await secret_of(desk, user_id)
    told = await desk.news()
    assert len(secret) == 32
    later = await desk.runtime.system.store.fetchrow(
        "SELECT facts, due_at - created_at AS after FROM outbox WHERE topic = 'take_away'"
    )
    assert later is not None
    assert later["facts"]["message_id"] == SHOWN_FROM + 1
    assert 55 < later["after"].total_seconds() <= 60
    told = await desk.say(
        user_id, user_id, "000000" if code_at(secret, clock.now()) != "000000" else "000001"
    )
    assert [code(one) for one in says(told)] == ["factor_wrong"]
    assert taken_away(told) == [desk.message_id]
    told = await desk.say(user_id, user_id, code_at(secret, clock.now()))
    assert [one.screen for one in says(told)] == ["factor_added", "factor_enrolled"]
    assert taken_away(told) == [desk.message_id]
    (say,) = says(await desk.say(user_id, user_id, "二次验证"))
    assert (say.facts["totp"], say.facts["password"]) == (True, False)
    await desk.press(user_id, user_id, Enrol("totp").data())
    assert desk.line.answers[-1].show_alert
    for row in await desk.runtime.system.store.fetch("SELECT facts::text AS said FROM outbox"):
        assert secret not in row["said"]


async def test_a_password_may_be_any_text(desk: Desk) -> None:
    user_id = await employed(desk, "finance")
    await desk.press(user_id, user_id, Enrol("password").data())
    told = await desk.say(user_id, user_id, "short")
    assert [code(one) for one in says(told)] == ["password_weak"]
    told = await desk.say(user_id, user_id, PASSWORD)
    assert [one.screen for one in says(told)] == ["factor_added", "factor_enrolled"]
    assert taken_away(told) == [desk.message_id]
    for row in await desk.runtime.system.store.fetch("SELECT facts::text AS said FROM outbox"):
        assert PASSWORD not in row["said"]


async def test_a_second_one_is_proven_with_the_first(desk: Desk) -> None:
    user_id = await employed(desk, "operator")
    await desk.press(user_id, user_id, Enrol("password").data())
    told = await desk.say(user_id, user_id, PASSWORD)
    assert [one.screen for one in says(told)] == ["factor_added", "factor_enrolled"]
    secret = await secret_of(desk, user_id)
    told = await desk.say(user_id, user_id, code_at(secret, desk.runtime.system.clock.now()))
    (asks,) = says(told)
    assert (asks.screen, asks.facts["kind"]) == ("prove_question", "enrol")
    counts = [bool(one.enrolled_at) for one in await desk.runtime.people.factors.of(user_id)]
    assert counts == [False, True]
    told = await desk.say(user_id, user_id, PASSWORD)
    assert taken_away(told) == [desk.message_id]
    assert "proven" in [one.screen for one in says(told)]
    assert all(one.enrolled_at for one in await desk.runtime.people.factors.of(user_id))
    for row in await desk.runtime.system.store.fetch("SELECT facts::text AS said FROM outbox"):
        assert PASSWORD not in row["said"]


@pytest.mark.parametrize("kind", ["totp", "password"])
async def test_it_is_enrolled_in_private_by_staff_alone(desk: Desk, kind: str) -> None:
    user_id = await employed(desk, "operator")
    button = Enrol("totp") if kind == "totp" else Enrol("password")
    await desk.press(user_id, OPS, button.data())
    assert desk.line.answers[-1].show_alert
    await desk.press(SUQING, SUQING, button.data())
    assert desk.line.shown == []
    assert await desk.runtime.people.factors.of(user_id) == []
    assert not [one for one in await desk.news() if isinstance(one, TakeAway)]
