"""Bot API methods that bring new messages."""

from __future__ import annotations

import mimetypes
from collections.abc import Callable
from typing import Any

from sandbox.telegram.entities import CAPTION_MAX, TEXT_MAX, read_text
from sandbox.telegram.errors import bad_request
from sandbox.telegram.keyboard import check_buttons, read_markup
from sandbox.telegram.model import FILE_KINDS, PRESENT, Chat, Json, Message, StoredFile
from sandbox.telegram.rich import read_rich, rich_buttons
from sandbox.telegram.sandbox import Sandbox
from sandbox.telegram.views import bot_message
from sandbox.telegram.wire import Call, Upload

EPHEMERAL_WINDOW_S = 15
# Pictures and videos may be mixed in an album.
ALBUM_KINDS = (frozenset({"photo", "video"}), frozenset({"document"}))
CHAT_ACTIONS_TEXT = (
    "typing upload_photo record_video upload_video record_voice upload_voice upload_document"
    " choose_sticker find_location record_video_note upload_video_note"
)
CHAT_ACTIONS = frozenset(CHAT_ACTIONS_TEXT.split())


def send_message(sandbox: Sandbox, call: Call) -> Json:
    chat = sandbox.chat_for_bot(call.params["chat_id"])
    body = read_text(call.params, "text", TEXT_MAX)
    if not body:
        raise bad_request("message text is empty")
    if "link_preview_options" in call.params:
        body["link_preview_options"] = call.params["link_preview_options"]
    return _send(sandbox, chat, call, body)


def send_rich_message(sandbox: Sandbox, call: Call) -> Json:
    chat = sandbox.chat_for_bot(call.params["chat_id"])
    return _send(sandbox, chat, call, rich_body(call.params, chat))


def send_photo(sandbox: Sandbox, call: Call) -> Json:
    return _send_file(sandbox, call, "photo")


def send_document(sandbox: Sandbox, call: Call) -> Json:
    return _send_file(sandbox, call, "document")


def send_media_group(sandbox: Sandbox, call: Call) -> list[Json]:
    chat = sandbox.chat_for_bot(call.params["chat_id"])
    media = call.params["media"]
    if not 2 <= len(media) <= 10:
        raise bad_request("wrong number of items in the media group, must be from 2 to 10")
    kinds = {item["type"] for item in media}
    if not any(kinds <= alike for alike in ALBUM_KINDS):
        raise bad_request("the sandbox plays albums of photos and videos, or of documents")
    more = _more(sandbox, chat, call.params)
    captions = [read_text(item, "caption", CAPTION_MAX) for item in media]
    sandbox.limits.send(chat.id, len(media))
    bodies = [
        media_body(sandbox, call, item["type"], item["media"]) | caption
        for item, caption in zip(media, captions, strict=True)
    ]
    group = str(13_900_000_000_000_000 + sandbox.world.count("album"))
    sent = [
        sandbox.world.post(chat, sandbox.world.bot.id, {**body, "media_group_id": group}, **more)
        for body in bodies
    ]
    return [bot_message(sandbox.world, message) for message in sent]


def forward_message(sandbox: Sandbox, call: Call) -> Json:
    chat, source = _both(sandbox, call.params)
    original = sandbox.message_of(source, call.params["message_id"], "message to forward not found")
    _copyable(original, "forwarded")
    sandbox.limits.send(chat.id)
    return bot_message(sandbox.world, _forward(sandbox, chat, original, call.params))


def forward_messages(sandbox: Sandbox, call: Call) -> list[Json]:
    chat, source = _both(sandbox, call.params)
    originals = _several(sandbox, source, call.params, "forward")
    sandbox.limits.send(chat.id, len(originals))
    sent = [_forward(sandbox, chat, original, call.params) for original in originals]
    return [{"message_id": message.id} for message in sent]


def copy_message(sandbox: Sandbox, call: Call) -> Json:
    chat, source = _both(sandbox, call.params)
    original = sandbox.message_of(source, call.params["message_id"], "message to copy not found")
    _copyable(original, "copied")
    body = _content(original)
    if "caption" in call.params and any(kind in body for kind in FILE_KINDS):
        body = {k: v for k, v in body.items() if not k.startswith("caption")}
        body |= read_text(call.params, "caption", CAPTION_MAX)
    return {"message_id": _send(sandbox, chat, call, body)["message_id"]}


def copy_messages(sandbox: Sandbox, call: Call) -> list[Json]:
    chat, source = _both(sandbox, call.params)
    originals = _several(sandbox, source, call.params, "copy")
    more = _more(sandbox, chat, call.params)
    sandbox.limits.send(chat.id, len(originals))
    ids: list[Json] = []
    for original in originals:
        body = _content(original)
        if call.params.get("remove_caption"):
            body = {k: v for k, v in body.items() if not k.startswith("caption")}
        message = sandbox.world.post(chat, sandbox.world.bot.id, body, **more)
        ids.append({"message_id": message.id})
    return ids


def send_chat_action(sandbox: Sandbox, call: Call) -> bool:
    chat = sandbox.chat_for_bot(call.params["chat_id"])
    if call.params["action"] not in CHAT_ACTIONS:
        raise bad_request("wrong parameter action in request")
    sandbox.world.tell({"event": "action", "chat_id": chat.id, "action": call.params["action"]})
    return True


def rich_body(params: Json, chat: Chat) -> Json:
    """The content of a rich message of a call, with its buttons checked."""
    rich = read_rich(params["rich_message"])
    check_buttons(list(rich_buttons(rich)), chat)
    return {"rich_message": rich}


def media_body(sandbox: Sandbox, call: Call, kind: str, reference: str) -> Json:
    """The content for a file of this kind given as `attach://` or as a known file_id."""
    upload = call.upload(reference)
    stored = _known_file(sandbox, kind, reference) if upload is None else None
    if upload is not None:
        stored = _keep(sandbox, kind, upload)
    assert stored is not None
    return {kind: [stored.wire()] if kind == "photo" else stored.wire()}


def _known_file(sandbox: Sandbox, kind: str, reference: str) -> StoredFile:
    stored = sandbox.world.files.get(reference)
    if stored is None:
        raise bad_request("wrong file identifier/HTTP URL specified")
    if stored.kind != kind:
        was, now = stored.kind.capitalize(), kind.capitalize()
        raise bad_request(f"can't use file of type {was} as {now}")
    return stored


def _keep(sandbox: Sandbox, kind: str, upload: Upload) -> StoredFile:
    if not upload.content:
        raise bad_request("file must be non-empty")
    guessed = mimetypes.guess_type(upload.name)[0]
    mime = guessed or upload.mime or "application/octet-stream"
    try:
        return sandbox.world.add_file(kind, upload.name, mime, upload.content)
    except ValueError as error:
        raise bad_request("IMAGE_PROCESS_FAILED") from error


def _send_file(sandbox: Sandbox, call: Call, kind: str) -> Json:
    chat = sandbox.chat_for_bot(call.params["chat_id"])
    caption = read_text(call.params, "caption", CAPTION_MAX)
    body = media_body(sandbox, call, kind, call.params[kind]) | caption
    return _send(sandbox, chat, call, body)


def _send(sandbox: Sandbox, chat: Chat, call: Call, body: Json) -> Json:
    params = call.params
    body = body | read_markup(params, chat)
    more = _more(sandbox, chat, params)
    ephemeral = params.get("ephemeral_message_parameters")
    if ephemeral:
        more["ephemeral_for"] = _receiver(sandbox, chat, ephemeral)
    sandbox.limits.send(chat.id)
    message = sandbox.world.post(chat, sandbox.world.bot.id, body, **more)
    return bot_message(sandbox.world, message)


def _more(sandbox: Sandbox, chat: Chat, params: Json) -> Json:
    more: Json = {}
    if params.get("protect_content"):
        more["protected"] = True
    thread_id = params.get("message_thread_id")
    if thread_id is not None:
        if thread_id not in chat.topics:
            raise bad_request("message thread not found")
        more["thread_id"] = thread_id
    reply = params.get("reply_parameters")
    if reply:
        replied = sandbox.world.message(chat.id, reply.get("message_id", 0))
        if replied is None and "ephemeral_message_id" in reply:
            replied = sandbox.world.message(chat.id, reply["ephemeral_message_id"])
        if replied is not None:
            more["reply_to"] = replied.id
            if replied.thread_id is not None:
                more.setdefault("thread_id", replied.thread_id)
        elif not reply.get("allow_sending_without_reply"):
            raise bad_request("message to be replied not found")
    return more


def _receiver(sandbox: Sandbox, chat: Chat, ephemeral: Json) -> int:
    receiver_id = int(ephemeral["receiver_user_id"])
    if not chat.is_group:
        raise bad_request("ephemeral messages can be sent only in groups")
    if receiver_id not in sandbox.world.users or chat.status(receiver_id) not in PRESENT:
        raise bad_request("PARTICIPANT_ID_INVALID")
    callback_id = ephemeral.get("callback_query_id")
    if callback_id is not None:
        callback = sandbox.world.callbacks.get(callback_id)
        fresh = callback is not None and sandbox.now() - callback.at <= EPHEMERAL_WINDOW_S
        if callback is None or callback.user_id != receiver_id or not fresh:
            raise bad_request(
                "query is too old and response timeout expired or query ID is invalid"
            )
    elif not sandbox.bot_is_admin(chat):
        raise bad_request("not enough rights to send ephemeral messages to the chat")
    return receiver_id


def _both(sandbox: Sandbox, params: Json) -> tuple[Chat, Chat]:
    return sandbox.chat_for_bot(params["chat_id"]), sandbox.chat_for_bot(params["from_chat_id"])


def _several(sandbox: Sandbox, source: Chat, params: Json, verb: str) -> list[Message]:
    ids = params["message_ids"]
    if not 1 <= len(ids) <= 100 or ids != sorted(set(ids)):
        raise bad_request("message_ids must be 1-100 different identifiers in increasing order")
    found = [sandbox.world.message(source.id, message_id) for message_id in ids]
    kept = [m for m in found if m and not m.protected and not m.service and not m.ephemeral_for]
    if not kept:
        raise bad_request(f"there are no messages to {verb}")
    return kept


def _copyable(original: Message, verb: str) -> None:
    if original.protected or original.service:
        raise bad_request(f"message can't be {verb}")


def _content(original: Message) -> Json:
    return {k: v for k, v in original.body.items() if k not in {"reply_markup", "media_group_id"}}


def _forward(sandbox: Sandbox, chat: Chat, original: Message, params: Json) -> Message:
    origin = original.forward or {
        "type": "user",
        "date": original.date,
        "sender_user": sandbox.world.users[original.sender_id].wire(),
    }
    more = _more(sandbox, chat, params)
    bot_id = sandbox.world.bot.id
    return sandbox.world.post(chat, bot_id, _content(original), forward=origin, **more)


METHODS: dict[str, Callable[[Sandbox, Call], Any]] = {
    "sendMessage": send_message,
    "sendRichMessage": send_rich_message,
    "sendPhoto": send_photo,
    "sendDocument": send_document,
    "sendMediaGroup": send_media_group,
    "sendChatAction": send_chat_action,
    "forwardMessage": forward_message,
    "forwardMessages": forward_messages,
    "copyMessage": copy_message,
    "copyMessages": copy_messages,
}
