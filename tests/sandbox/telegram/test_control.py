"""The control listener and the chat page's own interface."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.sandbox.telegram.room import ANN, BEN, EVE, GROUP, PAGE_TOKEN, SIDE, Room, eventually


@pytest.mark.parametrize("path", ["", "state", "wrong-token-of-same-size/state", "x/act"])
async def test_without_the_token_there_is_nothing(room: Room, path: str) -> None:
    base = room.urls["control"].rsplit("/", 1)[0]
    for request in (room.http.get(f"{base}/{path}"), room.http.post(f"{base}/{path}", json={})):
        async with request as response:
            assert (response.status, await response.read()) == (404, b"")


@pytest.mark.parametrize("url", ["control", "page"])
async def test_a_foreign_host_name_sees_nothing(room: Room, url: str) -> None:
    path = "/state" if url == "control" else ""
    headers = {"Host": "rebound.example:80"}
    async with room.http.get(room.urls[url] + path, headers=headers) as response:
        assert (response.status, await response.read()) == (404, b"")


@pytest.mark.parametrize(
    ("what", "status", "words"),
    [
        ({"as": 5, "chat_id": GROUP, "text": "x"}, 404, "no person 5"),
        ({"as": ANN, "chat_id": 5, "text": "x"}, 404, "no chat 5"),
        ({"as": EVE, "chat_id": GROUP, "text": "x"}, 403, "Eve is not in this chat"),
        ({"as": ANN, "chat_id": GROUP}, 400, "say what to do"),
        ({"as": ANN, "chat_id": GROUP, "text": "  "}, 400, "text must be"),
        ({"as": ANN, "chat_id": GROUP, "text": "x", "reply_to": 9}, 404, "no message 9"),
        ({"as": ANN, "chat_id": GROUP, "photo": "eA=="}, 400, "not an image"),
        ({"as": BEN, "chat_id": GROUP, "text": "x", "anonymous": True}, 403, "administrator"),
        ({"as": ANN, "chat_id": GROUP, "press": {"message_id": 9}}, 404, "no message 9"),
        ({"as": ANN, "chat_id": GROUP, "album": []}, 400, "2 to 10"),
    ],
)
async def test_a_refused_act_says_what_to_do(
    room: Room, what: dict[str, Any], status: int, words: str
) -> None:
    answer = await room.control("act", what, status)
    assert words in answer["error"]


async def test_a_missing_button_lists_those_that_are_there(room: Room) -> None:
    row = [{"text": "Pay", "callback_data": "p"}, {"text": "Off", "disabled": {}}]
    markup = {"inline_keyboard": [row, [{"text": "Web", "url": "http://127.0.0.1:1/"}]]}
    sent = await room.ok("sendMessage", chat_id=GROUP, text="x", reply_markup=markup)

    async def press(status: int, **button: str) -> str:
        what = {"message_id": sent["message_id"], **button}
        answer = await room.control("act", {"as": ANN, "chat_id": GROUP, "press": what}, status)
        return str(answer.get("error", "pressed"))

    assert await press(404, label="Buy") == "no such button; this message has: 'Pay', 'Off', 'Web'"
    assert "disabled" in await press(403, label="Off")
    assert "hears nothing" in await press(400, label="Web")
    assert await press(200, data="p") == "pressed"
    [shown] = await room.transcript()
    assert shown["buttons"] == [
        [{"text": "Pay", "data": "p"}, {"text": "Off", "disabled": True}],
        [{"text": "Web", "url": "http://127.0.0.1:1/"}],
    ]


async def test_a_transcript_goes_on_after_an_id(room: Room) -> None:
    ids = [await room.say(text) for text in ("one", "two", "three")]
    later = await room.transcript(after=ids[0])
    assert [shown["id"] for shown in later] == ids[1:]
    assert later[0]["from"] == {"id": ANN, "name": "Ann", "is_bot": False}


async def test_groups_can_be_made_and_renamed(room: Room) -> None:
    members = [{"user_id": ANN, "status": "creator"}, {"user_id": 42, "status": "member"}]
    made = await room.control("chat", {"create": {"title": "New", "members": members}})
    await room.control("chat", {"chat_id": made["chat_id"], "title": "Newer"})
    added, renamed = await room.updates()
    assert added["my_chat_member"]["new_chat_member"]["status"] == "member"
    assert renamed["message"]["new_chat_title"] == "Newer"
    chats = {chat["id"]: chat for chat in (await room.read("state"))["chats"]}
    assert chats[made["chat_id"]]["title"] == "Newer"


async def test_bad_faults_are_refused(room: Room) -> None:
    assert "kind must be" in (await room.control("fault", {"kind": "boom"}, 400))["error"]
    wrong = {"kind": "500", "method": "sendPigeon"}
    assert "sendPigeon" in (await room.control("fault", wrong, 404))["error"]
    await room.control("fault", {"kind": "500", "times": 99})
    await room.control("fault", {"kind": "clear"})
    await room.ok("getMe")


async def test_the_page_is_closed_to_strangers_and_scripts(room: Room) -> None:
    async with room.http.get(room.urls["page"]) as response:
        page = await response.text()
        assert response.headers["Content-Security-Policy"].startswith("default-src 'self'")
        assert response.headers["Referrer-Policy"] == "no-referrer"
    assert "<script>" not in page
    assert "style=" not in page
    for name in ("app.js", "draw.js", "words.js", "style.css", "icon.svg"):
        async with room.http.get(room.urls["page"] + name) as response:
            assert response.status == 200
    wrong = room.urls["page"].replace(PAGE_TOKEN, "page-token-of-the-thief")
    async with room.http.get(wrong) as response:
        assert response.status == 404


async def test_the_page_shows_each_person_their_chats(room: Room) -> None:
    await room.say("hello", SIDE)
    base = room.urls["page"] + "api/"
    async with room.http.get(base + f"world?as={BEN}") as response:
        world = await response.json()
    assert {chat["id"] for chat in world["chats"]} == {GROUP, BEN}
    async with room.http.get(base + f"messages?chat_id={SIDE}&as={BEN}") as response:
        assert response.status == 404
    async with room.http.get(base + f"messages?chat_id={SIDE}&as={ANN}") as response:
        [message] = (await response.json())["messages"]
    assert message["text"] == "hello"


async def test_the_page_hears_of_messages_and_answers_live(room: Room) -> None:
    heard: list[dict[str, Any]] = []
    base = room.urls["page"] + "api/"
    async with room.http.get(base + f"events?as={BEN}") as stream:
        assert (await stream.content.readuntil(b"\n\n")).startswith(b"retry:")
        act = {"as": BEN, "chat_id": GROUP, "text": "hi"}
        async with room.http.post(base + "act", json=act) as response:
            assert response.status == 200
        await room.say("not for Ben", SIDE)
        keyboard = {"inline_keyboard": [[{"text": "a", "callback_data": "a"}]]}
        await room.ok("sendMessage", chat_id=GROUP, text="<b>x</b>", reply_markup=keyboard)
        press = {"as": BEN, "chat_id": GROUP, "press": {"message_id": 2, "data": "a"}}
        pressed = await room.control("act", press)
        query_id = pressed["callback_query_id"]
        await room.ok("answerCallbackQuery", callback_query_id=query_id, text="toast")

        async def all_heard() -> bool:
            part = (await stream.content.readuntil(b"\n\n")).decode()
            heard.append(json.loads(part.removeprefix("data: ")))
            return len(heard) == 3

        await eventually(all_heard)
    assert [event["event"] for event in heard] == ["message", "message", "toast"]
    assert heard[1]["message"]["text"] == "<b>x</b>"
    assert heard[2]["text"] == "toast"
