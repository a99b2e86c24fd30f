"""Groups have one kind, show what changes, and keep everything when Telegram moves them."""

from __future__ import annotations

import asyncio
from contextvars import Context
from decimal import Decimal
from functools import partial
from random import Random
from uuid import UUID

import pytest

from core.delivery.audit import Audit
from core.delivery.outbox import Bill, Card, Pin, Say, Stored, TakeAway, Twins, Unpin
from core.kernel.errors import Refusal
from core.runtime import Runtime
from core.system.store import Queries
from core.trade.orders import find_for
from tests.core.support import CHAT, NORTHWIND_CHAT, OPERATOR, OPS_CHAT, Desk, facts
from tests.demo import eventually
from tests.sizes import size

FRESH, NEW = -1002000000301, -1003000000001
A, B, C = -901, -1003000000902, -1003000000903
_WAITING = "SELECT count(*) FROM outbox WHERE chat_id = $1 AND state = 'waiting'"


async def test_a_group_has_one_kind(runtime: Runtime) -> None:
    merchant = await runtime.parties.merchants.by_no("M1001")
    supplier = await runtime.parties.suppliers.by_no("s01")
    groups = runtime.people.groups
    async with runtime.system.store.transaction() as tx:
        assert await groups.bind_merchant(tx, FRESH, merchant.id)
        assert not await groups.bind_merchant(tx, FRESH, merchant.id)
        assert set(await groups.of_holder(tx, merchant.id)) == {CHAT, FRESH}
        for attempt in (
            partial(groups.bind_supplier, tx, FRESH, supplier.id),
            partial(groups.bind_ops, tx, FRESH),
        ):
            with pytest.raises(Refusal) as error:
                await attempt()
            assert (error.value.code, error.value.facts["kind"]) == (
                "group_is_other_kind",
                "merchant",
            )
        await groups.unbind(tx, FRESH)
        assert await groups.bind_supplier(tx, FRESH, supplier.id)
    found = await groups.find(FRESH)
    assert found is not None
    assert (found.kind, found.merchant_ids, found.supplier_ids) == ("supplier", (), (supplier.id,))
    assert await groups.ops(runtime.system.store) == [OPS_CHAT]


async def test_a_new_chat_is_seen_once(runtime: Runtime) -> None:
    for expected in (True, False):
        new = await runtime.people.groups.seen(
            NEW, chat_type="group", title="新群", bot_status="member"
        )
        assert new == expected
    await runtime.people.groups.set_language(NEW, "en")
    found = await runtime.people.groups.find(NEW)
    assert found is not None
    assert (found.kind, found.title, found.language) == ("unbound", "新群", "en")
    assert await runtime.people.groups.find(NEW - 1) is None


async def role_in(runtime: Runtime, chat_id: int, user_id: int) -> str | None:
    """What somebody is in a chat, as one of the other side."""
    return (await runtime.people.access.actor(user_id, "x", chat_id, private=False)).role


async def test_a_group_that_moves_takes_everything_along(runtime: Runtime) -> None:
    merchant = await runtime.parties.merchants.by_no("M1001")
    await runtime.people.groups.add_staff(CHAT, 555, "merchant_staff", merchant.id)
    await runtime.people.groups.set_language(CHAT, "en")
    before = await runtime.people.groups.find(CHAT)
    for _ in range(2):
        await runtime.people.groups.moved(CHAT, NEW)
    after = await runtime.people.groups.find(NEW)
    assert before is not None
    assert after is not None
    assert (after.kind, after.merchant_ids) == ("merchant", before.merchant_ids)
    assert (after.language, after.title) == ("en", before.title)
    assert await runtime.system.store.fetchval(_WAITING, CHAT) == 0
    assert await facts(runtime, NEW) == [Bill(merchant_id=str(before.merchant_ids[0]))]
    assert await runtime.people.groups.of_holder(runtime.system.store, merchant.id) == [NEW]
    for chat_id in (CHAT, NEW):
        assert await role_in(runtime, chat_id, 555) == "merchant_staff"


# What may be told of two moves, A to B and B to C, in any order and again, with what else Telegram
# says of chats that are over.
MOVES: tuple[tuple[int, int], ...] = ((A, B), (B, C), (A, C))


async def test_the_old_id_goes_on_pointing_to_the_group(runtime: Runtime) -> None:
    merchant = await runtime.parties.merchants.by_no("M1001")
    for seed in range(size(8, 200)):
        random = Random(seed)
        told: list[tuple[int, int] | str] = random.choices(
            [*MOVES, "gone", "back"], k=random.randrange(8)
        )
        await _begin_anew(runtime, merchant.id)
        for one in (*told, *random.sample(MOVES[:2], 2)):
            await _hear(runtime, one)
            found = await runtime.people.groups.find(A)
            assert found is not None, seed
            assert found.merchant_ids == (merchant.id,), f"a line of A is not booked: {seed}"
            listed = await runtime.people.groups.of_holder(runtime.system.store, merchant.id)
            assert listed == [found.chat_id], seed
        for chat_id in (A, B, C):
            found = await runtime.people.groups.find(chat_id)
            assert found is not None, seed
            assert (found.chat_id, found.kind) == (C, "merchant"), seed
            assert await role_in(runtime, chat_id, 555) == "merchant_staff", seed


async def _hear(runtime: Runtime, one: tuple[int, int] | str) -> None:
    if isinstance(one, tuple):
        await runtime.people.groups.moved(*one, title="group")
        return
    status = "member" if one == "back" else "left"
    for chat_id in (A, B):
        if await _has_moved(runtime, chat_id):
            await runtime.people.groups.seen(
                chat_id, chat_type="group", title="?", bot_status=status
            )


async def _begin_anew(runtime: Runtime, merchant_id: UUID) -> None:
    for table in ("binding", "chat_group"):
        await runtime.system.store.execute(
            f"DELETE FROM {table} WHERE chat_id = ANY($1)", [A, B, C]
        )
    await runtime.system.store.execute("DELETE FROM binding WHERE merchant_id = $1", merchant_id)
    await runtime.people.groups.seen(A, chat_type="group", title="group", bot_status="member")
    async with runtime.system.store.transaction() as tx:
        await runtime.people.groups.bind_merchant(tx, A, merchant_id)
    await runtime.people.groups.add_staff(A, 555, "merchant_staff", merchant_id)


async def _has_moved(runtime: Runtime, chat_id: int) -> bool:
    found = await runtime.people.groups.find(chat_id)
    return found is not None and found.chat_id != chat_id


async def test_nobody_sees_what_is_not_theirs_whatever_is_bound_and_taken_off(
    runtime: Runtime,
) -> None:
    """People of a merchant see that one, for as long as the binding lasts to which they came."""
    groups = runtime.people.groups
    ids = [(await runtime.parties.merchants.by_no(no)).id for no in ("M1001", "M1002")]
    people = (555, 556, 557)
    await groups.seen(A, chat_type="group", title="group", bot_status="member")
    for seed in range(size(5, 100)):
        random = Random(seed)
        async with runtime.system.store.transaction() as tx:
            await groups.unbind(tx, A)
        theirs: dict[UUID, set[int]] = {}
        for _ in range(12):
            holder_id, user_id = random.choice(ids), random.choice(people)
            match random.choice(("bind", "staff", "staff", "unbind", "all")):
                case "bind":
                    async with runtime.system.store.transaction() as tx:
                        new = await groups.bind_merchant(tx, A, holder_id)
                    assert new == (holder_id not in theirs)
                    theirs.setdefault(holder_id, set())
                case "staff" if holder_id in theirs:
                    await groups.add_staff(A, user_id, "merchant_staff", holder_id)
                    theirs[holder_id].add(user_id)
                case "staff":
                    with pytest.raises(Refusal):
                        await groups.add_staff(A, user_id, "merchant_staff", holder_id)
                case "unbind":
                    async with runtime.system.store.transaction() as tx:
                        gone = await groups.unbind(tx, A, holder_id)
                    assert gone == (theirs.pop(holder_id, None) is not None)
                case _:
                    async with runtime.system.store.transaction() as tx:
                        await groups.unbind(tx, A)
                    theirs.clear()
            for user in people:
                actor = await runtime.people.access.actor(user, "x", A, private=False)
                own = {one for one, staff in theirs.items() if user in staff}
                assert set(actor.merchant_ids or ()) == own, seed
                assert actor.known == bool(own), seed


async def test_what_is_set_in_the_old_chat_is_set_in_the_group(runtime: Runtime) -> None:
    """It was said before the move and is acted on after it."""
    groups = runtime.people.groups
    first, second = [await runtime.parties.merchants.by_no(no) for no in ("M1001", "M1002")]
    await groups.moved(CHAT, NEW)
    async with runtime.system.store.transaction() as tx:
        assert await groups.bind_merchant(tx, CHAT, second.id)
        assert await groups.set_usdt_rate(tx, CHAT, Decimal("7.2")) is None
    await groups.set_language(CHAT, "en")
    found = await groups.find(NEW)
    assert found is not None
    assert found.merchant_ids == (first.id, second.id)
    assert (found.usdt_rate, found.language) == (Decimal("7.2"), "en")
    async with runtime.system.store.transaction() as tx:
        assert await groups.unbind(tx, CHAT)
    found = await groups.find(CHAT)
    assert found is not None
    assert (found.chat_id, found.kind) == (NEW, "unbound")


async def test_a_group_is_its_merchants_at_every_moment_of_its_move(runtime: Runtime) -> None:
    """What somebody says in that moment is obeyed or refused, and never taken for talk."""
    groups, store = runtime.people.groups, runtime.system.store
    merchant = await runtime.parties.merchants.by_no("M1001")

    async def ask_until(moved: asyncio.Event, old: int) -> None:
        while not moved.is_set():
            group = await groups.find(old)
            assert group is not None
            assert group.merchant_ids == (merchant.id,), "for a moment it was nobody's"
            actor = await runtime.people.access.actor(555, "", old, private=False)
            assert actor.role == "merchant_staff", "a stranger for a moment"
            assert actor.merchant_ids == (merchant.id,)

    for number in range(size(day=40, night=600)):
        old, new, moved = -5_000_001 - number, -1_005_000_000_001 - number, asyncio.Event()
        await groups.seen(old, chat_type="group", title="旧群", bot_status="member")
        async with store.transaction() as tx:
            await groups.bind_merchant(tx, old, merchant.id)
        await groups.add_staff(old, 555, "merchant_staff", merchant.id)
        async with asyncio.TaskGroup() as both:
            askers = [both.create_task(ask_until(moved, old)) for _ in range(3)]
            await groups.moved(old, new)
            moved.set()
            await asyncio.gather(*askers)
        assert await groups.find(old) == await groups.find(new)


async def test_a_move_that_is_told_again_changes_nothing(runtime: Runtime) -> None:
    """Whatever was seen of the old chat meanwhile, and whatever people made of the new one."""
    await runtime.people.groups.moved(CHAT, NEW)
    await runtime.people.groups.seen(CHAT, chat_type="group", title="旧群", bot_status="left")
    async with runtime.system.store.transaction() as tx:
        await runtime.people.groups.unbind(tx, NEW)
        await runtime.people.groups.bind_ops(tx, NEW)
    await runtime.people.groups.moved(CHAT, NEW)
    after = await runtime.people.groups.find(NEW)
    assert after is not None
    assert (after.kind, after.merchant_ids) == ("ops", ())


async def test_a_group_moves_into_one_that_is_bound_already(runtime: Runtime) -> None:
    first, second = [await runtime.parties.merchants.by_no(no) for no in ("M1001", "M1002")]
    groups = runtime.people.groups
    await groups.seen(NEW, chat_type="supergroup", title="新群", bot_status="member")
    async with runtime.system.store.transaction() as tx:
        for merchant in (second, first):
            await groups.bind_merchant(tx, NEW, merchant.id)
        await groups.bind_merchant(tx, CHAT, second.id)
    for chat_id, no in ((CHAT, first), (CHAT, second), (NEW, second)):
        await runtime.system.store.execute(
            "INSERT INTO payout_address (binding_id, network, address, set_by, set_by_name, set_at)"
            " SELECT id, 'trc20', $3, 1, 'x', now() FROM binding"
            " WHERE chat_id = $1 AND merchant_id = $2",
            chat_id, no.id, f"T{chat_id}",
        )  # fmt: skip
    for chat_id in (CHAT, NEW):
        await groups.add_staff(chat_id, 555, "merchant_staff", first.id)
    await groups.add_staff(CHAT, 556, "merchant_staff", first.id)
    await groups.moved(CHAT, NEW)
    after = await groups.find(NEW)
    assert after is not None
    assert (after.kind, after.merchant_ids) == ("merchant", (second.id, first.id))
    assert after.title == "新群"
    assert await role_in(runtime, NEW, 556) == "merchant_staff"
    addresses = await runtime.system.store.fetch(
        "SELECT b.chat_id, b.merchant_id, a.address FROM payout_address a"
        " JOIN binding b ON b.id = a.binding_id"
    )
    assert {(row["chat_id"], row["merchant_id"], row["address"]) for row in addresses} == {
        (NEW, first.id, f"T{CHAT}"), (NEW, second.id, f"T{NEW}"),
    }  # fmt: skip
    assert (
        await runtime.system.store.fetchval("SELECT count(*) FROM binding WHERE chat_id = $1", CHAT)
        == 0
    )


async def test_a_group_of_another_kind_takes_no_merchant_in(runtime: Runtime) -> None:
    groups = runtime.people.groups
    merchant = await runtime.parties.merchants.by_no("M1001")
    await groups.add_staff(CHAT, 555, "merchant_staff", merchant.id)
    await groups.seen(NEW, chat_type="supergroup", title="新群", bot_status="member")
    supplier = await runtime.parties.suppliers.by_no("S01")
    async with runtime.system.store.transaction() as tx:
        await groups.bind_supplier(tx, NEW, supplier.id)
    await groups.moved(CHAT, NEW)
    after = await groups.find(NEW)
    assert after is not None
    assert (after.kind, after.merchant_ids) == ("supplier", ())
    assert after.supplier_ids == (supplier.id,)
    assert await role_in(runtime, NEW, 555) is None


async def test_messages_of_the_old_chat_are_not_looked_for_in_the_new_one(desk: Desk) -> None:
    """Telegram numbers messages anew: an edit or a reply would hit somebody else's message."""
    opened = await desk.open()
    merchant_id, order_id = str(desk.merchant.id), str(opened.order.id)
    runtime, store = desk.runtime, desk.runtime.system.store
    await facts(runtime, CHAT)
    for kind, message_id, ref in (("card", 9, order_id), ("bill", 10, "2026-01-01")):
        await store.execute(
            "INSERT INTO post (chat_id, message_id, kind, ref, holder_id, digest, shown_at)"
            " VALUES ($1, $2, $3, $4, $5, 'd', now())",
            CHAT,
            message_id,
            kind,
            ref,
            desk.merchant.id,
        )
    waiting = (
        Card(merchant_id, order_id, edit_message_id=9),
        Say(Stored("usage", {"command": "x"}), edit_message_id=11),
        Say(Stored("usage", {"command": "y"}), reply_to=12),
        Card(merchant_id, order_id, reply_to=13),
        Bill(merchant_id, "2026-01-01", reply_to=14),
        Bill(merchant_id, "2026-01-01", edit_message_id=10),
        TakeAway(15),
        Twins(after=15, before=17),
        Pin(10),
        Unpin(10),
    )
    for fact in waiting:
        await runtime.delivery.outbox.say(store, CHAT, fact)
    await runtime.people.groups.moved(CHAT, NEW)
    assert await store.fetchval("SELECT count(*) FROM post") == 0
    assert await store.fetchval(_WAITING, CHAT) == 0
    assert await facts(runtime, NEW) == [
        Say(Stored("usage", {"command": "y"})),
        Card(merchant_id, order_id),
        Bill(merchant_id),
    ]


async def test_what_changes_is_shown_where_it_is_known(desk: Desk) -> None:
    """A look-up's card is edited by every change after it; the bill by every change of money."""
    opened = await desk.open()
    await facts(desk.runtime, CHAT)
    here = await desk.actor()
    found = await desk.runtime.trade.lookups.find(here, [opened.order.order_no])
    await desk.runtime.trade.lookups.show(here, found[opened.order.order_no], reply_to=5)
    (card,) = await facts(desk.runtime, CHAT)
    order_id, merchant_id = str(opened.order.id), str(desk.merchant.id)
    assert card == Card(merchant_id, order_id, reply_to=5)
    await desk.runtime.system.store.execute(
        "INSERT INTO post (chat_id, message_id, kind, ref, holder_id, digest, shown_at)"
        " VALUES ($1, 9, 'card', $2, $3, 'd', now())",
        CHAT,
        order_id,
        desk.merchant.id,
    )
    await desk.see(opened, 10000)
    await desk.runtime.reports.changes.show()
    changes = await facts(desk.runtime, CHAT)
    assert Card(merchant_id, order_id, edit_message_id=9) in changes
    assert Bill(merchant_id=merchant_id) in changes
    elsewhere = await facts(desk.runtime, NORTHWIND_CHAT)
    assert not any(isinstance(fact, Card) for fact in elsewhere)


@pytest.mark.parametrize("what", ["unbound", "moved"])
async def test_an_order_that_changes_and_a_binding_that_ends_wait_for_each_other_in_one_order(
    desk: Desk, what: str
) -> None:
    runtime, merchant_id = desk.runtime, desk.merchant.id
    groups, outbox, store = runtime.people.groups, runtime.delivery.outbox, runtime.system.store
    order_id = UUID(int=7)

    async def show(tx: Queries, message_id: int) -> None:
        card = Card(str(merchant_id), str(order_id), edit_message_id=message_id)
        key = f"card:{CHAT}:{message_id}"
        await outbox.say(tx, CHAT, card, merchant_id=merchant_id, dedupe_key=key)

    async def end() -> None:
        if what == "moved":
            await groups.moved(CHAT, -1000000000777)
            return
        async with store.transaction() as tx:
            await groups.unbind(tx, CHAT, merchant_id)

    async def waiting() -> bool:
        return bool(
            await store.fetchval(
                "SELECT EXISTS (SELECT FROM pg_stat_activity"
                " WHERE datname = current_database() AND wait_event_type = 'Lock')"
            )
        )

    for message_id in (6, 5):
        await show(store, message_id)
    async with store.transaction() as tx:
        await show(tx, 5)
        ending = asyncio.create_task(end(), context=Context())
        waits = asyncio.create_task(eventually(waiting, what="it waits"), context=Context())
        await waits
        await show(tx, 6)
    await ending


async def test_lookups_find_what_the_chat_may_see(desk: Desk) -> None:
    opened = await desk.open()
    assert opened.attempt is not None
    store, lookups, here = desk.runtime.system.store, desk.runtime.trade.lookups, await desk.actor()
    for number in (
        opened.order.order_no,
        opened.order.order_no.lower(),
        opened.order.merchant_order_no,
        opened.attempt.attempt_no,
    ):
        assert (await find_for(store, here, number)).id == opened.order.id
        elsewhere = await desk.actor(OPERATOR, NORTHWIND_CHAT)
        with pytest.raises(Refusal) as error:
            await find_for(store, elsewhere, number)
        assert error.value.code == "order_not_found"
    assert await lookups.find(here, ["12345678", opened.order.order_no[:-1] + "?"]) == {}
    stranger = await desk.actor(424242)
    with pytest.raises(Refusal) as error:
        await lookups.find(stranger, ["12345678"])
    assert error.value.code == "not_permitted"
    with pytest.raises(Refusal) as error:
        await find_for(store, stranger, opened.order.order_no)
    assert error.value.code == "not_permitted"


async def test_the_trail_keeps_who_where_what(runtime: Runtime) -> None:
    audit: Audit = runtime.delivery.audit
    for _ in range(2):
        await audit.record(
            runtime.system.store,
            "bind",
            actor="telegram:1004",
            facts={"群": 1},
            chat_id=CHAT,
            message_id=3,
        )
    rows = await runtime.system.store.fetch("SELECT * FROM audit ORDER BY id")
    assert [(r["action"], r["actor"], r["facts"], r["chat_id"]) for r in rows] == [
        ("bind", "telegram:1004", {"群": 1}, CHAT)
    ] * 2
    assert {len(r["hash"]) for r in rows} == {32}
    assert rows[0]["hash"] != rows[1]["hash"]
