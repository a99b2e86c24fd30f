"""Bot API methods about chats and their members: reading, pinning, leaving."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from sandbox.telegram.errors import bad_request
from sandbox.telegram.model import ADMINS, PRESENT, Chat, Json
from sandbox.telegram.sandbox import Sandbox
from sandbox.telegram.views import bot_message, chat_wire, member_wire
from sandbox.telegram.wire import Call

ACCENT_COLORS = 7
MAX_REACTIONS = 11


def get_chat(sandbox: Sandbox, call: Call) -> Json:
    chat = sandbox.chat_for_bot(call.params["chat_id"])
    gifts = ("gifts_from_channels", "limited_gifts", "premium_subscription", "unique_gifts")
    full = chat_wire(sandbox.world, chat) | {
        "accent_color_id": abs(chat.id) % ACCENT_COLORS,
        "max_reaction_count": MAX_REACTIONS,
        "accepted_gift_types": dict.fromkeys([*gifts, "unlimited_gifts"], False),
    }
    if chat.is_group:
        full["permissions"] = {"can_send_messages": True, "can_send_photos": True}
    if chat.pinned:
        pinned = sandbox.world.message(chat.id, chat.pinned[-1])
        if pinned is not None:
            full["pinned_message"] = bot_message(sandbox.world, pinned, with_reply=False)
    return full


def get_chat_member(sandbox: Sandbox, call: Call) -> Json:
    chat = sandbox.chat_for_bot(call.params["chat_id"])
    user = sandbox.world.users.get(call.params["user_id"])
    if user is None:
        raise bad_request("invalid user_id specified")
    return member_wire(user, chat.status(user.id), _denied(sandbox, chat, user.id))


def get_chat_member_count(sandbox: Sandbox, call: Call) -> int:
    chat = sandbox.chat_for_bot(call.params["chat_id"])
    return sum(status in PRESENT for status in chat.members.values())


def get_chat_administrators(sandbox: Sandbox, call: Call) -> list[Json]:
    chat = sandbox.chat_for_bot(call.params["chat_id"])
    if chat.type == "private":
        raise bad_request("there are no administrators in the private chat")
    users = sandbox.world.users
    admins = [(users[uid], status) for uid, status in chat.members.items() if status in ADMINS]
    return [
        member_wire(user, status, _denied(sandbox, chat, user.id))
        for user, status in admins
        if not user.is_bot or user.id == sandbox.world.bot.id
    ]


def pin_chat_message(sandbox: Sandbox, call: Call) -> bool:
    chat = _pinnable(sandbox, call)
    message = sandbox.message_of(chat, call.params["message_id"], "message to pin not found")
    if message.service:
        raise bad_request("service message can't be pinned")
    if message.id in chat.pinned:
        raise bad_request("CHAT_NOT_MODIFIED")
    chat.pinned.append(message.id)
    sandbox.world.save(chat)
    sandbox.world.touch(message)
    if chat.type != "channel":
        pinned = bot_message(sandbox.world, message, with_reply=False)
        bot_id = sandbox.world.bot.id
        service = sandbox.world.post(chat, bot_id, {"pinned_message": pinned}, service=True)
        # A bot is told of its own pin, as it is in Telegram.
        sandbox.world.queue("message", chat.id, bot_message(sandbox.world, service))
    return True


def unpin_chat_message(sandbox: Sandbox, call: Call) -> bool:
    chat = _pinnable(sandbox, call)
    message_id = call.params.get("message_id", chat.pinned[-1] if chat.pinned else None)
    if message_id not in chat.pinned:
        raise bad_request("message to unpin not found")
    _unpin(sandbox, chat, [message_id])
    return True


def unpin_all_chat_messages(sandbox: Sandbox, call: Call) -> bool:
    chat = _pinnable(sandbox, call)
    _unpin(sandbox, chat, list(chat.pinned))
    return True


def leave_chat(sandbox: Sandbox, call: Call) -> bool:
    chat = sandbox.chat_for_bot(call.params["chat_id"])
    if chat.type == "private":
        raise bad_request("chat member status can't be changed in private chats")
    bot = sandbox.world.bot
    before = chat.status(bot.id)
    chat.members[bot.id] = "left"
    sandbox.world.save(chat)
    sandbox.world.tell({"event": "chat", "chat_id": chat.id})
    payload = {
        "chat": chat_wire(sandbox.world, chat),
        "from": bot.wire(),
        "date": int(sandbox.now()),
        "old_chat_member": member_wire(bot, before),
        "new_chat_member": member_wire(bot, "left"),
    }
    sandbox.world.post(chat, bot.id, {"left_chat_member": bot.wire()}, service=True)
    sandbox.world.queue("my_chat_member", chat.id, payload)
    return True


def _pinnable(sandbox: Sandbox, call: Call) -> Chat:
    chat = sandbox.chat_for_bot(call.params["chat_id"])
    allowed = sandbox.bot_is_admin(chat) and "can_pin_messages" not in chat.denied
    if chat.type != "private" and not allowed:
        raise bad_request("not enough rights to manage pinned messages in the chat")
    return chat


def _denied(sandbox: Sandbox, chat: Chat, user_id: int) -> list[str]:
    return chat.denied if user_id == sandbox.world.bot.id else []


def _unpin(sandbox: Sandbox, chat: Chat, ids: list[int]) -> None:
    for message_id in ids:
        chat.pinned.remove(message_id)
        message = sandbox.world.message(chat.id, message_id)
        if message is not None:
            sandbox.world.touch(message)
    sandbox.world.save(chat)


METHODS: dict[str, Callable[[Sandbox, Call], Any]] = {
    "getChat": get_chat,
    "getChatMember": get_chat_member,
    "getChatMemberCount": get_chat_member_count,
    "getChatAdministrators": get_chat_administrators,
    "pinChatMessage": pin_chat_message,
    "unpinChatMessage": unpin_chat_message,
    "unpinAllChatMessages": unpin_all_chat_messages,
    "leaveChat": leave_chat,
}
