"""The things a Telegram has, as they are kept."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

ANONYMOUS_ADMIN_ID = 1087968824
PRESENT = frozenset({"creator", "administrator", "member"})
ADMINS = frozenset({"creator", "administrator"})

Json = dict[str, Any]


@dataclass(slots=True)
class User:
    """A person, or the bot (`is_bot`). `role` is a label for the chat page only."""

    id: int
    first_name: str
    last_name: str = ""
    username: str = ""
    language_code: str = ""
    role: str = ""
    is_bot: bool = False
    started: bool = True
    blocked: bool = False

    @property
    def name(self) -> str:
        return f"{self.first_name} {self.last_name}".strip()

    def wire(self) -> Json:
        """The Bot API's User."""
        wire: Json = {"id": self.id, "is_bot": self.is_bot, "first_name": self.first_name}
        for key in ("last_name", "username", "language_code"):
            if value := getattr(self, key):
                wire[key] = value
        return wire


@dataclass(slots=True)
class Chat:
    """A chat. `members` maps user id to status; `pinned` lists message ids, oldest first; `denied`
    the rights that the bot lacks here as an administrator."""

    id: int
    type: str
    title: str = ""
    kind: str = ""
    username: str = ""
    is_forum: bool = False
    topics: list[int] = field(default_factory=list)
    members: dict[int, str] = field(default_factory=dict)
    last_message_id: int = 0
    pinned: list[int] = field(default_factory=list)
    denied: list[str] = field(default_factory=list)
    migrated_to: int | None = None

    @property
    def is_group(self) -> bool:
        return self.type in {"group", "supergroup"}

    def status(self, user_id: int) -> str:
        """The member's status; "left" for somebody who never was here."""
        return self.members.get(user_id, "left")


@dataclass(slots=True)
class Message:
    """A message; `body` holds its content in the Bot API's own fields.

    `id` counts per chat. An ephemeral message has one too, but bots know it only as
    `ephemeral_message_id`.
    """

    id: int
    chat_id: int
    date: int
    sender_id: int
    body: Json
    anonymous: bool = False
    reply_to: int | None = None
    thread_id: int | None = None
    edit_date: int | None = None
    edit_count: int = 0
    ephemeral_for: int | None = None
    reactions: dict[int, list[str]] = field(default_factory=dict)
    forward: Json | None = None
    protected: bool = False
    service: bool = False


# What messages carry: each kind under its own name in the Bot API.
FILE_KINDS = ("photo", "video", "document")


@dataclass(slots=True)
class StoredFile:
    """A file; its content lies in the store under `file_unique_id`."""

    file_id: str
    file_unique_id: str
    number: int
    kind: str
    name: str
    mime: str
    size: int
    width: int = 0
    height: int = 0

    @property
    def path(self) -> str:
        """`file_path` as getFile answers it."""
        suffix = self.name.rsplit(".", 1)[-1] if "." in self.name else "bin"
        return f"{self.kind}s/file_{self.number}.{suffix}"

    def wire(self) -> Json:
        """A PhotoSize, a Video or a Document."""
        wire: Json = {
            "file_id": self.file_id,
            "file_unique_id": self.file_unique_id,
            "file_size": self.size,
        }
        if self.kind == "photo":
            return wire | {"width": self.width, "height": self.height}
        wire |= {"file_name": self.name, "mime_type": self.mime}
        if self.kind == "video":  # nobody looks into it: these are what Telegram always says
            return wire | {"width": 0, "height": 0, "duration": 0}
        return wire


@dataclass(slots=True)
class Callback:
    """A pressed button, until and after the bot answers it."""

    id: str
    number: int
    user_id: int
    chat_id: int
    message_id: int
    data: str
    at: float
    answer: Json | None = None


@dataclass(slots=True)
class PendingUpdate:
    """An update not yet taken by the bot; `chat_id` orders its delivery."""

    update_id: int
    chat_id: int
    update: Json
    twice: bool = False


@dataclass(slots=True)
class Webhook:
    """The webhook setting; `url` is empty while there is none."""

    url: str = ""
    secret_token: str = ""
    max_connections: int = 40
    allowed_updates: list[str] = field(default_factory=list)
    last_error_date: int | None = None
    last_error_message: str | None = None
