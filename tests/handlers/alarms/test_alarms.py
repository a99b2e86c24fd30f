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
from core.supply.channels import AlarmChannel
from core.trade.notifications import AlarmExhausted
from core.trade.orders import Order, PaymentSeen, get_attempts
from handlers.alarms.buttons import CareFor, OnAlarm, TurnAlarms
from handlers.buttons import read_button
from handlers.channels.buttons import OnChannel
from handlers.kit.buttons import MAX_BYTES
from handlers.orders.buttons import OnCard
from handlers.screens import ALARMS, render_alarm, render_say
from tests.handlers.alarms.examples import TROUBLES
from tests.handlers.support import (
    ADMIN,
    FINANCE,
    NORTHWIND,
    OPERATOR,
    OPS,
    SPRUCE,
    STRANGER,
    SUPPORT,
    SUQING,
    Desk,
    button_data,
    labelled,
    name_of,
    one_say,
)
from tests.handlers.telegram_html import read_html
from tests.handlers.test_screens import LANGUAGES, MAX_WRITTEN, buttons, largest
from tests.handlers.written import AT, HOSTILE, ID

EXAMPLES = {
    kind: [values_of(one) for one in TROUBLES if one.kind() == kind]
    for kind in {one.kind() for one in TROUBLES}
}


def alarm(kind: str, facts: dict[str, Any], state: State = "standing", count: int = 1) -> Alarm:
    ended_at = None if state == "standing" else AT
    return Alarm(ID, kind, "S01", state, facts, kind != "factor", count, AT, AT, ended_at)


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
    told = {fact.alarm_id for fact in await desk.news() if isinstance(fact, AlarmCard)}
    found = [await desk.runtime.people.alarms.get(UUID(alarm_id)) for alarm_id in told]
    (alarm_,) = [one for one in found if one.kind == "contradiction"]
    evidence = one_say(await desk.press(FINANCE, OPS, OnAlarm(alarm_.id, "evidence").data()))
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
    while leaving := await outbox.take(50):
        for one in leaving:
            await outbox.park(one, fault="Forbidden: bot was kicked")
    await desk.news()
    shown = one_say(await desk.press(FINANCE, OPS, OnAlarm(alarm_.id, "evidence").data()))
    drop = labelled(shown, "Give up")
    assert drop not in buttons(render_alarm(alarm_, "UTC", "zh")), "only where they are seen"
    await desk.press(SUPPORT, OPS, drop)
    await desk.press(FINANCE, SPRUCE, drop)
    assert len(await desk.runtime.people.parked.of_chat(SPRUCE)) == len(shown.facts["lines"])
    await desk.press(FINANCE, OPS, drop)
    assert "已放弃" in desk.toast
    assert await desk.runtime.people.parked.of_chat(SPRUCE) == []
    assert (await desk.runtime.people.alarms.get(alarm_.id)).state == "over"
    over = replace(alarm_, state="over", ended_at=AT)
    assert again.data() not in buttons(render_alarm(over, "UTC", "zh"))


async def paused_channel(desk: Desk) -> Alarm:
    """C01 is paused, and its alarm stands."""
    runtime = desk.runtime
    await runtime.system.store.execute(
        "UPDATE channel SET paused_at = now(), paused_until = now() + interval '1 hour',"
        " paused_why = 'HTTP 500' WHERE channel_no = 'C01'"
    )
    trouble = AlarmChannel("C01", "QR", "S01", minutes=60, tried=True, said="HTTP 500")
    async with runtime.system.store.transaction() as tx:
        await runtime.people.alarms.sound(tx, trouble, "C01")
    (told,) = {fact.alarm_id for fact in await desk.news() if isinstance(fact, AlarmCard)}
    return await runtime.people.alarms.get(UUID(told))


def card_buttons(alarm_: Alarm) -> list[str]:
    return buttons(render_alarm(alarm_, "Asia/Shanghai", "zh"))


async def test_a_channels_alarm_is_taken_looked_at_and_resumed(desk: Desk) -> None:
    runtime, told = desk.runtime, await paused_channel(desk)
    resume, off, take = (CareFor(told.id, care).data() for care in ("resume", "off", "take"))
    why = OnChannel("C01", "open").data()
    assert card_buttons(told) == [why, resume, off, take]
    assert one_say(await desk.press(FINANCE, OPS, why)).screen == "channel"

    await desk.press(FINANCE, OPS, take)
    assert "由您处理" in desk.toast
    taken = await runtime.people.alarms.get(told.id)
    text = read_html(render_alarm(taken, "Asia/Shanghai", "zh").html)
    assert f"🙋 {name_of(FINANCE)} 处理中" in text
    # Who may not change channels is refused, and the pause stands.
    await desk.press(SUPPORT, OPS, resume)
    assert desk.line.answers[-1].show_alert
    assert (await runtime.supply.channels.by_no("C01")).paused_at is not None
    await desk.press(ADMIN, OPS, resume)
    assert (await runtime.supply.channels.by_no("C01")).paused_at is None
    over = await runtime.people.alarms.get(told.id)
    assert (over.state, over.taken_by) == ("over", FINANCE)
    assert card_buttons(over) == [why]


async def test_a_channel_is_switched_off_from_its_alarm_and_by_words(desk: Desk) -> None:
    runtime, told = desk.runtime, await paused_channel(desk)
    await desk.press(ADMIN, OPS, CareFor(told.id, "off").data())
    assert (await runtime.supply.channels.by_no("C01")).state == "off"
    assert (await runtime.people.alarms.get(told.id)).state == "over"
    await desk.say(ADMIN, OPS, "/channel C01 on")
    again = await paused_channel(desk)
    await desk.say(ADMIN, OPS, "通道 C01 恢复")
    assert (await runtime.people.alarms.get(again.id)).state == "over"


async def test_the_list_of_alarms_opens_takes_and_ends_them(desk: Desk) -> None:
    runtime = desk.runtime
    assert "目前没有告警" in render_say(await desk.said(FINANCE, OPS, "告警"), "zh").html
    await paused_channel(desk)
    async with runtime.system.store.transaction() as tx:
        trouble = AlarmExhausted("P1", "https://x.test/n", tries=13)
        await runtime.people.alarms.sound(tx, trouble, "M1001", times=3)
    await desk.news()
    listed = await desk.said(FINANCE, FINANCE, "/alarms")
    text = read_html(render_say(listed, "zh").html)
    assert "当前告警 · 2" in text
    assert text.index("1. ") < text.index("2. ")
    assert "3 次" in text

    data = button_data(listed, 1)  # the second one
    opened = one_say(await desk.press(FINANCE, FINANCE, data, message_id=60))
    assert (opened.screen, opened.remember) == ("one_alarm", "alarm")
    assert (await runtime.people.alarms.get(UUID(opened.ref))).kind == "exhausted"
    (shown,) = [
        fact
        for fact in await desk.press(FINANCE, FINANCE, button_data(opened), message_id=61)
        if isinstance(fact, Say)
    ]
    assert (shown.screen, shown.edit_message_id) == ("one_alarm", 61)
    assert "处理中" in render_say(shown, "zh").html
    listed = one_say(await desk.press(FINANCE, FINANCE, TurnAlarms(1).data(), message_id=60))
    assert f"🙋 {name_of(FINANCE)}" in read_html(render_say(listed, "zh").html)

    await desk.press(FINANCE, OPS, labelled(opened, "Dealt with"))
    over = await runtime.people.alarms.get(UUID(opened.ref))
    assert (over.state, over.ended_by_name) == ("over", name_of(FINANCE))
    text = read_html(render_alarm(over, "UTC", "en").html)
    assert text.endswith(f"· {name_of(FINANCE)}")


async def test_who_looks_like_a_colleague_is_told_and_warned_of(desk: Desk) -> None:
    """Whether that one speaks, presses or only comes; strangers are answered nothing."""
    like = {"id": STRANGER, "is_bot": False, "first_name": "王", "last_name": "浩"}
    await desk.feed(message=desk.message(SUQING, SPRUCE, new_chat_members=[like]))
    (alarm_,) = [
        await desk.runtime.people.alarms.get(UUID(fact.alarm_id))
        for fact in await desk.news()
        if isinstance(fact, AlarmCard)
    ]
    await desk.feed(message={**desk.message(STRANGER, NORTHWIND, text="hello"), "from": like})
    again = await desk.runtime.people.alarms.get(alarm_.id)
    assert (again.kind, again.count) == ("lookalike", 2)
    text = read_html(render_alarm(again, "UTC", "zh").html)
    assert "王浩" in text
    assert str(STRANGER) in text
    await desk.news()
    for who, chat_id in ((SUQING, SPRUCE), (OPERATOR, SPRUCE)):
        assert await desk.press(who, chat_id, CareFor(alarm_.id, "warn").data()) == []
    (warning,) = [
        fact
        for fact in await desk.press(OPERATOR, OPS, CareFor(alarm_.id, "warn").data())
        if isinstance(fact, Say)
    ]
    assert warning.screen == "lookalike_warning"
    await desk.press(OPERATOR, OPS, CareFor(alarm_.id, "know").data())
    assert "认识" in desk.toast
    assert (await desk.runtime.people.alarms.get(alarm_.id)).state == "over"
