"""A backlog of any size, in few lanes or many, does not slow the take."""

from __future__ import annotations

import time
from datetime import timedelta
from uuid import UUID

import pytest

from core.system.lanes import Lane
from core.trade.notifications.queue import MOST_LANES, Ended, NewsQueue
from tests.conftest import Servers
from tests.core.support import Desk, owner
from tests.core.trade.notifications.test_fairness import tell

BACKLOG = 50_000
BOUND_S = 0.5  # some milliseconds, on a machine that does nothing else
FIRST = MOST_LANES
ROWS = 32
NOBODY = UUID(int=0)


@pytest.mark.parametrize("lanes", [1, 2_000])
async def test_a_backlog_does_not_slow_the_take(desk: Desk, neighbour: Desk, lanes: int) -> None:
    store, news = desk.runtime.system.store, NewsQueue(desk.clock, desk.runtime.system.ids)
    await store.execute(
        _BACKLOG, desk.merchant.id, desk.app.id, desk.runtime.system.clock.now(), lanes, BACKLOG
    )
    (order_no,) = await tell(neighbour, "http://127.0.0.1:1/x")
    best_s = float("inf")
    found = set()
    for look in range(3):
        began = time.perf_counter()
        waiting, _ = await news.waiting(store, NOBODY, start=look, most_rows=32)
        async with store.transaction() as tx:
            taken = await news.take(tx, dict.fromkeys(list(waiting)[-20:], 2))
        best_s = min(best_s, time.perf_counter() - began)
        assert len([lane for lane in waiting if lane.holder == desk.merchant.id]) <= FIRST
        found |= {due.facts["order_no"] for due in taken if due.merchant_id != desk.merchant.id}
    assert best_s < BOUND_S
    assert found == {order_no}


async def test_a_take_reads_what_it_takes_and_not_what_waits_elsewhere(
    desk: Desk, neighbour: Desk, servers: Servers, database: str
) -> None:
    """What others are to be told was due long before, and was put in after a quiet time."""
    store, news = desk.runtime.system.store, NewsQueue(desk.clock, desk.runtime.system.ids)
    backlog = (desk.merchant.id, desk.app.id, desk.clock.now(), 1, BACKLOG)
    await store.execute(_BACKLOG, *backlog)
    await store.execute("UPDATE notification SET state = 'delivered'")
    async with owner(servers, database) as connection:
        await connection.execute("VACUUM ANALYZE notification")  # as the database does by itself
    await store.execute(_BACKLOG, *backlog)
    (order_no,) = await tell(neighbour, "http://127.0.0.1:1/x")
    async with store.transaction() as tx:
        waiting, _ = await news.waiting(tx, NOBODY, start=0, most_rows=ROWS)
        (lane,) = [lane for lane in waiting if lane.holder == neighbour.merchant.id]
        (due,) = await news.take(tx, {lane: 1})
        read = await tx.fetchval("SELECT sum(idx_tup_fetch) FROM pg_stat_xact_user_tables")
    assert due.facts["order_no"] == order_no
    assert read < 10 * ROWS


async def test_what_ends_is_looked_for_in_its_month_alone(desk: Desk, neighbour: Desk) -> None:
    """What waits of other months is not read whenever something ends."""
    await tell(neighbour, "http://127.0.0.1:1/x")
    store, news = desk.runtime.system.store, NewsQueue(desk.clock, desk.runtime.system.ids)
    waiting, _ = await news.waiting(store, NOBODY, start=0, most_rows=1)
    async with store.transaction() as tx:
        (due,) = await news.take(tx, waiting)
    now = desk.clock.now()
    before = now - timedelta(days=now.day)
    await store.execute(_BACKLOG, desk.merchant.id, desk.app.id, before, 1, 1000)
    async with store.transaction() as tx:
        assert await news.end(tx, [Ended(due, "delivered", now, now, 1, 200, "")]) == [True]
        read = {row["month"]: row["read"] for row in await tx.fetch(_READ)}
    assert read[f"notification_{now:%Y_%m}"] >= 1
    # The planner may look at the ends of an index.
    assert read[f"notification_{before:%Y_%m}"] < 10


async def test_the_lane_to_begin_with_is_drawn_so_that_none_is_left_out(desk: Desk) -> None:
    store, lanes = desk.runtime.system.store, 3 * FIRST
    await store.execute(
        _BACKLOG, desk.merchant.id, desk.app.id, desk.runtime.system.clock.now(), lanes, lanes
    )
    news, seen = NewsQueue(desk.clock, desk.runtime.system.ids), set[Lane]()
    step = 2**63 // 60
    for start in range(0, 2**63 - 1, step):
        waiting, _ = await news.waiting(store, NOBODY, start=start, most_rows=1)
        assert len(waiting) == FIRST
        seen |= waiting.keys()
    assert len(seen) == lanes


async def test_a_look_that_has_enough_goes_to_no_further_merchant(
    desk: Desk, neighbour: Desk
) -> None:
    store, news = desk.runtime.system.store, NewsQueue(desk.clock, desk.runtime.system.ids)
    for one in (desk, neighbour):
        await tell(one, "http://127.0.0.1:1/x", "http://127.0.0.1:2/x", "http://127.0.0.1:3/x")
    seen: list[UUID] = []
    after: UUID | None = NOBODY
    while after is not None:
        waiting, after = await news.waiting(store, after, start=0, most_rows=9, enough=3)
        seen += {lane.holder for lane in waiting}
        assert sum(waiting.values()) in (0, 3)
    assert sorted(seen) == sorted([desk.merchant.id, neighbour.merchant.id])


_READ = """
SELECT relname AS month, seq_tup_read + idx_tup_fetch AS read FROM pg_stat_xact_user_tables
WHERE relname ~ '^notification_[0-9_]+$'
"""
# Each of an order of its own, put in at once: nobody counted the rows since.
_BACKLOG = """
INSERT INTO notification (merchant_id, id, webhook_id, app_id, order_id, type, url, lane, facts,
    due_at, request_id, created_at, order_created_at)
SELECT $1, gen_random_uuid(), 'w' || n, $2, gen_random_uuid(), 'order.paid', 'https://shop.example',
       abs(hashint8extended(n % $4, 7)), '{}', $3::timestamptz - n * interval '1 ms', 'r', $3, $3
FROM generate_series(1, $5::integer) AS n
"""
