"""Refusals in the reader's language."""

from __future__ import annotations

from typing import Final

from core.kernel.errors import Refusal
from texts.catalogues import translator

# Facts that are our own words, not somebody's data: they are translated as well.
_OUR_WORDS: Final = frozenset({"expected", "status", "example"})


def refusal_text(refusal: Refusal, lang: str) -> str:
    """The refusal's sentence in one of LANGUAGES, with its facts filled in."""
    translate = translator(lang).gettext
    facts = {
        name: translate(value) if name in _OUR_WORDS and value else value
        for name, value in refusal.facts.items()
    }
    return translate(refusal.kind.text).format_map(facts)
