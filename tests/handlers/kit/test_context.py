"""Before a handler: who speaks, what was said, and whether it still counts."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import timedelta

import pytest
from redis.asyncio import Redis

from core.delivery.outbox import Say
from handlers import build_dispatcher
from handlers.commands import parse
from handlers.kit.intents import Changing
from tests.handlers.support import (
    ADMIN,
    OPERATOR,
    OPS,
    OWNER,
    SPRUCE,
    STRANGER,
    SUQING,
    Desk,
    kinds,
)

# One way to say each of them, where it may be said.
SAID: dict[str, int] = {
    "+1000": SPRUCE, "/adjust -20 x": SPRUCE, "/usdt 7.2": SPRUCE, "/credit 500": SPRUCE,
    "绑定商户 M1002": SPRUCE, "绑定供应商 S01": SPRUCE, "绑定管理群": OPS, "解绑": SPRUCE,
    "/daycut 06:00": SPRUCE, "/refund P12345678 20 x": SPRUCE, "/complete P12345678 x": SPRUCE,
    "/uncomplete P12345678 x": SPRUCE, "催单 P12345678": SPRUCE,
    "/rate alipay_qr 1%": SPRUCE, "/cost C01 0.6%": OPS, "/rerate alipay_qr 1% 2026-11": SPRUCE,
    "/channel C01 weight 5": OPS, "/channel C01 off": OPS,
    "添加通道 S01 alipay_qr 支付宝扫码 0.65 100-50000 alipay_qr": OPS,
    "/product alipay_qr off": OPS, "/product alipay_qr archive": OPS,
    "/product alipay_qr name 扫码 | QR": OPS, "/product_add card_web 银行卡 | Card": OPS,
    "添加产品": OWNER, "测试下单": OPS, "/test_order M1001 alipay_qr 1.00": OPS,
    "/document epay 2 approve": OPS, "/supplier new": OWNER, "/supplier S01 off it ends": OPS,
    "群发全部": OWNER, "修改群发 B12": OWNER,
    "/merchant new": OWNER, "/merchant M1001 archive": OPS, "/merchant M1001 limit #1 5": OPS,
    "/merchants": OPS,
    "设置打款地址 TR7NHqjeKQxGTCi8q8ZY4pL8otSzgjLj6t": SPRUCE,
    "/lang en": SPRUCE, "/segment VIP": SPRUCE, "/group G3 label 下发": OPS,
    "/factor reset 1002": OWNER,
    "/settings prepay_second 20000": OWNER, "/settings": OWNER, "/audit": OWNER, "/status": OWNER,
    "/start": OWNER, "/export_config": OWNER,
    "/people 1005 leave": OPS, "/hire support": OWNER, "/appoint 1102": SPRUCE,
    "/dismiss 1101": SPRUCE, "/apply": SPRUCE,
    "账单": SPRUCE, "查询余额": SPRUCE, "帮助": SPRUCE, "群信息": SPRUCE, "/usdt": SPRUCE,
    "/credit": SPRUCE, "产品费率": SPRUCE, "预付历史": SPRUCE, "差异单": OPS, "/channels": OPS,
    "/channel C01": OPS, "/products": OPS, "/suppliers": OPS, "/documents": OPS,
}  # fmt: skip


@pytest.fixture
async def without_redis(desk: Desk) -> AsyncIterator[Desk]:
    """The same desk, whose Redis nobody reaches."""
    away = Redis(host="127.0.0.1", port=1, socket_connect_timeout=1)
    runtime = replace(desk.runtime, system=replace(desk.runtime.system, redis=away))
    yield replace(
        desk, runtime=runtime, dispatcher=build_dispatcher(runtime, desk.bot, desk.reactions)
    )
    await away.aclose()


def kind_of(text: str) -> type:
    return type(parse(text))


def test_every_intent_that_changes_something_is_said_here() -> None:
    assert {kind_of(text) for text in SAID} >= kinds(Changing)


@pytest.mark.parametrize("text", SAID)
async def test_what_changes_something_is_not_carried_out_late(desk: Desk, text: str) -> None:
    late = int((desk.runtime.system.clock.now() - timedelta(minutes=11)).timestamp())
    before = await _changed(desk)
    told = await desk.say(OWNER, SAID[text], text, date=late)
    stale = [fact for fact in told if isinstance(fact, Say) and fact.screen == "stale_money"]
    assert len(stale) == issubclass(kind_of(text), Changing)
    if stale:
        assert told == stale
        assert await _changed(desk) == before
    else:
        assert told, "what only looks is answered late as well"


async def test_who_may_not_is_refused_late_as_well(desk: Desk) -> None:
    late = int((desk.runtime.system.clock.now() - timedelta(minutes=11)).timestamp())
    for text in ("+1000", "/lang en"):
        assert (await desk.said(SUQING, SPRUCE, text, date=late)).facts["code"] == "not_permitted"


async def _changed(desk: Desk) -> tuple[object, ...]:
    """What a command could leave behind, but for answers."""
    tables = ("audit", "cause", "voucher", "approval", "binding")
    store = desk.runtime.system.store
    counts = [await store.fetchval(f"SELECT count(*) FROM {table}") for table in tables]
    group = await desk.runtime.people.groups.find(SPRUCE)
    return (*counts, group)


@pytest.mark.parametrize("text", ["hello", "/help", "帮助", "+1000", "/bind M1001", "12345678"])
async def test_without_redis_a_stranger_gets_silence(without_redis: Desk, text: str) -> None:
    assert await without_redis.say(STRANGER, STRANGER, text) == []
    assert await without_redis.say(STRANGER, SPRUCE, text) == []


async def test_without_redis_staff_is_told_what_does_not_work(without_redis: Desk) -> None:
    desk = without_redis
    assert (await desk.said(OWNER, OWNER, "what is it")).facts["code"] == "dialogue_away"
    assert (await desk.said(ADMIN, ADMIN, "/supplier new")).facts["code"] == "dialogue_away"
    assert (await desk.said(OWNER, OWNER, "/cancel")).facts["code"] == "dialogue_away"
    assert (await desk.said(OPERATOR, OPERATOR, "/help")).screen == "help"
    assert (await desk.said(OPERATOR, SPRUCE, "群信息")).screen == "info"
