"""Bot API methods that change or remove messages, also ephemeral ones, and answer buttons."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from sandbox.telegram.entities import CAPTION_MAX, TEXT_MAX, read_text
from sandbox.telegram.errors import bad_request
from sandbox.telegram.keyboard import read_markup
from sandbox.telegram.model import FILE_KINDS, Chat, Json, Message
from sandbox.telegram.sandbox import Sandbox
from sandbox.telegram.sends import media_body, rich_body
from sandbox.telegram.views import bot_message
from sandbox.telegram.wire import Call

CALLBACK_LIFE_S = 150
DELETE_WINDOW_S = 48 * 3600
CAPTIONS = frozenset({"caption", "caption_entities"})
TEXTS = frozenset({"text", "entities", "rich_message", "link_preview_options"})
MEDIA = frozenset({*FILE_KINDS, *CAPTIONS})
NOT_MODIFIED = (
    "message is not modified: specified new message content and reply markup are exactly the same"
    " as a current content and reply markup of the message"
)
REACTIONS_TEXT = (
    "❤ 👍 👎 🔥 🥰 👏 😁 🤔 🤯 😱 🤬 😢 🎉 🤩 🤮 💩 🙏 👌 🕊 🤡 🥱 🥴 😍 🐳 ❤‍🔥 🌚 🌭 💯 🤣 ⚡"
    " 🍌 🏆 💔 🤨 😐 🍓 🍾 💋 🖕 😈 😴 😭 🤓 👻 👨‍💻 👀"
    " 🎃 🙈 😇 😨 🤝 ✍ 🤗 🫡 🎅 🎄 ☃ 💅 🤪 🗿 🆒 💘 🙉"
    " 🦄 😘 💊 🙊 😎 👾 🤷‍♂ 🤷 🤷‍♀ 😡"
)
REACTIONS = frozenset(REACTIONS_TEXT.split())


def edit_message_text(sandbox: Sandbox, call: Call) -> Json | bool:
    chat, message = _own(sandbox, call.params)
    return _changed(sandbox, chat, message, call, *_new_text(call.params, chat, message))


def edit_message_caption(sandbox: Sandbox, call: Call) -> Json | bool:
    chat, message = _own(sandbox, call.params)
    return _changed(sandbox, chat, message, call, *_new_caption(call.params, message))


def edit_message_media(sandbox: Sandbox, call: Call) -> Json | bool:
    chat, message = _own(sandbox, call.params)
    return _changed(sandbox, chat, message, call, *_new_media(sandbox, call, message))


def edit_message_reply_markup(sandbox: Sandbox, call: Call) -> Json | bool:
    chat, message = _own(sandbox, call.params)
    return _changed(sandbox, chat, message, call, frozenset(), {})


def edit_ephemeral_text(sandbox: Sandbox, call: Call) -> bool:
    chat, message = _ephemeral(sandbox, call.params)
    _changed(sandbox, chat, message, call, *_new_text(call.params, chat, message))
    return True


def edit_ephemeral_caption(sandbox: Sandbox, call: Call) -> bool:
    chat, message = _ephemeral(sandbox, call.params)
    _changed(sandbox, chat, message, call, *_new_caption(call.params, message))
    return True


def edit_ephemeral_media(sandbox: Sandbox, call: Call) -> bool:
    chat, message = _ephemeral(sandbox, call.params)
    _changed(sandbox, chat, message, call, *_new_media(sandbox, call, message))
    return True


def edit_ephemeral_markup(sandbox: Sandbox, call: Call) -> bool:
    chat, message = _ephemeral(sandbox, call.params)
    _changed(sandbox, chat, message, call, frozenset(), {})
    return True


def delete_ephemeral(sandbox: Sandbox, call: Call) -> bool:
    _, message = _ephemeral(sandbox, call.params)
    sandbox.world.delete(message)
    return True


def delete_message(sandbox: Sandbox, call: Call) -> bool:
    chat = sandbox.chat_for_bot(call.params["chat_id"])
    message = sandbox.message_of(chat, call.params["message_id"], "message to delete not found")
    if not _may_delete(sandbox, chat, message):
        raise bad_request("message can't be deleted for everyone")
    sandbox.world.delete(message)
    return True


def delete_messages(sandbox: Sandbox, call: Call) -> bool:
    chat = sandbox.chat_for_bot(call.params["chat_id"])
    ids = call.params["message_ids"]
    if not 1 <= len(ids) <= 100:
        raise bad_request("message_ids must have 1-100 identifiers")
    found = [sandbox.world.message(chat.id, message_id) for message_id in dict.fromkeys(ids)]
    for message in found:
        if message and not message.ephemeral_for and _may_delete(sandbox, chat, message):
            sandbox.world.delete(message)
    return True


def answer_callback_query(sandbox: Sandbox, call: Call) -> bool:
    params = call.params
    callback = sandbox.world.callbacks.get(params["callback_query_id"])
    if callback is None or sandbox.now() - callback.at > CALLBACK_LIFE_S:
        raise bad_request("query is too old and response timeout expired or query ID is invalid")
    callback.answer = {
        "text": params.get("text", ""),
        "show_alert": params.get("show_alert", False),
        "url": params.get("url"),
        "date": int(sandbox.now()),
    }
    sandbox.world.save(callback)
    sandbox.world.tell(
        {
            "event": "toast",
            "chat_id": callback.chat_id,
            "message_id": callback.message_id,
            "user_id": callback.user_id,
            **callback.answer,
        }
    )
    return True


def set_message_reaction(sandbox: Sandbox, call: Call) -> bool:
    chat = sandbox.chat_for_bot(call.params["chat_id"])
    message = sandbox.message_of(chat, call.params["message_id"], "message to react not found")
    wanted = call.params.get("reaction", [])
    if len(wanted) > 1:
        raise bad_request("REACTIONS_TOO_MANY")
    emoji = [reaction.get("emoji", "") for reaction in wanted]
    if any(one.replace("\ufe0f", "") not in REACTIONS for one in emoji):
        raise bad_request("REACTION_INVALID")
    sandbox.limits.react(chat.id)
    bot_id = sandbox.world.bot.id
    if emoji:
        message.reactions[bot_id] = emoji
    else:
        message.reactions.pop(bot_id, None)
    sandbox.world.touch(message)
    return True


def _own(sandbox: Sandbox, params: Json) -> tuple[Chat, Message]:
    if "chat_id" not in params:
        raise bad_request("chat_id is empty")
    if "message_id" not in params:
        raise bad_request("message identifier is not specified")
    chat = sandbox.chat_for_bot(params["chat_id"])
    message = sandbox.message_of(chat, params["message_id"], "message to edit not found")
    if message.sender_id != sandbox.world.bot.id or message.forward or message.service:
        raise bad_request("message can't be edited")
    return chat, message


def _ephemeral(sandbox: Sandbox, params: Json) -> tuple[Chat, Message]:
    chat = sandbox.chat_for_bot(params["chat_id"])
    message = sandbox.world.message(chat.id, params["ephemeral_message_id"])
    if message is None or message.ephemeral_for != params["receiver_user_id"]:
        raise bad_request("message to edit not found")
    return chat, message


def _new_text(params: Json, chat: Chat, message: Message) -> tuple[frozenset[str], Json]:
    if any(kind in message.body for kind in FILE_KINDS):
        raise bad_request("there is no text in the message to edit")
    if "rich_message" in params:
        if "text" in params:
            raise bad_request("only one of text and rich_message may be specified")
        return TEXTS, rich_body(params, chat)
    body = read_text(params, "text", TEXT_MAX)
    if not body:
        raise bad_request("message text is empty")
    if "link_preview_options" in params:
        body["link_preview_options"] = params["link_preview_options"]
    return TEXTS, body


def _new_caption(params: Json, message: Message) -> tuple[frozenset[str], Json]:
    if not any(kind in message.body for kind in FILE_KINDS):
        raise bad_request("there is no caption in the message to edit")
    return CAPTIONS, read_text(params, "caption", CAPTION_MAX)


def _new_media(sandbox: Sandbox, call: Call, message: Message) -> tuple[frozenset[str], Json]:
    media = call.params["media"]
    if media["type"] not in FILE_KINDS:
        raise bad_request(f"the sandbox plays only {', '.join(FILE_KINDS)} media")
    is_document = "document" in message.body
    if "media_group_id" in message.body and is_document != (media["type"] == "document"):
        raise bad_request("can't use the media of the specified type in the album")
    caption = read_text(media, "caption", CAPTION_MAX)
    return MEDIA | TEXTS, media_body(sandbox, call, media["type"], media["media"]) | caption


def _changed(
    sandbox: Sandbox, chat: Chat, message: Message, call: Call, replaced: frozenset[str], new: Json
) -> Json:
    # As in Telegram, an edit without reply_markup takes the buttons away.
    body = {k: v for k, v in message.body.items() if k not in replaced | {"reply_markup"}}
    body |= new | read_markup(call.params, chat)
    if body == message.body:
        raise bad_request(NOT_MODIFIED)
    sandbox.limits.edit(chat.id)
    message.body = body
    message.edit_date = int(sandbox.now())
    message.edit_count += 1
    sandbox.world.touch(message)
    return bot_message(sandbox.world, message)


def _may_delete(sandbox: Sandbox, chat: Chat, message: Message) -> bool:
    admin = chat.is_group and sandbox.bot_is_admin(chat)
    if admin:
        return True
    recent = sandbox.now() - message.date <= DELETE_WINDOW_S
    own = message.sender_id == sandbox.world.bot.id
    return recent and (own or chat.type == "private")


METHODS: dict[str, Callable[[Sandbox, Call], Any]] = {
    "editMessageText": edit_message_text,
    "editMessageCaption": edit_message_caption,
    "editMessageMedia": edit_message_media,
    "editMessageReplyMarkup": edit_message_reply_markup,
    "editEphemeralMessageText": edit_ephemeral_text,
    "editEphemeralMessageCaption": edit_ephemeral_caption,
    "editEphemeralMessageMedia": edit_ephemeral_media,
    "editEphemeralMessageReplyMarkup": edit_ephemeral_markup,
    "deleteEphemeralMessage": delete_ephemeral,
    "deleteMessage": delete_message,
    "deleteMessages": delete_messages,
    "answerCallbackQuery": answer_callback_query,
    "setMessageReaction": set_message_reaction,
}
