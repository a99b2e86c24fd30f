"""What merchants are told: signed, the same bytes at every try, once on success, in order."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import pytest
from standardwebhooks.webhooks import Webhook, WebhookVerificationError

from core.kernel.errors import Refusal
from core.kernel.wire import HttpAnswer, HttpRequest
from core.system.gateway import ANSWER_BYTES, Circuit, Gateway, Timeouts
from core.trade.notifications import GAPS_S, QUEUE, AlarmExhausted, Notifications, judge
from core.trade.orders import Opened
from tests.core.peers import listening, ok, saying
from tests.core.support import OPS_CHAT, Desk, Received, Receiver, facts


async def paid(desk: Desk, receiver: Receiver) -> Opened:
    """A paid order whose news waits."""
    opened = await desk.open(notify_url=receiver.url, metadata=(("购物车", "8841"),))
    await desk.see(opened, 10000)
    return opened


async def deliver(desk: Desk, wait_s: float = 0) -> int:
    desk.clock.advance(wait_s)
    return await desk.runtime.trade.notifications.deliver_due(10)


async def state(desk: Desk, opened: Opened) -> str:
    return await desk.runtime.trade.notifications.state_of(desk.merchant.id, opened.order.id)


async def due_in_s(desk: Desk) -> float:
    due = await desk.runtime.system.store.fetchval("SELECT due_at FROM notification")
    return float((due - desk.clock.now()).total_seconds())


def verified(desk: Desk, received: Received) -> dict[str, Any]:
    """The content, if an independent library signs it the same. It would verify by the clock on
    the wall, which is not the desk's here."""
    at = datetime.fromtimestamp(int(received.headers["webhook-timestamp"]), UTC)
    assert abs((at - desk.clock.now()).total_seconds()) < 86_400 + 60
    signed = Webhook(desk.app.notify_secrets[0]).sign(
        received.headers["webhook-id"], at, received.body.decode()
    )
    if received.headers["webhook-signature"] != signed:
        raise WebhookVerificationError("it is signed otherwise")
    content: dict[str, Any] = json.loads(received.body)
    return content


async def test_one_valid_notification(desk: Desk, receiver: Receiver) -> None:
    opened = await paid(desk, receiver)
    assert await state(desk, opened) == "pending"
    assert await deliver(desk) == 1
    assert await deliver(desk, 86400) == 0
    (received,) = receiver.received
    content = verified(desk, received)
    assert content["type"] == "order.paid"
    assert content["data"]["order_no"] == opened.order.order_no
    assert content["data"]["metadata"] == {"购物车": "8841"}
    assert await state(desk, opened) == "delivered"
    changed = received.body.replace(b"10000", b"90000")
    with pytest.raises(WebhookVerificationError):
        verified(desk, replace(received, body=changed))


async def test_every_try_is_the_same_until_one_succeeds(desk: Desk, receiver: Receiver) -> None:
    # One that cuts a connection which was kept is asked once more at once: it may just have ended.
    cut: list[tuple[int, dict[str, str]]] = [(0, {}), (0, {})]
    receiver.answers = [(500, {}), (302, {"Location": receiver.url}), *cut, (404, {}), (204, {})]
    opened = await paid(desk, receiver)
    for gap_s in GAPS_S[1:5]:
        assert await deliver(desk) == 1
        assert await state(desk, opened) == "pending"
        assert 0.89 * gap_s < await due_in_s(desk) < 1.11 * gap_s
        assert await deliver(desk, 0.88 * gap_s) == 0
        desk.clock.advance(0.3 * gap_s)
    assert await deliver(desk) == 1
    assert await state(desk, opened) == "delivered"
    assert await deliver(desk, 86400) == 0
    assert len(receiver.received) == 6
    assert len({r.body for r in receiver.received}) == 1
    assert len({r.headers["webhook-id"] for r in receiver.received}) == 1
    tries = await desk.runtime.system.store.fetch(
        "SELECT try_no, status FROM notification_try ORDER BY try_no"
    )
    assert [tuple(t) for t in tries] == [(1, 500), (2, 302), (3, None), (4, 404), (5, 204)]


@pytest.mark.parametrize(("status", "expected"), [(b"200 OK", "delivered"), (b"500 Oh", "pending")])
async def test_the_status_decides_whatever_becomes_of_the_body(
    desk: Desk, status: bytes, expected: str
) -> None:
    long = ok(b"x" * (2 * ANSWER_BYTES), status)
    cut_off = saying(b"HTTP/1.1 " + status + b"\r\nContent-Length: 99\r\n\r\nthank y")
    for number, talk in enumerate((long, cut_off), start=1):
        async with listening(talk) as (url, _):
            opened = await desk.open(notify_url=f"{url}/notify")
            await desk.see(opened, 10000, upstream_no=f"U{number}")
            assert await deliver(desk) == 1
            assert await state(desk, opened) == expected
            desk.clock.advance(0.1)
    said = await desk.runtime.system.store.fetch(
        "SELECT status, said FROM notification_try ORDER BY at"
    )
    assert {row["status"] for row in said} == {int(status[:3])}
    assert [row["said"] for row in said] == ["x" * 200, "thank y"]


async def test_a_receiver_says_when_to_come_back(desk: Desk, receiver: Receiver) -> None:
    receiver.answers = [(429, {"Retry-After": "120"})]
    await paid(desk, receiver)
    await deliver(desk)
    assert 119 < await due_in_s(desk) <= 120


async def test_gone_is_gone_until_somebody_sends_again(desk: Desk, receiver: Receiver) -> None:
    receiver.answers = [(410, {}), (500, {})]
    opened = await paid(desk, receiver)
    await deliver(desk)
    assert await state(desk, opened) == "exhausted"
    (alarm,) = await desk.alarms(AlarmExhausted)
    assert (alarm.facts["order_no"], alarm.count) == (opened.order.order_no, 1)
    assert await deliver(desk, 86400) == 0
    await desk.runtime.trade.notifications.resend(desk.merchant.id, opened.order.id)
    assert await deliver(desk) == 1
    assert await deliver(desk, 6) == 1
    assert await state(desk, opened) == "delivered"
    tries = await desk.runtime.system.store.fetch("SELECT status FROM notification_try ORDER BY at")
    assert [t["status"] for t in tries] == [410, 500, 200]


async def test_news_of_an_order_keep_their_order(desk: Desk, receiver: Receiver) -> None:
    receiver.answers = [(500, {})]
    opened = await desk.open(notify_url=receiver.url, expires_in_s=60)
    desk.clock.advance(61)
    await desk.runtime.trade.follow_up.expire_due(10)
    assert await deliver(desk) == 1
    await desk.see(opened, 10000)
    assert await deliver(desk) == 0
    assert await deliver(desk, 6) == 1
    assert await deliver(desk, 1) == 1
    types = [json.loads(r.body)["type"] for r in receiver.received]
    assert types == ["order.expired", "order.expired", "order.paid_late"]


async def test_an_end_that_nobody_was_told_of_is_void_once_it_is_paid(
    desk: Desk, receiver: Receiver
) -> None:
    opened = await desk.open(notify_url=receiver.url, expires_in_s=60)
    desk.clock.advance(61)
    await desk.runtime.trade.follow_up.expire_due(10)
    await desk.see(opened, 10000)
    assert await deliver(desk) == 1
    assert [json.loads(r.body)["type"] for r in receiver.received] == ["order.paid_late"]


async def test_an_address_that_is_gone_is_told_nothing_until_sent_by_hand(
    desk: Desk, receiver: Receiver
) -> None:
    receiver.answers = [(410, {})]
    await paid(desk, receiver)
    assert await deliver(desk) == 1
    second = await paid(desk, receiver)
    assert await deliver(desk) == 0
    first_id = await desk.runtime.system.store.fetchval("SELECT order_id FROM notification")
    assert first_id != second.order.id
    await desk.runtime.trade.notifications.resend(desk.merchant.id, first_id)
    assert await deliver(desk) == 1
    await paid(desk, receiver)
    assert await deliver(desk) == 1


async def test_news_of_an_order_of_a_former_month_is_told_and_lies_with_it(
    desk: Desk, receiver: Receiver
) -> None:
    opened = await desk.open(notify_url=receiver.url)
    desk.clock.advance(40 * 86_400)
    receiver.answers = [(500, {})]
    await desk.see(opened, 10000)
    assert [await deliver(desk), await deliver(desk, 6)] == [1, 1]
    assert await state(desk, opened) == "delivered"
    await desk.runtime.trade.notifications.resend(desk.merchant.id, opened.order.id)
    assert await state(desk, opened) == "pending"
    assert await deliver(desk) == 1
    bodies = {received.body for received in receiver.received}
    assert [json.loads(body)["type"] for body in bodies] == ["order.paid"]
    news = "SELECT tableoid::regclass::text FROM notification"
    tries = "SELECT tableoid::regclass::text FROM notification_try ORDER BY try_no"
    month = f"{opened.order.created_at:_%Y_%m}"
    rows = await desk.runtime.system.store.fetch(f"({news}) UNION ALL ({tries})")
    assert [row[0] for row in rows] == [f"notification{month}"] + 3 * [f"notification_try{month}"]


async def test_later_news_do_not_wait_for_ever(desk: Desk, receiver: Receiver) -> None:
    receiver.answers = [(500, {})] * 4
    opened = await desk.open(notify_url=receiver.url, expires_in_s=60)
    desk.clock.advance(61)
    await desk.runtime.trade.follow_up.expire_due(10)
    await desk.see(opened, 10000)
    for wait_s in (0, 6, 34, 135):
        assert await deliver(desk, wait_s) == 1
    desk.clock.advance(130)
    await deliver(desk)
    assert "order.paid_late" in [json.loads(r.body)["type"] for r in receiver.received]


async def test_two_workers_send_once_and_a_lease_ends(desk: Desk, receiver: Receiver) -> None:
    opened = await paid(desk, receiver)
    counts = await asyncio.gather(*(deliver(desk) for _ in range(3)))
    assert sorted(counts) == [0, 0, 1]
    assert len(receiver.received) == 1
    # a worker that took it and died
    await desk.runtime.system.store.execute(
        "UPDATE notification SET state = 'pending', held_by = $2, lease_until = $1",
        desk.clock.now(),
        UUID(int=1),
    )
    await desk.runtime.system.store.execute(
        "UPDATE notification SET lease_until = lease_until + interval '60 s'"
    )
    assert await deliver(desk, 50) == 0
    assert await deliver(desk, 11) == 1
    assert await state(desk, opened) == "delivered"


class Acting(Gateway):
    """Does something in the middle of each call; that an answer comes is left to it."""

    def __init__(self, act: Callable[[HttpRequest], Awaitable[int]]) -> None:
        super().__init__()
        self._act = act

    async def send(
        self,
        request: HttpRequest,
        *,
        timeouts: Timeouts | None = None,
        circuit: Circuit | None = None,
        status_decides: bool = False,
        twice: bool = False,
    ) -> HttpAnswer:
        return HttpAnswer(await self._act(request), {}, b"")


def delivering(desk: Desk, act: Callable[[HttpRequest], Awaitable[int]]) -> Notifications:
    runtime = desk.runtime
    return Notifications(
        runtime.system.store,
        desk.clock,
        runtime.system.ids,
        Acting(act),
        runtime.supply.market,
        runtime.people.alarms,
    )


@pytest.mark.parametrize("status", [200, 410, 500])
async def test_sent_again_during_a_try_is_sent_again_whatever_that_try_says(
    desk: Desk, receiver: Receiver, status: int
) -> None:
    opened = await paid(desk, receiver)

    async def press(_: HttpRequest) -> int:
        await desk.runtime.trade.notifications.resend(desk.merchant.id, opened.order.id)
        return status

    assert await delivering(desk, press).deliver_due(10) == 1
    assert await state(desk, opened) == "pending"
    assert await facts(desk.runtime, OPS_CHAT) == []
    assert await deliver(desk) == 1
    assert await state(desk, opened) == "delivered"
    tries = await desk.runtime.system.store.fetch(
        "SELECT status FROM notification_try ORDER BY try_no"
    )
    assert [t["status"] for t in tries] == [status, 200]
    second = await paid(desk, receiver)
    assert await state(desk, second) == "pending", "the address is not silenced"


async def test_who_lost_the_lease_does_not_take_back_what_was_delivered(
    desk: Desk, receiver: Receiver
) -> None:
    opened = await paid(desk, receiver)

    async def outlast(_: HttpRequest) -> int:
        assert await deliver(desk, QUEUE.lease.total_seconds() + 1) == 1
        assert await state(desk, opened) == "delivered"
        return 500

    assert await delivering(desk, outlast).deliver_due(10) == 1
    assert await state(desk, opened) == "delivered"
    assert await deliver(desk, 86_400) == 0
    assert len(receiver.received) == 1


async def test_a_row_that_raises_anything_is_tried_put_off_and_parked_like_any_other(
    desk: Desk, receiver: Receiver
) -> None:
    bad = await desk.open(notify_url=f"{receiver.url}?bad")
    await desk.see(bad, 10000)
    good = [await paid(desk, receiver) for _ in range(3)]

    async def send(request: HttpRequest) -> int:
        if request.url.endswith("?bad"):
            raise KeyError("nobody thought of this")
        return 200

    notifications = delivering(desk, send)
    assert await notifications.deliver_due(10) == 4
    assert [await state(desk, one) for one in good] == ["delivered"] * 3
    for gap_s in GAPS_S[1:]:
        assert await state(desk, bad) == "pending"
        desk.clock.advance(gap_s * 0.88)
        assert await notifications.deliver_due(10) == 0
        desk.clock.advance(gap_s * 0.3)
        assert await notifications.deliver_due(10) == 1
    assert await state(desk, bad) == "exhausted"
    desk.clock.advance(86_400)
    assert await notifications.deliver_due(10) == 0
    told = await desk.alarms(AlarmExhausted)
    assert [t.facts["order_no"] for t in told] == [bad.order.order_no]
    tries = await desk.runtime.system.store.fetch(
        "SELECT said FROM notification_try WHERE status IS NULL ORDER BY try_no"
    )
    assert [t["said"] for t in tries] == ["it could not be sent: KeyError"] * len(GAPS_S)


async def test_nobody_to_tell(desk: Desk) -> None:
    opened = await desk.open()
    await desk.see(opened, 10000)
    assert await state(desk, opened) == "none"
    assert await deliver(desk) == 0
    with pytest.raises(Refusal) as error:
        await desk.runtime.trade.notifications.resend(desk.merchant.id, opened.order.id)
    assert error.value.code == "record_not_found"


def test_every_answer_has_its_meaning() -> None:
    def answer(status: int, **headers: str) -> HttpAnswer:
        return HttpAnswer(status, {k.replace("_", "-"): v for k, v in headers.items()}, b"")

    assert {judge(answer(s), 1).state for s in (200, 201, 204, 299)} == {"delivered"}
    assert {judge(answer(s), 1).state for s in (100, 301, 400, 401, 500)} == {"pending"}
    assert judge(answer(410), 1).state == "exhausted"
    assert judge(None, 1).state == "pending"
    assert judge(None, len(GAPS_S)).state == "exhausted"
    assert judge(answer(200), len(GAPS_S)).state == "delivered"
    assert judge(answer(503, retry_after="999999999"), 1).retry_in_s == 86400
    for odd in ("soon", "-5", "٣", "Wed, 21 Oct 2026 07:28:00 GMT"):
        assert judge(answer(503, retry_after=odd), 1).retry_in_s < 6
    assert judge(answer(503, retry_after="0"), 3).retry_in_s > 100
