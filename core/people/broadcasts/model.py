"""What a broadcast is, and how far it got."""

from __future__ import annotations

import html
import re
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Final, Literal
from uuid import UUID

import asyncpg

from core.delivery.outbox import Copy, Fact, MediaGroup
from core.kernel.codec import unpack
from core.kernel.errors import Refusal
from core.people.groups import Audience

# Who is told what the messages of broadcasts became.
KEEPER: Final = "broadcast"
# A broadcast gets on by so much in a second at most; Telegram takes 30.
RATE_PER_S: Final = 28

_TAGS: Final = re.compile(r"<[^>]*>")
# Of what else albums are made: pictures and videos, which may be mixed.
_AMONG_THEMSELVES: Final = frozenset({"document", "audio"})

State = Literal["draft", "running", "stopped", "done", "dropped"]
Task = Literal["send", "revise", "withdraw"]
TargetState = Literal["waiting", "queued", "sent", "failed", "stopped", "withdrawn"]


@dataclass(frozen=True, slots=True)
class Content:
    """A message of whoever sends a broadcast, as it is copied: in their private chat.

    kind: photo, video and so on, as the Bot API calls it; `text`; `other` for what has no words
    that could be changed. words: Telegram's HTML of the text, or of what stands under a picture.
    items: kinds and Telegram's ids of its file, or of those of an album; empty where there is none
    in whose place another could come. replaced: these came in the place of what was sent first.
    """

    chat_id: int
    message_id: int
    kind: str
    words: str = ""
    items: tuple[tuple[str, str], ...] = ()
    replaced: bool = False

    @property
    def plain(self) -> str:
        """Its words, without what makes them bold."""
        return html.unescape(_TAGS.sub("", self.words))

    @property
    def captioned(self) -> bool:
        """Whether its words stand under a picture or a file."""
        return self.kind != "text"

    def to(self, ref: str, *, bulk: bool) -> Fact:
        """What leaves for a chat. ref: what its keeper knows it by; empty where nobody does."""
        keeper = KEEPER if ref else ""
        if len(self.items) > 1:
            return MediaGroup(self.items, html=self.words, keeper=keeper, ref=ref, bulk=bulk)
        under = self.words if self.captioned else ""
        return Copy(self.chat_id, self.message_id, html=under, keeper=keeper, ref=ref, bulk=bulk)

    def revised(self, newer: Content) -> Content:
        """What is said from now on wherever this stands: the words of a text go under the picture
        that is there, and a picture comes in the place of a text or of a picture. Refusals:
        broadcast_kind."""
        if "other" in (self.kind, newer.kind):
            raise Refusal("broadcast_kind")
        if not newer.captioned:
            return replace(self, words=newer.words) if self.captioned else newer
        fits = newer.items and (self.items or not self.captioned)
        if not fits or len(newer.items) != max(1, len(self.items)):
            raise Refusal("broadcast_kind")
        if len(newer.items) > 1 and self._family != newer._family:
            raise Refusal("broadcast_kind")
        return replace(newer, replaced=True)

    @property
    def _family(self) -> str:
        """Of the parts of an album; those of one may come in the place of each other."""
        return self.kind if self.kind in _AMONG_THEMSELVES else "photo"


@dataclass(frozen=True, slots=True)
class Broadcast:
    """A broadcast as it stands. no: as in B12. task: what is under way, or was last. starts_at:
    None for at once. chat_id: the private chat of whoever sends it."""

    id: UUID
    no: int
    state: State
    task: Task
    content: Content
    audience: Audience
    pin: bool
    starts_at: datetime | None
    chat_id: int
    by_name: str
    created_at: datetime
    ended_at: datetime | None


@dataclass(frozen=True, slots=True)
class Plan:
    """Whom a draft would reach. total: chats; unreachable: of these, where the bot is not or may
    not post. quiet: that have quiet hours then, the last of which is over at quiet_until. seconds:
    how long the others take."""

    total: int
    unreachable: int
    quiet: int
    quiet_until: datetime | None
    seconds: int


@dataclass(frozen=True, slots=True)
class Counts:
    """How many chats stand how. left: that it is still to reach; withdrawn: that have it no
    longer. stopped: that it will not reach, because it was stopped."""

    sent: int = 0
    failed: int = 0
    left: int = 0
    stopped: int = 0
    withdrawn: int = 0

    @property
    def total(self) -> int:
        return self.sent + self.failed + self.left + self.stopped + self.withdrawn


@dataclass(frozen=True, slots=True)
class Failure:
    """A chat that it did not reach, and why, as Telegram says."""

    no: int
    title: str
    fault: str


@dataclass(frozen=True, slots=True)
class Result:
    """What became of it in a chat. no: as in G3. state: as of a row of `broadcast_target`. fault:
    why it failed. at: when that was so; None where it is still to come."""

    no: int
    title: str
    state: TargetState
    fault: str
    at: datetime | None


@dataclass(frozen=True, slots=True)
class ResultPage:
    """Results, those first of which somebody has to think: what failed, was stopped, is to come.
    page: from 1."""

    broadcast: Broadcast
    entries: tuple[Result, ...]
    page: int
    pages: int
    total: int


@dataclass(frozen=True, slots=True)
class BroadcastView:
    """What its card shows. plan: of a draft. next_at: when it goes on, where it waits. failures:
    the first of them."""

    broadcast: Broadcast
    plan: Plan | None
    counts: Counts
    next_at: datetime | None
    failures: tuple[Failure, ...]


@dataclass(frozen=True, slots=True)
class BroadcastPage:
    """The newest first, each with how it stands. page: from 1."""

    entries: tuple[tuple[Broadcast, Counts], ...]
    page: int
    pages: int
    total: int


def ref_of(broadcast_id: UUID, chat_id: int) -> str:
    """What the keeper and the board know its messages of a chat by."""
    return f"{KEEPER}:{broadcast_id}:{chat_id}"


def read_broadcast(row: asyncpg.Record) -> Broadcast:
    values: dict[str, Any] = {name: row[name] for name in _PLAIN}
    return Broadcast(
        **values,
        content=unpack(Content, row["content"]),
        audience=unpack(Audience, row["audience"]),
    )


_PLAIN: Final = (
    "id", "no", "state", "task", "pin", "starts_at", "chat_id", "by_name", "created_at", "ended_at",
)  # fmt: skip
