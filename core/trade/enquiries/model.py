"""What an enquiry is: a question about an order, passed to its supplier until it is answered."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Final, Literal
from uuid import UUID

import asyncpg

from core.kernel.money import Money

# What may show that an order is paid, of what an album is made of.
EVIDENCE: Final = frozenset({"photo", "video", "document"})
# Who is told which messages an enquiry became in chats.
KEEPER: Final = "enquiry"

State = Literal["open", "answered", "paid", "closed"]
# Of the messages of an enquiry. People wrote what is asked and answered; the desk passed the one to
# the supplier and returned the other to whoever asked.
Part = Literal["asked", "passed", "answered", "returned"]


@dataclass(frozen=True, slots=True)
class Media:
    """A picture or a file of a message. kind: as the Bot API calls it. file_id: Telegram's."""

    kind: str
    file_id: str


@dataclass(frozen=True, slots=True)
class Said:
    """A message that somebody wrote, as it is passed on. by_name: of that person. media: what came
    with it and may show that an order is paid. album: Telegram's name of the album that it is a
    part of. others: other messages of it that ask the same. text, caption: say instead what may be
    passed on of its words, where that is less than all; None: it goes as it is."""

    chat_id: int
    message_id: int
    by_name: str
    media: tuple[Media, ...] = ()
    text: str | None = None
    caption: str | None = None
    album: str | None = None
    others: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class Thread:
    """Where a reply belongs. part: passed, of a reply to what the supplier was asked; or returned,
    of one to what came back from there."""

    enquiry_id: UUID
    part: Part


@dataclass(frozen=True, slots=True)
class Enquiry:
    """An enquiry as it stands. attempt_no: the order as its supplier knows it. media: what came
    with the question, in the message from_message_id of from_chat_id. taken_by_name: who of the
    supplier's people looks after it; empty while nobody does. album: as of `Said`. gathered_at:
    since when what else comes of it goes by itself."""

    id: UUID
    merchant_id: UUID
    order_id: UUID
    supplier_id: UUID
    attempt_no: str
    from_chat_id: int
    from_message_id: int
    media: tuple[Media, ...]
    state: State
    asked_at: datetime
    asked_by_name: str
    answered_at: datetime | None
    taken_by_name: str
    chased_at: datetime | None
    chases: int
    album: str | None
    gathered_at: datetime | None

    @property
    def gathers(self) -> bool:
        """Whether more of its album is waited for."""
        return self.album is not None and self.gathered_at is None

    @property
    def last_passed_at(self) -> datetime:
        """When the supplier last heard of it from us."""
        return max(self.asked_at, self.chased_at or self.asked_at)


@dataclass(frozen=True, slots=True)
class EnquiryView:
    """What its card shows. amount: of the attempt. zone: of the supplier. upstream_no: the
    supplier's own number; empty where it gave none."""

    enquiry: Enquiry
    amount: Money
    created_at: datetime
    upstream_no: str
    zone: str


def read_enquiry(row: asyncpg.Record) -> Enquiry:
    """From a row of the table."""
    return Enquiry(
        id=row["id"],
        merchant_id=row["merchant_id"],
        order_id=row["order_id"],
        supplier_id=row["supplier_id"],
        attempt_no=row["attempt_no"],
        from_chat_id=row["from_chat_id"],
        from_message_id=row["from_message_id"],
        media=tuple(Media(kind, file_id) for kind, file_id in row["media"]),
        state=row["state"],
        asked_at=row["asked_at"],
        asked_by_name=row["asked_by_name"],
        answered_at=row["answered_at"],
        taken_by_name=row["taken_by_name"] or "",
        chased_at=row["chased_at"],
        chases=row["chases"],
        album=row["album"],
        gathered_at=row["gathered_at"],
    )
