"""What people do: write, press, edit, join, leave, block, found and upgrade groups."""

from __future__ import annotations

import base64
import binascii
import mimetypes
from collections.abc import Collection
from typing import Any

from sandbox.telegram.entities import CAPTION_MAX, TEXT_MAX
from sandbox.telegram.errors import ActError
from sandbox.telegram.model import ADMINS, FILE_KINDS, PRESENT, Chat, Json, Message
from sandbox.telegram.sandbox import STATUSES, Sandbox, add_chat, add_user
from sandbox.telegram.views import (
    ADMIN_RIGHTS,
    bot_message,
    button_rows,
    callback_wire,
    chat_wire,
    flatten_text,
    member_wire,
    text_body,
)

ACTIONS = ("press", "edit", "album", *FILE_KINDS, "text")
ALBUM_MAX = 10
FILE_NAMES = {"photo": "photo.jpg", "video": "video.mp4", "document": "file.bin"}


def act(sandbox: Sandbox, what: Json) -> Json:
    """Do one thing as a person; the shape of `what` and of the answer is in docs/sandbox.md.

    `ActError` 400 for a malformed request, 403 where this person may not, 404 for something
    that does not exist.
    """
    chat = _chat(sandbox, what.get("chat_id"))
    user_id = _member(sandbox, chat, what.get("as"))
    given = [name for name in ACTIONS if name in what]
    if not given:
        raise ActError(400, f"say what to do with one of {', '.join(ACTIONS)}")
    action = given[0]
    if action == "press":
        return _press(sandbox, chat, user_id, what["press"])
    if action == "edit":
        return _edit(sandbox, chat, user_id, what["edit"])
    if chat.type == "channel" and chat.status(user_id) not in ADMINS:
        raise ActError(403, "only administrators post in a channel")
    if chat.migrated_to is not None:
        raise ActError(400, f"this group became the supergroup {chat.migrated_to}; write there")
    more = _how(sandbox, chat, user_id, what)
    if action == "album":
        messages = _album(sandbox, chat, user_id, what, more)
    else:
        messages = [sandbox.world.post(chat, user_id, _content(sandbox, action, what), **more)]
    for message in messages:
        _announce(sandbox, chat, message)
    sandbox.world.commit()
    answer: Json = {"message_id": messages[0].id}
    return answer | ({"message_ids": [m.id for m in messages]} if len(messages) > 1 else {})


def change_member(sandbox: Sandbox, what: Json) -> Json:
    """Set somebody's standing in a chat: `{"chat_id", "user_id", "status", "by"?, "without"?}`.

    without: rights that the bot does not have as an administrator.
    In a private chat "kicked" means the person blocks the bot and "member" that they unblock it.
    """
    chat = _chat(sandbox, what.get("chat_id"))
    status = what.get("status")
    if status not in STATUSES:
        raise ActError(400, f"status must be one of {', '.join(sorted(STATUSES))}")
    world = sandbox.world
    user_id = world.bot.id if chat.type == "private" else what.get("user_id", world.bot.id)
    if user_id not in world.users:
        raise ActError(404, f"no user {user_id!r}; add it to the world or with POST chat")
    by = what.get("by", chat.id if chat.type == "private" else _first_admin(sandbox, chat))
    before, denied_before = chat.status(user_id), chat.denied
    if user_id == world.bot.id:
        chat.denied = _denied(what.get("without", []))
    if chat.type == "private":
        user = world.users[chat.id]
        user.blocked = status in {"kicked", "left"}
        world.save(user)
    chat.members[user_id] = status
    world.save(chat)
    world.tell({"event": "chat", "chat_id": chat.id})
    _tell_standing(sandbox, chat, user_id, by, before, status, denied_before)
    if chat.is_group and (before in PRESENT) != (status in PRESENT):
        _post_standing(sandbox, chat, user_id, by, joined=status in PRESENT)
    world.commit()
    return {"status": status}


def hold_chat(sandbox: Sandbox, what: Json) -> Json:
    """Bring the bot nothing of a chat until it is let go: `{"chat_id", "held"}`. Others go on, so
    that a chat's updates overtake another's."""
    chat, held = _chat(sandbox, what.get("chat_id")), what.get("held")
    if not isinstance(held, bool):
        raise ActError(400, "held must be true or false")
    (sandbox.held.add if held else sandbox.held.discard)(chat.id)
    sandbox.world.tell({"event": "held", "chat_id": chat.id})
    sandbox.world.commit()
    return {"held": sorted(sandbox.held)}


def change_chat(sandbox: Sandbox, what: Json) -> Json:
    """Create a chat (`"create": {...}`), add a person (`"user"`), rename or upgrade a group."""
    world = sandbox.world
    try:
        if "user" in what:
            user = add_user(world, what["user"])
            world.commit()
            return {"user_id": user.id}
        if "create" in what:
            return _create(sandbox, dict(what["create"]))
    except (KeyError, TypeError, ValueError) as error:
        raise ActError(400, f"not usable: {error!r}") from error
    chat = _chat(sandbox, what.get("chat_id"))
    if "title" in what:
        chat.title = str(what["title"])
        world.save(chat)
        sender = _first_admin(sandbox, chat)
        message = world.post(chat, sender, {"new_chat_title": chat.title}, service=True)
        _announce(sandbox, chat, message)
        world.tell({"event": "chat", "chat_id": chat.id})
        world.commit()
        return {"chat_id": chat.id}
    if what.get("migrate"):
        return _migrate(sandbox, chat)
    raise ActError(400, "say one of create, user, title or migrate")


def _create(sandbox: Sandbox, entry: Json) -> Json:
    world = sandbox.world
    if "id" not in entry:
        number = world.count("chat", start=7_000_001)
        supergroup = entry.get("type", "supergroup") != "group"
        entry["id"] = -1_000_000_000_000 - number if supergroup else -number
    entry.setdefault("type", "supergroup")
    if entry["id"] in world.chats:
        raise ActError(400, f"chat {entry['id']} exists already")
    members = entry.setdefault("members", [])
    chat = add_chat(world, entry)
    founder = members[0]["user_id"] if members else world.bot.id
    if chat.type == "group":
        world.post(chat, founder, {"group_chat_created": True}, service=True)
    if chat.status(world.bot.id) in PRESENT:
        status = chat.status(world.bot.id)
        _tell_standing(sandbox, chat, world.bot.id, founder, "left", status)
    world.commit()
    return {"chat_id": chat.id}


def _migrate(sandbox: Sandbox, old: Chat) -> Json:
    world = sandbox.world
    if old.type != "group" or old.migrated_to is not None:
        raise ActError(400, "only a basic group that was not upgraded yet can migrate")
    number = world.count("chat", start=7_000_001)
    new = Chat(-1_000_000_000_000 - number, "supergroup", old.title, old.kind)
    new.members = dict(old.members)
    world.chats[new.id] = new
    sender = _first_admin(sandbox, old)
    leaving = world.post(old, sender, {"migrate_to_chat_id": new.id}, service=True)
    old.migrated_to = new.id
    world.save(old)
    arriving = world.post(new, sender, {"migrate_from_chat_id": old.id}, service=True)
    _announce(sandbox, old, leaving)
    _announce(sandbox, new, arriving)
    world.tell({"event": "chat", "chat_id": new.id})
    world.commit()
    return {"chat_id": new.id, "migrated_from": old.id}


def _chat(sandbox: Sandbox, chat_id: Any) -> Chat:
    chat = sandbox.world.chats.get(chat_id) if isinstance(chat_id, int) else None
    if chat is None:
        raise ActError(404, f"no chat {chat_id!r}; GET state lists the chats")
    return chat


def _member(sandbox: Sandbox, chat: Chat, user_id: Any) -> int:
    user = sandbox.world.users.get(user_id) if isinstance(user_id, int) else None
    if user is None or user.is_bot:
        raise ActError(404, f"no person {user_id!r}; GET state lists the users")
    if chat.status(user.id) not in PRESENT:
        raise ActError(403, f"{user.name} is not in this chat; add them with POST member")
    return user.id


def _how(sandbox: Sandbox, chat: Chat, user_id: int, what: Json) -> Json:
    more: Json = {}
    reply_to = what.get("reply_to")
    if reply_to is not None:
        replied = sandbox.world.message(chat.id, reply_to)
        if replied is None or replied.ephemeral_for not in (None, user_id):
            raise ActError(404, f"no message {reply_to!r} in this chat to reply to")
        more["reply_to"] = reply_to
        more["thread_id"] = replied.thread_id
    if what.get("thread_id") is not None:
        if what["thread_id"] not in chat.topics:
            raise ActError(404, f"no topic {what['thread_id']!r} in this chat")
        more["thread_id"] = what["thread_id"]
    if what.get("anonymous"):
        if not chat.is_group or chat.status(user_id) not in ADMINS:
            raise ActError(403, "only an administrator of a group can write anonymously")
        more["anonymous"] = True
    return more


def _content(sandbox: Sandbox, action: str, what: Json) -> Json:
    if action == "text":
        text = what["text"].strip() if isinstance(what["text"], str) else ""
        if not 1 <= len(text) <= TEXT_MAX:
            raise ActError(400, f"text must be a string of 1 to {TEXT_MAX} characters")
        return text_body(text)
    caption = what.get("caption") or ""
    if not isinstance(caption, str) or len(caption) > CAPTION_MAX:
        raise ActError(400, f"caption must be a string of at most {CAPTION_MAX} characters")
    body = _file_body(sandbox, action, what)
    return body | (text_body(caption.strip(), "caption") if caption.strip() else {})


def _file_body(sandbox: Sandbox, kind: str, what: Json) -> Json:
    try:
        content = base64.b64decode(what[kind], validate=True)
    except (binascii.Error, TypeError, ValueError) as error:
        raise ActError(400, f"{kind} must be base64") from error
    name = str(what.get("file_name") or FILE_NAMES[kind])
    mime = mimetypes.guess_type(name)[0] or "application/octet-stream"
    try:
        stored = sandbox.world.add_file(kind, name.rsplit("/", 1)[-1], mime, content)
    except ValueError as error:
        raise ActError(400, f"the photo cannot be used: {error}") from error
    return {kind: [stored.wire()] if kind == "photo" else stored.wire()}


def _album(sandbox: Sandbox, chat: Chat, user_id: int, what: Json, more: Json) -> list[Message]:
    items = what["album"]
    if not isinstance(items, list) or not 2 <= len(items) <= ALBUM_MAX:
        raise ActError(400, f"album must be a list of 2 to {ALBUM_MAX} files")
    bodies, kinds = [], set()
    for item in items:
        kind = next((k for k in FILE_KINDS if k in item), None)
        if kind is None:
            raise ActError(400, f"each item of an album has one of {', '.join(FILE_KINDS)}")
        kinds.add(kind)
        bodies.append(_content(sandbox, kind, item))
    if "document" in kinds and len(kinds) > 1:
        raise ActError(400, "an album is of photos and videos, or of documents")
    if what.get("caption") and not any("caption" in body for body in bodies):
        bodies[0] |= text_body(str(what["caption"]), "caption")
    group = str(13_900_000_000_000_000 + sandbox.world.count("album"))
    world = sandbox.world
    return [world.post(chat, user_id, b | {"media_group_id": group}, **more) for b in bodies]


def _press(sandbox: Sandbox, chat: Chat, user_id: int, press: Any) -> Json:
    if not isinstance(press, dict):
        raise ActError(400, 'press must be {"message_id", "data" or "label"}')
    world = sandbox.world
    message = world.message(chat.id, press.get("message_id", 0))
    if message is None or message.ephemeral_for not in (None, user_id):
        raise ActError(404, f"no message {press.get('message_id')!r} in this chat")
    button = _button(message, press)
    if "disabled" in button:
        raise ActError(403, "this button is disabled")
    if "callback_data" not in button:
        raise ActError(400, "this button opens or copies something; the bot hears nothing of it")
    callback = world.add_callback(user_id, chat.id, message.id, button["callback_data"])
    _queue(sandbox, "callback_query", chat.id, callback_wire(world, callback))
    world.commit()
    return {"message_id": message.id, "callback_query_id": callback.id}


def _button(message: Message, press: Json) -> Json:
    buttons = [button for row in button_rows(message.body) for button in row]
    for button in buttons:
        label = flatten_text(button["text"])
        if "data" in press and button.get("callback_data") == press["data"]:
            return button
        if "data" not in press and label == press.get("label"):
            return button
    labels = ", ".join(repr(flatten_text(button["text"])) for button in buttons) or "none"
    raise ActError(404, f"no such button; this message has: {labels}")


def _edit(sandbox: Sandbox, chat: Chat, user_id: int, edit: Any) -> Json:
    if not isinstance(edit, dict) or not isinstance(edit.get("text"), str):
        raise ActError(400, 'edit must be {"message_id", "text"}')
    message = sandbox.world.message(chat.id, edit.get("message_id", 0))
    if message is None:
        raise ActError(404, f"no message {edit.get('message_id')!r} in this chat")
    if message.sender_id != user_id:
        raise ActError(403, "people edit only their own messages")
    name = "text" if "text" in message.body else "caption"
    for key in (name, "entities", "caption_entities"):
        message.body.pop(key, None)
    message.body |= text_body(edit["text"].strip(), name)
    message.edit_date = int(sandbox.now())
    message.edit_count += 1
    sandbox.world.touch(message)
    kind = "edited_channel_post" if chat.type == "channel" else "edited_message"
    if chat.status(sandbox.world.bot.id) in PRESENT:
        _queue(sandbox, kind, chat.id, bot_message(sandbox.world, message))
    sandbox.world.commit()
    return {"message_id": message.id}


def _first_admin(sandbox: Sandbox, chat: Chat) -> int:
    people = [uid for uid in chat.members if uid != sandbox.world.bot.id]
    for status in ("creator", "administrator", "member"):
        for user_id in people:
            if chat.status(user_id) == status:
                return user_id
    return sandbox.world.bot.id


def _announce(sandbox: Sandbox, chat: Chat, message: Message) -> None:
    """Tell the bot of a message, where it can see it."""
    bot_id = sandbox.world.bot.id
    if chat.type == "private":
        user = sandbox.world.users[chat.id]
        if not user.started:
            user.started = True
            sandbox.world.save(user)
        if user.blocked:
            return
    elif chat.status(bot_id) not in PRESENT:
        return
    kind = "channel_post" if chat.type == "channel" else "message"
    _queue(sandbox, kind, chat.id, bot_message(sandbox.world, message))


def _denied(rights: Any) -> list[str]:
    if not isinstance(rights, list) or not set(rights) <= set(ADMIN_RIGHTS):
        raise ActError(400, f"without must be a list of {', '.join(ADMIN_RIGHTS)}")
    return rights


def _tell_standing(
    sandbox: Sandbox,
    chat: Chat,
    user_id: int,
    by: int,
    before: str,
    after: str,
    denied_before: Collection[str] = (),
) -> None:
    world = sandbox.world
    is_bot = user_id == world.bot.id or chat.type == "private"
    if not is_bot and chat.status(world.bot.id) not in ADMINS:
        return
    subject = world.bot if is_bot else world.users[user_id]
    payload = {
        "chat": chat_wire(world, chat),
        "from": world.users[by].wire(),
        "date": int(sandbox.now()),
        "old_chat_member": member_wire(subject, before, denied_before if is_bot else []),
        "new_chat_member": member_wire(subject, after, chat.denied if is_bot else []),
    }
    _queue(sandbox, "my_chat_member" if is_bot else "chat_member", chat.id, payload)


def _post_standing(sandbox: Sandbox, chat: Chat, user_id: int, by: int, *, joined: bool) -> None:
    world = sandbox.world
    wire = world.users[user_id].wire()
    body: Json = {"new_chat_members": [wire]} if joined else {"left_chat_member": wire}
    message = world.post(chat, by if joined else user_id, body, service=True)
    _announce(sandbox, chat, message)


def _queue(sandbox: Sandbox, kind: str, chat_id: int, payload: Json) -> None:
    fault = sandbox.faults.for_update()
    if fault is not None and fault.kind == "drop_update":
        return
    sandbox.world.queue(kind, chat_id, payload, twice=fault is not None)
