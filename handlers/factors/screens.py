"""What somebody proves with, and how it is enrolled."""

from __future__ import annotations

from dataclasses import dataclass
from gettext import NullTranslations
from typing import Any, Final

from aiogram.types import InlineKeyboardMarkup

from core.delivery.outbox import Notice
from core.people.factors import FactorAdded
from handlers.factors.buttons import Enrol
from handlers.kit.screen import Screen, View, button, cancel_button, fill, keyboard
from handlers.kit.secrets import SHOWN_S


@dataclass(frozen=True, slots=True)
class FactorsNotice(Notice):
    """What this person has. totp, password: whether each counts."""

    totp: bool
    password: bool


@dataclass(frozen=True, slots=True)
class CodeQuestion(Notice):
    """Asks for the first code of a new app. shown_s: so long stands the picture above it."""

    dialogue_id: str
    shown_s: int


@dataclass(frozen=True, slots=True)
class PasswordQuestion(Notice):
    """Asks for a new completion password."""

    dialogue_id: str
    chars: int


@dataclass(frozen=True, slots=True)
class FactorEnrolled(Notice):
    """It counts from now on. kind: totp or password."""

    kind: str


def enrolment_screen(secret: str, language: str) -> Screen:
    """What stands under the picture: the secret, to be typed where no camera is at hand. It never
    enters the outbox, so it is no notice."""
    return Screen(fill("factor_secret", {"secret": secret, "seconds": SHOWN_S}, language))


def _begin_buttons(has: FactorsNotice, translate: NullTranslations) -> InlineKeyboardMarkup | None:
    app = button(translate.gettext("Authenticator app"), Enrol("totp"))
    password = button(translate.gettext("Completion password"), Enrol("password"))
    return keyboard(() if has.totp else (app,), () if has.password else (password,))


def _cancel(
    asked: CodeQuestion | PasswordQuestion, translate: NullTranslations
) -> InlineKeyboardMarkup | None:
    return keyboard((cancel_button(asked.dialogue_id, translate),))


VIEWS: Final[tuple[View[Any], ...]] = (
    View(FactorsNotice, buttons=_begin_buttons),
    View(CodeQuestion, buttons=_cancel),
    View(PasswordQuestion, buttons=_cancel),
    View(FactorEnrolled),
    View(FactorAdded),
)
