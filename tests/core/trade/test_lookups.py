"""Which orders were completed by hand: by pages, for staff among themselves."""

from __future__ import annotations

from datetime import date, timedelta
from uuid import UUID, uuid4

import pytest

from core.kernel.errors import Refusal
from core.trade.lookups import COMPLETIONS_PER_PAGE, CompletionPage
from tests.core.support import ADMIN, CHAT, FINANCE, OPERATOR, OPS_CHAT, Desk
from tests.core.trade.test_completions import confirm, question

ANY_DAY = (date(2000, 1, 1), date(2100, 1, 1))
NORTHWIND_CHAT = -1002000000102


async def listed(
    desk: Desk, page: int = 1, days: tuple[date, date] = ANY_DAY, *, merchant_id: UUID | None = None
) -> CompletionPage:
    actor = await desk.actor(OPERATOR, OPS_CHAT)
    return await desk.runtime.trade.lookups.completions(actor, merchant_id, days, page)


async def test_the_newest_come_first_and_every_page_is_reached(desk: Desk) -> None:
    assert await listed(desk) == CompletionPage((), 1, 1, 0)
    made = []
    for place in range(COMPLETIONS_PER_PAGE + 2):
        opened = await desk.open(10_000 + place)
        await confirm(desk, await question(desk, opened, reason=f"reason {place}"))
        made.append((opened.order.order_no, 10_000 + place, f"reason {place}"))
        desk.clock.advance(1)
    pages = [await listed(desk, page) for page in (1, 2, 3)]
    assert [(page.number, page.pages, page.count) for page in pages] == [
        (1, 2, len(made)), (2, 2, len(made)), (2, 2, len(made)),
    ]  # fmt: skip
    lines = [*pages[0].lines, *pages[1].lines]
    assert [(one.order_no, one.amount_minor, one.reason) for one in lines] == made[::-1]
    assert {(one.merchant_no, one.currency, one.proof, one.reversed_by) for one in lines} == {
        ("M1001", "CNY", False, "")
    }


async def test_days_are_business_days_and_a_reversed_one_says_who_reversed_it(desk: Desk) -> None:
    opened = await desk.open()
    await confirm(desk, await question(desk, opened))
    today = await desk.runtime.reports.bills.open_day(desk.merchant.id)
    before, after = today - timedelta(days=1), today + timedelta(days=1)
    assert (await listed(desk, days=(today, today))).count == 1
    assert (await listed(desk, days=(before, before))).count == 0
    assert (await listed(desk, days=(after, after))).count == 0
    completions, finance = desk.runtime.trade.completions, await desk.actor(FINANCE)
    await completions.ask_reversal(
        finance, opened.order.order_no, "never got it", message_id=7, request_id="r"
    )
    asked = await desk.runtime.system.store.fetchval(
        "SELECT id FROM approval WHERE kind = 'uncomplete'"
    )
    boss = await desk.actor(ADMIN)
    await completions.confirm_reversal(boss, asked, message_id=8, request_id="r")
    (line,) = (await listed(desk)).lines  # the reversal is no line of its own
    assert line.reversed_by == boss.name
    await desk.sound()


async def test_only_staff_among_themselves_reads_who_completed_and_why(desk: Desk) -> None:
    opened = await desk.open()
    await confirm(desk, await question(desk, opened))
    assert (await listed(desk, merchant_id=desk.merchant.id)).count == 1
    assert (await listed(desk, merchant_id=uuid4())).count == 0
    for user_id, chat_id, code in (
        (OPERATOR, CHAT, "staff_only"),
        (OPERATOR, NORTHWIND_CHAT, "staff_only"),
        (1101, CHAT, "not_permitted"),
    ):
        with pytest.raises(Refusal) as error:
            await desk.runtime.trade.lookups.completions(
                await desk.actor(user_id, chat_id), desk.merchant.id, ANY_DAY, 1
            )
        assert error.value.code == code
