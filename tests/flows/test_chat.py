"""What people say in their groups, and what the bot answers."""

from __future__ import annotations

from core.system.settings import DEMO_PASSWORD
from tests.demo import DemoDesk, eventually


def button(message: dict[str, object], *words: str) -> dict[str, object]:
    """The first button with one of these words on it."""
    rows = message["buttons"]
    assert isinstance(rows, list)
    return next(b for row in rows for b in row if any(w in b["text"] for w in words))


async def test_a_prepayment_is_recorded_once_and_undone(desk: DemoDesk) -> None:
    chat = desk.chat("merchant")
    before = await desk.balance()
    said = await desk.act("finance", chat, text="+1000 备用金")
    receipt = await desk.hears(chat, "1,000.00", after=said)
    assert receipt["reply_to"] == said
    assert (await desk.balance())["prepaid"] - before["prepaid"] == -100_000
    await desk.act(
        "finance",
        chat,
        press={"message_id": receipt["id"], "label": button(receipt, "撤销")["text"]},
    )

    async def undone() -> bool:
        return bool((await desk.balance())["prepaid"] == before["prepaid"])

    await eventually(undone, what="the prepayment is undone")
    assert (await desk.command("verify-books"))[0] == 0


async def test_chatter_is_not_money(desk: DemoDesk) -> None:
    chat = desk.chat("merchant")
    before = await desk.balance()
    last = 0
    for text in ("+1", "收到+1", "+abc", "+8613800138000", "ok +5 张", "1000"):
        last = await desk.act("finance", chat, text=text)
    await desk.act("merchant_staff", chat, text="+1000")
    asked = await desk.act("finance", chat, text="查询余额")
    await desk.hears(chat, "M1001", after=asked)
    assert await desk.balance() == before
    assert not [
        m
        for m in await desk.transcript(chat, last)
        if m["from"]["is_bot"] and "1,000.00" in m["text"] and m["id"] < asked
    ]


async def test_a_group_is_bound_in_chinese_and_in_english(desk: DemoDesk) -> None:
    chat = desk.chat("unbound")
    said = await desk.act("operator", chat, text="绑定商户 M1001")
    await desk.hears(chat, "M1001", after=said)
    said = await desk.act("operator", chat, text="/bind M1002")
    await desk.hears(chat, "M1002", after=said)
    said = await desk.act("operator", chat, text="/bind M9999")
    await desk.hears(chat, "M9999", after=said)


async def test_todays_bill(desk: DemoDesk) -> None:
    chat = desk.chat("merchant")
    said = await desk.act("merchant_staff", chat, text="今日账单")
    bill = await desk.hears(chat, "账单", after=said)
    assert "期初" in bill["text"]


async def test_an_order_is_completed_by_hand_after_a_confirmation(desk: DemoDesk) -> None:
    chat = desk.chat("merchant")
    created = await desk.create(amount=5600)
    order_no = created.body["order_no"]
    before = await desk.balance()
    said = await desk.act("operator", chat, text=f"补单 {order_no} 供应商已确认到账")
    question = await desk.hears(chat, order_no, after=said)
    assert (await desk.balance()) == before
    confirm = button(question, "确认")
    await desk.act("finance", chat, press={"message_id": question["id"], "label": confirm["text"]})
    assert (await desk.balance()) == before
    await desk.act("operator", chat, press={"message_id": question["id"], "label": confirm["text"]})
    await prove(desk, "operator", order_no)
    await desk.until_status(order_no, "paid")
    assert (await desk.balance())["payable"] - before["payable"] == 5600 - 67
    said = await desk.act("operator", chat, text=f"补单 {order_no} 再来一次")
    await desk.hears(chat, order_no, after=said)
    assert (await desk.balance())["payable"] - before["payable"] == 5600 - 67
    assert (await desk.command("verify-books"))[0] == 0


async def test_an_order_is_completed_from_its_card(desk: DemoDesk) -> None:
    chat = desk.chat("merchant")
    order_no = (await desk.create(amount=5700)).body["order_no"]
    said = await desk.act("operator", chat, text=f"这单 {order_no} 到了吗")
    card = await desk.hears(chat, order_no, after=said)
    assert not [b for row in card["buttons"] for b in row if "补单" in b["text"]]
    press = {"message_id": card["id"], "label": button(card, "更多")["text"]}
    await desk.act("operator", chat, press=press)
    mine = await desk.hears(chat, "您可对该订单", after=card["id"])
    press = {"message_id": mine["id"], "label": button(mine, "补单")["text"]}
    await desk.act("operator", chat, press=press)
    why = await desk.hears(chat, order_no, "为什么", after=mine["id"])
    said = await desk.act("operator", chat, text="供应商已确认到账", reply_to=why["id"])
    question = await desk.hears(chat, order_no, "供应商已确认到账", after=said)
    press = {"message_id": question["id"], "label": button(question, "确认")["text"]}
    await desk.act("operator", chat, press=press)
    await prove(desk, "operator", order_no)
    await desk.until_status(order_no, "paid")


async def prove(desk: DemoDesk, role: str, order_no: str) -> None:
    """Somebody proves in private what they were asked about an order. The password stands there no
    longer than until it was read."""
    private = desk.user(role)
    asked = await desk.hears(private, order_no, DEMO_PASSWORD)
    said = await desk.act(role, private, text=DEMO_PASSWORD)
    await desk.hears(private, "验证通过", after=asked["id"])

    async def gone() -> bool:
        return said not in [m["id"] for m in await desk.transcript(private)]

    await eventually(gone, what="the password is taken away")


async def test_much_is_completed_by_two_people(desk: DemoDesk) -> None:
    chat, ops = desk.chat("merchant"), desk.chat("ops")
    created = await desk.create(amount=600_000)
    order_no = created.body["order_no"]
    said = await desk.act("operator", chat, text=f"补单 {order_no} 供应商已确认到账")
    question = await desk.hears(chat, order_no, after=said)
    label = button(question, "确认")["text"]
    await desk.act("operator", chat, press={"message_id": question["id"], "label": label})
    await prove(desk, "operator", order_no)
    card = await desk.hears(ops, order_no, "发起")
    assert (await desk.order(order_no))["status"] == "pending"
    press = {"message_id": card["id"], "label": button(card, "批准", "同意")["text"]}
    await desk.act("operator", ops, press=press)
    assert (await desk.order(order_no))["status"] == "pending"
    await desk.act("admin", ops, press=press)
    await desk.until_status(order_no, "paid")
    assert (await desk.command("verify-books"))[0] == 0


async def test_a_refund_is_asked_for_and_proven(desk: DemoDesk) -> None:
    chat = desk.chat("merchant")
    created = await desk.create(amount=5800)
    order_no = created.body["order_no"]
    await desk.pay(created.body["pay"]["value"])
    await desk.until_status(order_no, "paid")
    said = await desk.act("finance", chat, text=f"退款 {order_no} 20 用户重复支付")
    question = await desk.hears(chat, order_no, "20.00", after=said)
    label = button(question, "确认")["text"]
    await desk.act("finance", chat, press={"message_id": question["id"], "label": label})
    await prove(desk, "finance", order_no)
    await desk.until_status(order_no, "partially_refunded")
    assert (await desk.command("verify-books"))[0] == 0


async def test_support_may_not_complete(desk: DemoDesk) -> None:
    chat = desk.chat("merchant")
    created = await desk.create(amount=5700)
    said = await desk.act("support", chat, text=f"补单 {created.body['order_no']} 请补")
    refusal = await desk.hears(chat, "权限", after=said)
    assert refusal.get("ephemeral_for") in (None, desk.user("support"))
    assert (await desk.order(created.body["order_no"]))["status"] == "pending"
