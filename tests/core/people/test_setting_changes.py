"""Setting a setting: what tightens counts at once, what loosens takes a second owner."""

from __future__ import annotations

from uuid import UUID

import pytest

from core.kernel.errors import Refusal
from core.people.setting_changes import DEFAULT, SettingChanged, Wanted
from tests.core.support import ADMIN, CHAT, OPS_CHAT, OWNER, Desk

OTHER_OWNER = 1009


async def change(
    desk: Desk, user_id: int, name: str, wanted: Wanted, currency: str = "", chat: int = OPS_CHAT
) -> SettingChanged | None:
    actor = await desk.actor(user_id, chat)
    return await desk.runtime.people.setting_changes.change(
        actor, name, wanted, currency, message_id=7
    )


async def asked(desk: Desk) -> UUID:
    """The newest question."""
    found: UUID = await desk.runtime.system.store.fetchval(
        "SELECT id FROM approval WHERE kind = 'setting' ORDER BY created_at DESC, id DESC LIMIT 1"
    )
    return found


async def answer(desk: Desk, user_id: int, approval_id: UUID, *, yes: bool = True) -> None:
    actor = await desk.actor(user_id, OPS_CHAT)
    await desk.runtime.people.approvals.decide(actor, approval_id, yes=yes)


@pytest.fixture(autouse=True)
async def two_owners(desk: Desk) -> None:
    await desk.runtime.people.people.employ(OTHER_OWNER, "Other", "owner")


async def test_what_tightens_counts_at_once(desk: Desk) -> None:
    settings = desk.runtime.people.settings
    changed = await change(desk, OWNER, "prepay_second", 20_000)
    assert changed is not None
    assert (changed.before, changed.after) == (50_000, 20_000)
    assert await settings.value("prepay_second") == 20_000
    assert await change(desk, OWNER, "prepay_daily", 100, "USD") is not None
    assert await settings.value("prepay_daily", "USD") == 100
    assert await settings.value("prepay_daily", "CNY") is None
    assert await asked(desk) is None


@pytest.mark.parametrize(
    ("name", "wanted", "after"),
    [
        ("prepay_second", 50_001, 50_001),
        ("prepay_second", None, None),
        ("keys_second", False, False),
    ],
)
async def test_what_loosens_waits_for_another_owner(
    desk: Desk, name: str, wanted: Wanted, after: Wanted
) -> None:
    settings = desk.runtime.people.settings
    before = await settings.value(name)
    assert await change(desk, OWNER, name, wanted) is None
    question = await asked(desk)
    for user_id, code in ((OWNER, "second_person_needed"), (ADMIN, "not_permitted")):
        with pytest.raises(Refusal) as refused:
            await answer(desk, user_id, question)
        assert refused.value.code == code
        assert await settings.value(name) == before
    await answer(desk, OTHER_OWNER, question)
    assert await settings.value(name) == after
    (row,) = await desk.runtime.system.store.fetch(
        "SELECT actor, facts FROM audit WHERE action = 'set_setting'"
    )
    assert row["actor"] == f"telegram:{OTHER_OWNER}"
    assert (row["facts"]["before"], row["facts"]["after"]) == (before, after)


async def test_a_yes_is_for_the_value_that_was_seen(desk: Desk) -> None:
    settings = desk.runtime.people.settings
    assert await change(desk, OWNER, "prepay_second", 90_000) is None
    question = await asked(desk)
    assert await change(desk, OWNER, "prepay_second", 10) is not None
    with pytest.raises(Refusal) as refused:
        await answer(desk, OTHER_OWNER, question)
    assert refused.value.code == "setting_changed"
    assert await settings.value("prepay_second") == 10
    await answer(desk, OTHER_OWNER, question, yes=False)
    assert await settings.value("prepay_second") == 10


async def test_a_reset_is_for_what_it_became_when_it_was_asked(desk: Desk) -> None:
    settings = desk.runtime.people.settings
    assert await change(desk, OWNER, "prepay_second", 10) is not None
    assert await change(desk, OWNER, "prepay_second", 5, "USD") is not None
    assert await change(desk, OWNER, "prepay_second", DEFAULT, "USD") is None
    reset = await asked(desk)
    owner = await desk.actor(OWNER, OPS_CHAT)
    async with desk.runtime.system.store.transaction() as tx:
        await settings.put(tx, owner, "prepay_second", 90_000)
    with pytest.raises(Refusal) as refused:
        await answer(desk, OTHER_OWNER, reset)
    assert refused.value.code == "setting_changed"
    assert await settings.value("prepay_second", "USD") == 5


async def test_a_default_is_loose_or_tight_as_its_value_is(desk: Desk) -> None:
    settings = desk.runtime.people.settings
    assert await change(desk, OWNER, "prepay_second", 10) is not None
    assert await change(desk, OWNER, "prepay_second", 5, "USD") is not None
    # The dollar's own row goes: what holds for all others is looser.
    assert await change(desk, OWNER, "prepay_second", DEFAULT, "USD") is None
    await answer(desk, OTHER_OWNER, await asked(desk))
    assert await settings.value("prepay_second", "USD") == 10
    assert await change(desk, OWNER, "prepay_second", DEFAULT) is None
    await answer(desk, OTHER_OWNER, await asked(desk))
    assert {one.set_by_name for one in await settings.all()} == {""}
    assert await settings.value("prepay_second", "USD") == 50_000


@pytest.mark.parametrize(
    ("user_id", "chat", "name", "wanted", "code"),
    [
        (ADMIN, OPS_CHAT, "prepay_second", 1, "not_permitted"),
        (OWNER, CHAT, "prepay_second", 1, "staff_only"),
        (OWNER, OPS_CHAT, "nothing", 1, "setting_unknown"),
        (OWNER, OPS_CHAT, "keys_second", 1, "field_invalid"),
        (OWNER, OPS_CHAT, "prepay_second", 50_000, "setting_same"),
        (OWNER, OPS_CHAT, "prepay_second", DEFAULT, "setting_same"),
    ],
)
async def test_what_cannot_be_set_is_refused(
    desk: Desk, user_id: int, chat: int, name: str, wanted: Wanted, code: str
) -> None:
    with pytest.raises(Refusal) as refused:
        await change(desk, user_id, name, wanted, chat=chat)
    assert refused.value.code == code
    assert await desk.runtime.system.store.fetchval("SELECT count(*) FROM desk_setting") == 0
