"""Lists of orders in the chat, as people read them."""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable

import pytest

from core.delivery.outbox import Say, read_notice
from core.kernel.money import Money
from core.parties.merchants import App, Merchant
from core.runtime import Runtime
from core.trade.orders import OpenOrder, Order
from handlers.buttons import read_button
from handlers.order_lists.buttons import TurnOrders
from handlers.order_lists.screens import OrderListNotice
from handlers.screens import render_say
from tests.handlers.dialogue import restarted
from tests.handlers.support import (
    BEN,
    FINANCE,
    HENGTONG,
    NEW,
    NORTHWIND,
    OPERATOR,
    OPS,
    SPRUCE,
    STRANGER,
    SUPPORT,
    SUQING,
    ZHAO,
    Desk,
    labelled,
    one_say,
)
from tests.handlers.telegram_html import read_html


async def listed(desk: Desk, user_id: int, chat_id: int, text: str) -> OrderListNotice:
    said = await desk.said(user_id, chat_id, text)
    return read_notice(OrderListNotice, said.notice)


def text_of(said: Say, language: str = "zh") -> str:
    return read_html(render_say(said, language).html)


async def code_of(desk: Desk, user_id: int, chat_id: int, text: str) -> str:
    return str((await desk.said(user_id, chat_id, text)).facts["code"])


@pytest.fixture
async def many(desk: Desk, order: Order, shop: tuple[Merchant, App]) -> list[str]:
    """Numbers of 23 orders of M1001 whose suppliers nobody reaches, the newest first."""
    numbers = [order.order_no]
    for n in range(22):
        await desk.runtime.system.store.execute(
            "UPDATE channel SET paused_at = NULL, paused_until = NULL, tries_from = now()"
        )
        wanted = OpenOrder(f"MANY-{n}", Money(20_000 + n, "CNY"), "alipay_qr", "x", "203.0.113.9")
        opened = await desk.runtime.trade.creation.open(shop[1], wanted, request_id="test")
        numbers.append(opened.order.order_no)
    await desk.news()
    return numbers[::-1]


async def test_pages_are_turned_in_their_place(desk: Desk, many: list[str]) -> None:
    said = await desk.said(FINANCE, OPS, "订单列表")
    text = text_of(said)
    for part in ("订单", "全部商户", "全部 23", "第 1 / 3 页", "M1001", many[0]):
        assert part in text, part
    assert many[10] not in text
    second = one_say(await desk.press(FINANCE, OPS, labelled(said, "▶"), message_id=501))
    assert second.edit_message_id == 501
    assert [line.number for line in read_notice(OrderListNotice, second.notice).lines] == many[
        10:20
    ]
    third = one_say(await desk.press(OPERATOR, OPS, labelled(second, "▶")))
    assert [line.number for line in read_notice(OrderListNotice, third.notice).lines] == many[20:]
    with pytest.raises(AssertionError):
        labelled(third, "▶")
    again = one_say(await desk.press(FINANCE, OPS, labelled(third, "Refresh")))
    assert [line.number for line in read_notice(OrderListNotice, again.notice).lines] == many[20:]
    back = one_say(await desk.press(FINANCE, OPS, labelled(third, "◀")))
    assert [line.number for line in read_notice(OrderListNotice, back.notice).lines] == many[10:20]
    first = one_say(await desk.press(FINANCE, OPS, labelled(back, "◀")))
    assert [line.number for line in read_notice(OrderListNotice, first.notice).lines] == many[:10]


async def test_an_old_list_is_turned_by_another_process(
    desk: Desk, many: list[str], build_anew: Callable[[], Awaitable[Runtime]]
) -> None:
    said = await desk.said(FINANCE, OPS, "订单列表 未付")
    desk.runtime = await build_anew()
    restarted(desk)
    turned = one_say(await desk.press(FINANCE, OPS, labelled(said, "▶"), message_id=501))
    assert turned.edit_message_id == 501
    notice = read_notice(OrderListNotice, turned.notice)
    assert [line.number for line in notice.lines] == many[10:20]
    assert notice.wanted == read_notice(OrderListNotice, said.notice).wanted


async def test_all_lines_come_as_a_file_as_who_presses_may_see_them(
    desk: Desk, many: list[str]
) -> None:
    queue = desk.runtime.reports.exports.queue
    said = await desk.said(FINANCE, OPS, "订单列表 未付 >1")
    excel = labelled(said, "Excel")
    for user_id, chat_id, holder, seen in (
        (FINANCE, OPS, "p", (True, True, True)), (SUQING, SPRUCE, "m", (False, True, False)),
        (OPERATOR, SPRUCE, "m", (False, True, False)), (ZHAO, HENGTONG, "s", (True, False, False)),
    ):  # fmt: skip
        assert await desk.press(user_id, chat_id, excel, message_id=55) == []
        taken = await queue.take()
        assert taken is not None
        await queue.finish(taken, digest="", file_id="")
        assert (taken.chat_id, taken.reply_to, taken.replaces) == (chat_id, 55, None)
        paper, listed = taken.paper, taken.paper.listed
        assert listed is not None
        assert listed.wanted == read_notice(OrderListNotice, said.notice).wanted
        assert (paper.what, paper.holder, paper.zone) == ("list", holder, "Asia/Shanghai")
        assert (listed.sight.channels, listed.sight.fees, listed.sight.costs) == seen
    for user_id, chat_id in ((STRANGER, OPS), (SUPPORT, OPS), (STRANGER, SPRUCE)):
        assert await desk.press(user_id, chat_id, excel) == []
        assert await queue.take() is None
    with pytest.raises(AssertionError):  # there is nothing to be had
        labelled(await desk.said(FINANCE, OPS, "订单列表 昨天"), "Excel")


async def test_words_narrow_it_and_are_said_back(desk: Desk, many: list[str]) -> None:
    said = await desk.said(FINANCE, OPS, "订单列表 M1001 失败 >=200.05 <200.08")
    text = text_of(said)
    for part in ("M1001 云杉商城", "失败 · 200.05 – 200.07", "全部 3", "成功率 0.0%"):
        assert part in text, part
    assert (await listed(desk, FINANCE, OPS, "/orders yesterday")).totals.count == 0
    assert (await listed(desk, FINANCE, OPS, "/orders M1002")).totals.count == 0
    assert (await listed(desk, FINANCE, OPS, "/orders 补单")).totals.count == 0
    assert (await listed(desk, FINANCE, OPS, "/orders 支付宝扫码 unpaid")).totals.count == 23
    wide = await listed(desk, FINANCE, OPS, "/orders last 30 days C03 S02 alipay_qr")
    assert {line.channel_no for line in wide.lines} == {"C03"}
    assert len(wide.wanted.days) == 30


async def test_a_merchants_people_see_their_own(desk: Desk, many: list[str]) -> None:
    for user_id in (SUQING, OPERATOR):
        said = await desk.said(user_id, SPRUCE, "订单列表 未付")
        notice = read_notice(OrderListNotice, said.notice)
        assert (notice.fees, notice.costs, notice.several) == (True, False, False)
        text = text_of(said)
        assert "MANY-21" in text
        for hidden in ("C01", "C03", "成本", "利润", "S01"):
            # An order's number may have the same letters in it.
            assert re.search(rf"(?<![0-9A-Z]){hidden}(?![0-9A-Z])", text) is None
        assert await code_of(desk, user_id, SPRUCE, "/orders M1002") == "merchant_not_found"
        codes = {await code_of(desk, user_id, SPRUCE, f"/orders {no}") for no in ("C01", "S01")}
        assert codes == {"not_permitted" if user_id == SUQING else "staff_only"}
    theirs = await listed(desk, FINANCE, NORTHWIND, "订单列表")
    assert theirs.totals.count == 0


async def test_a_suppliers_people_see_what_it_was_sent(desk: Desk, many: list[str]) -> None:
    said = await desk.said(ZHAO, HENGTONG, "订单列表 >=1")
    notice = read_notice(OrderListNotice, said.notice)
    assert (notice.attempts, notice.lines) == (True, ())  # nothing of these reached it
    text = text_of(said)
    for hidden in ("M1001", "云杉", "MANY", *many, "手续费", "成本"):
        assert hidden not in text
    assert await code_of(desk, ZHAO, HENGTONG, "/orders 补单") == "filter_not_here"
    assert await code_of(desk, ZHAO, HENGTONG, "/orders M1001") == "merchant_not_found"


@pytest.mark.parametrize(
    ("words", "code"),
    [
        (">99999999999999999999", "amount_invalid"),
        (" ".join(f"M{1001 + n}" for n in range(21)), "filter_too_long"),
        ("C01" * 19 + " " + "C02" * 19 + " " + "C03" * 19, "filter_too_long"),
        ("今天" * 2_000, ""),
        ("2026-01-01~2026-03-01", "range_too_long"),
        ("M1001 M1009", "currency_not_here"),
    ],
)
async def test_what_is_too_much_or_mixed_is_refused(desk: Desk, words: str, code: str) -> None:
    await desk.runtime.parties.merchants.open("M1009", "Dollar", reviewed=True, currency="USD")
    said = await desk.said(FINANCE, OPS, f"/orders {words}"[:4096])
    assert said.facts.get("code", "") == code


async def test_a_list_begins_where_its_days_do(desk: Desk) -> None:
    last = await listed(desk, FINANCE, OPS, "/orders from 11-20")
    assert last.wanted.least_minor is None


async def test_a_suppliers_people_do_not_learn_which_channels_there_are(desk: Desk) -> None:
    for channel_no in ("C01", "C03", "C77"):
        assert (await listed(desk, ZHAO, HENGTONG, f"/orders {channel_no}")).totals.count == 0


async def test_nobody_presses_their_way_to_more(desk: Desk, many: list[str]) -> None:
    """A list of staff, pressed in a merchant's group or by whoever may not see all merchants."""
    said = await desk.said(FINANCE, OPS, "订单列表")
    older = labelled(said, "▶")
    pressed = one_say(await desk.press(SUQING, SPRUCE, older))
    notice = read_notice(OrderListNotice, pressed.notice)
    assert (notice.costs, {line.channel_no for line in notice.lines}) == (False, {""})
    assert await desk.press(STRANGER, OPS, older) == []
    assert await desk.press(SUPPORT, OPS, older) == []
    assert desk.toast
    narrow = labelled(await desk.said(FINANCE, OPS, "订单列表 C01"), "Refresh")
    assert await desk.press(SUQING, SPRUCE, narrow) == []
    assert await desk.press(BEN, NORTHWIND, older)
    gone = TurnOrders(
        desk.runtime.system.ids.uuid7(), read_notice(OrderListNotice, said.notice).turn
    )
    assert await desk.press(FINANCE, OPS, gone.data()) == []
    assert "订单列表" in desk.toast


async def test_what_is_not_understood_is_told_with_what_is(desk: Desk) -> None:
    said = await desk.said(FINANCE, OPS, "/orders 今天 火星 >1000")
    assert said.screen == "filter_unknown"
    text = text_of(said)
    for part in ("火星", "近七天", "11-20~11-25", ">1000", "未回调", "补单"):
        assert part in text, part
    assert "今天 火星" not in text
    for text, code in (
        ("/orders C99", "channel_not_found"),
        ("/orders S99", "supplier_not_found"),
        ("/orders M9999", "merchant_not_found"),
        ("/orders KWD", "currency_not_here"),
        ("/orders 11-31", "date_invalid"),
        ("/orders >1.500", "amount_doubtful"),
    ):
        assert await code_of(desk, FINANCE, OPS, text) == code
    assert await code_of(desk, SUPPORT, OPS, "/orders") == "not_permitted"
    assert await code_of(desk, OPERATOR, NEW, "/orders") == "group_not_bound"
    assert (await listed(desk, SUPPORT, OPS, "/orders M1001")).fees


async def test_buttons_carry_at_most_what_telegram_takes(desk: Desk, many: list[str]) -> None:
    said = await desk.said(FINANCE, OPS, "订单列表")
    notice = read_notice(OrderListNotice, said.notice)
    data = labelled(said, "▶")
    pressed = read_button(data)
    assert isinstance(pressed, TurnOrders)
    assert pressed.list_id == notice.list_id
    deep = TurnOrders(notice.list_id, type(notice.turn)(99_999, "older", many[0]))
    assert len(deep.data().encode()) <= 64
    assert read_button(deep.data()) == deep
    assert read_button(data.replace(many[9], "P0")) is None
