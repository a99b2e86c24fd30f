"""Following up: lost callbacks, crashes, expiry, close, and when the desk stops asking."""

from __future__ import annotations

import asyncio
from datetime import timedelta

import pytest

from core.connectors import CreateReading, Standing, Unknown
from core.kernel.errors import Refusal
from core.trade.orders import Attempt, ByHand, FollowUp, Opened, Order, SupplierCalls, get_attempts
from core.trade.orders.follow_up import ASKED_BY_HAND
from core.trade.orders.polls import LEASE
from core.trade.orders.supplier_calls import Addresses
from tests.core.support import Desk, completing, nothing, pay_link


async def states(desk: Desk, opened: Opened) -> tuple[str, list[str]]:
    """The order's state, and those of its attempts."""
    order = await desk.order(opened)
    attempts = await get_attempts(desk.runtime.system.store, order.merchant_id, order.id)
    return order.state, [a.state for a in attempts]


async def news(desk: Desk) -> list[str]:
    rows = await desk.runtime.system.store.fetch(
        "SELECT type FROM notification ORDER BY created_at"
    )
    return [row["type"] for row in rows]


async def asked_next(desk: Desk, opened: Opened) -> float | None:
    """In how many seconds the supplier is asked about the live attempt; None for never."""
    at = await desk.runtime.system.store.fetchval(
        "SELECT ask_at FROM attempt WHERE order_id = $1 ORDER BY seq DESC LIMIT 1", opened.order.id
    )
    return None if at is None else (at - desk.clock.now()).total_seconds()


async def test_money_whose_callback_is_lost_is_found(desk: Desk) -> None:
    opened = await desk.open()
    await desk.supplier.pay(pay_link(opened), "lose_callback")
    assert await desk.runtime.trade.follow_up.ask_due(10) == 0
    desk.clock.advance(11)
    assert await desk.runtime.trade.follow_up.ask_due(10) == 1
    order = await desk.order(opened)
    assert (order.state, order.paid_how) == ("paid", "asked")
    assert (await desk.balances())["payable"] == 9880
    assert await asked_next(desk, opened) is None
    desk.clock.advance(100)
    assert await desk.runtime.trade.follow_up.ask_due(10) == 0
    await desk.sound()


async def test_a_waiting_order_is_asked_about_less_and_less_often(desk: Desk) -> None:
    opened = await desk.open()
    gaps = [await asked_next(desk, opened)]
    for _ in range(3):
        desk.clock.advance((gaps[-1] or 0) + 1)
        assert await desk.runtime.trade.follow_up.ask_due(10) == 1
        gaps.append(await asked_next(desk, opened))
    assert [round(gap or 0) for gap in gaps] == [10, 10, 20, 40]
    assert await states(desk, opened) == ("pending", ["accepted"])


async def test_a_supplier_that_stays_silent_is_not_asked_for_ever(desk: Desk) -> None:
    opened = await desk.open()
    desk.clock.advance(1800 + 86400 + 60)
    assert await desk.runtime.trade.follow_up.ask_due(10) == 1
    assert await asked_next(desk, opened) is None


async def test_an_attempt_that_was_never_sent_is_refused_and_the_next_one_goes(desk: Desk) -> None:
    """The rows are as a process leaves them that dies before it marks its call."""
    await desk.supplier.fault("create", "500")
    opened = await desk.open()
    await desk.runtime.system.store.execute(
        "UPDATE attempt SET state = 'created', sent_at = NULL, said = '', ask_at = $1",
        opened.order.created_at,
    )
    await desk.runtime.trade.follow_up.ask_due(10)
    assert await states(desk, opened) == ("created", ["created"])
    desk.clock.advance(LEASE.total_seconds())
    await desk.runtime.trade.follow_up.ask_due(10)
    assert await states(desk, opened) == ("pending", ["rejected", "accepted"])
    assert len(await desk.supplier.creates_of(opened.order.subject)) == 1
    await desk.sound()


async def test_a_crash_between_call_and_answer_sends_the_same_number_again(desk: Desk) -> None:
    """Marked as sent, and no answer was written: the supplier may have it."""
    await desk.supplier.fault("create", "garbage", after=True)
    opened = await desk.open()
    store = desk.runtime.system.store
    await store.execute("UPDATE attempt SET state = 'sent', said = ''")
    desk.clock.advance(30)
    await desk.runtime.trade.follow_up.ask_due(10)
    assert await states(desk, opened) == ("pending", ["accepted"])
    assert len(await desk.supplier.creates_of(opened.order.subject)) == 1


async def test_not_found_is_believed_when_it_is_said_twice_a_minute_apart(desk: Desk) -> None:
    await desk.supplier.fault("create", "500", times=4)
    opened = await desk.open()
    assert await states(desk, opened) == ("created", ["unknown"])
    desk.clock.advance(3)
    await desk.runtime.trade.follow_up.ask_due(10)
    assert await states(desk, opened) == ("created", ["unknown"])
    assert 55 < (await asked_next(desk, opened) or 0) <= 60
    await desk.supplier.fault("create", "clear")
    desk.clock.advance(61)
    await desk.runtime.trade.follow_up.ask_due(10)
    assert await states(desk, opened) == ("pending", ["rejected", "accepted"])
    assert len(await desk.supplier.creates_of(opened.order.subject)) == 1
    await desk.sound()


async def test_a_failed_payment_fails_the_order(desk: Desk) -> None:
    opened = await desk.open(notify_url="http://127.0.0.1:9/notify")
    await desk.pay(opened, "fail")
    assert await states(desk, opened) == ("failed", ["failed"])
    assert await news(desk) == ["order.failed"]
    assert await desk.balances() == {}
    await desk.sound()


async def test_an_attempt_that_ends_after_the_completion_leaves_the_order_paid(desk: Desk) -> None:
    """The supplier says "failed" of an order that a person completed meanwhile."""
    opened = await desk.open(notify_url="http://127.0.0.1:9/notify")
    await complete(desk, opened)
    await desk.pay(opened, "fail")
    assert await states(desk, opened) == ("paid", ["failed"])
    assert await news(desk) == ["order.paid"]
    order = await desk.order(opened)
    assert opened.attempt is not None
    assert (order.live_attempt_no, order.version) == (opened.attempt.attempt_no, 3)
    await desk.sound()


async def complete(desk: Desk, opened: Opened) -> Order:
    return await completing(desk.runtime).complete(
        desk.merchant.id, opened.order.id, None, ByHand("seen", 1004, "Wang", 1),
        request_id="c", also=nothing,
    )  # fmt: skip


async def reverse(desk: Desk, opened: Opened) -> Order:
    return await completing(desk.runtime).reverse(
        desk.merchant.id, opened.order.id, (await desk.order(opened)).version,
        ByHand("not seen", 1003, "Li", 1), asked_by=1004, request_id="u", also=nothing,
    )  # fmt: skip


async def look(desk: Desk, opened: Opened) -> float | None:
    """Wait for the next question, and let the timetable ask it; in how many seconds it asks
    again."""
    gap_s = await asked_next(desk, opened)
    assert gap_s is not None
    desk.clock.advance(max(0, gap_s) + 1)
    assert await desk.runtime.trade.follow_up.ask_due(10) == 1
    return await asked_next(desk, opened)


async def test_a_disputed_order_is_asked_about_until_its_money_is_found(desk: Desk) -> None:
    """Nobody looked for the money for two days: the reversal begins anew."""
    opened = await desk.open(expires_in_s=60)
    await desk.supplier.fault("any", "500", times=2)
    desk.clock.advance(61)
    await desk.runtime.trade.follow_up.expire_due(10)  # the supplier does not close it
    await complete(desk, opened)
    desk.clock.advance(2 * 86_400)
    await reverse(desk, opened)
    assert await look(desk, opened) is not None
    await desk.supplier.pay(pay_link(opened), "lose_callback")
    assert await look(desk, opened) is None
    order = await desk.order(opened)
    assert (order.state, order.disputed, order.paid_how) == ("paid", False, "asked")
    await desk.sound()


async def test_a_completed_order_is_asked_about_until_its_money_is_found(desk: Desk) -> None:
    opened = await desk.open(expires_in_s=60)
    await complete(desk, opened)
    for _ in range(3):
        assert await look(desk, opened) is not None
    await desk.supplier.pay(pay_link(opened), "lose_callback")
    assert await look(desk, opened) is None
    assert await states(desk, opened) == ("paid", ["paid"])
    booked = await desk.runtime.system.store.fetchval("SELECT booked_as FROM supplier_payment")
    assert booked == "confirmation"
    await desk.sound()


async def test_an_order_that_was_decided_by_hand_is_asked_about_so_often_and_no_more(
    desk: Desk,
) -> None:
    opened = await desk.open()
    await desk.runtime.system.store.execute("UPDATE attempt SET asked = 7")
    for decide in (complete, reverse):
        await decide(desk, opened)
        assert await asked_next(desk, opened) == pytest.approx(10, abs=1)
        await desk.runtime.system.store.execute("UPDATE attempt SET asked = $1", ASKED_BY_HAND - 2)
        assert await look(desk, opened) == pytest.approx(900, abs=1)
        assert await look(desk, opened) is None
    await desk.sound()


class PaidMeanwhile(SupplierCalls):
    """A supplier whose "closed" arrives after the callback that told of the money."""

    def __init__(self, desk: Desk, opened: Opened) -> None:
        self._desk = desk
        self._opened = opened

    async def standing(self, order: Order, attempt: Attempt, operation: str = "query") -> Standing:
        await self._desk.see(self._opened, 10000)
        return Standing("closed", "closed by the payer")


async def test_a_stale_answer_does_not_undo_a_payment(desk: Desk) -> None:
    opened = await desk.open(notify_url="http://127.0.0.1:9/notify")
    runtime = desk.runtime
    following = FollowUp(
        runtime.system,
        runtime.supply.routing,
        PaidMeanwhile(desk, opened),
        runtime.trade.creation,
        runtime.trade.payments,
    )
    standing = await following.ask(desk.merchant.id, opened.order.id, request_id="ask")
    assert standing.state == "closed"
    assert await states(desk, opened) == ("paid", ["paid"])
    assert await news(desk) == ["order.paid"]
    assert (await desk.order(opened)).live_attempt_no is not None
    await desk.sound()


class DecidedMeanwhile(SupplierCalls):
    """While it is looked up whether an attempt may be sent again, it is decided: a question by
    somebody else has the supplier's second "not found"."""

    def __init__(self, desk: Desk, opened: Opened) -> None:
        runtime = desk.runtime
        super().__init__(
            runtime.supply.market,
            runtime.parties.calls,
            runtime.system.clock,
            lambda: "n",
            Addresses(lambda number: f"http://127.0.0.1:9/{number}", lambda _: ""),
        )
        self._desk = desk
        self._opened = opened
        self.sent: list[str] = []

    async def may_send_again(self, attempt: Attempt) -> bool:
        ask = self._desk.runtime.trade.follow_up.ask
        await ask(self._desk.merchant.id, self._opened.order.id, request_id="a")
        self._desk.clock.advance(61)
        await ask(self._desk.merchant.id, self._opened.order.id, request_id="b")
        return True

    async def create(self, order: Order, attempt: Attempt) -> CreateReading:
        self.sent.append(attempt.attempt_no)
        return Unknown("no answer")


async def test_what_was_decided_meanwhile_is_not_sent_again(desk: Desk) -> None:
    await desk.supplier.fault("create", "500")
    opened = await desk.open()
    runtime, calling = desk.runtime, DecidedMeanwhile(desk, opened)
    following = FollowUp(
        runtime.system,
        runtime.supply.routing,
        calling,
        runtime.trade.creation,
        runtime.trade.payments,
    )
    desk.clock.advance(3)
    assert await following.ask_due(1) == 1
    assert calling.sent == []
    assert await states(desk, opened) == ("pending", ["rejected", "accepted"])
    assert len(await desk.supplier.creates_of(opened.order.subject)) == 1


class Says(SupplierCalls):
    """A supplier whose documents believe a "not found", and that says one thing."""

    def __init__(self, state: str) -> None:
        self._state = state

    async def standing(self, order: Order, attempt: Attempt, operation: str = "query") -> Standing:
        return Standing(self._state, "")  # type: ignore[arg-type]

    async def not_found_is_final(self, attempt: Attempt) -> bool:
        return True


@pytest.mark.parametrize(
    ("says", "fault", "first_s", "open_there"),
    [
        ("approved", "", None, True),
        ("not_found", "", None, True),
        ("not_found", "", 61, True),  # it was accepted: nothing undoes that
        ("not_found", "500", None, True),
        ("not_found", "500", 30, True),
        ("not_found", "500", 61, False),
        ("closed", "", None, False),
    ],
)
async def test_what_may_still_be_paid_at_the_supplier_is_told_later(
    desk: Desk, says: str, fault: str, first_s: float | None, open_there: bool
) -> None:
    if fault:
        await desk.supplier.fault("create", fault)
    opened = await desk.open(notify_url="http://127.0.0.1:9/notify")
    runtime = desk.runtime
    if first_s is not None:
        first = runtime.system.clock.now() - timedelta(seconds=first_s)
        await runtime.system.store.execute("UPDATE attempt SET not_found_at = $1", first)
    following = FollowUp(
        runtime.system,
        runtime.supply.routing,
        Says(says),
        runtime.trade.creation,
        runtime.trade.payments,
    )
    order = await following.end(
        desk.merchant.id, opened.order.id, "close", actor="api:k", request_id="c"
    )
    assert (order.state, order.supplier_open) == ("closed", open_there)


async def test_an_attempt_that_ended_before_is_asked_about_no_more(desk: Desk) -> None:
    """Somebody had it asked about once more, and its supplier says again that it is over."""
    opened = await desk.open()
    await desk.pay(opened, "fail")
    assert await states(desk, opened) == ("failed", ["failed"])
    (attempt,) = await get_attempts(desk.runtime.system.store, desk.merchant.id, opened.order.id)
    await desk.runtime.trade.follow_up.ask_soon(attempt)
    assert await look(desk, opened) is None
    assert await states(desk, opened) == ("failed", ["failed"])


async def test_an_order_whose_time_is_over_is_closed_at_the_supplier_too(desk: Desk) -> None:
    opened = await desk.open(expires_in_s=60, notify_url="http://127.0.0.1:9/notify")
    assert await desk.runtime.trade.follow_up.expire_due(10) == 0
    desk.clock.advance(61)
    assert await desk.runtime.trade.follow_up.expire_due(10) == 1
    order = await desk.order(opened)
    assert (order.state, order.supplier_open) == ("expired", False)
    assert await news(desk) == ["order.expired"]
    assert await desk.runtime.trade.follow_up.expire_due(10) == 0
    standing = await desk.runtime.trade.follow_up.ask(desk.merchant.id, order.id, request_id="ask")
    assert standing.state == "closed"
    assert await states(desk, opened) == ("expired", ["closed"])


async def test_an_order_that_was_paid_short_ends_and_holds_nobody_up(desk: Desk) -> None:
    opened = await desk.open(expires_in_s=60)
    await desk.pay(opened, "less")
    desk.clock.advance(61)
    assert await desk.runtime.trade.follow_up.expire_due(10) == 1
    assert (await desk.order(opened)).state == "expired"
    desk.clock.advance(61)
    assert await desk.runtime.trade.follow_up.expire_due(10) == 0
    await desk.sound()


async def test_two_timetables_end_an_order_once(desk: Desk) -> None:
    await desk.open(expires_in_s=60)
    desk.clock.advance(61)
    ends = await asyncio.gather(*(desk.runtime.trade.follow_up.expire_due(10) for _ in range(3)))
    assert sorted(ends) == [0, 0, 1]


async def test_expiry_finds_money_first(desk: Desk) -> None:
    opened = await desk.open(expires_in_s=60)
    await desk.supplier.pay(pay_link(opened), "lose_callback")
    desk.clock.advance(61)
    await desk.runtime.trade.follow_up.expire_due(10)
    order = await desk.order(opened)
    assert (order.state, order.paid_late) == ("paid", False)
    await desk.sound()


async def test_a_silent_supplier_does_not_keep_an_order_open(desk: Desk) -> None:
    opened = await desk.open()
    await desk.supplier.fault("any", "500", times=2)
    order = await desk.runtime.trade.follow_up.end(
        desk.merchant.id, opened.order.id, "close", actor="api:k", request_id="close"
    )
    assert (order.state, order.supplier_open) == ("closed", True)


async def test_a_paid_order_cannot_be_closed(desk: Desk) -> None:
    opened = await desk.open()
    await desk.see(opened, 10000)
    with pytest.raises(Refusal) as error:
        await desk.runtime.trade.follow_up.end(
            desk.merchant.id, opened.order.id, "close", actor="api:k", request_id="close"
        )
    assert error.value.code == "order_state"


async def test_closing_twice_is_harmless(desk: Desk) -> None:
    opened = await desk.open(notify_url="http://127.0.0.1:9/notify")
    for _ in range(2):
        order = await desk.runtime.trade.follow_up.end(
            desk.merchant.id, opened.order.id, "close", actor="api:k", request_id="close"
        )
        assert order.state == "closed"
    assert await news(desk) == ["order.closed"]


async def test_two_timetables_ask_once(desk: Desk) -> None:
    for _ in range(4):
        await desk.open()
    desk.clock.advance(11)
    counts = await asyncio.gather(*(desk.runtime.trade.follow_up.ask_due(10) for _ in range(3)))
    assert sum(counts) == 4
