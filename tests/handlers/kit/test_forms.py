"""What all forms do alike: back, later, and what is delivered or pressed twice."""

from __future__ import annotations

from typing import Final

import pytest

from tests.handlers.dialogue import employed, restarted, says
from tests.handlers.support import Desk, labelled, one_say

# What begins a form, its notice, and an answer to each of its first two questions.
FORMS: Final = (
    ("商户 新增", "merchant_question", "merchant_no", "M7001", "name", "云茶"),
    ("供应商 新增", "supplier_question", "name", "Gulf", "legal_name", "Gulf W.L.L."),
    ("添加产品", "product_question", "code", "card_web", "name_zh", "网银"),
)


@pytest.mark.parametrize("form", FORMS, ids=lambda form: form[1])
async def test_one_goes_back_to_the_question_before(desk: Desk, form: tuple[str, ...]) -> None:
    begin, screen, first, answer, second, other = form
    user_id = await employed(desk, "owner")
    asked = says(await desk.say(user_id, user_id, begin))[-1]
    assert (asked.screen, asked.facts["step"], asked.facts["place"]) == (screen, first, 1)
    with pytest.raises(AssertionError):
        labelled(asked, "Back")
    asked = await desk.said(user_id, user_id, answer)
    assert (asked.facts["step"], asked.facts["place"]) == (second, 2)
    restarted(desk)
    button = labelled(asked, "Back")
    asked = one_say(await desk.press(user_id, user_id, button))
    assert (asked.facts["step"], asked.facts["place"]) == (first, 1)
    assert await desk.press(user_id, user_id, button) == [], "it was of the question before"
    assert (await desk.said(user_id, user_id, answer)).facts["step"] == second
    assert (await desk.said(user_id, user_id, other)).facts["place"] == 3


@pytest.mark.parametrize("form", FORMS, ids=lambda form: form[1])
async def test_an_answer_that_is_delivered_again_answers_no_other_question(
    desk: Desk, form: tuple[str, ...]
) -> None:
    begin, _, _, answer, second, other = form
    user_id = await employed(desk, "owner")
    await desk.say(user_id, user_id, begin)
    assert (await desk.said(user_id, user_id, answer)).facts["step"] == second
    told = await desk.say(user_id, user_id, answer, message_id=desk.message_id)
    assert says(told) == []
    assert (await desk.said(user_id, user_id, other)).facts["place"] == 3
