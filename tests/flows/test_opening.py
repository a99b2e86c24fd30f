"""From an empty production database to a paid order, in the chat alone: no step by code or SQL.

Telegram is the sandbox's; the supplier is the sandbox's too, spoken to by a document that the owner
sends. Each step is what a person types or presses.
"""

from __future__ import annotations

import base64
import re
import time
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import asyncpg
import pytest
from redis.asyncio import Redis

from tests.bot.support import Telegram, sandbox_telegram
from tests.bot.test_production import Place, command, place, running
from tests.conftest import SUPPLIER_KEYS
from tests.core.support import ADMIN, CHAT, OPS_CHAT, OWNER, SandboxSupplier, sandbox_supplier
from tests.demo import ROOT, eventually

__all__ = ["place"]
HEARD_S = 45.0  # less than the minute for which keys are shown: nobody waits for that
GONE_S = 75.0
PASSWORDS = {OWNER: "seven green lanterns", ADMIN: "eight blue lanterns"}


@pytest.fixture
async def telegram(tmp_path: Path) -> AsyncIterator[Telegram]:
    """Groups and people are there; the desk knows none of them."""
    async with sandbox_telegram(tmp_path / "telegram") as started:
        yield started


@pytest.fixture
async def supplier(tmp_path: Path) -> AsyncIterator[SandboxSupplier]:
    async with sandbox_supplier(tmp_path / "supplier") as started:
        yield started


@dataclass
class Talk:
    """Speaks and presses as people do, and counts it."""

    telegram: Telegram
    said: int = 0
    pressed: int = 0
    secrets: list[str] = field(default_factory=list)
    shown: list[int] = field(default_factory=list)  # the messages that showed some

    async def say(self, user_id: int, chat_id: int, text: str, *words: str) -> dict[str, Any]:
        """Write; the first message of the bot after it that has all these words."""
        self.said += 1
        after = await self.telegram.room.say(text, chat_id=chat_id, text_as=user_id)
        return await self.hears(chat_id, *words, after=after)

    async def send(
        self, user_id: int, chat_id: int, name: str, content: bytes, *words: str
    ) -> dict[str, Any]:
        """Send a file."""
        self.said += 1
        sent = {"document": base64.b64encode(content).decode(), "file_name": name}
        answer = await self.telegram.room.control(
            "act", {"as": user_id, "chat_id": chat_id, **sent}
        )
        return await self.hears(chat_id, *words, after=int(answer["message_id"]))

    async def press(
        self, user_id: int, chat_id: int, message: dict[str, Any], label: str, *words: str
    ) -> dict[str, Any]:
        """Press a button whose label has these letters; the message that then has all the words:
        a new one, or the pressed one as it is edited."""
        self.pressed += 1
        labels = [one["text"] for row in message["buttons"] for one in row]
        (found, *_) = [one for one in labels if label in one] or [f"no {label} of {labels}"]
        press = {"message_id": message["id"], "label": found}
        await self.telegram.room.control("act", {"as": user_id, "chat_id": chat_id, "press": press})
        return await self.hears(chat_id, *words, after=message["id"] - 1)

    def keep(self, message: dict[str, Any]) -> None:
        """Keys that were shown are secrets from now on."""
        found = re.findall(r"whsec_[A-Za-z0-9+/=]+", message["text"])
        assert len(found) == 2, message["text"]
        self.secrets += found
        self.shown.append(message["id"])

    async def nowhere(self, place: Place) -> None:
        """No secret is in a table, in Redis, in a group, in a colleague's chat or in a file of the
        configuration; and those that were shown are taken away."""
        after = await self.telegram.room.say("/export_config", chat_id=OWNER, text_as=OWNER)

        async def exported() -> str | None:
            self.telegram.room.clock.unix = time.time()
            for message in await self.telegram.transcript(OWNER, after):
                for file in message["files"]:
                    return await self.content(file["file_id"])
            return None

        said = {
            "the exported configuration": await eventually(
                exported, what="a file", timeout_s=HEARD_S
            )
        }
        assert "M1001" in said["the exported configuration"]
        for chat_id in (OPS_CHAT, CHAT, ADMIN):
            said[f"chat {chat_id}"] = str(await self.telegram.transcript(chat_id))
        said |= await written(place)
        assert {"telegram_update", "outbox", "audit", "app", "factor", "supplier"} <= said.keys()
        for secret in self.secrets:
            plain = secret.removeprefix("whsec_")
            forms = {plain, plain.encode().hex(), base64.b64encode(plain.encode()).decode()}
            assert [where for where, text in said.items() if any(f in text for f in forms)] == []

        async def gone() -> bool:
            self.telegram.room.clock.unix = time.time()
            ids = {message["id"] for message in await self.telegram.transcript(OWNER)}
            return ids.isdisjoint(self.shown)

        await eventually(gone, what="the keys are taken away", timeout_s=GONE_S)

    async def content(self, file_id: str) -> str:
        room = self.telegram.room
        url = f"{room.urls['control']}/file"
        async with room.http.get(url, params={"file_id": file_id}) as answer:
            assert answer.status == 200
            return await answer.text()

    async def hears(self, chat_id: int, *words: str, after: int = 0) -> dict[str, Any]:
        async def look() -> dict[str, Any] | None:
            # The sandbox's time goes on, so that what was sent leaves its windows.
            self.telegram.room.clock.unix = time.time()
            for message in reversed(await self.telegram.transcript(chat_id, after)):
                if message["from"]["is_bot"] and all(w in message["text"] for w in words):
                    return dict(message)
            return None

        try:
            found: dict[str, Any] = await eventually(
                look, what=f"the bot says {words} in {chat_id}", timeout_s=HEARD_S
            )
        except AssertionError as error:
            last = [one["text"] for one in await self.telegram.transcript(chat_id)][-4:]
            raise AssertionError(f"{error}; last there: {last}") from error
        return found


async def written(place: Place) -> dict[str, str]:
    """Each table's rows as text, and all that is in Redis."""
    connection = await asyncpg.connect(place.settings["DATABASE_OWNER_URL"])
    try:
        tables = await connection.fetch(
            "SELECT relname FROM pg_class WHERE relnamespace = 'public'::regnamespace"
            " AND relkind IN ('r', 'p')"
        )
        said = {}
        for (table,) in tables:
            rows = await connection.fetch(f"SELECT t::text FROM {table} t")
            said[table] = "\n".join(row[0] for row in rows)
    finally:
        await connection.close()
    async with Redis.from_url(place.settings["REDIS_URL"]) as redis:
        async for key in redis.scan_iter("paydesk:*"):
            if await redis.type(key) == b"string":  # what else there is counts
                said[f"redis {key!r}"] = repr(await redis.get(key))
    return said


@pytest.mark.timeout(500)
async def test_a_business_is_opened_in_the_chat(
    place: Place, telegram: Telegram, supplier: SandboxSupplier
) -> None:
    settings = place.settings | {
        "PAYDESK_OWNER_IDS": f"{OWNER},{ADMIN}",
        "ALLOW_PRIVATE_TARGETS": "true",
    }
    place = Place(place.database, place.port, settings)
    assert await command(settings, "migrate") == (0, "the database is up to date\n")
    talk = Talk(telegram)
    # The keys and passwords of this business; its log is searched for them when it has ended.
    async with running(place, unsaid=talk.secrets):
        await open_business(talk, supplier)
        assert len(talk.secrets) == len(set(talk.secrets)) == 6
        await talk.nowhere(place)


async def open_business(talk: Talk, supplier: SandboxSupplier) -> None:
    # The ops group, and two owners who can prove who they are.
    await talk.say(OWNER, OPS_CHAT, "绑定管理群", "管理群")
    for user_id, password in PASSWORDS.items():
        card = await talk.say(user_id, user_id, "/factor", "二次验证")
        await talk.press(user_id, user_id, card, "补单密码", "请发送新的补单密码")
        await talk.say(user_id, user_id, password, "补单密码已启用")

    # What is sold.
    await talk.say(OWNER, OWNER, "添加产品 alipay_qr 支付宝扫码 | Alipay QR", "alipay_qr")

    # How the supplier is spoken to: one person sends it, another approves.
    text = (ROOT / "connectors/sandbox_md5.yaml").read_text(encoding="utf-8")
    text = text.replace("connector: sandbox_md5", "connector: hengtong")
    text = text.replace("sandbox_only: true\n", "")
    tried = await talk.send(OWNER, OWNER, "hengtong.yaml", text.encode(), "hengtong")
    await talk.press(OWNER, OWNER, tried, "提交审批", "hengtong")
    card = await talk.hears(OPS_CHAT, "hengtong v1")
    await talk.press(ADMIN, OPS_CHAT, card, "批准", "hengtong v1")
    await talk.hears(OWNER, "hengtong v1", "批准")

    # The supplier, step by step, with its credentials.
    mch_id, key = next(iter(SUPPLIER_KEYS.items()))
    await talk.say(OWNER, OWNER, "供应商 新增", "S01", "1/7")
    for step, answer in enumerate(
        ("恒通支付", "恒通支付有限公司", "Z2026000011000010", "2028-12-31"), start=2
    ):
        question = await talk.say(OWNER, OWNER, answer, f"{step}/7")
    question = await talk.press(OWNER, OWNER, question, "持牌机构", "6/7")
    question = await talk.press(OWNER, OWNER, question, "hengtong v1", "7/7")
    await talk.press(OWNER, OWNER, question, "CNY", "base_url")
    await talk.say(OWNER, OWNER, supplier.base, "mch_id")
    await talk.say(OWNER, OWNER, mch_id, "key")
    card = await talk.say(OWNER, OWNER, key, "S01", "恒通支付")
    await talk.press(OWNER, OWNER, card, "上线", "S01")
    await talk.press(ADMIN, OPS_CHAT, await talk.hears(OPS_CHAT, "S01", "上线"), "批准", "已于")

    # A channel that sells the product.
    question = await talk.say(
        OWNER,
        OWNER,
        "添加通道 S01 alipay_qr 恒通支付宝 0.65% 1-50000 alipay_qr",
        "S01",
        "alipay_qr",
    )
    await talk.press(OWNER, OWNER, question, "✅", "C01")

    # A merchant: what it is, its review by two, an app, its rate.
    question = await talk.say(OWNER, OWNER, "商户 新增", "M1001", "1/10")
    question = await talk.press(OWNER, OWNER, question, "M1001", "2/10")
    question = await talk.say(OWNER, OWNER, "云杉商城", "3/10")
    question = await talk.press(OWNER, OWNER, question, "CNY", "4/10")
    question = await talk.press(OWNER, OWNER, question, "Asia/Shanghai", "5/10")
    question = await talk.press(OWNER, OWNER, question, "00:00", "6/10")
    for step, answer in enumerate(
        ("云杉商城有限公司", "91310000MA1K00000X", "家居", "https://spruce.example"), start=7
    ):
        await talk.say(OWNER, OWNER, answer, f"{step}/10")
    card = await talk.say(OWNER, OWNER, "苏青 13800000000", "M1001", "云杉商城")
    await talk.press(OWNER, OWNER, card, "提交审核", "M1001")
    asked = await talk.hears(OPS_CHAT, "M1001", "91310000MA1K00000X")
    await talk.press(ADMIN, OPS_CHAT, asked, "批准", "已于")
    talk.keep(await talk.say(OWNER, OWNER, "商户 M1001 应用 测试 shop", "pdk_test_", "whsec_"))
    await talk.say(OWNER, OWNER, "设置费率 M1001 alipay_qr 1.2%", "1.2")

    # The merchant's group, and the first order until it is paid and booked.
    await talk.say(OWNER, CHAT, "绑定商户 M1001", "M1001")
    # A real supplier takes orders of a live app, whose keys two people give and a factor shows.
    await talk.say(OWNER, OWNER, "商户 M1001 应用 正式 till", "M1001")
    await talk.press(ADMIN, OPS_CHAT, await talk.hears(OPS_CHAT, "till"), "批准", "已于")
    ready = await talk.hears(OWNER, "till")
    await talk.press(OWNER, OWNER, ready, "查看新密钥", "补单密码")
    talk.keep(await talk.say(OWNER, OWNER, PASSWORDS[OWNER], "pdk_live_", "whsec_"))
    talk.secrets += PASSWORDS.values()
    asked = await talk.say(OWNER, OPS_CHAT, "测试下单 M1001 alipay_qr 43.21 live", "真实资金")
    await talk.press(OWNER, OPS_CHAT, asked, "确认下单", "🔎")
    calls = await talk.hears(OPS_CHAT, "🔎", "🔗")
    link = re.search(r"🔗 (\S+)", calls["text"])
    assert link is not None
    await supplier.pay(link[1], "paid")
    await talk.hears(OPS_CHAT, "43.21", "已支付")
    assert talk.said + talk.pressed < 60, "a business is opened in an evening"
