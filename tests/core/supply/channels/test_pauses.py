"""What makes a channel pause itself, and how it comes back."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any, cast
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.kernel.errors import Refusal
from core.kernel.money import Money
from core.supply.channels import AlarmChannel, By, Routing, Wish
from core.supply.channels.pauses import PAUSES, PROBE, STREAK, STREAK_OF_ONE, Try, is_failing
from tests.core.support import Desk, refused, wanted

A, B = UUID(int=1), UUID(int=2)
FAILED = Try(A, "silent"), Try(A, "refused"), Try(B, "refused")


def test_what_is_failing() -> None:
    silent, refusal, theirs = FAILED
    good = Try(A, "accepted")
    assert is_failing([silent] * STREAK)
    assert not is_failing([silent] * (STREAK - 1))
    assert not is_failing([silent] * (STREAK - 1) + [good] + [silent] * STREAK)
    assert is_failing([silent] * STREAK + [good])
    assert not is_failing([refusal] * (STREAK_OF_ONE - 1))
    assert is_failing([refusal] * STREAK_OF_ONE)
    assert is_failing([refusal] * (STREAK - 1) + [theirs])
    assert is_failing([refusal] * (STREAK - 1) + [silent])
    assert not is_failing([])


@given(st.lists(st.sampled_from((*FAILED, Try(B, "accepted")))))
def test_one_success_among_the_newest_is_enough(tries: list[Try]) -> None:
    if any(one.ended == "accepted" for one in tries[:STREAK]):
        assert not is_failing(tries)


async def paused(desk: Desk) -> bool:
    return (await desk.runtime.supply.channels.by_no("C01")).paused_at is not None


async def on(desk: Desk) -> list[str]:
    """The supplier and state of each attempt of one more order."""
    opened = await desk.open()
    rows = await desk.runtime.system.store.fetch(
        "SELECT supplier_no, state FROM attempt WHERE order_id = $1 ORDER BY seq", opened.order.id
    )
    return [f"{row['supplier_no']} {row['state']}" for row in rows]


async def test_a_channel_that_is_silent_pauses_is_tried_and_comes_back(desk: Desk) -> None:
    desk.clock.go_to_noon()
    await desk.supplier.fault("create", "500", times=STREAK)
    for _ in range(STREAK):
        assert not await paused(desk)
        assert await on(desk) == ["S01 unknown"]
    channel = await desk.runtime.supply.channels.by_no("C01")
    assert channel.paused_at is not None
    assert channel.paused_until == channel.paused_at + PAUSES[0]
    assert channel.paused_why
    (alarm,) = await desk.alarms(AlarmChannel)
    assert (alarm.facts["channel_no"], alarm.facts["minutes"]) == ("C01", 1)
    assert not alarm.facts["tried"]
    # Others are sent elsewhere, with the reason.
    opened = await desk.open()
    assert opened.attempt is not None
    assert opened.attempt.supplier_no == "S02"
    assert str(opened.attempt.reasons[0]).startswith("C01: is paused until ")
    # Its time is over: one order tries it, and fails; the pause goes on, longer each time.
    for step, pause in enumerate((*PAUSES[1:], PAUSES[-1])):
        until = (await desk.runtime.supply.channels.by_no("C01")).paused_until
        assert until is not None
        desk.clock.go_to(until)
        await desk.supplier.fault("create", "500")
        assert await on(desk) == ["S01 unknown"], step
        assert await on(desk) == ["S02 accepted"]
        channel = await desk.runtime.supply.channels.by_no("C01")
        assert channel.paused_at is not None
        assert channel.paused_until == channel.paused_at + pause
        (alarm,) = await desk.alarms(AlarmChannel)
        assert (alarm.state, alarm.count) == ("standing", step + 2)
        assert alarm.facts["tried"]
        assert alarm.facts["minutes"] == pause.total_seconds() // 60
    assert channel.paused_until is not None
    desk.clock.go_to(channel.paused_until)
    assert await on(desk) == ["S01 accepted"]
    assert not await paused(desk)
    (good_news,) = await desk.alarms(AlarmChannel)
    assert (good_news.id, good_news.state, good_news.subject) == (alarm.id, "over", "C01")
    # What failed before does not count again.
    await desk.supplier.fault("create", "500", times=STREAK - 1)
    for _ in range(STREAK - 1):
        assert await on(desk) == ["S01 unknown"]
    assert await on(desk) == ["S01 accepted"]
    await desk.sound()


async def test_only_one_order_tries_a_channel_and_one_that_dies_tries_nothing(desk: Desk) -> None:
    desk.clock.go_to_noon()
    await pause(desk)
    desk.clock.advance(PAUSES[0].total_seconds())
    routing = desk.runtime.supply.routing
    wish = Wish(desk.merchant.id, "live", "alipay_qr", Money(10_000, "CNY"))
    choices = [await routing.choose(wish, f"A{n}") for n in range(3)]
    assert [c.ranked[0].channel_no for c in choices] == ["C01", "C03", "C03"]
    assert choices[1].reasons[0].code == "paused"
    assert await on(desk) == ["S02 accepted"]  # of the first, nothing is heard any more
    desk.clock.advance(PROBE.total_seconds())
    assert await on(desk) == ["S01 accepted"]
    assert not await paused(desk)


async def test_an_order_that_is_refused_leaves_the_try_to_the_next(desk: Desk) -> None:
    desk.clock.go_to_noon()
    await pause(desk)
    desk.clock.advance(PAUSES[0].total_seconds())
    store = desk.runtime.system.store
    await store.execute(
        "INSERT INTO balance (merchant_id, mode, currency, account, minor)"
        " VALUES ($1, 'live', 'CNY', 'payable', 1)",
        desk.merchant.id,
    )
    line = "UPDATE merchant SET credit_line_minor = $2 WHERE id = $1"
    await store.execute(line, desk.merchant.id, 0)
    for _ in range(3):
        with pytest.raises(Refusal) as error:
            await desk.runtime.trade.creation.open(desk.app, wanted(), request_id="poor")
        assert refused(error.value) == "credit_line_reached"
    await store.execute(line, desk.merchant.id, None)
    assert await on(desk) == ["S01 accepted"]
    assert not await paused(desk)


async def test_a_refused_try_makes_a_pause_no_longer(desk: Desk) -> None:
    """The supplier answers again, and is right to refuse that merchant's orders."""
    desk.clock.go_to_noon()
    await pause(desk)
    assert len(await desk.alarms(AlarmChannel)) == 1
    for _ in range(3):
        desk.clock.go_to(await paused_until(desk))
        await desk.supplier.fault("create", "refuse")
        assert await on(desk) == ["S01 rejected", "S02 accepted"]
        gap = await paused_until(desk) - desk.clock.now()
        assert timedelta() < gap <= PAUSES[0]
        assert await on(desk) == ["S02 accepted"]
    assert await desk.alarms(AlarmChannel) == []
    desk.clock.go_to(await paused_until(desk))
    assert await on(desk) == ["S01 accepted"]
    assert not await paused(desk)


async def paused_until(desk: Desk) -> datetime:
    until = (await desk.runtime.supply.channels.by_no("C01")).paused_until
    assert until is not None
    return until


class Gone:
    """A database that is out of reach."""

    def __getattr__(self, name: str) -> Any:
        raise ConnectionError("the database hiccups")


async def test_what_cannot_be_noted_fails_no_order(desk: Desk) -> None:
    runtime = desk.runtime
    broken = Routing(
        replace(runtime.system, store=cast(Any, Gone())),
        runtime.supply.market.channels,
        lambda: 0.5,
        runtime.people.alarms,
    )
    channel = await runtime.supply.channels.by_no("C01")
    await broken.failed(channel.id, channel.today, "A1", "no", refused=False)
    await broken.accepted(channel.id, "A1")
    await broken.recount(desk.merchant.id, "A1")
    await broken.given_back(desk.merchant.id, "A1")


async def pause(desk: Desk) -> None:
    await desk.supplier.fault("create", "500", times=STREAK)
    for _ in range(STREAK):
        await desk.open()
    assert await paused(desk)


async def test_refusals_of_one_merchant_prove_little_and_of_two_enough(
    desk: Desk, neighbour: Desk
) -> None:
    desk.clock.go_to_noon()
    for _ in range(STREAK):
        await desk.supplier.fault("create", "refuse")
        assert await on(desk) == ["S01 rejected", "S02 accepted"]
    assert not await paused(desk)
    await desk.supplier.fault("create", "refuse")
    await neighbour.open()
    assert await paused(desk)
    assert len(await desk.alarms(AlarmChannel)) == 1


async def test_a_pause_is_ended_by_hand_and_by_every_switch(desk: Desk) -> None:
    desk.clock.go_to_noon()
    channels, by = desk.runtime.supply.channels, By("telegram:77")
    with pytest.raises(Refusal) as error:
        await channels.resume("C01", by)
    assert refused(error.value) == "channel_not_paused"
    await pause(desk)
    assert (await channels.resume(" c01", by)).paused_at is None
    desk.clock.advance(60)  # the gateway, too, leaves a peer alone that fails
    assert await on(desk) == ["S01 accepted"]
    await pause(desk)
    await channels.turn("C01", "off", by)
    assert not await paused(desk)
    trail = await desk.runtime.system.store.fetch(
        "SELECT action FROM audit WHERE action LIKE 'channel%' AND actor = $1 ORDER BY id", by.actor
    )
    assert [row["action"] for row in trail] == ["channel_resumed", "channel_turned"]
