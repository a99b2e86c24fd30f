"""Credit lines: set, watched, and what stops new orders."""

from __future__ import annotations

from itertools import count

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.accounts.credit import CreditSet, Standing
from core.accounts.vouchers import Advance, Cause
from core.delivery.outbox import Say
from core.kernel.errors import Refusal
from core.kernel.money import Money
from core.parties.merchants import Merchant
from core.people.actors import ANONYMOUS_ADMIN_ID
from scheduler.jobs import JOBS
from tests.core.support import (
    ADMIN,
    CHAT,
    FINANCE,
    NORTHWIND_CHAT,
    OPERATOR,
    OPS_CHAT,
    OWNER,
    Desk,
    facts,
    set_setting,
)

_messages = count(1000)


async def set_line(
    desk: Desk, minor: int | None, *, user_id: int = FINANCE, currency: str = "CNY"
) -> CreditSet:
    line = None if minor is None else Money(minor, currency)
    actor = await desk.actor(user_id)
    cause = Cause(CHAT, next(_messages), 1)
    said = await desk.runtime.accounts.credit.set_line(actor, await fresh(desk), line, cause)
    assert said is not None, "a second person was asked"
    return said


async def wish(desk: Desk, minor: int | None, *, message_id: int = 0) -> CreditSet | None:
    """Say it; None where a second person is asked."""
    line = None if minor is None else Money(minor, "CNY")
    cause = Cause(CHAT, message_id or next(_messages), 1)
    return await desk.runtime.accounts.credit.set_line(
        await desk.actor(FINANCE), await fresh(desk), line, cause
    )


async def answer(desk: Desk, user_id: int, *, yes: bool = True) -> str:
    """Press a button of the newest card; the code of what is refused."""
    asked = await desk.runtime.system.store.fetchval(
        "SELECT id FROM approval WHERE kind = 'credit_line' ORDER BY created_at DESC, id DESC"
    )
    actor = await desk.actor(user_id, OPS_CHAT)
    try:
        await desk.runtime.people.approvals.decide(actor, asked, yes=yes)
    except Refusal as refusal:
        return refusal.code
    return ""


async def fresh(desk: Desk) -> Merchant:
    return await desk.runtime.parties.merchants.by_id(desk.merchant.id)


async def prepay(desk: Desk, minor: int, message_id: int) -> None:
    await desk.runtime.accounts.prepayments.record(
        await desk.actor(FINANCE), desk.merchant, Advance(Money(minor, "CNY"), ""),
        Cause(CHAT, message_id, 1),
    )  # fmt: skip


async def alarms(desk: Desk) -> dict[int, int]:
    """chat -> how many alarms about credit it got since the last look."""
    rows = await desk.runtime.system.store.fetch(
        "SELECT chat_id, count(*) AS n FROM outbox WHERE state = 'waiting'"
        " AND (facts->>'screen' = 'credit_low' OR topic = 'alarm') GROUP BY 1"
    )
    await desk.runtime.system.store.execute(
        "UPDATE outbox SET state = 'sent' WHERE state = 'waiting'"
    )
    return {row["chat_id"]: row["n"] for row in rows}


async def test_a_line_is_set_shown_and_switched_off(desk: Desk) -> None:
    await set_setting(desk.runtime, "credit_second", None)
    said = await set_line(desk, 50_000)
    assert said.before_minor is None
    assert (said.standing.line_minor, said.standing.left_minor) == (50_000, 50_000)
    assert (await fresh(desk)).credit_line_minor == 50_000
    assert (await set_line(desk, 50_000)).before_minor == 50_000, "the same again"
    assert (await set_line(desk, 0)).standing.line_minor == 0
    off = await set_line(desk, None)
    assert (off.before_minor, off.standing.line_minor, off.standing.left_minor) == (0, None, None)
    shown = await desk.runtime.accounts.credit.standing(await fresh(desk))
    assert (shown.line_minor, shown.position_minor, shown.left_minor) == (None, 0, None)
    put_out = [f.screen for f in await facts(desk.runtime, CHAT) if isinstance(f, Say)]
    assert put_out == ["credit_set"] * 4
    trail = "SELECT count(*) FROM audit WHERE action = 'set_credit'"
    assert await desk.runtime.system.store.fetchval(trail) == 3
    for minor, more, code in (
        (-1, {}, "amount_invalid"),
        (5, {"currency": "USD"}, "amount_invalid"),
        (10**10 + 1, {}, "amount_over_limit"),
        (5, {"user_id": OPERATOR}, "not_permitted"),
        (5, {"user_id": ANONYMOUS_ADMIN_ID}, "anonymous_admin"),
    ):
        with pytest.raises(Refusal) as error:
            await set_line(desk, minor, **more)
        assert error.value.code == code
    assert (await fresh(desk)).credit_line_minor is None


async def test_orders_stop_at_the_line_and_go_on_after_a_prepayment(desk: Desk) -> None:
    await set_setting(desk.runtime, "credit_second", None)
    await set_line(desk, 9_000)
    desk.app = (await desk.runtime.supply.market.now()).app(desk.app.id)  # as each call
    await desk.see(await desk.open(), 10_000)  # 9,880 of it are owed now
    with pytest.raises(Refusal) as error:
        await desk.open()
    assert error.value.code == "credit_line_reached"
    await prepay(desk, 880, 2)  # exactly at the line is not beyond it
    await desk.open()
    await desk.runtime.accounts.prepayments.record(
        await desk.actor(FINANCE), desk.merchant, Advance(Money(-1, "CNY"), ""), Cause(CHAT, 3, 1)
    )
    with pytest.raises(Refusal):
        await desk.open()
    await set_line(desk, None)
    desk.app = (await desk.runtime.supply.market.now()).app(desk.app.id)
    await desk.open()


async def test_little_credit_is_told_of_once_until_it_came_back(desk: Desk) -> None:
    await set_setting(desk.runtime, "credit_second", None)
    watch = desk.runtime.accounts.credit.watch
    assert await watch() == 0, "nobody has a line"
    await set_line(desk, 10_000)
    assert (await watch(), await alarms(desk)) == (0, {})
    await desk.see(await desk.open(), 10_000)  # 120 of 10,000 are left
    assert await watch() == 1
    assert await alarms(desk) == {CHAT: 1, OPS_CHAT: 1}
    assert NORTHWIND_CHAT not in await alarms(desk)
    assert (await watch(), await alarms(desk)) == (0, {})
    await prepay(desk, 2_500, 2)  # 2,620 of 12,500 are left: 20.96 %, not yet well
    assert (await watch(), await alarms(desk)) == (0, {})
    low = "SELECT credit_low FROM merchant WHERE id = $1"
    assert await desk.runtime.system.store.fetchval(low, desk.merchant.id)
    await prepay(desk, 1_000, 3)  # 3,620 of 13,500: 26.8 %
    assert (await watch(), await alarms(desk)) == (0, {OPS_CHAT: 1}), "it is over"
    assert not await desk.runtime.system.store.fetchval(low, desk.merchant.id)
    await prepay(desk, -3_500, 4)
    assert await watch() == 1
    await set_line(desk, None)
    assert not await desk.runtime.system.store.fetchval(low, desk.merchant.id)
    assert await watch() == 0
    states = await desk.runtime.system.store.fetch("SELECT state FROM alarm ORDER BY first_at, id")
    assert [row["state"] for row in states] == ["over", "over"]
    assert [(job.every_s, job.alone) for job in JOBS if job.name == "watch_credit"] == [(60, True)]


@given(
    st.integers(0, 10**10), st.integers(-(10**10), 10**10), st.integers(-(10**10), 10**10),
    st.booleans(),
)  # fmt: skip
def test_low_and_well_are_apart(line: int, position: int, advanced: int, was_low: bool) -> None:
    standing = Standing(line, position, advanced)
    left, whole = line - position, max(0, line + advanced)
    assert (standing.left_minor, standing.is_low(False)) == (left, left * 5 < whole)
    assert standing.is_low(True) == (left * 4 < whole)
    assert not standing.is_low(was_low) or left < whole
    assert not Standing(None, position, advanced).is_low(was_low)


async def test_a_large_line_and_none_at_all_are_set_by_two(desk: Desk) -> None:
    assert await wish(desk, 10_000_000) is not None, "the threshold itself is not above it"
    for minor, before in ((10_000_001, 10_000_000), (None, 10_000_001)):
        message_id = next(_messages)
        for _ in range(2):  # and when the message is delivered again
            assert await wish(desk, minor, message_id=message_id) is None
        assert await answer(desk, FINANCE) == "second_person_needed"
        assert await answer(desk, OPERATOR) == "not_permitted"
        assert (await fresh(desk)).credit_line_minor == before
        assert await answer(desk, ADMIN) == ""
        assert (await fresh(desk)).credit_line_minor == minor
        assert await answer(desk, OWNER) == ""
        (said,) = [one for one in await desk.said(CHAT) if one.facts["approved_by"] == ADMIN]
        assert (said.screen, said.reply_to) == ("credit_set", message_id)
        assert said.facts["before_minor"] == before
        assert said.facts["approved_by_name"]
    trail = await desk.runtime.system.store.fetch(
        "SELECT actor, facts->'approved_by' AS by FROM audit WHERE action = 'set_credit'"
        " ORDER BY at, id OFFSET 1"
    )
    assert [tuple(row) for row in trail] == [(f"telegram:{FINANCE}", ADMIN)] * 2
    asked = await desk.runtime.system.store.fetchval("SELECT count(*) FROM approval")
    assert asked == 2


async def test_what_lowers_a_line_counts_at_once(desk: Desk) -> None:
    assert await wish(desk, 50_000_000) is None
    assert await answer(desk, ADMIN) == ""
    lower = await wish(desk, 40_000_000)
    assert lower is not None
    assert lower.standing.line_minor == 40_000_000
    assert await wish(desk, 40_000_000) is not None, "the same again"


@pytest.mark.parametrize(
    "change",
    ["UPDATE merchant SET state = 'suspended'", "UPDATE merchant SET credit_line_minor = 5"],
)
async def test_a_line_is_approved_for_the_merchant_that_was_seen(desk: Desk, change: str) -> None:
    assert await wish(desk, 50_000_000) is None
    await desk.runtime.system.store.execute(change)
    was = (await fresh(desk)).credit_line_minor
    assert await answer(desk, ADMIN) == "merchant_changed"
    assert (await fresh(desk)).credit_line_minor == was
    assert await answer(desk, ADMIN, yes=False) == ""
    assert await answer(desk, ADMIN) == ""
    assert (await fresh(desk)).credit_line_minor == was
