"""Colleagues: nobody gives what they lack, an owner remains, and money takes two people."""

from __future__ import annotations

import asyncio
from datetime import datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.kernel.errors import Refusal
from core.people.actors import Actor
from core.people.approvals import ALONE_AFTER, LAST_AFTER, alone_from
from core.people.people import (
    RIGHTS,
    RIGHTS_GIVEN_BY_TWO,
    STAFF_ROLES,
    Change,
    Person,
    Standing,
    What,
)
from core.people.staff import Outcome, Staff, need_may_change, seen
from core.people.staff.rules import takes_two
from core.runtime import Runtime
from tests.core.support import ADMIN, FINANCE, OPERATOR, OPS_CHAT, OWNER, SUPPORT, Desk, SetClock

BEN, PASSWORD = 880_001, "correct horse battery"
_messages = iter(range(10_000, 99_999))

standings = st.builds(
    lambda role, changes: _made(Standing(role), changes),
    st.sampled_from(STAFF_ROLES),
    st.lists(st.tuples(st.sampled_from(("allow", "deny")), st.sampled_from(sorted(RIGHTS)))),
)
whats: st.SearchStrategy[What] = st.sampled_from(("role", "allow", "deny", "leave"))


def _made(standing: Standing, changes: list[tuple[What, str]]) -> Standing:
    for what, right in changes:
        standing = standing.after(Change(what, right))
    return standing


def changes() -> st.SearchStrategy[Change]:
    return st.one_of(
        st.sampled_from(STAFF_ROLES).map(lambda role: Change("role", role)),
        st.sampled_from(sorted(RIGHTS)).map(lambda right: Change("allow", right)),
        st.sampled_from(sorted(RIGHTS)).map(lambda right: Change("deny", right)),
        st.just(Change("leave")),
    )


@given(standings, changes())
def test_a_change_does_what_it_says(before: Standing, change: Change) -> None:
    after = before.after(change)
    match change.what:
        case "role":
            assert after.role == change.word
            assert after.denied == before.denied
            assert set(after.allowed) <= set(before.allowed)
        case "allow":
            assert after.rights == before.rights | {change.word}
        case "deny":
            assert after.rights == before.rights - {change.word}
        case "leave":
            assert after == Standing()
            assert not after.rights
    assert after.after(change) == after, "said twice it is the same"


@given(st.dictionaries(st.integers(1, 4), standings, min_size=1), st.data())
def test_whatever_is_said_rights_never_grow_and_an_owner_remains(
    staff: dict[int, Standing], data: st.DataObject
) -> None:
    """Whoever says it, of whomever: nobody new may do what nobody could, nobody is lowered by who
    may do less, and there is somebody left who can hire."""
    staff = {1: Standing("owner"), **{number + 1: one for number, one in staff.items()}}
    for _ in range(12):
        giver_id = data.draw(st.sampled_from(sorted(staff)))
        user_id, change = data.draw(st.integers(1, 7)), data.draw(changes())
        before, giver = staff.get(user_id, Standing()), staff[giver_id]
        if change.what != "role" and before.role is None:
            continue
        after = before.after(change)
        owners = sum(one.owns for other, one in staff.items() if other != user_id)
        try:
            person = Person(giver_id, "", giver)
            need_may_change(person, user_id, before, after, other_owners=owners)
        except Refusal:
            continue
        assert after.rights | before.rights <= giver.rights
        assert giver_id != user_id or after.role is None
        staff[user_id] = after
        if after.role is None:
            del staff[user_id]
        assert any(one.owns for one in staff.values())


def test_only_new_rights_over_money_and_approvals_take_two() -> None:
    support, operator = Standing("support"), Standing("operator")
    assert takes_two(Standing(), operator)
    assert not takes_two(Standing(), support)
    assert takes_two(support, support.after(Change("allow", "refund")))
    assert not takes_two(operator, operator.after(Change("allow", "channels")))
    assert not takes_two(operator, support)


# ── with the desk ────────────────────────────────────────────────────────────────────────────────
def staff_of(desk: Desk) -> Staff:
    return desk.runtime.people.staff


async def standing(desk: Desk, user_id: int) -> Standing:
    found = await desk.runtime.people.people.find(user_id)
    return found.standing if found is not None else Standing()


async def second_owner(desk: Desk) -> None:
    await desk.runtime.people.people.employ(BEN, "Ben", "owner")


async def say(
    desk: Desk, actor: Actor, user_id: int, change: Change, *, message_id: int | None = None
) -> Outcome:
    return await staff_of(desk).change(
        actor, user_id, change, message_id=message_id or next(_messages)
    )


async def code(desk: Desk, actor: Actor, user_id: int, change: Change) -> str:
    """What it is refused with; empty: nothing."""
    try:
        await say(desk, actor, user_id, change)
    except Refusal as refusal:
        return refusal.code
    return ""


async def press(desk: Desk, actor: Actor, outcome: Outcome, *, yes: bool = True) -> str:
    assert outcome.waits is not None
    try:
        await desk.runtime.people.approvals.decide(actor, outcome.waits.approval_id, yes=yes)
    except Refusal as refusal:
        return refusal.code
    return ""


async def trail(runtime: Runtime, action: str) -> list[str]:
    rows = await runtime.system.store.fetch("SELECT actor FROM audit WHERE action = $1", action)
    return [row["actor"] for row in rows]


async def test_what_moves_no_money_is_done_at_once_and_told(desk: Desk) -> None:
    owner = await desk.runtime.people.access.actor(OWNER, "o", OWNER, private=True)
    made = await say(desk, owner, 7777, Change("role", "support"))
    assert made.waits is None
    assert (made.person.role, made.person.name) == ("support", "7777")
    assert made.person.hired_at is not None
    await say(desk, owner, 7777, Change("allow", "read_statistics"))
    assert await standing(desk, 7777) == Standing("support", ("read_statistics",))
    await say(desk, owner, 7777, Change("deny", "look_up"))
    await say(desk, owner, 7777, Change("leave"))
    assert await standing(desk, 7777) == Standing()
    told = [one.facts["change"]["what"] for one in await desk.said(OPS_CHAT)]
    assert told == ["role", "allow", "deny", "leave"]
    for action in ("hire", "allow_right", "deny_right", "end_role"):
        assert await trail(desk.runtime, action) == [f"telegram:{OWNER}"]


async def test_money_takes_a_second_owner_and_neither_is_the_colleague(desk: Desk) -> None:
    await second_owner(desk)
    owner, ben = await desk.actor(OWNER, OPS_CHAT), await desk.actor(BEN, OPS_CHAT)
    asked = await say(desk, owner, SUPPORT, Change("role", "finance"))
    assert asked.waits is not None
    assert asked.waits.alone_from is None
    assert (await standing(desk, SUPPORT)).role == "support"
    assert await press(desk, owner, asked) == "second_person_needed"
    assert await press(desk, await desk.actor(ADMIN, OPS_CHAT), asked) == "not_permitted"
    assert await press(desk, ben, asked) == ""
    assert (await standing(desk, SUPPORT)).role == "finance"
    # somebody who may hire is not the second person for their own promotion
    await desk.runtime.system.store.execute(
        "UPDATE person SET allowed = '{people,settings}' WHERE user_id = $1", ADMIN
    )
    rise = await say(desk, owner, ADMIN, Change("allow", "prepay"))
    assert rise.waits is None, "an admin has that"
    lower = await say(desk, owner, ADMIN, Change("deny", "refund"))
    assert lower.waits is None, "what is taken away takes one"
    rise = await say(desk, owner, ADMIN, Change("allow", "refund"))
    assert await press(desk, await desk.actor(ADMIN, OPS_CHAT), rise) == "own_standing"
    assert await press(desk, ben, rise) == ""


async def test_no_owner_makes_a_second_person_of_an_account_of_their_own(desk: Desk) -> None:
    await second_owner(desk)
    owner, ben = await desk.actor(OWNER, OPS_CHAT), await desk.actor(BEN, OPS_CHAT)
    for mine, right in enumerate(sorted(RIGHTS_GIVEN_BY_TWO), start=7777):
        assert (await say(desk, owner, mine, Change("role", "support"))).waits is None
        asked = await say(desk, owner, mine, Change("allow", right))
        assert await press(desk, owner, asked) == "second_person_needed", right
        assert right not in (await standing(desk, mine)).rights
        assert await press(desk, ben, asked) == ""
        assert right in (await standing(desk, mine)).rights


async def test_one_switch_lets_one_person_do_it(desk: Desk) -> None:
    owner = await desk.actor(OWNER, OPS_CHAT)
    async with desk.runtime.system.store.transaction() as tx:
        await desk.runtime.people.settings.put(tx, owner, "hire_second", False)
    assert (await say(desk, owner, SUPPORT, Change("role", "finance"))).waits is None


async def test_a_yes_is_for_what_was_asked(desk: Desk) -> None:
    await second_owner(desk)
    owner, ben = await desk.actor(OWNER, OPS_CHAT), await desk.actor(BEN, OPS_CHAT)
    asked = await say(desk, owner, SUPPORT, Change("role", "finance"))
    await say(desk, ben, SUPPORT, Change("deny", "look_up"))
    assert await press(desk, ben, asked) == "person_changed"
    assert (await standing(desk, SUPPORT)).role == "support"
    fresh = await say(desk, owner, SUPPORT, Change("role", "finance"))
    # whoever asked lost the right meanwhile
    await say(desk, ben, OWNER, Change("deny", "refund"))
    assert await press(desk, ben, fresh) == "right_lacking"
    assert await press(desk, ben, fresh, yes=False) == ""
    assert (await standing(desk, SUPPORT)).role == "support"


async def test_the_only_owner_waits_and_is_told_how_it_goes_on(desk: Desk, clock: SetClock) -> None:
    owner = await desk.actor(OWNER, OPS_CHAT)
    asked = await say(desk, owner, SUPPORT, Change("role", "finance"))
    assert asked.waits is not None
    card = await desk.runtime.people.approvals.cards.of(asked.waits.approval_id)
    assert asked.waits.alone_from == card.asked_at + ALONE_AFTER
    assert not asked.waits.factor
    assert await press(desk, owner, asked) == "approval_waits"
    clock.advance(ALONE_AFTER.total_seconds())
    assert await press(desk, owner, asked) == "factor_needed"
    private = await desk.runtime.people.access.actor(OWNER, "o", OWNER, private=True)
    await desk.runtime.people.factors.set_password(private, PASSWORD)
    proof = await desk.runtime.people.factors.prove(private, PASSWORD, asked.waits.approval_id)
    await desk.runtime.people.approvals.decide(
        private, asked.waits.approval_id, yes=True, proof=proof
    )
    assert (await standing(desk, SUPPORT)).role == "finance"
    assert "approved_alone" in [one.screen for one in await desk.said(OPS_CHAT)]


TAKEN: tuple[Change, ...] = (
    Change("deny", "settings"), Change("role", "admin"), Change("role", "support"), Change("leave"),
)  # fmt: skip


@pytest.mark.parametrize("taken", TAKEN, ids=str)
async def test_nobody_makes_themself_the_only_one(
    desk: Desk, clock: SetClock, taken: Change
) -> None:
    await second_owner(desk)
    owner = await desk.actor(OWNER, OPS_CHAT)
    private = await desk.runtime.people.access.actor(OWNER, "o", OWNER, private=True)
    await desk.runtime.people.factors.set_password(private, PASSWORD)
    assert (await say(desk, owner, BEN, taken)).waits is None, "what is taken counts at once"
    lost_at = clock.now()

    async def loosen() -> str:
        """Ask for it, and approve it by oneself as soon as that may be allowed."""
        changes, approvals = desk.runtime.people.setting_changes, desk.runtime.people.approvals
        await changes.change(owner, "complete_second", None, message_id=next(_messages))
        (asked,) = await approvals.cards.waiting()
        clock.advance(ALONE_AFTER.total_seconds())
        proof = await desk.runtime.people.factors.prove(private, PASSWORD, asked.id)
        try:
            await approvals.decide(private, asked.id, yes=True, proof=proof)
        except Refusal as refusal:
            card = await approvals.cards.of(asked.id)
            assert card.alone_from is not None
            assert abs(card.alone_from - lost_at - LAST_AFTER) < timedelta(seconds=1)
            assert card.alone_from > card.over_at
            return refusal.code
        return ""

    assert await loosen() == "approval_waits"
    assert await desk.runtime.people.settings.value("complete_second") is not None
    clock.advance(LAST_AFTER.total_seconds())
    assert await loosen() == ""
    assert await desk.runtime.people.settings.value("complete_second") is None


async def test_of_each_right_it_is_kept_when_it_was_lost(desk: Desk, clock: SetClock) -> None:
    people, store = desk.runtime.people.people, desk.runtime.system.store
    await store.execute("UPDATE person SET role = NULL, hired_at = NULL WHERE user_id <> $1", OWNER)

    async def since(right: str, by: int = OWNER) -> datetime | None:
        return await alone_from(store, people, right, by=by, at=clock.now())

    for right in sorted(RIGHTS_GIVEN_BY_TWO):
        start = clock.now()
        first = await since(right)
        assert first is not None
        assert first - start < ALONE_AFTER + timedelta(seconds=1), "nobody ever had it"
        await second_owner(desk)
        assert await since(right) is None
        for lost in (Standing("owner", (), (right,)), Standing("owner"), Standing()):
            clock.advance(60)
            await people.put(store, BEN, "Ben", lost)
            found = await since(right)
            if right in lost.rights:
                assert found is None, "it was given again"
                continue
            assert found is not None
            assert found - start > LAST_AFTER, "from when it was lost last"
            assert abs(found - clock.now() - LAST_AFTER) < timedelta(seconds=1)
        clock.advance(LAST_AFTER.total_seconds())


async def test_what_is_said_again_is_asked_once(desk: Desk) -> None:
    owner = await desk.actor(OWNER, OPS_CHAT)
    first = await say(desk, owner, SUPPORT, Change("role", "finance"), message_id=5)
    again = await say(desk, owner, SUPPORT, Change("role", "finance"), message_id=5)
    other = await say(desk, owner, SUPPORT, Change("role", "operator"), message_id=6)
    assert first.waits is not None
    assert again == first
    assert other.waits is not None
    assert other.waits.approval_id != first.waits.approval_id
    assert len(await desk.runtime.people.approvals.cards.waiting()) == 2


async def test_what_is_refused(desk: Desk) -> None:
    owner = await desk.actor(OWNER, OPS_CHAT)
    for user_id, change, refused in (
        (OWNER, Change("role", "admin"), "own_standing"),
        (OWNER, Change("deny", "people"), "own_standing"),
        (OWNER, Change("allow", "people"), ""),
        (OWNER, Change("leave"), "last_owner"),
        (4242, Change("allow", "refund"), "person_not_found"),
        (4242, Change("leave"), "person_not_found"),
        (4242, Change("role", "merchant_staff"), "role_unknown"),
        (4242, Change("role", "king"), "role_unknown"),
        (SUPPORT, Change("allow", "everything"), "right_unknown"),
    ):
        assert await code(desk, owner, user_id, change) == refused, (user_id, change)
    for user_id, chat_id in ((ADMIN, OPS_CHAT), (FINANCE, OPS_CHAT), (OPERATOR, OPERATOR)):
        actor = await desk.actor(user_id, chat_id)
        assert await code(desk, actor, SUPPORT, Change("leave")) == "not_permitted"
    assert await code(desk, await desk.actor(OWNER), SUPPORT, Change("leave")) == "staff_only"
    await desk.runtime.system.store.execute("UPDATE chat_group SET kind = 'unbound'")
    private = await desk.runtime.people.access.actor(OWNER, "o", OWNER, private=True)
    assert await code(desk, private, SUPPORT, Change("role", "finance")) == "ops_missing"
    with pytest.raises(Refusal, match="changed meanwhile"):
        await staff_of(desk).change(
            private, SUPPORT, Change("leave"), offered_to=seen(Standing("owner")), message_id=1
        )


async def test_an_admin_who_may_hire_rules_nobody_above(desk: Desk) -> None:
    await desk.runtime.system.store.execute(
        "UPDATE person SET allowed = '{people}' WHERE user_id = $1", ADMIN
    )
    admin = await desk.actor(ADMIN, OPS_CHAT)
    for user_id, change in (
        (OWNER, Change("leave")), (OWNER, Change("deny", "people")),
        (SUPPORT, Change("role", "owner")), (SUPPORT, Change("allow", "settings")),
    ):  # fmt: skip
        assert await code(desk, admin, user_id, change) == "right_lacking"
    assert await code(desk, admin, SUPPORT, Change("allow", "channels")) == ""


async def test_who_leaves_loses_everything_at_once(desk: Desk) -> None:
    await second_owner(desk)
    ben = await desk.runtime.people.access.actor(BEN, "Ben", BEN, private=True)
    await desk.runtime.people.factors.set_password(ben, PASSWORD)
    asked = await say(desk, await desk.actor(BEN, OPS_CHAT), SUPPORT, Change("role", "finance"))
    assert asked.waits is not None
    await say(desk, await desk.actor(OWNER, OPS_CHAT), BEN, Change("leave"))
    assert not (await desk.actor(BEN, OPS_CHAT)).known
    assert await desk.runtime.people.factors.of(BEN) == []
    card = await desk.runtime.people.approvals.cards.of(asked.waits.approval_id)
    assert (card.state, bool(card.answered_by_name)) == ("dropped", True)
    assert await press(desk, await desk.actor(OWNER, OPS_CHAT), asked) == ""
    assert (await standing(desk, SUPPORT)).role == "support"


async def test_two_owners_who_end_each_other_at_once_leave_one(desk: Desk) -> None:
    await second_owner(desk)
    one, other = await desk.actor(OWNER, OPS_CHAT), await desk.actor(BEN, OPS_CHAT)
    codes = await asyncio.gather(
        code(desk, one, BEN, Change("leave")), code(desk, other, OWNER, Change("leave"))
    )
    assert sorted(codes) == ["", "not_permitted"]
    assert len(await desk.runtime.people.people.owners()) == 1


async def test_a_role_may_be_left_where_an_owner_remains(desk: Desk) -> None:
    await second_owner(desk)
    ben = await desk.actor(BEN, OPS_CHAT)
    assert (await say(desk, ben, BEN, Change("leave"))).waits is None
    assert await standing(desk, BEN) == Standing()
