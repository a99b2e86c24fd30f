"""The trail in the chat: searched by person, number, action and day."""

from __future__ import annotations

import ast
from datetime import date
from pathlib import Path
from typing import Final, get_args

import pytest

from core.delivery.audit import Action
from core.delivery.outbox import Say
from handlers.audit.buttons import TurnAudit
from handlers.audit.screens import said_facts
from handlers.audit.words import ShowAudit
from handlers.buttons import read_button
from handlers.commands import parse
from handlers.kit.buttons import MAX_BYTES
from handlers.kit.intents import Usage
from handlers.kit.vocabulary import WORDS
from handlers.screens import render_say
from tests.handlers.dialogue import code, employed, says
from tests.handlers.support import ADMIN, FINANCE, OPERATOR, OPS, OWNER, SPRUCE, SUQING, Desk
from tests.handlers.telegram_html import read_html
from texts.days import DaySpan, Mark

ROOT: Final = Path(__file__).parents[3]
NOV_20 = Mark(2026, 11, 20)
NUMBER = "P2J0001PQ8WKRZQMHM1I"


@pytest.mark.parametrize(
    ("text", "asked"),
    [
        ("审计", ShowAudit()),
        ("/audit m1001 昨天", ShowAudit("", "M1001", "yesterday")),
        ("/audit 123456789", ShowAudit("123456789")),
        ("/audit 苏晴", ShowAudit("苏晴")),
        (f"审计 {NUMBER}", ShowAudit("", NUMBER)),
        ("/audit set_setting 2026-11-20", ShowAudit("", "set_setting", DaySpan(NOV_20, NOV_20))),
        ("/audit 1001 M1001 today", ShowAudit("1001", "M1001", "today")),
    ],
)
def test_what_is_looked_for_is_read_in_any_order(text: str, asked: ShowAudit) -> None:
    assert parse(text) == asked


@pytest.mark.parametrize(
    "text", ["/audit a b", "/audit M1001 M1002", "/audit today yesterday", "/audit a:b",
             "/audit " + "x" * 13]
)  # fmt: skip
def test_what_cannot_be_looked_for_is_answered_with_how_to_write_it(text: str) -> None:
    assert parse(text) == Usage("audit")


def test_talk_about_an_audit_is_talk() -> None:
    for text in ("审计报告", "审计一下这个商户", "审计完了"):
        assert parse(text) is None


def test_a_button_has_room_for_all_that_is_looked_for() -> None:
    day = date(2026, 11, 20)
    for who in ("", str(2**52), "苏晴苏晴"):
        for what in ("", "P" * 24, "messages_sent_again"):
            turn = TurnAudit(100, who, what, day, day)
            assert len(turn.data().encode()) <= MAX_BYTES
            assert read_button(turn.data()) == turn
            assert read_button(TurnAudit(1, who, what).data()) == TurnAudit(1, who, what)


@pytest.mark.parametrize(
    "data",
    ["aud:0::x:", "aud:101:::", "aud:1::" + "X" * 25 + ":", "aud:1:2026:x:",
     "aud:1:::" + "y" * 13, "aud:1:::#é"],
)  # fmt: skip
def test_forged_buttons_are_nobodys(data: str) -> None:
    assert read_button(data) is None


def test_each_deed_that_is_recorded_is_said_in_words() -> None:
    """`Audit.record` takes no other actions, and mypy proves it; the catalogue has the words in
    both languages."""
    assert set(get_args(Action)) == set(WORDS["trail"])


def test_each_deed_that_the_trail_knows_is_recorded_somewhere() -> None:
    said = {
        node.value
        for top in ("core", "handlers")
        for path in (ROOT / top).rglob("*.py")
        if path not in (ROOT / "core/delivery/audit.py", ROOT / "handlers/kit/trail.py")
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.Constant) and isinstance(node.value, str)
    }
    assert set(get_args(Action)) - said == set()


def test_facts_are_told_in_whole_units_and_without_ids() -> None:
    told = said_facts(
        {"voucher_id": "x", "amount_minor": -2050, "currency": "CNY", "reason": "fee", "why": "",
         "fee": {"minor": 5, "currency": "JPY"}, "alone": False, "before": False,
         "after": ["C01", "C02"], "minor": 5, "sandbox": True, "reverses_what": "1"}
    )  # fmt: skip
    assert [(one.name, one.value) for one in told] == [
        ("amount", "-20.50 CNY"), ("reason", "fee"), ("fee", "5 JPY"), ("before", "✗"),
        ("after", "C01, C02"), ("amount", "0.05 CNY"), ("sandbox", "✓"),
    ]  # fmt: skip


async def looked(desk: Desk, text: str, user_id: int = ADMIN) -> Say:
    (say,) = says(await desk.say(user_id, OPS, text))
    return say


def actions(say: Say) -> list[str]:
    return [one["action"] for one in say.facts["lines"]]


async def test_a_deed_is_found_by_person_number_action_and_day(desk: Desk) -> None:
    await desk.say(FINANCE, SPRUCE, "+1000 rent")
    await desk.say(FINANCE, SPRUCE, "/adjust M1001 -20 wrong fee")
    await desk.say(OWNER, OWNER, "/settings prepay_second 20000")
    today = actions(await looked(desk, "/audit today"))
    assert today[:3] == ["set_setting", "adjusted", "prepaid"]
    assert actions(await looked(desk, f"/audit {FINANCE} today"))[:2] == ["adjusted", "prepaid"]
    assert actions(await looked(desk, f"/audit {OWNER} today")) == ["set_setting"]
    assert actions(await looked(desk, "/audit M1001 today"))[:2] == ["adjusted", "prepaid"]
    assert actions(await looked(desk, "/audit M1002 today")) == []
    assert actions(await looked(desk, "/audit set_setting")) == ["set_setting"]
    assert actions(await looked(desk, "/audit 2020-01-01")) == []
    say = await looked(desk, "/audit adjusted today")
    text = read_html(render_say(say, "zh").html)
    assert "调账" in text
    assert "-20.00 CNY" in text
    assert "wrong fee" in text
    person = await desk.runtime.people.people.find(FINANCE)
    assert person is not None
    assert person.name in text
    assert actions(await looked(desk, f"/audit {person.name[:4]} adjusted today")) == ["adjusted"]


async def test_pages_are_turned_in_place(desk: Desk) -> None:
    for amount in range(10, 30):
        await desk.say(OWNER, OWNER, f"/settings prepay_second {60 - amount}")
    first = await looked(desk, "/audit set_setting")
    assert (len(first.facts["lines"]), first.facts["older"]) == (8, True)
    seen = [one["at"] for one in first.facts["lines"]]
    for page, count in ((2, 8), (3, 4)):
        turn = TurnAudit(page, "", "set_setting")
        (say,) = says(await desk.press(ADMIN, OPS, turn.data()))
        assert say.edit_message_id is not None
        assert (len(say.facts["lines"]), say.facts["older"]) == (count, page == 2)
        seen += [one["at"] for one in say.facts["lines"]]
    assert seen == sorted(seen, reverse=True)
    assert len(set(seen)) == 20


async def test_whoever_may_not_watch_sees_nothing_of_it(desk: Desk) -> None:
    for user_id, chat_id, why in (
        (OPERATOR, OPS, "not_permitted"), (SUQING, SPRUCE, "not_permitted"),
        (OWNER, SPRUCE, "staff_only"),
    ):  # fmt: skip
        assert code(says(await desk.say(user_id, chat_id, "/audit"))[0]) == why
        assert says(await desk.press(user_id, chat_id, TurnAudit(1).data())) == []
        assert desk.line.answers[-1].show_alert


async def test_no_secret_is_in_the_trail(desk: Desk) -> None:
    secret = "correct horse battery"
    user_id = await employed(desk, "finance")
    actor = await desk.runtime.people.access.actor(user_id, "x", user_id, private=True)
    await desk.runtime.people.factors.set_password(actor, secret)
    await desk.news()  # ops is told
    say = await looked(desk, f"/audit {user_id}")
    assert actions(say) == ["enrol_factor"]
    assert secret not in str(say)
