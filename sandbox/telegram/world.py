"""Everything that happened, in memory and on disk.

Whoever changes something calls `save` for it and `commit` before anybody is answered; listeners
hear of it after the commit.
"""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Callable, Iterator
from dataclasses import asdict
from pathlib import Path
from typing import Any, TypeAlias

from sandbox.process import ConfigError
from sandbox.telegram.images import image_size
from sandbox.telegram.model import (
    Callback,
    Chat,
    Json,
    Message,
    PendingUpdate,
    StoredFile,
    User,
    Webhook,
)
from sandbox.telegram.store import Store

# Not asked for unless allowed_updates names them, as in Telegram.
ON_REQUEST = frozenset({"chat_member", "message_reaction", "message_reaction_count"})
CALLBACKS_KEPT = 1000

Listener: TypeAlias = Callable[[Json], None]
Record: TypeAlias = User | Chat | Message | StoredFile | Callback | PendingUpdate | Webhook


class World:
    """The state of one sandbox. Single-threaded: all calls come from one event loop."""

    def __init__(self, home: Path, bot: Json, now: Callable[[], float]) -> None:
        self.now = now
        self._store = Store(home)
        self._dirty: dict[tuple[str, int, int], Json | None] = {}
        self._events: list[Json] = []
        self._listeners: list[Listener] = []
        self._read()
        self._read_bot(bot)

    def _read(self) -> None:
        load = self._store.load
        self.users = {row["id"]: User(**row) for row in load("user")}
        self.chats: dict[int, Chat] = {}
        for row in load("chat"):
            members = {int(user_id): status for user_id, status in row.pop("members").items()}
            self.chats[row["id"]] = Chat(**row, members=members)
        self._messages: dict[int, dict[int, Message]] = {}
        for row in load("message"):
            given = {int(user_id): emoji for user_id, emoji in row.pop("reactions").items()}
            message = Message(**row, reactions=given)
            self._messages.setdefault(message.chat_id, {})[message.id] = message
        self.files = {row["file_id"]: StoredFile(**row) for row in load("file")}
        self.callbacks = {row["id"]: Callback(**row) for row in load("callback")}
        self.pending = {row["update_id"]: PendingUpdate(**row) for row in load("update")}
        hooks = load("webhook")
        self.webhook = Webhook(**hooks[0]) if hooks else Webhook()
        self._texts: dict[str, Any] = (load("texts") or [{}])[0]
        self._counters: dict[str, int] = (load("counters") or [{}])[0]

    def _read_bot(self, bot: Json) -> None:
        try:
            self.bot = User(bot["id"], bot["first_name"], username=bot["username"], is_bot=True)
        except KeyError as error:
            raise ConfigError(f"config.bot lacks {error}") from error
        known = self.texts("bot_id").get("id", self.bot.id)
        if known != self.bot.id:
            raise ConfigError(f"this home belongs to bot {known}, not to {self.bot.id}")
        self.users[self.bot.id] = self.bot
        self.save(self.bot)
        self.set_text("bot_id", "id", self.bot.id)
        self.commit()

    # What is kept

    def save(self, record: Record) -> None:
        """Remember a new or changed record with the next commit."""
        self._dirty[_key(record)] = asdict(record)

    def forget(self, record: Record) -> None:
        """Drop a record with the next commit."""
        self._dirty[_key(record)] = None

    def commit(self) -> None:
        """Write everything since the last commit, then tell the listeners."""
        if self._dirty:
            self._store.write(self._dirty)
            self._dirty = {}
        events, self._events = self._events, []
        for event in events:
            for listener in list(self._listeners):
                listener(event)

    def close(self) -> None:
        self.commit()
        self._store.close()

    def listen(self, listener: Listener) -> Callable[[], None]:
        """Hear every event after its commit; the answer stops it."""
        self._listeners.append(listener)
        return lambda: self._listeners.remove(listener)

    def tell(self, event: Json) -> None:
        """Queue an event for the listeners; it leaves with the next commit."""
        self._events.append(event)

    def count(self, name: str, start: int = 1) -> int:
        """The next number of a counter that never goes back."""
        self._counters[name] = self._counters.get(name, start - 1) + 1
        self._dirty["counters", 0, 0] = dict(self._counters)
        return self._counters[name]

    def texts(self, name: str) -> Json:
        """A small named record such as the bot's commands; empty when never set."""
        return dict(self._texts.get(name, {}))

    def set_text(self, name: str, key: str, value: Any) -> None:
        """Set (or with None remove) one entry of a small named record."""
        entry = self._texts.setdefault(name, {})
        if value is None:
            entry.pop(key, None)
        else:
            entry[key] = value
        self._dirty["texts", 0, 0] = dict(self._texts)

    # Messages

    def message(self, chat_id: int, message_id: int) -> Message | None:
        return self._messages.get(chat_id, {}).get(message_id)

    def messages(self, chat_id: int) -> Iterator[Message]:
        """All messages of a chat, oldest first."""
        yield from self._messages.get(chat_id, {}).values()

    def last_message(self, chat_id: int, viewer_id: int) -> Message | None:
        """The newest message this person may see."""
        for message in reversed(self._messages.get(chat_id, {}).values()):
            if message.ephemeral_for in (None, viewer_id):
                return message
        return None

    def post(self, chat: Chat, sender_id: int, body: Json, **more: Any) -> Message:
        """A new message; `more` are further fields of Message."""
        chat.last_message_id += 1
        message = Message(chat.last_message_id, chat.id, int(self.now()), sender_id, body, **more)
        self._messages.setdefault(chat.id, {})[message.id] = message
        self.save(chat)
        self.touch(message)
        return message

    def touch(self, message: Message) -> None:
        """Save a new or changed message and show it to everybody."""
        self.save(message)
        self.tell({"event": "message", "chat_id": message.chat_id, "message_id": message.id})

    def delete(self, message: Message) -> None:
        """Remove a message; its id is never used again."""
        del self._messages[message.chat_id][message.id]
        self.forget(message)
        chat = self.chats[message.chat_id]
        if message.id in chat.pinned:
            chat.pinned.remove(message.id)
            self.save(chat)
        self.tell({"event": "deleted", "chat_id": message.chat_id, "message_id": message.id})

    # Files

    def add_file(self, kind: str, name: str, mime: str, content: bytes) -> StoredFile:
        """Keep a file. A photo that is no image raises `ValueError`."""
        width, height = image_size(content) if kind == "photo" else (0, 0)
        number = self.count("file")
        digest = hashlib.sha256(content).hexdigest()[:16]
        unique = f"AQAD{digest}{number}"
        file_id = f"AgACAgUAAx0{secrets.token_urlsafe(24)}"
        stored = StoredFile(file_id, unique, number, kind, name, mime, len(content), width, height)
        self._store.write_file(unique, content)
        self.files[file_id] = stored
        self.save(stored)
        return stored

    def file_content(self, stored: StoredFile) -> bytes:
        return self._store.read_file(stored.file_unique_id)

    # Updates and callbacks

    def queue(self, kind: str, chat_id: int, payload: Json, twice: bool = False) -> None:
        """Queue an update for the bot, if it asked for this kind."""
        allowed = self.webhook.allowed_updates
        if kind not in allowed if allowed else kind in ON_REQUEST:
            return
        # Telegram's first update_id is arbitrary; a bot must not expect 1.
        update_id = self.count("update", start=731_245_001)
        pending = PendingUpdate(update_id, chat_id, {"update_id": update_id, kind: payload}, twice)
        self.pending[update_id] = pending
        self.save(pending)
        self.tell({"event": "update"})

    def taken(self, update_id: int) -> None:
        """The bot has an update; one marked to come twice stays once more."""
        pending = self.pending.get(update_id)
        if pending is None:
            return
        if pending.twice:
            pending.twice = False
            self.save(pending)
            return
        del self.pending[update_id]
        self.forget(pending)

    def add_callback(self, user_id: int, chat_id: int, message_id: int, data: str) -> Callback:
        number = self.count("callback")
        callback = Callback(
            str(4_611_686_018_427_000_000 + number),
            number,
            user_id,
            chat_id,
            message_id,
            data,
            self.now(),
        )
        self.callbacks[callback.id] = callback
        self.save(callback)
        if len(self.callbacks) > CALLBACKS_KEPT:
            self.forget(self.callbacks.pop(next(iter(self.callbacks))))
        return callback


def _key(record: Record) -> tuple[str, int, int]:
    match record:
        case User():
            return "user", record.id, 0
        case Chat():
            return "chat", record.id, 0
        case Message():
            return "message", record.chat_id, record.id
        case StoredFile():
            return "file", record.number, 0
        case Callback():
            return "callback", record.number, 0
        case PendingUpdate():
            return "update", record.update_id, 0
        case Webhook():
            return "webhook", 0, 0
