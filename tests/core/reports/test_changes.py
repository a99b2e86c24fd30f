"""What changed is found afterwards: its cards and live bills are edited, and nothing is missed."""

from __future__ import annotations

import asyncio
from contextvars import Context
from datetime import datetime
from typing import Any
from uuid import UUID

import asyncpg
import pytest

from core.accounts.vouchers import Advance, Cause
from core.delivery.board import BILL_REST, LiveBill, Subject
from core.delivery.outbox.facts import LIVE_BILL
from core.kernel.money import Money
from core.reports.changes import (
    BILLS_PER_S,
    MARK_EVERY,
    MOST_AT_ONCE,
    OLDEST,
    SOON,
    SWEEP,
    WIDE_SWEEP,
    Changes,
    Sweep,
)
from core.system.store import Queries
from core.trade.orders import Opened
from tests.core.support import (
    CHAT,
    FINANCE,
    NORTHWIND_CHAT,
    OPERATOR,
    OPS_CHAT,
    SUPPLIER_CHAT,
    Desk,
)
from tests.core.system.test_restored import complete
from tests.demo import eventually

NOTHING: list[tuple[str, int]] = []
DESK_BILLS = 2  # the supplier's and the platform's move with what a merchant is paid


async def waiting(desk: Desk) -> list[tuple[str, int]]:
    """topic and chat of what waits to be shown."""
    return await waiting_in(desk.runtime.system.store)


async def waiting_in(queries: Queries) -> list[tuple[str, int]]:
    """As `waiting`, as it is seen here."""
    rows = await queries.fetch(
        "SELECT topic, chat_id FROM outbox WHERE topic IN ('bill', 'card') ORDER BY topic, chat_id"
    )
    return [(row["topic"], row["chat_id"]) for row in rows]


async def shown(desk: Desk) -> None:
    """A courier showed all that waited."""
    await desk.runtime.system.store.execute("DELETE FROM outbox")


async def quiet(desk: Desk) -> Changes:
    """Everything that happened so far was looked at, and is long past."""
    changes = desk.runtime.reports.changes
    desk.clock.advance(WIDE_SWEEP.back.total_seconds() + 1)
    for _ in range(2):
        await changes.show()
        desk.clock.advance(SWEEP.every.total_seconds() + 1)
    await shown(desk)
    assert await changes.show() == 0
    return changes


async def carded(desk: Desk, opened: Opened, chat_id: int = OPERATOR, message_id: int = 5) -> None:
    about = Subject.card(opened.order.merchant_id, opened.order.id)
    await desk.runtime.delivery.board.posts.posted(chat_id, message_id, about, "d")


async def test_whoever_opens_and_pays_an_order_writes_nothing_of_what_is_posted(desk: Desk) -> None:
    await shown(desk)  # the bills of the groups, which were bound just now
    opened = await desk.open()
    await carded(desk, opened)
    await desk.see(opened, 10000)
    assert await waiting(desk) == NOTHING
    assert await desk.runtime.reports.changes.show() > 0
    assert await waiting(desk) == [("bill", CHAT), ("card", OPERATOR)]


async def test_each_change_is_found_wherever_it_is_shown(desk: Desk) -> None:
    await quiet(desk)
    opened, other = await desk.open(), await desk.open()
    await carded(desk, opened)
    await carded(desk, opened, CHAT, 7)
    await carded(desk, other, CHAT, 8)
    changes = await quiet(desk)
    await desk.see(opened, 9_900)  # too little: booked, and the order stays what it is
    assert await changes.show() == 3 + DESK_BILLS
    assert await waiting(desk) == [("bill", CHAT), ("card", CHAT), ("card", OPERATOR)]
    fact = await desk.runtime.system.store.fetchval(
        "SELECT facts FROM outbox WHERE topic = 'card' AND chat_id = $1", CHAT
    )
    assert (fact["order_id"], fact["edit_message_id"]) == (str(opened.order.id), 7)
    assert await changes.show() == 0, "it waits already, and will show all there is by then"


async def test_an_order_that_ends_moves_the_bill_though_no_money_moved(desk: Desk) -> None:
    opened = await desk.open()
    changes = await quiet(desk)
    await desk.runtime.trade.follow_up.end(
        desk.merchant.id, opened.order.id, "close", actor="test", request_id="end"
    )
    await changes.show()
    assert await waiting(desk) == [("bill", CHAT)]


@pytest.mark.parametrize("sweep", [SWEEP, WIDE_SWEEP])
async def test_what_commits_late_with_an_earlier_instant_is_shown(desk: Desk, sweep: Sweep) -> None:
    opened = await desk.open()
    changes = await quiet(desk)
    with desk.clock.behind(sweep.back.total_seconds() / 2):  # it began before the look
        await desk.see(opened, 10000)
    looks = sweep.every // SWEEP.every + 1
    for _ in range(looks):
        desk.clock.advance(SWEEP.every.total_seconds() + 1)
        await changes.show()
    assert ("bill", CHAT) in await waiting(desk)


async def test_a_sweep_that_fails_stops_no_other_look(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    opened = await desk.open()
    changes = await quiet(desk)
    store, ask = desk.runtime.system.store, desk.runtime.system.store.fetch

    async def ask_in_time(sql: str, *args: Any) -> list[asyncpg.Record]:
        if "order_history" in sql and desk.clock.now() - args[0] >= WIDE_SWEEP.back:
            raise TimeoutError("that many rows take too long")
        return await ask(sql, *args)

    monkeypatch.setattr(store, "fetch", ask_in_time)
    desk.clock.advance(WIDE_SWEEP.every.total_seconds())
    await desk.see(opened, 10000)
    with pytest.raises(TimeoutError):
        await changes.show()
    assert await waiting(desk) == [("bill", CHAT)]
    await shown(desk)
    await desk.see(await desk.open(), 10000)
    assert await changes.show() == 1 + DESK_BILLS, "the sweep has had its turn"


async def test_a_desk_that_begins_after_quiet_hours_looks_at_minutes(desk: Desk) -> None:
    changes = await quiet(desk)
    store = desk.runtime.system.store
    for _ in range(3):
        desk.clock.advance(MARK_EVERY.total_seconds() + 1)
        assert await changes.show() == 0
    mark = await store.fetchval("SELECT looked_to FROM board")
    assert desk.clock.now() - mark < MARK_EVERY


async def test_what_many_show_is_written_in_parts_and_the_mark_moves_with_the_last(
    desk: Desk,
) -> None:
    opened = await desk.open()
    changes = await quiet(desk)
    for message_id in range(MOST_AT_ONCE + 5):
        await carded(desk, opened, CHAT, 100 + message_id)
    await desk.see(opened, 10000)
    store = desk.runtime.system.store
    before = await store.fetchval("SELECT looked_to FROM board")
    async with store.transaction() as tx:
        # The last part waits for its bill; what came before it is there, and the mark is not moved.
        await desk.runtime.delivery.board.show_bills(
            tx, [LiveBill("merchant", desk.merchant.id, CHAT)]
        )
        looking = asyncio.create_task(changes.show(), context=Context())

        async def first_part() -> bool:
            return len(await waiting_in(tx)) == MOST_AT_ONCE + 1  # and this one's bill

        await eventually(first_part, what="the first part")
        assert await tx.fetchval("SELECT looked_to FROM board") == before
    assert await looking == MOST_AT_ONCE + 6 + DESK_BILLS
    rows = await waiting(desk)
    assert rows == [("bill", CHAT)] + [("card", CHAT)] * (MOST_AT_ONCE + 5)
    assert await store.fetchval("SELECT looked_to FROM board") > before


async def test_what_overlaps_a_look_is_shown_by_the_next(desk: Desk) -> None:
    opened = await desk.open()
    changes = await quiet(desk)
    with desk.clock.behind(SOON.total_seconds() / 2):
        await desk.see(opened, 10000)
    await changes.show()
    assert ("bill", CHAT) in await waiting(desk)


async def test_a_desk_that_ended_is_succeeded(desk: Desk) -> None:
    """Another instance goes on from the mark, and of two that look one has it shown."""
    opened = await desk.open()
    first = await quiet(desk)
    system, board = desk.runtime.system, desk.runtime.delivery.board
    trade = desk.runtime.trade
    second = Changes(system.store, system.clock, board, trade.enquiries, trade.watches)
    await second.show()
    await shown(desk)
    await desk.see(opened, 10000)
    desk.clock.advance(OLDEST.total_seconds() / 2)
    assert await second.show() == 1 + DESK_BILLS
    await shown(desk)
    assert await first.show() == 0, "the other one had it shown meanwhile"
    assert await waiting(desk) == NOTHING


@pytest.mark.parametrize(("bills", "rest_s"), [(1, 3.0), (40, (40 + DESK_BILLS) / BILLS_PER_S)])
async def test_the_more_bills_move_the_longer_each_rests(
    desk: Desk, bills: int, rest_s: float
) -> None:
    store, posts = desk.runtime.system.store, desk.runtime.delivery.board.posts
    opened = await desk.open()
    changes = await quiet(desk)
    chats = [CHAT, *range(-9000, -9000 - bills + 1, -1)]
    await store.execute(
        "INSERT INTO chat_group (chat_id, kind, type, created_at)"
        " SELECT c, 'merchant', 'group', $2 FROM unnest($1::bigint[]) c ON CONFLICT DO NOTHING",
        chats,
        desk.clock.now(),
    )
    await store.execute(
        "INSERT INTO binding (id, chat_id, merchant_id, created_at)"
        " SELECT gen_random_uuid(), c, $2, $3 FROM unnest($1::bigint[]) c ON CONFLICT DO NOTHING",
        chats,
        desk.merchant.id,
        desk.clock.now(),
    )
    day = await desk.runtime.reports.bills.open_day(desk.merchant.id)
    await desk.see(opened, 10000)
    await posts.posted(CHAT, 9, Subject.live_bill(desk.merchant.id, day), "d")
    since: datetime = await store.fetchval("SELECT shown_at FROM post WHERE message_id = 9")
    assert await changes.show() == bills + DESK_BILLS
    due: datetime = await store.fetchval(
        "SELECT due_at FROM outbox WHERE topic = 'bill' AND chat_id = $1", CHAT
    )
    assert (due - since).total_seconds() == pytest.approx(rest_s)
    assert BILL_REST.total_seconds() <= rest_s


async def test_a_merchant_is_shown_where_it_is_bound_alone(desk: Desk) -> None:
    opened = await desk.open()
    changes = await quiet(desk)
    await desk.see(opened, 10000)
    await changes.show()
    rows = await desk.runtime.system.store.fetch(
        "SELECT merchant_id, facts FROM outbox WHERE topic = 'bill'"
    )
    assert [(row["merchant_id"], UUID(row["facts"]["merchant_id"])) for row in rows] == [
        (desk.merchant.id, desk.merchant.id)
    ]
    assert ("bill", NORTHWIND_CHAT) not in await waiting(desk)


async def live_bills(desk: Desk) -> list[tuple[int, str | None]]:
    """Chat and supplier (None: the platform) of live bills of the desk that wait to be shown."""
    rows = await desk.runtime.system.store.fetch(
        "SELECT chat_id, facts->>'supplier_id' AS supplier_id, dedupe_key, rank FROM outbox"
        " WHERE topic = 'desk_bill' AND NOT facts ? 'first' ORDER BY chat_id"
    )
    assert {row["dedupe_key"] for row in rows} == {f"bill:{row['chat_id']}" for row in rows}
    assert {row["rank"] for row in rows} <= {LIVE_BILL}
    return [(row["chat_id"], row["supplier_id"]) for row in rows]


async def test_money_moves_the_bills_of_the_platform_and_of_its_supplier_alone(desk: Desk) -> None:
    store = desk.runtime.system.store
    supplier = await desk.runtime.parties.suppliers.by_no("S01")
    other = await desk.runtime.parties.suppliers.by_no("S02")
    async with store.transaction() as tx:
        await tx.execute(
            "INSERT INTO chat_group (chat_id, kind, type, created_at)"
            " VALUES (-77, 'unbound', 'group', $1)",
            desk.clock.now(),
        )
        await desk.runtime.people.groups.bind_supplier(tx, -77, other.id)
    changes = await quiet(desk)
    opened = await desk.open()
    await changes.show()
    assert await live_bills(desk) == [(OPS_CHAT, None)], "orders are on the platform's bill alone"
    await shown(desk)
    await desk.see(opened, 10000)
    await changes.show()
    assert await live_bills(desk) == [(SUPPLIER_CHAT, str(supplier.id)), (OPS_CHAT, None)]


async def test_what_a_supplier_confirms_moves_its_bill_though_nothing_is_booked(desk: Desk) -> None:
    supplier = await desk.runtime.parties.suppliers.by_no("S01")
    changes = await quiet(desk)
    opened = await desk.open()
    await complete(desk, opened)
    await changes.show()
    await shown(desk)
    await desk.see(opened, 10000)
    await changes.show()
    assert (SUPPLIER_CHAT, str(supplier.id)) in await live_bills(desk)


async def test_what_a_supplier_paid_in_moves_its_bill_and_the_platforms(desk: Desk) -> None:
    supplier = await desk.runtime.parties.suppliers.by_no("S01")
    changes = await quiet(desk)
    actor = await desk.actor(FINANCE, SUPPLIER_CHAT)
    await desk.runtime.accounts.payins.record(
        actor, supplier, Advance(Money(5_000, "CNY"), ""), Cause(SUPPLIER_CHAT, 900, 1)
    )
    await shown(desk)
    await changes.show()
    assert await live_bills(desk) == [(SUPPLIER_CHAT, str(supplier.id)), (OPS_CHAT, None)]
    assert ("bill", CHAT) not in await waiting(desk)
