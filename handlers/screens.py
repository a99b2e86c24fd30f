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
SCREENS: Final[dict[str, _Buttons | None]] = {"refusals": None, "update_parked": None}
