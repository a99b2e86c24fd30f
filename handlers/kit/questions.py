"""The buttons under questions of two people, and under money in suspense."""

from __future__ import annotations

from gettext import NullTranslations
from typing import Any, Final
from uuid import UUID

from aiogram.types import InlineKeyboardMarkup

from handlers.discrepancies.buttons import AnswerResolution, OnDiscrepancy, TurnDiscrepancies
from handlers.kit.screen import button, keyboard
from handlers.money.buttons import AnswerSlip
from handlers.orders.buttons import AnswerReversal

_Facts = dict[str, Any]
_IN_A_ROW: Final = 5


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


def list_buttons(facts: _Facts, _: NullTranslations) -> InlineKeyboardMarkup | None:
    """A number for each line, and the pages before and after."""
    page, pages = facts["page"], facts["pages"]
    numbers = [
        button(str(number), OnDiscrepancy(UUID(line["discrepancy_id"]), "open"))
        for number, line in enumerate(facts["lines"], start=facts["first"])
    ]
    whose = UUID(facts["merchant_id"]) if facts["merchant_id"] else None
    turns = [
        button(arrow, TurnDiscrepancies(to, whose, facts["mode"] == "test"))
        for arrow, to in (("◀", page - 1), ("▶", page + 1))
        if 1 <= to <= pages
    ]
    rows = [tuple(numbers[i : i + _IN_A_ROW]) for i in range(0, len(numbers), _IN_A_ROW)]
    return keyboard(*rows, tuple(turns))


def open_button(facts: _Facts, translate: NullTranslations) -> InlineKeyboardMarkup | None:
    """Under an alarm: leads to the card."""
    opening = OnDiscrepancy(UUID(facts["discrepancy_id"]), "open")
    return keyboard((button(translate.gettext("📋 Decide"), opening),))


def way_buttons(facts: _Facts, translate: NullTranslations) -> InlineKeyboardMarkup | None:
    """What can be done with the money now."""
    labels = {
        "refund_payer": translate.gettext("💸 Back to the payer"),
        "credit_merchant": translate.gettext("🏪 To the merchant"),
        "complete": translate.gettext("✅ Complete the order"),
    }
    which = UUID(facts["discrepancy_id"])
    return keyboard(*((button(labels[way], OnDiscrepancy(which, way)),) for way in facts["ways"]))


def resolution_buttons(facts: _Facts, translate: NullTranslations) -> InlineKeyboardMarkup | None:
    """Whether to do it, once a reason is given."""
    asked = UUID(facts["approval_id"])
    yes = button(translate.gettext("✅ Yes"), AnswerResolution(asked, yes=True), style="danger")
    no = button(translate.pgettext("desk", "Cancel"), AnswerResolution(asked, yes=False))
    return keyboard((yes, no) if facts["reason"] else (no,))
