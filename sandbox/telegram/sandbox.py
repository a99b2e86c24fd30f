"""One sandbox: its world, its limits, its faults, and what the methods need of chats."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from sandbox.process import ConfigError, config_text
from sandbox.telegram.errors import ApiError, bad_request, forbidden
from sandbox.telegram.faults import Faults
from sandbox.telegram.limits import Limits
from sandbox.telegram.model import PRESENT, Chat, Json, Message, User
from sandbox.telegram.schema import Schema
from sandbox.telegram.world import World

CHAT_TYPES = frozenset({"group", "supergroup", "channel", "private"})
STATUSES = frozenset({"creator", "administrator", "member", "left", "kicked"})


@dataclass(slots=True)
class Sandbox:
    """What every method and act is given. `now` is Unix time in seconds; `held` are the chats of
    which the bot is brought nothing for the moment."""

    world: World
    token: str
    now: Callable[[], float]
    limits: Limits
    schema: Schema = field(default_factory=Schema)
    faults: Faults = field(default_factory=Faults)
    held: set[int] = field(default_factory=set)

    def chat_for_bot(self, chat_id: int | str) -> Chat:
        """The chat the bot means, or `ApiError` when it may not act there."""
        chat = self._find(chat_id)
        if chat is None:
            raise bad_request("chat not found")
        if chat.migrated_to is not None:
            raise ApiError(
                400,
                "Bad Request: group chat was upgraded to a supergroup chat",
                {"migrate_to_chat_id": chat.migrated_to},
            )
        if chat.type == "private":
            user = self.world.users[chat.id]
            if not user.started:
                raise forbidden("bot can't initiate conversation with a user")
            if user.blocked:
                raise forbidden("bot was blocked by the user")
            return chat
        status = chat.members.get(self.world.bot.id)
        if status == "kicked":
            raise forbidden(f"bot was kicked from the {chat.type} chat")
        if status not in PRESENT:
            if chat.type == "channel":
                raise forbidden("bot is not a member of the channel chat")
            # A bot that left and one that was removed read the same refusal.
            raise forbidden(f"bot was kicked from the {chat.type} chat")
        return chat

    def message_of(self, chat: Chat, message_id: int | None, missing: str) -> Message:
        """A message the bot can name, or 400 with `missing`."""
        message = self.world.message(chat.id, message_id) if message_id else None
        if message is None or message.ephemeral_for is not None:
            raise bad_request(missing)
        return message

    def bot_is_admin(self, chat: Chat) -> bool:
        return chat.status(self.world.bot.id) in {"creator", "administrator"}

    def _find(self, chat_id: int | str) -> Chat | None:
        chats = self.world.chats
        if isinstance(chat_id, int):
            return chats.get(chat_id)
        name = chat_id.removeprefix("@").lower()
        for chat in chats.values():
            if chat.username and chat.username.lower() == name and chat.type != "private":
                return chat
        return None


def open_sandbox(config: dict[str, Any], now: Callable[[], float]) -> Sandbox:
    """The sandbox of a configuration; `ConfigError` says which part cannot be used."""
    bot = config.get("bot")
    if not isinstance(bot, dict) or not isinstance(bot.get("id"), int):
        raise ConfigError("config.bot must be an object with id, username, first_name and token")
    token = config_text(bot, "token")
    world = World(Path(config_text(config, "home")), bot, now)
    seed = config.get("world", {})
    try:
        for entry in seed.get("users", []):
            add_user(world, entry)
        for entry in seed.get("chats", []):
            add_chat(world, entry)
    except (KeyError, TypeError, AttributeError, ValueError) as error:
        world.close()
        raise ConfigError(f"config.world is not usable: {error!r}") from error
    world.commit()
    return Sandbox(world, token, now, Limits(now))


def add_user(world: World, entry: Json) -> User:
    """A person and the private chat with the bot; one who exists stays as is."""
    if entry["id"] in world.users:
        return world.users[entry["id"]]
    known = ("id", "first_name", "last_name", "username", "language_code", "role", "started")
    user = User(**{key: entry[key] for key in known if key in entry})
    world.users[user.id] = user
    world.save(user)
    chat = Chat(user.id, "private", username=user.username)
    chat.members = {user.id: "member", world.bot.id: "member"}
    world.chats[chat.id] = chat
    world.save(chat)
    return user


def add_chat(world: World, entry: Json) -> Chat:
    """A chat with its members; one that exists stays as is."""
    if entry["id"] in world.chats:
        return world.chats[entry["id"]]
    if entry["type"] not in CHAT_TYPES:
        raise ValueError(f"chat type must be one of {sorted(CHAT_TYPES)}")
    if entry["type"] == "private":
        raise ValueError("private chats exist for every user without being listed")
    known = ("id", "type", "title", "kind", "username", "is_forum", "topics")
    chat = Chat(**{key: entry[key] for key in known if key in entry})
    for member in entry.get("members", []):
        if member["status"] not in STATUSES:
            raise ValueError(f"member status must be one of {sorted(STATUSES)}")
        if member["user_id"] not in world.users:
            raise ValueError(f"member {member['user_id']} is not among the users")
        chat.members[member["user_id"]] = member["status"]
    world.chats[chat.id] = chat
    world.save(chat)
    world.tell({"event": "chat", "chat_id": chat.id})
    return chat
