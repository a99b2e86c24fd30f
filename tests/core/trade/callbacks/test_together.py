"""Callbacks settled together come to exactly what they come to one by one."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from contextvars import Context
from dataclasses import dataclass, replace
from random import Random
from typing import Any, Literal

import asyncpg
import pytest

from core.books import Event, paid
from core.connectors import Callback
from core.connectors import Event as Told
from core.kernel.money import Money
from core.trade.callbacks.arrivals import Arrival, Arrivals
from core.trade.orders import Opened, PaymentSeen, Report, get_attempts, move_order
from tests.conftest import Servers
from tests.core.support import Desk, alarms, owner
from tests.demo import eventually
from tests.sizes import size

Take = Callable[[Desk, Opened, "Word", str], Awaitable[None]]
URL = "http://127.0.0.1:9/notify"
ASKED = 10000
ORDERS = 5
WORDS = 24


@dataclass(frozen=True, slots=True)
class Word:
    """One thing that a supplier says: of an order, by its place, under a payment number."""

    order: int
    number: str
    paid: Money


# Orders 2 and 3 are not late. Of each kind one for certain, whatever is drawn after it.
ODD = (
    Word(2, "ODD1", Money(ASKED - 100, "CNY")),
    Word(3, "ODD2", Money(ASKED + 100, "CNY")),
    Word(2, "ODD3", Money(ASKED, "CNY")),
    Word(2, "ODD4", Money(ASKED, "CNY")),
    Word(3, "ODD2", Money(ASKED, "CNY")),
    Word(3, "ODD5", Money(ASKED, "USD")),
)
COME_TO = ("short", "over", "order", "duplicate", "contradiction", "contradiction")
KINDS = set(COME_TO)


def words_of(draw: Random) -> list[Word]:
    """Mostly what orders wait for; beside it too little and too much of it, another currency, the
    same once more, other amounts under the same number, and numbers of other orders."""
    words = list(ODD)
    for _ in range(WORDS):
        order = draw.randrange(ORDERS)
        number = f"N{order}" if draw.random() < 0.7 else f"N{draw.randrange(2 * ORDERS)}"
        minor = draw.choice((ASKED, ASKED, ASKED, ASKED - 100, ASKED + 100))
        currency = "USD" if draw.random() < 0.04 else "CNY"
        words.append(Word(order, number, Money(minor, currency)))
        if draw.random() < 0.2:
            words.append(draw.choice(words))
    return words


async def open_orders(desk: Desk) -> list[Opened]:
    """The first two end before their money comes, and the last one has nobody to tell."""
    late = [await desk.open(expires_in_s=60, notify_url=URL) for _ in range(2)]
    desk.clock.advance(61)
    await desk.runtime.trade.follow_up.expire_due(10)
    more = [await desk.open(notify_url=URL) for _ in range(ORDERS - 3)]
    return [*late, *more, await desk.open()]


async def arriving(desk: Desk, opened: Opened, word: Word, prefix: str) -> tuple[Arrivals, Arrival]:
    """The callback, as one that was believed, and who writes it."""
    assert opened.attempt is not None
    told = Told(opened.attempt.attempt_no, prefix + word.number, "paid", word.paid, hearsay=False)
    callback = Callback("POST", "", {}, b"paid", "203.0.113.9")
    now, callback_id = desk.clock.now(), desk.runtime.system.ids.uuid7()
    arrivals = Arrivals(desk.runtime.system.store, desk.runtime.trade.payments)
    waiting = await arrivals.find(desk.merchant.id, opened.attempt.attempt_no)
    assert waiting is not None
    return arrivals, Arrival(callback_id, waiting, told, callback, now, "told")


async def keep(desk: Desk, opened: Opened, word: Word, prefix: str) -> None:
    """The callback is stored."""
    arrivals, arrival = await arriving(desk, opened, word, prefix)
    await arrivals.keep(arrival)


async def book(desk: Desk, opened: Opened, word: Word, prefix: str) -> None:
    """The callback is booked where it comes, or stored and acted on by itself."""
    arrivals, arrival = await arriving(desk, opened, word, prefix)
    if (await arrivals.book(arrival)).waits:
        await act(desk)


async def act(desk: Desk) -> None:
    while await desk.runtime.trade.callbacks.act_due(10):
        pass


async def singly(desk: Desk, opened: Sequence[Opened], words: Sequence[Word]) -> list[str]:
    """What each came to by itself, in the careful transaction; the same told again is left out."""
    outcomes: dict[Word, str] = {}
    for word in words:
        if word in outcomes:
            continue
        attempt = opened[word.order].attempt
        assert attempt is not None
        seen = PaymentSeen(
            desk.merchant.id, attempt.attempt_no, f"S{word.number}", word.paid, "reported",
            "203.0.113.9",
        )  # fmt: skip
        settled = await desk.runtime.trade.payments.settle_payment(seen, request_id="told")
        outcomes[word] = settled.meaning
    return list(outcomes.values())


async def together(
    desk: Desk, opened: Sequence[Opened], words: Sequence[Word], take: Take
) -> list[str]:
    for word in words:
        await take(desk, opened[word.order], word, "T")
    await act(desk)
    rows = await desk.runtime.system.store.fetch(
        "SELECT state, outcome, held_by, lease_until FROM supplier_callback"
        " WHERE merchant_id = $1 ORDER BY received_at", desk.merchant.id,
    )  # fmt: skip
    assert {tuple(row)[0::2] for row in rows} == {("done", None)}
    return [row["outcome"] for row in rows]


async def came_to(desk: Desk, opened: Opened) -> dict[str, Any]:
    """All that is known of an order, but for its own numbers and instants."""
    order = await desk.order(opened)
    fetch, key = desk.runtime.system.store.fetch, (order.merchant_id, order.id)
    attempts = await get_attempts(desk.runtime.system.store, *key)
    tables = {name: [_plain(row) for row in await fetch(sql, *key)] for name, sql in _OF.items()}
    news = await fetch(
        "SELECT type, url, app_id, lane, state, left(request_id, 6), webhook_id, id, facts"
        " FROM notification WHERE merchant_id = $1 AND order_id = $2 ORDER BY created_at", *key,
    )  # fmt: skip
    for row in news:
        assert row["webhook_id"] == f"msg_{row['id'].hex}"
        assert row["facts"]["order_no"] == order.order_no
    its_own = {"order_no", "merchant_order_no", "subject", "created_at", "expires_at", "paid_at",
               "cashier_url"}  # fmt: skip
    return {
        "order": (order.state, order.version, order.paid_how, order.paid_late, order.cost_minor,
                  order.supplier_open, order.disputed,
                  order.paid_attempt_no == order.live_attempt_no),
        "paid_day": order.paid_day,
        "attempts": [(a.state, a.state == "paid" and (a.upstream_no or "")[1:], a.ask_at is None)
                     for a in attempts],
        "news": [(*tuple(row)[:6], {k: v for k, v in row["facts"].items() if k not in its_own},
                  bool(row["facts"]["paid_at"])) for row in news],
        **tables,
    }  # fmt: skip


def _plain(row: asyncpg.Record) -> tuple[object, ...]:
    return tuple(
        {k: v[1:] if k == "upstream_no" else v for k, v in value.items()}
        if isinstance(value, dict) else value for value in row
    )  # fmt: skip


# What was written of an order, in turn; numbers of payments without the first letter.
_OF = {
    "books": "SELECT e.kind, e.mode, substr(e.event_key, 11), l.line, l.account, l.currency,"
    " l.minor, l.product_code, l.channel_no, l.kind = e.kind AND l.day = e.day FROM ledger_event e"
    " JOIN ledger_entry l ON l.merchant_id = e.merchant_id AND l.event_id = e.id"
    " AND l.booked_at = e.booked_at WHERE e.merchant_id = $1 AND e.order_id = $2"
    " ORDER BY e.booked_at, l.line",
    "payments": "SELECT substr(s.upstream_no, 2), s.amount_minor, s.currency, s.booked_as, s.how,"
    " s.address, s.at = e.booked_at FROM supplier_payment s LEFT JOIN ledger_event e"
    " ON e.merchant_id = s.merchant_id AND e.id = s.event_id"
    " WHERE s.merchant_id = $1 AND s.order_id = $2 ORDER BY s.at",
    "moves": "SELECT version, state_from, move, state_to, actor, facts FROM order_history"
    " WHERE merchant_id = $1 AND order_id = $2 AND move = 'pay' ORDER BY version",
    "steps": "SELECT h.state_from, h.move, h.state_to, h.facts FROM attempt_history h"
    " JOIN attempt a USING (merchant_id, attempt_no) WHERE a.merchant_id = $1 AND a.order_id = $2"
    " AND h.move = 'pay' ORDER BY h.id",
    "suspense": "SELECT kind, asked_minor, seen_minor, left_minor FROM discrepancy"
    " WHERE merchant_id = $1 AND order_id = $2 ORDER BY at",
    "odd": "SELECT kind, substr(upstream_no, 2), amount_minor, currency, times FROM contradiction"
    " WHERE merchant_id = $1 AND order_id = $2 ORDER BY at",
}


def less(after: dict[str, int], before: dict[str, int]) -> dict[str, int]:
    return {name: minor - before.get(name, 0) for name, minor in after.items()}


@pytest.mark.parametrize("take", [keep, book])
@pytest.mark.parametrize("seed", range(size(2, 40)))
async def test_together_as_one_by_one(desk: Desk, neighbour: Desk, seed: int, take: Take) -> None:
    draw = Random(seed)
    desk.clock.go_to_noon()
    for here in (desk, neighbour):
        words = words_of(draw)
        alone, batch = await open_orders(here), await open_orders(here)
        meanings = await singly(here, alone, words)
        if here is desk:
            assert set(meanings) == KINDS
            assert tuple(meanings[: len(ODD)]) == COME_TO
        else:  # the neighbour's supplier is the same, and so are the numbers: most are taken
            assert meanings.count("contradiction") > len(ODD)
        first = await here.balances()
        assert await together(here, batch, words, take) == meanings
        assert less(await here.balances(), first) == first
        for one, other in zip(alone, batch, strict=True):
            assert await came_to(here, other) == await came_to(here, one)
    await desk.sound()


@pytest.mark.parametrize("seed", range(size(2, 30)))
async def test_each_order_is_stored_as_it_is_returned(desk: Desk, seed: int) -> None:
    """The desk says what an order is when it is paid, and the database writes it by itself: no
    column may differ."""
    draw, store = Random(seed), desk.runtime.system.store
    opened = [
        await desk.open(draw.randrange(100, 900_000), notify_url=draw.choice((URL, None)))
        for _ in range(ORDERS)
    ]
    for place, one in enumerate(opened):
        await keep(desk, one, Word(place, f"N{place}", one.order.amount), "")
    turn = desk.runtime.system.ids.uuid7()
    rows = await store.fetch(
        "UPDATE supplier_callback SET held_by = $2 WHERE merchant_id = $1 RETURNING *",
        desk.merchant.id,
        turn,
    )
    by_attempt = {row["attempt_no"]: row for row in rows}
    reports = []
    for place, one in enumerate(opened):
        assert one.attempt is not None
        no, row = one.attempt.attempt_no, by_attempt[one.attempt.attempt_no]
        seen = PaymentSeen(
            desk.merchant.id, no, f"N{place}", one.order.amount,
            draw.choice(("reported", "asked")), "203.0.113.9",
        )  # fmt: skip
        reports.append(Report(seen, "told", row["id"], turn))
    settled = await desk.runtime.trade.payments.settle_payments(desk.merchant.id, reports)
    for one, order in zip(opened, settled, strict=True):
        assert order is not None
        assert order.state == "paid"
        assert order == await desk.order(one)
    await desk.sound()


async def test_a_batch_is_booked_at_once(desk: Desk) -> None:
    """All of them at one instant, which only the write of many gives."""
    opened = [await desk.open() for _ in range(4)]
    for place, one in enumerate(opened):
        await keep(desk, one, Word(place, f"N{place}", Money(ASKED, "CNY")), "")
    assert await desk.runtime.trade.callbacks.act_due(10) == 1
    assert len({(await desk.order(one)).paid_at for one in opened}) == 1
    assert (await desk.balances())["payable"] == 4 * 9880
    await desk.sound()


@pytest.mark.parametrize("take", [keep, book])
async def test_one_that_cannot_be_booked_holds_up_none_of_the_others(
    desk: Desk, take: Take
) -> None:
    opened = [await desk.open() for _ in range(3)]
    money = Money(ASKED, "CNY")

    async def taken(tx: Any, day: Any) -> None:
        postings = paid(money, fee_minor=0, cost_minor=0, supplier_no="S01")
        event = Event("seen:S01:N1", "order", "test", postings)
        await desk.runtime.ledger.book(tx, day, event)

    await desk.runtime.ledger.in_open_day(desk.merchant.id, taken)
    words = [Word(place, f"N{place}", money) for place in range(3)]
    await asyncio.gather(*(take(desk, opened[word.order], word, "") for word in words))
    await act(desk)
    assert [(await desk.order(one)).state for one in opened] == ["paid", "pending", "paid"]
    assert [alarm.kind for alarm in await alarms(desk.runtime)] == ["contradiction"]
    assert (await desk.balances())["payable"] == 2 * 9880


async def test_one_whose_like_is_stored_is_booked_with_the_others(desk: Desk) -> None:
    """One that waits, and one that was given up: they find it booked."""
    opened = [await desk.open() for _ in range(3)]
    words = [Word(place, f"N{place}", Money(ASKED, "CNY")) for place in range(3)]
    for word in words[:2]:
        await keep(desk, opened[word.order], word, "")
    await desk.runtime.system.store.execute(
        "UPDATE supplier_callback SET state = 'parked', tries = 40 WHERE attempt_no = $1",
        opened[1].order.live_attempt_no,
    )
    calls = [await arriving(desk, opened[word.order], word, "") for word in words]
    arrivals = calls[0][0]
    kept = await asyncio.gather(*(arrivals.book(arrival) for _, arrival in calls))
    assert {one.waits for one in kept} == {False}
    booked = await desk.runtime.system.store.fetch("SELECT DISTINCT booked_at FROM ledger_event")
    assert len(booked) <= 2, "the first may go alone, and the others go together"
    await act(desk)
    rows = await desk.runtime.system.store.fetch("SELECT state, outcome FROM supplier_callback")
    outcomes = sorted(tuple(row) for row in rows)
    assert outcomes == [("done", "order"), ("done", "redelivery"), ("done", "redelivery")]
    assert (await desk.balances())["payable"] == 3 * 9880
    await desk.sound()


async def test_one_whose_day_was_over_holds_up_none_of_the_others(desk: Desk) -> None:
    opened = [await desk.open() for _ in range(2)]
    payments = []
    for place, one in enumerate(opened):
        _, arrival = await arriving(desk, one, Word(place, f"N{place}", Money(ASKED, "CNY")), "")
        assert arrival.payment is not None
        payments.append(arrival.payment)
    payments[0] = replace(payments[0], waiting=replace(payments[0].waiting, day=None))
    booked = await desk.runtime.trade.payments.settle_arriving(desk.merchant.id, payments)
    assert [order and order.state for order in booked.orders] == [None, "paid"]
    assert [(await desk.order(one)).state for one in opened] == ["pending", "paid"]
    await desk.sound()


@pytest.mark.parametrize("take", [keep, book])
async def test_payments_lock_balances_before_their_numbers(
    desk: Desk, take: Take, servers: Servers, database: str
) -> None:
    """Whoever has locked a balance, as one that is settled by itself, gets the number at once."""
    opened = await desk.open()
    await desk.pay(await desk.open())
    mine, others = owner(servers, database), owner(servers, database)
    async with mine as watch, others as other, other.transaction():
        await other.execute(
            "SELECT FROM balance WHERE merchant_id = $1 FOR UPDATE", desk.merchant.id
        )
        word = Word(0, "N0", Money(ASKED, "CNY"))

        async def told() -> None:
            await take(desk, opened, word, "")
            await act(desk)

        acting = asyncio.create_task(told())
        await eventually(lambda: watch.fetchval(_LOCKED), what="its booking waits for a balance")
        await other.execute("SET LOCAL lock_timeout = '100ms'")
        await other.execute(_NUMBER, desk.merchant.id, opened.order.id)
    await acting
    assert await desk.runtime.system.store.fetchval(
        "SELECT outcome FROM supplier_callback WHERE attempt_no = $1", opened.order.live_attempt_no
    ) == "contradiction"  # fmt: skip


@pytest.mark.parametrize("moved", ["order", "books", "state", "version"])
async def test_what_changed_meanwhile_is_decided_again(
    desk: Desk,
    servers: Servers,
    database: str,
    moved: Literal["order", "books", "state", "version"],
) -> None:
    """Somebody holds an order between the decision and the write of its payment, and changes it:
    it expires, or other money of it is booked at a later instant. Or just one of the columns is
    otherwise that the write looks at itself, and nothing else would stop it."""
    opened, other = await desk.open(notify_url=URL), await desk.open()
    store = desk.runtime.system.store
    for place, one in enumerate((opened, other)):
        await keep(desk, one, Word(place, f"N{place}", Money(ASKED, "CNY")), "")
    (job,) = await desk.runtime.trade.callbacks.take_due(5)

    async def act_on_both() -> None:
        await job()

    watch = await asyncpg.connect(servers.owner_dsn(database))
    try:
        async with store.transaction() as tx:
            await tx.fetch("SELECT FROM orders WHERE id = $1 FOR UPDATE", opened.order.id)
            acting = asyncio.create_task(act_on_both(), context=Context())
            await eventually(
                lambda: watch.fetchval(
                    "SELECT EXISTS (SELECT FROM pg_stat_activity WHERE datname = current_database()"
                    " AND wait_event_type = 'Lock')"
                ),
                what="the write waits for the order",
            )
            if moved == "order":
                at = desk.clock.now()
                assert await move_order(
                    tx, opened.order, "expire", at=at, actor="timetable", facts={}
                )
            elif moved == "books":
                await tx.execute(_LATER, desk.merchant.id, opened.order.id)
            else:
                await tx.execute(_CHANGED[moved], desk.merchant.id, opened.order.id)
        await acting
    finally:
        await watch.close()
    order, order_too = await desk.order(opened), await desk.order(other)
    assert (order.state, order_too.state) == ("paid", "paid")
    assert order.paid_late == (moved in ("order", "state"))
    rows = await store.fetch("SELECT outcome FROM supplier_callback")
    assert [row["outcome"] for row in rows] == ["order", "order"]
    if moved == "order":
        types = await store.fetch("SELECT type FROM notification")
        assert [row["type"] for row in types] == ["order.paid_late"]
        await desk.sound()
    elif moved == "books":
        assert order.paid_at is not None
        later = await store.fetchval("SELECT max(booked_at) FROM ledger_event WHERE id <> ALL"
                                     " (SELECT event_id FROM supplier_payment)")  # fmt: skip
        assert order.paid_at > later
    else:
        versions = await store.fetch(
            "SELECT version FROM order_history WHERE order_id = $1 ORDER BY version", order.id
        )
        assert versions[-1]["version"] == order.version


_LOCKED = """
SELECT EXISTS (SELECT FROM pg_stat_activity
               WHERE datname = current_database() AND wait_event_type = 'Lock')
"""
_NUMBER = """
INSERT INTO supplier_payment (merchant_id, supplier_id, upstream_no, attempt_no, order_id,
    amount_minor, currency, booked_as, event_id, how, address, at)
SELECT a.merchant_id, a.supplier_id, 'N0', 'another', gen_random_uuid(), 1, 'CNY', 'short', NULL,
       'asked', '', now()
FROM attempt a WHERE a.merchant_id = $1 AND a.order_id = $2
"""
_CHANGED = {
    "state": "UPDATE orders SET state = 'expired' WHERE merchant_id = $1 AND id = $2",
    "version": "UPDATE orders SET version = version + 5 WHERE merchant_id = $1 AND id = $2",
}
_LATER = """
INSERT INTO ledger_event (merchant_id, event_key, id, kind, mode, day, booked_at, order_id)
SELECT $1, 'later', gen_random_uuid(), 'short', 'live', day, ends_at - interval '1 second', $2
FROM business_day WHERE holder_id = $1 AND closed_at IS NULL
"""
