"""Questions that wait for a person: whose they are, who answers, once, in time."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import ClassVar, Literal
from uuid import UUID, uuid4

import pytest

from core.kernel.errors import Bug, Refusal
from core.people.actors import Actor
from core.people.approvals import Approvals, Asked, Question, SecondQuestion
from core.people.factors import Proof
from core.people.people import RIGHTS, RIGHTS_GIVEN_BY_TWO
from handlers.groups import bindings as binding
from tests.core.support import (
    ADMIN,
    CHAT,
    FINANCE,
    OPERATOR,
    OPS_CHAT,
    OWNER,
    SUPPLIER_CHAT,
    SUPPORT,
    Desk,
    SetClock,
)


@dataclass(frozen=True, slots=True)
class Own(Question):
    """As the desk's own `rerate`, which whoever asked answers."""

    kind: ClassVar[str] = "rerate"
    open_for: ClassVar[timedelta] = timedelta(minutes=2)
    number: str


@dataclass(frozen=True, slots=True)
class Twofold(Question):
    """As the desk's own `uncomplete`, to which another person says yes."""

    kind: ClassVar[str] = "uncomplete"
    yes_by: ClassVar[Literal["asker", "second"]] = "second"
    number: str


def approvals(desk: Desk) -> Approvals:
    return desk.runtime.people.approvals


async def ask(
    desk: Desk,
    actor: Actor,
    question: Question,
    *,
    merchant_id: UUID | None = None,
    supplier_id: UUID | None = None,
    message_id: int | None = None,
) -> UUID:
    async with desk.runtime.system.store.transaction() as tx:
        asked = await approvals(desk).ask(
            tx, actor, question, merchant_id=merchant_id, supplier_id=supplier_id,
            message_id=message_id,
        )  # fmt: skip
    return asked.id


async def code(desk: Desk, kind: type[Question], actor: Actor, asked: UUID, *, yes: bool) -> str:
    """What somebody is refused who answers; empty: nothing."""
    try:
        found = await approvals(desk).find(kind, actor, asked, yes=yes)
        async with desk.runtime.system.store.transaction() as tx:
            await approvals(desk).answer(tx, actor, found, yes=yes)
    except Refusal as refusal:
        return refusal.code
    return ""


async def test_who_asked_answers_once(desk: Desk) -> None:
    asker, other = await desk.actor(OPERATOR), await desk.actor(ADMIN)
    asked = await ask(desk, asker, Own("R1"), merchant_id=desk.merchant.id)
    for yes in (True, False):
        assert await code(desk, Own, other, asked, yes=yes) == "confirmation_foreign"
    assert await code(desk, Twofold, asker, asked, yes=True) == "confirmation_expired", "its kind"
    assert not await approvals(desk).answered(asked)
    assert await code(desk, Own, asker, asked, yes=True) == ""
    assert await approvals(desk).answered(asked)
    found = await approvals(desk).find(Own, asker, asked)
    assert (found.question, found.state, found.asked_by) == (Own("R1"), "used", OPERATOR)
    assert await code(desk, Own, asker, asked, yes=False) == "confirmation_expired"
    row = await desk.runtime.system.store.fetchrow(
        "SELECT answered_by, answered_at IS NOT NULL AS told FROM approval WHERE id = $1", asked
    )
    assert row is not None
    assert tuple(row) == (OPERATOR, True)


async def test_a_second_person_says_yes_and_either_says_no(desk: Desk) -> None:
    asker, other = await desk.actor(OPERATOR), await desk.actor(ADMIN)
    for answers, yes, refused in (
        (asker, True, "second_person_needed"), (asker, False, ""),
        (other, True, ""), (other, False, ""),
    ):  # fmt: skip
        asked = await ask(desk, asker, Twofold("P1"), merchant_id=desk.merchant.id)
        assert await code(desk, Twofold, answers, asked, yes=yes) == refused


async def test_nobody_says_yes_who_may_not_whatever_was_found_before(desk: Desk) -> None:
    asker, other = await desk.actor(OPERATOR), await desk.actor(ADMIN)
    asked = await ask(desk, asker, Twofold("P1"), merchant_id=desk.merchant.id)
    found = await approvals(desk).find(Twofold, other, asked)
    async with desk.runtime.system.store.transaction() as tx:
        with pytest.raises(Refusal, match="second person"):
            await approvals(desk).answer(tx, asker, found, yes=True)


async def test_it_is_over_in_time(desk: Desk, clock: SetClock) -> None:
    asker = await desk.actor(OPERATOR)
    asked = await ask(desk, asker, Own("R1"), merchant_id=desk.merchant.id)
    clock.advance(119)
    assert (await approvals(desk).find(Own, asker, asked)).state == "open"
    clock.advance(1)
    assert await code(desk, Own, asker, asked, yes=True) == "confirmation_expired"


async def test_it_is_answered_where_it_was_asked_by_whom_still_sees_it(desk: Desk) -> None:
    asker, elsewhere = await desk.actor(OPERATOR), await desk.actor(OPERATOR, OPS_CHAT)
    asked = await ask(desk, asker, Own("R1"), merchant_id=desk.merchant.id)
    assert await code(desk, Own, elsewhere, asked, yes=True) == "confirmation_expired"
    theirs = await desk.actor(OPERATOR, SUPPLIER_CHAT)
    assert theirs.supplier_ids is not None
    of_supplier = await ask(desk, theirs, Own("R2"), supplier_id=theirs.supplier_ids[0])
    of_merchant = await ask(desk, theirs, Own("R3"), merchant_id=desk.merchant.id)
    nobodys = await ask(desk, theirs, Own("R4"))
    assert await code(desk, Own, theirs, of_merchant, yes=True) == "confirmation_expired"
    for question in (of_supplier, nobodys):
        assert await code(desk, Own, theirs, question, yes=True) == ""


async def test_a_twin_waits_for_the_commit(desk: Desk) -> None:
    asker = await desk.actor(OPERATOR)
    asked = await ask(desk, asker, Own("R1"), merchant_id=desk.merchant.id)
    codes = await asyncio.gather(*(code(desk, Own, asker, asked, yes=True) for _ in range(5)))
    assert sorted(codes) == ["", *["confirmation_expired"] * 4]


async def test_a_reply_finds_its_question_and_may_change_it(desk: Desk) -> None:
    asker = await desk.actor(OPERATOR)
    for number in ("R1", "R2"):
        await ask(desk, asker, Own(number), merchant_id=desk.merchant.id, message_id=7)
    find = approvals(desk).find_replied
    newest = await find(Own, OPERATOR, CHAT, 7)
    assert newest is not None
    found: Asked[Own] = await approvals(desk).find(Own, asker, newest)
    assert found.question == Own("R2")
    assert await find(Own, OPERATOR, CHAT, 7, {"number": "R1"}) not in (None, newest)
    for nothing in (
        find(Own, FINANCE, CHAT, 7), find(Own, OPERATOR, CHAT, 8), find(Own, OPERATOR, OPS_CHAT, 7),
        find(Twofold, OPERATOR, CHAT, 7), find(Own, OPERATOR, CHAT, 7, {"number": "R3"}),
    ):  # fmt: skip
        assert await nothing is None
    async with desk.runtime.system.store.transaction() as tx:
        changed = await approvals(desk).amend(tx, found, Own("R9"))
    assert changed == await approvals(desk).find(Own, asker, newest)
    assert await code(desk, Own, asker, newest, yes=False) == ""
    async with desk.runtime.system.store.transaction() as tx:
        with pytest.raises(Refusal):
            await approvals(desk).amend(tx, found, Own("R8"))


async def test_what_is_open_about_whom_a_group_loses_is_dropped_there_alone(desk: Desk) -> None:
    here, ops = await desk.actor(OPERATOR), await desk.actor(OPERATOR, OPS_CHAT)
    dropped = [
        await ask(desk, here, Own("R1"), merchant_id=desk.merchant.id),
        await ask(desk, here, Own("R2")),
    ]
    there = await desk.actor(OPERATOR, SUPPLIER_CHAT)
    assert there.supplier_ids is not None
    kept = [
        (here, await ask(desk, here, Own("R3"), supplier_id=there.supplier_ids[0])),
        (ops, await ask(desk, ops, Own("R4"), merchant_id=desk.merchant.id)),
        (ops, await ask(desk, ops, Own("R5"))),
    ]
    async with desk.runtime.system.store.transaction() as tx:
        await approvals(desk).drop_of(tx, here, here.home, [desk.merchant.id])
    for asked in dropped:
        assert await approvals(desk).answered(asked)
        assert await code(desk, Own, here, asked, yes=True) == "confirmation_expired"
    for _, asked in kept:
        assert not await approvals(desk).answered(asked)


def kinds(base: type[Question]) -> Iterator[type[Question]]:
    """Every kind of question that the desk asks."""
    for one in base.__subclasses__():
        yield from kinds(one)
        if "kind" in vars(one) and one.__module__ != __name__:
            yield one


async def test_each_kind_of_question_is_asked_in_one_place_and_known_to_the_table(
    desk: Desk,
) -> None:
    assert binding.UnbindQuestion in kinds(Question)
    # By name: with slots, a dataclass is made twice.
    names = list({f"{k.__module__}.{k.__qualname__}": k.kind for k in kinds(Question)}.values())
    check = await desk.runtime.system.store.fetchval(
        "SELECT pg_get_constraintdef(oid) FROM pg_constraint WHERE conname = 'approval_kind_check'"
    )
    assert len(names) == len(set(names))
    assert sorted(f"'{name}'" for name in names) == sorted(
        part.split("::")[0].strip("( ") for part in check.split("[")[1].split("]")[0].split(",")
    )


def test_what_takes_a_second_person_is_given_by_two() -> None:
    """Else somebody would make a second person of an account of their own."""
    rights = {one.right for one in kinds(Question) if one.yes_by == "second" and one.right}
    assert len(rights) > 8
    assert rights <= RIGHTS_GIVEN_BY_TWO <= RIGHTS.keys()


@dataclass(frozen=True, slots=True)
class OnCard(SecondQuestion):
    """As the desk's own `factor_reset`, which a second person decides in the ops groups."""

    kind: ClassVar[str] = "slip"
    right: ClassVar[str] = "set_credit"
    number: str


class Carried:
    """Carries out what is answered, and keeps what was."""

    def __init__(self, desk: Desk) -> None:
        self.said: list[tuple[str, bool, int]] = []
        self._desk = desk
        approvals(desk).carries_out(OnCard, self._decide)

    async def _decide(
        self, actor: Actor, asked: Asked[OnCard], yes: bool, proof: Proof | None
    ) -> None:
        async with self._desk.runtime.system.store.transaction() as tx:
            await approvals(self._desk).answer(tx, actor, asked, yes=yes, proof=proof)
            self.said.append((asked.question.number, yes, actor.user_id))

    async def press(
        self, actor: Actor, asked: UUID, *, yes: bool = True, proof: Proof | None = None
    ) -> str:
        """What a press is refused with; empty: nothing."""
        try:
            await approvals(self._desk).decide(actor, asked, yes=yes, proof=proof)
        except Refusal as refusal:
            return refusal.code
        return ""


async def cards(desk: Desk) -> list[tuple[int, str]]:
    """(chat, question) of what is to be shown."""
    rows = await desk.runtime.system.store.fetch(
        "SELECT chat_id, facts->>'approval_id' FROM outbox WHERE topic = 'approval'"
        " ORDER BY chat_id"
    )
    return [(row[0], row[1]) for row in rows]


async def test_a_second_person_decides_on_a_card_in_the_ops_group(desk: Desk) -> None:
    carried = Carried(desk)
    asker = await desk.actor(FINANCE)
    asked = await ask(desk, asker, OnCard("A1"), merchant_id=desk.merchant.id)
    shown_in = sorted((OPS_CHAT, CHAT))  # there, and where it was asked
    assert await cards(desk) == [(chat_id, str(asked)) for chat_id in shown_in]
    assert [one.question for one in await approvals(desk).cards.waiting()] == [OnCard("A1")]
    own = await desk.actor(FINANCE, OPS_CHAT)
    for actor, code in (
        (await desk.actor(ADMIN), "confirmation_expired"),  # in the merchant's group
        (await desk.actor(ADMIN, ADMIN), "confirmation_expired"),  # in private, unproven
        (own, "second_person_needed"),
        (await desk.actor(SUPPORT, OPS_CHAT), "not_permitted"),
    ):
        assert await carried.press(actor, asked) == code, actor.user_id
    assert carried.said == []
    assert await carried.press(await desk.actor(ADMIN, OPS_CHAT), asked) == ""
    assert await carried.press(own, asked) in ("", "second_person_needed")
    assert await carried.press(await desk.actor(OWNER, OPS_CHAT), asked, yes=False) == ""
    assert carried.said == [("A1", True, ADMIN)]
    shown = await approvals(desk).cards.of(asked)
    assert (shown.state, shown.asked_by, shown.alone) == ("used", FINANCE, False)
    assert shown.answered_by_name
    assert await approvals(desk).cards.waiting() == []


async def test_who_asked_may_take_it_back_where_it_was_asked(desk: Desk) -> None:
    carried = Carried(desk)
    asked = await ask(desk, await desk.actor(FINANCE), OnCard("A1"), merchant_id=desk.merchant.id)
    assert await carried.press(await desk.actor(FINANCE), asked, yes=False) == ""
    assert await carried.press(await desk.actor(ADMIN, OPS_CHAT), asked) == ""
    assert carried.said == [("A1", False, FINANCE)]


async def test_where_nobody_else_could_the_asker_waits_and_proves_it(
    desk: Desk, clock: SetClock
) -> None:
    carried = Carried(desk)
    store = desk.runtime.system.store
    await store.execute("UPDATE person SET denied = '{set_credit}' WHERE user_id <> $1", FINANCE)
    own = await desk.actor(FINANCE, OPS_CHAT)
    asked = await ask(desk, await desk.actor(FINANCE), OnCard("A1"), merchant_id=desk.merchant.id)
    private = await desk.runtime.people.access.actor(FINANCE, "f", FINANCE, private=True)
    await desk.runtime.people.factors.set_password(private, "correct horse battery")
    assert await carried.press(own, asked) == "approval_waits"
    clock.advance(10 * 60)
    assert await carried.press(own, asked) == "factor_needed"
    proof = await desk.runtime.people.factors.prove(private, "correct horse battery", asked)
    for other in (
        replace(proof, approval_id=uuid4()), replace(proof, user_id=ADMIN),
    ):  # fmt: skip
        assert await carried.press(own, asked, proof=other) == "factor_needed"
    assert await carried.press(private, asked, proof=proof) == ""
    assert carried.said == [("A1", True, FINANCE)]
    assert (await approvals(desk).cards.of(asked)).alone
    assert "approved_alone" in [say.screen for say in await desk.said(OPS_CHAT)]


async def test_a_card_that_nobody_answers_says_so(desk: Desk, clock: SetClock) -> None:
    carried = Carried(desk)
    asker = await desk.actor(FINANCE)
    asked = await ask(desk, asker, OnCard("A1"), merchant_id=desk.merchant.id)
    plain = await ask(desk, asker, Own("R1"), merchant_id=desk.merchant.id)
    assert await approvals(desk).cards.end_due() == 0
    clock.advance(15 * 60)
    assert (await approvals(desk).cards.of(asked)).state == "expired"
    admin = await desk.actor(ADMIN, OPS_CHAT)
    assert await carried.press(admin, asked) == "confirmation_expired"
    assert await approvals(desk).cards.end_due() == 1
    assert await approvals(desk).cards.end_due() == 0
    assert await carried.press(admin, asked) in ("", "confirmation_expired")
    assert carried.said == []
    state = await desk.runtime.system.store.fetchval(
        "SELECT state FROM approval WHERE id = $1", plain
    )
    assert state == "open", "what has no card is nobody's to end"


async def test_a_question_of_another_version_stops_nobody(desk: Desk, clock: SetClock) -> None:
    Carried(desk)
    for number in ("A1", "A2"):
        await ask(desk, await desk.actor(FINANCE), OnCard(number), merchant_id=desk.merchant.id)
    await desk.runtime.system.store.execute(
        "UPDATE approval SET kind = 'trial' WHERE facts->>'number' = 'A1'"
    )
    assert [one.question for one in await approvals(desk).cards.waiting()] == [OnCard("A2")]
    clock.advance(15 * 60)
    assert await approvals(desk).cards.end_due() == 2


async def test_a_card_of_a_group_that_is_no_longer_theirs_says_who_ended_it(desk: Desk) -> None:
    carried, asker = Carried(desk), await desk.actor(FINANCE)
    asked = await ask(desk, asker, OnCard("A1"), merchant_id=desk.merchant.id)
    await desk.runtime.system.store.execute("DELETE FROM outbox")
    unbinds = await desk.actor(ADMIN)
    async with desk.runtime.system.store.transaction() as tx:
        await approvals(desk).drop_of(tx, unbinds, unbinds.home, [desk.merchant.id])
    assert await cards(desk) == [(OPS_CHAT, str(asked))], "the group is somebody else's now"
    card = await approvals(desk).cards.of(asked)
    assert (card.state, card.answered_by_name) == ("dropped", unbinds.name)
    assert await carried.press(await desk.actor(OWNER, OPS_CHAT), asked) == ""
    assert carried.said == []


async def test_a_kind_is_carried_out_by_one_alone(desk: Desk) -> None:
    Carried(desk)
    with pytest.raises(Bug):
        Carried(desk)
