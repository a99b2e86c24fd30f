"""The buttons under questions that somebody answers."""

from __future__ import annotations

from gettext import NullTranslations
from typing import Any
from uuid import UUID

from aiogram.types import InlineKeyboardMarkup

from handlers.kit.screen import button, keyboard
from handlers.orders.buttons import AnswerReversal

_Facts = dict[str, Any]


def reversal_buttons(facts: _Facts, translate: NullTranslations) -> InlineKeyboardMarkup | None:
    """Whether to reverse a completion."""
    asked = UUID(facts["approval_id"])
    yes = button(
        translate.gettext("⏪ Reverse it"), AnswerReversal(asked, yes=True), style="danger"
    )
    return keyboard(
        (yes, button(translate.pgettext("desk", "Cancel"), AnswerReversal(asked, yes=False)))
    )
