"""The buttons under questions that somebody answers."""

from __future__ import annotations

from gettext import NullTranslations
from typing import Any
from uuid import UUID

from aiogram.types import InlineKeyboardMarkup

from handlers.kit.screen import button, keyboard
from handlers.money.buttons import AnswerSlip
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


def slip_buttons(facts: _Facts, translate: NullTranslations) -> InlineKeyboardMarkup | None:
    """Whether what may be a slip is meant."""
    asked = UUID(facts["approval_id"])
    label = (
        translate.gettext("↩️ Undo it")
        if facts["what"] == "undo"
        else translate.gettext("✅ Book it")
    )
    yes = button(label, AnswerSlip(asked, yes=True), style="danger")
    return keyboard(
        (yes, button(translate.pgettext("desk", "Cancel"), AnswerSlip(asked, yes=False)))
    )
