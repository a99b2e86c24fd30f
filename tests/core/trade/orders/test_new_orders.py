"""New orders of many merchants are written together; each is on its own where that matters."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any, cast

import asyncpg
import pytest

from core.books import BusinessDay
from core.connectors import CreateReading, Pay, Rejected
from core.kernel.errors import Refusal
from core.kernel.money import Money, Rate
from core.kernel.tariff import Tariff
from core.people.receipts import Cause
from core.supply.market import Market, Snapshot
from core.system.store import Store
from core.trade.district import build_creation
from core.trade.orders import Attempt, Creation, Opened, Order, SupplierCalls, get_attempts
from core.trade.orders.drafts import Draft, Step, new_attempt, new_order, sent_draft
from core.trade.orders.new_orders import NewOrders
from core.trade.orders.rows import Terms, find_key
from tests.core.support import ADMIN, CHAT, Desk, books_of, wanted
from tests.core.trade.orders.test_twins import another_desk

BOUND_S = 20.0
MERCHANTS = 5
CREATES = 50


class HandsOver(SupplierCalls):
    """Every supplier's payers take their attempts along; no call is made."""

    def __init__(self) -> None:
        self.called: list[str] = []

    async def handed_over(self, order: Order, attempt: Attempt) -> Pay | None:
        return Pay("url", f"https://pay.example/{attempt.attempt_no}")

    async def create(self, order: Order, attempt: Attempt) -> CreateReading:
        self.called.append(attempt.attempt_no)
        return Rejected("1", "nobody was to call")


class Watched:
    """A store that keeps what is asked of it, and how much is opened in one question."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self.asked: list[str] = []
        self.together: list[int] = []

    def __getattr__(self, name: str) -> Any:
        self.asked.append(name)
        return getattr(self._store, name)

    def finish_anyway(self) -> Callable[[], None]:
        return self._store.finish_anyway()  # it asks nothing

    async def fetch(self, sql: str, *args: Any) -> Any:
        self.asked.append(sql)
        if "open_orders" in sql:
            self.together.append(len(args[0]))
        return await self._store.fetch(sql, *args)

    async def fetchrow(self, sql: str, *args: Any) -> Any:
        self.asked.append(sql)
        return await self._store.fetchrow(sql, *args)


def creation_on(desk: Desk, store: Any, calls: SupplierCalls) -> Creation:
    runtime = desk.runtime
    return build_creation(
        replace(runtime.system, store=store),
        books_of(runtime),
        runtime.supply.routing,
        calls,
        runtime.trade.payments,
    )


async def shops(desk: Desk) -> list[Desk]:
    """Several merchants at the same desk."""
    merchants = desk.runtime.parties.merchants
    found = []
    for number in range(MERCHANTS):
        merchant = await merchants.open(f"M90{number:02d}", "A shop", reviewed=True)
        await merchants.offers.set_tariff(
            merchant, "alipay_qr", Tariff.flat(Rate(12_000)), actor="test"
        )
        keys = await merchants.apps.open(merchant, mode="live", name="shop", notify_url=None)
        app = (await desk.runtime.supply.market.now()).app_by_key(keys.key_id)
        found.append(replace(desk, merchant=merchant, app=app))
    return found


async def count(desk: Desk, table: str) -> int:
    return int(await desk.runtime.system.store.fetchval(f"SELECT count(*) FROM {table}"))


def new_orders_of(desk: Desk, store: Store | None = None) -> NewOrders:
    runtime = desk.runtime
    return NewOrders(store or runtime.system.store, books_of(runtime), runtime.trade.payments)


async def draft_of(desk: Desk) -> Draft:
    """An order as it is decided now."""
    runtime, merchant = desk.runtime, desk.merchant
    day: BusinessDay = await runtime.ledger.open_days.now(merchant.id)
    attempt_no = runtime.system.ids.number("attempt", "live", merchant.tag, at=day.at)
    order = new_order(
        desk.app,
        wanted(merchant_order_no="N1"),
        Terms("alipay_qr", Rate(12_000), runtime.system.ids.uuid7(), 120),
        order_id=runtime.system.ids.uuid7(day.at),
        order_no=runtime.system.ids.number("order", "live", merchant.tag, at=day.at),
        attempt_no=attempt_no,
        created_day=day.day,
    )
    channel = await runtime.supply.channels.by_no("C01")
    attempt = new_attempt(order, channel, attempt_no, seq=1, at=day.at, reasons=())
    step = Step(day.at, day.at + timedelta(seconds=20))
    market = await runtime.supply.market.now()
    return sent_draft(
        order, attempt, desk.app, step,
        key_turn=1, market_version=market.version, request_id="test",
    )  # fmt: skip


async def test_what_the_payer_takes_along_is_payable_after_one_question(desk: Desk) -> None:
    await desk.open()  # the open day is seen
    store, calls = Watched(desk.runtime.system.store), HandsOver()
    creation = creation_on(desk, store, calls)
    store.asked.clear()
    opened = await creation.open(desk.app, wanted(), request_id="one")
    assert len(store.asked) == 1
    assert store.together == [1]
    assert calls.called == []
    assert (opened.order.state, opened.again) == ("pending", False)
    assert opened.attempt is not None
    assert opened.attempt.pay == Pay("url", f"https://pay.example/{opened.attempt.attempt_no}")
    # What is told is what is there.
    assert await desk.order(opened) == opened.order
    there = await get_attempts(desk.runtime.system.store, desk.merchant.id, opened.order.id)
    assert there == [opened.attempt]
    await desk.see(opened, 10000)
    assert (await desk.order(opened)).state == "paid"
    rows = await desk.runtime.system.store.fetch(
        "SELECT version, state_from, move, state_to, actor FROM order_history"
        " WHERE order_id = $1 ORDER BY version",
        opened.order.id,
    )
    assert [tuple(row) for row in rows] == [
        (1, None, "open", "created", f"api:{desk.app.key_id}"),
        (2, "created", "accept", "pending", "supplier:S01"),
        (3, "pending", "pay", "paid", "supplier:S01"),
    ]
    rows = await desk.runtime.system.store.fetch(
        "SELECT state_from, move, state_to FROM attempt_history WHERE attempt_no = $1 ORDER BY id",
        opened.attempt.attempt_no,
    )
    assert [row["move"] for row in rows] == ["create", "send", "accept", "pay"]
    await desk.sound()


async def test_what_is_sent_to_a_supplier_takes_two_writes(desk: Desk) -> None:
    await desk.open()  # the open day is seen
    store, runtime = Watched(desk.runtime.system.store), desk.runtime
    creation = another_desk(desk, cast(Store, store))
    store.asked.clear()
    opened = await creation.open(desk.app, wanted(), request_id="one")
    assert [name.split("(")[0].split()[-1] for name in store.asked] == [
        "open_orders",
        "accept_attempts",
    ]
    assert (opened.order.state, opened.order.version) == ("pending", 2)
    assert await desk.order(opened) == opened.order
    there = await get_attempts(runtime.system.store, desk.merchant.id, opened.order.id)
    assert there == [opened.attempt]


async def test_many_merchants_orders_go_together(desk: Desk) -> None:
    store = Watched(desk.runtime.system.store)
    creation = creation_on(desk, store, HandsOver())
    places = await shops(desk)
    async with asyncio.timeout(BOUND_S):
        opened = await asyncio.gather(
            *(
                creation.open(places[n % MERCHANTS].app, wanted(), request_id=f"r{n}")
                for n in range(CREATES)
            )
        )
    assert len({one.order.id for one in opened}) == CREATES
    assert await count(desk, "orders") == await count(desk, "attempt") == CREATES
    assert sum(store.together) == CREATES
    assert 1 < len(store.together) < CREATES // 2
    assert max(store.together) <= 32
    await desk.sound()


async def test_a_bad_one_fails_alone(desk: Desk) -> None:
    """It is one that the database cannot take, which ends the statement for all in it."""
    creation = creation_on(desk, desk.runtime.system.store, HandsOver())
    places = await shops(desk)
    asked = [wanted(subject="bad \x00" if n == 17 else "good") for n in range(CREATES)]
    async with asyncio.timeout(BOUND_S):
        came = await asyncio.gather(
            *(
                creation.open(places[n % MERCHANTS].app, one, request_id=f"r{n}")
                for n, one in enumerate(asked)
            ),
            return_exceptions=True,
        )
    assert [n for n, one in enumerate(came) if not isinstance(one, Opened)] == [17]
    assert isinstance(came[17], asyncpg.PostgresError)
    assert await count(desk, "orders") == await count(desk, "order_key") == CREATES - 1
    await desk.sound()


async def test_a_merchant_whose_day_is_held_stops_nobody_else(desk: Desk, neighbour: Desk) -> None:
    creation = creation_on(desk, desk.runtime.system.store, HandsOver())
    for one in (desk, neighbour):
        await creation.open(one.app, wanted(), request_id="before")
    async with asyncio.timeout(BOUND_S):
        async with desk.day_held_alone():
            held = [asyncio.create_task(open_on(creation, desk)) for _ in range(3)]
            others = [asyncio.create_task(open_on(creation, neighbour)) for _ in range(20)]
            await asyncio.gather(*others)
            assert not any(task.done() for task in held)
        opened = await asyncio.gather(*held)
    assert {one.order.state for one in opened} == {"pending"}
    await desk.sound()


async def test_what_was_written_though_the_answer_was_lost_is_written_once(desk: Desk) -> None:
    new_orders = new_orders_of(desk)
    draft = await draft_of(desk)
    for _ in range(2):
        assert (await new_orders.write(draft)).said == "opened"
    assert await count(desk, "orders") == await count(desk, "attempt") == 1
    assert await count(desk, "attempt_history") == 2
    other = await draft_of(desk)
    assert (await new_orders.write(other)).said == "taken"
    key = await find_key(
        desk.runtime.system.store, desk.merchant.id, desk.app.id, draft.order.merchant_order_no
    )
    assert key is not None
    assert key.order_id == draft.order.id


async def test_twins_of_one_batch_are_one_order(desk: Desk) -> None:
    new_orders = new_orders_of(desk)
    drafts = [await draft_of(desk) for _ in range(4)]
    written = await asyncio.gather(*(new_orders.write(draft) for draft in drafts))
    assert sorted(one.said for one in written) == ["opened", "taken", "taken", "taken"]
    assert await count(desk, "orders") == 1


async def test_an_order_that_was_decided_in_a_day_that_is_over_is_decided_anew(desk: Desk) -> None:
    """Another instance closed the day, or rolled it up past our clock, after it was decided."""
    desk.clock.go_to_noon()
    creation = creation_on(desk, desk.runtime.system.store, HandsOver())
    first = await creation.open(desk.app, wanted(), request_id="first")
    draft = await draft_of(desk)
    new_orders = new_orders_of(desk)
    desk.clock.advance(60)
    await desk.runtime.ledger.calendar.roll(desk.merchant.id)
    written = await new_orders.write(draft)
    assert written.said == "day"
    assert written.open_day.rolled_to > draft.order.created_at
    with desk.clock.behind(seconds=30):
        opened = await creation.open(desk.app, wanted(), request_id="behind")
        assert opened.order.created_at > desk.clock.now()
    desk.clock.advance(24 * 3600)
    await desk.runtime.ledger.calendar.roll(desk.merchant.id)
    following = await creation.open(desk.app, wanted(), request_id="tomorrow")
    assert following.order.created_day == first.order.created_day + timedelta(days=1)
    await desk.sound()


class Behind(Market):
    """A market that hears of nothing until it is told that it is stale."""

    def __init__(self, market: Market, kept: Snapshot) -> None:
        self._market = market
        self._kept = kept
        self.reloads = 0

    async def now(self) -> Snapshot:
        return self._kept

    async def reload(self) -> Snapshot:
        self.reloads += 1
        self._kept = await self._market.reload()
        return self._kept


async def behind(desk: Desk) -> tuple[Creation, Behind]:
    """The same business in a process that no news of reference data reaches."""
    runtime = desk.runtime
    market = Behind(runtime.supply.market, await runtime.supply.market.now())
    creation = build_creation(
        runtime.system,
        replace(books_of(runtime), market=market),
        runtime.supply.routing,
        HandsOver(),
        runtime.trade.payments,
    )
    return creation, market


async def test_no_order_of_a_merchant_that_was_suspended_meanwhile_is_taken(desk: Desk) -> None:
    creation, market = await behind(desk)
    await desk.runtime.system.store.execute(
        "UPDATE merchant SET state = 'suspended' WHERE id = $1", desk.merchant.id
    )
    with pytest.raises(Refusal) as error:
        await creation.open(desk.app, wanted(), request_id="late")
    assert (error.value.code, market.reloads) == ("merchant_suspended", 1)
    assert await count(desk, "orders") == await count(desk, "order_key") == 0


async def test_an_order_is_taken_at_the_rate_that_holds_when_it_is_written(desk: Desk) -> None:
    creation, market = await behind(desk)
    await desk.runtime.parties.merchants.offers.set_tariff(
        desk.merchant, "alipay_qr", Tariff.flat(Rate(20_000)), actor="test"
    )
    opened = await creation.open(desk.app, wanted(), request_id="late")
    assert (opened.order.agreed.fee_minor, market.reloads) == (200, 1)
    await desk.sound()


async def test_a_credit_line_is_looked_at_by_the_write(desk: Desk) -> None:
    creation = creation_on(desk, desk.runtime.system.store, HandsOver())
    opened = await creation.open(desk.app, wanted(), request_id="one")
    await desk.see(opened, 10000)  # we owe 98.80 now
    admin = await desk.actor(ADMIN)
    for message, (line_minor, code) in enumerate(((9_880, None), (9_879, "credit_line_reached"))):
        line = Money(line_minor, "CNY")
        await desk.runtime.accounts.credit.set_line(
            admin, desk.merchant, line, Cause(CHAT, message, 1)
        )
        if code is None:
            await creation.open(desk.app, wanted(), request_id="within")
            continue
        for product in ("alipay_qr", "bank_web"):
            with pytest.raises(Refusal) as error:
                await creation.open(desk.app, wanted(500, product=product), request_id="beyond")
            assert error.value.code == code, product
    assert await count(desk, "orders") == 2


async def test_a_repeated_order_is_found_whatever_is_refused_by_now(desk: Desk) -> None:
    asked = wanted()
    opened = await desk.open(merchant_order_no=asked.merchant_order_no, subject=asked.subject)
    await desk.runtime.system.store.execute("UPDATE channel SET state = 'off'")
    with pytest.raises(Refusal):
        await desk.open()
    again = await desk.runtime.trade.creation.open(desk.app, asked, request_id="again")
    assert (again.order, again.attempt, again.again) == (opened.order, opened.attempt, True)


async def test_a_repeated_order_takes_no_room_from_others(desk: Desk) -> None:
    """Not even for a moment: the last of a day's room is for an order that is new."""
    await desk.runtime.system.store.execute(
        "UPDATE channel SET day_limit_count = 2 WHERE channel_no = 'C01'"
    )
    asked = wanted()
    calls = [asked] * 6 + [wanted()]
    await desk.runtime.trade.creation.open(desk.app, asked, request_id="first")
    opened = await asyncio.gather(
        *(desk.runtime.trade.creation.open(desk.app, one, request_id="r") for one in calls)
    )
    assert len({one.order.id for one in opened}) == 2
    assert {one.attempt.channel_no for one in opened if one.attempt} == {"C01"}


async def open_on(creation: Creation, desk: Desk) -> Opened:
    return await creation.open(desk.app, wanted(), request_id="apart")
