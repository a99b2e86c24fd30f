"""An instant is told on the clocks of the chat that reads it."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from aiogram.types import Message
from hypothesis import given
from hypothesis import strategies as st

from core.kernel.errors import Refusal
from handlers.kit.chat import Chats
from handlers.screens import refusal_words, render_say
from tests.core.support import instants
from tests.handlers.support import HENGTONG, OPS, OWNER, SPRUCE, Desk, one_say
from texts import minute_from

ROOT = Path(__file__).parents[2]
WAITS = datetime(2026, 11, 20, 11, 4, 0, 1, tzinfo=UTC)
# What writes a clock's time without a reader: days begin at one, channels are open and groups are
# quiet between two, a reason names the supplier's zone, and a supplier is sent one.
_WRITE_TIMES = {
    "core/supply/channels/choice.py", "core/supply/channels/hours.py",
    "core/connectors/operators.py",
    "core/accounts/onboarding/admission.py", "core/accounts/daycuts.py",
    "core/people/groups/changes.py", "core/people/groups/quiet.py",
}  # fmt: skip


@pytest.mark.parametrize("language", ["zh", "en"])
def test_a_refusal_tells_the_first_full_minute_from_which_on_it_works(language: str) -> None:
    for zone, told in (("Asia/Shanghai", "19:05"), ("Europe/Berlin", "12:05"), ("UTC", "11:05")):
        facts = {"at": WAITS.isoformat(), "zone": zone}
        said = refusal_words("approval_waits", facts, language)
        assert told in said
        assert "UTC" not in said


@given(instants(2020, 2030), st.sampled_from(["Asia/Shanghai", "Europe/Berlin", "Asia/Kathmandu"]))
def test_a_minute_is_never_before_its_instant(at: datetime, zone: str) -> None:
    for moment in (at, at.replace(second=0, microsecond=0)):
        up = next(
            full
            for n in range(2)
            if (full := moment.replace(second=0, microsecond=0) + timedelta(minutes=n)) >= moment
        )
        assert minute_from(moment, zone) == minute_from(up, zone)
        assert minute_from(up, "UTC") == f"{up:%H:%M}"


async def test_each_chat_reads_its_own_clocks(desk: Desk) -> None:
    await desk.say(OWNER, OPS, "时区 Europe/Berlin")
    runtime = desk.runtime
    chats = Chats(
        runtime.system.store,
        runtime.system.clock,
        runtime.ledger,
        runtime.delivery,
        runtime.parties,
        runtime.people,
    )
    for chat_id, told in ((OPS, "12:05"), (OWNER, "12:05"), (SPRUCE, "19:05"), (HENGTONG, "19:05")):
        refusal = Refusal("approval_waits", at=WAITS.isoformat())
        message = Message.model_validate(desk.message(OWNER, chat_id, text="x"))
        assert message.from_user is not None
        actor = await chats.actor(message.from_user, message)
        await chats.of(actor, message).refuse_with(refusal)
        said = one_say(await desk.news())
        assert told in render_say(said, "zh").html, chat_id


def test_no_screen_has_a_zone_of_its_own() -> None:
    for path in (ROOT / "handlers").glob("*/templates/*.html"):
        text = path.read_text(encoding="utf-8")
        assert not re.search(r"(short_time|instant)\([^)]*[\"'][A-Z]", text), path.name
        assert "UTC" not in text, path.name
    clocks = re.compile(r":%H|strftime")
    files = (path for path in (ROOT / "core").rglob("*.py") if clocks.search(path.read_text()))
    assert {str(path.relative_to(ROOT)) for path in files} == _WRITE_TIMES
