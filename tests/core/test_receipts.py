"""One message, one receipt: all its lines are booked together, and each is undone by itself."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from core.accounts.vouchers import PAYIN, PREPAYMENT, Advance, Cause, Vouchers, ask_first
from core.accounts.written import Written
from core.books import Ledger
from core.delivery.outbox import Say, unpack
from core.kernel.errors import Bug
from core.kernel.money import Money
from tests.core.support import CHAT, FINANCE, OPS_CHAT, SUPPLIER_CHAT, Desk
from tests.sizes import size

RECEIPT_ID = 900


def fen(minor: int) -> Advance:
    return Advance(Money(minor, "CNY"), "r")


class Clerk:
    """Writes messages of several lines, and presses the buttons under their receipts."""

    def __init__(self, desk: Desk, chat_id: int = OPS_CHAT) -> None:
        self.desk = desk
        self.chat_id = chat_id
        self.store = desk.runtime.system.store

    async def write(self, lines: Sequence[Written], message_id: int) -> None:
        actor = await self.desk.actor(FINANCE, self.chat_id)
        await self.desk.runtime.accounts.slips.record(actor, lines, message_id)

    async def undo(self, receipt: dict[str, Any], *, message_id: int = RECEIPT_ID) -> None:
        actor = await self.desk.actor(FINANCE, self.chat_id)
        voucher_id = UUID(receipt["voucher_id"])
        await self.desk.runtime.accounts.slips.undo(actor, voucher_id, message_id=message_id)

    async def receipts(self) -> list[Say]:
        """Receipts of several lines, in the order in which they were put into the outbox."""
        rows = await self.store.fetch(
            "SELECT facts FROM outbox WHERE chat_id = $1 AND facts->>'screen' = 'receipt'"
            " ORDER BY created_at, id", self.chat_id,
        )  # fmt: skip
        said = [unpack("say", row["facts"]) for row in rows]
        return [one for one in said if isinstance(one, Say)]

    async def count(self, table: str) -> int:
        return int(await self.store.fetchval(f"SELECT count(*) FROM {table}"))


def prepaid(desk: Desk, amounts: Sequence[int]) -> list[Written]:
    return [
        Written(line, PREPAYMENT, desk.merchant, fen(minor))
        for line, minor in enumerate(amounts, 1)
    ]


async def test_twenty_lines_are_one_receipt_and_a_redelivery_says_nothing_more(desk: Desk) -> None:
    clerk = Clerk(desk, CHAT)
    lines = prepaid(desk, [100 * n for n in range(1, 21)])
    await asyncio.gather(*(clerk.write(lines, 5) for _ in range(3)))
    (receipt,) = await clerk.receipts()
    assert receipt.reply_to == 5
    told = receipt.facts["lines"]
    assert [line["line"] for line in told] == list(range(1, 21))
    assert [line["record_no"] for line in told] == [f"M1001-{n}" for n in range(1, 21)]
    after = 0
    for line in told:
        assert (line["before_minor"], line["after_minor"]) == (after, after + line["minor"])
        after = line["after_minor"]
    assert after == 21_000
    instants = [datetime.fromisoformat(line["at"]) for line in told]
    assert instants == sorted(set(instants)), "each is later than the one before"
    await desk.sound()


async def test_lines_of_several_merchants_are_one_receipt(desk: Desk, neighbour: Desk) -> None:
    clerk = Clerk(desk)
    lines = [
        Written(n, PREPAYMENT, (desk if n % 2 else neighbour).merchant, fen(100 * n))
        for n in range(1, 5)
    ]
    await clerk.write(lines, 5)
    (receipt,) = await clerk.receipts()
    assert [(x["record_no"], x["before_minor"], x["after_minor"])
            for x in receipt.facts["lines"]] == [
        ("M1001-1", 0, 100), ("M1002-1", 0, 200), ("M1001-2", 100, 400), ("M1002-2", 200, 600),
    ]  # fmt: skip
    bills = "SELECT count(DISTINCT merchant_id) FROM outbox WHERE topic = 'bill'"
    assert await clerk.store.fetchval(bills) == 2
    await desk.sound()


async def test_a_suppliers_lines_are_one_receipt(desk: Desk) -> None:
    clerk, supplier = Clerk(desk, SUPPLIER_CHAT), await desk.runtime.parties.suppliers.by_no("S01")
    await clerk.write([Written(n, PAYIN, supplier, fen(100 * n)) for n in (1, 2, 3)], 5)
    (receipt,) = await clerk.receipts()
    assert [line["after_minor"] for line in receipt.facts["lines"]] == [-100, -300, -600]
    await clerk.undo(receipt.facts["lines"][1])
    (_, struck) = await clerk.receipts()
    assert [bool(line["undone_by"]) for line in struck.facts["lines"]] == [False, True, False]
    await desk.sound()


class Stumbling(Ledger):
    """Books so many events, and dies before the next."""

    left = 3

    async def book(self, *booked: Any) -> UUID:
        if not self.left:
            raise Bug("killed between two lines")
        self.left -= 1
        return await super().book(*booked)


async def test_a_message_that_is_cut_off_between_its_lines_is_not_booked_at_all(desk: Desk) -> None:
    runtime = desk.runtime
    clerk, lines = Clerk(desk, CHAT), prepaid(desk, [100, 200, 300, 400, 500])
    stumbling = Stumbling(runtime.system.store, desk.clock, runtime.system.ids)
    actor = await desk.actor(FINANCE, CHAT)
    vouchers = Vouchers(runtime.system, stumbling, runtime.delivery, runtime.people)
    decide = runtime.accounts.prepayments.decide
    decisions = [
        decide(actor, desk.merchant, said.advance, Cause(CHAT, 5, said.line)) for said in lines
    ]
    tables = ("voucher", "cause", "ledger_event", "outbox", "audit")
    before = [await clerk.count(table) for table in tables]
    with pytest.raises(Bug, match="between two lines"):
        await vouchers.record(actor, decisions, doubted=ask_first)
    assert [await clerk.count(table) for table in tables] == before
    assert before[:3] == [0, 0, 0]
    await clerk.write(lines, 5)
    assert len((await clerk.receipts())[0].facts["lines"]) == 5
    await desk.sound()


async def test_two_people_who_undo_two_lines_at_once_both_see_both_struck(
    desk: Desk, neighbour: Desk
) -> None:
    clerk = Clerk(desk)
    whose = (desk, neighbour) * 10
    lines = [Written(n, PREPAYMENT, one.merchant, fen(100 * n)) for n, one in enumerate(whose, 1)]
    await clerk.write(lines, 5)
    (receipt,) = await clerk.receipts()
    told = receipt.facts["lines"]
    await asyncio.gather(*(clerk.undo(told[n]) for n in range(0, 20, 3)))
    *_, last = await clerk.receipts()
    assert last.edit_message_id == RECEIPT_ID
    struck = [line["line"] - 1 for line in last.facts["lines"] if line["undone_by"]]
    assert struck == list(range(0, 20, 3))
    await clerk.undo(told[0])  # the press comes again
    assert await clerk.count("voucher") == 20 + 7
    assert await desk.runtime.people.receipts.undone(
        OPS_CHAT, RECEIPT_ID, UUID(told[0]["voucher_id"])
    )
    assert not await desk.runtime.people.receipts.undone(
        OPS_CHAT, RECEIPT_ID, UUID(told[1]["voucher_id"])
    )
    await desk.sound()


async def test_messages_about_the_same_merchants_at_once_do_not_block_each_other(
    desk: Desk, neighbour: Desk
) -> None:
    """Whichever merchant a message names first: books, vouchers and balances are held in one
    order."""
    clerk = Clerk(desk)
    pairs = [(desk, neighbour), (neighbour, desk)] * 6
    await asyncio.gather(
        *(
            clerk.write(
                [Written(n, PREPAYMENT, one.merchant, fen(1000 * message_id + n))
                 for n, one in enumerate(pair, 1)],
                message_id,
            )
            for message_id, pair in enumerate(pairs, 1)
        )
    )  # fmt: skip
    assert await clerk.count("voucher") == 24
    assert len(await clerk.receipts()) == 12
    await desk.sound()


@settings(
    max_examples=size(8, 100),
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)  # fmt: skip
@given(data=st.data())
async def test_whatever_is_written_and_undone_the_receipt_says_what_is_in_the_books(
    desk: Desk, neighbour: Desk, data: st.DataObject
) -> None:
    clerk = Clerk(desk)
    desk.clock.advance(timedelta(minutes=3).total_seconds())
    message_id = 1 + int(await clerk.store.fetchval("SELECT count(*) FROM voucher"))
    amounts = data.draw(st.lists(st.integers(1, 90_000), min_size=2, max_size=6))
    both = (desk, neighbour)
    whose = [both[n] for n in data.draw(st.lists(st.integers(0, 1), min_size=6, max_size=6))]
    await clerk.write(
        [Written(n, PREPAYMENT, one.merchant, fen(minor))
         for n, (one, minor) in enumerate(zip(whose, amounts, strict=False), 1)],
        message_id,
    )  # fmt: skip
    told = (await clerk.receipts())[-1].facts["lines"]
    pressed = data.draw(st.lists(st.integers(0, len(told) - 1), max_size=4))
    receipt_id = 10_000 + message_id
    for place in pressed:
        await clerk.undo(told[place], message_id=receipt_id)
    last = (await clerk.receipts())[-1].facts["lines"]
    standing = [line for line in last if not line["undone_by"]]
    assert {line["line"] for line in last} - {line["line"] for line in standing} == {
        place + 1 for place in pressed
    }
    for one in both:
        total = sum(x["minor"] for x in standing if x["holder_no"] == one.merchant.merchant_no)
        booked = await clerk.store.fetchval(
            "SELECT coalesce(sum(minor), 0)::bigint FROM voucher WHERE holder_id = $1"
            " AND message_id = ANY($2)", one.merchant.id, [message_id, receipt_id],
        )  # fmt: skip
        assert booked == total
