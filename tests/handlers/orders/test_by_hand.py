from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta
from uuid import UUID

from core.delivery.outbox import Say
from core.people.factors import PERIOD_S, code_at
from core.system.settings import DEMO_PASSWORD
from core.trade.orders import Order, get_order
from handlers.approvals.buttons import AnswerApproval
from handlers.buttons import read_button
from handlers.kit.refusals import already_done
from handlers.orders.buttons import TurnCompletions
from tests.handlers.dialogue import code as code_of
from tests.handlers.dialogue import employed, enrolled, press_and_prove, proves, restarted, says
from tests.handlers.support import (
    ADMIN,
    FINANCE,
    NORTHWIND,
    OPERATOR,
    OPS,
    OWNER,
    SPRUCE,
    SUQING,
    Desk,
    button_data,
    one_say,
)


async def state(desk: Desk, order: Order) -> str:
    return (await get_order(desk.runtime.system.store, order.merchant_id, order.id)).state


async def test_asked_with_a_reason_and_confirmed_by_the_same_person(
    desk: Desk, order: Order
) -> None:
    question = await desk.said(OPERATOR, SPRUCE, f"补单 {order.order_no} 供应商 已确认")
    assert question.screen == "complete_question"
    assert question.facts["question"]["reason"] == "供应商 已确认"
    yes = button_data(question)
    assert await desk.press(OWNER, SPRUCE, yes, message_id=300) == []
    assert desk.line.answers[-1].show_alert
    assert await state(desk, order) != "paid"
    await enrolled(desk, OPERATOR)
    asked = one_say(await desk.press(OPERATOR, SPRUCE, yes, message_id=300))
    assert (asked.screen, asked.facts["demo_password"]) == ("prove_question", DEMO_PASSWORD)
    assert asked.facts["subject"] == f"{order.order_no} · 100.00 CNY"
    assert await state(desk, order) != "paid"
    done, proven = await proves(desk, OPERATOR)
    assert (done.screen, done.edit_message_id, proven.screen) == ("completed", 300, "proven")
    assert await state(desk, order) == "paid"
    assert await desk.press(OPERATOR, SPRUCE, yes, message_id=300) == []  # twice is once
    assert desk.toast == already_done("zh")
    assert await state(desk, order) == "paid"


async def test_dropped(desk: Desk, order: Order) -> None:
    question = await desk.said(OPERATOR, SPRUCE, f"/complete {order.order_no} test")
    dropped = one_say(await desk.press(OPERATOR, SPRUCE, button_data(question, 1)))
    assert dropped.screen == "complete_dropped"
    assert await desk.press(OPERATOR, SPRUCE, button_data(question)) == []
    assert await state(desk, order) != "paid"


async def test_refusals(desk: Desk, order: Order) -> None:
    no_reason = await desk.said(OPERATOR, SPRUCE, f"补单 {order.order_no}")
    assert no_reason.facts["code"] == "reason_missing"
    assert (await desk.said(OPERATOR, SPRUCE, "补单")).screen == "usage"
    no_right = await desk.said(FINANCE, SPRUCE, f"补单 {order.order_no} x")
    assert no_right.facts["code"] == "not_permitted"
    unknown = await desk.said(OPERATOR, SPRUCE, "补单 12345678 x")
    assert unknown.facts["code"] == "order_not_found"


async def test_a_picture_with_the_command_as_its_caption_is_evidence(
    desk: Desk, order: Order
) -> None:
    photo = [
        {"file_id": f"photo-{size}", "file_unique_id": size, "width": side, "height": side}
        for size, side in (("small", 9), ("large", 90))
    ]
    image = {"file_id": "image", "file_unique_id": "i", "mime_type": "image/png"}
    for sent, kept in (({"photo": photo}, "photo-large"), ({"document": image}, "image")):
        caption = f"补单 {order.order_no} 已到账"
        await desk.feed(message=desk.message(OPERATOR, SPRUCE, caption=caption, **sent))
        question = one_say(await desk.news())
        assert (question.screen, question.facts["question"]["proof_file_id"]) == (
            "complete_question",
            kept,
        )


async def test_a_wrong_completion_is_reversed_by_a_second_person(desk: Desk, order: Order) -> None:
    question = await desk.said(OPERATOR, SPRUCE, f"补单 {order.order_no} x")
    await press_and_prove(desk, OPERATOR, SPRUCE, button_data(question))
    for user_id, chat_id, text, expected in (
        (OPERATOR, SPRUCE, f"/uncomplete {order.order_no} x", "not_permitted"),
        (FINANCE, SPRUCE, f"撤销补单 {order.order_no}", "reason_missing"),
        (FINANCE, FINANCE, f"撤销补单 {order.order_no} x", "group_needed"),
    ):
        assert (await desk.said(user_id, chat_id, text)).facts["code"] == expected
    assert (await desk.said(FINANCE, SPRUCE, "撤销补单")).screen == "usage"
    asked = await desk.said(FINANCE, SPRUCE, f"撤销补单 {order.order_no} 未到账")
    assert asked.screen == "uncomplete_question"
    assert await desk.press(FINANCE, SPRUCE, button_data(asked)) == []
    assert desk.line.answers[-1].show_alert
    dropped = one_say(await desk.press(FINANCE, SPRUCE, button_data(asked, 1), message_id=70))
    assert (dropped.screen, dropped.edit_message_id) == ("uncomplete_dropped", 70)
    asked = await desk.said(FINANCE, SPRUCE, f"/uncomplete {order.order_no} 未到账")
    done, ops = await desk.press(OWNER, SPRUCE, button_data(asked), message_id=71)
    assert isinstance(done, Say)
    assert isinstance(ops, Say)
    assert (done.screen, done.edit_message_id, ops.screen) == ("uncompleted", 71, "uncompleted")
    disputed = await get_order(desk.runtime.system.store, order.merchant_id, order.id)
    assert disputed.disputed
    again = await desk.said(OPERATOR, SPRUCE, f"补单 {order.order_no} 已到账")
    assert (again.screen, again.facts["question"]["disputed"]) == ("complete_question", True)


def around(order: Order) -> tuple[date, date]:
    """Days among which the order's is, in whatever zone."""
    day = order.created_at.date()
    return day - timedelta(days=3), day + timedelta(days=3)


async def test_what_was_completed_is_listed_by_days_and_merchants(desk: Desk, order: Order) -> None:
    assert (await desk.said(OPERATOR, OPS, "补单记录")).facts["count"] == 0
    question = await desk.said(OPERATOR, SPRUCE, f"补单 {order.order_no} 供应商已确认")
    await press_and_prove(desk, OPERATOR, SPRUCE, button_data(question))
    for user_id, chat_id, text in (
        (OPERATOR, OPS, "补单记录"), (FINANCE, OPS, "/completions M1001"),
        (OPERATOR, OPERATOR, "补单记录 今日 M1001"),
    ):  # fmt: skip
        said = await desk.said(user_id, chat_id, text)
        assert (said.screen, said.facts["count"]) == ("completions", 1), text
        assert said.facts["lines"][0]["order_no"] == order.order_no
        assert said.facts["lines"][0]["reason"] == "供应商已确认"
    assert (await desk.said(OPERATOR, OPS, "补单记录 昨日")).facts["count"] == 0
    first = TurnCompletions(*around(order), 1, order.merchant_id)
    page = one_say(await desk.press(OPERATOR, OPS, first.data(), message_id=90))
    assert (page.screen, page.edit_message_id, page.facts["count"]) == ("completions", 90, 1)
    beside = replace(first, fresh=True)
    page = one_say(await desk.press(OPERATOR, OPS, beside.data(), message_id=91))
    assert (page.edit_message_id, page.reply_to, page.facts["count"]) == (None, 91, 1)
    bill = await desk.runtime.reports.bills.merchant(order.merchant_id)
    assert [(x.order_no, x.amount_minor, x.reversed_by) for x in bill.completed_lines] == [
        (order.order_no, order.amount.minor, "")
    ]
    assert bill.completed_count == 1


async def test_a_list_of_completions_is_refused_where_it_shows_too_much(
    desk: Desk, order: Order
) -> None:
    for user_id, chat_id, text, code in (
        (SUQING, SPRUCE, "/completions", "not_permitted"),
        (OPERATOR, SPRUCE, "/completions", "staff_only"),
        (OPERATOR, OPS, "/completions M9999", "merchant_not_found"),
        (OPERATOR, OPS, "/completions 2026-02-30", "date_invalid"),
    ):
        assert (await desk.said(user_id, chat_id, text)).facts["code"] == code, text
    assert (await desk.said(OPERATOR, OPS, "/completions M1001 M1002")).screen == "usage"
    theirs = TurnCompletions(*around(order), 1, order.merchant_id)
    for chat_id in (SPRUCE, NORTHWIND):
        assert await desk.press(OPERATOR, chat_id, theirs.data()) == []
        assert desk.line.answers[-1].show_alert
    assert read_button(theirs.data()) == theirs
    for data in (f"{theirs.data()}x", "comps:20301301-20301302:1:", "comps:1:1:"):
        assert read_button(data) is None, data


# ── proofs and second persons ──


async def set_to(desk: Desk, name: str, units: int | None) -> None:
    """A setting of the desk, in whole units of each currency."""
    owner = await desk.runtime.people.access.actor(OWNER, "x", OWNER, private=True)
    async with desk.runtime.system.store.transaction() as tx:
        await desk.runtime.people.settings.put(tx, owner, name, units)


async def newest(desk: Desk, kind: str) -> UUID:
    found: UUID = await desk.runtime.system.store.fetchval(
        "SELECT id FROM approval WHERE kind = $1 ORDER BY created_at DESC LIMIT 1", kind
    )
    return found


async def asked(desk: Desk, order: Order, user_id: int = OPERATOR, chat_id: int = SPRUCE) -> str:
    """Somebody asks to complete it; what its yes carries."""
    return button_data(await desk.said(user_id, chat_id, f"补单 {order.order_no} 已到账"))


async def waits(desk: Desk, order: Order) -> AnswerApproval:
    """An operator has asked for what takes a second person, and has proven it; its yes."""
    await set_to(desk, "complete_second", 99)
    said = await press_and_prove(desk, OPERATOR, SPRUCE, await asked(desk, order))
    assert [say.screen for say in said] == ["complete_waits", "proven"]
    assert await state(desk, order) != "paid", "by one person alone"
    return AnswerApproval(await newest(desk, "complete_second"), yes=True)


async def test_whoever_has_no_factor_is_told_how_to_get_one(desk: Desk, order: Order) -> None:
    operator = await employed(desk, "operator")
    yes = await asked(desk, order, operator)
    assert await desk.press(operator, SPRUCE, yes) == []
    assert "「二次验证」" in desk.toast
    actor = await desk.runtime.people.access.actor(operator, "x", operator, private=True)
    await desk.runtime.people.factors.set_password(actor, "correct horse battery")
    await desk.news()  # ops is told
    (question,) = says(await desk.press(operator, SPRUCE, yes))  # it is open still
    assert question.screen == "prove_question"
    done, _ = await proves(desk, operator, "correct horse battery")
    assert done.screen == "completed"


async def test_a_wrong_answer_completes_nothing_and_the_fifth_locks(
    desk: Desk, order: Order
) -> None:
    operator = await employed(desk, "operator")
    actor = await desk.runtime.people.access.actor(operator, "x", operator, private=True)
    await desk.runtime.people.factors.set_password(actor, "correct horse battery")
    await desk.news()  # ops is told
    await desk.press(operator, SPRUCE, await asked(desk, order, operator))
    for nth in range(5):
        said = await proves(desk, operator, f"not it at all {nth}")
        assert code_of(said[-1]) == ("factor_wrong" if nth < 4 else "factor_locked")
    said = await proves(desk, operator, "correct horse battery")
    assert code_of(said[-1]) == "factor_locked"
    assert await state(desk, order) != "paid"


async def test_a_code_counts_for_one_completion(desk: Desk, order: Order) -> None:
    operator = await employed(desk, "operator")
    factors, clock = desk.runtime.people.factors, desk.runtime.system.clock
    actor = await desk.runtime.people.access.actor(operator, "x", operator, private=True)
    secret = (await factors.begin_totp(actor, "Paydesk")).secret
    await factors.finish_totp(actor, code_at(secret, clock.now() - timedelta(seconds=PERIOD_S)))
    await desk.news()  # ops is told
    await desk.press(operator, SPRUCE, await asked(desk, order, operator))
    now = code_at(secret, clock.now())
    await desk.runtime.system.store.execute(  # somebody else completed it meanwhile
        "UPDATE orders SET version = version + 1 WHERE id = $1", order.id
    )
    said = await proves(desk, operator, now)
    assert code_of(said[-1]) == "order_state"
    await desk.press(operator, SPRUCE, await asked(desk, order, operator))
    assert code_of((await proves(desk, operator, now))[-1]) == "code_used"
    assert await state(desk, order) != "paid"


async def test_above_the_threshold_a_second_person_decides(desk: Desk, order: Order) -> None:
    yes = await waits(desk, order)
    assert await desk.press(OPERATOR, OPS, yes.data()) == []
    assert "另一位" in desk.toast, "the same person"
    assert await desk.press(FINANCE, OPS, yes.data()) == []
    assert desk.line.answers[-1].show_alert, "without the right"
    assert await desk.press(ADMIN, SPRUCE, yes.data()) == [], "not where it was asked"
    assert await state(desk, order) != "paid"
    (done,) = says(await desk.press(ADMIN, OPS, yes.data()))
    assert (done.screen, done.edit_message_id) == ("completed", 77)
    assert done.facts["approved_by"]
    assert await state(desk, order) == "paid"
    await desk.press(ADMIN, OPS, yes.data())
    assert desk.toast == already_done("zh")
    row = await desk.runtime.system.store.fetchrow(
        "SELECT actor_user_id, approved_by FROM completion"
    )
    assert row is not None
    assert tuple(row) == (OPERATOR, ADMIN)
    listed = await desk.said(OPERATOR, OPS, "补单记录")
    assert listed.facts["lines"][0]["approved_by"]


async def test_a_second_person_says_no(desk: Desk, order: Order) -> None:
    yes = await waits(desk, order)
    no = AnswerApproval(yes.approval_id, yes=False)
    assert await desk.press(FINANCE, OPS, no.data()) == []
    assert await desk.press(SUQING, SPRUCE, no.data()) == [], "people of the merchant"
    (dropped,) = says(await desk.press(ADMIN, OPS, no.data()))
    assert (dropped.screen, dropped.edit_message_id) == ("complete_dropped", 77)
    await desk.press(ADMIN, OPS, yes.data())
    assert await state(desk, order) != "paid"


async def test_an_approval_is_of_the_order_as_it_was(desk: Desk, order: Order) -> None:
    yes = await waits(desk, order)
    await desk.runtime.system.store.execute(
        "UPDATE orders SET version = version + 1 WHERE id = $1", order.id
    )
    assert says(await desk.press(ADMIN, OPS, yes.data())) == []
    assert desk.line.answers[-1].show_alert
    assert await state(desk, order) != "paid"


async def test_who_is_alone_waits_and_proves_it_again(desk: Desk, order: Order) -> None:
    yes = await waits(desk, order)
    await desk.runtime.system.store.execute(
        "UPDATE person SET denied = '{complete}' WHERE user_id <> $1", OPERATOR
    )
    assert await desk.press(OPERATOR, OPS, yes.data()) == []
    assert desk.line.answers[-1].show_alert, "others get time to see it"
    await desk.runtime.system.store.execute(
        "UPDATE approval SET created_at = created_at - interval '10 minutes'"
    )
    said = await press_and_prove(desk, OPERATOR, OPS, yes.data())
    assert {"completed", "approved_alone"} <= {say.screen for say in said}
    assert await state(desk, order) == "paid"


async def test_a_desk_that_begins_anew_goes_on_in_the_middle_of_each(
    desk: Desk, order: Order
) -> None:
    await set_to(desk, "complete_second", 99)
    yes = await asked(desk, order)
    restarted(desk)
    await enrolled(desk, OPERATOR)
    await desk.press(OPERATOR, SPRUCE, yes)
    restarted(desk)
    assert "complete_waits" in [say.screen for say in await proves(desk, OPERATOR)]
    restarted(desk)
    second = AnswerApproval(await newest(desk, "complete_second"), yes=True)
    await desk.press(ADMIN, OPS, second.data())
    assert await state(desk, order) == "paid"


async def test_nobody_completes_more_in_a_day_than_their_cap(desk: Desk, order: Order) -> None:
    await set_to(desk, "complete_daily", 99)
    refused = await desk.said(OPERATOR, SPRUCE, f"补单 {order.order_no} 已到账")
    assert code_of(refused) == "daily_cap"
    await set_to(desk, "complete_daily", 150)
    yes = await asked(desk, order)
    await press_and_prove(desk, OPERATOR, SPRUCE, yes)
    assert await state(desk, order) == "paid"
    assert refused.facts["facts"]["left"] == "99.00 CNY"


async def test_an_answer_without_the_press_before_it_is_none(desk: Desk, order: Order) -> None:
    """A button that somebody made: the question has no message that could tell what came of it."""
    await asked(desk, order)
    forged = AnswerApproval(await newest(desk, "complete"), yes=True)
    said = await press_and_prove(desk, OPERATOR, SPRUCE, forged.data())
    assert code_of(said[-1]) == "confirmation_expired"
    assert await state(desk, order) != "paid"
