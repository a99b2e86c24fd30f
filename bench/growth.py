"""The desk as it grows: the same questions with no past, and with millions of orders behind them.

In the table `bare` is the same desk before it had a past, and `ratio` is its rate by that: 0.67 is
one and a half times as long. CPU and PG tell what a call costs the desk's process and PostgreSQL,
planning included, which wavers less than time does.
"""

from __future__ import annotations

import logging
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from itertools import cycle, islice
from typing import Final

import asyncpg
import structlog

from bench.calls import creates, queries
from bench.figures import Figure, Round, beside
from bench.history import DAYS, make_past, need_room
from bench.load import HOST
from bench.orders import CONNECTIONS, CREATED, FOUND, made
from bench.place import BooksDiffer, Measures, Place, Size, measures
from bench.processor import cpu_s
from bench.settlers import open_group
from bench.town import BILLED, LINK, OWNER_ID, Keys, chat_of
from core.kernel.days import Days
from core.parties.merchants import Merchant
from core.reports.exports import CHUNK_ROWS, Paper
from core.reports.statistics import Query
from core.runtime import Connections, Runtime, build
from past import PAID_AFTER, book_orders
from scheduler.jobs import JOBS

_HANDS: Final = 10
_MOST_PER_S: Final = 2_000
_WEEK: Final = timedelta(days=7)
# A verb is called for so long, and so often at most.
_VERB_SHARE: Final = 0.3
_CALLS: Final = 200
Rounds = dict[str, list[Round]]
Verb = Callable[[], Awaitable[object]]


async def growth(where: Place) -> list[Figure]:
    """Before and after `where.size.orders` are made. Raises NoRoom, BooksDiffer."""
    need_room(where.home, where.size.orders)
    async with _running(where) as runtime:
        merchant = await runtime.parties.merchants.by_no(_whale_no(where))
        await open_group(runtime, chat_of(BILLED), merchant)
        await _book_page(where, merchant)
        before = await _measured(where, runtime)
        past = await make_past(
            runtime, where.postgres.owner_dsn(), merchant.merchant_no, where.size.orders
        )
    # What is still to be written of the past is written by then: a desk that lived it has long done
    # that, and it would be counted as its calls'.
    await where.postgres.stop()
    await where.postgres.start()
    async with _running(where) as runtime:
        after = await _measured(where, runtime)
        began_s = time.perf_counter()
        if differences := (await runtime.reports.verify.whole()).differences:
            raise BooksDiffer("\n".join(map(str, differences)))
        verified_s = time.perf_counter() - began_s
    return [
        Figure(f"{past.orders:,} orders made", "s", past.took_s, 1),
        *(beside(what, after[what], before[what]) for what in before),
        Figure("all books verified", "s", verified_s, 1),
    ]


@asynccontextmanager
async def _running(where: Place) -> AsyncIterator[Runtime]:
    # A production desk writes its lines in a thread of their own.
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.ERROR))
    runtime = await build(
        Connections(where.settings["DATABASE_URL"], where.settings["REDIS_URL"]),
        master_key=where.settings["MASTER_KEY"],
        public_url=f"http://{HOST}:9",
        allow_private_targets=True,
    )
    try:
        yield runtime
    finally:
        await runtime.close()


def _whale_no(where: Place) -> str:
    return where.town.whale[0].merchant_no


async def _book_page(where: Place, merchant: Merchant) -> None:
    """Paid orders of the last minutes: on both sides a list has a whole first page."""
    ends_at = datetime.now(UTC)
    connection = await asyncpg.connect(
        where.postgres.owner_dsn(), server_settings={"default_transaction_read_only": "off"}
    )
    try:
        await book_orders(connection, merchant, CHUNK_ROWS, ends_at - 2 * PAID_AFTER, ends_at)
    finally:
        await connection.close()


async def _measured(where: Place, runtime: Runtime) -> Rounds:
    """Over HTTP, with all loops of a desk; then verb by verb, when the desk has ended. What was
    made meanwhile is rolled up by then: it is not as much on both sides."""
    await _verified_today(runtime)
    async with measures(where) as m:
        town, size = m.town, m.size
        asked = await _sample(m, town.plain)
        rounds = {
            "create": await _fired(m, lambda: creates(town.plain, _most(m), LINK), CREATED),
            "create of the largest merchant": await _fired(
                m, lambda: creates(town.whale, _most(m), LINK), CREATED
            ),
            "query": await _fired(m, lambda: queries(islice(cycle(asked), _most(m))), FOUND),
        }
        numbers = [number for _, number in asked]
        verbs = await _verbs(runtime, _whale_no(where), numbers)
        pid = m.place.postgres_pid
    for holder_id in await runtime.ledger.calendar.due_to_roll():
        await runtime.ledger.calendar.roll(holder_id)
    return rounds | {
        what: [await _timed(pid, verb, size) for _ in range(size.rounds)]
        for what, verb in verbs.items()
    }


async def _verified_today(runtime: Runtime) -> None:
    """The desk does not re-add the books while it is measured: its turn of today is over."""
    (job,) = [job for job in JOBS if job.name == "verify_books"]
    if turn := await runtime.reports.ticks.take(job.name, job.every_s):
        await runtime.reports.ticks.done(turn)


def _most(m: Measures) -> int:
    return int(_MOST_PER_S * m.size.seconds)


async def _fired(m: Measures, calls: Callable[[], Sequence[bytes]], good: int) -> list[Round]:
    """Rounds of the desk; one more before them, so that it is warm."""
    rounds = [
        (await m.round(m.desk.pid, m.desk_port, calls(), CONNECTIONS, good))[0]
        for _ in range(m.size.rounds + 1)
    ]
    return rounds[1:]


async def _sample(m: Measures, apps: Sequence[Keys]) -> list[tuple[Keys, str]]:
    """An order of each app, the next after an instant of the past; else a new one."""
    await made(m, apps)
    since = datetime.now(UTC) - timedelta(days=DAYS)
    step = timedelta(days=DAYS) / len(apps)
    return [
        (keys, await m.database.fetchval(_NEXT, keys.merchant_no, since + n * step))
        for n, keys in enumerate(apps)
    ]


async def _verbs(runtime: Runtime, whale_no: str, numbers: Sequence[str]) -> Mapping[str, Verb]:
    """What people and loops ask, as a call each."""
    trade, delivery, reports = runtime.trade, runtime.delivery, runtime.reports
    merchant = await runtime.parties.merchants.by_no(whale_no)
    actor = await runtime.people.access.actor(OWNER_ID, "", OWNER_ID, private=True)
    turns = cycle(numbers)
    today = await reports.bills.open_day(merchant.id)
    week = Days(today - _WEEK, today)
    paper = Paper("csv", "m", merchant.id, Days.one(today), staff=True)

    async def listed() -> None:
        async with reports.exports.merchant(paper) as reading:
            await anext(reading.orders(), None)

    async def looked_up() -> None:
        number = next(turns)
        found = await trade.lookups.find(actor, [number])
        await trade.lookups.attempts(await trade.lookups.seen(actor, found[number][0].order_id))

    return {
        "look-up in a chat": looked_up,
        "bill of the largest merchant": lambda: reports.bills.merchant(merchant.id),
        "its bill of a week": lambda: reports.bills.merchant(merchant.id, week),
        "bill of the platform": reports.bills.platform,
        "statistics of a week": lambda: reports.statistics.read(
            Query(week.first, week.last, by=("product", "channel"))
        ),
        "list of orders, its first page": listed,
        "list of completions": lambda: trade.lookups.completions(
            actor, None, (week.first, week.last), 1
        ),
        "take: callbacks": lambda: trade.callbacks.take_due(_HANDS),
        "take: notifications": lambda: trade.notifications.take_due(_HANDS),
        "take: attempts to ask after": lambda: trade.follow_up.take_due(_HANDS),
        "take: orders to end": lambda: trade.follow_up.expire_due(_HANDS),
        "take: updates": lambda: delivery.inbox.take(_HANDS),
        "take: messages": lambda: delivery.outbox.take(_HANDS),
        "look for changes": reports.changes.show,
        "days to roll up": runtime.ledger.calendar.due_to_roll,
    }


async def _timed(postgres_pid: int, verb: Verb, size: Size) -> Round:
    """A verb, called again and again; once before, so that its statements are prepared."""
    await verb()
    took: list[float] = []
    before = time.process_time(), cpu_s(postgres_pid)
    began_s = time.perf_counter()
    while len(took) < _CALLS and time.perf_counter() - began_s < size.seconds * _VERB_SHARE:
        called_s = time.perf_counter()
        await verb()
        took.append(time.perf_counter() - called_s)
    spent = (time.process_time() - before[0], cpu_s(postgres_pid) - before[1])
    return Round(len(took), 0, sum(took), tuple(took), *spent)


_NEXT: Final = """
SELECT o.order_no FROM orders o JOIN merchant m ON m.id = o.merchant_id
WHERE m.merchant_no = $1 AND o.created_at >= $2 ORDER BY o.created_at LIMIT 1
"""
