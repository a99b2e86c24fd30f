"""What may be a slip is asked about once, and is done when the same person says so again."""

from __future__ import annotations

from core.delivery.outbox import Say
from handlers.screens import render_say
from tests.handlers.money.test_prepayments import balance
from tests.handlers.support import (
    ADMIN,
    FINANCE,
    HENGTONG,
    OPERATOR,
    OPS,
    SPRUCE,
    STRANGER,
    Desk,
    button_data,
    labelled,
    one_say,
)  # fmt: skip


async def press_one(desk: Desk, user_id: int, chat_id: int, question: Say, label: str) -> list[Say]:
    """Press a button of a question; what is said because of it."""
    said = await desk.press(user_id, chat_id, labelled(question, label), message_id=800)
    return [fact for fact in said if isinstance(fact, Say)]


def lines_of(receipt: Say) -> list[int]:
    """The lines that a receipt tells of."""
    assert receipt.screen == "receipt"
    return [line["line"] for line in receipt.facts["lines"]]


async def test_the_same_amount_again_is_booked_after_one_question(desk: Desk) -> None:
    first = await desk.said(OPERATOR, SPRUCE, "+1000 房租")
    message = desk.message(FINANCE, OPS, text="+1,000.00 M1001")
    await desk.feed(message=message)
    question = one_say(await desk.news())
    assert (question.screen, question.reply_to) == ("slip_question", message["message_id"])
    html = render_say(question, "zh").html
    assert first.facts["record_no"] in html
    assert "+1,000.00 CNY" in html
    assert await balance(desk) == 100_000
    await desk.feed(message=message)  # delivered again
    assert await desk.news() == []
    assert await press_one(desk, ADMIN, OPS, question, "Book") == []  # somebody else's question
    assert await press_one(desk, STRANGER, OPS, question, "Book") == []
    assert await balance(desk) == 100_000
    receipt, answer = await press_one(desk, FINANCE, OPS, question, "Book")
    assert (receipt.screen, receipt.reply_to) == ("prepaid", message["message_id"])
    assert (answer.screen, answer.edit_message_id) == ("slip_confirmed", 800)
    assert await balance(desk) == 200_000
    await press_one(desk, FINANCE, OPS, question, "Book")
    await press_one(desk, FINANCE, OPS, question, "Cancel")
    await desk.feed(message=message)
    assert [f for f in await desk.news() if isinstance(f, Say) and f.screen == "prepaid"] == []
    assert await balance(desk) == 200_000


async def test_a_repeat_that_was_none_is_dropped(desk: Desk) -> None:
    await desk.say(OPERATOR, SPRUCE, "+1000")
    question = await desk.said(OPERATOR, SPRUCE, "+1000")
    (dropped,) = await press_one(desk, OPERATOR, SPRUCE, question, "Cancel")
    assert dropped.screen == "slip_dropped"
    assert await press_one(desk, OPERATOR, SPRUCE, question, "Book") == []
    assert await balance(desk) == 100_000


async def test_lines_of_one_message_may_be_alike_and_wait_together(desk: Desk) -> None:
    assert lines_of(await desk.said(OPERATOR, SPRUCE, "+100\n+100\n+200")) == [1, 2, 3]
    question = await desk.said(OPERATOR, SPRUCE, "+300\n+200 again\n+400")
    assert [doubt["line"] for doubt in question.facts["doubts"]] == [2]
    assert await balance(desk) == 40_000
    booked = await press_one(desk, OPERATOR, SPRUCE, question, "Book")
    assert [fact.screen for fact in booked] == ["receipt", "slip_confirmed"]
    assert lines_of(booked[0]) == [1, 2, 3]
    assert booked[0].facts["lines"][1]["remark"] == "again"
    assert await balance(desk) == 130_000


async def test_another_amount_sign_kind_or_holder_is_no_repeat(desk: Desk) -> None:
    for user_id, chat_id, text in (
        (OPERATOR, SPRUCE, "+1000"), (OPERATOR, SPRUCE, "+1000.01"), (OPERATOR, SPRUCE, "-1000"),
        (OPERATOR, OPS, "+1000 M1002"), (FINANCE, SPRUCE, "调账 1000 更正"),
        (FINANCE, HENGTONG, "+1000"),
    ):  # fmt: skip
        assert (await desk.said(user_id, chat_id, text)).screen != "slip_question", text
    for chat_id, text in ((SPRUCE, "调账 1000 更正"), (HENGTONG, "+1000"), (OPS, "+1000 M1002")):
        question = await desk.said(FINANCE, chat_id, text)
        assert question.screen == "slip_question", text
        booked = await press_one(desk, FINANCE, chat_id, question, "Book")
        assert len(booked) == 2, text


async def test_lines_of_one_message_count_on_each_other(desk: Desk) -> None:
    assert lines_of(await desk.said(OPERATOR, SPRUCE, "+500\n-500")) == [1, 2]
    await desk.say(OPERATOR, SPRUCE, "+700")
    question = await desk.said(OPERATOR, SPRUCE, "-400\n-350")
    assert [doubt["line"] for doubt in question.facts["doubts"]] == [2]
    assert "300.00 CNY" in render_say(question, "en").html  # what remains behind the first line
    assert await balance(desk) == 70_000
    booked = await press_one(desk, OPERATOR, SPRUCE, question, "Book")
    assert [fact.screen for fact in booked] == ["receipt", "slip_confirmed"]
    assert await balance(desk) == -5_000


async def test_nobody_is_asked_about_what_cannot_be_booked(desk: Desk) -> None:
    await desk.said(FINANCE, SPRUCE, "调账 1000 更正")
    refused = await desk.said(FINANCE, SPRUCE, "调账 1000")
    assert (refused.screen, refused.facts["code"]) == ("refusal", "reason_missing")


async def test_what_was_undone_is_written_again_without_a_question(desk: Desk) -> None:
    receipt = await desk.said(OPERATOR, SPRUCE, "+1000")
    await desk.press(OPERATOR, SPRUCE, button_data(receipt))
    assert (await desk.said(OPERATOR, SPRUCE, "+1000")).screen == "prepaid"


async def test_more_is_taken_back_than_was_advanced_after_a_question(desk: Desk) -> None:
    await desk.say(OPERATOR, SPRUCE, "+500")
    assert (await desk.said(OPERATOR, SPRUCE, "-500")).screen == "prepaid"
    question = await desk.said(OPERATOR, SPRUCE, "-0.01")
    assert question.facts["doubts"][0]["code"] == "take_back_doubtful"
    assert "0.00 CNY" in render_say(question, "en").html
    await press_one(desk, OPERATOR, SPRUCE, question, "Book")
    assert await balance(desk) == -1
    assert (await desk.said(FINANCE, HENGTONG, "-20")).screen == "slip_question"
    assert (await desk.said(FINANCE, SPRUCE, "调账 -2000 更正")).screen == "adjusted"


async def test_the_undo_of_anothers_record_asks_once(desk: Desk) -> None:
    receipt = await desk.said(OPERATOR, SPRUCE, "+12")
    data = button_data(receipt)
    question = one_say(await desk.press(FINANCE, SPRUCE, data, message_id=500))
    assert (question.screen, question.facts["doubts"][0]["code"]) == (
        "slip_question",
        "undo_of_another",
    )
    assert await desk.press(FINANCE, SPRUCE, data, message_id=500) == []  # it waits already
    assert await balance(desk) == 1200
    undone, struck, answer = await press_one(desk, FINANCE, SPRUCE, question, "Undo")
    assert (undone.screen, undone.facts["reverses_no"]) == (
        "prepaid_undone",
        receipt.facts["record_no"],
    )
    assert (struck.edit_message_id, struck.facts["undone_by"]) == (500, undone.facts["actor_name"])
    assert answer.screen == "slip_confirmed"
    assert await balance(desk) == 0


async def test_the_undo_of_much_asks_and_can_be_dropped(desk: Desk) -> None:
    small = await desk.said(OPERATOR, SPRUCE, "+9,999.99")
    assert len(await desk.press(OPERATOR, SPRUCE, button_data(small), message_id=501)) == 2
    large = await desk.said(OPERATOR, SPRUCE, "+1万")
    data = button_data(large)
    question = one_say(await desk.press(OPERATOR, SPRUCE, data, message_id=502))
    assert question.facts["doubts"][0]["code"] == "undo_of_much"
    (dropped,) = await press_one(desk, OPERATOR, SPRUCE, question, "Cancel")
    assert (dropped.screen, dropped.facts["what"]) == ("slip_dropped", "undo")
    assert await balance(desk) == 1_000_000
    again = one_say(await desk.press(OPERATOR, SPRUCE, data, message_id=502))
    assert again.screen == "slip_question"


async def test_a_question_of_before_a_migration_is_answered_after_it(desk: Desk) -> None:
    """The message that it asks about stays the cause: the new chat numbers messages anew."""
    new = -1003000000904
    first = desk.message(FINANCE, SPRUCE, text="+500")
    await desk.feed(message=first)
    asked_about = desk.message(FINANCE, SPRUCE, text="+500")
    await desk.feed(message=asked_about)
    (question,) = [
        f for f in await desk.news() if isinstance(f, Say) and f.screen == "slip_question"
    ]
    await desk.feed(message=desk.message(FINANCE, SPRUCE, migrate_to_chat_id=new))
    assert await balance(desk) == 50_000
    told = await press_one(desk, FINANCE, new, question, "Book")
    assert "slip_confirmed" in [say.screen for say in told]
    assert await balance(desk) == 100_000
    for again in (first, asked_about):  # delivered again, by the old chat
        await desk.feed(message=again)
    await press_one(desk, FINANCE, new, question, "Book")
    assert await balance(desk) == 100_000
    # The same number is another message in the new chat.
    same = desk.message(FINANCE, new, text="+700")
    await desk.feed(message={**same, "message_id": asked_about["message_id"]})
    assert await balance(desk) == 170_000
