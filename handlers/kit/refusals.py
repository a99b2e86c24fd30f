"""Why not: short texts in the words by which people know things."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final

from core.delivery.outbox import Notice
from core.kernel.errors import Refusal
from handlers.kit.screen import View, clip
from handlers.kit.vocabulary import gate_words, word
from handlers.kit.whys import channels_words, expected_words, why_words
from texts import minute_from, refusal_text, translator

# Facts of refusals that are keys of ours, and the words by which people know them.
NAMED: Final = {
    "right": "right", "kind": "group", "why": "tariff_fault", "document_state": "document",
    "channel_fault": "channel_fault", "channel_state": "channel_state",
    "product_fault": "product_fault",
    "reason_for": "reason_for", "param": "field",
}  # fmt: skip
# Facts that are sentences of core's own, and what says them in the reader's language.
_SENTENCES: Final = {"expected": expected_words, "first": why_words, "reasons": channels_words}
# What a refusal says of time: from then on something works.
INSTANTS: Final = frozenset({"at"})
# What a refusal repeats of what somebody wrote.
_FACT_CHARS: Final = 500


@dataclass(frozen=True, slots=True)
class RefusalNotice(Notice):
    """Why something was refused: a code of the business and its facts. line: of a message of
    several; 0 of one alone."""

    code: str
    facts: dict[str, str] = field(default_factory=dict)
    line: int = 0


@dataclass(frozen=True, slots=True)
class OnlyInGroups(Notice):
    """It is a setting of groups, and was said in private."""


@dataclass(frozen=True, slots=True)
class StaleMoney(Notice):
    """It waited too long to be carried out by itself."""


@dataclass(frozen=True, slots=True)
class Repeated(Notice):
    """The message that cannot be taken away stands below once more."""


def refusal_words(code: str, facts: Mapping[str, str], language: str) -> str:
    """Why not, in the words by which people know what is named. A fact of `INSTANTS` is ISO text,
    and `zone` says on whose clocks it is shown."""
    named = {
        name: word(NAMED[name], value, language) if name in NAMED else clip(value, _FACT_CHARS)
        for name, value in facts.items()
    }
    for name in INSTANTS & named.keys():
        named[name] = minute_from(datetime.fromisoformat(named[name]), named["zone"])
    for name in _SENTENCES.keys() & named.keys():
        named[name] = _SENTENCES[name](named[name], language)
    if "missing" in named:
        gates = named["missing"].split(", ")
        named["missing"] = ", ".join(gate_words(gate, language) for gate in gates)
    if "lacking" in named:
        fields = named["lacking"].split(", ")
        named["lacking"] = ", ".join(word("merchant_field", name, language) for name in fields)
    return refusal_text(Refusal(code, **named), language)


def already_done(language: str) -> str:
    """The short plain text that answers a press which changes nothing, for it was answered."""
    return translator(language).gettext("This was decided already; nothing was changed now.")


def _in_words(notice: RefusalNotice, language: str) -> dict[str, str]:
    return {"text": refusal_words(notice.code, notice.facts, language)}


VIEWS: Final[tuple[View[Any], ...]] = (
    View(RefusalNotice, adds=_in_words),
    View(OnlyInGroups),
    View(StaleMoney),
    View(Repeated),
)
