"""What came of tries is written together, and what cannot be written is that row's own failure."""

from __future__ import annotations

import asyncio
from contextvars import Context

from core.kernel.wire import HttpRequest
from core.system.pool import POOL_WAIT_S
from core.system.store import LOCK_WAIT_S
from core.trade.notifications.notifications import Job
from core.trade.notifications.results import WRITERS
from tests.core.support import FRONT_MAX, Desk, Receiver
from tests.core.system.test_pool import taken
from tests.core.trade.notifications.test_notifications import delivering, paid, state

LATE_S = 2.0
BOUND_S = 60.0
MOST = WRITERS  # as many as a lane has room for of which nothing is known


async def test_a_result_that_cannot_be_written_holds_up_no_other(
    desk: Desk, receiver: Receiver
) -> None:
    good = [await paid(desk, receiver)]
    bad = await desk.open(notify_url=f"{receiver.url}?bad")
    await desk.see(bad, 10000)
    good += [await paid(desk, receiver) for _ in range(2)]  # written together with it

    async def send(request: HttpRequest) -> int:
        return 40_000 if request.url.endswith("?bad") else 200  # no column takes that status

    notifications = delivering(desk, send)
    assert await notifications.deliver_due(10) == 4
    assert [await state(desk, one) for one in good] == ["delivered"] * 3
    assert await state(desk, bad) == "pending"
    assert await notifications.deliver_due(10) == 0, "it is put off like any other"
    desk.clock.advance(6)
    assert await notifications.deliver_due(10) == 1
    tries = await desk.runtime.system.store.fetch("SELECT status FROM notification_try")
    assert [row["status"] for row in tries] == [200] * 3


class Gates:
    """Merchants' servers that answer when their gate opens."""

    def __init__(self, desk: Desk) -> None:
        self._gates: dict[str, asyncio.Event] = {}
        self._notifications = delivering(desk, self._send)

    async def _send(self, request: HttpRequest) -> int:
        await self._gates[request.url].wait()
        return 200

    async def take(self, receiver: Receiver) -> tuple[asyncio.Event, list[asyncio.Task[None]]]:
        """Have what is due sent to a server, whose gate it is."""
        gate = self._gates[receiver.url] = asyncio.Event()
        jobs = await self._notifications.take_due(50)
        return gate, [asyncio.ensure_future(_run(job)) for job in jobs]


async def _run(job: Job) -> None:
    await job()


async def test_a_merchant_whose_rows_are_locked_holds_up_nobody_elses_results(
    desk: Desk, neighbour: Desk, receiver: Receiver
) -> None:
    gates = Gates(desk)
    for _ in range(MOST):
        await paid(neighbour, receiver)
    their_gate, theirs = await gates.take(receiver)
    async with Receiver().running() as server:
        other = await paid(desk, server)
        our_gate, ours = await gates.take(server)
    assert (len(theirs), len(ours)) == (MOST, 1)
    async with desk.runtime.system.store.transaction() as stuck:
        locked = "SELECT FROM notification WHERE merchant_id = $1 FOR UPDATE"
        assert len(await stuck.fetch(locked, neighbour.merchant.id)) == MOST
        their_gate.set()
        our_gate.set()
        await asyncio.wait_for(asyncio.gather(*ours), LATE_S)
    await asyncio.wait_for(asyncio.gather(*theirs, return_exceptions=True), BOUND_S)
    assert await state(desk, other) == "delivered"


async def test_what_waits_for_one_lock_waits_for_it_together(
    desk: Desk, receiver: Receiver
) -> None:
    """The bill's row is one for all: somebody who holds it keeps results waiting, once."""
    opened = [await paid(desk, receiver) for _ in range(MOST)]
    gate, jobs = await Gates(desk).take(receiver)
    async with desk.runtime.system.store.transaction() as stuck:
        locked = "SELECT FROM outbox WHERE merchant_id = $1 AND topic = 'bill' FOR UPDATE"
        assert await stuck.fetch(locked, desk.merchant.id)
        gate.set()
        await asyncio.wait_for(asyncio.gather(*jobs), 3 * LOCK_WAIT_S)
    assert {await state(desk, one) for one in opened} == {"delivered"}


async def test_what_was_told_is_written_though_there_was_no_connection_for_a_while(
    desk: Desk, receiver: Receiver
) -> None:
    """Else it would be told again."""
    opened = [await paid(desk, receiver) for _ in range(MOST)]
    gate, jobs = await Gates(desk).take(receiver)
    async with taken(desk.runtime, Context(), FRONT_MAX):
        gate.set()
        await asyncio.wait(jobs, timeout=POOL_WAIT_S + 1)
        assert not any(job.done() for job in jobs)
    await asyncio.wait_for(asyncio.gather(*jobs), BOUND_S)
    assert {await state(desk, one) for one in opened} == {"delivered"}


async def test_two_tries_of_one_that_are_written_together_are_two_and_the_newer_decides(
    desk: Desk, receiver: Receiver
) -> None:
    """Somebody had it sent again while the first try hung; that one says that nobody is there."""
    first = await desk.open(notify_url=f"{receiver.url}?first")
    await desk.see(first, 10000)
    opened = await paid(desk, receiver)
    gates = {f"{receiver.url}?first": asyncio.Event(), receiver.url: asyncio.Event()}
    answers, begun = [410, 200], asyncio.Semaphore(0)

    async def send(request: HttpRequest) -> int:
        answer = 200 if request.url.endswith("?first") else answers.pop(0)
        begun.release()
        await gates[request.url].wait()
        return answer

    notifications, tries = delivering(desk, send), []
    async with asyncio.timeout(BOUND_S):
        for number in (2, 1):
            jobs = await notifications.take_due(10)
            assert len(jobs) == number
            tries += [asyncio.ensure_future(_run(job)) for job in jobs]
            for _ in range(number):
                await begun.acquire()
            if number > 1:
                desk.clock.advance(1)
                await notifications.resend(desk.merchant.id, opened.order.id)
        for gate in gates.values():  # those of the second come while the first is written
            gate.set()
        await asyncio.gather(*tries)
    assert await state(desk, opened) == "delivered"
    kept = await desk.runtime.system.store.fetch(
        "SELECT status FROM notification_try ORDER BY at, try_no"
    )
    assert sorted(row["status"] for row in kept) == [200, 200, 410]
    assert await desk.runtime.system.store.fetch("SELECT FROM silenced_url") == []
