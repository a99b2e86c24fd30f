"""Screens by name: a template each, and for some a row of buttons."""

from __future__ import annotations

from collections.abc import Callable
from gettext import NullTranslations
from typing import Any, Final
from uuid import UUID

from aiogram.types import InlineKeyboardMarkup

from core.errors import Refusal
from core.outbox import Say
from core.prepayments import UNDO_WITHIN
from handlers.buttons import AnswerCompletion, AnswerUnbind, UndoPrepayment
from handlers.screens.pieces import Screen, button, fill, keyboard
from handlers.screens.words import word
from texts import refusal_text, translator

_Facts = dict[str, Any]
_Buttons = Callable[[_Facts, NullTranslations], InlineKeyboardMarkup | None]

# Facts of refusals that are keys of ours, and the words by which people know them.
_NAMED: Final = {"right": "right", "kind": "group"}
_UNDO_MINUTES: Final = int(UNDO_WITHIN.total_seconds() // 60)


def render_say(say: Say, language: str) -> Screen:
    """The screen of a fact; its name is one of `SCREENS`."""
    buttons = SCREENS[say.screen]
    facts = dict(say.facts)
    if say.screen == "refusal":
        named = {
            name: word(_NAMED[name], value, language) if name in _NAMED else value
            for name, value in facts["facts"].items()
        }
        facts["text"] = refusal_text(Refusal(facts["code"], **named), language)
    return Screen(
        html=fill(say.screen, facts, language),
        keyboard=buttons(facts, translator(language)) if buttons else None,
    )


def toast(name: str, facts: _Facts, language: str) -> str:
    """The short plain text that answers a button press, at most 200 characters."""
    translate = translator(language)
    match name:
        case "how_to_complete":
            text = translate.gettext("Send this, with a reason: 补单 %(order_no)s …")
        case "notified_again":
            text = translate.gettext("The merchant's server is being told again.")
        case _:
            text = translate.gettext("The supplier says: %(state)s")
            facts = {"state": word("standing", facts["state"], language)}
    return text % facts


def _undo(facts: _Facts, translate: NullTranslations) -> InlineKeyboardMarkup | None:
    if facts.get("undone_by"):
        return None
    label = translate.gettext("↩️ Undo (within %(minutes)s min)") % {"minutes": _UNDO_MINUTES}
    return keyboard((button(label, UndoPrepayment(UUID(facts["prepayment_id"]))),))


def _complete(facts: _Facts, translate: NullTranslations) -> InlineKeyboardMarkup | None:
    asked = UUID(facts["confirmation_id"])
    return keyboard(
        (
            button(
                translate.gettext("✅ Complete it"), AnswerCompletion(asked, yes=True),
                style="danger",
            ),
            button(translate.pgettext("desk", "Cancel"), AnswerCompletion(asked, yes=False)),
        )
    )  # fmt: skip


def _unbind(facts: _Facts, translate: NullTranslations) -> InlineKeyboardMarkup | None:
    who, when = facts["user_id"], facts["asked_at_s"]
    return keyboard(
        (
            button(
                translate.pgettext("desk", "Unbind"), AnswerUnbind(who, when, yes=True),
                style="danger",
            ),
            button(translate.pgettext("desk", "Cancel"), AnswerUnbind(who, when, yes=False)),
        )
    )  # fmt: skip


# Every screen that a Say may name, with what makes its buttons.
SCREENS: Final[dict[str, _Buttons | None]] = {
    "alarm_books": None,
    "alarm_discrepancy": None,
    "alarm_exhausted": None,
    "balance": None,
    "bound": None,
    "checklist": None,
    "complete_dropped": None,
    "complete_question": _complete,
    "complete_settled_itself": None,
    "completed": None,
    "edited_money": None,
    "help": None,
    "info": None,
    "language_set": None,
    "money_unreadable": None,
    "only_in_groups": None,
    "prepaid": _undo,
    "prepaid_history": None,
    "prepaid_undone": None,
    "rates": None,
    "refusal": None,
    "stale_money": None,
    "unbind_dropped": None,
    "unbind_question": _unbind,
    "unbound": None,
    "update_parked": None,
    "usage": None,
}
