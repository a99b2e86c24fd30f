"""Slips: when a repeat is one, and what happens to it among many at once."""

from __future__ import annotations

import asyncio
from itertools import count
from uuid import UUID

import pytest

from core.accounts.vouchers import PREPAYMENT, REPEAT_WITHIN, Advance
from core.accounts.written import Written
from core.delivery.outbox import Say
from core.kernel.errors import Refusal
from core.kernel.money import Money
from core.parties.merchants import App, Merchant
from core.runtime import Runtime
from tests.core.support import CHAT, OPERATOR, OPS_CHAT, SetClock, balances, facts


class Clerk:
    """Somebody who writes prepayments of a merchant down."""

    def __init__(self, runtime: Runtime, merchant: Merchant) -> None:
        self.runtime = runtime
        self.merchant = merchant
        self._messages = count(1)

    async def write(self, minor: int, *, chat_id: int = CHAT) -> None:
        actor = await self.runtime.people.access.actor(OPERATOR, "x", chat_id, private=False)
        written = Written(1, PREPAYMENT, self.merchant, Advance(Money(minor, "CNY"), ""))
        await self.runtime.accounts.slips.record(actor, [written], next(self._messages))

    async def said(self, chat_id: int = CHAT) -> list[Say]:
        found = await facts(self.runtime, chat_id)
        return [fact for fact in found if isinstance(fact, Say)]

    async def prepaid(self) -> int:
        return -(await balances(self.runtime, self.merchant.id)).get("prepaid", 0)


@pytest.fixture
def clerk(runtime: Runtime, shop: tuple[Merchant, App]) -> Clerk:
    return Clerk(runtime, shop[0])


async def test_a_repeat_is_one_for_a_minute(clerk: Clerk, clock: SetClock) -> None:
    await clerk.write(1000)
    clock.advance(REPEAT_WITHIN.total_seconds() - 1)
    await clerk.write(1000)
    assert await clerk.prepaid() == 1000
    clock.advance(2)
    await clerk.write(1000)
    assert await clerk.prepaid() == 2000
    assert [say.screen for say in await clerk.said()] == ["prepaid", "slip_question", "prepaid"]


async def test_of_many_at_the_same_moment_one_is_booked(clerk: Clerk) -> None:
    await asyncio.gather(*(clerk.write(1000, chat_id=chat) for chat in (CHAT, OPS_CHAT) * 4))
    assert await clerk.prepaid() == 1000
    assert await clerk.runtime.system.store.fetchval("SELECT count(*) FROM voucher") == 1
    assert await clerk.runtime.system.store.fetchval("SELECT count(*) FROM approval") == 7
    assert (await clerk.runtime.reports.verify.whole()).differences == ()


async def test_a_question_is_over_after_its_time(clerk: Clerk, clock: SetClock) -> None:
    await clerk.write(1000)
    await clerk.write(1000)
    question = (await clerk.said())[-1]
    clock.advance(15 * 60 + 1)
    actor = await clerk.runtime.people.access.actor(OPERATOR, "x", CHAT, private=False)
    confirm = clerk.runtime.accounts.slips.confirm
    with pytest.raises(Refusal) as error:
        await confirm(actor, UUID(question.facts["approval_id"]), message_id=9)
    assert error.value.code == "confirmation_expired"
    assert await clerk.prepaid() == 1000


async def doubted(clerk: Clerk, times: int = 1) -> list[UUID]:
    """Write the same after the first once more, so often; the questions."""
    for _ in range(1 + times):
        await clerk.write(1000)
    said = [say for say in await clerk.said() if say.screen == "slip_question"]
    return [UUID(say.facts["approval_id"]) for say in said]


async def press(clerk: Clerk, asked: UUID) -> str:
    """Say that it is meant; the code of what is refused."""
    actor = await clerk.runtime.people.access.actor(OPERATOR, "x", CHAT, private=False)
    try:
        await clerk.runtime.accounts.slips.confirm(actor, asked, message_id=9)
    except Refusal as refusal:
        return refusal.code
    return ""


@pytest.mark.parametrize(
    "change", ["UPDATE merchant SET state = 'suspended'", "UPDATE merchant SET credit_line_minor=5"]
)
async def test_a_yes_is_for_the_merchant_that_was_seen(clerk: Clerk, change: str) -> None:
    (asked,) = await doubted(clerk)
    await clerk.runtime.system.store.execute(change)
    assert await press(clerk, asked) == "merchant_changed"
    assert await clerk.prepaid() == 1000


async def test_a_yes_is_for_the_doubts_that_were_seen(clerk: Clerk, clock: SetClock) -> None:
    first, second = await doubted(clerk, times=2)
    assert await press(clerk, second) == ""
    assert await press(clerk, first) == "slip_changed", "another one is booked by now"
    assert await clerk.prepaid() == 2000
    clock.advance(REPEAT_WITHIN.total_seconds())
    assert await press(clerk, first) == ""
    assert await clerk.prepaid() == 3000, "what is no doubt any more needs no word"


async def test_a_yes_that_booked_nothing_is_none_later(clerk: Clerk, clock: SetClock) -> None:
    (asked,) = await doubted(clerk)
    store = clerk.runtime.system.store
    await store.execute("UPDATE person SET denied = '{prepay}' WHERE user_id = $1", OPERATOR)
    assert await press(clerk, asked) == "not_permitted"
    await store.execute("UPDATE person SET denied = '{}' WHERE user_id = $1", OPERATOR)
    clock.advance(15 * 60)
    assert await press(clerk, asked) == "confirmation_expired"
    assert await clerk.prepaid() == 1000


async def test_pressing_twice_at_once_books_once(clerk: Clerk) -> None:
    await clerk.write(1000)
    await clerk.write(1000)
    asked = UUID((await clerk.said())[-1].facts["approval_id"])
    actor = await clerk.runtime.people.access.actor(OPERATOR, "x", CHAT, private=False)
    confirm = clerk.runtime.accounts.slips.confirm
    await asyncio.gather(
        *(confirm(actor, asked, message_id=9) for _ in range(4)), return_exceptions=True
    )
    await confirm(actor, asked, message_id=9)
    assert await clerk.prepaid() == 2000
    assert (await clerk.runtime.reports.verify.whole()).differences == ()
