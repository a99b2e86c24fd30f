"""How many notifications a second leave one desk, beside what the machine can do at all.

    python -m bench.news [--news 2000]

Merchants' servers (a process of their own) take 50 ms for an answer. The bare loop signs and sends
as many requests from as many hands, and keeps nothing. Both run in turns, in one run.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import logging
import multiprocessing
import tempfile
import time
from datetime import UTC, datetime
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Final
from uuid import UUID

import aiohttp
import structlog
from aiohttp import web

from bot.app import notifier
from bot.embedded import EmbeddedPostgres, EmbeddedValkey
from bot.world import Addresses, apps, seed
from core.delivery.outbox import MerchantNews
from core.parties.merchants import App, Merchant
from core.runtime import Connections, Runtime, build
from core.system.migrate import migrate
from core.trade.notifications import body_of, sign

ANSWER_S: Final = 0.05
ORIGINS: Final = (20, 1)
ROUNDS: Final = 3
_HANDS: Final = 100
_LOOK_S: Final = 0.02
_LONGEST_S: Final = 120.0
_MASTER_KEY: Final = "A" * 43 + "="
_NOWHERE: Final = Addresses("http://127.0.0.1:1029", {"880001": "k" * 20, "880002": "k" * 20}, {})
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


async def told_per_s(runtime: Runtime, merchant: Merchant, app: App, urls: list[str]) -> float:
    """The desk's own crew, from the first take until all are delivered."""
    await put_in(runtime, merchant, app, urls)
    crew = notifier(runtime)
    began = time.perf_counter()
    crew.start()
    try:
        async with asyncio.timeout(_LONGEST_S):
            while await _left(runtime, merchant.id):  # noqa: ASYNC110 (the database has no event)
                await asyncio.sleep(_LOOK_S)
        return len(urls) / (time.perf_counter() - began)
    finally:
        await crew.stop()


async def _left(runtime: Runtime, merchant_id: UUID) -> bool:
    return bool(
        await runtime.system.store.fetchval(
            "SELECT EXISTS (SELECT FROM notification WHERE merchant_id = $1 AND state = 'pending')",
            merchant_id,
        )
    )


async def bare_per_s(app: App, urls: list[str]) -> float:
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
    return len(urls) / (time.perf_counter() - began)


def _serve(ready: Connection) -> None:
    """Merchants' servers: a process of their own, told to end by its parent."""
    asyncio.run(_answer(ready))


async def _answer(ready: Connection) -> None:
    async def take(request: web.Request) -> web.Response:
        await request.read()
        await asyncio.sleep(ANSWER_S)
        return web.Response(status=204)

    app = web.Application()
    app.router.add_post("/news", take)
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    for _ in range(max(ORIGINS)):
        await web.TCPSite(runner, "127.0.0.1", 0).start()
    ready.send(json.dumps([address[1] for address in runner.addresses]))
    await asyncio.to_thread(ready.recv)
    await runner.cleanup()


async def main(news: int) -> None:
    """Make scratch servers, measure in turns, print."""
    # A production desk writes its lines in a thread of their own.
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.ERROR))
    ours, theirs = multiprocessing.Pipe()
    servers = multiprocessing.get_context("spawn").Process(target=_serve, args=(theirs,))
    servers.start()
    ports = json.loads(await asyncio.to_thread(ours.recv))
    with tempfile.TemporaryDirectory(prefix="paydesk-bench-") as name:
        postgres, valkey = EmbeddedPostgres(Path(name)), EmbeddedValkey(Path(name))
        await asyncio.gather(postgres.start(), valkey.start())
        try:
            await migrate(postgres.owner_dsn(), kind="demo", today=datetime.now(UTC).date())
            runtime = await build(
                Connections(postgres.dsn("paydesk_desk"), valkey.url),
                master_key=_MASTER_KEY,
                public_url="http://127.0.0.1:9",
                allow_private_targets=True,
            )
            try:
                await seed(runtime, _NOWHERE)
                await _measure(runtime, ports, news)
            finally:
                await runtime.close()
        finally:
            await asyncio.gather(postgres.stop(), valkey.stop())
            ours.send("end")
            await asyncio.to_thread(servers.join)


async def _measure(runtime: Runtime, ports: list[int], news: int) -> None:
    merchant, app = (await apps(runtime))[0]
    for _ in range(ROUNDS):
        for origins in ORIGINS:
            urls = [f"http://127.0.0.1:{ports[n % origins]}/news" for n in range(news)]
            bare = await bare_per_s(app, urls)
            told = await told_per_s(runtime, merchant, app, urls)
            print(
                f"{origins:2} origins: {told:6.0f} notifications/s, bare {bare:6.0f}/s,"
                f" ratio {told / bare:.2f}"
            )


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--news", type=int, default=2000)
    asyncio.run(main(parser.parse_args().news))
