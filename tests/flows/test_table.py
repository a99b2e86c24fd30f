"""What people say at a desk, row by row as its table of commands has it, over real HTTP: each is
said by somebody who may, where they may, and the answer is read as a person reads it.

Rows with a story of their own are told elsewhere: binding, completing, refunding in `test_chat`,
pictures and 催单 in `test_enquiry`, test orders in `test_trial`, broadcasts in `test_broadcast`, a
merchant and a supplier from nothing in `test_opening`.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from typing import Any

from bot.world import BOT_ID
from tests.demo import DemoDesk, eventually
from tests.flows.test_chat import button

MEMBERS = ("owner", "admin", "finance", "operator", "merchant_staff", "supplier_staff")
# (who says it, what, words of the answer)
Row = tuple[str, str, tuple[str, ...]]

MONEY: tuple[Row, ...] = (
    ("admin", "设置操作员 {suqing}", ("苏青", "已设为本群操作员", "M1001")),
    ("admin", "操作员名单", ("本群操作员", "苏青")),
    ("finance", "设置汇率 7.2", ("1 USDT = 7.2",)),
    ("finance", "+100u", ("预付 +720.00", "100.00 USDT × 7.2")),
    ("finance", "/prepay 10.50 备用", ("预付 +10.50", "备注 备用")),
    ("finance", "－７３０．５０ 收回", ("收回预付 -730.50", "备注 收回")),
    ("finance", "调账 M1001 -0.20 手续费有误", ("调账 -0.20", "手续费有误")),
    ("merchant_staff", "预付历史", ("预付", "+720.00", "-730.50")),
    ("merchant_staff", "预付明细 昨天", ("预付",)),
)
READING: tuple[Row, ...] = (
    ("admin", "设置操作员 {suqing}", ("苏青", "已设为本群操作员")),
    ("merchant_staff", "查询余额", ("云杉商城", "M1001")),
    ("merchant_staff", "产品费率", ("alipay_qr", "1.2%")),
    ("merchant_staff", "今日跑量", ("支付宝扫码",)),
    ("merchant_staff", "成功率", ("成功率", "支付宝扫码")),
    ("merchant_staff", "对接文档", ("M1001", "pdk_live_")),
)
FIGURES: tuple[Row, ...] = (
    ("admin", "设置操作员 {suqing}", ("苏青", "已设为本群操作员")),
    ("merchant_staff", "昨日账单", ("账单", "期初", "期末")),
    ("merchant_staff", "/bill this month", ("账单", "期初", "期末")),
    ("merchant_staff", "麻烦查一下 {order}，客户说付了", ("{order}", "待支付")),
    ("merchant_staff", "{order}\n{other}", ("{other}", "66.00")),
    ("merchant_staff", "商户订单号：{reference}\n金额：55.00", ("{order}", "55.00")),
    ("merchant_staff", "/order {order}", ("{order}", "待支付")),
    ("merchant_staff", "订单列表 今天 未付", ("云杉商城", "未付", "{order}", "{other}")),
    ("operator", "/orders =66 waiting alipay_qr", ("全部", "66.00", "{other}")),
    ("merchant_staff", "订单列表 近三天 已退款", ("云杉商城", "退款")),
    ("merchant_staff", "帮助", ("查单", "账单")),
    ("finance", "/help", ("+1000", "查单")),
)
SETTINGS: tuple[Row, ...] = (
    ("operator", "群信息", ("商户群", "云杉商城")),
    ("admin", "分组 重点", ("重点",)),
    ("admin", "/label 下发", ("下发",)),
    ("admin", "免打扰 23:00-08:00", ("23:00-08:00",)),
    ("admin", "/quiet off", ("不再有免打扰",)),
    ("admin", "日切 00:00", ("日切 00:00", "M1001", "未作改动")),
    ("admin", "/timezone Asia/Shanghai", ("Asia/Shanghai", "未作改动")),
    ("admin", "/lang en", ("English",)),
    ("admin", "/info", ("English",)),
    ("admin", "/lang zh", ("中文",)),
    ("admin", "设置操作员 {suqing}", ("苏青", "已设为本群操作员")),
    ("admin", "删除操作员 {suqing}", ("苏青", "不再是本群操作员")),
)
SUPPLIER: tuple[Row, ...] = (
    ("admin", "设置操作员 {zhao}", ("赵工", "已设为本群操作员")),
    ("finance", "+12.34", ("供应商回款 +12.34", "S01")),
    ("finance", "-12.34 多记", ("S01", "-12.34")),
    ("supplier_staff", "账单", ("恒通支付", "S01")),
    ("supplier_staff", "查询余额", ("恒通支付", "S01")),
    ("supplier_staff", "产品费率", ("C01", "0.65%")),
    ("supplier_staff", "订单列表 近七天 >1", ("订单", "S01 恒通支付")),
    ("supplier_staff", "/stats", ("实时统计", "S01")),
)
OPS: tuple[Row, ...] = (
    ("admin", "账单", ("平台", "全部商户", "利润")),
    ("admin", "查询余额", ("💼", "全部商户")),
    ("operator", "实时统计", ("实时统计", "商户", "通道")),
    ("finance", "/stats M1001", ("实时统计", "M1001")),
    ("finance", "订单列表 近三天 M1001 已付", ("订单", "M1001 云杉商城", "已付")),
    ("admin", "/orders yesterday over 1", ("订单", "全部商户")),
    ("operator", "补单记录", ("补单记录",)),
    ("finance", "差异单", ("差异单",)),
    ("admin", "群列表", ("群和频道",)),
    ("admin", "日切 00:00", ("平台", "日切 00:00")),
)
PRIVATE: tuple[Row, ...] = (
    ("admin", "商户", ("M1001", "M1002")),
    ("admin", "商户 M1001", ("云杉商城", "alipay_qr", "1.2%")),
    ("admin", "设置费率 M1001 alipay_qr 1.2%", ("费率已设置", "1.2% → 1.2%")),
    ("admin", "供应商", ("S01", "S02")),
    ("admin", "供应商 S01", ("恒通支付", "sandbox_md5")),
    ("admin", "对接映射", ("sandbox_md5",)),
    ("admin", "通道", ("C01", "C04")),
    ("admin", "通道 C01", ("恒通", "0.65%")),
    ("admin", "产品", ("alipay_qr", "C01")),
    ("admin", "路由 M1001 alipay_qr 100", ("C01", "C03")),
    ("owner", "运营人员", ("林悦", "陈立")),
    ("owner", "系统状态", ("Webhook", "队列")),
    ("owner", "告警", ("告警",)),
    ("owner", "审计 M1001", ("审计记录", "M1001")),
    ("owner", "设置", ("prepay_second",)),
    ("owner", "二次验证", ("补单密码",)),
    ("owner", "待审批", ("待",)),
)


async def control(desk: DemoDesk, verb: str, body: dict[str, Any]) -> dict[str, Any]:
    answer = await desk.post(f"{desk.ready['telegram']['control']}/{verb}", body)
    assert answer.status == 200, answer.body
    found: dict[str, Any] = answer.body
    return found


async def group(desk: DemoDesk, title: str, said: str, *words: str) -> int:
    """A new group, made somebody's by what an admin says there; its number."""
    members = [{"user_id": BOT_ID, "status": "administrator"}]
    members += [{"user_id": desk.user(role), "status": "member"} for role in MEMBERS]
    made = await control(
        desk, "chat", {"create": {"type": "supergroup", "title": title, "members": members}}
    )
    chat: int = made["chat_id"]
    await desk.hears(chat, *words, after=await desk.act("admin", chat, text=said))
    return chat


async def each_is_answered(
    desk: DemoDesk, rows: Iterable[Row], chat: int | None = None, **names: str
) -> None:
    """Say each where it belongs, in private where no chat is given, and hear its answer."""
    names |= {"suqing": str(desk.user("merchant_staff")), "zhao": str(desk.user("supplier_staff"))}
    for role, text, words in rows:
        where = desk.user(role) if chat is None else chat
        said = await desk.act(role, where, text=text.format(**names))
        await desk.hears(where, *(word.format(**names) for word in words), after=said)


async def until_answered(desk: DemoDesk, chat_id: int, message_id: int) -> None:
    """Until a question of the desk has no buttons any more."""

    async def answered() -> bool:
        messages = {m["id"]: m for m in await desk.transcript(chat_id)}
        return not messages[message_id]["buttons"]

    await eventually(answered, what="the question is answered")


async def test_money_and_what_it_comes_to(desk: DemoDesk) -> None:
    chat = await group(desk, "云杉 · 钱", "绑定商户 M1001", "云杉商城")
    before = (await desk.balance())["prepaid"]
    await each_is_answered(desk, MONEY, chat)
    assert (await desk.balance())["prepaid"] == before


async def test_what_a_merchant_reads_of_itself(desk: DemoDesk) -> None:
    chat = await group(desk, "云杉 · 看", "绑定商户 M1001", "云杉商城")
    await each_is_answered(desk, READING, chat)


async def test_bills_orders_and_help(desk: DemoDesk) -> None:
    chat = await group(desk, "云杉 · 单", "绑定商户 M1001", "云杉商城")
    order, other = [(await desk.create(amount=amount)).body for amount in (5500, 6600)]
    await each_is_answered(
        desk,
        FIGURES,
        chat,
        order=order["order_no"],
        other=other["order_no"],
        reference=order["merchant_order_no"],
    )
    said = await desk.act("merchant_staff", chat, text="订单列表")
    page = await desk.hears(chat, "云杉商城", order["order_no"], after=said)
    press = {"message_id": page["id"], "label": button(page, "Excel")["text"]}
    await desk.act("merchant_staff", chat, press=press)
    file = await desk.hears(chat, "📄", "订单", after=page["id"])
    assert (len(file["files"]), file["reply_to"]) == (1, page["id"])
    asked = await desk.act("operator", chat, text=f"这单 {order['order_no']} 客户急")
    await desk.hears(chat, order["order_no"], after=asked)
    said = await desk.act("operator", chat, text="查单", reply_to=asked)
    card = await desk.hears(chat, order["order_no"], "55.00", after=said)
    assert card["reply_to"] == said


async def test_what_is_set_about_a_group(desk: DemoDesk) -> None:
    chat = await group(desk, "云杉 · 设", "绑定商户 M1001", "云杉商城")
    await each_is_answered(desk, SETTINGS, chat)


async def test_somebody_asks_to_speak_for_a_merchant_whose_group_is_then_given_up(
    desk: DemoDesk,
) -> None:
    chat = await group(desk, "云杉 · 人", "绑定商户 M1001", "云杉商城")
    said = await desk.act("merchant_staff", chat, text="申请管理员")
    await desk.hears(chat, "苏青", "申请", after=said)
    card = await desk.hears(desk.chat("ops"), "苏青", "云杉 · 人")
    press = {"message_id": card["id"], "label": button(card, "批准")["text"]}
    await desk.act("admin", desk.chat("ops"), press=press)

    await until_answered(desk, desk.chat("ops"), card["id"])
    said = await desk.act("admin", chat, text="操作员名单")
    await desk.hears(chat, "本群操作员", "苏青", after=said)
    said = await desk.act("operator", chat, text="解绑")
    sure = await desk.hears(chat, "解绑", "M1001", after=said)
    press = {"message_id": sure["id"], "label": button(sure, "确认解绑")["text"]}
    await desk.act("operator", chat, press=press)
    await until_answered(desk, chat, sure["id"])
    await desk.hears(chat, "未绑定", after=await desk.act("operator", chat, text="群信息"))


async def test_a_suppliers_group(desk: DemoDesk) -> None:
    chat = await group(desk, "恒通 · 二", "绑定供应商 S01", "恒通支付")
    await each_is_answered(desk, SUPPLIER, chat)


async def test_an_ops_group(desk: DemoDesk) -> None:
    chat = await group(desk, "值班", "绑定管理群", "管理群")
    await each_is_answered(desk, OPS, chat)
    # A credit line is given by one, and taken away by two.
    said = await desk.act("finance", chat, text="授信 M1002 5万")
    await desk.hears(chat, "50,000.00", "M1002", after=said)
    said = await desk.act("finance", chat, text="授信 M1002 关")
    card = await desk.hears(chat, "50,000.00 → 关", "M1002", after=said)
    press = {"message_id": card["id"], "label": button(card, "批准")["text"]}
    await desk.act("admin", chat, press=press)
    await desk.hears(chat, "授信额度 50,000.00", "关", after=card["id"] - 1)


async def test_private_chats(desk: DemoDesk) -> None:
    said_by = [[row for row in PRIVATE if row[0] == role] for role in ("admin", "owner")]
    await asyncio.gather(*(each_is_answered(desk, rows) for rows in said_by))
    owner = desk.user("owner")
    said = await desk.act("owner", owner, text="导出配置")
    sent = await desk.hears(owner, "系统配置", after=said)
    assert len(sent["files"]) == 1
