"""A merchant's picture goes to the supplier's group, and what is replied there comes back."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from bot.world import BOT_ID
from tests.demo import HEARD_S, DemoDesk, eventually
from tests.sandbox.telegram.room import encoded, png


def picture() -> str:
    """A picture, as the control listener takes it."""
    return encoded(png())


async def unpaid(desk: DemoDesk, **wanted: Any) -> str:
    """An order that waits for its payer at a supplier that has a group; our number."""
    made = await desk.create(**wanted)
    assert made.status == 201, made
    number: str = made.body["order_no"]
    return number


async def joins(desk: DemoDesk, chat_id: int, name: str) -> int:
    """Somebody nobody knows joins a group; Telegram's number."""
    control = desk.ready["telegram"]["control"]
    user_id = 70_000 + abs(hash(name)) % 10_000
    made = await desk.post(f"{control}/chat", {"user": {"id": user_id, "first_name": name}})
    assert made.status == 200, made.body
    joined = {"chat_id": chat_id, "user_id": user_id, "status": "member"}
    assert (await desk.post(f"{control}/member", joined)).status == 200
    return user_id


async def says(desk: DemoDesk, user_id: int, chat_id: int, **what: Any) -> int:
    """Somebody of no role says something; the message's id."""
    answer = await desk.post(
        f"{desk.ready['telegram']['control']}/act", {"as": user_id, "chat_id": chat_id, **what}
    )
    assert answer.status == 200, answer.body
    return int(answer.body["message_id"])


async def passed(desk: DemoDesk, after: int = 0) -> dict[str, Any]:
    """The newest question in the supplier's group."""
    return await desk.hears(desk.chat("supplier"), "❓", after=after)


async def replies_to(desk: DemoDesk, chat_id: int, message_id: int) -> list[dict[str, Any]]:
    """What the bot said in reply to a message, but for cards of orders."""
    return [
        message
        for message in await desk.transcript(chat_id)
        if message["reply_to"] == message_id
        and message["from"]["is_bot"]
        and "M1001" not in message["text"]
    ]


async def test_a_picture_is_passed_and_its_answer_comes_back(desk: DemoDesk) -> None:
    group, supplier = desk.chat("merchant"), desk.chat("supplier")
    order_no = await unpaid(desk)
    before = (await desk.transcript(supplier))[-1]["id"] if await desk.transcript(supplier) else 0
    asked = await desk.act(
        "merchant_staff", group, photo=picture(), caption=f"麻烦查一下 {order_no}，客户已付"
    )
    card = await desk.hears(group, order_no, after=asked)
    assert card["reply_to"] == asked
    question = await passed(desk, before)
    assert [file["kind"] for file in question["files"]] == ["photo"]
    assert order_no not in question["text"]
    assert "客户已付" not in question["text"]

    # Anybody of the supplier's may answer, known to the desk or not, with whatever there is.
    stranger = await joins(desk, supplier, "小李")
    await says(
        desk, stranger, supplier, press={"message_id": question["id"], "label": "🙋 我来处理"}
    )

    async def taken() -> bool:
        shown = next(m for m in await desk.transcript(supplier) if m["id"] == question["id"])
        return "小李" in shown["text"] and not shown["buttons"]

    await eventually(taken, what="the card says who took it", timeout_s=HEARD_S)
    await says(desk, stranger, supplier, text="@suqing_spruce 未到账", reply_to=question["id"])
    await says(desk, stranger, supplier, photo=picture(), caption="流水", reply_to=question["id"])

    async def answered() -> bool:
        found = await replies_to(desk, group, asked)
        return [(m["text"], len(m["files"])) for m in found] == [("未到账", 0), ("流水", 1)]

    await eventually(answered, what="both answers are there, in their order", timeout_s=HEARD_S)
    # What the merchant says to that goes there again.
    (first, _) = await replies_to(desk, group, asked)
    await desk.act("merchant_staff", group, text="客户有截图，请再查", reply_to=first["id"])
    again = await desk.hears(supplier, "请再查", after=question["id"])
    assert again["reply_to"] == question["id"]

    await desk.pay((await desk.order(order_no))["pay"]["value"])
    await desk.hears(group, "100.00", order_no, after=first["id"])

    async def settled() -> bool:
        shown = next(m for m in await desk.transcript(supplier) if m["id"] == question["id"])
        return "✅" in shown["text"]

    await eventually(settled, what="the supplier's card says that it is paid", timeout_s=HEARD_S)


async def test_an_album_is_one_question(desk: DemoDesk) -> None:
    """Pictures and a video, the number under the second; the supplier replies to any of them."""
    group, supplier = desk.chat("merchant"), desk.chat("supplier")
    order_no = await unpaid(desk, amount=45_600)
    before = max((m["id"] for m in await desk.transcript(supplier)), default=0)
    pieces = [
        {"photo": picture()},
        {"photo": picture(), "caption": f"麻烦查 {order_no}"},
        {"video": encoded(b"moving")},
    ]
    asked = await desk.act("merchant_staff", group, album=pieces)
    question = await passed(desk, before)
    there = [m for m in await desk.transcript(supplier, before) if m["from"]["is_bot"]]
    assert [[file["kind"] for file in m["files"]] for m in there] == [
        ["photo"], ["photo"], ["video"], [],
    ]  # fmt: skip
    assert "456.00" in question["text"]
    assert not [m for m in there if order_no in m["text"] or "麻烦" in m["text"]]
    await desk.act("supplier_staff", supplier, text="到账了", reply_to=there[2]["id"])
    back = await desk.hears(group, "到账了", after=asked)
    assert back["reply_to"] in range(asked, asked + len(pieces))


async def test_a_question_of_words_is_chased_once_a_minute(desk: DemoDesk) -> None:
    group, supplier = desk.chat("merchant"), desk.chat("supplier")
    order_no = await unpaid(desk, amount=12_300)
    last = max((m["id"] for m in await desk.transcript(supplier)), default=0)
    asked = await desk.act("merchant_staff", group, text=f"客户说付了 {order_no}")
    card = await desk.hears(group, order_no, after=asked)
    await desk.act("merchant_staff", group, text="zz", reply_to=card["id"])
    question = await passed(desk, last)
    assert "123.00" in question["text"]
    assert not question["files"]
    again = await desk.act("merchant_staff", group, text=f"催单 {order_no}")
    refused = await desk.hears(group, order_no, after=again)
    assert refused["reply_to"] == again
    answer = await desk.act("supplier_staff", supplier, text="已到账", reply_to=question["id"])
    assert answer
    back = await desk.hears(group, "已到账", after=again)
    assert back["text"] == "已到账"
    talk = await desk.act("supplier_staff", supplier, text="大家早", reply_to=answer)
    await desk.act("supplier_staff", supplier, text="吃了吗")
    asked = await desk.act("merchant_staff", group, text="查询余额")
    await desk.hears(group, "M1001", after=asked)
    texts = [m["text"] for m in await desk.transcript(group, back["id"]) if m["from"]["is_bot"]]
    assert talk
    assert not [text for text in texts if "大家早" in text or "吃了吗" in text]


@pytest.fixture
async def mortal(tmp_path: Path) -> AsyncIterator[DemoDesk]:
    """A demo that a test may kill."""
    started = await DemoDesk(tmp_path / "home").start()
    yield started
    await started.stop()


async def test_a_question_outlives_the_desk(mortal: DemoDesk) -> None:
    """Killed after the question is in the group, and again as the answers come: each arrives."""
    group, supplier = mortal.chat("merchant"), mortal.chat("supplier")
    order_no = await unpaid(mortal)
    asked = await mortal.act("merchant_staff", group, photo=picture(), caption=order_no)
    question = await passed(mortal)
    await mortal.kill()
    await mortal.start()
    await mortal.act("supplier_staff", supplier, text="W1 处理中", reply_to=question["id"])
    await mortal.kill()
    await mortal.start()
    await mortal.act("supplier_staff", supplier, text="W2 到账", reply_to=question["id"])

    async def answered() -> bool:
        return len(await replies_to(mortal, group, asked)) >= 2

    await eventually(answered, what="both answers are there", timeout_s=60)
    found = await replies_to(mortal, group, asked)
    assert [message["text"] for message in found] == ["W1 处理中", "W2 到账"]
    questions = [
        m for m in await mortal.transcript(supplier) if m["files"] and m["from"]["id"] == BOT_ID
    ]
    assert [one["id"] for one in questions] == [question["id"]]
