"""The wire: ways to send a call, what is refused and in which words."""

from __future__ import annotations

import json
from typing import Any

import aiohttp
import pytest

from tests.sandbox.telegram.room import ANN, BASIC, BOT_ID, EVE, GROUP, SIDE, TOKEN, Room, png


async def test_a_call_comes_as_query_form_json_or_multipart(room: Room) -> None:
    url = room.method_url("sendMessage")
    keyboard = json.dumps({"inline_keyboard": [[{"text": "ok", "callback_data": "x"}]]})
    fields = {"chat_id": str(GROUP), "text": "hello", "reply_markup": keyboard}
    multipart = aiohttp.FormData(fields)
    multipart.add_field("unused", b"", filename="x")
    requests = [
        room.http.get(url, params=fields),
        room.http.post(url, data=fields),
        room.http.post(url, json={**fields, "chat_id": GROUP}),
        room.http.post(url, data=multipart),
    ]
    for request in requests:
        async with request as response:
            body = await response.json()
            assert body["ok"], body
            buttons = body["result"]["reply_markup"]["inline_keyboard"]
            assert buttons == [[{"text": "ok", "callback_data": "x"}]]


async def test_method_names_ignore_case_as_in_telegram(room: Room) -> None:
    async with room.http.get(room.method_url("GETME")) as response:
        assert (await response.json())["result"]["id"] == BOT_ID


async def test_a_wrong_token_is_unauthorized(room: Room) -> None:
    for token in ("42:wrong", TOKEN + "x", TOKEN[:-1]):
        async with room.http.get(room.method_url("getMe", token)) as response:
            assert response.status == 401
            assert (await response.json())["description"] == "Unauthorized"


async def test_unknown_methods_do_not_exist_and_unplayed_ones_say_so(room: Room) -> None:
    answer = await room.call("sendMesage")
    assert (answer.status, answer.description) == (404, "Not Found")
    answer = await room.call("sendPoll", chat_id=GROUP)
    assert answer.status == 400
    assert "sendPoll is known but not played by the sandbox" in answer.description


@pytest.mark.parametrize(
    ("method", "params", "words"),
    [
        ("sendMessage", {"chat_id": GROUP}, "message text is empty"),
        ("sendMessage", {"text": "x"}, "chat_id is empty"),
        ("sendMessage", {"chat_id": GROUP, "text": " \n "}, "message text is empty"),
        ("sendMessage", {"chat_id": GROUP, "text": "x" * 4097}, "message is too long"),
        ("sendMessage", {"chat_id": -1, "text": "x"}, "chat not found"),
        (
            "sendMessage",
            {"chat_id": GROUP, "text": "x", "txt": "y"},
            'unknown parameter "txt" of sendMessage',
        ),
        (
            "sendMessage",
            {"chat_id": GROUP, "text": "x", "protect_content": "maybe"},
            'parameter "protect_content" must be of type Boolean (Boolean)',
        ),
        (
            "sendMessage",
            {"chat_id": GROUP, "text": "x", "reply_parameters": {"message_id": 99}},
            "message to be replied not found",
        ),
        (
            "sendMessage",
            {"chat_id": GROUP, "text": "<b>x", "parse_mode": "HTML"},
            "can't parse entities: Can't find end tag corresponding to start tag \"b\"",
        ),
        (
            "sendMessage",
            {"chat_id": GROUP, "text": "é<div>x</div>", "parse_mode": "HTML"},
            'can\'t parse entities: Unsupported start tag "div" at byte offset 2',
        ),
        (
            "sendMessage",
            {"chat_id": GROUP, "text": "<b><i>x</b></i>", "parse_mode": "HTML"},
            (
                "can't parse entities: Unmatched end tag at byte offset 7,"
                ' expected "</i>", found "</b>"'
            ),
        ),
        (
            "sendMessage",
            {"chat_id": GROUP, "text": "x", "parse_mode": "BB"},
            "unsupported parse_mode",
        ),
        (
            "editMessageText",
            {"chat_id": GROUP, "message_id": 77, "text": "x"},
            "message to edit not found",
        ),
        ("deleteMessage", {"chat_id": GROUP, "message_id": 77}, "message to delete not found"),
        (
            "setMyCommands",
            {"commands": [{"command": "Bad!", "description": "x"}]},
            "BOT_COMMAND_INVALID",
        ),
        ("sendPhoto", {"chat_id": GROUP}, "there is no photo in the request"),
        (
            "sendPhoto",
            {"chat_id": GROUP, "photo": "nope"},
            "wrong file identifier/HTTP URL specified",
        ),
        (
            "setWebhook",
            {"url": "http://example.org/hook"},
            "bad webhook: An HTTPS URL must be provided for webhook",
        ),
        (
            "answerCallbackQuery",
            {"callback_query_id": "1"},
            "query is too old and response timeout expired or query ID is invalid",
        ),
    ],
)
async def test_refusals_speak_telegrams_words(
    room: Room, method: str, params: dict[str, Any], words: str
) -> None:
    assert await room.refused(method, **params) == f"Bad Request: {words}"


@pytest.mark.parametrize(
    ("button", "words"),
    [
        ({"text": "x", "callback_data": "é" * 33}, "BUTTON_DATA_INVALID"),
        ({"text": "x", "callback_data": ""}, "BUTTON_DATA_INVALID"),
        (
            {"text": "x"},
            "can't parse inline keyboard button: Text buttons are unallowed in the inline keyboard",
        ),
        (
            {"text": "x", "url": "ftp:/x"},
            "inline keyboard button URL 'ftp:/x' is invalid: Wrong HTTP URL",
        ),
        ({"text": "x", "web_app": {"url": "https://x.y"}}, "BUTTON_TYPE_INVALID"),
        ({"text": "x", "copy_text": {"text": "y" * 257}}, "BUTTON_COPY_TEXT_INVALID"),
        (
            {"text": "x", "callback_dta": "y"},
            (
                "can't parse reply keyboard markup JSON object: inline_keyboard[0][0]:"
                ' has the unknown field "callback_dta" (InlineKeyboardButton)'
            ),
        ),
    ],
)
async def test_bad_buttons_are_refused(room: Room, button: dict[str, Any], words: str) -> None:
    markup = {"inline_keyboard": [[button]]}
    description = await room.refused("sendMessage", chat_id=GROUP, text="x", reply_markup=markup)
    assert description == f"Bad Request: {words}"


async def test_who_cannot_be_written_to(room: Room) -> None:
    answer = await room.call("sendMessage", chat_id=EVE, text="x")
    assert answer.status == 403
    assert answer.description == "Forbidden: bot can't initiate conversation with a user"
    await room.control("member", {"chat_id": ANN, "status": "kicked"})
    refused = await room.refused("sendMessage", chat_id=ANN, text="x")
    assert refused == "Forbidden: bot was blocked by the user"
    await room.control("member", {"chat_id": GROUP, "status": "kicked"})
    refused = await room.refused("sendMessage", chat_id=GROUP, text="x")
    assert refused == "Forbidden: bot was kicked from the supergroup chat"


async def test_pinning_needs_rights(room: Room) -> None:
    sent = await room.ok("sendMessage", chat_id=SIDE, text="x")
    params = {"chat_id": SIDE, "message_id": sent["message_id"]}
    assert await room.refused("pinChatMessage", **params) == (
        "Bad Request: not enough rights to manage pinned messages in the chat"
    )


async def test_an_upgraded_group_names_its_successor(room: Room) -> None:
    moved = await room.control("chat", {"chat_id": BASIC, "migrate": True})
    answer = await room.call("sendMessage", chat_id=BASIC, text="x")
    assert answer.description == "Bad Request: group chat was upgraded to a supergroup chat"
    assert answer.body["parameters"] == {"migrate_to_chat_id": moved["chat_id"]}
    assert (await room.ok("sendMessage", chat_id=moved["chat_id"], text="x"))["message_id"]


async def test_the_twenty_first_message_of_a_minute_waits(room: Room) -> None:
    for _ in range(20):
        await room.ok("sendMessage", chat_id=GROUP, text="x")
        room.clock.forward(1)
    answer = await room.call("sendMessage", chat_id=GROUP, text="x")
    assert answer.status == 429
    assert answer.description == "Too Many Requests: retry after 40"
    assert answer.body["parameters"] == {"retry_after": 40}
    assert answer.headers["Retry-After"] == "40"
    await room.ok("sendMessage", chat_id=SIDE, text="another group is free")
    await room.ok("editMessageText", chat_id=GROUP, message_id=1, text="edits are free")
    room.clock.forward(40)
    await room.ok("sendMessage", chat_id=GROUP, text="x")
    assert (await room.call("sendMessage", chat_id=GROUP, text="x")).status == 429


async def test_thirty_messages_a_second_in_all(room: Room) -> None:
    for _ in range(30):
        await room.ok("sendMessage", chat_id=ANN, text="x")
    assert (await room.read("state"))["too_many_requests"] == 0
    assert (await room.call("sendMessage", chat_id=ANN, text="x")).status == 429
    assert (await room.read("state"))["too_many_requests"] == 1
    room.clock.forward(1)
    await room.ok("sendMessage", chat_id=ANN, text="x")


async def test_edits_spend_the_groups_window_where_they_count(room: Room) -> None:
    assert await room.control("strict", {"edits_count": True}) == {
        "edits_count": True, "chat_closes": False,
    }  # fmt: skip
    await room.ok("sendMessage", chat_id=GROUP, text="x")
    for number in range(19):
        await room.ok("editMessageText", chat_id=GROUP, message_id=1, text=str(number))
        room.clock.forward(1)
    edit = {"chat_id": GROUP, "message_id": 1, "text": "more"}
    assert (await room.call("editMessageText", **edit)).status == 429
    assert (await room.call("sendMessage", chat_id=GROUP, text="x")).status == 429
    same = {**edit, "text": "18"}
    assert "not modified" in await room.refused("editMessageText", **same), "and costs nothing"
    room.clock.forward(41)
    await room.ok("editMessageText", **edit)


@pytest.mark.parametrize("injected", [True, False])
async def test_a_429_closes_the_chat_where_chats_close(room: Room, injected: bool) -> None:
    await room.control("strict", {"chat_closes": True})
    await room.ok("sendMessage", chat_id=GROUP, text="x")
    if injected:
        await room.control("fault", {"kind": "429", "retry_after": 20})
    else:
        for _ in range(19):
            await room.ok("sendMessage", chat_id=GROUP, text="x")
            room.clock.forward(1)
    assert (await room.call("sendMessage", chat_id=GROUP, text="x")).status == 429
    await room.ok("sendMessage", chat_id=SIDE, text="another chat is open")
    room.clock.forward(10)
    for method, params in (
        ("editMessageText", {"message_id": 1, "text": "y"}),
        ("setMessageReaction", {"message_id": 1}),
        ("sendMessage", {"text": "x"}),
    ):
        assert (await room.call(method, chat_id=GROUP, **params)).status == 429, method
    room.clock.forward(50)
    await room.ok("sendMessage", chat_id=GROUP, text="x")


@pytest.mark.parametrize("what", [{"edits": True}, {"edits_count": 1}, {"edits_count": "yes"}])
async def test_what_is_not_strictness_is_refused(room: Room, what: dict[str, Any]) -> None:
    assert "edits_count" in (await room.control("strict", what, 400))["error"]


async def test_updates_of_a_newer_telegram_come_as_they_are_given(room: Room) -> None:
    payload = {"message_id": "new", "hologram": {"depth": 3}}
    await room.control("update", {"kind": "message", "chat_id": GROUP, "payload": payload})
    async with room.http.post(room.method_url("getUpdates"), json={}) as response:
        (update,) = (await response.json())["result"]
    assert update["message"] == payload
    for wrong in (
        {"kind": "hologram", "chat_id": GROUP, "payload": payload},
        {"kind": "message", "chat_id": "x", "payload": payload},
        {"kind": "message", "chat_id": GROUP, "payload": []},
    ):
        assert (await room.control("update", wrong, 400))["error"]


async def test_reactions_have_their_own_limit(room: Room) -> None:
    said = await room.say("hi")
    params = {"chat_id": GROUP, "message_id": said}
    for _ in range(20):
        await room.ok("setMessageReaction", **params, reaction=[{"type": "emoji", "emoji": "👀"}])
    assert (await room.call("setMessageReaction", **params)).status == 429
    await room.ok("sendMessage", chat_id=GROUP, text="messages are apart")


async def test_own_texts_commands_and_chat_facts(room: Room) -> None:
    commands = [{"command": "bill", "description": "today's bill"}]
    scope = {"type": "all_group_chats"}
    await room.ok("setMyCommands", commands=commands, scope=scope, language_code="zh")
    assert await room.ok("getMyCommands", scope=scope, language_code="zh") == commands
    assert await room.ok("getMyCommands") == []
    await room.ok("deleteMyCommands", scope=scope, language_code="zh")
    assert await room.ok("getMyCommands", scope=scope, language_code="zh") == []
    await room.ok("setMyDescription", description="a desk")
    assert await room.ok("getMyDescription") == {"description": "a desk"}
    assert await room.ok("getMyName") == {"name": "Desk"}
    assert (await room.ok("getChat", chat_id=GROUP))["title"] == "Main"
    assert await room.ok("getChatMemberCount", chat_id=GROUP) == 3
    admins = await room.ok("getChatAdministrators", chat_id=GROUP)
    assert {admin["user"]["id"] for admin in admins} == {ANN, BOT_ID}
    assert (await room.ok("getChatMember", chat_id=GROUP, user_id=EVE))["status"] == "left"
    await room.ok("sendChatAction", chat_id=GROUP, action="typing")
    await room.ok("leaveChat", chat_id=SIDE)
    assert (await room.call("getChat", chat_id=SIDE)).status == 403


async def test_files_go_up_by_attach_and_come_down_by_path(room: Room) -> None:
    form = aiohttp.FormData({"chat_id": str(GROUP), "document": "attach://paper"})
    form.add_field("paper", b"a,b\n1,2\n", filename="bill.csv", content_type="text/csv")
    async with room.http.post(room.method_url("sendDocument"), data=form) as response:
        sent = (await response.json())["result"]["document"]
    assert (sent["file_name"], sent["file_size"]) == ("bill.csv", 8)
    again = await room.ok("sendDocument", chat_id=GROUP, document=sent["file_id"])
    assert again["document"]["file_unique_id"] == sent["file_unique_id"]
    path = (await room.ok("getFile", file_id=sent["file_id"]))["file_path"]
    async with room.http.get(f"{room.urls['api']}/file/bot{TOKEN}/{path}") as response:
        assert await response.read() == b"a,b\n1,2\n"
    async with room.http.get(f"{room.urls['api']}/file/bot42:wrong/{path}") as response:
        assert response.status == 401
    refused = await room.refused("sendPhoto", chat_id=GROUP, photo=sent["file_id"])
    assert refused == "Bad Request: can't use file of type Document as Photo"


async def test_a_photo_must_be_a_picture(room: Room) -> None:
    bodies = []
    for content, status in ((b"no picture", 400), (png(), 200)):
        form = aiohttp.FormData({"chat_id": str(GROUP)})
        form.add_field("photo", content, filename="x.png")
        async with room.http.post(room.method_url("sendPhoto"), data=form) as response:
            bodies.append(await response.json())
            assert response.status == status
    assert bodies[0]["description"] == "Bad Request: IMAGE_PROCESS_FAILED"
    assert bodies[1]["result"]["photo"][-1]["width"] == 3


@pytest.mark.parametrize(("kind", "status"), [("429", 429), ("500", 500)])
async def test_faults_strike_as_often_as_asked(room: Room, kind: str, status: int) -> None:
    fault = {"kind": kind, "method": "sendMessage", "times": 2, "retry_after": 7}
    await room.control("fault", fault)
    await room.ok("getMe")
    for _ in range(2):
        assert (await room.call("sendMessage", chat_id=GROUP, text="x")).status == status
    await room.ok("sendMessage", chat_id=GROUP, text="x")


async def test_an_answer_can_be_lost_with_or_without_its_effect(room: Room) -> None:
    for kind, sent in (("timeout", 0), ("lost_answer", 1)):
        await room.control("fault", {"kind": kind, "method": "sendMessage", "delay_s": 0})
        with pytest.raises(aiohttp.ClientError):
            await room.call("sendMessage", chat_id=SIDE, text=kind)
        assert len(await room.transcript(SIDE)) == sent
