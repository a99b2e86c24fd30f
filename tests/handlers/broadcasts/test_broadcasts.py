"""Broadcasts in the chat: written in reply to one of one's own messages, seen through on a card."""

from __future__ import annotations

import csv
import io
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest

from core.delivery.outbox import BroadcastCard, Copy, Fact, Say, TextFile
from core.kernel.errors import Refusal
from core.people.broadcasts import Broadcast, BroadcastView, Content, Counts, Failure, Plan
from core.people.groups import Audience
from handlers.broadcasts.buttons import OnBroadcast, PickTarget, TurnResults, TurnTargets
from handlers.broadcasts.screens import progress_bar, render_broadcast
from handlers.broadcasts.words import read_moment
from handlers.screens import render_say
from tests.handlers.support import ADMIN, OPERATOR, OPS, SPRUCE, Desk, one_say
from tests.handlers.telegram_html import read_html
from tests.handlers.written import AT, HOSTILE, ID

ORIGINAL = {
    "message_id": 77,
    "date": 0,
    "chat": {"id": ADMIN, "type": "private"},
    "from": {"id": ADMIN, "is_bot": False, "first_name": "Chen"},
    "text": "new bank",
}
SHANGHAI = "Asia/Shanghai"


async def write(desk: Desk, words: str = "群发商户", **original: Any) -> list[Fact]:
    return await desk.say(ADMIN, ADMIN, words, reply_to_message={**ORIGINAL, **original})


async def newest(desk: Desk) -> BroadcastView:
    row = await desk.runtime.system.store.fetchval("SELECT id FROM broadcast ORDER BY no DESC")
    view = await desk.runtime.people.broadcasts.view(row)
    assert view is not None
    return view


async def press(desk: Desk, action: Any, user_id: int = ADMIN) -> list[Fact]:
    broadcast_id = (await newest(desk)).broadcast.id
    return await desk.press(user_id, user_id, OnBroadcast(broadcast_id, action).data())


async def test_a_reply_to_ones_own_message_makes_a_draft(desk: Desk) -> None:
    (card,) = await write(desk)
    assert isinstance(card, BroadcastCard)
    view = await newest(desk)
    assert view.broadcast.content == Content(ADMIN, 77, "text", "new bank")
    assert (view.broadcast.state, view.broadcast.audience.aim) == ("draft", "merchants")
    for words, audience in (
        ("群发全部", Audience("all")),
        ("/broadcast suppliers", Audience("suppliers")),
        ("群发", Audience("picked")),
    ):
        await write(desk, words)
        assert (await newest(desk)).broadcast.audience == audience


async def test_what_is_formatted_stays_so_and_what_has_no_words_is_copied(desk: Desk) -> None:
    bold = [{"type": "bold", "offset": 0, "length": 3}]
    await write(desk, entities=bold)
    assert (await newest(desk)).broadcast.content.words == "<b>new</b> bank"
    photo = [{"file_id": "f", "file_unique_id": "u", "width": 1, "height": 1}]
    await write(desk, text=None, caption="look", photo=photo)
    content = (await newest(desk)).broadcast.content
    assert (content.kind, content.words, content.items) == ("photo", "look", (("photo", "f"),))
    dice = {"emoji": "🎲", "value": 3}
    await write(desk, text=None, dice=dice)
    assert (await newest(desk)).broadcast.content.kind == "other"


def picture(name: str) -> list[dict[str, Any]]:
    return [{"file_id": name, "file_unique_id": name, "width": 1, "height": 1}]


async def test_of_an_album_all_is_sent_whichever_part_is_named(desk: Desk) -> None:
    for user_id in (ADMIN, OPERATOR):
        for name in ("a", "b", "c"):
            caption = "P1 <three>" if name == "b" else None
            said = desk.message(
                user_id, user_id, photo=picture(name), media_group_id="g1", caption=caption
            )  # fmt: skip
            await desk.feed(message=said)
            await desk.feed(message=said)
    await desk.news()
    await write(desk, text=None, photo=picture("c"), media_group_id="g1")
    content = (await newest(desk)).broadcast.content
    assert content.items == (("photo", "a"), ("photo", "b"), ("photo", "c"))
    assert content.words == "P1 &lt;three&gt;"
    albums = desk.runtime.delivery.albums
    assert await albums.pieces(OPERATOR, "g1") == (), "who may not send one"


async def test_without_a_reply_it_says_how_it_is_written(desk: Desk) -> None:
    assert (await desk.said(ADMIN, ADMIN, "群发全部")).screen == "usage"
    refusal = await desk.said(ADMIN, OPS, "群发全部")
    assert refusal.facts["code"] == "private_only"
    refusal = await desk.said(OPERATOR, OPERATOR, "/broadcasts")
    assert refusal.facts["code"] == "not_permitted"
    assert await desk.say(ADMIN, SPRUCE, "群发全部的消息") == []


async def test_the_card_is_pressed_to_its_end(desk: Desk) -> None:
    await write(desk)
    for action in ("all", "suppliers", "merchants", "pin", "unpin", "pin", "now"):
        await press(desk, action)
    view = await newest(desk)
    assert (view.broadcast.audience.aim, view.broadcast.pin) == ("merchants", True)
    tried = await press(desk, "test")
    assert [fact for fact in tried if isinstance(fact, Copy)] == [Copy(ADMIN, 77)]
    await press(desk, "send")
    await press(desk, "send")
    assert "B" in desk.toast
    await press(desk, "stop")
    view = await newest(desk)
    assert view.broadcast.state == "stopped"
    assert view.counts.stopped == view.counts.total > 0
    await press(desk, "retry")
    assert (await newest(desk)).broadcast.state == "running"


async def test_chats_are_picked_by_pressing_and_found_by_their_names(desk: Desk) -> None:
    await write(desk, "群发")
    shown = one_say(await press(desk, "pick"))
    assert shown.screen == "broadcast_targets"
    view = await newest(desk)
    group = await desk.runtime.people.groups.find(SPRUCE)
    assert group is not None
    pick = PickTarget(view.broadcast.id, group.no, 1).data()
    await desk.press(ADMIN, ADMIN, pick)
    assert (await newest(desk)).broadcast.audience.chat_ids == (SPRUCE,)
    await desk.press(ADMIN, ADMIN, pick)
    assert (await newest(desk)).broadcast.audience.chat_ids == ()
    question = one_say(await press(desk, "search"))
    assert "哪些群" in render_say(question, "zh").html
    found = await desk.said(ADMIN, ADMIN, "云杉")
    assert [line["no"] for line in found.facts["lines"]] == [group.no]
    turned = await desk.press(ADMIN, ADMIN, TurnTargets(view.broadcast.id, 1, "M1001").data())
    assert one_say(turned).facts["search"] == "M1001"


async def test_when_it_is_sent_is_asked_in_private(desk: Desk) -> None:
    await write(desk)
    question = one_say(await press(desk, "time"))
    assert SHANGHAI in render_say(question, "en").html
    wrong = await desk.said(ADMIN, ADMIN, "soon")
    assert wrong.facts["code"] == "answer_unreadable"
    await desk.say(ADMIN, ADMIN, "明天 09:00")
    starts_at = (await newest(desk)).broadcast.starts_at
    assert starts_at is not None
    assert (starts_at.hour, starts_at.minute) == (1, 0)


async def test_the_result_in_each_chat_is_turned_and_sent_as_a_file(desk: Desk) -> None:
    await write(desk, "群发全部")
    await press(desk, "send")
    broadcast = (await newest(desk)).broadcast
    await desk.runtime.system.store.execute(
        "UPDATE broadcast_target SET state = 'failed', fault = '=1+1', done_at = now()"
        " WHERE chat_id = $1",
        SPRUCE,
    )
    shown = one_say(await press(desk, "results"))
    total = (await newest(desk)).counts.total
    assert shown.facts["total"] == total > 1
    first = read_html(render_say(shown, "zh").html).splitlines()
    assert "=1+1" in first[2], "what somebody has to think of comes first"
    turned = await desk.press(ADMIN, ADMIN, TurnResults(broadcast.id, 99).data())
    assert one_say(turned).edit_message_id is not None
    (file,) = [fact for fact in await press(desk, "file") if isinstance(fact, TextFile)]
    rows = list(csv.reader(io.StringIO(file.text.removeprefix("\ufeff"))))
    assert file.name == f"B{broadcast.no}.csv"
    assert len(rows) == total + 1
    assert rows[1][4] == "\t=1+1", "no spreadsheet carries it out"
    refused = await press(desk, "results", OPERATOR)
    assert [fact for fact in refused if isinstance(fact, Say)] == []


async def test_a_retry_says_how_many_are_tried_again(desk: Desk) -> None:
    await write(desk)
    await press(desk, "send")
    await press(desk, "stop")
    stopped = (await newest(desk)).counts.stopped
    await press(desk, "retry")
    assert str(stopped) in desk.toast
    actions = await desk.runtime.system.store.fetchval("SELECT array_agg(action) FROM audit")
    assert "retry_broadcast" in actions


async def test_what_was_sent_is_listed_and_opened(desk: Desk) -> None:
    await write(desk)
    listed = await desk.said(ADMIN, OPS, "消息管理")
    no = (await newest(desk)).broadcast.no
    assert f"B{no}" in render_say(listed, "zh").html
    (card,) = await desk.say(ADMIN, ADMIN, f"/broadcasts b{no}")
    assert card == BroadcastCard(str((await newest(desk)).broadcast.id))
    missing = await desk.said(ADMIN, ADMIN, "消息管理 B999")
    assert missing.facts["code"] == "broadcast_not_found"


@pytest.mark.parametrize("language", ["zh", "en"])
def test_the_card_shows_how_it_stands(language: str) -> None:
    draft = Broadcast(
        ID, 12, "draft", "send", Content(1, 2, "text", f"<b>{HOSTILE.replace('<', '&lt;')}</b>"),
        Audience("segment", HOSTILE), True, AT, 1, HOSTILE, AT, None,
    )  # fmt: skip
    plan = Plan(500, 3, 20, AT, 17)
    counts = Counts(sent=400, failed=30, left=70)
    failures = tuple(Failure(n, HOSTILE, "Forbidden") for n in range(20))
    views = (
        BroadcastView(draft, plan, Counts(), None, ()),
        BroadcastView(draft, Plan(0, 0, 0, None, 0), Counts(), None, ()),
        BroadcastView(replace(draft, state="running"), None, counts, AT, failures),
        BroadcastView(replace(draft, state="done", ended_at=AT), None, counts, None, failures),
        BroadcastView(replace(draft, state="stopped", task="revise"), None, counts, None, ()),
        BroadcastView(replace(draft, state="done", task="withdraw"), None, counts, None, ()),
        BroadcastView(replace(draft, state="dropped"), None, Counts(), None, ()),
    )
    shown = [render_broadcast(view, SHANGHAI, language) for view in views]
    texts = [read_html(screen.html) for screen in shown]
    assert len(set(texts)) == len(texts)
    assert [text for text in texts if "B12" not in text or "None" in text] == []
    assert "500" in texts[0]
    assert "0:17" in texts[0]
    assert "86%" in texts[2]
    assert "400" in texts[2]
    assert [screen.keyboard is not None for screen in shown] == [True] * 6 + [False]


def test_the_bar_fills_up() -> None:
    assert progress_bar(Counts()) == "⬜" * 10
    assert progress_bar(Counts(sent=5, left=5)) == "🟩" * 5 + "⬜" * 5
    assert progress_bar(Counts(sent=9, failed=1)) == "🟩" * 10


@pytest.mark.parametrize(
    ("text", "means"),
    [
        ("09:00", "2026-11-30T01:00"),
        ("23：30", "2026-11-29T15:30"),
        ("明天 09:00", "2026-11-30T01:00"),
        ("tomorrow 9:05", "2026-11-30T01:05"),
        ("12-01 10:00", "2026-12-01T02:00"),
        ("11-01 10:00", "2027-11-01T02:00"),
        ("2026-12-24 18:00", "2026-12-24T10:00"),
        ("09:00 europe/berlin", "2026-11-30T08:00"),
        ("明天 09:00 UTC", "2026-11-30T09:00"),
        ("25:00", None),
        ("02-30 10:00", None),
        ("soon", None),
        ("9", None),
    ],
)
def test_times_are_read_on_the_clocks_of_a_zone(text: str, means: str | None) -> None:
    now = datetime(2026, 11, 29, 12, tzinfo=UTC)  # 20 o'clock in Shanghai
    at = read_moment(text, now, SHANGHAI)
    shown = None if at is None else at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M")
    assert shown == means


def test_a_zone_that_is_none_is_named() -> None:
    with pytest.raises(Refusal) as error:
        read_moment("09:00 Mars/Olympus", AT, SHANGHAI)
    assert error.value.code == "zone_unknown"
