"""What somebody is asked: typed facts, and who may say yes to them, where, and with what."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, fields
from datetime import datetime, timedelta
from typing import Any, ClassVar, Final, Generic, Literal, TypeVar
from uuid import UUID

from core.kernel.errors import Refusal
from core.people.actors import Access, Actor
from core.people.factors import Proof

State = Literal["open", "used", "dropped", "expired"]

# So long does what one person did wait for others to see it where nobody else can confirm it.
ALONE_AFTER: Final = timedelta(minutes=10)
ALONE_MINUTES: Final = int(ALONE_AFTER.total_seconds() // 60)
# So long does nobody count as the only one who has a right after another lost it: whoever may hire
# would else make themself the only one.
LAST_AFTER: Final = timedelta(hours=24)
Q = TypeVar("Q", bound="Question")


@dataclass(frozen=True, slots=True)
class Question:
    """The facts of a question. Each kind is a subclass, which lives where it is asked.

    kind: as in the table's CHECK. open_for: how long it waits. yes_by: who may say yes. With
    `asker`, whoever asked answers, and nobody else. With `second`, another person says yes, and
    whoever asked, or could say yes, may say no. answered_in: in the chat where it was asked, in any
    ops group (where it has a card), or in a private chat with the bot. right: what a yes takes;
    empty where whoever asks checks that. Where nobody but the asker has it, nor had it within
    LAST_AFTER, the asker may say yes after ALONE_AFTER, with a factor. asked_with: the right that
    whoever asked must still have when a second person says yes: None for the same one, empty for
    none. factor: a yes takes a code or the completion password.
    """

    kind: ClassVar[str]
    open_for: ClassVar[timedelta] = timedelta(minutes=15)
    yes_by: ClassVar[Literal["asker", "second"]] = "asker"
    answered_in: ClassVar[Literal["here", "ops", "private"]] = "here"
    right: ClassVar[str] = ""
    asked_with: ClassVar[str | None] = None
    factor: ClassVar[bool] = False

    @property
    def subject(self) -> str:
        """What it is about, in one line, for whoever is to prove a yes; empty where its kind says
        enough."""
        return ""

    def as_kind(self, kind: type[Q], **more: Any) -> Q:
        """The same question, of another kind. more: the fields that only that kind has."""
        return kind(**{one.name: getattr(self, one.name) for one in fields(self)}, **more)


@dataclass(frozen=True, slots=True)
class SecondQuestion(Question):
    """One that another person than the asker says yes to, on its card in the ops groups."""

    yes_by: ClassVar[Literal["asker", "second"]] = "second"
    answered_in: ClassVar[Literal["here", "ops", "private"]] = "ops"


@dataclass(frozen=True, slots=True)
class Asked(Generic[Q]):
    """A question as it stands; an open one is in time. chat_id: where it was asked, and what it
    asks about was said; the group may have moved since. message_id: the message of that. asked_by:
    a Telegram id. answered_by_name: empty while nobody answered. alone: the asker answered it.
    alone_from: where it is shown on a card and nobody else could say yes, from when on the asker
    may; it may be over by then."""

    id: UUID
    chat_id: int
    message_id: int | None
    asked_by: int
    asked_by_name: str
    asked_at: datetime
    question: Q
    state: State
    answered_by_name: str = ""
    answered_at: datetime | None = None
    alone: bool = False
    alone_from: datetime | None = None

    @property
    def over_at(self) -> datetime:
        """When it is too late to answer."""
        return self.asked_at + self.question.open_for

    async def asker(self, access: Access) -> Actor:
        """Whoever asked, as that person stands now where it was asked: the author of what is
        approved. `Approvals.answer` looks whether that person may still do it."""
        private = self.chat_id == self.asked_by
        return await access.actor(self.asked_by, self.asked_by_name, self.chat_id, private=private)

    def need_answerer(self, user_id: int, *, yes: bool) -> None:
        """Whoever answers may do so. Refusals: confirmation_foreign, second_person_needed."""
        if self.question.yes_by == "asker" and user_id != self.asked_by:
            raise Refusal("confirmation_foreign")
        own = yes and self.question.yes_by == "second" and user_id == self.asked_by
        if own and not self.question.right:
            raise Refusal("second_person_needed")


# Carries out what a person answered: it calls `Approvals.answer` in the transaction of what a yes
# does, and looks whether that is still what was asked about.
Decide = Callable[[Actor, Asked[Any], bool, Proof | None], Awaitable[None]]
