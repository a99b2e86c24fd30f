"""Neither a long history nor a backlog slows a take: each row is looked for by its index, in its
month, and lanes are visited from head to head."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable
from contextlib import suppress
from datetime import timedelta
from uuid import UUID

import pytest

from core.delivery import inbox
from core.kernel.money import Rate
from core.kernel.tariff import Tariff
from core.system.lanes import Lane
from core.system.leases.queue import take
from core.system.store import Tx
from core.trade import callbacks
from core.trade.callbacks.queue import CallbackQueue
from core.trade.notifications.queue import NewsQueue
from core.trade.orders.polls import claim
from tests.conftest import Servers
from tests.core.support import Desk, owner

HISTORY = 10_000
LANES = 40
OF_EACH = 4
TOLD = {
    "attempt_no": "A", "upstream_no": "U", "state": "pending", "paid_minor": None,
    "currency": None, "hearsay": False,
}  # fmt: skip

Take = Callable[[Desk, Tx, list[Lane]], Awaitable[int]]

# $1: now, $2: how many rows, from month to month, $3: in how many lanes; the last 25 of each are
# due.
_ROWS = (
    "generate_series(1, $2::integer) n,"
    " LATERAL (SELECT $1::timestamptz - n % 12 * interval '29 days' AS at) t"
)
_NEWS = f"""
INSERT INTO notification (merchant_id, id, webhook_id, app_id, order_id, type, url, lane, facts,
    state, due_at, created_at, order_created_at)
SELECT lpad((n % $3)::text, 32, '0')::uuid, gen_random_uuid(), n::text, gen_random_uuid(),
       gen_random_uuid(), 'order.paid', '', 0, '{{}}',
       CASE WHEN n <= $2 - 25 * $3 THEN 'delivered' ELSE 'pending' END, at, at, at
FROM {_ROWS}
"""
# $4: what was told.
_TOLD = f"""
INSERT INTO supplier_callback (merchant_id, id, supplier_id, attempt_no, address, query, headers,
    body, event, state, due_at, request_id, received_at, order_created_at)
SELECT lpad((n % $3)::text, 32, '0')::uuid, gen_random_uuid(),
       '00000000-0000-0000-0000-000000000000', 'A' || n, '', '', '{{}}', '', $4,
       CASE WHEN n <= $2 - 25 * $3 THEN 'done' ELSE 'waiting' END, at, '', at, at
FROM {_ROWS}
"""
# $4: a tariff. $5: how numbers begin in each month, from the present one back.
_ATTEMPTS = f"""
INSERT INTO attempt (merchant_id, attempt_no, order_id, order_created_at, mode, product_code, seq,
    supplier_id, supplier_no, channel_id, channel_no, channel_day, document_id, supplier_code,
    amount_minor, currency, cost, state, created_at, ask_at)
SELECT gen_random_uuid(), ($5::text[])[1 + n % 12] || n, o.id, id_time(o.id), 'live', 'bank_web', 1,
       lpad((n % $3)::text, 32, '0')::uuid, 'S01', gen_random_uuid(), 'C01', at::date,
       gen_random_uuid(), '', 1, 'CNY', $4, 'sent', at, CASE WHEN n > $2 - 25 * $3 THEN at END
FROM {_ROWS}, LATERAL (
    SELECT (lpad(to_hex((extract(epoch FROM at) * 1000)::bigint), 12, '0') || '7'
            || lpad(n::text, 19, '0'))::uuid AS id
) o
"""
# How many rows of a table were read one after another, in this transaction.
_READ = """
SELECT sum(seq_tup_read) FROM pg_stat_xact_user_tables WHERE relname ~ ('^' || $1 || '_[0-9_]+$')
"""


async def take_news(desk: Desk, tx: Tx, lanes: list[Lane]) -> int:
    news = NewsQueue(desk.clock, desk.runtime.system.ids)
    return len(await news.take(tx, dict.fromkeys(lanes, OF_EACH)))


async def take_told(desk: Desk, tx: Tx, lanes: list[Lane]) -> int:
    told = CallbackQueue(desk.clock, desk.runtime.system.ids)
    lanes = [Lane(lane.holder, UUID(int=0)) for lane in lanes]
    return sum(map(len, (await told.take(tx, lanes, OF_EACH)).values()))


async def take_attempts(desk: Desk, tx: Tx, lanes: list[Lane]) -> int:
    return len(await claim(tx, desk.clock.now(), dict.fromkeys(lanes, OF_EACH)))


async def test_a_take_reads_nothing_but_what_it_takes(
    desk: Desk, servers: Servers, database: str
) -> None:
    """Where there are years of months, whose indexes all count for the planner."""
    now, ids, store = desk.clock.go_to_noon(), desk.runtime.system.ids, desk.runtime.system.store
    ago = [now - timedelta(days=29 * month) for month in range(12)]
    await store.make_months(ago[-1].date(), 12)
    begins = [ids.number("attempt", "live", 1, at=at)[:3] for at in ago]
    tables: dict[str, tuple[Take, str, tuple[object, ...]]] = {
        "notification": (take_news, _NEWS, ()),
        "supplier_callback": (take_told, _TOLD, (TOLD,)),
        "attempt": (take_attempts, _ATTEMPTS, (Tariff.flat(Rate(0)).pack(), begins)),
    }
    desk.clock.advance(1)
    lanes = [Lane(UUID(str(n).zfill(32)), 0) for n in range(LANES)]
    for table, (taking, insert, more) in tables.items():
        await store.execute(insert, now, HISTORY, LANES, *more)
        async with owner(servers, database) as connection:
            await connection.execute(f"ANALYZE {table}")  # as the database does by itself
        async with store.transaction() as tx:
            assert await taking(desk, tx, lanes) == LANES * OF_EACH
            assert await tx.fetchval(_READ, table) == 0


# $1: now, $2: how many rows, $3: in how many lanes.
_UPDATES = """
INSERT INTO telegram_update (bot_id, update_id, chat_id, body, due_at, received_at)
SELECT 1, n, n % $3, '{}', $1, $1 FROM generate_series(1, $2::integer) n
"""
_WAITING = """
INSERT INTO supplier_callback (merchant_id, id, supplier_id, attempt_no, address, query, headers,
    body, event, due_at, request_id, received_at, order_created_at)
SELECT lpad((1 + n % $3)::text, 32, '0')::uuid, gen_random_uuid(),
       '00000000-0000-0000-0000-000000000001', $5 || n, '', '', '{}', '', $4, $1, '', $1, $1
FROM generate_series(1, $2::integer) n
"""
# Of some lanes the first row is held: another one is looked for.
_HELD = """
UPDATE supplier_callback SET held_by = gen_random_uuid(), lease_until = $1
WHERE merchant_id = ANY (SELECT DISTINCT merchant_id FROM supplier_callback ORDER BY 1 LIMIT 4)
  AND right(attempt_no, 1) = '7'
"""
BACKLOG = 20_000
TRIES = 5
# Of a look at all heads that one look reads, and of 20 rows that are taken: each of these has its
# entry in every index of its table. The planner's own work counts.
BLOCKS = 1_000
TOOK_MS = 25.0


class Undone(Exception):
    """A test looked at what a statement does, and takes it back."""


async def explained(desk: Desk, sql: str, *args: object) -> tuple[int, float]:
    """Blocks and milliseconds of a statement once it is known, planning included; undone."""
    best: list[tuple[int, float]] = []
    for _ in range(TRIES):
        with suppress(Undone):
            async with desk.runtime.system.store.transaction() as tx:
                plan = await tx.fetchval(f"EXPLAIN (ANALYZE, BUFFERS, FORMAT JSON) {sql}", *args)
                (told,) = json.loads(plan)
                blocks = sum(
                    part[f"Shared {kind} Blocks"]
                    for part in (told["Plan"], told["Planning"])
                    for kind in ("Hit", "Read")
                )
                best.append((blocks, told["Planning Time"] + told["Execution Time"]))
                raise Undone
    return min(best)


@pytest.mark.parametrize("lanes", [1, 100, BACKLOG // 2])
async def test_a_take_costs_the_same_however_much_waits(
    desk: Desk, servers: Servers, database: str, lanes: int
) -> None:
    now, ids, store = desk.clock.go_to_noon(), desk.runtime.system.ids, desk.runtime.system.store
    begins = ids.number("attempt", "live", 1, at=now)[:3]
    await store.execute(_WAITING, now, BACKLOG, lanes, TOLD, begins)
    await store.execute(_UPDATES, now, BACKLOG, lanes)
    await store.execute(_HELD, now + timedelta(minutes=5))
    async with owner(servers, database) as connection:
        # What the test before this one wrote is dead, and lies in the same lanes.
        await connection.execute("VACUUM (ANALYZE) supplier_callback, telegram_update")
    now = desk.clock.now()
    until, turn, one = now + timedelta(minutes=1), ids.uuid7(), UUID(int=1)
    asked: list[tuple[str, tuple[object, ...]]] = [
        ("SELECT * FROM waiting_callbacks($1, $2, $3, $4)", (now, UUID(int=0), one, 64)),
        (take(callbacks.QUEUE), (now, until, turn, [one], [one], [20])),
        (take(inbox.QUEUE), (now, until, turn, 20, lanes // 2, 0)),
    ]
    for sql, args in asked:
        blocks, took_ms = await explained(desk, sql, *args)
        assert blocks <= BLOCKS, sql
        assert took_ms <= TOOK_MS, sql
