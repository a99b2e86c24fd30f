"""How many notifications a second leave one desk, beside what the machine can do at all.

Merchants' servers (a process of their own) take 50 ms for an answer. The bare loop signs and sends
as many requests from as many hands, and keeps nothing. Both run in turns, in one run.
"""

from __future__ import annotations

import asyncio
import logging
import time
from datetime import UTC, datetime
from typing import Final
from uuid import UUID

import aiohttp
import structlog

from bench.figures import Figure, Round, beside
from bench.load import HOST
from bench.place import Place
from bench.processor import cpu_s
from bot.app import notifier
from core.delivery.outbox import MerchantNews
from core.parties.merchants import App, Merchant
from core.runtime import Connections, Runtime, build
from core.trade.notifications import body_of, sign

ORIGINS: Final = (20, 1)
_HANDS: Final = 100
# Of the items of a round: news leaves so quickly that few would say nothing.
_MORE: Final = 10
_LOOK_S: Final = 0.02
_LONGEST_S: Final = 120.0
_FACTS: Final = {"order_no": "P2611K7Q2ZB41", "amount": 10000, "currency": "CNY", "subject": "Tea"}


async def put_in(runtime: Runtime, merchant: Merchant, app: App, urls: list[str]) -> None:
    """So much news, each of an order of its own."""
    async with runtime.system.store.transaction() as tx:
        for url in urls:
            await runtime.delivery.outbox.tell_merchant(
                tx,
                MerchantNews(
                    merchant.id,
                    app.id,
                    runtime.system.ids.uuid7(),
                    type="order.paid",
                    url=url,
                    facts=_FACTS,
                    request_id="bench",
                ),
            )


async def told_s(runtime: Runtime, merchant: Merchant) -> float:
    """The desk's own crew, from the first take until all that waits is delivered."""
    crew = notifier(runtime)
    began = time.perf_counter()
    crew.start()
    try:
        async with asyncio.timeout(_LONGEST_S):
            while await _left(runtime, merchant.id):  # noqa: ASYNC110 (the database has no event)
                await asyncio.sleep(_LOOK_S)
        return time.perf_counter() - began
    finally:
        await crew.stop()


async def _left(runtime: Runtime, merchant_id: UUID) -> bool:
    return bool(
        await runtime.system.store.fetchval(
            "SELECT EXISTS (SELECT FROM notification WHERE merchant_id = $1 AND state = 'pending')",
            merchant_id,
        )
    )


async def bare_s(app: App, urls: list[str]) -> float:
    """The same requests, signed and sent by so many hands, and forgotten."""
    waiting = list(urls)
    began = time.perf_counter()

    async def hand(session: aiohttp.ClientSession) -> None:
        while waiting:
            body, at = body_of("order.paid", datetime.now(UTC), _FACTS), int(time.time())
            headers = {
                "Content-Type": "application/json",
                "webhook-id": "msg_bench",
                "webhook-timestamp": str(at),
                "webhook-signature": sign(app.notify_secrets[0], "msg_bench", at, body),
            }
            async with session.post(waiting.pop(), data=body, headers=headers) as response:
                await response.read()

    async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=_HANDS)) as session:
        await asyncio.gather(*(hand(session) for _ in range(_HANDS)))
    return time.perf_counter() - began


async def news(where: Place) -> list[Figure]:
    """Of one desk's crew, to as many merchants' servers and to one."""
    # A production desk writes its lines in a thread of their own.
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.ERROR))
    runtime = await build(
        Connections(where.settings["DATABASE_URL"], where.settings["REDIS_URL"]),
        master_key=where.settings["MASTER_KEY"],
        public_url=f"http://{HOST}:9",
        allow_private_targets=True,
    )
    try:
        merchants = runtime.parties.merchants
        merchant = await merchants.by_no(where.town.plain[0].merchant_no)
        (app,) = await merchants.apps.of(merchant)
        return [await _told(where, runtime, (merchant, app), origins) for origins in ORIGINS]
    finally:
        await runtime.close()


async def _told(where: Place, runtime: Runtime, shop: tuple[Merchant, App], origins: int) -> Figure:
    count, ports = where.size.items * _MORE, where.peers.said
    urls = [f"http://{HOST}:{ports[n % origins]}/news" for n in range(count)]
    bare, told = list[Round](), list[Round]()
    for _ in range(where.size.rounds):
        await put_in(runtime, *shop, urls)
        for side, work in ((bare, bare_s(shop[1], urls)), (told, told_s(runtime, shop[0]))):
            before = time.process_time(), cpu_s(where.postgres_pid)
            wall_s = await work
            cpu = time.process_time() - before[0], cpu_s(where.postgres_pid) - before[1]
            side.append(Round(count, 0, wall_s, (), *cpu))
    return beside(f"notifications, {origins} origin{'s' * (origins > 1)}", told, bare)
