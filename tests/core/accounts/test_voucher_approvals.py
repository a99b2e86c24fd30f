"""Large vouchers: one person alone books none of them, a second one books what was written."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from itertools import count
from typing import Any
from uuid import UUID

import pytest

from core.accounts.vouchers import ADJUSTMENT, PREPAYMENT, Advance, Cause, Kind
from core.accounts.written import Written
from core.delivery.outbox import ApprovalCard, Fact, Say, unpack
from core.kernel.errors import Bug, Refusal
from core.kernel.money import Money
from core.people.actors import Actor
from core.runtime import Runtime
from tests.core.support import (
    ADMIN,
    CHAT,
    FINANCE,
    OPERATOR,
    OPS_CHAT,
    OWNER,
    SUPPORT,
    Desk,
    SetClock,
    set_setting,
)

LARGE = 5_000_001  # the threshold is 50,000.00
RECEIPT_ID = 900


@dataclass
class Till:
    """Somebody who writes money down in a merchant's group, and others who decide in ops."""

    desk: Desk
    messages: Any = field(default_factory=lambda: count(1))

    @property
    def runtime(self) -> Runtime:
        return self.desk.runtime

    async def write(
        self, *minors: int, kind: Kind = PREPAYMENT, by: int = OPERATOR, message_id: int = 0
    ) -> int:
        """Lines of one message; its id."""
        message_id = message_id or next(self.messages)
        merchant = await self.runtime.parties.merchants.by_id(self.desk.merchant.id)
        lines = [
            Written(line, kind, merchant, Advance(Money(minor, "CNY"), f"remark {line}"))
            for line, minor in enumerate(minors, 1)
        ]
        actor = await self.desk.actor(by)
        await self.runtime.accounts.slips.record(actor, lines, message_id)
        return message_id

    async def asked(self) -> list[UUID]:
        """The questions of a second person, oldest first."""
        rows = await self.runtime.system.store.fetch(
            "SELECT id FROM approval WHERE on_card ORDER BY created_at, id"
        )
        return [row["id"] for row in rows]

    async def answer(
        self, user_id: int, *, yes: bool = True, chat: int = OPS_CHAT, which: int = -1
    ) -> str:
        """Press a button of the newest card; the code of what is refused."""
        actor = await self.desk.actor(user_id, chat)
        approval_id = (await self.asked())[which]
        try:
            await self.runtime.people.approvals.decide(actor, approval_id, yes=yes)
        except Refusal as refusal:
            return refusal.code
        return ""

    async def told(self, chat_id: int = CHAT) -> list[Fact]:
        """All that a chat was told, oldest first."""
        rows = await self.runtime.system.store.fetch(
            "SELECT topic, facts FROM outbox WHERE chat_id = $1 ORDER BY created_at, id", chat_id
        )
        return [unpack(row["topic"], row["facts"]) for row in rows]

    async def said(self, screen: str, chat_id: int = CHAT) -> list[Say]:
        """What it was told on such a screen."""
        told = await self.told(chat_id)
        return [one for one in told if isinstance(one, Say) and one.screen == screen]

    async def prepaid(self) -> int:
        return -(await self.desk.balances()).get("prepaid", 0)

    async def booked(self) -> int:
        return int(await self.runtime.system.store.fetchval("SELECT count(*) FROM voucher"))

    async def undo(self, user_id: int, receipt: dict[str, Any]) -> None:
        actor: Actor = await self.desk.actor(user_id)
        await self.runtime.accounts.slips.undo(
            actor, UUID(receipt["voucher_id"]), message_id=RECEIPT_ID
        )


@pytest.fixture
def till(desk: Desk) -> Till:
    return Till(desk)


async def test_one_person_alone_books_nothing_above_the_threshold(till: Till) -> None:
    await till.write(LARGE - 1)
    assert await till.prepaid() == LARGE - 1, "the threshold itself is not above it"
    for minors, kind, by in (
        ((LARGE,), PREPAYMENT, OPERATOR), ((-LARGE - 7,), PREPAYMENT, OPERATOR),
        ((3_000_000, -2_000_001), PREPAYMENT, OPERATOR), ((1, LARGE), PREPAYMENT, OPERATOR),
        ((500_001,), ADJUSTMENT, FINANCE), ((-500_001,), ADJUSTMENT, FINANCE),
    ):  # fmt: skip
        before = len(await till.asked())
        await till.write(*minors, kind=kind, by=by)
        if len(await till.asked()) == before:  # more than was ever advanced is asked about first
            await confirm_slip(till, by)
        assert len(await till.asked()) == before + 1, minors
        assert await till.answer(by) == "second_person_needed"
        assert await till.answer(by) == "second_person_needed", "nor when it is said twice"
        assert await till.answer(SUPPORT) == "not_permitted"
    assert await till.booked() == 1
    assert await till.prepaid() == LARGE - 1


@pytest.mark.parametrize(
    ("kind", "most", "by"), [(PREPAYMENT, LARGE - 1, OPERATOR), (ADJUSTMENT, 500_000, FINANCE)]
)
async def test_several_messages_of_a_day_are_no_way_around_it(
    till: Till, clock: SetClock, kind: Kind, most: int, by: int
) -> None:
    clock.go_to_noon()
    await till.write(most - 10, kind=kind, by=by)
    await till.write(-5, kind=kind, by=by)
    await till.write(5, kind=kind, by=by)
    assert (await till.asked(), await till.booked()) == ([], 3)
    await till.write(1, kind=kind, by=by)
    assert (len(await till.asked()), await till.booked()) == (1, 3), "a second person is asked"
    assert await till.answer(by) == "second_person_needed"
    assert await till.answer(ADMIN) == ""
    assert await till.booked() == 4
    await till.write(2, kind=kind, by=by)
    assert len(await till.asked()) == 2
    await till.write(most, kind=kind, by=ADMIN)
    assert await till.booked() == 5, "it is of each person"
    clock.advance(24 * 3600)
    await till.write(most, kind=kind, by=by)
    assert (len(await till.asked()), await till.booked()) == (2, 6), "and of a day"
    await till.desk.sound()


async def test_many_messages_at_once_are_no_way_around_it(till: Till) -> None:
    await asyncio.gather(*(till.write(2_000_000 + number) for number in range(6)))
    assert await till.prepaid() <= LARGE
    assert (await till.booked(), len(await till.asked())) == (2, 4)


async def test_what_was_undone_was_not_moved(till: Till) -> None:
    await till.write(LARGE - 1)
    (say,) = await till.said("prepaid")
    await till.undo(OPERATOR, say.facts)
    await confirm_slip(till, OPERATOR)  # it moved much
    await till.write(LARGE - 1, by=OPERATOR)
    assert (await till.asked(), await till.prepaid()) == ([], LARGE - 1)


async def confirm_slip(till: Till, user_id: int) -> None:
    """Whoever wrote it says that it is meant."""
    slip = await till.runtime.system.store.fetchval(
        "SELECT id FROM approval WHERE kind = 'slip' ORDER BY created_at DESC, id DESC LIMIT 1"
    )
    assert slip is not None
    actor = await till.desk.actor(user_id)
    await till.runtime.accounts.slips.confirm(actor, slip, message_id=RECEIPT_ID)


async def test_a_second_person_books_the_very_lines_that_were_written(till: Till) -> None:
    message_id = await till.write(LARGE, 200)
    cards = [
        (chat, fact.approval_id)
        for chat in (OPS_CHAT, CHAT)
        for fact in await till.told(chat)
        if isinstance(fact, ApprovalCard)
    ]
    (asked,) = await till.asked()
    assert cards == [(OPS_CHAT, str(asked)), (CHAT, str(asked))]
    assert await till.answer(ADMIN) == ""
    assert await till.prepaid() == LARGE + 200
    (say,) = await till.said("receipt")
    assert say.reply_to == message_id
    for line, minor in ((1, LARGE), (2, 200)):
        told = say.facts["lines"][line - 1]
        assert (told["line"], told["minor"], told["remark"]) == (line, minor, f"remark {line}")
        assert told["approved_by"] == ADMIN
        assert told["approved_by_name"]
    rows = await till.runtime.system.store.fetch(
        "SELECT actor_user_id, chat_id, message_id, approved_by FROM voucher ORDER BY seq"
    )
    assert [tuple(row) for row in rows] == [(OPERATOR, CHAT, message_id, ADMIN)] * 2
    trail = await till.runtime.system.store.fetch(
        "SELECT actor, message_id, facts->'approved_by' AS by FROM audit WHERE action = 'prepaid'"
    )
    assert [tuple(row) for row in trail] == [(f"telegram:{OPERATOR}", message_id, ADMIN)] * 2
    (deed,) = await till.said("deed", OPS_CHAT)
    names = [one["approved_by_name"] for one in deed.facts["deeds"]]
    assert names == [line["approved_by_name"] for line in say.facts["lines"]]
    assert await till.answer(OWNER) == ""  # a second press, and the message again
    await till.write(LARGE, 200, message_id=message_id)
    assert await till.booked() == 2
    assert len(await till.asked()) == 1
    await till.desk.sound()


async def test_what_may_be_a_slip_is_meant_first_and_approved_then(till: Till) -> None:
    await till.write(100)
    message_id = await till.write(100, LARGE)
    assert await till.asked() == []
    await confirm_slip(till, OPERATOR)
    assert len(await till.asked()) == 1
    (said,) = await till.said("slip_confirmed")
    assert said.facts["waits"]
    await confirm_slip(till, OPERATOR)  # the press comes again
    await till.write(100, LARGE, message_id=message_id)
    assert len(await till.asked()) == 1
    assert await till.prepaid() == 100
    assert await till.answer(ADMIN) == ""
    assert await till.prepaid() == 200 + LARGE
    await confirm_slip(till, OPERATOR)
    assert [one.facts["waits"] for one in await till.said("slip_confirmed")] == [True, True, False]
    assert await till.prepaid() == 200 + LARGE


async def test_what_waits_already_is_meant_twice_only_for_who_says_so(till: Till) -> None:
    await till.write(LARGE)
    await till.write(LARGE, by=FINANCE)
    await till.write(LARGE + 5, by=FINANCE)
    assert len(await till.asked()) == 2, "another amount is no repeat"
    said = await till.said("slip_question")
    assert [one.facts["doubts"][0]["code"] for one in said] == ["repeat_waits"]
    await confirm_slip(till, FINANCE)
    assert len(await till.asked()) == 3


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ("UPDATE merchant SET state = 'suspended'", "merchant_changed"),
        ("UPDATE merchant SET credit_line_minor = 5", "merchant_changed"),
        (f"UPDATE person SET denied = '{{prepay}}' WHERE user_id = {OPERATOR}",
         "asker_not_permitted"),
    ],
)  # fmt: skip
async def test_what_changed_since_is_not_approved(till: Till, change: str, code: str) -> None:
    await till.write(LARGE)
    await till.runtime.system.store.execute(change)
    assert await till.answer(ADMIN) == code
    assert await till.booked() == 0
    assert await till.answer(ADMIN, yes=False) == ""
    assert await till.answer(ADMIN) == ""
    assert await till.booked() == 0


async def test_what_is_turned_down_taken_back_or_over_is_not_booked(
    till: Till, clock: SetClock
) -> None:
    down = await till.write(LARGE)
    assert await till.answer(OWNER, yes=False) == ""
    back = await till.write(LARGE + 1)
    assert await till.answer(OPERATOR, yes=False, chat=CHAT) == ""
    over = await till.write(LARGE + 2)
    clock.advance(15 * 60)
    assert await till.answer(ADMIN) == "confirmation_expired"
    for message_id, minor in ((down, LARGE), (back, LARGE + 1), (over, LARGE + 2)):
        await till.write(minor, message_id=message_id)  # delivered again
    assert len(await till.asked()) == 3
    assert await till.booked() == 0


async def test_many_presses_at_once_and_one_that_was_cut_off_book_once(till: Till) -> None:
    await till.write(LARGE, 7)
    (asked,) = await till.asked()
    store = till.runtime.system.store
    actor = await till.desk.actor(ADMIN, OPS_CHAT)
    found = await till.runtime.people.approvals.cards.of(asked)

    async def killed(*_: object) -> None:
        async with store.transaction() as tx:
            await till.runtime.people.approvals.answer(tx, actor, found, yes=True)
            raise Bug("killed before it is booked")

    with pytest.raises(Bug):
        await killed()
    assert await till.booked() == 0
    codes = await asyncio.gather(*(till.answer(by) for by in (ADMIN, OWNER, FINANCE) * 3))
    assert set(codes) <= {"", "confirmation_expired"}
    assert codes.count("") >= 1
    assert await till.booked() == 2
    assert await till.prepaid() == LARGE + 7
    await till.desk.sound()


async def test_one_person_undoes_it_and_ops_is_told(till: Till) -> None:
    await till.write(LARGE)
    await till.answer(ADMIN)
    (say,) = await till.said("prepaid")
    await till.undo(OPERATOR, say.facts)
    await confirm_slip(till, OPERATOR)  # it moved much
    assert await till.prepaid() == 0
    deeds = await till.said("deed", OPS_CHAT)
    assert [one.facts["deeds"][0]["what"] for one in deeds] == ["prepaid", "prepaid_undone"]


async def test_no_door_of_the_district_books_it_alone(till: Till) -> None:
    actor, merchant = await till.desk.actor(FINANCE), till.desk.merchant
    with pytest.raises(Refusal) as refused:
        await till.runtime.accounts.prepayments.record(
            actor, merchant, Advance(Money(LARGE, "CNY"), ""), Cause(CHAT, 1, 1)
        )
    assert refused.value.code == "second_person_needed"
    await set_setting(till.runtime, "prepay_second", None)
    await till.write(LARGE)
    assert await till.prepaid() == LARGE


async def test_a_persons_day_has_a_cap_of_each_kind(till: Till, clock: SetClock) -> None:
    clock.go_to_noon()
    await set_setting(till.runtime, "prepay_daily", 1000)
    await set_setting(till.runtime, "adjust_daily", 10)
    await till.write(70_000)
    await till.write(-20_000)  # counts by its size
    with pytest.raises(Refusal) as refused:
        await till.write(9_000, 1_001)
    assert refused.value.code == "daily_cap"
    assert refused.value.facts["left"] == "100.00 CNY"
    assert await till.prepaid() == 50_000
    await till.write(9_000, 1_000)
    await till.write(10_000, by=FINANCE)
    await till.write(1_000, kind=ADJUSTMENT, by=FINANCE)
    for minor, kind in ((1, ADJUSTMENT), (90_001, PREPAYMENT)):
        with pytest.raises(Refusal):
            await till.write(minor, kind=kind, by=FINANCE)
    clock.advance(24 * 3600)
    await till.write(100_000)


async def test_what_was_undone_leaves_its_room_to_others(till: Till) -> None:
    await set_setting(till.runtime, "prepay_daily", 1000)
    await till.write(100_000)
    (say,) = await till.said("prepaid")
    with pytest.raises(Refusal):
        await till.write(1)
    await till.undo(OPERATOR, say.facts)
    await till.write(100_000)
    assert await till.prepaid() == 100_000


async def test_many_at_once_stay_within_the_cap(till: Till, neighbour: Desk) -> None:
    """Also where they are of several merchants."""
    await set_setting(till.runtime, "prepay_daily", 1000)
    merchants = (till.desk.merchant, neighbour.merchant)
    actor = await till.desk.actor(OPERATOR, OPS_CHAT)

    async def write(number: int) -> str:
        advance = Advance(Money(30_000 + number, "CNY"), "")
        line = Written(1, PREPAYMENT, merchants[number % 2], advance)
        try:
            await till.runtime.accounts.slips.record(actor, [line], 1000 + number)
        except Refusal as refusal:
            return refusal.code
        return ""

    codes = await asyncio.gather(*(write(number) for number in range(8)))
    assert sorted(codes) == [""] * 3 + ["daily_cap"] * 5
    assert await till.booked() == 3


async def test_the_cap_is_the_askers_when_it_is_approved(till: Till) -> None:
    await set_setting(till.runtime, "prepay_daily", 80_000)
    await till.write(LARGE)
    await till.write(4_000_000)
    assert await till.answer(ADMIN) == "daily_cap"
    await set_setting(till.runtime, "prepay_daily", 100_000)
    assert await till.answer(ADMIN) == ""
    assert await till.prepaid() == LARGE + 4_000_000
