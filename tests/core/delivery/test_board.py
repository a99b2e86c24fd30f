"""What is posted: found again, drawn anew when its state changes, replaced and let go of."""

from __future__ import annotations

from datetime import date, datetime
from uuid import UUID

import pytest

from core.delivery.board import (
    ALARM_REST,
    BILL_REST,
    PLATFORM_BILL_REST,
    Board,
    CardPost,
    LiveBill,
    Subject,
)
from core.delivery.outbox import AlarmCard, Bill, Card, DeskBill, Fact, Pin, Say, Stored, Unpin
from core.delivery.outbox.facts import unpack
from core.kernel.holder import HOUSE
from core.runtime import Runtime
from core.system.store import Tx
from tests.core.support import SetClock

ONE, TWO = -1, -2
SHOP, OTHER, SUPPLIER, ORDER, ALARM = (UUID(int=n) for n in (11, 12, 13, 21, 31))
DAYS = (date(2026, 11, 20), date(2026, 11, 21))
CARD = Subject.card(SHOP, ORDER)


@pytest.fixture
async def board(runtime: Runtime) -> Board:
    await runtime.system.store.execute("DELETE FROM outbox")
    await runtime.system.store.execute("DELETE FROM post")
    return runtime.delivery.board


async def waiting(runtime: Runtime, chat_id: int) -> dict[str | None, tuple[Fact, datetime]]:
    """key -> what waits in a chat, and from when on."""
    rows = await runtime.system.store.fetch(
        "SELECT topic, facts, dedupe_key, due_at FROM outbox WHERE chat_id = $1 ORDER BY id",
        chat_id,
    )
    return {r["dedupe_key"]: (unpack(r["topic"], r["facts"]), r["due_at"]) for r in rows}


async def facts(runtime: Runtime, chat_id: int) -> list[Fact]:
    return [fact for fact, _ in (await waiting(runtime, chat_id)).values()]


async def two_bills(board: Board, chat_id: int = ONE, merchant_id: UUID = SHOP) -> None:
    """Messages 8 and 9 are the live bills of two days."""
    for message_id, day in zip((8, 9), DAYS, strict=True):
        await board.posts.posted(chat_id, message_id, Subject.live_bill(merchant_id, day), "d")


async def test_a_message_is_found_by_what_it_is_about_and_by_its_number(board: Board) -> None:
    posts = board.posts
    assert await posts.find(ONE, CARD) is None
    await posts.posted(ONE, 5, CARD, "a")
    await posts.posted(ONE, 7, CARD, "b")
    await posts.posted(ONE, 7, Subject.alarm(ALARM), "written twice")
    found = await posts.find(ONE, CARD)
    assert found is not None
    assert (found.message_id, found.subject, found.digest) == (7, CARD, "b")
    assert found == await posts.get(ONE, 7)
    former = await posts.get(ONE, 5)
    assert former is not None
    assert (former.newest, found.newest) == (False, True)
    for nothing in (
        posts.get(TWO, 7), posts.get(ONE, 6), posts.find(TWO, CARD),
        posts.find(ONE, Subject.card(OTHER, ORDER)), posts.find(ONE, Subject.alarm(ALARM)),
    ):  # fmt: skip
        assert await nothing is None


async def test_it_is_known_what_a_message_shows_since_when_and_whether_it_is_there(
    board: Board, clock: SetClock
) -> None:
    posts = board.posts
    await posts.posted(ONE, 5, CARD, "a")
    before = await posts.get(ONE, 5)
    clock.advance(10)
    await posts.shown(ONE, 5, "b")
    await posts.pinned(ONE, 5, is_pinned=True)
    after = await posts.get(ONE, 5)
    assert before is not None
    assert after is not None
    assert (before.digest, before.pinned, after.digest, after.pinned) == ("a", False, "b", True)
    assert (after.shown_at - before.shown_at).total_seconds() >= 10
    await posts.forget(ONE, 5)
    assert await posts.get(ONE, 5) is None
    assert await posts.strangers(ONE, 4, 6) == [5]


async def test_what_is_posted_is_no_stranger(board: Board) -> None:
    await board.posts.posted(ONE, 5, CARD, "a")
    assert await board.posts.strangers(ONE, 3, 7) == [4, 6]


async def show(board: Board, tx: Tx, *chat_ids: int) -> None:
    """A bill in each chat, and message 5 of the first, which is a card."""
    await board.show_cards(tx, [CardPost(chat_ids[0], 5, SHOP, ORDER)])
    await board.show_bills(tx, [LiveBill("merchant", SHOP, chat_id) for chat_id in chat_ids])


async def test_bills_are_edited_where_the_merchant_is_and_rest_between_edits(
    board: Board, runtime: Runtime, clock: SetClock
) -> None:
    await two_bills(board)
    posted_at = clock.now()
    for _ in range(2):  # news gathers
        async with runtime.system.store.transaction() as tx:
            await show(board, tx, ONE, TWO)
    here, there = await waiting(runtime, ONE), await waiting(runtime, TWO)
    assert {key: fact for key, (fact, _) in here.items()} == {
        f"card:{ONE}:5": Card(str(SHOP), str(ORDER), edit_message_id=5),
        f"bill:{ONE}": Bill(str(SHOP)),
    }
    assert {key: fact for key, (fact, _) in there.items()} == {f"bill:{TWO}": Bill(str(SHOP))}
    rest = here[f"bill:{ONE}"][1] - posted_at
    assert 0 < (BILL_REST - rest).total_seconds() < 1, "it was edited a moment ago"
    assert (there[f"bill:{TWO}"][1] - posted_at).total_seconds() < 1, "nothing is there to rest"


async def test_an_alarm_is_posted_once_in_each_chat_and_rests_between_edits(
    board: Board, runtime: Runtime, clock: SetClock
) -> None:
    await board.posts.posted(ONE, 5, Subject.alarm(ALARM), "a")
    posted_at = clock.now()
    async with runtime.system.store.transaction() as tx:
        await board.show_alarm(tx, ALARM, [ONE, TWO])
    ((here, here_at),) = (await waiting(runtime, ONE)).values()
    ((there, there_at),) = (await waiting(runtime, TWO)).values()
    assert (here, there) == (AlarmCard(str(ALARM), posted=True), AlarmCard(str(ALARM)))
    assert 0 < (ALARM_REST - (here_at - posted_at)).total_seconds() < 1
    assert (there_at - posted_at).total_seconds() < 1


async def test_a_new_days_bill_takes_the_pin_and_the_former_closes(
    board: Board, runtime: Runtime
) -> None:
    await board.posts.posted(ONE, 8, Subject.live_bill(SHOP, DAYS[0]), "d")
    await board.replace_bill(LiveBill("merchant", SHOP, ONE), DAYS[0])
    assert await facts(runtime, ONE) == [Pin(8)], "there is none before it"
    await board.posts.pinned(ONE, 8, is_pinned=True)
    await runtime.system.store.execute("DELETE FROM outbox")
    await board.posts.posted(ONE, 9, Subject.live_bill(SHOP, DAYS[1]), "d")
    await board.replace_bill(LiveBill("merchant", SHOP, ONE), DAYS[1])
    day = DAYS[0].isoformat()
    closed = Bill(str(SHOP), day, day, edit_message_id=8)
    assert await facts(runtime, ONE) == [closed, Pin(9), Unpin(8)]


@pytest.mark.parametrize("holder_id", [SUPPLIER, HOUSE])
async def test_a_bill_of_the_desk_closes_when_the_next_one_is_there_and_with_its_day(
    board: Board, runtime: Runtime, holder_id: UUID
) -> None:
    bill = LiveBill.of_desk(holder_id, ONE)
    supplier_id = None if holder_id == HOUSE else str(holder_id)
    day = DAYS[0].isoformat()
    closed = DeskBill(day, day, supplier_id, edit_message_id=8)
    await two_bills(board, ONE, holder_id)
    await board.replace_bill(bill, DAYS[1])
    assert await facts(runtime, ONE) == [closed, Pin(9)]
    await runtime.system.store.execute("DELETE FROM outbox")
    async with runtime.system.store.transaction() as tx:
        assert await board.close_bill(tx, bill, DAYS[0])
        assert not await board.close_bill(tx, LiveBill.of_desk(holder_id, TWO), DAYS[0])
        assert not await board.close_bill(tx, LiveBill.of_desk(OTHER, ONE), DAYS[0])
    assert await facts(runtime, ONE) == [closed], "all that was booked in it is there by now"
    assert await facts(runtime, TWO) == []


async def test_the_platforms_bill_rests_longer_than_others(
    board: Board, runtime: Runtime, clock: SetClock
) -> None:
    bills = [LiveBill.of_desk(HOUSE, ONE), LiveBill.of_desk(SUPPLIER, TWO)]
    for bill in bills:
        await two_bills(board, bill.chat_id, bill.holder_id)
    posted_at = clock.now()
    async with runtime.system.store.transaction() as tx:
        await board.show_bills(tx, bills)
    for bill, rest in zip(bills, (PLATFORM_BILL_REST, BILL_REST), strict=True):
        ((fact, due_at),) = (await waiting(runtime, bill.chat_id)).values()
        assert fact == bill.fact()
        assert 0 < (rest - (due_at - posted_at)).total_seconds() < 1


async def test_where_no_ops_group_is_any_more_the_bill_ends_and_alarms_are_still_known(
    board: Board, runtime: Runtime
) -> None:
    store = runtime.system.store
    await two_bills(board, ONE, HOUSE)
    await board.posts.posted(ONE, 5, Subject.alarm(ALARM), "a")
    async with store.transaction() as tx:
        await board.show_bills(tx, [LiveBill.of_desk(HOUSE, ONE)])
        assert await board.end(tx, ONE, HOUSE) == (9, DAYS[1].isoformat())
    assert await facts(runtime, ONE) == [Unpin(9)]
    assert await board.posts.get(ONE, 9) is None
    assert await board.posts.find(ONE, Subject.alarm(ALARM)) is not None


async def test_of_each_merchant_the_newest_bill_is_pinned(board: Board, runtime: Runtime) -> None:
    await two_bills(board)
    await board.posts.posted(ONE, 5, Subject.live_bill(OTHER, DAYS[0]), "d")
    await board.posts.pinned(ONE, 9, is_pinned=True)
    await board.set_pins(runtime.system.store, ONE)
    assert await facts(runtime, ONE) == [Pin(5)]


async def test_a_merchant_that_leaves_takes_what_waits_and_the_last_bill_is_named(
    board: Board, runtime: Runtime
) -> None:
    store = runtime.system.store
    await two_bills(board)
    await two_bills(board, TWO)
    await board.posts.posted(ONE, 5, CARD, "a")
    await board.posts.posted(ONE, 4, Subject.card(OTHER, ORDER), "a")
    outbox, said = runtime.delivery.outbox, Say(Stored("usage", {"command": "x"}))
    await outbox.say(store, ONE, said, merchant_id=SHOP)
    async with store.transaction() as tx:
        await show(board, tx, ONE, TWO)
        assert await board.end(tx, ONE, SHOP) == (9, DAYS[1].isoformat())
        assert await board.end(tx, ONE, UUID(int=99)) is None
    assert await facts(runtime, ONE) == [said, Unpin(9)]
    assert await facts(runtime, TWO) == [Bill(str(SHOP))]
    assert await board.posts.get(ONE, 5) is None
    assert await board.posts.get(ONE, 4) is not None
    assert await board.posts.get(TWO, 9) is not None


async def test_where_a_group_moves_to_nothing_is_edited(board: Board, runtime: Runtime) -> None:
    store = runtime.system.store
    await two_bills(board)
    await board.posts.posted(ONE, 5, CARD, "a")
    said = Say(Stored("usage", {"command": "x"}), reply_to=3)
    await runtime.delivery.outbox.say(store, ONE, said)
    async with store.transaction() as tx:
        await show(board, tx, ONE)
        await board.move(tx, ONE, TWO)
    assert await facts(runtime, ONE) == []
    assert await facts(runtime, TWO) == [Say(Stored("usage", {"command": "x"}))]
    assert await store.fetchval("SELECT count(*) FROM post") == 0
