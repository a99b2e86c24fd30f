"""A broadcast to very many groups: as quick as Telegram allows and never quicker, in nobody's way,
with those that it did not reach, and once in each though the desk dies in the middle of it."""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, Final

import aiohttp
import pytest
from aiogram import Bot

from bot.courier import Courier
from bot.loops import Crew
from bot.send_limits import Gate
from bot.world import BOT_ID, BOT_USERNAME, telegram_world
from core.delivery.outbox import Leaving, Say, Stored
from core.people.broadcasts import Broadcast, Content
from core.people.groups import Audience, BotRights
from core.runtime import Connections, Runtime, build
from core.system.pool import PoolSizes
from core.system.store import Tx
from sandbox.telegram.server import start
from tests.bot.support import TOKEN, bot_at
from tests.conftest import MASTER_KEY, PUBLIC_URL, Servers
from tests.core.support import ADMIN, CHAT, SPRUCE_STAFF
from tests.sandbox.telegram.room import Room, config
from tests.sizes import NIGHT, size

GROUPS: Final = size(120, 500)
KICKED: Final = 3
ALLOWED_PER_S: Final = 30
WORDS: Final = "for everybody"
_FIRST: Final = -1007000000001
_HANDS: Final = 40
_END_S: Final = 60.0


@asynccontextmanager
async def room_of_many(home: Path) -> AsyncIterator[Room]:
    """The demo's chats and many groups, in a sandbox on the real clock."""
    world = telegram_world()
    member = {"user_id": BOT_ID, "status": "administrator"}
    owner = {"user_id": ADMIN, "status": "creator"}
    world["chats"] += [
        {
            "id": chat_id, "type": "supergroup", "title": f"Group {chat_id}", "kind": "merchant",
            "members": [member, owner],
        }
        for chat_id in many()
    ]  # fmt: skip
    bot = {"id": BOT_ID, "username": BOT_USERNAME, "first_name": "Paydesk", "token": TOKEN}
    settings = config(home, bot=bot, world=world)
    async with start(settings, time.time) as urls, aiohttp.ClientSession() as http:
        yield Room(urls, http, None)  # type: ignore[arg-type]  # its time goes by itself


def many() -> list[int]:
    return [_FIRST - number for number in range(GROUPS)]


@pytest.fixture
async def runtime(servers: Servers, database: str) -> AsyncIterator[Runtime]:
    """The whole business, on the real clock."""
    built = await build(
        Connections(servers.desk_dsn(database), servers.valkey_url, pool=PoolSizes(front=12)),
        master_key=MASTER_KEY,
        public_url=PUBLIC_URL,
        allow_private_targets=True,
    )
    try:
        await built.system.redis.flushdb()
        yield built
    finally:
        await built.close()


class Desk:
    """What of a desk sends: it can be killed, and another one takes its place."""

    def __init__(self, runtime: Runtime, bot: Bot) -> None:
        self._runtime = runtime
        self._bot = bot
        self._tasks: list[asyncio.Task[None]] = []
        self._jobs: set[asyncio.Task[None]] = set()

    def begin(self) -> None:
        courier = Courier(self._runtime, self._bot, group_per_min=18)

        async def take(hands: int) -> Sequence[Any]:
            return [self._kept(job) for job in await courier.take(hands)]

        self._crew = Crew("courier", take, hands=_HANDS, idle_s=0.2)
        self._crew.start()
        self._feeder = asyncio.create_task(self._feed())

    def _kept(self, job: Any) -> Any:
        async def run() -> None:
            task = asyncio.current_task()
            assert task is not None
            self._jobs.add(task)
            try:
                await job()
            finally:
                self._jobs.discard(task)

        return run

    async def _feed(self) -> None:
        while True:
            await self._runtime.people.broadcast_delivery.go_on(50)
            await asyncio.sleep(0.25)

    async def kill(self) -> None:
        """What it does ends where it stands; nobody is told."""
        self._feeder.cancel()
        for job in list(self._jobs):
            job.cancel()
        await asyncio.gather(self._feeder, *self._jobs, return_exceptions=True)
        await self._crew.stop()


class Probe:
    """Somebody asks something five times in a second: how long that takes to be answered."""

    def __init__(self, runtime: Runtime) -> None:
        self._runtime = runtime
        self.asked: dict[str, float] = {}
        self.took_s: list[float] = []
        self.answered_at: list[float] = []
        self.before_death = 0
        runtime.delivery.outbox.on_sent("probe", self._keep)

    async def ask(self) -> None:
        said = Stored("refusal", {"code": "order_not_found", "facts": {"number": "P1"}, "line": 0})
        outbox, store = self._runtime.delivery.outbox, self._runtime.system.store
        while True:
            for chat_id in many()[::7]:
                number = str(len(self.asked))
                self.asked[f"{chat_id}:{number}"] = time.monotonic()
                await outbox.say(
                    store, chat_id, Say(said, keeper="probe", ref=f"{chat_id}:{number}")
                )
                await asyncio.sleep(0.2)

    async def _keep(self, _: Tx, leaving: Leaving, message_ids: Sequence[int]) -> None:
        assert isinstance(leaving.fact, Say)
        self.answered_at.append(time.time())
        self.took_s.append(time.monotonic() - self.asked[leaving.fact.ref])


@pytest.mark.timeout(size(60, 300))
async def test_very_many_groups_get_it_once_and_nobody_waits(
    runtime: Runtime, tmp_path: Path
) -> None:
    async with room_of_many(tmp_path / "telegram") as room, bot_at(room.urls["api"]) as bot:
        await room.control("strict", {"edits_count": True, "chat_closes": True})
        bot.session.middleware(Gate(runtime.delivery.outbox.chats))
        broadcast = await send(runtime, room)
        for chat_id in many()[:KICKED]:
            await room.control("member", {"chat_id": chat_id, "status": "kicked"})
        probe, desk = Probe(runtime), Desk(runtime, bot)
        asking = asyncio.create_task(probe.ask())
        desk.begin()
        await until_sent(runtime, broadcast, GROUPS * 2 // 3)
        per_s = await rate(runtime, broadcast, probe.answered_at)
        asking.cancel()
        probe.before_death = len(probe.took_s)
        await desk.kill()
        desk = Desk(runtime, bot)
        desk.begin()
        await until_over(runtime, broadcast)
        await desk.kill()

        view = await runtime.people.broadcasts.view(broadcast.id)
        assert view is not None
        assert (view.counts.sent, view.counts.failed) == (GROUPS - KICKED, KICKED)
        assert len(view.failures) == KICKED
        there = [(await room.transcript(chat_id)) for chat_id in many()[KICKED:]]
        copies = Counter(sum(m["text"] == WORDS for m in messages) for messages in there)
        state = await room.read("state")
        # Whoever asked as the desk died waited for the next one, and not for the broadcast.
        waits_s = sorted(probe.took_s[: probe.before_death])
        p95_s = waits_s[int(len(waits_s) * 0.95)]
        assert copies == {1: GROUPS - KICKED}
        assert state["too_many_requests"] == 0
        assert p95_s <= 3.0
        if NIGHT:
            assert per_s >= 0.95 * ALLOWED_PER_S


async def send(runtime: Runtime, room: Room) -> Broadcast:
    """Somebody sends what stands in a chat to very many."""
    said = await room.control("act", {"as": SPRUCE_STAFF, "chat_id": CHAT, "text": WORDS})
    for chat_id in many():
        await runtime.people.groups.seen(
            chat_id, chat_type="supergroup", title=f"Group {chat_id}", bot_status="administrator",
            rights=BotRights(may_post=True), added_by=ADMIN,
        )  # fmt: skip
    await runtime.system.store.execute("DELETE FROM outbox")
    actor = await runtime.people.access.actor(ADMIN, "x", ADMIN, private=True)
    content = Content(CHAT, said["message_id"], "text", WORDS)
    audience = Audience("picked", chat_ids=tuple(many()))
    draft = await runtime.people.broadcasts.draft(actor, content, audience)
    return await runtime.people.broadcasts.send(actor, draft.id)


async def until_sent(runtime: Runtime, broadcast: Broadcast, most: int) -> None:
    async with asyncio.timeout(_END_S):
        while True:
            view = await runtime.people.broadcasts.view(broadcast.id)
            if view is not None and view.counts.sent >= most:
                return
            await asyncio.sleep(0.1)


async def until_over(runtime: Runtime, broadcast: Broadcast) -> None:
    """And until a twin, where whoever sent one died before the answer, is taken away."""
    async with asyncio.timeout(_END_S):
        while True:
            view = await runtime.people.broadcasts.view(broadcast.id)
            waiting = (await runtime.delivery.outbox.backlog()).keys() & {"waiting", "taken"}
            if view is not None and view.broadcast.state == "done" and not waiting:
                return
            await asyncio.sleep(0.1)


async def rate(runtime: Runtime, broadcast: Broadcast, answered_at: Sequence[float]) -> float:
    """How many leave in a second, answers as well, once the first second is over."""
    rows = await runtime.system.store.fetch(
        "SELECT extract(epoch FROM done_at)::float AS at FROM broadcast_target"
        " WHERE broadcast_id = $1 AND state = 'sent'",
        broadcast.id,
    )
    sent_at = sorted([row["at"] for row in rows] + list(answered_at))
    later = [at for at in sent_at if at >= sent_at[0] + 1]
    return (len(later) - 1) / float(later[-1] - later[0])
