"""What a person sees: the screens of all topics, from typed facts. Pure; whatever comes from people
is escaped."""

from __future__ import annotations

from collections.abc import Callable
from gettext import NullTranslations
from typing import Any, Final

from aiogram.types import InlineKeyboardMarkup
from markupsafe import Markup

from core.delivery.outbox import Say, Stored
from handlers.alarms.screens import ALARMS, render_alarm
from handlers.channels.screens import call_log
from handlers.kit import refusals
from handlers.kit.refusals import INSTANTS, Repeated, refusal_words, toast
from handlers.kit.screen import Screen, caption, fill_in
from handlers.orders.card import CardContext, render_card, render_supplier_card
from handlers.suppliers.screens import (
    cancel_button,
    checked_buttons,
    credential_buttons,
    decided_buttons,
    document_buttons,
    documents_buttons,
    keys_buttons,
    library_buttons,
    question_buttons,
    supplier_buttons,
    suppliers_buttons,
    switch_buttons,
    versions_buttons,
)
from handlers.topics import TOPICS
from texts import translator

__all__ = [
    "ALARMS",
    "INSTANTS",
    "SCREENS",
    "VIEWS",
    "CardContext",
    "Repeated",
    "Screen",
    "call_log",
    "caption",
    "refusal_words",
    "render_alarm",
    "render_card",
    "render_say",
    "render_supplier_card",
    "toast",
]

_Facts = dict[str, Any]
_Buttons = Callable[[_Facts, NullTranslations], InlineKeyboardMarkup | None]


# Lists without a bound of their own: as many lines of them as a message has room for.
_LISTS: Final = {
    "refusals": "told",
    "document_faults": "faults",
}  # fmt: skip
VIEWS: Final = {
    view.name: view for view in (*refusals.VIEWS, *(one for topic in TOPICS for one in topic.views))
}


def render_say(say: Say, language: str) -> Screen:
    """The screen of a fact; its name is one of `VIEWS` or `SCREENS`."""
    if (view := VIEWS.get(say.screen)) is not None:
        return view.render(say.notice, language)
    buttons = SCREENS[say.screen]
    facts = dict(say.facts)
    if say.screen == "refusals":
        facts["count"] = len(facts["told"])
        facts["told"] = [
            {
                "quote": one["quote"],
                "html": Markup(render_say(Say(Stored(one["screen"], one["facts"])), language).html),  # noqa: S704 (our own screen, escaped in itself)
            }
            for one in facts["told"]
        ]
    return Screen(
        html=fill_in(say.screen, facts, language, _LISTS.get(say.screen, "")),
        keyboard=buttons(facts, translator(language)) if buttons else None,
    )


# Every screen that a Say may name, with what makes its buttons.
SCREENS: Final[dict[str, _Buttons | None]] = {
    "alarm_credentials": None,
    "alarm_document": document_buttons,
    "alarm_licence": None,
    "alarm_rolled_back": None,
    "credential_question": credential_buttons,
    "document": document_buttons,
    "document_checked": checked_buttons,
    "document_decided": decided_buttons,
    "document_faults": None,
    "document_library": library_buttons,
    "document_wanted": cancel_button,
    "document_why": cancel_button,
    "documents": documents_buttons,
    "dry_read": None,
    "dry_run": None,
    "supplier": supplier_buttons,
    "supplier_keys": keys_buttons,
    "supplier_off": cancel_button,
    "supplier_question": question_buttons,
    "supplier_switch": switch_buttons,
    "supplier_versions": versions_buttons,
    "suppliers": suppliers_buttons,
    "refusals": None,
    "update_parked": None,
}
