"""A long history does not slow a take: each row is looked for by its index, in its month."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import timedelta
from uuid import UUID

from core.kernel.money import Rate
from core.kernel.tariff import Tariff
from core.system.lanes import Lane
from core.system.store import Tx
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
    for table, (take, insert, more) in tables.items():
        await store.execute(insert, now, HISTORY, LANES, *more)
        async with owner(servers, database) as connection:
            await connection.execute(f"ANALYZE {table}")  # as the database does by itself
        async with store.transaction() as tx:
            assert await take(desk, tx, lanes) == LANES * OF_EACH
            assert await tx.fetchval(_READ, table) == 0
