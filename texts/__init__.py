"""What people read: languages, templates, money and dates. Shared by the rooms that speak."""

from __future__ import annotations

from texts import codes as codes
from texts.catalogues import DEFAULT_LANGUAGE, LANGUAGES, TextsError, choose_language, translator
from texts.formats import day, instant, minute_from, money, number
from texts.refusals import refusal_text
from texts.templates import jinja_environment

__all__ = [
    "DEFAULT_LANGUAGE",
    "LANGUAGES",
    "TextsError",
    "choose_language",
    "day",
    "instant",
    "jinja_environment",
    "minute_from",
    "money",
    "number",
    "refusal_text",
    "translator",
]
