"""Alarms as ops groups see them."""

from __future__ import annotations

from dataclasses import replace
from typing import Any, get_args
from uuid import UUID

import pytest

from core.connectors import Callback
from core.delivery.outbox import AlarmCard, Say, Stored, values_of
from core.kernel.money import Money
from core.people.alarms import Alarm, State
from core.trade.orders import Order, PaymentSeen, get_attempts
from handlers.alarms.buttons import OnAlarm
from handlers.buttons import read_button
from handlers.kit.buttons import MAX_BYTES
from handlers.orders.buttons import OnCard
from handlers.screens import ALARMS, render_alarm, render_say
from tests.handlers.alarms.examples import TROUBLES
from tests.handlers.support import FINANCE, OPS, SPRUCE, SUPPORT, SUQING, Desk, one_say
from tests.handlers.telegram_html import read_html
from tests.handlers.test_screens import LANGUAGES, MAX_WRITTEN, buttons, largest
from tests.handlers.written import AT, HOSTILE, ID

EXAMPLES = {
    kind: [values_of(one) for one in TROUBLES if one.kind() == kind]
    for kind in {one.kind() for one in TROUBLES}
}


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
        long = alarm(kind, largest(facts, "&" * MAX_WRITTEN), count=2)
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


async def test_the_evidence_of_refused_callbacks(desk: Desk, order: Order) -> None:
    (attempt, *_) = await get_attempts(desk.runtime.system.store, order.merchant_id, order.id)
    callback = Callback("POST", "", {}, b"status=SUCCESS", "203.0.113.9")
    for _ in range(14):
        await desk.runtime.trade.callbacks.receive(attempt.attempt_no, callback, request_id="x")
    (told,) = {fact.alarm_id for fact in await desk.news() if isinstance(fact, AlarmCard)}
    button = OnAlarm(UUID(told), "evidence").data()
    evidence = one_say(await desk.press(FINANCE, OPS, button))
    assert (evidence.screen, len(evidence.facts["lines"])) == ("refused_callbacks", 14)

    log, refused = await desk.press(FINANCE, OPS, OnCard(order.id, "log").data())
    assert isinstance(log, Say)
    assert isinstance(refused, Say)
    assert (log.screen, refused.screen) == ("order_log", "refused_callbacks")
    text = read_html(render_say(refused, "zh").html)
    assert text.count("203.0.113.9") == 14
    assert "未签名，内容： status=SUCCESS" in text
    # What names suppliers is not shown where others read along, or to who may not see it.
    for user_id, chat_id in ((FINANCE, SPRUCE), (SUQING, SPRUCE)):
        assert "203.0.113.9" not in str(await desk.press(user_id, chat_id, button))


async def test_the_sightings_of_a_contradiction_side_by_side(desk: Desk, order: Order) -> None:
    (attempt, *_) = await get_attempts(desk.runtime.system.store, order.merchant_id, order.id)
    for minor in (6_000, 4_000):
        seen = PaymentSeen(
            order.merchant_id, attempt.attempt_no, "U1", Money(minor, "CNY"), "reported",
            "203.0.113.7",
        )  # fmt: skip
        await desk.runtime.trade.payments.settle_payment(seen, request_id="x")
    (told,) = {fact.alarm_id for fact in await desk.news() if isinstance(fact, AlarmCard)}
    evidence = one_say(await desk.press(FINANCE, OPS, OnAlarm(UUID(told), "evidence").data()))
    text = read_html(render_say(evidence, "zh").html)
    for part in ("60.00 CNY", "40.00 CNY", "203.0.113.7", "M1001", order.order_no,
                 attempt.attempt_no, "同一支付单号两个金额", "分次支付"):  # fmt: skip
        assert part in text


async def test_parked_messages_are_shown_and_sent_again(desk: Desk) -> None:
    outbox = desk.runtime.delivery.outbox
    await outbox.say(desk.runtime.system.store, SPRUCE, Say(Stored("only_in_groups", {})))
    while leaving := await outbox.take(50):
        for one in leaving:
            await outbox.park(one, fault="Forbidden: bot was kicked")
    told = {fact.alarm_id for fact in await desk.news() if isinstance(fact, AlarmCard)}
    found = [await desk.runtime.people.alarms.get(UUID(alarm_id)) for alarm_id in told]
    (alarm_,) = [one for one in found if one.subject == str(SPRUCE)]
    shown = one_say(await desk.press(FINANCE, OPS, OnAlarm(alarm_.id, "evidence").data()))
    assert shown.screen == "parked_messages"
    assert "kicked" in render_say(shown, "zh").html

    again = OnAlarm(alarm_.id, "again")
    assert again.data() in buttons(render_alarm(alarm_, "UTC", "zh"))
    for user_id, chat_id in ((SUPPORT, OPS), (FINANCE, SPRUCE)):
        await desk.press(user_id, chat_id, again.data())
        waiting = await desk.runtime.people.parked.of_chat(SPRUCE)
        assert len(waiting) == len(shown.facts["lines"]), "who may not, sends nothing"
    await desk.press(FINANCE, OPS, again.data())
    assert "正在重发" in desk.toast
    assert await desk.runtime.people.parked.of_chat(SPRUCE) == []
    over = replace(alarm_, state="over", ended_at=AT)
    assert again.data() not in buttons(render_alarm(over, "UTC", "zh"))
