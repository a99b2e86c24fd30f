"""The buttons under the alarm of a refund, and under the question how it ended."""

from __future__ import annotations

from gettext import NullTranslations
from typing import Any
from uuid import UUID

from aiogram.types import InlineKeyboardMarkup

from handlers.kit.screen import button, keyboard
from handlers.refunds.buttons import AnswerRefund, OnRefund

_Facts = dict[str, Any]


def refund_buttons(facts: _Facts, translate: NullTranslations) -> InlineKeyboardMarkup | None:
    """How it ended; none where the supplier has said it."""
    if facts["why"] in ("late", "late_disputed", "contradicts"):
        return None
    which = UUID(facts["merchant_id"]), UUID(facts["refund_id"])
    return keyboard(
        (
            button(translate.gettext("✅ Given back"), OnRefund(*which, "given")),
            button(translate.gettext("🚫 Not given back"), OnRefund(*which, "not_given")),
        )
    )


def ended_buttons(facts: _Facts, translate: NullTranslations) -> InlineKeyboardMarkup | None:
    """Whether that is sure."""
    asked = UUID(facts["approval_id"])
    yes = button(translate.gettext("✅ Yes"), AnswerRefund(asked, yes=True), style="danger")
    no = button(translate.pgettext("desk", "Cancel"), AnswerRefund(asked, yes=False))
    return keyboard((yes, no))
