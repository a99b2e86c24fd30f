"""A second person's word: on a card, with a proof in private where one is asked for."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from importlib import import_module
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest

from core.accounts.onboarding import TakeKeysQuestion
from core.delivery.board import Subject
from core.kernel.errors import Refusal
from core.people.actors import Actor
from core.people.approvals import Asked, Question
from core.people.people import Standing
from handlers.approvals.buttons import AnswerApproval, OpenApproval
from handlers.buttons import read_button
from handlers.kit.buttons import MAX_BYTES
from handlers.kit.vocabulary import WORDS
from handlers.screens import ASKS, render_approval, render_say
from tests.handlers.dialogue import employed, says, taken_away
from tests.handlers.support import FINANCE, OPS, OWNER, SPRUCE, SUPPORT, SUQING, Desk, labelled
from tests.handlers.telegram_html import read_html
from tests.handlers.test_screens import LANGUAGES, buttons
from tests.handlers.written import AT, HOSTILE, ID

PASSWORD = "correct horse battery"


def examples() -> list[Question]:
    """The questions that the topics' `examples.py` hold."""
    folder = Path(__file__).parents[1]
    names = sorted(path.parent.name for path in folder.glob("*/examples.py"))
    modules = [import_module(f"tests.handlers.{name}.examples") for name in names]
    return [one for module in modules for one in getattr(module, "ASKED", ())]


EXAMPLES = examples()


def proven_kinds(base: type[Question]) -> Iterator[str]:
    """Kinds of questions that whoever asked proves in private, in the words of all. Keys are asked
    for in their own."""
    for one in base.__subclasses__():
        if one.factor and "kind" in vars(one) and one.kind != TakeKeysQuestion.kind:
            yield one.kind
        yield from proven_kinds(one)


def asked(question: Question, state: Any = "open") -> Asked[Question]:
    waits = Asked(ID, OPS, 7, 1, HOSTILE, AT, question, state)
    return waits if state == "open" else replace(waits, answered_by_name=HOSTILE, answered_at=AT)


def test_each_kind_has_an_example_a_name_and_somebody_who_carries_it_out(desk: Desk) -> None:
    kinds = {question.kind for question in EXAMPLES}
    assert kinds == set(ASKS)
    # What whoever asked proves in private has no card, and a name.
    assert kinds | set(proven_kinds(Question)) == set(WORDS["approval"])
    for question in EXAMPLES:
        assert question.right, "who could say yes to it"
        assert question.answered_in == "ops"


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("question", EXAMPLES, ids=lambda one: one.kind)
def test_cards_are_telegrams_html_whatever_people_write(question: Question, language: str) -> None:
    for state in ("open", "used", "dropped", "expired"):
        for ops in (False, True):
            for alone, since in ((False, None), (True, AT), (False, AT + timedelta(days=2))):
                card = replace(asked(question, state), alone=alone, alone_from=since)
                screen = render_approval(card, "Asia/Shanghai", language, ops=ops)
                assert "None" not in read_html(screen.html)
                pressed = [read_button(data) for data in buttons(screen)]
                want = {"open": {False, True} if ops else {False}}.get(state, set())
                assert {one.yes for one in pressed if isinstance(one, AnswerApproval)} == want
                assert all(len(data.encode()) <= MAX_BYTES for data in buttons(screen))


async def refusal(desk: Desk, user_id: int, chat_id: int, approval_id: UUID, *, yes: bool) -> str:
    """What somebody who presses a button of a card is refused."""
    actor = await desk.runtime.people.access.actor(
        user_id, "x", chat_id, private=user_id == chat_id
    )
    try:
        await desk.runtime.people.approvals.decide(actor, approval_id, yes=yes)
    except Refusal as refused:
        return refused.code
    return ""


async def ask_one(desk: Desk, question: Question, user_id: int, chat_id: int) -> UUID:
    """Somebody asks it, about the merchant or supplier of a group; nobody's in an ops group."""
    actor = await desk.runtime.people.access.actor(user_id, "x", chat_id, private=False)
    merchant_id = actor.merchant_ids[0] if actor.merchant_ids else None
    async with desk.runtime.system.store.transaction() as tx:
        asked = await desk.runtime.people.approvals.ask(
            tx, actor, question, merchant_id=merchant_id
        )
    return asked.id


async def test_a_card_is_turned_down_by_whom_could_approve_it_alone(desk: Desk) -> None:
    """Of every kind: neither by the merchant's people, in whose group it may have been asked, nor
    by colleagues who lack the right."""
    nobody = await employed(desk, "support")
    store = desk.runtime.system.store
    for question in EXAMPLES:
        await store.execute(
            "UPDATE person SET denied = $2 WHERE user_id = $1", nobody, [question.right]
        )
        for chat_id in (SPRUCE, OPS):
            asked_id = await ask_one(desk, question, OWNER, chat_id)
            for user_id, where in ((SUQING, SPRUCE), (nobody, SPRUCE), (nobody, OPS)):
                code = await refusal(desk, user_id, where, asked_id, yes=False)
                assert code in ("not_permitted", "confirmation_expired"), (question.kind, where)
            assert (await desk.runtime.people.approvals.cards.of(asked_id)).state == "open"


async def test_a_yes_takes_the_right_of_whoever_asked_as_it_is_now(desk: Desk) -> None:
    asker, other = await employed(desk, "owner"), await employed(desk, "owner")
    people, store = desk.runtime.people.people, desk.runtime.system.store
    asked = [(one, await ask_one(desk, one, asker, OPS)) for one in EXAMPLES]
    rights = {one.right if one.asked_with is None else one.asked_with for one in EXAMPLES} - {""}
    await people.put(store, asker, "x", Standing("owner", (), tuple(sorted(rights))))
    strangers = 0
    for question, asked_id in asked:
        if question.asked_with == "":  # a stranger's, who never had one
            strangers += 1
            continue
        code = await refusal(desk, other, OPS, asked_id, yes=True)
        assert code == "asker_not_permitted", question.kind
        assert (await desk.runtime.people.approvals.cards.of(asked_id)).state == "open"
    assert strangers == 1


@pytest.mark.parametrize("question", EXAMPLES, ids=lambda one: one.kind)
async def test_nobody_says_yes_to_a_question_of_their_own_whatever_is_asked(
    desk: Desk, question: Question
) -> None:
    """Twice neither; and somebody else does so with the factor alone that it takes."""
    people = desk.runtime.people
    asker, other = [
        await people.access.actor(await employed(desk, "owner"), "x", OPS, private=False)
        for _ in range(2)
    ]
    async with desk.runtime.system.store.transaction() as tx:
        waits = await people.approvals.ask(tx, asker, question)

    async def says_yes(actor: Actor) -> str:
        try:
            async with desk.runtime.system.store.transaction() as tx:
                await people.approvals.answer(tx, actor, waits, yes=True)
        except Refusal as refusal:
            return refusal.code
        return ""

    for _ in range(2):
        assert await says_yes(asker) == "second_person_needed"
    lacks = await people.access.actor(SUPPORT, "x", OPS, private=False)
    assert await says_yes(lacks) == "not_permitted"
    assert (await people.approvals.cards.of(waits.id)).state == "open"
    assert await says_yes(other) == ("factor_needed" if question.factor else "")
    assert await says_yes(asker) != "", "nor after it was answered"


async def ask_reset(desk: Desk, user_id: int, of: int) -> AnswerApproval:
    """An owner asks for it in the ops group; the button that says yes."""
    told = await desk.say(user_id, OPS, f"/factor reset {of}")
    assert [fact.topic for fact in told if fact.topic == "approval"], told
    row = await desk.runtime.system.store.fetchval("SELECT max(id::text)::uuid FROM approval")
    return AnswerApproval(row, yes=True)


async def enrol(desk: Desk, user_id: int) -> str:
    """A password of their own."""
    actor = await desk.runtime.people.access.actor(user_id, "x", user_id, private=True)
    await desk.runtime.people.factors.set_password(actor, PASSWORD)
    await desk.news()  # ops is told
    return PASSWORD


async def test_two_owners_take_a_factor_away(desk: Desk) -> None:
    other, lost = await employed(desk, "owner"), await employed(desk, "finance")
    await enrol(desk, lost)
    yes = await ask_reset(desk, OWNER, lost)
    waits = says(await desk.say(OWNER, OPS, "/approvals"))
    assert [say.screen for say in waits] == ["waiting"]
    assert len(waits[0].facts["lines"]) == 1
    await desk.press(SUPPORT, OPS, yes.data())
    assert "权限" in desk.toast
    await desk.press(OWNER, OPS, yes.data())
    assert "第二个人" in desk.toast or "另一" in desk.toast, desk.toast
    assert await desk.runtime.people.factors.enrolled(lost), "by the same person"
    await desk.press(other, OPS, yes.data())
    assert not await desk.runtime.people.factors.enrolled(lost)
    await desk.press(other, OPS, yes.data())  # a second press changes nothing


async def test_the_list_opens_each_card_again_the_oldest_first(desk: Desk) -> None:
    owner = await employed(desk, "owner")
    first, second = await employed(desk, "finance"), await employed(desk, "finance")
    for of in (first, second):
        await enrol(desk, of)
        await ask_reset(desk, owner, of)
    store = desk.runtime.system.store
    await store.execute(
        "UPDATE approval SET created_at = created_at - interval '5 minutes' WHERE id ="
        " (SELECT min(id::text)::uuid FROM approval WHERE asked_by = $1)", owner,
    )  # fmt: skip
    (listed,) = says(await desk.say(owner, OPS, "待审批"))
    lines = listed.facts["lines"]
    assert [(line["kind"], line["age_min"]) for line in lines] == [
        ("factor_reset", 5), ("factor_reset", 0),
    ]  # fmt: skip
    oldest, newest = (UUID(line["approval_id"]) for line in lines)
    shown = read_html(render_say(listed, "zh").html)
    assert "5 分钟" in shown
    # A card that stands there is taken away, and comes again below.
    subject = Subject.approval(oldest)
    await desk.runtime.delivery.board.posts.posted(OPS, 555, subject, "")
    await store.execute("DELETE FROM outbox")
    told = await desk.press(owner, OPS, labelled(listed, "1"))
    assert [(fact.topic, getattr(fact, "message_id", 0)) for fact in told] == [
        ("take_away", 555), ("approval", 0),
    ]  # fmt: skip
    assert await store.fetchval("SELECT count(*) FROM post WHERE ref = $1", str(oldest)) == 0
    await store.execute("DELETE FROM outbox")
    told = await desk.press(owner, owner, labelled(listed, "2"))
    assert [fact.topic for fact in told] == ["approval"]
    assert "管理群" in desk.toast
    for user_id, chat_id in ((SUQING, SPRUCE), (owner, SPRUCE)):
        assert await desk.press(user_id, chat_id, OpenApproval(oldest).data()) == []
        assert desk.line.answers[-1].show_alert
    await desk.runtime.system.store.execute("UPDATE approval SET expires_at = created_at")
    assert await desk.press(owner, OPS, OpenApproval(newest).data()) == []
    assert desk.line.answers[-1].show_alert, "it is over"


async def test_the_only_owner_waits_and_proves_it_in_private(desk: Desk) -> None:
    lost = await employed(desk, "finance")
    owner = await employed(desk, "owner")
    await desk.runtime.system.store.execute(
        "UPDATE person SET denied = '{people}' WHERE user_id <> $1", owner
    )
    await enrol(desk, lost)
    yes = await ask_reset(desk, owner, lost)
    await desk.press(owner, OPS, yes.data())
    await desk.runtime.system.store.execute(
        "UPDATE approval SET created_at = created_at - interval '10 minutes'"
    )
    await desk.press(owner, OPS, yes.data())
    assert "「二次验证」" in desk.toast, "there is none yet"
    await enrol(desk, owner)
    told = await desk.press(owner, OPS, yes.data())
    (question,) = [say for say in says(told) if say.screen == "prove_question"]
    assert question.facts["kind"] == "factor_reset"
    told = await desk.say(owner, owner, "not the password at all")
    assert taken_away(told) == [desk.message_id]
    assert [say.facts["code"] for say in says(told) if say.screen == "refusal"] == ["factor_wrong"]
    assert await desk.runtime.people.factors.enrolled(lost)
    told = await desk.say(owner, owner, PASSWORD)
    assert taken_away(told) == [desk.message_id]
    assert "proven" in [say.screen for say in says(told)]
    assert not await desk.runtime.people.factors.enrolled(lost)
    assert await desk.say(owner, owner, PASSWORD) == [], "the dialogue is over"


async def test_what_is_written_once_the_question_is_over_is_no_try(desk: Desk) -> None:
    lost, owner = await employed(desk, "finance"), await employed(desk, "owner")
    store = desk.runtime.system.store
    await store.execute("UPDATE person SET denied = '{people}' WHERE user_id <> $1", owner)
    await enrol(desk, lost)
    await enrol(desk, owner)
    yes = await ask_reset(desk, owner, lost)
    await store.execute("UPDATE approval SET created_at = created_at - interval '10 minutes'")
    told = await desk.press(owner, OPS, yes.data())
    assert "prove_question" in [say.screen for say in says(told)]
    await store.execute("UPDATE approval SET expires_at = created_at")
    told = await desk.say(owner, owner, "good morning, is it done?")
    assert [say.facts["code"] for say in says(told)] == ["confirmation_expired"]
    assert await store.fetchval("SELECT count(*) FROM factor_lock") == 0
    told = await desk.say(owner, owner, "and this is talk")
    assert "refusal" not in [say.screen for say in says(told)], "the dialogue is over"


async def test_whoever_may_not_is_told_so(desk: Desk) -> None:
    lost = await employed(desk, "finance")
    await enrol(desk, lost)
    for user_id in (FINANCE, SUPPORT):
        (say,) = says(await desk.say(user_id, OPS, f"/factor reset {lost}"))
        assert say.facts["code"] == "not_permitted"
    (say,) = says(await desk.say(OWNER, OPS, "/factor reset 424242"))
    assert say.facts["code"] == "person_not_found"
    nothing = await employed(desk, "finance")
    (say,) = says(await desk.say(OWNER, OPS, f"/factor reset {nothing}"))
    assert say.facts["code"] == "factor_missing_of"
