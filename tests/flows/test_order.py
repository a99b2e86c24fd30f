"""The main job, end to end over real HTTP: an order from a merchant's server to the group."""

from __future__ import annotations

import asyncio

from core.kernel.money import format_minor
from tests.demo import HEARD_S, DemoDesk, Receiver, eventually


def bill_text(messages: list[dict[str, object]]) -> str:
    """The live bill: the pinned message of the bot."""
    return str(next(m["text"] for m in messages if m["pinned"]))


async def test_an_order_is_created_paid_booked_notified_and_shown(
    desk: DemoDesk, server: Receiver
) -> None:
    chat = desk.chat("merchant")
    before = await desk.balance()

    created = await desk.create(amount=12345, notify_url=server.url)
    assert created.status == 201, created.body
    order_no = created.body["order_no"]
    assert created.body["status"] == "pending"
    assert created.body["pay"]["kind"] == "url"

    asked = await desk.act("operator", chat, text=order_no)
    card = await desk.hears(chat, order_no, after=asked)
    assert "123.45" in card["text"]
    assert card["reply_to"] == asked

    paid = await desk.pay(created.body["pay"]["value"])
    assert paid.status == 200, paid.body
    await desk.until_status(order_no, "paid")

    async def notified() -> bool:
        return bool(server.valid)

    await eventually(notified, what="the merchant's server is told")
    assert server.valid[0]["type"] == "order.paid"
    assert server.valid[0]["data"]["order_no"] == order_no
    assert server.valid[0]["data"] == await desk.order(order_no)

    async def turned() -> bool:
        messages = {m["id"]: m for m in await desk.transcript(chat)}
        return "已支付" in messages[card["id"]]["text"] and messages[card["id"]]["edited"]

    await eventually(turned, what="the card turns paid", timeout_s=HEARD_S)

    after = await desk.balance()

    async def billed() -> bool:
        # What others paid a while ago may be booked only now. A bill says with a word, and not
        # with a sign, who owes whom.
        closing = format_minor(abs((await desk.balance())["position"]), "CNY")
        return closing in bill_text(await desk.transcript(chat))

    # In a chat that was busy a moment ago, the live bill waits for what is said.
    await eventually(billed, what="the bill closes at the balance", timeout_s=80)
    fee = (12345 * 12000 * 2 + 1_000_000) // 2_000_000
    assert after["payable"] - before["payable"] == 12345 - fee
    assert (len(server.valid), server.invalid) == (1, [])
    code, said = await desk.command("verify-books")
    assert (code, said.splitlines()[-1]) == (0, "verify-books: no difference")


async def test_the_same_create_again_is_the_same_order(desk: DemoDesk) -> None:
    wanted = {"merchant_order_no": "SAME-1", "amount": 5000}
    first = await desk.create(**wanted)
    again = await desk.create(**wanted)
    assert (first.status, again.status) == (201, 200)
    assert again.headers["Idempotency-Hit"] == "true"
    assert again.body["order_no"] == first.body["order_no"]
    other = await desk.create(**{**wanted, "amount": 5001})
    assert (other.status, other.code) == (409, "order_conflict")


async def test_ten_twins_at_once_are_one_order(desk: DemoDesk) -> None:
    answers = await asyncio.gather(
        *(desk.create(merchant_order_no="TWINS-1", amount=700) for _ in range(10))
    )
    assert {a.status for a in answers} <= {200, 201}
    assert [a.status for a in answers].count(201) == 1
    assert len({a.body["order_no"] for a in answers}) == 1
    assert len({a.body["pay"]["value"] for a in answers}) == 1


async def test_less_more_and_twice_never_change_what_the_merchant_is_owed(desk: DemoDesk) -> None:
    for outcome, words in (("less", "少付"), ("more", "多付"), ("twice", "重复")):
        before, alarm = await desk.balance(), await desk.suspense()
        created = await desk.create(amount=8800)
        await desk.pay(created.body["pay"]["value"], outcome)
        await desk.suspense(other_than=alarm)
        await desk.lists_suspense(words, created.body["order_no"])
        status = (await desk.order(created.body["order_no"]))["status"]
        after = await desk.balance()
        if outcome == "twice":
            assert status == "paid"
            assert after["payable"] - before["payable"] == 8800 - 106
        else:
            assert status == "pending"
            assert after == before
    assert (await desk.command("verify-books"))[0] == 0


async def test_a_lost_callback_is_found_by_asking(desk: DemoDesk) -> None:
    created = await desk.create(amount=4200)
    await desk.pay(created.body["pay"]["value"], "lose_callback")
    await desk.until_status(created.body["order_no"], "paid", timeout_s=30)


async def test_a_supplier_that_never_answered_is_asked_and_not_replaced(desk: DemoDesk) -> None:
    await desk.supplier("fault", {"operation": "create", "kind": "500", "after": True})
    created = await desk.create(amount=6100)
    assert created.status == 202
    assert created.body["pay"] is None
    await desk.until_status(created.body["order_no"], "pending")
    pay = (await desk.order(created.body["order_no"]))["pay"]
    await desk.pay(pay["value"])
    await desk.until_status(created.body["order_no"], "paid")


async def test_a_definite_refusal_moves_on_within_the_request(desk: DemoDesk) -> None:
    await desk.supplier("fault", {"operation": "create", "kind": "refuse"})
    created = await desk.create(amount=3300)
    assert created.status == 201
    assert created.body["status"] == "pending"
    assert created.body["pay"]["value"]
