"""The desk's process ends in the middle of each thing that two messages do, and another goes on:
nothing is lost, nothing is done twice."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import timedelta
from uuid import UUID

import pytest

from core.delivery.outbox import ApprovalCard
from core.people.factors import PERIOD_S, code_at
from core.people.people import Standing
from core.runtime import Runtime
from core.trade.orders import Order
from handlers.approvals.buttons import AnswerApproval
from handlers.factors.buttons import Enrol
from handlers.merchants.buttons import OnApp, TakeKeys
from tests.handlers.approvals.test_approvals import ask_reset, enrol
from tests.handlers.dialogue import code, employed, enrolled, proves, restarted, says
from tests.handlers.factors.test_factors import secret_of
from tests.handlers.merchants.test_merchants import (
    FACTS,
    PASSWORD,
    apps_of,
    last,
    merchant_of,
    proving,
    shown_secrets,
)
from tests.handlers.orders.test_by_hand import asked, newest, set_to, state
from tests.handlers.people.test_joins import link
from tests.handlers.people.test_people import somebody, standing
from tests.handlers.support import ADMIN, OPERATOR, OPS, OWNER, SPRUCE, Desk, labelled

Again = Callable[[], Awaitable[None]]


@pytest.fixture
def again(desk: Desk, build_anew: Callable[[], Awaitable[Runtime]]) -> Again:
    """The process ends, and another begins."""

    async def begin() -> None:
        desk.runtime = await build_anew()
        restarted(desk)

    return begin


async def repeated(desk: Desk, user_id: int, text: str) -> list[str]:
    """The last message of somebody is delivered once more; what is said because of it."""
    told = await desk.say(user_id, user_id, text, message_id=desk.message_id)
    return [say.screen for say in says(told)]


async def deeds(desk: Desk, action: str) -> int:
    """How often the trail has it."""
    found: int = await desk.runtime.system.store.fetchval(
        "SELECT count(*) FROM audit WHERE action = $1", action
    )
    return found


async def test_enrolment(desk: Desk, again: Again) -> None:
    user_id = await employed(desk, "operator")
    secret = await secret_of(desk, user_id)
    await desk.news()
    await again()
    number = code_at(secret, desk.runtime.system.clock.now())
    told = await desk.say(user_id, user_id, number)
    assert last(told).screen == "factor_enrolled"
    await again()
    assert await repeated(desk, user_id, number) == []
    assert await desk.runtime.people.factors.enrolled(user_id)
    assert await deeds(desk, "enrol_factor") == 1
    # Whoever has one factor proves another one with it.
    await desk.press(user_id, user_id, Enrol("password").data())
    await again()
    assert last(await desk.say(user_id, user_id, PASSWORD)).screen == "prove_question"
    await again()
    newer = code_at(secret, desk.runtime.system.clock.now() + timedelta(seconds=PERIOD_S))
    await desk.say(user_id, user_id, newer)
    await again()
    assert await repeated(desk, user_id, newer) == []
    kinds = {one.kind for one in await desk.runtime.people.factors.of(user_id) if one.enrolled_at}
    assert kinds == {"totp", "password"}
    assert await deeds(desk, "enrol_factor") == 2


async def test_a_question_that_waits_for_a_second_person(desk: Desk, again: Again) -> None:
    other, lost = await employed(desk, "owner"), await employed(desk, "finance")
    await enrol(desk, lost)
    yes = await ask_reset(desk, OWNER, lost)
    await again()
    await desk.press(OWNER, OPS, yes.data())
    assert await desk.runtime.people.factors.enrolled(lost), "by the same person"
    await again()
    await desk.press(other, OPS, yes.data())
    assert not await desk.runtime.people.factors.enrolled(lost)
    await again()
    await desk.press(other, OPS, yes.data())
    assert await deeds(desk, "take_factors") == 1


async def test_a_completion_that_waits_for_its_proof(
    desk: Desk, order: Order, again: Again
) -> None:
    await set_to(desk, "complete_second", 99)
    yes = await asked(desk, order)
    await enrolled(desk, OPERATOR)
    await again()
    await desk.press(OPERATOR, SPRUCE, yes)
    await again()
    assert "complete_waits" in [say.screen for say in await proves(desk, OPERATOR)]
    assert await state(desk, order) != "paid"
    await again()
    second = AnswerApproval(await newest(desk, "complete_second"), yes=True)
    await desk.press(ADMIN, OPS, second.data())
    assert await state(desk, order) == "paid"
    await again()
    await desk.press(ADMIN, OPS, second.data())
    await desk.press(OPERATOR, SPRUCE, yes)
    assert await deeds(desk, "complete_second_used") == 1
    booked = await desk.runtime.system.store.fetchval(
        "SELECT count(*) FROM completion WHERE order_id = $1", order.id
    )
    assert booked == 1


async def test_a_link_for_a_colleague(desk: Desk, again: Again) -> None:
    start, one, other = await link(desk), somebody(), somebody()
    await again()
    assert "hired" in [say.screen for say in says(await desk.say(one, one, start))]
    await again()
    await repeated(desk, one, start)
    assert code(await desk.said(other, other, start)) == "invitation_over"
    assert await standing(desk, one) == Standing("support")
    assert await standing(desk, other) == Standing()
    assert await deeds(desk, "hire") == 1


async def test_the_opening_of_a_merchant(desk: Desk, again: Again) -> None:
    user_id = await employed(desk)
    before = len(await desk.runtime.parties.merchants.everybody())
    say = last(await desk.say(user_id, user_id, "商户 新增"))
    number = str(say.facts["merchant_no"])
    await again()
    say = last(await desk.press(user_id, user_id, labelled(say, number)))
    for place, answer in enumerate(("云茶", "cny", "asia/shanghai", "6:00", *FACTS), start=2):
        assert (say.screen, say.facts["place"]) == ("merchant_question", place)
        await again()
        say = last(await desk.say(user_id, user_id, answer))
        if say.screen == "merchant_question":
            assert await repeated(desk, user_id, answer) == []
    assert say.screen == "merchant"
    await again()
    assert await repeated(desk, user_id, FACTS[-1]) == []
    assert len(await desk.runtime.parties.merchants.everybody()) == before + 1
    merchant = await merchant_of(desk, number)
    dossier = await desk.runtime.parties.merchants.dossier(merchant.id)
    assert (merchant.name, dossier.facts.contact) == ("云茶", FACTS[-1])
    assert await deeds(desk, "open_merchant") == 1


async def test_keys_that_wait_for_a_second_person_and_a_proof(desk: Desk, again: Again) -> None:
    user_id = await employed(desk)
    await proving(desk, user_id)
    (live, *_) = [one for one in await apps_of(desk) if one.app.mode == "live"]
    told = await desk.press(user_id, OPS, OnApp(live.id, "rotate").data())
    (card,) = {one.approval_id for one in told if isinstance(one, ApprovalCard)}
    await again()
    told = await desk.press(OWNER, OPS, AnswerApproval(UUID(card), yes=True).data())
    (ready,) = [say for say in says(told) if say.screen == "keys_ready"]
    take = TakeKeys(UUID(ready.facts["approval_id"]))
    await again()
    assert last(await desk.press(user_id, user_id, take.data())).screen == "prove_keys"
    await again()
    await desk.say(user_id, user_id, PASSWORD)
    secret, _ = shown_secrets(desk)
    await again()
    assert await repeated(desk, user_id, PASSWORD) == []
    await desk.press(user_id, user_id, take.data())
    assert len(desk.line.shown) == 1, "once"
    (kept,) = [one for one in await apps_of(desk) if one.id == live.id]
    assert kept.app.secrets[0] == secret
    assert await deeds(desk, "rotate_keys") == 1
