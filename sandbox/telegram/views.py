"""One message, three readers: the bot (Bot API), a test (transcript), the chat page."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

from sandbox.telegram.entities import detect
from sandbox.telegram.model import ANONYMOUS_ADMIN_ID, Callback, Chat, Json, Message, User
from sandbox.telegram.rich import flatten, rich_buttons
from sandbox.telegram.world import World

ANONYMOUS_ADMIN = User(ANONYMOUS_ADMIN_ID, "Group", username="GroupAnonymousBot", is_bot=True)
ADMIN_RIGHTS_TEXT = (
    "can_change_info can_delete_messages can_delete_stories can_edit_stories can_invite_users"
    " can_manage_chat can_manage_video_chats can_post_stories can_promote_members"
    " can_restrict_members can_send_welcome_messages can_pin_messages"
)
ADMIN_RIGHTS = ADMIN_RIGHTS_TEXT.split()

SERVICE_TEXTS = {
    "joined": "{what} joined the group",
    "left": "{what} left the group",
    "renamed": "{who} renamed the group to {what}",
    "pinned": "{who} pinned a message",
    "created": "{who} created the group",
    "upgraded": "This group became a supergroup",
}


def chat_wire(world: World, chat: Chat) -> Json:
    """The Bot API's Chat."""
    wire: Json = {"id": chat.id, "type": chat.type}
    if chat.type == "private":
        user = world.users[chat.id].wire()
        return wire | {k: user[k] for k in ("first_name", "last_name", "username") if k in user}
    wire["title"] = chat.title
    if chat.username:
        wire["username"] = chat.username
    if chat.is_forum:
        wire["is_forum"] = True
    return wire


def member_wire(user: User, status: str, denied: Collection[str] = ()) -> Json:
    """The Bot API's ChatMember. An administrator here has every right that is not denied."""
    wire: Json = {"status": status, "user": user.wire()}
    if status == "creator":
        return wire | {"is_anonymous": False}
    if status == "administrator":
        rights = {right: right not in denied for right in ADMIN_RIGHTS}
        return wire | rights | {"is_anonymous": False, "can_be_edited": False}
    if status == "kicked":
        return wire | {"until_date": 0}
    return wire


def bot_message(world: World, message: Message, with_reply: bool = True) -> Json:
    """The Bot API's Message."""
    chat = world.chats[message.chat_id]
    wire: Json = {
        "message_id": 0 if message.ephemeral_for else message.id,
        "date": message.date,
        "chat": chat_wire(world, chat),
        **_sender_wire(world, chat, message),
        **message.body,
    }
    if message.ephemeral_for:
        wire["ephemeral_message_id"] = message.id
        wire["receiver_user"] = world.users[message.ephemeral_for].wire()
    if message.thread_id is not None:
        wire |= {"message_thread_id": message.thread_id, "is_topic_message": True}
    if message.edit_date is not None:
        wire["edit_date"] = message.edit_date
    if message.forward:
        wire["forward_origin"] = message.forward
    if message.protected:
        wire["has_protected_content"] = True
    replied = world.message(chat.id, message.reply_to) if message.reply_to else None
    if with_reply and replied is not None:
        wire["reply_to_message"] = bot_message(world, replied, with_reply=False)
    return wire


def callback_wire(world: World, callback: Callback) -> Json:
    """The Bot API's CallbackQuery."""
    wire: Json = {
        "id": callback.id,
        "from": world.users[callback.user_id].wire(),
        "chat_instance": str(abs(callback.chat_id) * 7919),
        "data": callback.data,
    }
    message = world.message(callback.chat_id, callback.message_id)
    if message is not None:
        wire["message"] = bot_message(world, message)
    return wire


def person_message(world: World, message: Message) -> Json:
    """A message as a person reads it; the shape is described in docs/sandbox.md."""
    body = message.body
    shown: Json = {
        "id": message.id,
        "date": message.date,
        "from": _sender_shown(world, message),
        "text": _shown_text(world, message),
        "buttons": [[_button(world, b) for b in row] for row in button_rows(body)],
        "edited": message.edit_count > 0,
        "edit_count": message.edit_count,
        "reply_to": message.reply_to,
        "files": _files(world, body),
        "reactions": [emoji for given in message.reactions.values() for emoji in given],
        "pinned": message.id in world.chats[message.chat_id].pinned,
    }
    if message.thread_id is not None:
        shown["thread_id"] = message.thread_id
    if message.ephemeral_for is not None:
        shown["ephemeral_for"] = message.ephemeral_for
    return shown


def page_message(world: World, message: Message) -> Json:
    """What the chat page draws: the person's view with formatting, quoted reply and service."""
    body = message.body
    shown = person_message(world, message)
    shown["entities"] = body.get("entities", body.get("caption_entities", []))
    shown["service"] = _service(world, message) if message.service else None
    shown["album"] = body.get("media_group_id")
    if "rich_message" in body:
        shown["rich"] = body["rich_message"]
    if message.forward:
        shown["forwarded"] = message.forward["sender_user"]["first_name"]
    replied = world.message(message.chat_id, message.reply_to) if message.reply_to else None
    if replied is not None and replied.ephemeral_for is None:
        shown["quote"] = preview(world, replied)
    return shown


def preview(world: World, message: Message) -> Json:
    """One line of a message for lists and quotations."""
    text = _shown_text(world, message)
    files = [stored["kind"] for stored in _files(world, message.body)]
    return {
        "id": message.id,
        "name": _sender_shown(world, message)["name"],
        "from_id": _sender_shown(world, message)["id"],
        "text": " ".join(text.split())[:120],
        "service": _service(world, message) if message.service else None,
        "files": files,
        "date": message.date,
    }


def button_rows(body: Json) -> list[list[Json]]:
    """All rows of inline buttons: those inside a rich message, then those under the message."""
    rows = list(rich_buttons(body["rich_message"])) if "rich_message" in body else []
    rows.extend(body.get("reply_markup", {}).get("inline_keyboard", []))
    return rows


def message_file_ids(body: Json) -> list[str]:
    ids = [body["photo"][-1]["file_id"]] if "photo" in body else []
    return ids + [body[kind]["file_id"] for kind in ("video", "document") if kind in body]


def text_body(text: str, name: str = "text") -> Json:
    """The content of a message a person typed."""
    entities = detect(text, [])
    entities_name = "entities" if name == "text" else "caption_entities"
    return {name: text} | ({entities_name: entities} if entities else {})


def _sender_wire(world: World, chat: Chat, message: Message) -> Json:
    if message.anonymous:
        return {"from": ANONYMOUS_ADMIN.wire(), "sender_chat": chat_wire(world, chat)}
    if chat.type == "channel":
        return {"sender_chat": chat_wire(world, chat)}
    return {"from": world.users[message.sender_id].wire()}


def _sender_shown(world: World, message: Message) -> Json:
    if message.anonymous:
        chat = world.chats[message.chat_id]
        return {"id": ANONYMOUS_ADMIN_ID, "name": chat.title, "is_bot": False}
    user = world.users[message.sender_id]
    return {"id": user.id, "name": user.name, "is_bot": user.is_bot}


def _text(body: Json) -> str:
    if "rich_message" in body:
        return flatten(body["rich_message"]["blocks"])
    return str(body.get("text", body.get("caption", "")))


def _button(world: World, button: Json) -> Json:
    text = button["text"] if isinstance(button["text"], str) else flatten_text(button["text"])
    shown: Json = {"text": text}
    if "callback_data" in button:
        shown["data"] = button["callback_data"]
    if "url" in button:
        shown["url"] = button["url"]
    if "web_app" in button:
        shown["web_app"] = button["web_app"]["url"]
    if "copy_text" in button:
        shown["copy_text"] = button["copy_text"]["text"]
    if "style" in button:
        shown["style"] = button["style"]
    if "disabled" in button:
        shown["disabled"] = True
    return shown


def flatten_text(text: Any) -> str:
    return flatten([{"type": "paragraph", "text": text}])


def _files(world: World, body: Json) -> list[Json]:
    files = []
    for file_id in message_file_ids(body):
        stored = world.files[file_id]
        shown: Json = {
            "kind": stored.kind,
            "name": stored.name,
            "size": stored.size,
            "file_id": stored.file_id,
            "mime": stored.mime,
        }
        if stored.kind == "photo":
            shown |= {"width": stored.width, "height": stored.height}
        files.append(shown)
    return files


def _service(world: World, message: Message) -> Json:
    """What a service message says, in parts, so that a reader can put it in any language."""
    body = message.body
    if "new_chat_members" in body:
        kind, what = "joined", ", ".join(user["first_name"] for user in body["new_chat_members"])
    elif "left_chat_member" in body:
        kind, what = "left", body["left_chat_member"]["first_name"]
    elif "new_chat_title" in body:
        kind, what = "renamed", body["new_chat_title"]
    elif "pinned_message" in body:
        kind, what = "pinned", ""
    elif "group_chat_created" in body:
        kind, what = "created", ""
    else:
        kind, what = "upgraded", ""
    return {"kind": kind, "who": _sender_shown(world, message)["name"], "what": what}


def _shown_text(world: World, message: Message) -> str:
    if not message.service:
        return _text(message.body)
    parts = _service(world, message)
    return SERVICE_TEXTS[parts["kind"]].format(**parts)
