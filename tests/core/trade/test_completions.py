"""Completion by hand: asked, confirmed by the same person, and never against the supplier."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import Any
from uuid import UUID

import pytest

from core.kernel.errors import Refusal
from core.kernel.money import Money
from core.people.actors import ANONYMOUS_ADMIN_ID
from core.system.store import Tx
from core.trade.orders import ByHand, Opened, Order, get_attempts
from tests.core.support import (
    ADMIN,
    CHAT,
    FINANCE,
    OPERATOR,
    OPS_CHAT,
    OWNER,
    SUPPORT,
    Desk,
    alarms,
    completing,
    confirm_completion,
    pay_link,
    refused,
)

PAID = {"cost/S01": -65, "due/S01": -9935, "fees": 120, "payable": 9880}


async def ask(desk: Desk, opened: Opened, **changes: Any) -> None:
    values: dict[str, Any] = {
        "reason": "the supplier confirmed it",
        "user_id": OPERATOR,
        "chat_id": CHAT,
    } | changes
    actor = await desk.actor(values["user_id"], values["chat_id"])
    await desk.runtime.trade.completions.ask(
        actor, opened.order.order_no, values["reason"], message_id=5, request_id="ask"
    )


async def question(desk: Desk, opened: Opened, **changes: Any) -> UUID:
    """Ask, and answer the id under the question's buttons."""
    await ask(desk, opened, **changes)
    return await newest(desk, "complete")


async def newest(desk: Desk, kind: str) -> UUID:
    """The question that was asked last."""
    found: UUID = await desk.runtime.system.store.fetchval(
        "SELECT id FROM approval WHERE kind = $1 ORDER BY created_at DESC LIMIT 1", kind
    )
    return found


async def screens(desk: Desk, chat_id: int) -> list[str]:
    """What was said in a chat so far, oldest first."""
    rows = await desk.runtime.system.store.fetch(
        "SELECT facts FROM outbox WHERE chat_id = $1 AND topic = 'say' ORDER BY created_at, id",
        chat_id,
    )
    return [row["facts"]["screen"] for row in rows]


async def confirm(desk: Desk, approval_id: UUID, user_id: int = OPERATOR) -> str:
    """The order's state after the button was pressed and the yes was proven."""
    order = await confirm_completion(desk.runtime, await desk.actor(user_id), approval_id)
    return order.state


async def test_asked_confirmed_paid(desk: Desk) -> None:
    opened = await desk.open(notify_url="http://127.0.0.1:9/notify")
    asked = await question(desk, opened)
    assert (await desk.order(opened)).state == "pending"
    assert await confirm(desk, asked) == "paid"
    order = await desk.order(opened)
    assert (order.paid_how, order.paid_late) == ("completed", False)
    assert await desk.balances() == PAID
    told = await desk.runtime.system.store.fetchrow("SELECT type, facts FROM notification")
    assert told is not None
    assert (told["type"], told["facts"]["manually_completed"]) == ("order.paid", True)
    row = await desk.runtime.system.store.fetchrow("SELECT * FROM completion")
    assert row is not None
    assert (row["reason"], row["actor_user_id"], row["order_no"]) == (
        "the supplier confirmed it",
        OPERATOR,
        order.order_no,
    )
    trail = await desk.runtime.system.store.fetch("SELECT action, actor FROM audit")
    assert [tuple(r) for r in trail] == [("complete_used", f"telegram:{OPERATOR}")]
    assert await screens(desk, CHAT) == ["complete_question", "completed"]
    await desk.sound()


async def allow_alone(desk: Desk, units: int) -> None:
    owner = await desk.actor(OWNER, OPS_CHAT)
    async with desk.runtime.system.store.transaction() as tx:
        await desk.runtime.people.settings.put(tx, owner, "complete_second", units)


async def test_many_orders_of_a_merchant_are_no_way_around_a_second_person(desk: Desk) -> None:
    await allow_alone(desk, 250)
    for _ in range(2):
        assert await confirm(desk, await question(desk, await desk.open())) == "paid"
    third = await desk.open()
    assert await confirm(desk, await question(desk, third)) == "pending", "by one person alone"
    asked = await newest(desk, "complete_second")
    await desk.runtime.people.approvals.decide(await desk.actor(ADMIN, OPS_CHAT), asked, yes=True)
    assert (await desk.order(third)).state == "paid"
    # What a second person approved does not count, nor what somebody else completed.
    assert await confirm(desk, await question(desk, await desk.open(5_000))) == "paid"
    another = await question(desk, await desk.open(), user_id=OWNER)
    assert await confirm(desk, another, OWNER) == "paid"
    await desk.sound()


async def test_orders_that_are_completed_at_once_count_together(desk: Desk) -> None:
    await allow_alone(desk, 250)
    asked = [await question(desk, await desk.open()) for _ in range(4)]
    results = await asyncio.gather(*(confirm(desk, one) for one in asked), return_exceptions=True)
    for result in results:
        if isinstance(result, BaseException):
            assert refused(result) == "second_person_needed"
    assert results.count("paid") == 2
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
        assert await desk.runtime.system.store.fetchval(f"SELECT count(*) FROM {table}") == 1
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
        await desk.runtime.trade.completions.drop(await desk.actor(ADMIN), asked, message_id=6)
    assert error.value.code == "confirmation_foreign"
    await desk.runtime.trade.completions.drop(await desk.actor(), asked, message_id=6)
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
    assert await desk.runtime.system.store.fetchval("SELECT count(*) FROM approval") == 0


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
    assert await desk.runtime.system.store.fetchval("SELECT count(*) FROM completion") == 0
    assert (await screens(desk, CHAT))[-1] == "complete_settled_itself"
    assert await desk.balances() == PAID


async def test_an_order_that_moved_on_is_asked_about_again(desk: Desk) -> None:
    opened = await desk.open(expires_in_s=60)
    asked = await question(desk, opened)
    desk.clock.advance(61)
    await desk.runtime.trade.follow_up.expire_due(10)
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


@pytest.mark.parametrize(
    ("minor", "kinds"), [(100, ["shortfall"]), (10000, []), (10100, ["discrepancy"])]
)
async def test_ops_hears_that_another_amount_came_than_was_completed(
    desk: Desk, minor: int, kinds: list[str]
) -> None:
    opened = await desk.open()
    await confirm(desk, await question(desk, opened))
    await desk.said(OPS_CHAT)  # of the completion
    await desk.see(opened, minor, upstream_no="U1")
    await desk.see(opened, minor, upstream_no="U1")
    told = await alarms(desk.runtime)
    assert [(alarm.kind, alarm.count) for alarm in told] == [(kind, 1) for kind in kinds]
    for alarm in told:
        if alarm.kind == "discrepancy":
            assert alarm.facts["left"] == [{"minor": 100, "currency": "CNY"}]
            continue
        payment = alarm.facts["payment"]
        assert (payment["order_no"], payment["upstream_no"]) == (opened.order.order_no, "U1")
        assert (payment["asked_minor"], payment["seen_minor"]) == (10000, minor)
        assert alarm.facts.get("missing_minor", 0) == max(0, 10000 - minor)


@pytest.mark.parametrize(
    ("minor", "expected"),
    [
        (9900, {"due/S01": -9836, "cost/S01": -64, "shortfall": -100}),
        (10000, {"due/S01": -9935, "cost/S01": -65}),
        (10100, {"due/S01": -10034, "cost/S01": -66, "suspense/S01": 100}),
    ],
)
async def test_a_supplier_that_had_refused_the_order_reports_its_money_first(
    desk: Desk, minor: int, expected: dict[str, int]
) -> None:
    """S01 refused, S02 took the order, a person completed it: S02 owes nothing for it."""
    await desk.supplier.fault("create", "refuse")
    opened = await desk.open()
    refused, taken = await get_attempts(
        desk.runtime.system.store, desk.merchant.id, opened.order.id
    )
    assert (refused.supplier_no, refused.state, taken.supplier_no) == ("S01", "rejected", "S02")
    await confirm(desk, await question(desk, opened))
    assert (await desk.balances())["due/S02"] == -9930
    settled = await desk.see(opened, minor, attempt_no=refused.attempt_no, upstream_no="U1")
    assert settled.meaning == "confirmation"
    assert await desk.balances() == {"fees": 120, "payable": 9880} | expected
    open_ones = (await desk.runtime.trade.discrepancies.open_ones([desk.merchant.id])).items
    over = [(d.kind, d.supplier_no, d.left_minor) for d in open_ones]
    assert over == ([("over", "S01", 100)] if minor > 10000 else [])
    # It has its money: what comes after that was paid twice.
    assert (await desk.see(opened, 10000, upstream_no="U2")).meaning == "duplicate"
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


async def test_the_completion_and_its_answer_are_one_transaction(desk: Desk) -> None:
    """A crash between the two: neither is there, and the question is still open."""
    opened = await desk.open()
    asked = await question(desk, opened)

    async def crash(tx: Tx) -> None:
        await tx.execute("UPDATE approval SET state = 'dropped' WHERE id = $1", asked)
        raise ConnectionError("the process dies here")

    with pytest.raises(ConnectionError):
        await completing(desk.runtime).complete(
            desk.merchant.id,
            opened.order.id,
            None,
            ByHand("x", OPERATOR, "Wang", CHAT),
            request_id="c",
            also=crash,
        )
    assert (await desk.order(opened)).state == "pending"
    assert await desk.balances() == {}
    assert await confirm(desk, asked) == "paid"
    await desk.sound()


async def test_a_photo_is_kept_as_evidence(desk: Desk) -> None:
    opened = await desk.open()
    await desk.runtime.trade.completions.ask(
        await desk.actor(), opened.order.order_no, "seen", message_id=5, request_id="ask",
        proof_file_id="AgAC-photo",
    )  # fmt: skip
    await confirm(desk, await newest(desk, "complete"))
    kept = await desk.runtime.system.store.fetchval("SELECT proof_file_id FROM completion")
    assert kept == "AgAC-photo"


async def test_money_that_was_resolved_before_does_not_count_as_the_completions(desk: Desk) -> None:
    """A short payment went back to the payer; the order is completed, then the rest arrives."""
    opened = await desk.open()
    await desk.see(opened, 9900, upstream_no="U1")
    (short,) = (await desk.runtime.trade.discrepancies.open_ones(None)).items
    await desk.runtime.trade.discrepancies.resolve(
        await desk.actor(FINANCE, OPS_CHAT), desk.merchant.id, short.id, "refund_payer", "gone",
        left_minor=9900,
    )  # fmt: skip
    await confirm(desk, await question(desk, opened))
    assert (await desk.see(opened, 10000, upstream_no="U2")).meaning == "confirmation"
    await desk.sound()


# ── caps ──


async def cap(desk: Desk, units: int) -> None:
    """What one person may complete in a day, in whole units."""
    owner = await desk.actor(OWNER, OPS_CHAT)
    async with desk.runtime.system.store.transaction() as tx:
        await desk.runtime.people.settings.put(tx, owner, "complete_daily", units)


async def test_a_cap_holds_whatever_one_person_does_at_once(desk: Desk) -> None:
    asked = [await question(desk, await desk.open()) for _ in range(3)]
    await cap(desk, 250)
    results = await asyncio.gather(*(confirm(desk, one) for one in asked), return_exceptions=True)
    assert sorted(map(str, (r if isinstance(r, str) else refused(r) for r in results))) == [
        "daily_cap", "paid", "paid",
    ]  # fmt: skip
    assert (await desk.balances())["payable"] == 2 * 9880
    with pytest.raises(Refusal) as error:
        await ask(desk, await desk.open())
    assert error.value.facts["left"] == "50.00 CNY"
    await ask(desk, await desk.open(), user_id=ADMIN)  # somebody else's day
    await desk.sound()


async def test_a_cap_is_of_a_day_of_the_platform_and_of_what_stands(desk: Desk) -> None:
    opened = await completed(desk)
    await cap(desk, 100)
    with pytest.raises(Refusal) as error:
        await ask(desk, await desk.open())
    assert error.value.code == "daily_cap"
    await confirm_reversal(desk, await ask_reversal(desk, opened))
    await confirm(desk, await question(desk, await desk.open()))
    with pytest.raises(Refusal) as error:
        await ask(desk, await desk.open())
    assert error.value.code == "daily_cap"
    desk.clock.advance(24 * 3600)
    await ask(desk, await desk.open())


async def test_test_orders_count_for_nothing(desk: Desk) -> None:
    """No money moves: no cap, no second person."""
    await cap(desk, 1)
    apps = desk.runtime.parties.merchants.apps
    await apps.open(desk.merchant, mode="test", name="tests", notify_url=None)
    (tester,) = [app for app in await apps.of(desk.merchant) if app.mode == "test"]
    opened = await replace(desk, app=tester).open(900_000)
    assert await confirm(desk, await question(desk, opened)) == "paid"


# ── reversal of a wrong completion ──


async def completed(desk: Desk, **changes: Any) -> Opened:
    opened = await desk.open(notify_url="http://127.0.0.1:9/notify", **changes)
    await confirm(desk, await question(desk, opened))
    return opened


async def ask_reversal(
    desk: Desk, opened: Opened, user_id: int = FINANCE, chat_id: int = OPS_CHAT, reason: str = "no"
) -> UUID:
    await desk.runtime.trade.completions.ask_reversal(
        await desk.actor(user_id, chat_id), opened.order.order_no, reason,
        message_id=7, request_id="ask",
    )  # fmt: skip
    return await newest(desk, "uncomplete")


async def confirm_reversal(
    desk: Desk, asked: UUID, user_id: int = ADMIN, chat_id: int = OPS_CHAT
) -> Order:
    return await desk.runtime.trade.completions.confirm_reversal(
        await desk.actor(user_id, chat_id), asked, message_id=8, request_id="confirm"
    )


async def told(desk: Desk) -> list[str]:
    rows = await desk.runtime.system.store.fetch(
        "SELECT type FROM notification ORDER BY created_at, id"
    )
    return [row["type"] for row in rows]


async def test_a_completion_is_reversed_by_two_people(desk: Desk) -> None:
    opened = await completed(desk)
    asked = await ask_reversal(desk, opened, chat_id=CHAT)
    with pytest.raises(Refusal) as error:
        await confirm_reversal(desk, asked, FINANCE, CHAT)
    assert error.value.code == "second_person_needed"
    with pytest.raises(Refusal) as error:
        await confirm_reversal(desk, asked, OPERATOR, CHAT)
    assert error.value.code == "not_permitted"
    with pytest.raises(Refusal) as error:
        await confirm_reversal(desk, asked, ADMIN, OPS_CHAT)
    assert error.value.code == "confirmation_expired"
    results = await asyncio.gather(
        *(confirm_reversal(desk, asked, ADMIN, CHAT) for _ in range(3)), return_exceptions=True
    )
    assert {r.code for r in results if isinstance(r, Refusal)} <= {
        "confirmation_expired",
        "order_state",
    }
    order = await desk.order(opened)
    assert (order.state, order.disputed, order.open_to_money) == ("paid", True, True)
    assert await desk.balances() == {}
    assert await told(desk) == ["order.paid", "order.disputed"]
    facts_told = await desk.runtime.system.store.fetchval(
        "SELECT facts FROM notification WHERE type = 'order.disputed'"
    )
    assert (facts_told["status"], facts_told["disputed"]) == ("paid", True)
    rows = await desk.runtime.system.store.fetch(
        "SELECT actor_user_id, reverses IS NOT NULL AS back FROM completion ORDER BY at"
    )
    assert [tuple(r) for r in rows] == [(OPERATOR, False), (ADMIN, True)]
    history = await desk.runtime.system.store.fetchrow(
        "SELECT move, state_from, state_to, facts FROM order_history ORDER BY version DESC LIMIT 1"
    )
    assert history is not None
    assert tuple(history)[:3] == ("dispute", "paid", "paid")
    assert history["facts"]["asked_by"] == f"telegram:{FINANCE}"
    assert (await screens(desk, CHAT))[-2:] == ["uncomplete_question", "uncompleted"]
    assert await screens(desk, OPS_CHAT) == ["deed", "uncompleted"]  # ops is told
    assert (await confirm_reversal(desk, asked, ADMIN, CHAT)).disputed  # twice is once
    with pytest.raises(Refusal) as error:
        await ask_reversal(desk, opened)
    assert error.value.code == "order_state"
    await desk.sound()


@pytest.mark.parametrize(
    ("minor", "meaning", "state"),
    [(10000, "order", False), (9900, "short", True), (10100, "over", True)],
)
async def test_money_after_the_reversal(desk: Desk, minor: int, meaning: str, state: bool) -> None:
    opened = await completed(desk)
    paid_at = (await desk.order(opened)).paid_at
    await confirm_reversal(desk, await ask_reversal(desk, opened))
    settled = await desk.see(opened, minor)
    assert settled.meaning == meaning
    order = await desk.order(opened)
    assert (order.state, order.disputed) == ("paid", state)
    assert order.paid_at == paid_at
    if meaning == "order":
        assert (order.paid_how, order.paid_late) == ("reported", True)
        assert await desk.balances() == PAID
        assert await told(desk) == ["order.paid", "order.disputed", "order.paid_late"]
        assert (await desk.see(opened, 10000, upstream_no="U8")).meaning == "duplicate"
    else:
        assert (await desk.balances())["suspense/S01"] == minor
        assert await confirm(desk, await question(desk, opened)) == "paid"
        order = await desk.order(opened)
        assert (order.disputed, order.paid_how) == (False, "completed")
        assert (await desk.balances())["payable"] == 9880
        assert (await desk.balances()).get("suspense/S01", 0) == max(0, minor - 10000)
    keys = await desk.runtime.system.store.fetch(
        "SELECT event_key FROM ledger_event WHERE kind = 'completed' ORDER BY booked_at"
    )
    numbered = [f"completed:{opened.order.id}:{n}" for n in (1, 2)]
    assert [k["event_key"] for k in keys] == numbered[: len(keys)]
    await desk.sound()


async def test_money_of_suspense_returns_there_and_can_be_resolved(desk: Desk) -> None:
    for minor in (9900, 10100):
        opened = await desk.open()
        await desk.see(opened, minor)
        before = await desk.balances()
        await confirm(desk, await question(desk, opened))
        await confirm_reversal(desk, await ask_reversal(desk, opened))
        assert await desk.balances() == before
        (item,) = (await desk.runtime.trade.discrepancies.open_ones(None)).items
        assert (item.left_minor, "complete" in item.ways) == (minor, True)
        await desk.runtime.trade.discrepancies.resolve(
            await desk.actor(FINANCE, OPS_CHAT), desk.merchant.id, item.id, "refund_payer", "gone",
            left_minor=minor,
        )  # fmt: skip
        await desk.sound()


async def test_money_that_comes_before_the_yes_is_asked_about_anew(desk: Desk) -> None:
    """The question was about nothing in suspense; a cent that arrives meanwhile is not taken for
    the whole."""
    opened = await desk.open()
    asked = await question(desk, opened)
    await desk.see(opened, 100)
    with pytest.raises(Refusal) as error:
        await confirm(desk, asked)
    assert error.value.code == "discrepancy_changed"
    assert (await desk.order(opened)).state == "pending"
    await desk.sound()


async def test_a_report_between_question_and_yes_confirms(desk: Desk) -> None:
    opened = await completed(desk)
    asked = await ask_reversal(desk, opened)
    await desk.see(opened, 10000)
    with pytest.raises(Refusal) as error:
        await confirm_reversal(desk, asked)
    assert error.value.code == "completion_confirmed"


async def test_what_cannot_be_reversed(desk: Desk) -> None:
    async def refusal(opened: Opened, user_id: int = FINANCE, reason: str = "no") -> str:
        with pytest.raises(Refusal) as error:
            await ask_reversal(desk, opened, user_id, reason=reason)
        return error.value.code

    pending = await desk.open()
    assert await refusal(pending) == "order_state"
    await desk.see(pending, 10000)
    assert await refusal(pending) == "order_state"  # paid, not completed
    confirmed = await completed(desk)
    await desk.see(confirmed, 10000)
    assert await refusal(confirmed) == "completion_confirmed"
    opened = await completed(desk)
    assert await refusal(opened, OPERATOR) == "not_permitted"
    assert await refusal(opened, ANONYMOUS_ADMIN_ID) == "anonymous_admin"
    assert await refusal(opened, reason=" ") == "reason_missing"
    private = await desk.runtime.people.access.actor(FINANCE, "x", FINANCE, private=True)
    with pytest.raises(Refusal) as error:
        await desk.runtime.trade.completions.ask_reversal(
            private, opened.order.order_no, "no", message_id=7, request_id="ask"
        )
    assert error.value.code == "group_needed"
    refund = await desk.runtime.trade.refunds.reserve(
        desk.app, desk.merchant.id, opened.order.id, "R1", Money(100, "CNY"), fee_returned=True
    )
    assert await refusal(opened) == "refund_under_way"
    await desk.runtime.trade.refunds.settle(desk.merchant.id, refund.id, cost_returned=True)
    assert await refusal(opened) == "order_state"
    await desk.sound()


async def test_the_supplier_is_asked_before_a_reversal(desk: Desk) -> None:
    opened = await desk.open()
    await confirm(desk, await question(desk, opened))
    await desk.supplier.pay(pay_link(opened), "lose_callback")
    with pytest.raises(Refusal) as error:
        await ask_reversal(desk, opened)
    assert error.value.code == "completion_confirmed"
    assert await desk.balances() == PAID


async def test_a_reversal_is_dropped_or_expires(desk: Desk) -> None:
    opened = await completed(desk)
    asked = await ask_reversal(desk, opened)
    drop = desk.runtime.trade.completions.drop_reversal
    with pytest.raises(Refusal) as error:
        await drop(await desk.actor(OPERATOR, OPS_CHAT), asked, message_id=8)
    assert error.value.code == "not_permitted"
    for _ in range(2):
        await drop(await desk.actor(FINANCE, OPS_CHAT), asked, message_id=8)
    assert await screens(desk, OPS_CHAT) == ["deed", "uncomplete_question", "uncomplete_dropped"]
    asked_again = await ask_reversal(desk, opened)
    for question_id in (asked, asked_again):
        if question_id == asked_again:
            desk.clock.advance(15 * 60)
        with pytest.raises(Refusal) as error:
            await confirm_reversal(desk, question_id)
        assert error.value.code == "confirmation_expired"
    assert await desk.balances() == PAID


async def test_a_group_that_is_bound_to_another_merchant_meanwhile_answers_nothing(
    desk: Desk, neighbour: Desk
) -> None:
    """The question was asked in a group of M1001, which is M1002's now."""
    reversible = await completed(desk)
    reversal = await ask_reversal(desk, reversible, chat_id=CHAT)
    opened = await desk.open()
    completion = await question(desk, opened)
    async with desk.runtime.system.store.transaction() as tx:
        await desk.runtime.people.groups.unbind(tx, CHAT)
        await desk.runtime.people.groups.bind_merchant(tx, CHAT, neighbour.merchant.id)
    for answer in (
        confirm(desk, completion),
        confirm_reversal(desk, reversal, ADMIN, CHAT),
        desk.runtime.trade.completions.drop(await desk.actor(), completion, message_id=6),
        desk.runtime.trade.completions.drop_reversal(
            await desk.actor(ADMIN), reversal, message_id=6
        ),
    ):
        with pytest.raises(Refusal) as error:
            await answer
        assert error.value.code == "confirmation_expired"
    assert (await desk.order(opened)).state == "pending"
    assert not (await desk.order(reversible)).disputed
    assert await desk.balances() == PAID
