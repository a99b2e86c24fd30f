"""How what waits for a second person looks. What is asked, each kind of question says with the
template `ask_<kind>.html`; who asked, who answered and until when is the same for all."""

from __future__ import annotations

from dataclasses import dataclass, fields
from gettext import NullTranslations
from typing import Any, Final
from uuid import UUID

from aiogram.types import InlineKeyboardMarkup

from core.delivery.outbox import Notice
from core.people.approvals import ApprovedAlone, Asked, Question
from handlers.approvals.buttons import AnswerApproval, OpenApproval
from handlers.kit.screen import Screen, View, button, cancel_button, fill, in_rows, keyboard
from texts import translator

MAX_BUTTONS: Final = 20


@dataclass(frozen=True, slots=True)
class Waiting:
    """One line of the list. kind, subject: of the question."""

    approval_id: UUID
    kind: str
    subject: str
    asked_by_name: str
    age_min: int


@dataclass(frozen=True, slots=True)
class WaitingNotice(Notice):
    """What waits for a second person, the oldest first."""

    lines: tuple[Waiting, ...]


@dataclass(frozen=True, slots=True)
class ProveQuestion(Notice):
    """Asks for a code or the completion password, in private. kind, subject: of the question that
    it is for. minutes: until it is over. demo_password: what everybody has on a desk that is a
    demo; empty on every other."""

    kind: str
    subject: str
    dialogue_id: str
    minutes: int
    demo_password: str


@dataclass(frozen=True, slots=True)
class Proven(Notice):
    """It was proven. What came of it stands where it was asked."""

    kind: str


def render_approval(asked: Asked[Question], zone: str, language: str, *, ops: bool) -> Screen:
    """The card as it stands. zone: of its times. ops: in an ops group, where it is answered."""
    question = asked.question
    names = {field.name: getattr(question, field.name) for field in fields(question)}
    # Where others than staff may read along, some of it is not said.
    what = fill(f"ask_{question.kind}", {**names, "ops": ops}, language)
    standing = {
        "state": asked.state,
        "asked_by_name": asked.asked_by_name,
        "asked_at": asked.asked_at,
        "over_at": asked.over_at,
        "alone_from": asked.alone_from,
        "answered_by_name": asked.answered_by_name,
        "answered_at": asked.answered_at,
        "alone": asked.alone,
        "zone": zone,
        "ops": ops,
    }
    html = "\n\n".join((what, fill("approval", standing, language)))
    return Screen(html, keyboard=_buttons(asked, translator(language), ops=ops))


def _buttons(
    asked: Asked[Question], translate: NullTranslations, *, ops: bool
) -> InlineKeyboardMarkup | None:
    if asked.state != "open":
        return None
    if not ops:
        back = translate.gettext("Take it back")
        return keyboard((button(back, AnswerApproval(asked.id, yes=False)),))
    yes = button(translate.gettext("Approve"), AnswerApproval(asked.id, yes=True), style="danger")
    no = button(translate.gettext("Reject"), AnswerApproval(asked.id, yes=False))
    return keyboard((yes, no))


def _waiting_buttons(listed: WaitingNotice, _: NullTranslations) -> InlineKeyboardMarkup | None:
    """The card of each of the oldest, by its place."""
    numbers = [
        button(str(place), OpenApproval(line.approval_id))
        for place, line in enumerate(listed.lines[:MAX_BUTTONS], start=1)
    ]
    return keyboard(*in_rows(numbers, 5))


def _prove_buttons(asked: ProveQuestion, translate: NullTranslations) -> InlineKeyboardMarkup:
    return InlineKeyboardMarkup(inline_keyboard=[[cancel_button(asked.dialogue_id, translate)]])


VIEWS: Final[tuple[View[Any], ...]] = (
    View(WaitingNotice, buttons=_waiting_buttons, shortens="lines"),
    View(ProveQuestion, buttons=_prove_buttons),
    View(Proven),
    View(ApprovedAlone),
)
