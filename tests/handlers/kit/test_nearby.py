"""What is close to a command, and what is talk."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from handlers.commands import COMMANDS, PARSER, parse
from handlers.kit.intents import Near
from handlers.kit.nearby import MAX_NEAR, distance
from handlers.kit.parser import addressee_of

FORMS = {form: command.name for form, command in COMMANDS.by_form.items() if not form.isascii()}
LONG_FORMS = sorted(form for form in FORMS if len(form) > 2)
TALK = (
    "好的", "收到", "成功了", "成功吗", "谢谢老板", "在吗", "到账了没", "这个单怎么还没付", "ok",
    "thanks", "please help me", "order some food", "late", "post", "hello", "Bill said so",
    "今天账单什么时候出", "账单怎么还没出", "帐单怎么还没出", "稍等一下", "辛苦", "早上好",
    "补了吗",
    "+1", "👍", "1", "？", "预付多少", "请稍等", "明天再说", "rate us five stars", "没有问题",
    "余额不足了怎么办", "已经付款了", "客户说没到", "再等等", "嗯嗯", "行", "这是什么情况",
)  # fmt: skip


def meant(text: str) -> list[str]:
    found = PARSER.nearby(text)
    return [] if found is None else [one.written for one in found.near]


@given(
    form=st.sampled_from(LONG_FORMS), place=st.integers(0, 9), other=st.sampled_from("好大小个多"),
    how=st.sampled_from(("changed", "missing", "more", "swapped")),
)  # fmt: skip
def test_a_slip_in_a_chinese_form_is_understood(
    form: str, place: int, other: str, how: str
) -> None:
    place %= len(form) - 1
    slip = {
        "changed": form[:place] + other + form[place + 1 :],
        "missing": form[:place] + form[place + 1 :],
        "more": form[:place] + other + form[place:],
        "swapped": form[:place] + form[place + 1] + form[place] + form[place + 2 :],
    }[how]
    if parse(slip) is None:
        assert FORMS[form] in [one.command for one in near_of(slip)] or len(near_of(slip)) > 1


def near_of(text: str) -> tuple[Near, ...]:
    found = PARSER.nearby(text)
    return () if found is None else found.near


@given(
    name=st.sampled_from(sorted(name for name in COMMANDS.by_name if len(name) > 4)),
    place=st.integers(0, 30), letter=st.sampled_from("abcdefghijklmnopqrstuvwxyz_"),
    how=st.sampled_from(("changed", "missing", "more", "swapped")), slash=st.booleans(),
    after=st.sampled_from(("", " M1001", " 11-01~11-20")),
)  # fmt: skip
def test_a_slip_in_a_name_is_understood(
    name: str, place: int, letter: str, how: str, slash: bool, after: str
) -> None:
    place %= len(name) - 1
    slip = {
        "changed": name[:place] + letter + name[place + 1 :],
        "missing": name[:place] + name[place + 1 :],
        "more": name[:place] + letter + name[place:],
        "swapped": name[:place] + name[place + 1] + name[place] + name[place + 2 :],
    }[how]
    found = PARSER.nearby(("/" if slash else "") + slip + after)
    assert found is not None
    assert found.slash == slash
    near = [one.command for one in found.near]
    assert name in near or len(near) == MAX_NEAR
    assert slip != name or near[0] == name


@pytest.mark.parametrize(
    ("text", "written"),
    [
        ("帳單", "账单"), ("帐单", "账单"), ("今日帐单", "今日账单"), ("单查", "查单"),
        ("查余额", "查询余额"), ("查詢餘額", "查询余额"), ("調帳 M1001 -20", "调账"),
        ("帐单 11-01~11-20", "账单"), ("bill", "/bill"), ("rates M1001", "/rates"),
        ("/账单", "账单"), ("/bil", "bill"), ("/balanc", "balance"), ("/stat", "stats"),
    ],
)  # fmt: skip
def test_what_is_meant(text: str, written: str) -> None:
    assert parse(text) is None
    assert written in meant(text), meant(text)


@pytest.mark.parametrize("text", TALK)
def test_talk_is_left_alone(text: str) -> None:
    assert PARSER.nearby(text) is None


def test_no_form_of_a_command_is_near_itself() -> None:
    for form, name in FORMS.items():
        assert parse(form) is not None
        assert not [one for one in near_of(f"{form}怎么还没有") if name == one.command]


def test_a_command_for_another_bot_is_nobody_elses_business() -> None:
    assert PARSER.nearby("/weather@other_bot", "paydesk_bot") is None
    assert PARSER.nearby("/weather@Paydesk_Bot", "paydesk_bot") is not None
    assert PARSER.nearby("/ ", "paydesk_bot") is None
    for text in ("/balance", "+1000 me@shop.example", "@other_bot /balance", ""):
        assert addressee_of(text) == ""
    for mark in ("@", "＠"):
        for text in (f"/balance{mark}other_bot", f"\u200b／balance{mark}other_bot\tUSD"):
            assert addressee_of(text) == "other_bot"
            assert parse(text, "paydesk_bot") is None
            assert PARSER.nearby(text, "paydesk_bot") is None


@pytest.mark.parametrize("text", ["\u200b/ordr", "\ufeff／ordr", "/ordr\t123", "/ordr\u00a0123"])
def test_marks_and_blanks_of_any_kind_do_not_silence_a_command(text: str) -> None:
    found = PARSER.nearby(text)
    assert found is not None
    assert (found.text, found.slash) == ("/ordr", True)
    assert meant(text) == ["order", "orders"]


@given(st.text(max_size=80))
def test_nothing_makes_it_fail_and_what_is_said_is_bounded(text: str) -> None:
    for said in (text, f"/{text}"):
        found = PARSER.nearby(said)
        if found is not None:
            assert len(found.near) <= MAX_NEAR
            assert len(found.text) <= 40
            assert found.slash or found.near


@given(st.text("abc", max_size=7), st.text("abc", max_size=7))
def test_distance_is_one(one: str, other: str) -> None:
    far = distance(one, other)
    assert far == distance(other, one)
    assert (far == 0) == (one == other)
    assert abs(len(one) - len(other)) <= far <= max(len(one), len(other))
