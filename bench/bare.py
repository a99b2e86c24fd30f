"""The bare handler: the least that a server does which takes orders and keeps them.

aiohttp, one HMAC, three inserts in one transaction, asyncpg's pool as it comes. It has no rules, no
books and no second thought: it is what this machine can do, and the desk is measured beside it.
"""

from __future__ import annotations

import hmac
import json
import logging
from typing import Final
from uuid import UUID, uuid4

import asyncpg
from aiohttp import web

from bench.calls import signature
from bench.helper import Parent
from bench.load import HOST

# As many as a desk has.
POOL: Final = 12
_TABLES: Final = """
CREATE SCHEMA IF NOT EXISTS bare;
CREATE TABLE IF NOT EXISTS bare.key (
    app text, merchant_order_no text, order_id uuid NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now(), PRIMARY KEY (app, merchant_order_no));
CREATE TABLE IF NOT EXISTS bare.orders (
    id uuid PRIMARY KEY, app text NOT NULL, merchant_order_no text NOT NULL,
    product text NOT NULL, amount_minor bigint NOT NULL, currency text NOT NULL,
    subject text NOT NULL, client_ip text NOT NULL, state text NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now());
CREATE INDEX IF NOT EXISTS orders_by_time ON bare.orders (app, created_at);
CREATE TABLE IF NOT EXISTS bare.attempt (
    id uuid PRIMARY KEY, order_id uuid NOT NULL, channel text NOT NULL, state text NOT NULL,
    amount_minor bigint NOT NULL, pay jsonb NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now());
CREATE INDEX IF NOT EXISTS attempt_of_order ON bare.attempt (order_id);
"""
_KEY: Final = "INSERT INTO bare.key (app, merchant_order_no, order_id) VALUES ($1, $2, $3)"
_ORDER: Final = """
INSERT INTO bare.orders (id, app, merchant_order_no, product, amount_minor, currency, subject,
    client_ip, state) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, 'pending')
"""
_ATTEMPT: Final = """
INSERT INTO bare.attempt (id, order_id, channel, state, amount_minor, pay)
VALUES ($1, $2, 'C01', 'accepted', $3, $4)
"""
_FIND: Final = """
SELECT o.*, a.state AS attempt_state, a.pay FROM bare.orders o
JOIN bare.attempt a ON a.order_id = o.id WHERE o.id = $1 AND o.app = $2
"""


class Bare:
    """secrets: what each key signs with."""

    def __init__(self, pool: asyncpg.Pool[asyncpg.Record], secrets: dict[str, str]) -> None:
        self._pool = pool
        self._secrets = secrets

    async def create(self, request: web.Request) -> web.Response:
        key_id, raw = await self._proved(request)
        wanted = json.loads(raw)
        order_id, amount, number = uuid4(), wanted["amount"], wanted["merchant_order_no"]
        pay = {"type": "url", "value": f"https://pay.example/submit?out_trade_no={order_id}"}
        async with self._pool.acquire() as connection, connection.transaction():
            await connection.execute(_KEY, key_id, number, order_id)
            await connection.execute(
                _ORDER,
                order_id,
                key_id,
                number,
                wanted["product"],
                amount,
                wanted["currency"],
                wanted["subject"],
                wanted["client_ip"],
            )
            await connection.execute(_ATTEMPT, uuid4(), order_id, amount, json.dumps(pay))
        return web.json_response({"order_no": str(order_id), "pay": pay}, status=201)

    async def find(self, request: web.Request) -> web.Response:
        key_id, _ = await self._proved(request)
        order_id = UUID(request.match_info["order_no"])
        row = await self._pool.fetchrow(_FIND, order_id, key_id)
        if row is None:
            raise web.HTTPNotFound
        return web.json_response(
            {
                "order_no": str(row["id"]),
                "status": row["state"],
                "amount": row["amount_minor"],
                "created_at": row["created_at"].isoformat(),
                "pay": json.loads(row["pay"]),
            }
        )

    async def _proved(self, request: web.Request) -> tuple[str, bytes]:
        """Who calls, and the body that was signed."""
        raw, said = await request.read(), request.headers
        key_id = said["Paydesk-Key"]
        wanted = signature(
            self._secrets[key_id],
            said["Paydesk-Id"],
            said["Paydesk-Timestamp"],
            request.method,
            request.raw_path,
            raw,
        )
        if not hmac.compare_digest(wanted, said["Paydesk-Signature"]):
            raise web.HTTPUnauthorized
        return key_id, raw


async def serve(parent: Parent, dsn: str, secrets: dict[str, str]) -> None:
    """Serve until told to end; says its port."""
    # A bench that starts PostgreSQL anew is no news: the pool tries again until it is there.
    logging.getLogger("asyncpg.pool").setLevel(logging.CRITICAL)
    async with asyncpg.create_pool(
        dsn, min_size=POOL, max_size=POOL, server_settings={"default_transaction_read_only": "off"}
    ) as pool:
        await pool.execute(_TABLES)
        bare = Bare(pool, secrets)
        app = web.Application()
        app.router.add_post("/v1/orders", bare.create)
        app.router.add_get("/v1/orders/{order_no}", bare.find)
        runner = web.AppRunner(app, access_log=None, shutdown_timeout=1.0)
        await runner.setup()
        try:
            await web.TCPSite(runner, HOST, 0).start()
            await parent.until_ended(runner.addresses[0][1])
        finally:
            await runner.cleanup()
