"""Channels and products in conversation: seen, added, changed, switched; and why one is chosen."""

from __future__ import annotations

from contextlib import suppress
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.kernel.errors import Refusal
from core.kernel.money import Money, Rate
from core.kernel.tariff import Tariff
from core.parties.merchants import App, Merchant
from core.supply.channels import SCRIPT, NewChannel
from core.trade.orders import OpenOrder, Order, get_attempts
from handlers.buttons import read_button
from handlers.channels.buttons import OnChannel, TurnChannels
from handlers.channels.words import (
    AddChannel,
    AddProduct,
    ArchiveProduct,
    AskWhy,
    BeginProduct,
    ChangeChannel,
    ChangeProduct,
    NameProduct,
    ShowChannel,
    ShowChannels,
    ShowProducts,
    TurnChannel,
    read_amounts,
    read_terms,
)
from handlers.commands import parse
from handlers.kit.intents import Usage
from handlers.kit.whys import kept_reason
from handlers.screens import call_log, render_say
from tests.handlers.dialogue import employed
from tests.handlers.support import (
    ADMIN,
    BEN,
    FINANCE,
    HENGTONG,
    NEW,
    OPERATOR,
    OPS,
    OWNER,
    SPRUCE,
    SUPPORT,
    SUQING,
    Desk,
    button_data,
    one_say,
)

Shop = tuple[Merchant, App]


@pytest.mark.parametrize(
    ("text", "intent"),
    [
        ("通道", ShowChannels()),
        ("/channels", ShowChannels()),
        ("/channel", ShowChannels()),
        ("通道 s01", ShowChannels("S01")),
        ("/channels S01 Alipay_QR", ShowChannels("S01", "alipay_qr")),
        ("/channels alipay_qr Ｓ０１", ShowChannels("S01", "alipay_qr")),
        ("通道 回收站", ShowChannels(archived=True)),
        ("/channels archived S01", ShowChannels("S01", archived=True)),
        ("/channels S01 S02", Usage("channels")),
        ("/channels alipay_qr wechat_qr", Usage("channels")),
        ("通道 C01", ShowChannel("C01")),
        ("通道Ｃ０１", ShowChannel("C01")),
        ("/channel c01", ShowChannel("C01")),
        ("/channel C01 on", TurnChannel("C01", "on")),
        ("通道 C01 关", TurnChannel("C01", "off")),
        ("通道 C01 归档", TurnChannel("C01", "archive")),
        ("/channel C01 restore", TurnChannel("C01", "restore")),
        ("通道 C01 恢复", TurnChannel("C01", "resume")),
        ("/channel C01 RESUME", TurnChannel("C01", "resume")),
        ("/channel C01 amount 100-50000", ChangeChannel("C01", "amount", "100-50000")),
        ("通道 C01 金额 １００，２００", ChangeChannel("C01", "amount", "１００，２００")),
        ("/channel C01 amount 100, 200", ChangeChannel("C01", "amount", "100, 200")),
        ("通道 C01 时段 09:00-23:00", ChangeChannel("C01", "hours", "09:00-23:00")),
        ("通道 C01 日限额 50万", ChangeChannel("C01", "daylimit", "50万")),
        ("/channel C01 daycount off", ChangeChannel("C01", "daycount", "off")),
        ("通道 C01 权重 3", ChangeChannel("C01", "weight", "3")),
        ("通道 C01 优先级 1", ChangeChannel("C01", "priority", "1")),
        ("/channel C01 name 恒通（新）", ChangeChannel("C01", "name", "恒通（新）")),
        ("通道 C01 编码 bank", ChangeChannel("C01", "code", "bank")),
        ("/channel C01 cost 1%", Usage("channel")),
        ("/channel C01 weight", Usage("channel")),
        ("通道 C01 挂了", Usage("channels")),
        ("通道不通了", None),
        ("通道 都 坏了", None),
        ("添加通道 S01 alipay_qr 支付宝扫码 0.65 100-50000 alipay_qr",
         AddChannel("S01", "alipay_qr", "支付宝扫码", "0.65", "100-50000", "alipay_qr")),
        ("/channel_add s01 8001 Alipay QR two ０．６５％ 100,200 Alipay_QR",
         AddChannel("S01", "8001", "Alipay QR two", "0.65%", "100,200", "alipay_qr")),
        ("/channel_add", Usage("channel_add")),
        ("/channel_add S01 alipay_qr 0.65 100-50000 alipay_qr", Usage("channel_add")),
        ("/channel_add C01 alipay_qr name 0.65 100-50000 alipay_qr", Usage("channel_add")),
        ("产品", ShowProducts()),
        ("/products m1001", ShowProducts("M1001")),
        ("产品 alipay_qr + C01", ChangeProduct("alipay_qr", "add", "C01")),
        ("产品 alipay_qr ＋Ｃ０１", ChangeProduct("alipay_qr", "add", "C01")),
        ("/product alipay_qr - c01", ChangeProduct("alipay_qr", "remove", "C01")),
        ("/product alipay_qr off", ChangeProduct("alipay_qr", "off")),
        ("产品 alipay_qr 开", ChangeProduct("alipay_qr", "on")),
        ("/product M1001 alipay_qr + C01", ChangeProduct("alipay_qr", "add", "C01", "M1001")),
        ("产品 M1001 alipay_qr = 默认", ChangeProduct("alipay_qr", "follow", "", "M1001")),
        ("/product M1001 alipay_qr =default", ChangeProduct("alipay_qr", "follow", "", "M1001")),
        ("产品 M1001 alipay_qr 关", ChangeProduct("alipay_qr", "off", "", "M1001")),
        ("/product alipay_qr = default", Usage("product")),
        ("/product alipay_qr + S01", Usage("product")),
        ("/product alipay_qr archive", ArchiveProduct("alipay_qr", "archive")),
        ("产品 Alipay_QR 还原", ArchiveProduct("alipay_qr", "restore")),
        ("/product M1001 alipay_qr archive", Usage("product")),
        ("产品 回收站", ShowProducts(archived=True)),
        ("/products archived", ShowProducts(archived=True)),
        ("/products M1001 archived", Usage("products")),
        ("产品 alipay_qr 名称 支付宝 扫码｜Alipay  QR",
         NameProduct("alipay_qr", "支付宝 扫码", "Alipay QR")),
        ("/product alipay_qr name 扫码", Usage("product")),
        ("/product alipay_qr name | QR", Usage("product")),
        ("/product M1001 alipay_qr name 扫码 | QR", Usage("product")),
        ("添加产品", BeginProduct()),
        ("/product_add Alipay_QR 支付宝扫码 | Alipay QR",
         AddProduct("alipay_qr", "支付宝扫码", "Alipay QR")),
        ("添加产品 gold|card 金卡 | Gold", AddProduct("gold|card", "金卡", "Gold")),
        ("/product_add alipay_qr 支付宝扫码", Usage("product_add")),
        ("添加产品的事", None),
        ("/product alipay_qr", Usage("product")),
        ("产品怎么样", None),
        ("/why M1001 alipay_qr 100", AskWhy("alipay_qr", "100", "M1001")),
        ("路由 alipay_qr 1万", AskWhy("alipay_qr", "1万")),
        ("路由 m1001 alipay_qr １００ 测试", AskWhy("alipay_qr", "100", "M1001", test=True)),
        ("/why M1001 100", Usage("why")),
        ("/why", Usage("why")),
        ("路由器坏了", None),
    ],
)  # fmt: skip
def test_what_is_understood(text: str, intent: object) -> None:
    assert parse(text) == intent


@given(
    st.sampled_from(["/channel C01 ", "通道 ", "/channel_add S01 a b ", "/product ", "产品 ",
                     "/why ", "路由 M1001 "]),
    st.text(max_size=40),
)  # fmt: skip
def test_whatever_follows_is_understood_or_not(command: str, tail: str) -> None:
    parse(command + tail)


@pytest.mark.parametrize(
    ("text", "currency", "amounts"),
    [
        ("100-50000", "CNY", ((), 10_000, 5_000_000)),
        ("１００～５万", "CNY", ((), 10_000, 5_000_000)),
        ("1,000 至 50,000.5", "CNY", ((), 100_000, 5_000_050)),
        ("100-", "CNY", ((), 10_000, None)),
        ("-5", "JPY", ((), None, 5)),
        ("100,200,500", "CNY", ((10_000, 20_000, 50_000), None, None)),
        ("100、 200 500", "CNY", ((10_000, 20_000, 50_000), None, None)),
        ("30", "CNY", ((3000,), None, None)), ("5 万", "CNY", ((5_000_000,), None, None)),
        ("10 000 - 50 000 元", "CNY", ((), 1_000_000, 5_000_000)),
        ("1万-5万", "CNY", ((), 1_000_000, 5_000_000)), ("2万-1", "KWD", ((), 20_000_000, 1000)),
        ("30,50,100", "CNY", ((3000, 5000, 10_000), None, None)),
        ("100-50.000", "KWD", ((), 100_000, 50_000)), ("100-50.000", "CNY", None),
        ("1-5万", "CNY", None), ("1,500", "CNY", None), ("10 500", "CNY", None),
        ("50,100", "CNY", None), ("50、100", "CNY", ((5000, 10_000), None, None)),
        ("100-500 USD", "CNY", None), ("100-500 U", "CNY", None),
        ("不限", "CNY", ((), None, None)), ("any", "CNY", ((), None, None)),
        ("-", "CNY", None), ("", "CNY", None), ("cheap", "CNY", None), ("1e3", "CNY", None),
        ("0.001-5", "CNY", None), ("1.5", "JPY", None), ("9" * 30, "CNY", None),
        ("1-2-3", "CNY", None), ("100-x", "CNY", None),
    ],
)  # fmt: skip
def test_amounts_are_a_range_a_list_or_any(
    text: str, currency: str, amounts: tuple[Any, ...] | None
) -> None:
    if amounts is None:
        with pytest.raises(Refusal) as error:
            read_amounts(text, currency)
        assert error.value.code in ("amount_invalid", "amount_doubtful", "currency_other")
    else:
        assert tuple(read_amounts(text, currency).values()) == amounts


@given(st.sampled_from(["amount", "hours", "daylimit", "daycount", "weight", "priority"]),
       st.text(max_size=30))  # fmt: skip
def test_whatever_is_typed_is_a_term_or_refused(field: Any, text: str) -> None:
    with suppress(Refusal):
        read_terms(field, text, "CNY")


def test_buttons_of_channels_are_read_back_and_no_others() -> None:
    for button in (
        OnChannel("C01", "archive"), TurnChannels(2), TurnChannels(3, "S01", "alipay_qr", True),
        TurnChannels(1, None, "p" * 32), TurnChannels(1000, "S123456789", "p" * 32, True),
    ):  # fmt: skip
        assert read_button(button.data()) == button
        assert len(button.data()) <= 64
    for data in (
        "chan:open:C1x", "chan:delete:C01", "chan:on:S01", "chans:0::", "chans:1001::", "chans:x::",
        "chans:1", "chans:1:M1:", "chans:1::Q", "chans:1:::b", "chadd:yes:zz",
        "chadd:maybe:" + "0" * 32,
    ):  # fmt: skip
        assert read_button(data) is None, data


def test_reasons_that_attempts_keep_are_said_in_the_readers_language() -> None:
    for text, zh in (
        ("C02: is off", "C02: 已停用"),
        ("C02: takes 30.00, 50.00 only", "C02: 只收 30.00, 50.00"),
        ("C02: takes USD only", "C02: 只收 USD"),
        ("C02: takes 100.00 or more", "C02: 最少 100.00"),
        ("C02: has 90.00 of the day's 100.00", "C02: 当日已用 90.00，限额 100.00"),
        ("S01: no balance is off", "S01: no balance is off"),
    ):
        assert kept_reason(text, "zh") == zh
        assert kept_reason(text, "en") == text


async def test_channels_are_listed_by_pages_and_opened(desk: Desk) -> None:
    said = await desk.said(SUPPORT, OPS, "通道")
    assert [line["channel_no"] for line in said.facts["lines"]] == ["C01", "C02", "C03", "C04"]
    assert "1.00 – 50,000.00 CNY" in render_say(said, "zh").html
    said = await desk.said(OPERATOR, OPERATOR, "/channels S02 alipay_qr")
    assert [line["channel_no"] for line in said.facts["lines"]] == ["C03"]
    card = one_say(await desk.press(OPERATOR, OPERATOR, button_data(said)))
    assert (card.screen, card.facts["channel"]["channel_no"]) == ("channel", "C03")
    assert card.facts["cost"] == "0.7%"
    assert render_say(card, "zh").keyboard is None  # may look, and not touch
    supplier = await desk.runtime.parties.suppliers.by_no("S02")
    for number in range(10, 16):
        new = NewChannel(f"C{number}", "n", "bank_web", Tariff.flat(Rate(1)), ("bank_web",))
        await desk.runtime.supply.channels.add_channel(supplier, new)
    said = await desk.said(SUPPORT, OPS, "通道")
    assert (said.facts["page"], said.facts["pages"], len(said.facts["lines"])) == (1, 2, 8)
    after = one_say(await desk.press(SUPPORT, OPS, button_data(said, -1), message_id=70))
    assert (after.edit_message_id, len(after.facts["lines"])) == (70, 2)
    assert one_say(await desk.press(SUPPORT, OPS, "chans:900::")).facts["page"] == 2


async def test_terms_are_changed_before_and_after(desk: Desk) -> None:
    for text, field, after, shown in (
        ("/channel C01 amount 100-50000", "amount_min", 10_000, "100.00 – 50,000.00"),
        ("通道 C01 金额 100,200,500", "amount_list", [10_000, 20_000, 50_000], "100.00 · 200.00"),
        ("通道 Ｃ０１ 时段 ０９：００-23:00", "hours", "09:00-23:00", "09:00-23:00"),
        ("/channel C01 daylimit 50万", "day_limit_minor", 50_000_000, "500,000.00 CNY"),
        ("通道 C01 日笔数 1000", "day_limit_count", 1000, "1000"),
        ("通道 C01 权重 3", "weight", 3, "1 → <b>3</b>"),
        ("/channel C01 priority 1", "priority", 1, "0 → <b>1</b>"),
        ("通道 C01 名称 恒通 支付宝（主）", "name", "恒通 支付宝（主）", "恒通 支付宝（主）"),
        ("通道 C01 编码 alipay_wap", "supplier_code", "alipay_wap", "alipay_wap"),
        ("/channel C01 hours off", "hours", None, "全天"),
    ):
        said = await desk.said(ADMIN, OPS, text)
        assert said.screen == "channel_changed", text
        assert said.facts["terms_after"][field] == after
        assert shown in render_say(said, "zh").html, text
    same = await desk.said(ADMIN, OPS, "通道 C01 权重 ３")
    assert (same.screen, same.facts["same"]) == ("channel", True)
    assert same.facts["channel"]["day_limit_count"] == 1000
    message = desk.message(OWNER, OPS, text="/channel C01 weight 7")
    await desk.feed(message=message)
    assert one_say(await desk.news()).facts["terms_before"]["weight"] == 3
    await desk.said(ADMIN, OPS, "/channel C01 weight 9")
    await desk.feed(message=message)  # delivered twice, obeyed once
    assert await desk.news() == []
    assert (await desk.runtime.supply.channels.by_no("C01")).weight == 9
    trail = await desk.runtime.system.store.fetch(
        "SELECT actor, chat_id, facts FROM audit WHERE action = 'channel_changed' ORDER BY at"
    )
    assert len(trail) == 12
    assert (trail[0]["actor"], trail[0]["chat_id"]) == (f"telegram:{ADMIN}", OPS)
    late = desk.runtime.system.clock.now() - timedelta(minutes=11)
    said = await desk.said(ADMIN, OPS, "/channel C01 weight 1", date=int(late.timestamp()))
    assert said.screen == "stale_money"


async def test_a_channel_is_switched_by_words_and_by_buttons(desk: Desk) -> None:
    said = await desk.said(ADMIN, OPS, "通道 C01 关")
    assert (said.screen, said.facts["before"], said.facts["after"]) == (
        "channel_turned",
        "on",
        "off",
    )
    card = await desk.said(ADMIN, ADMIN, "/channel C01")
    on, archive = button_data(card), button_data(card, 1)
    assert await desk.press(FINANCE, FINANCE, archive) == []
    assert "通道" in desk.toast
    assert desk.line.answers[-1].show_alert
    card = one_say(await desk.press(ADMIN, ADMIN, on, message_id=80))
    assert (card.edit_message_id, card.facts["channel"]["state"]) == (80, "on")
    assert desk.toast == "已启用"
    assert await desk.press(ADMIN, ADMIN, on) == []  # it is on already
    assert desk.line.answers[-1].show_alert
    await desk.press(ADMIN, ADMIN, archive)
    assert (await desk.said(ADMIN, OPS, "通道")).facts["archived_count"] == 1
    gone = await desk.said(ADMIN, OPS, "通道 回收站")
    assert [line["channel_no"] for line in gone.facts["lines"]] == ["C01"]
    said = await desk.said(ADMIN, OPS, "通道 C01 权重 3")
    assert said.facts["code"] == "channel_state"
    assert "已归档" in render_say(said, "zh").html
    said = await desk.said(ADMIN, OPS, "/channel C01 restore")
    assert said.facts["after"] == "off"
    now = desk.runtime.system.clock.now()
    await desk.runtime.system.store.execute(
        "UPDATE channel SET state = 'on', paused_at = $1, paused_until = $2,"
        " paused_why = 'no answer' WHERE channel_no = 'C01'", now, now + timedelta(minutes=5),
    )  # fmt: skip
    card = await desk.said(ADMIN, OPS, "通道 C01")
    assert (card.facts["channel"]["pause"], card.facts["paused_why"]) == ("until", "no answer")
    card = one_say(await desk.press(ADMIN, OPS, button_data(card)))
    assert card.facts["channel"]["pause"] == ""
    assert (await desk.said(ADMIN, OPS, "通道 C01 恢复")).facts["code"] == "channel_not_paused"


async def test_a_channel_is_added_once_it_is_confirmed(desk: Desk) -> None:
    text = "添加通道 S01 alipay_qr 支付宝 二号 ０．６５ 100-50000 alipay_qr"
    question = await desk.said(ADMIN, OPS, text)
    shown = render_say(question, "zh").html
    for part in ("支付宝 二号", "0.65%", "100.00 – 50,000.00 CNY", "alipay_qr", "恒通支付"):
        assert part in shown
    yes, no = button_data(question), button_data(question, 1)
    assert await desk.press(OWNER, OPS, yes) == []  # somebody else
    assert desk.line.answers[-1].show_alert
    added = one_say(await desk.press(ADMIN, OPS, yes, message_id=60))
    assert (added.screen, added.edit_message_id, added.facts["channel_no"]) == (
        "channel_added", 60, "C05",
    )  # fmt: skip
    assert await desk.press(ADMIN, OPS, yes) == []
    assert await desk.press(ADMIN, OPS, no) == []
    channel = await desk.runtime.supply.channels.by_no("C05")
    assert (channel.name, channel.amount_min, channel.state) == ("支付宝 二号", 10_000, "on")
    assert "C05" in (await desk.runtime.supply.channel_sets.of("alipay_qr")).channel_nos
    question = await desk.said(OWNER, OWNER, "/channel_add S02 bank_web Bank 0.4%+0.1 any bank_web")
    dropped = one_say(await desk.press(OWNER, OWNER, button_data(question, 1)))
    assert dropped.screen == "channel_dropped"
    assert await desk.press(OWNER, OWNER, button_data(question)) == []
    assert len(await desk.runtime.supply.channels.all()) == 5


async def test_products_and_who_sells_them(desk: Desk) -> None:
    said = await desk.said(ADMIN, OPS, "产品 alipay_qr - C01")
    assert (said.facts["before"], said.facts["after"]) == (["C01", "C03"], ["C03"])
    said = await desk.said(ADMIN, OPS, "/product alipay_qr + c01")
    assert said.facts["after"] == ["C01", "C03"]
    same = await desk.said(ADMIN, OPS, "/product alipay_qr + C01")
    assert (same.screen, same.facts["same"]) == ("products", True)
    said = await desk.said(ADMIN, ADMIN, "/product M1001 alipay_qr - C03")
    assert (said.facts["own_before"], said.facts["own"], said.facts["after"]) == (
        False, True, ["C01"],
    )  # fmt: skip
    shown = await desk.said(SUPPORT, OPS, "产品 M1001")
    lines = {line["code"]: line for line in shown.facts["lines"]}
    assert (lines["alipay_qr"]["own"], lines["wechat_qr"]["own"]) == (True, False)
    assert lines["alipay_qr"]["channels"] == [{"no": "C01", "on": True}]
    card = await desk.said(SUPPORT, OPS, "通道 C01")
    assert card.facts["channel"]["sold"] == ["alipay_qr", "alipay_qr (M1001)"]
    said = await desk.said(ADMIN, OPS, "产品 M1001 alipay_qr = 默认")
    assert (said.facts["own"], said.facts["after"]) == (False, ["C01", "C03"])
    message = desk.message(ADMIN, OPS, text="产品 wechat_qr 关")
    await desk.feed(message=message)
    assert one_say(await desk.news()).screen == "product_turned"
    await desk.feed(message=message)
    assert await desk.news() == []
    assert (await desk.said(ADMIN, OPS, "产品 wechat_qr 关")).facts["same"]
    assert "wechat_qr" not in (await desk.runtime.supply.market.now()).products
    await desk.said(ADMIN, OPS, "/product wechat_qr on")
    said = await desk.said(ADMIN, OPS, "/product M1001 bank_web off")
    assert (said.screen, said.facts["merchant_no"]) == ("product_turned", "M1001")
    shown = await desk.said(SUPPORT, OPS, "/products M1001")
    assert [line["code"] for line in shown.facts["lines"] if line["not_open"]] == ["bank_web"]
    assert (await desk.said(ADMIN, OPS, "/product M1001 bank_web on")).screen == "product_turned"


async def test_a_product_is_made_named_archived_and_restored(desk: Desk) -> None:
    message = desk.message(ADMIN, OPS, text="添加产品 card_web 银行卡 | Bank card")
    await desk.feed(message=message)
    made = one_say(await desk.news())
    assert (made.screen, made.facts["product_code"]) == ("product_added", "card_web")
    assert "银行卡 | Bank card" in render_say(made, "zh").html
    await desk.feed(message=message)  # delivered twice, made once
    assert await desk.news() == []
    said = await desk.said(ADMIN, OPS, "/product_add card_web 卡 | Card")
    assert said.facts["code"] == "product_exists"
    assert "card_web" in (await desk.runtime.supply.market.now()).products
    said = await desk.said(ADMIN, ADMIN, "产品 card_web 名称 储蓄卡 | Debit card")
    assert said.facts["before"] == {"name_zh": "银行卡", "name_en": "Bank card"}
    assert said.facts["after"] == {"name_zh": "储蓄卡", "name_en": "Debit card"}
    assert (await desk.said(ADMIN, OPS, "/product card_web name 储蓄卡|Debit card")).facts["same"]
    shown = await desk.said(SUPPORT, OPS, "产品")
    assert "储蓄卡" in render_say(shown, "zh").html
    assert not shown.facts["may_make"]
    said = await desk.said(ADMIN, OPS, "产品 card_web 归档")
    assert (said.screen, said.facts["move"]) == ("product_turned", "archive")
    assert "card_web" not in (await desk.runtime.supply.market.now()).products
    shown = await desk.said(ADMIN, ADMIN, "产品")
    assert "card_web" not in [line["code"] for line in shown.facts["lines"]]
    assert (shown.facts["archived_count"], shown.facts["may_make"]) == (1, True)
    gone = await desk.said(ADMIN, OPS, "/products archived")
    assert [line["code"] for line in gone.facts["lines"]] == ["card_web"]
    assert (await desk.said(ADMIN, OPS, "/product card_web archive")).facts["archived"]
    assert (await desk.said(ADMIN, OPS, "/product card_web on")).facts["code"] == "product_state"
    said = await desk.said(ADMIN, OPS, "产品 card_web 还原")
    assert "还原" in render_say(said, "zh").html
    assert (await desk.runtime.supply.channels.products.all())["card_web"].state == "off"
    trail = await desk.runtime.system.store.fetch(
        "SELECT action, actor, facts FROM audit WHERE action LIKE 'product_%' ORDER BY at"
    )
    assert [row["action"] for row in trail] == [
        "product_added", "product_named", "product_turned", "product_turned",
    ]  # fmt: skip
    assert {row["actor"] for row in trail} == {f"telegram:{ADMIN}"}
    assert trail[-1]["facts"] == {
        "product_code": "card_web", "before": "archived", "after": "off",
    }  # fmt: skip


async def test_a_product_is_made_step_by_step_in_private(desk: Desk) -> None:
    owner = await employed(desk)
    shown = await desk.said(owner, owner, "产品")
    asked = one_say(await desk.press(owner, owner, button_data(shown)))
    assert (asked.screen, asked.facts["step"]) == ("product_question", "code")
    assert (await desk.said(owner, owner, "M1001")).facts["code"] == "product_invalid"
    assert (await desk.said(owner, owner, "alipay_qr")).facts["code"] == "product_exists"
    assert (await desk.said(owner, owner, "Card_Web")).facts["step"] == "name_zh"
    assert (await desk.said(owner, owner, "名" * 41)).facts["code"] == "product_invalid"
    asked = await desk.said(owner, owner, "银行卡")
    assert (asked.facts["step"], asked.facts["code"]) == ("name_en", "card_web")
    assert (await desk.said(owner, owner, "Bank card")).screen == "product_added"
    product = (await desk.runtime.supply.channels.products.all())["card_web"]
    assert (product.name_zh, product.name_en, product.state) == ("银行卡", "Bank card", "on")
    assert await desk.say(owner, owner, "Bank card") == []
    asked = await desk.said(owner, owner, "/product_add")
    ended = one_say(await desk.press(owner, owner, button_data(asked)))
    assert ended.screen == "dialogue_ended"


async def test_why_tells_who_would_take_it_and_why_not_the_others(desk: Desk, shop: Shop) -> None:
    said = await desk.said(SUPPORT, OPS, "路由 M1001 alipay_qr 100")
    assert [one["channel_no"] for one in said.facts["ranked"]] == ["C01", "C03"]
    await desk.runtime.supply.channels.turn("C01", "off", SCRIPT)
    said = await desk.said(SUPPORT, OPS, "/why M1001 alipay_qr 2万")
    assert said.facts["ranked"] == []
    html = render_say(said, "zh").html
    assert "已停用" in html
    assert "最多 10,000.00" in html
    said = await desk.said(SUPPORT, SUPPORT, "/why alipay_qr 100 test")
    assert (said.facts["mode"], said.facts["merchant_no"]) == ("test", "")
    await desk.said(ADMIN, OPS, "/product M1001 alipay_qr off")
    assert (await desk.said(SUPPORT, OPS, "/why M1001 alipay_qr 100")).facts["not_open"]


async def test_what_became_of_an_order_is_for_staff_alone(desk: Desk, order: Order) -> None:
    await desk.runtime.system.store.settle()
    attempts = await get_attempts(desk.runtime.system.store, order.merchant_id, order.id)
    why, log = f"card:why:{order.id.hex}", f"card:log:{order.id.hex}"
    said = one_say(await desk.press(SUPPORT, OPS, why, message_id=50))
    assert (said.screen, said.reply_to) == ("order_why", 50)
    seqs = [line["seq"] for line in said.facts["lines"] if line["seq"]]
    assert seqs == [attempt.seq for attempt in attempts]
    said = one_say(await desk.press(SUPPORT, OPS, log, message_id=50))
    assert (said.screen, len(said.facts["lines"])) == ("order_log", len(attempts))
    assert said.facts["kept_days"] == 0, "nothing of it is gone"
    assert {line["outcome"] for line in said.facts["lines"]} == {"never_sent"}
    taken = await desk.runtime.reports.exports.queue.take()
    assert taken is not None
    assert (taken.paper.what, taken.paper.order_id, taken.reply_to) == ("calls", order.id, 50)
    calls = await desk.runtime.reports.exports.calls(order.merchant_id, order.id)
    for language, word in (("zh", "签名原文"), ("en", "Signed string")):
        text = call_log(calls, language)
        assert word in text
        assert order.order_no in text
        assert attempts[0].attempt_no in text
    for data in (why, log):
        for who, where in ((SUQING, SPRUCE), (SUPPORT, SPRUCE), (BEN, SPRUCE)):
            assert await desk.press(who, where, data) == []
        assert await desk.press(SUPPORT, OPS, data[:9] + "0" * 32) == []
        assert desk.line.answers[-1].show_alert


REFUSED = (
    (SUQING, SPRUCE, "通道", "not_permitted"),
    (SUQING, SPRUCE, "/why M1001 alipay_qr 100", "not_permitted"),
    (ADMIN, SPRUCE, "通道 C01 关", "staff_only"),
    (ADMIN, HENGTONG, "/channels", "staff_only"),
    (ADMIN, NEW, "产品", "staff_only"),
    (ADMIN, SPRUCE, "添加通道 S01 a b 1% any alipay_qr", "staff_only"),
    (FINANCE, OPS, "通道 C01 权重 3", "not_permitted"),
    (OPERATOR, OPS, "产品 alipay_qr 关", "not_permitted"),
    (ADMIN, OPS, "通道 C99", "channel_not_found"),
    (ADMIN, OPS, "通道 C99 开", "channel_not_found"),
    (ADMIN, OPS, "通道 C01 开", "channel_state"),
    (ADMIN, OPS, "通道 S77", "supplier_not_found"),
    (ADMIN, OPS, "/channels gold", "product_not_found"),
    (ADMIN, OPS, "通道 C01 金额 便宜", "amount_invalid"),
    (ADMIN, OPS, "/channel C01 amount 500-100", "channel_invalid"),
    (ADMIN, OPS, "/channel C01 amount 0", "channel_invalid"),
    (ADMIN, OPS, "/channel C01 amount 100、100", "channel_invalid"),
    (ADMIN, OPS, "/channel C01 hours 9-23", "hours_invalid"),
    (ADMIN, OPS, "/channel C01 weight 1001", "channel_invalid"),
    (ADMIN, OPS, "/channel C01 weight -1", "channel_invalid"),
    (ADMIN, OPS, "/channel C01 priority high", "channel_invalid"),
    (ADMIN, OPS, "/channel C01 daycount 0", "channel_invalid"),
    (ADMIN, OPS, "/channel C01 name " + "n" * 61, "channel_invalid"),
    (ADMIN, OPS, "添加通道 S77 a b 1% any alipay_qr", "supplier_not_found"),
    (ADMIN, OPS, "添加通道 S01 a b 1% any gold", "product_not_found"),
    (ADMIN, OPS, "添加通道 S01 a b cheap any alipay_qr", "tariff_invalid"),
    (ADMIN, OPS, "添加通道 S01 a b 1% 5-1 alipay_qr", "channel_invalid"),
    (ADMIN, OPS, "产品 gold + C01", "product_not_found"),
    (ADMIN, OPS, "产品 gold 关", "product_not_found"),
    (ADMIN, OPS, "产品 alipay_qr + C99", "channel_not_found"),
    (ADMIN, OPS, "产品 alipay_qr - C02", "channel_not_in_set"),
    (ADMIN, OPS, "产品 M9999 alipay_qr 关", "merchant_not_found"),
    (ADMIN, OPS, "产品 M1002 bank_web 关", "product_unknown"),
    (ADMIN, OPS, "产品 M1001 wechat_qr - C02", "channel_set_size"),
    (OPERATOR, OPS, "产品 alipay_qr 归档", "not_permitted"),
    (OPERATOR, OPS, "添加产品 card_web 卡 | Card", "not_permitted"),
    (ADMIN, SPRUCE, "添加产品 card_web 卡 | Card", "staff_only"),
    (ADMIN, OPS, "添加产品", "private_only"),
    (ADMIN, OPS, "添加产品 gold|card 金卡 | Gold", "product_invalid"),
    (ADMIN, OPS, "添加产品 s01 金卡 | Gold", "product_invalid"),
    (ADMIN, OPS, "添加产品 alipay_qr 扫码 | QR", "product_exists"),
    (ADMIN, OPS, "产品 gold 名称 金卡 | Gold", "product_not_found"),
    (ADMIN, OPS, "产品 alipay_qr 还原", "product_state"),
    (ADMIN, OPS, "路由 M9999 alipay_qr 100", "merchant_not_found"),
    (ADMIN, OPS, "路由 M1001 gold 100", "product_not_found"),
    (ADMIN, OPS, "路由 M1001 alipay_qr 便宜", "amount_invalid"),
    (ADMIN, OPS, "路由 M1001 alipay_qr 0", "amount_invalid"),
)


async def test_refusals_write_nothing(desk: Desk) -> None:
    for user_id, chat_id, text, code in REFUSED:
        said = await desk.said(user_id, chat_id, text)
        assert (said.screen, said.facts["code"]) == ("refusal", code), text
        assert (said.only_for is not None) == (code == "not_permitted"), text
    store = desk.runtime.system.store
    assert not await store.fetchval("SELECT count(*) FROM audit")
    assert not await store.fetchval("SELECT count(*) FROM approval")
    assert await desk.say(ADMIN, OPS, "通道不通了") == []
    forged = ("chan:off:C99", "chadd:yes:" + "0" * 32, "chans:1:S77:")
    for data in forged:
        assert await desk.press(ADMIN, OPS, data) == []
        assert desk.line.answers[-1].show_alert, data
    for data in ("chan:off:C01", "chans:1::", "chan:open:C01"):
        assert await desk.press(ADMIN, SPRUCE, data) == []
        assert desk.line.answers[-1].show_alert, data


async def test_an_order_follows_what_was_set(desk: Desk, shop: Shop) -> None:
    """From the chat to the attempt: what the words say is what the next order does."""
    _, app = shop
    await desk.said(ADMIN, OPS, "产品 M1001 alipay_qr - C01")
    wanted = OpenOrder("SPRUCE-9", Money(10_000, "CNY"), "alipay_qr", "A lamp", "203.0.113.9")
    opened = await desk.runtime.trade.creation.open(app, wanted, request_id="test")
    attempts = await get_attempts(desk.runtime.system.store, app.merchant.id, opened.order.id)
    assert {attempt.channel_no for attempt in attempts} == {"C03"}
