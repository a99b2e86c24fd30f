"""Every question that people, merchants and loops ask, as it is answered where months are full: by
index, in the months that it is about, and by no worker beside. Statements inside functions too."""

from __future__ import annotations

import json
import secrets
from collections.abc import AsyncIterator, Awaitable, Callable
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from functools import partial
from itertools import count, cycle
from urllib.parse import urlsplit

import asyncpg
import pytest

from bench.calls import callback
from bench.history import make_past
from bench.settlers import open_group
from bench.town import LINK, OWNER_ID, Town, chat_of, settle
from core.connectors import Callback
from core.delivery import inbox, outbox
from core.kernel.days import Days
from core.kernel.holder import HOUSE
from core.kernel.ids import read_number
from core.kernel.money import Money
from core.parties.merchants import App, Merchant
from core.people.actors import Actor
from core.people.trail import Search
from core.reports import exports
from core.reports.exports import CHUNK_ROWS, Paper
from core.reports.order_lists import FilteredOrders, OrderFilter, Turn
from core.reports.statistics import Query
from core.runtime import Connections, Runtime, build
from core.system.leases import Look, due
from core.system.migrate import migrate
from core.trade import callbacks, notifications
from core.trade.orders import ASKING_DUE, OpenOrder
from scheduler import Timetable
from tests.conftest import MASTER_KEY, PUBLIC_URL, Servers
from tests.core.support import day_held_alone
from tests.plans import Plan, Talkative, talkative

ORDERS = 8_000
WHALE = "M3001"
HANDS = 10
LOOPS = 8
_TIMES = 7  # a statement's plan is kept after five
# A supplier's number says nothing of when; what waits is first looked for month by month.
TIMELESS = frozenset({"attempt"})
WAITING = frozenset({"notification", "supplier_callback"})


@dataclass
class Ground:
    """A desk with a past, on a server that says how it answers."""

    server: Talkative
    runtime: Runtime
    town: Town
    merchant: Merchant
    app: App
    actor: Actor
    numbers: list[str]

    async def plans(self, verb: Callable[[], Awaitable[object]]) -> list[Plan]:
        """How it is answered, time after time: in the end by plans that are kept."""
        since = self.server.written()
        for _ in range(_TIMES):
            await verb()
        return self.server.plans(since)


@pytest.fixture(scope="module")
async def ground(
    tmp_path_factory: pytest.TempPathFactory, servers: Servers
) -> AsyncIterator[Ground]:
    home = tmp_path_factory.mktemp("plans")
    for folder in (home, *home.parents[:2]):
        folder.chmod(folder.stat().st_mode | 0o011)
    async with talkative(home) as server:
        postgres = server.postgres
        await migrate(postgres.owner_dsn(), kind="production", today=datetime.now(UTC).date())
        runtime = await build(
            Connections(postgres.dsn("paydesk_desk"), servers.valkey_url),
            master_key=MASTER_KEY,
            public_url=PUBLIC_URL,
            allow_private_targets=True,
        )
        try:
            await runtime.system.redis.flushdb()
            town = await settle(runtime, PUBLIC_URL, secrets.token_hex(16), small=True)
            merchant = await runtime.parties.merchants.by_no(WHALE)
            await open_group(runtime, chat_of(20), merchant)
            await make_past(runtime, postgres.owner_dsn(), WHALE, ORDERS)
            (app, *_) = await runtime.parties.merchants.apps.of(merchant)
            actor = await runtime.people.access.actor(OWNER_ID, "", OWNER_ID, private=True)
            rows = await runtime.system.store.fetch(
                "SELECT order_no FROM order_key WHERE merchant_id = $1 LIMIT 9", merchant.id
            )
            numbers = [row["order_no"] for row in rows]
            yield Ground(server, runtime, town, merchant, app, actor, numbers)
        finally:
            await runtime.close()


def assert_by_index(plans: list[Plan], *, timeless: AbstractSet[str] = frozenset()) -> None:
    """No worker beside; no month that has rows is read through; none to come is looked at."""
    next_month = f"{datetime.now(UTC).replace(day=1) + timedelta(days=32):%Y_%m}"
    for plan in plans:
        assert not {kind for kind in plan.kinds if kind.startswith("Gather")}, plan.sql
        for node in plan.months:
            if not node.ran:
                continue
            assert node.kind != "Seq Scan" or not node.rows, (node, plan.sql)
            assert node.month <= next_month or node.table in timeless, (node, plan.sql)


def assert_planned_for_its_months(plans: list[Plan]) -> None:
    """Nor is any month to come planned for: that takes longer than to look."""
    next_month = f"{datetime.now(UTC).replace(day=1) + timedelta(days=32):%Y_%m}"
    for plan in plans:
        assert not {node for node in plan.months if node.month > next_month}, plan.sql


def read(plans: list[Plan]) -> set[str]:
    """Tables of months that were looked at."""
    return {node.table for plan in plans for node in plan.months if node.ran}


async def test_bills(ground: Ground) -> None:
    bills = ground.runtime.reports.bills
    today = await bills.open_day(ground.merchant.id)
    supplier = await ground.runtime.parties.suppliers.by_no("S01")
    for days in (None, Days(today - timedelta(days=30), today)):
        for verb in (
            partial(bills.merchant, ground.merchant.id, days),
            partial(bills.supplier, supplier.id, days),
            partial(bills.platform, days),
        ):
            plans = await ground.plans(verb)
            assert_by_index(plans)
            assert_planned_for_its_months(plans)
            assert "ledger_entry" in read(plans)


async def test_statistics(ground: Ground) -> None:
    statistics, today = ground.runtime.reports.statistics, datetime.now(UTC).date()
    supplier = await ground.runtime.parties.suppliers.by_no("S01")
    week = Days(today - timedelta(days=7), today)
    for verb in (
        partial(statistics.read, Query(week.first, week.last, by=("merchant", "product"))),
        partial(statistics.read, Query(week.first, week.last, by=("channel", "hour"))),
        partial(statistics.of_platform, week, ("merchant", "product", "channel")),
        partial(statistics.of_supplier, supplier.id, week),
    ):
        plans = await ground.plans(verb)
        assert_by_index(plans)
        assert_planned_for_its_months(plans)
        assert read(plans)


async def test_charts_and_lists(ground: Ground) -> None:
    exports, today = ground.runtime.reports.exports, datetime.now(UTC).date()
    supplier = await ground.runtime.parties.suppliers.by_no("S01")
    days = Days(today - timedelta(days=2), today)

    async def orders() -> None:
        paper = Paper("csv", "m", ground.merchant.id, days, staff=True)
        async with exports.merchant(paper) as reading:
            assert await anext(reading.orders())
            for rows in (reading.movements, reading.prepayments, reading.completions):
                await anext(rows(), None)

    async def takings() -> None:
        async with exports.supplier(Paper("csv", "s", supplier.id, days)) as reading:
            assert await anext(reading.takings())

    verbs: list[Callable[[], Awaitable[object]]] = [
        orders,
        takings,
        partial(exports.chart, Paper("chart", "m", ground.merchant.id, days)),
        partial(exports.chart, Paper("chart", "s", supplier.id, days)),
        partial(exports.chart, Paper("chart", "p", HOUSE, days)),
    ]
    for verb in verbs:
        plans = await ground.plans(verb)
        assert_by_index(plans)
        if verb in (orders, takings):
            assert_planned_for_its_months(plans)
        assert read(plans)


async def test_lists_of_orders(ground: Ground) -> None:
    """Each filter, the first page and the next one, with what all of it comes to."""
    lists, today = ground.runtime.reports.order_lists, datetime.now(UTC).date()
    week = OrderFilter(Days(today - timedelta(days=7), today), "CNY")
    for wanted in (
        week,
        replace(week, merchant_ids=(ground.merchant.id,), pay="paid", least_minor=100),
        replace(week, news="untold"),
        replace(week, channel_nos=("C01",)),
    ):
        listed = lists.seen(ground.actor, wanted)
        last = (await lists.page(listed, Turn())).lines[-1:]
        turns = [Turn(), *(Turn(2, "older", line.number) for line in last)]
        for turn in turns:
            plans = await ground.plans(partial(lists.page, listed, turn))
            assert_by_index(plans)
            assert_planned_for_its_months(plans)
            assert "orders" in read(plans)

        async def whole(listed: FilteredOrders = listed) -> None:
            async with ground.runtime.system.store.snapshot() as tx:
                found = await lists.whole(tx, listed)
                await found.trace()
                await anext(found.lines(CHUNK_ROWS), None)

        plans = await ground.plans(whole)
        assert_by_index(plans)
        assert_planned_for_its_months(plans)


async def test_orders_looked_up(ground: Ground) -> None:
    lookups = ground.runtime.trade.lookups
    turns = cycle(ground.numbers)

    async def look_up() -> None:
        number = next(turns)
        (order, *_) = (await lookups.find(ground.actor, [number]))[number]
        await lookups.attempts(await lookups.seen(ground.actor, order.order_id))

    async def ask() -> None:
        number = next(turns)
        facts = read_number(number)
        assert facts is not None
        assert await ground.runtime.trade.shown.find(ground.merchant.id, number, facts)

    for verb, timeless in ((look_up, TIMELESS), (ask, frozenset[str]())):
        plans = await ground.plans(verb)
        assert_by_index(plans, timeless=timeless)
        assert read(plans) == {"orders", "attempt"}


async def test_an_order_and_its_payment(ground: Ground) -> None:
    """From its creation until its payment is booked, and its news is taken."""
    trade, numbers = ground.runtime.trade, count()

    async def order() -> None:
        wanted = OpenOrder(
            f"plan-{next(numbers)}", Money(10_000, "CNY"), LINK, "Tea", "203.0.113.7",
            notify_url=f"{PUBLIC_URL}/news",
        )  # fmt: skip
        opened = await trade.creation.open(ground.app, wanted, request_id="plans")
        assert opened.attempt is not None
        assert opened.attempt.pay is not None
        said = json.dumps({"pay": {"value": opened.attempt.pay.value}}).encode()
        call = callback(said, ground.town.supplier_key).split(b" ")[1].decode()
        told = Callback("GET", urlsplit(call).query, {}, b"", "203.0.113.10")
        async with day_held_alone(ground.runtime, ground.app.merchant.id):
            await trade.callbacks.receive(opened.attempt.attempt_no, told, request_id="plans")
        assert await trade.callbacks.act_due(HANDS)
        await trade.notifications.take_due(HANDS)

    plans = await ground.plans(order)
    assert_by_index(plans, timeless=WAITING)
    asked = " ".join(plan.sql for plan in plans)
    for verb in ("open_orders(", "book_payments(", "book_events(", "waiting_news("):
        assert verb in asked
    assert {"orders", "attempt", "supplier_callback", "notification"} <= read(plans)
    assert sum("UPDATE notification" in plan.sql for plan in plans)


async def test_what_loops_ask(ground: Ground) -> None:
    trade, delivery, reports = (
        ground.runtime.trade, ground.runtime.delivery, ground.runtime.reports,
    )  # fmt: skip
    asked = 0
    for verb in (
        partial(trade.callbacks.act_due, HANDS),
        partial(trade.notifications.take_due, HANDS),
        partial(trade.follow_up.take_due, HANDS),
        partial(trade.follow_up.expire_due, HANDS),
        partial(delivery.inbox.take, HANDS),
        partial(delivery.outbox.take, HANDS),
        reports.changes.show,
        ground.runtime.ledger.calendar.due_to_roll,
        partial(ground.runtime.ledger.calendar.roll, ground.merchant.id),
        reports.bills.keep_sums,
    ):
        plans = await ground.plans(verb)
        assert_by_index(plans, timeless=WAITING)
        asked += bool(plans)
    assert asked >= LOOPS  # one whose queue is known to be empty need not ask


async def _make(ground: Ground, change: str) -> int:
    """Change rows of the past; how many. The database counts them no sooner than it ever does."""
    owner = await asyncpg.connect(
        ground.server.postgres.owner_dsn(), server_settings={"default_transaction_read_only": "off"}
    )
    try:
        return int((await owner.execute(change)).split()[-1])
    finally:
        await owner.close()


async def test_what_is_open_and_not_due_is_not_read(ground: Ground) -> None:
    """Not even where the database last counted when nothing was open."""
    opened = await _make(
        ground, "UPDATE orders SET state = 'pending', end_at = 'infinity' WHERE state = 'expired'"
    )
    plans = await ground.plans(partial(ground.runtime.trade.follow_up.expire_due, HANDS))
    assert opened > 100 * HANDS
    assert {node.table for plan in plans for node in plan.months if node.ran} == {"orders"}
    assert not sum(node.rows for plan in plans for node in plan.months)


async def test_what_is_to_be_asked_about_later_is_not_read(ground: Ground) -> None:
    """Neither by who asks nor by the look at all queues. The first of each supplier is seen."""
    waiting = await _make(ground, "UPDATE attempt SET ask_at = 'infinity' WHERE state = 'closed'")
    look = Look(ground.runtime.system.store, ground.runtime.system.clock)
    look.watch(ASKING_DUE, _nobody_woken)
    for verb in (partial(ground.runtime.trade.follow_up.take_due, HANDS), look.look):
        plans = await ground.plans(verb)
        assert_by_index(plans)
        assert read(plans) == {"attempt"}
        for plan in plans:
            assert sum(node.rows for node in plan.months) <= len(plan.months) < waiting / HANDS


async def test_a_list_begins_before_it_is_read(ground: Ground) -> None:
    today = datetime.now(UTC).date()
    days = Days(today - timedelta(days=30), today)
    paper = Paper("csv", "m", ground.merchant.id, days, staff=True)

    async def listed() -> None:
        async with ground.runtime.reports.exports.merchant(paper) as reading:
            await anext(reading.orders())

    asked = await ground.plans(listed)
    assert not [plan.sql for plan in asked if "sum(version)" in plan.sql]  # all are counted later
    plans = [plan for plan in asked if "ORDER BY o.paid_at" in plan.sql]
    assert_by_index(plans)
    assert_planned_for_its_months(plans)
    assert plans
    for plan in plans:
        assert "Sort" not in plan.kinds
        assert sum(node.rows for node in plan.months if node.table == "orders") < 2 * CHUNK_ROWS


def _nobody_woken() -> None:
    """Whatever is found is no part of the question."""


async def test_the_one_look_at_all_queues(ground: Ground) -> None:
    look = Look(ground.runtime.system.store, ground.runtime.system.clock)
    for queue in (inbox.QUEUE, outbox.QUEUE, exports.QUEUE, notifications.QUEUE, callbacks.QUEUE):
        look.watch(due(queue), _nobody_woken)
    look.watch(ASKING_DUE, _nobody_woken)
    Timetable(ground.runtime).watch(look)
    plans = await ground.plans(look.look)
    assert_by_index(plans, timeless=WAITING)
    assert {"orders", "attempt", "notification"} <= read(plans)


TRAIL = 20_000


async def test_the_trail(ground: Ground) -> None:
    """Each way of searching has an index that it is walked by."""
    store, trail = ground.runtime.system.store, ground.runtime.people.trail
    await store.execute(
        "INSERT INTO audit (id, at, actor, merchant_id, action, facts, hash)"
        " SELECT gen_random_uuid(), now() - n * interval '1 minute', 'telegram:' || 5000 + n % 50,"
        " CASE n % 500 WHEN 0 THEN $1::uuid END, 'deed_' || n % 300,"
        " jsonb_build_object('order_no', 'P' || n), '\\x00'::bytea"
        " FROM generate_series(1, $2::int) n",
        ground.merchant.id,
        TRAIL,
    )
    await store.execute("ANALYZE audit")
    now = ground.runtime.system.clock.now()
    for search in (
        Search(),
        Search(who="5001"),
        Search(action="deed_7"),
        Search(number="P777"),
        Search(number=WHALE),
        Search(since=now - timedelta(days=2), until=now - timedelta(days=1)),
    ):
        found = await trail.read(ground.actor, search)
        assert found.rows, search
        plans = await ground.plans(partial(trail.read, ground.actor, search))
        assert_by_index(plans)
        assert not [plan.sql for plan in plans if "audit" in plan.read_through], search


async def test_how_the_desk_stands(ground: Ground) -> None:
    """What waits is counted by the indexes of what waits; nothing else of a month is read."""
    plans = await ground.plans(partial(ground.runtime.reports.standing.read, ground.actor))
    assert_by_index(plans, timeless=WAITING)


async def test_the_checklist(ground: Ground) -> None:
    plans = await ground.plans(partial(ground.runtime.reports.checklist.read, ground.actor))
    assert_by_index(plans)
