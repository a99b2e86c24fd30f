"""Messages as the bot sends and changes them, through aiogram, and as people see them."""

from __future__ import annotations

import pytest
from aiogram.exceptions import TelegramBadRequest
from aiogram.types import (
    BufferedInputFile,
    ChatMemberAdministrator,
    EphemeralMessageParameters,
    InlineKeyboardButton,
    InlineKeyboardMarkup,
    InputMediaDocument,
    InputMediaPhoto,
    InputMediaVideo,
    InputRichBlockDetails,
    InputRichBlockFooter,
    InputRichBlockParagraph,
    InputRichBlockSectionHeading,
    InputRichBlockTable,
    InputRichMessage,
    Message,
    ReactionTypeEmoji,
    ReplyParameters,
    RichBlockTableCell,
    RichTextBold,
)

from tests.sandbox.telegram.room import ANN, BEN, GROUP, SIDE, Room, encoded, png

NOT_MODIFIED = (
    "Bad Request: message is not modified: specified new message content and reply markup are"
    " exactly the same as a current content and reply markup of the message"
)


def keys(*labels: str) -> InlineKeyboardMarkup:
    row = [InlineKeyboardButton(text=label, callback_data=f"do:{label}") for label in labels]
    return InlineKeyboardMarkup(inline_keyboard=[row])


def cell(text: str) -> RichBlockTableCell:
    return RichBlockTableCell(text=text, align="left", valign="top")


async def test_html_becomes_text_with_utf16_entities(room: Room) -> None:
    sent = await room.bot.send_message(
        GROUP,
        '😀 <b>bold <i>both</i></b> <a href="http://127.0.0.1:1/x">here</a> /bill @ann_lee'
        ' &lt;raw&gt; <pre><code class="language-py">x = 1</code></pre>',
        parse_mode="HTML",
    )
    assert sent.text == "😀 bold both here /bill @ann_lee <raw> x = 1"
    found = [(e.type, e.extract_from(sent.text), e.url or e.language) for e in sent.entities or []]
    assert found == [
        ("bold", "bold both", None),
        ("italic", "both", None),
        ("text_link", "here", "http://127.0.0.1:1/x"),
        ("bot_command", "/bill", None),
        ("mention", "@ann_lee", None),
        ("pre", "x = 1", "py"),
    ]
    [shown] = await room.transcript()
    assert shown["text"] == sent.text


async def test_an_edit_keeps_the_id_and_must_change_something(room: Room) -> None:
    sent = await room.bot.send_message(GROUP, "one", reply_markup=keys("a"))
    with pytest.raises(TelegramBadRequest) as refused:
        await sent.edit_text("one", reply_markup=keys("a"))
    assert refused.value.message == NOT_MODIFIED
    room.clock.forward(5)
    edited = await sent.edit_text("two", reply_markup=keys("a", "b"))
    assert isinstance(edited, Message)
    assert (edited.message_id, edited.edit_date) == (sent.message_id, int(room.clock.unix))
    await sent.edit_reply_markup(reply_markup=None)
    [shown] = await room.transcript()
    assert (shown["id"], shown["text"], shown["buttons"]) == (sent.message_id, "two", [])
    assert (shown["edited"], shown["edit_count"]) == (True, 2)


async def test_message_ids_never_come_back(room: Room) -> None:
    first = await room.bot.send_message(GROUP, "one")
    await room.bot.delete_messages(GROUP, [first.message_id])
    second = await room.bot.send_message(GROUP, "two")
    assert second.message_id == first.message_id + 1
    assert [shown["text"] for shown in await room.transcript()] == ["two"]


async def test_a_pressed_button_is_a_query_that_is_answered_in_time(room: Room) -> None:
    sent = await room.bot.send_message(GROUP, "sure?", reply_markup=keys("yes", "no"))
    press = {"message_id": sent.message_id, "label": "yes"}
    pressed = await room.control("act", {"as": BEN, "chat_id": GROUP, "press": press})
    [update] = await room.bot.get_updates()
    query = update.callback_query
    assert query is not None
    assert (query.id, query.data) == (pressed["callback_query_id"], "do:yes")
    assert query.from_user.id == BEN
    await room.bot.answer_callback_query(query.id, text="done", show_alert=True)
    [kept] = (await room.read("state"))["callbacks"]
    assert (kept["answer"]["text"], kept["answer"]["show_alert"]) == ("done", True)
    room.clock.forward(151)
    with pytest.raises(TelegramBadRequest, match="query is too old"):
        await room.bot.answer_callback_query(query.id)


async def test_a_rich_message_reads_as_lines(room: Room) -> None:
    table = InputRichBlockTable(
        cells=[[cell("Alipay"), cell("3 | 5")], [cell("Sum"), cell("9.00")]]
    )
    rich = InputRichMessage(
        blocks=[
            InputRichBlockSectionHeading(text="Bill", size=2),
            InputRichBlockParagraph(text=["Opening ", RichTextBold(text="1.00")]),
            table,
            InputRichBlockDetails(summary="More", blocks=[InputRichBlockParagraph(text="inside")]),
            InputRichBlockFooter(text="end"),
        ]
    )
    sent = await room.bot.send_rich_message(GROUP, rich_message=rich, reply_markup=keys("x"))
    assert sent.rich_message is not None
    assert len(sent.rich_message.blocks) == 5
    [shown] = await room.transcript()
    assert shown["text"].split("\n") == [
        "Bill",
        "Opening 1.00",
        "Alipay\t3 | 5",
        "Sum\t9.00",
        "More",
        "inside",
        "end",
    ]
    html = '<h3>Bill</h3><table striped><tr><th>a</th><td align="right">2</td></tr></table>'
    await room.bot.edit_message_text(
        chat_id=GROUP, message_id=sent.message_id, rich_message=InputRichMessage(html=html)
    )
    [shown] = await room.transcript()
    assert (shown["text"], shown["edit_count"]) == ("Bill\na\t2", 1)
    with pytest.raises(TelegramBadRequest, match="Unsupported start tag"):
        await room.bot.send_rich_message(GROUP, rich_message=InputRichMessage(html="<x>1</x>"))


async def test_a_rich_block_of_no_known_kind_is_refused(room: Room) -> None:
    rich = {"blocks": [{"type": "paragraf", "text": "x"}]}
    refused = await room.refused("sendRichMessage", chat_id=GROUP, rich_message=rich)
    assert refused == (
        "Bad Request: can't parse rich message JSON object:"
        " blocks[0]: is not one of the kinds of InputRichBlock"
    )


async def test_an_ephemeral_message_is_seen_by_its_receiver_only(room: Room) -> None:
    to_ben = EphemeralMessageParameters(receiver_user_id=BEN)
    sent = await room.bot.send_message(GROUP, "psst", ephemeral_message_parameters=to_ben)
    assert sent.ephemeral_message_id is not None
    assert sent.receiver_user is not None
    assert sent.receiver_user.id == BEN
    assert await room.transcript(**{"as": ANN}) == []
    [shown] = await room.transcript(**{"as": BEN})
    assert shown["ephemeral_for"] == BEN
    assert [one["ephemeral_for"] for one in await room.transcript()] == [BEN]
    ephemeral_id = sent.ephemeral_message_id
    await room.ok(
        "editEphemeralMessageText",
        chat_id=GROUP,
        receiver_user_id=BEN,
        ephemeral_message_id=ephemeral_id,
        text="ok",
    )
    [shown] = await room.transcript(**{"as": BEN})
    assert shown["text"] == "ok"
    refused = await room.refused(
        "editMessageText", chat_id=GROUP, message_id=ephemeral_id, text="x"
    )
    assert refused == "Bad Request: message to edit not found"
    await room.bot.delete_ephemeral_message(GROUP, BEN, ephemeral_id)
    assert await room.transcript() == []


async def test_without_admin_rights_an_ephemeral_message_needs_a_fresh_press(room: Room) -> None:
    sent = await room.bot.send_message(SIDE, "?", reply_markup=keys("a"))
    receiver = {"receiver_user_id": ANN}
    message = {"chat_id": SIDE, "text": "x"}
    refused = await room.refused("sendMessage", **message, ephemeral_message_parameters=receiver)
    assert "not enough rights" in refused
    press = {"message_id": sent.message_id, "label": "a"}
    pressed = await room.control("act", {"as": ANN, "chat_id": SIDE, "press": press})
    receiver["callback_query_id"] = pressed["callback_query_id"]
    await room.ok("sendMessage", **message, ephemeral_message_parameters=receiver)
    room.clock.forward(16)
    refused = await room.refused("sendMessage", **message, ephemeral_message_parameters=receiver)
    assert "query is too old" in refused


async def test_photos_documents_and_albums(room: Room) -> None:
    photo = await room.bot.send_photo(
        GROUP, BufferedInputFile(png(), "chart.png"), caption="<b>chart</b>", parse_mode="HTML"
    )
    media = InputMediaPhoto(media=BufferedInputFile(png(8, 8), "chart2.png"), caption="later")
    await room.bot.edit_message_media(chat_id=GROUP, message_id=photo.message_id, media=media)
    await room.bot.edit_message_caption(
        chat_id=GROUP, message_id=photo.message_id, caption="latest"
    )
    album = await room.bot.send_media_group(
        GROUP,
        [InputMediaDocument(media=BufferedInputFile(name.encode(), name)) for name in ("a", "b")],
    )
    assert album[0].media_group_id == album[1].media_group_id is not None
    shown, first, _ = await room.transcript()
    assert (shown["text"], shown["edit_count"]) == ("latest", 2)
    assert shown["files"][0]["name"] == "chart2.png"
    assert (first["files"][0]["kind"], first["files"][0]["size"]) == ("document", 1)
    url = f"{room.urls['control']}/file"
    async with room.http.get(url, params={"file_id": shown["files"][0]["file_id"]}) as response:
        assert await response.read() == png(8, 8)
        assert response.content_type == "image/png"


async def test_replies_reactions_pins_forwards_and_copies(room: Room) -> None:
    said = await room.say("please look")
    reply = await room.bot.send_message(
        GROUP, "looking", reply_parameters=ReplyParameters(message_id=said)
    )
    assert reply.reply_to_message is not None
    assert reply.reply_to_message.text == "please look"
    await room.bot.set_message_reaction(GROUP, said, [ReactionTypeEmoji(emoji="👀")])
    with pytest.raises(TelegramBadRequest, match="REACTION_INVALID"):
        await room.bot.set_message_reaction(GROUP, said, [ReactionTypeEmoji(emoji="✅")])
    await room.bot.pin_chat_message(GROUP, reply.message_id)
    pinned = (await room.bot.get_chat(GROUP)).pinned_message
    assert isinstance(pinned, Message)
    assert pinned.message_id == reply.message_id
    forwarded = await room.bot.forward_message(SIDE, GROUP, said)
    assert forwarded.forward_origin is not None
    await room.bot.copy_message(SIDE, GROUP, said)
    await room.bot.copy_messages(SIDE, GROUP, [said, reply.message_id])
    first, second, _ = await room.transcript()
    assert first["reactions"] == ["👀"]
    assert (second["reply_to"], second["pinned"]) == (said, True)
    assert [one["text"] for one in await room.transcript(SIDE)] == [
        "please look",
        "please look",
        "please look",
        "looking",
    ]
    await room.bot.unpin_all_chat_messages(GROUP)
    assert not any(one["pinned"] for one in await room.transcript())


async def test_only_the_bots_own_messages_can_be_edited(room: Room) -> None:
    said = await room.say("mine")
    refused = await room.refused("editMessageText", chat_id=GROUP, message_id=said, text="x")
    assert refused == "Bad Request: message can't be edited"


async def test_people_send_photos_albums_and_edits(room: Room) -> None:
    picture = encoded(png())
    sent = await room.control(
        "act", {"as": BEN, "chat_id": GROUP, "photo": picture, "caption": "order 7"}
    )
    item = {"photo": picture, "file_name": "a.png"}
    album = {"as": BEN, "chat_id": GROUP, "album": [item, item], "caption": "two"}
    both = await room.control("act", album)
    edit = {"message_id": sent["message_id"], "text": "order 8"}
    await room.control("act", {"as": BEN, "chat_id": GROUP, "edit": edit})
    one, two, three, edited = await room.updates()
    assert one["message"]["caption"] == "order 7"
    assert two["message"]["media_group_id"] == three["message"]["media_group_id"]
    assert both["message_ids"] == [two["message"]["message_id"], three["message"]["message_id"]]
    assert edited["edited_message"]["caption"] == "order 8"


async def test_videos_are_mixed_with_pictures_and_never_with_documents(room: Room) -> None:
    picture, video = {"photo": encoded(png())}, {"video": encoded(b"moving")}
    act = {"as": BEN, "chat_id": GROUP}
    await room.control("act", {**act, "album": [picture, video], "caption": "paid"})
    shown, moving = [update["message"] for update in await room.updates()]
    assert (shown["caption"], moving["video"]["mime_type"]) == ("paid", "video/mp4")
    sent = await room.bot.send_media_group(
        GROUP,
        [
            InputMediaPhoto(media=shown["photo"][-1]["file_id"]),
            InputMediaVideo(media=moving["video"]["file_id"], caption="again"),
        ],
    )
    newer = InputMediaVideo(media=moving["video"]["file_id"], caption="moves")
    await room.bot.edit_message_media(newer, chat_id=GROUP, message_id=sent[0].message_id)
    kinds = [m["files"][0]["kind"] for m in (await room.transcript())[-2:]]
    assert kinds == ["video", "video"]
    paper = InputMediaDocument(media=BufferedInputFile(b"x", "x"))
    with pytest.raises(TelegramBadRequest, match="album"):
        await room.bot.edit_message_media(paper, chat_id=GROUP, message_id=sent[0].message_id)
    mixed = {**act, "album": [video, {"document": encoded(b"x")}]}
    refused = await room.control("act", mixed, 400)
    assert "photos and videos, or of documents" in refused["error"]


@pytest.mark.parametrize("caption", ["a < b", "<b>open", "x" * 1025, "<tg-none>x</tg-none>"])
async def test_a_bad_caption_is_refused_as_a_bad_text_is(room: Room, caption: str) -> None:
    photo = BufferedInputFile(png(), "chart.png")
    good = await room.bot.send_photo(GROUP, photo, caption="x" * 1024, parse_mode="HTML")
    with pytest.raises(TelegramBadRequest):
        await room.bot.send_photo(GROUP, photo, caption=caption, parse_mode="HTML")
    with pytest.raises(TelegramBadRequest):
        await room.bot.edit_message_caption(
            chat_id=GROUP, message_id=good.message_id, caption=caption, parse_mode="HTML"
        )
    media = InputMediaPhoto(media=photo, caption=caption, parse_mode="HTML")
    with pytest.raises(TelegramBadRequest):
        await room.bot.edit_message_media(media, chat_id=GROUP, message_id=good.message_id)
    (shown,) = await room.transcript(GROUP)
    assert shown["text"] == "x" * 1024


async def test_an_administrator_without_the_right_pins_nothing(room: Room) -> None:
    said = await room.bot.send_message(GROUP, "to be pinned")
    denied = {"chat_id": GROUP, "status": "administrator", "without": ["can_pin_messages"]}
    await room.control("member", denied)
    told = (await room.updates())[-1]["my_chat_member"]["new_chat_member"]
    assert told["can_pin_messages"] is False
    standing = await room.bot.get_chat_member(GROUP, room.bot.id)
    assert isinstance(standing, ChatMemberAdministrator)
    assert standing.can_pin_messages is False
    with pytest.raises(TelegramBadRequest, match="not enough rights"):
        await room.bot.pin_chat_message(GROUP, said.message_id)
    await room.control("member", {"chat_id": GROUP, "status": "administrator"})
    assert await room.bot.pin_chat_message(GROUP, said.message_id)
