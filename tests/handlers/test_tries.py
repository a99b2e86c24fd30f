"""What the demo's chat page offers to try is what that person may say there."""

from __future__ import annotations

import pytest

from bot.demo.tries import PRIVATE, tries
from bot.world import GROUPS, USERS, DemoGroup, User
from core.delivery.outbox import Fact, Say
from core.people.people import STAFF_ROLES
from handlers.commands import parse
from handlers.files.words import Export
from handlers.kit.intents import Changing
from tests.handlers.support import NEW, OPS, SPRUCE, Desk

TRIES = tries(USERS, GROUPS)
# One who may do everything, one who may do little, and the other sides.
SPEAKERS = [user for user in USERS if user.role not in ("admin", "finance")]


def codes(told: list[Fact]) -> set[str]:
    """Why what was said was refused."""
    return {
        str(fact.facts["code"])
        for fact in told
        if isinstance(fact, Say) and fact.screen == "refusal"
    }


def _there(user: User, group: DemoGroup) -> bool:
    """Of two merchants' groups that offer staff the same, one is enough."""
    return user.id in group.members and not (user.role in STAFF_ROLES and group.bound == "M1002")


@pytest.mark.parametrize("user", SPEAKERS, ids=lambda user: f"{user.role} {user.id}")
async def test_what_is_offered_is_answered_and_not_refused(desk: Desk, user: User) -> None:
    chats = {g.chat_id: TRIES[str(g.chat_id)] for g in GROUPS if _there(user, g)}
    offered = 0
    for chat_id, by_role in {user.id: TRIES[PRIVATE], **chats}.items():
        for one in by_role.get(user.role, ()):
            offered += 1
            if chat_id == NEW and isinstance(parse(one["text"]), Changing):
                continue  # it is bound to one of them
            told = await desk.say(user.id, chat_id, one["text"])
            assert codes(told) == set(), (chat_id, one["text"])
            # A file comes when it is made.
            assert told or isinstance(parse(one["text"]), Export), (chat_id, one["text"])
    assert offered >= (10 if user.role not in STAFF_ROLES else 30)


def test_each_kind_of_chat_has_something_for_everybody_in_it() -> None:
    for group in GROUPS:
        there = {user.role for user in USERS if user.id in group.members}
        assert TRIES[str(group.chat_id)].keys() == there
        for words in TRIES[str(group.chat_id)].values():
            assert len({one["text"] for one in words}) == len(words) >= 3
            assert all(one["what"] for one in words)


def test_what_staff_says_among_itself_is_not_offered_where_others_read() -> None:
    in_ops = {one["text"] for one in TRIES[str(OPS)]["owner"]}
    in_theirs = {one["text"] for one in TRIES[str(SPRUCE)]["owner"]}
    assert {"通道", "商户"} <= in_ops
    assert not {"通道", "商户"} & in_theirs
    theirs = {one["text"] for one in TRIES[str(SPRUCE)]["merchant_staff"]}
    assert "+1000" in in_theirs - theirs
