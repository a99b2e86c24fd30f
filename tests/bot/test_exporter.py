"""Pictures and files arrive: built, sent, sent again by their id, and built again after a crash."""

from __future__ import annotations

import asyncio
import gc
import json
import os
import sys
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from aiogram import Bot

from bot.courier import Courier
from bot.exporter import Exporter, Upload
from bot.file_builder import Limits
from bot.send_limits import Budget, Gate
from bot.world import BOT_ID
from core.delivery.outbox import SAID, Say, TakeAway
from core.kernel.days import Days
from core.kernel.money import Money
from core.parties.merchants import App, Merchant
from core.reports.exports import QUEUE, Paper
from core.reports.order_lists import OrderFilter
from core.runtime import Runtime
from core.trade.orders import OpenOrder
from handlers.files.chart import export_progress
from tests.bot.busy import busy_day, locked, stuck
from tests.bot.support import Telegram
from tests.conftest import Servers
from tests.core.support import CHAT, FINANCE, OPS_CHAT, OWNER, SetClock, facts
from tests.demo import ROOT, START_S, eventually

ORDERS = 12
BASIC = -555


@pytest.fixture
async def exporter(runtime: Runtime, bot: Bot) -> Exporter:
    return Exporter(runtime, bot, group_per_min=18)


async def ask(
    runtime: Runtime, merchant: Merchant, what: str, *, chat_id: int = CHAT,
    reply_to: int | None = None, **more: Any,
) -> None:  # fmt: skip
    day = await runtime.reports.bills.open_day(merchant.id)
    actor = await runtime.people.access.actor(OWNER, "x", chat_id, private=False)
    if what == "list":
        listed = runtime.reports.order_lists.seen(actor, OrderFilter(Days.one(day), "CNY"))
        paper = Paper.of_list(listed, "Asia/Shanghai")
    else:
        paper = Paper(what, "m", merchant.id, Days.one(day), **more)  # type: ignore[arg-type]
    await runtime.reports.exports.ask(actor, [paper], reply_to=reply_to)


async def sent(telegram: Telegram, chat_id: int = CHAT) -> list[dict[str, Any]]:
    return [m for m in await telegram.transcript(chat_id) if m["from"].get("id") == BOT_ID]


async def taken_away(runtime: Runtime, chat_id: int) -> list[int]:
    """The messages of ours that are to be deleted there."""
    told = await facts(runtime, chat_id)
    return [fact.message_id for fact in told if isinstance(fact, TakeAway)]


async def states(runtime: Runtime) -> list[tuple[str, str | None]]:
    rows = await runtime.system.store.fetch("SELECT state, file_id FROM export ORDER BY created_at")
    return [(row["state"], row["file_id"]) for row in rows]


async def test_files_and_charts_are_sent_and_then_sent_by_their_id(
    runtime: Runtime, exporter: Exporter, telegram: Telegram, shop: tuple[Merchant, App]
) -> None:
    await ask(runtime, shop[0], "excel")
    await ask(runtime, shop[0], "csv", table="days")
    await ask(runtime, shop[0], "chart")
    while await exporter.batch():
        pass
    first = await states(runtime)
    assert [state for state, _ in first] == ["sent"] * 3
    assert all(file_id for _, file_id in first)
    marks = [m["text"][0] for m in await sent(telegram)]
    assert [mark for mark in marks if mark != "⏳"] == ["📄", "📄", "📈"]
    await ask(runtime, shop[0], "excel")
    assert await exporter.batch() == 1
    assert (await states(runtime))[-1] == first[0]
    assert await exporter.batch() == 0


async def test_a_list_is_sent_by_its_id_until_a_line_of_it_changes(
    runtime: Runtime, exporter: Exporter, telegram: Telegram, clock: SetClock,
    shop: tuple[Merchant, App],
) -> None:  # fmt: skip
    await busy_day(runtime, clock, shop[0], ORDERS)
    for place in range(3):
        if place == 2:
            wanted = OpenOrder("LATER", Money(10_000, "CNY"), "alipay_qr", "x", "203.0.113.9")
            await runtime.trade.creation.open(shop[1], wanted, request_id="test")
        await ask(runtime, shop[0], "list")
        assert await exporter.batch() == 1
    (first, file_id), again, (state, other_id) = await states(runtime)
    assert (first, state) == ("sent", "sent")
    assert again == (first, file_id)
    assert other_id not in ("", None, file_id)
    files = [m["text"] for m in await sent(telegram) if m["files"]]
    assert len(files) == 3
    assert all(text.startswith("📄") and "订单" in text for text in files)


async def test_a_chart_is_replaced_in_its_place(
    runtime: Runtime, exporter: Exporter, telegram: Telegram, shop: tuple[Merchant, App]
) -> None:
    await ask(runtime, shop[0], "chart")
    await exporter.batch()
    (posted,) = await sent(telegram)
    actor = await runtime.people.access.actor(OWNER, "x", CHAT, private=False)
    paper = Paper("chart", "m", shop[0].id, Days.one(date(2026, 1, 2)))
    await runtime.reports.exports.ask(actor, [paper], reply_to=None, replaces=posted["id"])
    await exporter.batch()
    (edited,) = await sent(telegram)
    assert edited["id"] == posted["id"]
    assert edited["edited"]


async def test_a_fault_of_telegram_is_tried_again_and_a_dead_builder_is_replaced(
    runtime: Runtime, exporter: Exporter, telegram: Telegram, clock: SetClock,
    shop: tuple[Merchant, App],
) -> None:  # fmt: skip
    await telegram.fault("500", method="sendDocument")
    await ask(runtime, shop[0], "excel")
    await exporter.batch()
    assert (await states(runtime))[0][0] == "waiting"
    clock.advance(3)
    killed = await runtime.reports.exports.queue.take()  # and nobody ever hears of it again
    assert killed is not None
    assert await exporter.batch() == 0
    clock.advance(QUEUE.lease.total_seconds() + 1)
    assert await exporter.batch() == 1
    assert (await states(runtime))[0][0] == "sent"


async def test_a_file_whose_answer_was_lost_is_there_once(
    runtime: Runtime, exporter: Exporter, bot: Bot, telegram: Telegram, clock: SetClock,
    shop: tuple[Merchant, App],
) -> None:  # fmt: skip
    await runtime.system.store.execute("DELETE FROM outbox")
    asked = await telegram.room.say("账单文件", chat_id=CHAT, text_as=FINANCE)
    await telegram.fault("lost_answer", method="sendDocument")
    await ask(runtime, shop[0], "excel", reply_to=asked)
    await exporter.batch()
    await telegram.room.say("and?", chat_id=CHAT, text_as=FINANCE)
    clock.advance(3)
    await exporter.batch()
    courier = Courier(runtime, bot, group_per_min=18)
    for job in await courier.take(10):
        await job()
    files = [m for m in await sent(telegram) if m["text"].startswith("📄")]
    shown = await runtime.system.store.fetchval(
        "SELECT message_id FROM export WHERE state = 'sent'"
    )
    assert [file["id"] for file in files] == [shown]


@pytest.mark.parametrize("what", ["excel", "chart", "list"])
async def test_what_was_asked_for_is_not_sent_where_others_read_by_now(
    runtime: Runtime, exporter: Exporter, telegram: Telegram, shop: tuple[Merchant, App], what: str
) -> None:
    other = await runtime.parties.merchants.by_no("M1002")
    await ask(runtime, shop[0], what)  # of M1001, in its group
    await ask(runtime, shop[0], what, chat_id=OPS_CHAT)  # with what no merchant may see
    async with runtime.system.store.transaction() as tx:
        for chat_id, merchant_id in ((CHAT, other.id), (OPS_CHAT, shop[0].id)):
            await runtime.people.groups.unbind(tx, chat_id)
            await runtime.people.groups.bind_merchant(tx, chat_id, merchant_id)
    while await exporter.batch():
        pass
    assert await sent(telegram) + await sent(telegram, OPS_CHAT) == []
    assert [state for state, _ in await states(runtime)] == ["failed"] * 2


async def test_an_upload_that_is_given_up_leaves_no_file_open(bot: Bot, tmp_path: Path) -> None:
    """A pipe is opened once it has a writer: then, and before that is known, it is given up."""
    pipe = tmp_path / "M1001.xlsx"
    os.mkfifo(pipe)

    async def writer() -> int:
        try:
            return os.open(pipe, os.O_WRONLY | os.O_NONBLOCK)
        except OSError:  # nobody reads
            return 0

    reading = asyncio.create_task(anext(Upload(pipe).read(bot)))
    descriptor = await eventually(writer, what="the file is being opened")
    reading.cancel()
    await asyncio.gather(reading, return_exceptions=True)
    os.close(descriptor)

    async def closed() -> bool:
        descriptor = await writer()
        if descriptor:
            os.close(descriptor)
        return descriptor == 0

    await eventually(closed, what="the file is closed")
    gc.collect()  # what the garbage collector has to close is complained of


async def test_an_upload_is_the_whole_file(bot: Bot, tmp_path: Path) -> None:
    content = bytes(range(256)) * 10_000
    (tmp_path / "M1001.xlsx").write_bytes(content)
    upload = Upload(tmp_path / "M1001.xlsx")
    for _ in range(2):
        assert b"".join([chunk async for chunk in upload.read(bot)]) == content


class Pauses:
    """Waits until the test says so. asked: how long it was to wait, each time."""

    def __init__(self) -> None:
        self.asked: list[float] = []
        self._go_on = asyncio.Semaphore(0)

    async def __call__(self, seconds: float) -> None:
        self.asked.append(seconds)
        await self._go_on.acquire()

    async def over(self, number: int) -> None:
        """End the wait of this number, and wait for the next one to begin."""
        await self.begun(number)
        self._go_on.release()
        await self.begun(number + 1)

    async def begun(self, number: int) -> None:
        async def begun() -> bool:
            return len(self.asked) >= number

        await eventually(begun, what=f"pause {number}")


async def test_progress_is_shown_after_two_seconds_and_edited_every_three(
    runtime: Runtime, bot: Bot, telegram: Telegram, clock: SetClock, servers: Servers,
    database: str, shop: tuple[Merchant, App],
) -> None:  # fmt: skip
    await busy_day(runtime, clock, shop[0], ORDERS)
    await ask(runtime, shop[0], "excel", chat_id=OPS_CHAT)
    pauses = Pauses()
    work = asyncio.create_task(Exporter(runtime, bot, group_per_min=18, pause=pauses).batch())
    async with locked(servers, database, "resolution"):
        async with locked(servers, database, "attempt"):
            await stuck(runtime, "attempt")
            await pauses.begun(1)
            assert await sent(telegram, OPS_CHAT) == []
            await pauses.over(1)
            (shown,) = await sent(telegram, OPS_CHAT)
            assert shown["text"] == export_progress(0, ORDERS, "zh")
        await stuck(runtime, "resolution")
        await pauses.over(2)
        (edited,) = await sent(telegram, OPS_CHAT)
        assert (edited["id"], edited["text"]) == (
            shown["id"],
            export_progress(ORDERS, ORDERS, "zh"),
        )
        await pauses.over(3)  # nothing new to say
        assert await sent(telegram, OPS_CHAT) == [edited]
    assert await work == 1
    assert pauses.asked == [2.0, 3.0, 3.0, 3.0]
    _, file = await sent(telegram, OPS_CHAT)
    assert file["id"] != shown["id"]
    assert await taken_away(runtime, OPS_CHAT) == [shown["id"]]
    assert [state for state, _ in await states(runtime)] == ["sent"]


async def test_a_busy_group_is_spared_the_progress(
    runtime: Runtime, bot: Bot, telegram: Telegram, clock: SetClock, servers: Servers,
    database: str, shop: tuple[Merchant, App],
) -> None:  # fmt: skip
    await busy_day(runtime, clock, shop[0], ORDERS)
    budget = Budget(runtime.system.throttle, 18)
    for _ in range(10):
        await budget.take(CHAT, SAID)
    await ask(runtime, shop[0], "excel")
    pauses = Pauses()
    work = asyncio.create_task(Exporter(runtime, bot, group_per_min=18, pause=pauses).batch())
    async with locked(servers, database, "completion"):
        await stuck(runtime, "completion")
        await pauses.over(1)
        assert await sent(telegram) == []
    assert await work == 1
    assert [m["text"][0] for m in await sent(telegram)] == ["📄"]


async def test_a_closed_chat_gets_its_file_later(
    runtime: Runtime, exporter: Exporter, bot: Bot, telegram: Telegram, clock: SetClock,
    shop: tuple[Merchant, App],
) -> None:  # fmt: skip
    bot.session.middleware(Gate(runtime.delivery.outbox.chats))
    await runtime.delivery.outbox.chats.close(CHAT, 20)
    await ask(runtime, shop[0], "excel")
    assert await exporter.batch() == 1
    assert await exporter.batch() == 0
    assert await states(runtime) == [("waiting", None)]
    clock.advance(21)
    assert await exporter.batch() == 1
    assert await runtime.system.store.fetchval("SELECT tries FROM export WHERE state = 'sent'") == 1


async def test_a_short_build_shows_no_progress(
    runtime: Runtime, bot: Bot, telegram: Telegram, shop: tuple[Merchant, App]
) -> None:
    pauses = Pauses()
    await ask(runtime, shop[0], "excel")
    await Exporter(runtime, bot, group_per_min=18, pause=pauses).batch()
    assert pauses.asked in ([], [2.0])
    assert len(await sent(telegram)) == 1


@pytest.mark.parametrize(
    ("limits", "code"),
    [(Limits(rows=ORDERS - 1), "export_too_large"), (Limits(size_bytes=1), "export_too_big")],
)
async def test_what_does_not_fit_is_refused_and_not_tried_again(
    runtime: Runtime, bot: Bot, telegram: Telegram, clock: SetClock,
    shop: tuple[Merchant, App], limits: Limits, code: str,
) -> None:  # fmt: skip
    await busy_day(runtime, clock, shop[0], ORDERS)
    exporter = Exporter(runtime, bot, group_per_min=18, limits=limits)
    await ask(runtime, shop[0], "excel", reply_to=7)
    assert await exporter.batch() == 1
    assert await exporter.batch() == 0
    assert await states(runtime) == [("failed", None)]
    assert await sent(telegram) == []
    said = [f for f in await facts(runtime, CHAT) if isinstance(f, Say) and f.screen == "refusal"]
    assert [(say.facts["code"], say.reply_to) for say in said] == [(code, 7)]
    # A workbook has an end; a table has none but what Telegram takes.
    await ask(runtime, shop[0], "csv")
    await exporter.batch()
    assert (await states(runtime))[-1][0] == ("sent" if code == "export_too_large" else "failed")


async def test_a_list_that_is_too_long_is_refused_with_what_to_do(
    runtime: Runtime, bot: Bot, clock: SetClock, shop: tuple[Merchant, App]
) -> None:
    await busy_day(runtime, clock, shop[0], ORDERS)
    exporter = Exporter(runtime, bot, group_per_min=18, limits=Limits(rows=ORDERS - 1))
    await ask(runtime, shop[0], "list", reply_to=7)
    assert [await exporter.batch() for _ in range(2)] == [1, 0]
    assert await states(runtime) == [("failed", None)]
    said = [f for f in await facts(runtime, CHAT) if isinstance(f, Say) and f.screen == "refusal"]
    assert [(say.facts["code"], say.reply_to) for say in said] == [("list_too_large", 7)]


async def test_what_is_just_small_enough_is_sent(
    runtime: Runtime, bot: Bot, clock: SetClock, shop: tuple[Merchant, App]
) -> None:
    await busy_day(runtime, clock, shop[0], ORDERS)
    await ask(runtime, shop[0], "excel")
    await Exporter(runtime, bot, group_per_min=18, limits=Limits(rows=ORDERS)).batch()
    assert [state for state, _ in await states(runtime)] == ["sent"]


async def test_a_group_that_moved_gets_its_file(
    runtime: Runtime, exporter: Exporter, telegram: Telegram, shop: tuple[Merchant, App]
) -> None:
    members = [
        {"user_id": FINANCE, "status": "creator"}, {"user_id": BOT_ID, "status": "administrator"}
    ]  # fmt: skip
    basic = {"id": BASIC, "type": "group", "title": "Basic", "members": members}
    await telegram.room.control("chat", {"create": basic})
    await runtime.people.groups.seen(
        BASIC, chat_type="group", title="Basic", bot_status="administrator"
    )
    async with runtime.system.store.transaction() as tx:
        await runtime.people.groups.bind_merchant(tx, BASIC, shop[0].id)
    await ask(runtime, shop[0], "excel", chat_id=BASIC, reply_to=1)
    answer = await telegram.room.control("chat", {"chat_id": BASIC, "migrate": True})
    while await exporter.batch():
        pass
    assert len(await sent(telegram, answer["chat_id"])) == 1
    row = await runtime.system.store.fetchrow("SELECT state, chat_id, reply_to, tries FROM export")
    assert row is not None
    assert tuple(row) == ("sent", answer["chat_id"], None, 1)
    moved = await runtime.people.groups.find(answer["chat_id"])
    assert moved is not None
    assert moved.merchant_ids == (shop[0].id,)


async def test_a_kill_in_the_middle_is_built_again_and_sent_once(
    runtime: Runtime, exporter: Exporter, telegram: Telegram, clock: SetClock, servers: Servers,
    database: str, shop: tuple[Merchant, App], tmp_path: Path,
) -> None:  # fmt: skip
    await busy_day(runtime, clock, shop[0], ORDERS)
    await ask(runtime, shop[0], "excel", chat_id=OPS_CHAT)
    given = {"database_url": servers.desk_dsn(database), "redis_url": servers.valkey_url,
             "api": telegram.api, "now": clock.now().isoformat()}  # fmt: skip
    async with locked(servers, database, "completion"):
        child = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "tests.bot.exports", cwd=ROOT, stdin=asyncio.subprocess.PIPE,
            env={**os.environ, "TMPDIR": str(tmp_path)},  # its folder outlives it
        )  # fmt: skip
        assert child.stdin is not None
        child.stdin.write(json.dumps(given).encode() + b"\n")
        await stuck(runtime, "completion", timeout_s=START_S)  # a process starts first

        async def shown() -> bool:
            return bool(await runtime.system.store.fetchval("SELECT message_id FROM export"))

        await eventually(shown, what="the progress is shown and remembered")
        child.kill()
        await child.wait()
    (progress,) = await sent(telegram, OPS_CHAT)
    assert progress["text"].startswith("⏳")
    assert await exporter.batch() == 0  # the lease has not ended
    clock.advance(QUEUE.lease.total_seconds() + 1)
    assert [await exporter.batch() for _ in range(2)] == [1, 0]
    _, file = await sent(telegram, OPS_CHAT)
    assert file["id"] != progress["id"]
    assert await taken_away(runtime, OPS_CHAT) == [progress["id"]]
    assert await runtime.system.store.fetchval("SELECT tries FROM export WHERE state = 'sent'") == 2
