"""Telegram's updates: how many a second are acted on, from the first that comes to the last one.

Groups hear the answers within Telegram's limits, which takes longer and is not what is measured.
"""

from __future__ import annotations

import asyncio
import json
import statistics
import time
from collections.abc import Callable
from itertools import count
from typing import Final

from bench.figures import Figure, Round, percentile
from bench.load import HOST
from bench.orders import CONNECTIONS, FOUND, LONGEST_S, Unbooked, made, order_no
from bench.place import Measures
from bench.town import OWNER_ID
from bot.webhook import SECRET_HEADER, bot_id_of, webhook_path, webhook_secret

_LOOK_S: Final = 0.02
_FIRST_UPDATE: Final = 1_000
_WAITS: Final = "SELECT EXISTS (SELECT FROM telegram_update WHERE state = 'waiting')"


class Chats:
    """Somebody of the staff, who writes in every group in turn."""

    def __init__(self, m: Measures) -> None:
        self._m = m
        self._numbers = count(_FIRST_UPDATE)
        key = m.place.settings["MASTER_KEY"]
        bot_id = bot_id_of(m.place.settings["BOT_TOKEN"])
        self._secret = webhook_secret(key, bot_id)
        self._path = webhook_path(bot_id, self._secret)

    async def acted_on(self, what: str, say: Callable[[int], str]) -> Figure:
        """say: the line with a number. Medians of the rounds."""
        m, rounds = self._m, []
        for _ in range(m.size.rounds):
            lines = [self._update(say(n)) for n in range(m.size.items)]
            before, began_s = m.cpu(m.desk.pid), time.perf_counter()
            came = await m.fire(m.desk_port, lines, CONNECTIONS, LONGEST_S)
            await self._until_acted_on()
            wall_s, after = time.perf_counter() - began_s, m.cpu(m.desk.pid)
            took_s = tuple(answer.took_s for answer in came.answers)
            spent = (after[0] - before[0], after[1] - before[1])
            rounds.append(Round(len(lines), came.failed(FOUND), wall_s, took_s, *spent))
        return Figure(
            what,
            "per s",
            statistics.median(one.per_s for one in rounds),
            len(rounds),
            failed=sum(one.failed for one in rounds),
            p50_ms=statistics.median(percentile(one.took_s, 50) * 1000 for one in rounds),
            p99_ms=statistics.median(percentile(one.took_s, 99) * 1000 for one in rounds),
            desk_cpu_ms=statistics.median(one.server_cpu_s / one.done * 1000 for one in rounds),
            postgres_cpu_ms=statistics.median(
                one.postgres_cpu_s / one.done * 1000 for one in rounds
            ),
        )

    async def _until_acted_on(self) -> None:
        ends_s = time.perf_counter() + LONGEST_S
        while await self._m.database.fetchval(_WAITS):
            if time.perf_counter() > ends_s:
                raise Unbooked("updates wait for longer than a bench does")
            await asyncio.sleep(_LOOK_S)

    def _update(self, text: str) -> bytes:
        number = next(self._numbers)
        chats = self._m.town.chats
        body = json.dumps(
            {
                "update_id": number,
                "message": {
                    "message_id": number,
                    "date": int(time.time()),
                    "chat": {"id": chats[number % len(chats)], "type": "supergroup", "title": "x"},
                    "from": {"id": OWNER_ID, "is_bot": False, "first_name": "林悦"},
                    "text": text,
                },
            }
        ).encode()
        return (
            f"POST {self._path} HTTP/1.1\r\nHost: {HOST}\r\nContent-Length: {len(body)}\r\n"
            f"Content-Type: application/json\r\n{SECRET_HEADER}: {self._secret}\r\n\r\n"
        ).encode() + body


async def chats(m: Measures) -> list[Figure]:
    """Talk that is for nobody here, look-ups of orders, and bills."""
    orders = [order_no(answer) for _, answer in await made(m, m.town.billed)]
    await m.ask_nobody()
    people = Chats(m)
    return [
        await people.acted_on("updates: chatter", lambda n: f"good morning {n}"),
        await people.acted_on("updates: look-ups", lambda n: f"查单 {orders[n % len(orders)]}"),
        await people.acted_on("updates: bills", lambda _: "今日账单"),
    ]
