"""Alarms as ops groups see them."""

from __future__ import annotations

from dataclasses import replace
from typing import Any, get_args

import pytest

from core.alarms import Alarm, State
from handlers.buttons import MAX_BYTES, read_button
from handlers.screens import ALARMS, render_alarm
from handlers.screens.words import WORDS
from tests.handlers.telegram_html import read_html
from tests.handlers.test_screens import AT, HOSTILE, ID, LANGUAGES, MAX_WRITTEN, buttons, largest

EXAMPLES: dict[str, list[dict[str, Any]]] = {
    "books": [{"differences": count, "first": HOSTILE} for count in (1, 7)],
    "job": [{"job": job, "failures": 5, "fault": HOSTILE} for job in WORDS["job"]],
}  # fmt: skip


def alarm(kind: str, facts: dict[str, Any], state: State = "standing", count: int = 1) -> Alarm:
    ended_at = None if state == "standing" else AT
    return Alarm(ID, kind, "S01", state, facts, count, AT, AT, ended_at)


def test_every_kind_has_an_example() -> None:
    assert set(EXAMPLES) == set(ALARMS)


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("kind", sorted(ALARMS))
def test_alarms_are_telegrams_html_whatever_they_tell_of(kind: str, language: str) -> None:
    for facts in EXAMPLES[kind]:
        for state in get_args(State):
            for count in (1, 40):
                told = alarm(kind, facts, state, count)
                screen = render_alarm(told, "Asia/Shanghai", language)
                text = read_html(screen.html)
                assert "None" not in text
                if HOSTILE in str(list(facts.values())):
                    assert "<b>&amp;" in text
                for data in buttons(screen):
                    assert len(data.encode()) <= MAX_BYTES
                    assert (found := read_button(data)) is not None
                    assert found.data() == data
        long = alarm(kind, largest(facts, MAX_WRITTEN), count=2)
        text = read_html(render_alarm(long, "Asia/Shanghai", language).html)
        assert len(text.encode("utf-16-le")) // 2 <= 4096


def test_an_alarm_says_how_often_since_when_and_when_it_was_over() -> None:
    once = alarm("books", EXAMPLES["books"][0])
    text = read_html(render_alarm(once, "Asia/Shanghai", "zh").html)
    assert "11-21 09:03:27" in text
    assert "次" not in text
    often = replace(once, count=14)
    assert "14 次 · 11-21 09:03:27 – " in read_html(render_alarm(often, "Asia/Shanghai", "zh").html)
    over = replace(often, state="over", ended_at=AT)
    assert "✅ 已解除 11-21 01:03:27" in read_html(render_alarm(over, "UTC", "zh").html)
