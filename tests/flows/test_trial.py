"""A test order in the chat, over HTTP, until it is paid and booked."""

from __future__ import annotations

import re

from tests.demo import HEARD_S, DemoDesk, eventually
from tests.flows.test_chat import button


async def test_a_test_order_is_made_in_the_chat_paid_and_booked(desk: DemoDesk) -> None:
    chat = desk.chat("ops")
    before = await desk.balance()
    said = await desk.act("operator", chat, text="测试下单 M1001 alipay_qr 43.21 C03")
    asked = await desk.hears(chat, "真实资金", after=said)
    assert (await desk.balance()) == before
    press = {"message_id": asked["id"], "label": button(asked, "确认下单")["text"]}
    await desk.act("operator", chat, press=press)

    calls = await desk.hears(chat, "🔎", "📤", after=asked["id"])
    link = re.search(r"🔗 (\S+)", calls["text"])
    assert link is not None
    picture = await desk.hears(chat, "测试下单", "C03", "收银台", after=asked["id"])
    assert picture["reply_to"] == asked["id"]
    number = re.search(r"P[0-9A-Z]{19}", calls["text"])
    assert number is not None
    order = await desk.order(number[0])
    assert (order["amount"], order["status"]) == (4321, "pending")
    card = await desk.hears(chat, number[0], "C03", "43.21", "待支付", after=asked["id"])

    async def page() -> bool:
        async with desk.http.get(order["cashier_url"]) as answer:
            return answer.status == 200

    assert await page()
    assert (await desk.pay(link[1])).status == 200
    await desk.until_status(number[0], "paid")

    async def turned() -> bool:
        messages = {m["id"]: m for m in await desk.transcript(chat)}
        return "已支付" in messages[card["id"]]["text"]

    await eventually(turned, what="the card turns paid", timeout_s=HEARD_S)
    after = await desk.balance()
    assert after["payable"] - before["payable"] == 4321 - 52
    assert (await desk.command("verify-books"))[0] == 0
