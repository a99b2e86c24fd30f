"""The checklist of a new desk, and how each of its steps is done."""

from __future__ import annotations

from dataclasses import dataclass
from gettext import NullTranslations
from typing import Any, Final

from aiogram.types import InlineKeyboardButton, InlineKeyboardMarkup

from core.delivery.outbox import Notice
from core.reports.checklist import Name, Step
from handlers.checklist.buttons import OpenStep, RefreshSteps
from handlers.factors.buttons import Enrol
from handlers.kit.screen import View, button, in_rows, keyboard
from handlers.kit.vocabulary import WORDS
from handlers.merchants.buttons import OpenMerchant
from handlers.people.buttons import HireAs
from handlers.suppliers.buttons import OpenSupplier


@dataclass(frozen=True, slots=True)
class DeskChecklist(Notice):
    """Every step from nothing to the first paid order."""

    name: str
    steps: tuple[Step, ...]


@dataclass(frozen=True, slots=True)
class Typed:
    """What to type: spoken, and with a slash."""

    spoken: str
    slash: str


@dataclass(frozen=True, slots=True)
class StepNotice(Notice):
    """How a step is done. done: it is, by now. username: the bot's."""

    step: Name
    done: bool
    typed: tuple[Typed, ...]
    username: str


def _steps(notice: DeskChecklist, translate: NullTranslations) -> InlineKeyboardMarkup | None:
    lines = [
        button(
            f"{'✅' if one.done else '⬜'} {translate.pgettext('step', WORDS['step'][one.name])}",
            OpenStep(one.name),
        )
        for one in notice.steps
    ]
    return keyboard(*in_rows(lines, 2), (button(translate.gettext("🔄 Refresh"), RefreshSteps()),))


def _doors(notice: StepNotice, translate: NullTranslations) -> InlineKeyboardMarkup | None:
    """What opens the step at once."""
    match notice.step:
        case "factor":
            app = button(translate.gettext("Authenticator app"), Enrol("totp"))
            password = button(translate.gettext("Completion password"), Enrol("password"))
            return keyboard((app,), (password,))
        case "colleagues":
            return keyboard((button(translate.gettext("➕ Hire somebody"), HireAs()),))
        case "merchant":
            return keyboard((button(translate.gettext("➕ Open a merchant"), OpenMerchant()),))
        case "supplier":
            return keyboard((button(translate.gettext("➕ Open a supplier"), OpenSupplier()),))
        case "ops_group" | "group":
            url = f"https://t.me/{notice.username}?startgroup=desk"
            add = InlineKeyboardButton(text=translate.gettext("Add the bot to a group"), url=url)
            return keyboard((add,))
        case _:
            return None


VIEWS: Final[tuple[View[Any], ...]] = (
    View(DeskChecklist, buttons=_steps),
    View(StepNotice, buttons=_doors),
)
