"""Completion by hand: asked, confirmed by the same person, and never against the supplier."""

from __future__ import annotations

import asyncio
from typing import Any
from uuid import UUID

import pytest

from core.access import ANONYMOUS_ADMIN_ID
from core.errors import Refusal
from core.orders import Opened
from tests.core.support import ADMIN, CHAT, OPERATOR, OPS_CHAT, SUPPORT, Desk, pay_link

PAID = {"cost/S01": -65, "due/S01": -9935, "fees": 120, "payable": 9880}


async def ask(desk: Desk, opened: Opened, **changes: Any) -> None:
    values: dict[str, Any] = {
        "reason": "the supplier confirmed it",
        "user_id": OPERATOR,
        "chat_id": CHAT,
    } | changes
    actor = await desk.actor(values["user_id"], values["chat_id"])
    await desk.runtime.completions.ask(
        actor, opened.order.order_no, values["reason"], message_id=5, request_id="ask"
    )


async def question(desk: Desk, opened: Opened, **changes: Any) -> UUID:
    """Ask, and answer the id under the question's buttons."""
    await ask(desk, opened, **changes)
    said = (await desk.said(changes.get("chat_id", CHAT)))[-1]
    assert said.screen == "complete_question"
    return UUID(said.facts["confirmation_id"])


async def confirm(desk: Desk, confirmation_id: UUID, user_id: int = OPERATOR) -> str:
    """The order's state after the button was pressed."""
    order = await desk.runtime.completions.confirm(
        await desk.actor(user_id), confirmation_id, message_id=6, request_id="confirm"
    )
    return order.state


async def test_asked_confirmed_paid(desk: Desk) -> None:
    opened = await desk.open(notify_url="http://127.0.0.1:9/notify")
    asked = await question(desk, opened)
    assert (await desk.order(opened)).state == "pending"
    assert await confirm(desk, asked) == "paid"
    order = await desk.order(opened)
    assert (order.paid_how, order.paid_late) == ("completed", False)
    assert await desk.balances() == PAID
    told = await desk.runtime.store.fetchrow("SELECT type, facts FROM notification")
    assert told is not None
    assert (told["type"], told["facts"]["manually_completed"]) == ("order.paid", True)
    row = await desk.runtime.store.fetchrow("SELECT * FROM completion")
    assert row is not None
    assert (row["reason"], row["actor_user_id"], row["order_no"]) == (
        "the supplier confirmed it",
        OPERATOR,
        order.order_no,
    )
    trail = await desk.runtime.store.fetch("SELECT action, actor FROM audit")
    assert [tuple(r) for r in trail] == [("complete_used", f"telegram:{OPERATOR}")]
    assert [s.screen for s in await desk.said()] == ["completed"]
    await desk.sound()


async def test_a_second_press_books_nothing(desk: Desk) -> None:
    opened = await desk.open()
    asked = await question(desk, opened)
    results = await asyncio.gather(
        *(confirm(desk, asked) for _ in range(4)), return_exceptions=True
    )
    assert "paid" in results
    codes = {r.code for r in results if isinstance(r, Refusal)}
    assert codes <= {"order_state", "confirmation_expired"}
    assert await confirm(desk, asked) == "paid"
    assert await desk.balances() == PAID
    for table in ("completion", "audit"):
        assert await desk.runtime.store.fetchval(f"SELECT count(*) FROM {table}") == 1
    await desk.sound()


async def test_only_who_asked_confirms_and_in_time(desk: Desk) -> None:
    opened = await desk.open()
    asked = await question(desk, opened)
    for user_id, code in (
        (ADMIN, "confirmation_foreign"),
        (SUPPORT, "not_permitted"),
        (ANONYMOUS_ADMIN_ID, "anonymous_admin"),
    ):
        with pytest.raises(Refusal) as error:
            await confirm(desk, asked, user_id)
        assert error.value.code == code
    desk.clock.advance(15 * 60)
    with pytest.raises(Refusal) as error:
        await confirm(desk, asked)
    assert error.value.code == "confirmation_expired"
    assert await desk.balances() == {}


async def test_a_button_counts_only_in_its_chat(desk: Desk) -> None:
    opened = await desk.open()
    asked = await question(desk, opened, chat_id=OPS_CHAT)
    with pytest.raises(Refusal) as error:
        await confirm(desk, asked)
    assert error.value.code == "confirmation_expired"


async def test_a_dropped_question_is_over(desk: Desk) -> None:
    opened = await desk.open()
    asked = await question(desk, opened)
    with pytest.raises(Refusal) as error:
        await desk.runtime.completions.drop(await desk.actor(ADMIN), asked, message_id=6)
    assert error.value.code == "confirmation_foreign"
    await desk.runtime.completions.drop(await desk.actor(), asked, message_id=6)
    with pytest.raises(Refusal) as error:
        await confirm(desk, asked)
    assert error.value.code == "confirmation_expired"
    assert (await desk.order(opened)).state == "pending"


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"reason": "  "}, "reason_missing"),
        ({"user_id": SUPPORT}, "not_permitted"),
        ({"user_id": ANONYMOUS_ADMIN_ID}, "anonymous_admin"),
        ({"chat_id": -1002000000102}, "order_not_found"),
    ],
)
async def test_what_cannot_be_asked(desk: Desk, changes: dict[str, Any], code: str) -> None:
    opened = await desk.open()
    with pytest.raises(Refusal) as error:
        await ask(desk, opened, **changes)
    assert error.value.code == code
    assert await desk.runtime.store.fetchval("SELECT count(*) FROM confirmation") == 0


async def test_the_supplier_had_the_money_when_asked(desk: Desk) -> None:
    opened = await desk.open()
    await desk.supplier.pay(pay_link(opened), "lose_callback")
    await ask(desk, opened)
    assert [s.screen for s in await desk.said()] == ["complete_settled_itself"]
    assert (await desk.order(opened)).paid_how == "asked"
    with pytest.raises(Refusal) as error:
        await ask(desk, opened)
    assert error.value.code == "order_state"
    assert await desk.balances() == PAID


async def test_the_supplier_had_the_money_before_the_press(desk: Desk) -> None:
    opened = await desk.open()
    asked = await question(desk, opened)
    await desk.supplier.pay(pay_link(opened), "lose_callback")
    assert await confirm(desk, asked) == "paid"
    assert (await desk.order(opened)).paid_how == "asked"
    assert await desk.runtime.store.fetchval("SELECT count(*) FROM completion") == 0
    assert [s.screen for s in await desk.said()] == ["complete_settled_itself"]
    assert await desk.balances() == PAID


async def test_an_order_that_moved_on_is_asked_about_again(desk: Desk) -> None:
    opened = await desk.open(expires_in_s=60)
    asked = await question(desk, opened)
    desk.clock.advance(61)
    await desk.runtime.following.expire_due(10)
    with pytest.raises(Refusal) as error:
        await confirm(desk, asked)
    assert error.value.code == "order_state"
    assert await confirm(desk, await question(desk, opened)) == "paid"
    assert (await desk.order(opened)).paid_late
    await desk.sound()


async def test_the_first_report_confirms_the_next_is_a_duplicate(desk: Desk) -> None:
    opened = await desk.open()
    await confirm(desk, await question(desk, opened))
    assert (await desk.see(opened, 10000)).meaning == "confirmation"
    assert await desk.balances() == PAID
    assert (await desk.order(opened)).paid_how == "completed"
    assert (await desk.see(opened, 10000)).meaning == "redelivery"
    assert (await desk.see(opened, 10000, upstream_no="U2")).meaning == "duplicate"
    assert (await desk.balances())["suspense/S01"] == 10000
    await desk.sound()


@pytest.mark.parametrize(
    ("minor", "expected"),
    [
        (9900, {"due/S01": -9836, "cost/S01": -64, "shortfall": -100}),
        (10100, {"due/S01": -10034, "cost/S01": -66, "suspense/S01": 100}),
    ],
)
async def test_a_first_report_of_another_amount_posts_the_difference(
    desk: Desk, minor: int, expected: dict[str, int]
) -> None:
    opened = await desk.open()
    await confirm(desk, await question(desk, opened))
    assert (await desk.see(opened, minor)).meaning == "confirmation"
    assert await desk.balances() == {"fees": 120, "payable": 9880} | expected
    await desk.sound()


async def test_money_in_suspense_is_used(desk: Desk) -> None:
    for minor, expected in (
        (9900, {"due/S01": -9836, "cost/S01": -64, "shortfall": -100}),
        (10100, {"due/S01": -10034, "cost/S01": -66, "suspense/S01": 100}),
    ):
        before = await desk.balances()
        opened = await desk.open()
        await desk.see(opened, minor)
        await confirm(desk, await question(desk, opened))
        after = await desk.balances()
        moved = {a: after.get(a, 0) - before.get(a, 0) for a in after.keys() | before.keys()}
        assert {a: m for a, m in moved.items() if m} == {"fees": 120, "payable": 9880} | expected
        await desk.sound()
