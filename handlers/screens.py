"""What a person sees: the screens of all topics, from typed notices. Pure; whatever comes from
people is escaped."""

from __future__ import annotations

from typing import Any, Final

from markupsafe import Markup

from core.delivery.outbox import Say, Stored
from core.people.approvals import Question
from core.people.refusals import RefusalsNotice
from handlers.alarms.screens import ALARMS, render_alarm
from handlers.approvals.screens import render_approval
from handlers.broadcasts.screens import render_broadcast
from handlers.channels.screens import call_log
from handlers.enquiries.screens import render_enquiry
from handlers.kit import forms, refusals
from handlers.kit.refusals import INSTANTS, Repeated, refusal_words
from handlers.kit.screen import Screen, View, caption
from handlers.orders.card import CardContext, render_card, render_supplier_card
from handlers.topics import TOPICS

__all__ = [
    "ALARMS",
    "ASKS",
    "INSTANTS",
    "VIEWS",
    "CardContext",
    "Repeated",
    "Screen",
    "call_log",
    "caption",
    "refusal_words",
    "render_alarm",
    "render_approval",
    "render_broadcast",
    "render_card",
    "render_enquiry",
    "render_say",
    "render_supplier_card",
]


def render_say(say: Say, language: str) -> Screen:
    """The screen of what is said."""
    return VIEWS[say.screen].render(say.notice, language)


def _as_screens(notice: RefusalsNotice, language: str) -> dict[str, Any]:
    """Each refusal as the screen that it would have been."""
    told = [
        {
            "quote": one.quote,
            "html": Markup(render_say(Say(Stored(one.screen, one.facts)), language).html),  # noqa: S704 (our own screen, escaped in itself)
        }
        for one in notice.told
    ]
    return {"told": told, "count": len(told)}


# What is asked on cards, by its kind.
ASKS: Final[dict[str, type[Question]]] = {
    question.kind: question for topic in TOPICS for question in topic.asks
}
# By the name of what they show.
VIEWS: Final[dict[str, View[Any]]] = {
    view.name: view
    for view in (
        View(RefusalsNotice, adds=_as_screens, shortens="told"),
        *refusals.VIEWS,
        *forms.VIEWS,
        *(one for topic in TOPICS for one in topic.views),
    )
}
