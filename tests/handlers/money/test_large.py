"""Money above a threshold in the chat: a card for others, and the receipt once one of them says
yes."""

from __future__ import annotations

from core.delivery.outbox import ApprovalCard, Say
from handlers.approvals.buttons import AnswerApproval
from handlers.screens import render_approval, render_say
from tests.core.support import set_setting
from tests.handlers.money.test_prepayments import balance
from tests.handlers.support import ADMIN, FINANCE, OPERATOR, OPS, SPRUCE, Desk, one_say
from tests.handlers.telegram_html import read_html


async def card(desk: Desk, *, ops: bool = True, language: str = "zh") -> tuple[str, AnswerApproval]:
    """What the newest card says, and its button that says yes."""
    approval_id = await desk.runtime.system.store.fetchval(
        "SELECT id FROM approval WHERE on_card ORDER BY created_at DESC, id DESC"
    )
    asked = await desk.runtime.people.approvals.cards.of(approval_id)
    screen = render_approval(asked, "Asia/Shanghai", language, ops=ops)
    return read_html(screen.html), AnswerApproval(approval_id, yes=True)


async def test_a_large_prepayment_is_booked_once_a_second_person_says_so(desk: Desk) -> None:
    message = desk.message(OPERATOR, SPRUCE, text="+6万 货款\n+100")
    await desk.feed(message=message)
    cards = await desk.news()
    assert [type(fact) for fact in cards] == [ApprovalCard] * 2, "in ops, and where it was asked"
    text, yes = await card(desk)
    assert "+60,000.00 CNY" in text
    assert "+100.00 CNY" in text
    assert "货款" in text
    assert "M1001" in text
    await desk.press(OPERATOR, OPS, yes.data())
    assert await balance(desk) == 0
    await desk.press(FINANCE, SPRUCE, yes.data())  # a yes is for the ops group
    assert await balance(desk) == 0
    said = [fact for fact in await desk.press(ADMIN, OPS, yes.data()) if isinstance(fact, Say)]
    (receipt,) = said
    assert (receipt.screen, receipt.reply_to) == ("receipt", message["message_id"])
    assert "批准" in render_say(receipt, "zh").html
    assert await balance(desk) == 6_010_000
    await desk.press(FINANCE, OPS, yes.data())
    await desk.feed(message=message)  # delivered again
    assert [fact for fact in await desk.news() if isinstance(fact, Say)] == []
    assert await balance(desk) == 6_010_000


async def test_whoever_asked_takes_it_back_where_it_was_asked(desk: Desk) -> None:
    await desk.say(FINANCE, SPRUCE, "调账 -5001 更正")
    text, yes = await card(desk, language="en")
    assert "-5,001.00 CNY" in text
    await desk.press(FINANCE, SPRUCE, AnswerApproval(yes.approval_id, yes=False).data())
    await desk.press(ADMIN, OPS, yes.data())
    assert await desk.runtime.system.store.fetchval("SELECT count(*) FROM voucher") == 0


async def test_a_cap_of_the_day_is_said_with_what_is_left(desk: Desk) -> None:
    await set_setting(desk.runtime, "prepay_daily", 1000)
    await desk.say(OPERATOR, SPRUCE, "+900")
    refused = one_say(await desk.say(OPERATOR, SPRUCE, "+100.01"))
    assert refused.facts["code"] == "daily_cap"
    text = render_say(refused, "zh").html
    assert "100.00 CNY" in text
    assert "1,000.00 CNY" in text
    assert await balance(desk) == 90_000


async def test_a_card_tells_a_merchants_group_nothing_of_channels(desk: Desk) -> None:
    await desk.say(ADMIN, SPRUCE, "/rate alipay_qr 0.5%")
    inside, _ = await card(desk)
    outside, _ = await card(desk, ops=False)
    assert "C01" in inside
    assert "0.65%" in inside
    for word in ("C01", "0.65%", "成本"):
        assert word not in outside
    assert "0.5%" in outside
