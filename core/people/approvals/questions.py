"""What somebody is asked: typed facts, and who may say yes to them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import ClassVar, Generic, Literal, TypeVar
from uuid import UUID

from core.kernel.errors import Refusal

State = Literal["open", "used", "dropped"]


@dataclass(frozen=True, slots=True)
class Question:
    """The facts of a question. Each kind is a subclass, which lives where it is asked.

    kind: as in the table's CHECK. open_for: how long it waits. yes_by: who may say yes. With
    `asker`, whoever asked answers, and nobody else. With `second`, another person says yes, and
    either of them may say no. Whoever asks checks the right to answer.
    """

    kind: ClassVar[str]
    open_for: ClassVar[timedelta] = timedelta(minutes=15)
    yes_by: ClassVar[Literal["asker", "second"]] = "asker"


Q = TypeVar("Q", bound=Question)


@dataclass(frozen=True, slots=True)
class Asked(Generic[Q]):
    """A question as it stands; an open one is in time. chat_id: where it was asked, and what it
    asks about was said; the group may have moved since. asked_by: a Telegram id."""

    id: UUID
    chat_id: int
    asked_by: int
    question: Q
    state: State

    def need_answerer(self, user_id: int, *, yes: bool) -> None:
        """Whoever answers may do so. Refusals: confirmation_foreign, second_person_needed."""
        if self.question.yes_by == "asker" and user_id != self.asked_by:
            raise Refusal("confirmation_foreign")
        if self.question.yes_by == "second" and yes and user_id == self.asked_by:
            raise Refusal("second_person_needed")
