"""A page of the trail: each deed in words, with who, when, where and its facts."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from gettext import NullTranslations
from typing import Any, Final

from aiogram.types import InlineKeyboardMarkup

from core.delivery.outbox import Notice
from core.kernel.money import EXPONENTS
from handlers.audit.buttons import TurnAudit
from handlers.kit.screen import View, button, keyboard
from handlers.kit.vocabulary import WORDS
from texts import money

MAX_FACTS: Final = 8
MAX_FACT_CHARS: Final = 60
# Facts that say nothing to a person, or that stand elsewhere in the line.
_UNSAID: Final = frozenset(
    {"actor_name", "at", "currency", "day", "digest", "kind", "line", "minutes", "proof", "role",
     "screen", "zone"}
)  # fmt: skip
_CHANGE: Final = frozenset({"before", "after"})


@dataclass(frozen=True, slots=True)
class FactSaid:
    """A fact of a deed. name: as the trail has it."""

    name: str
    value: str


@dataclass(frozen=True, slots=True)
class DeedLine:
    """One deed. who: a name, and as the trail names the actor. chat: the group's title; empty for a
    private chat. private: whether it was one."""

    at: datetime
    who: str
    actor: str
    chat: str
    private: bool
    merchant_no: str
    action: str
    facts: tuple[FactSaid, ...]


@dataclass(frozen=True, slots=True)
class AuditNotice(Notice):
    """A page. who, what, first, last: what was looked for, as in `TurnAudit`. more: whether older
    deeds follow."""

    page: int
    lines: tuple[DeedLine, ...]
    older: bool
    zone: str
    who: str = ""
    what: str = ""
    first: date | None = None
    last: date | None = None


def said_facts(facts: dict[str, Any]) -> tuple[FactSaid, ...]:
    """The facts that say something to a person, amounts in whole units, in their order."""
    currency = str(facts.get("currency") or "")
    said = [
        FactSaid(_name(name), _value(name, value, currency))
        for name, value in facts.items()
        if name not in _UNSAID and not name.endswith("_id") and _says(name, value)
    ]
    return tuple(said[:MAX_FACTS])


def _says(name: str, value: object) -> bool:
    """Whether there is a word for a fact, and its value tells anything: no is the rule, but for
    what was changed."""
    if _name(name) not in WORDS["fact"]:
        return False
    return name in _CHANGE or value not in (None, "", [], {}, False)


def _name(name: str) -> str:
    return "amount" if name == "minor" else name.removesuffix("_minor")


def _value(name: str, value: object, currency: str) -> str:
    if name.endswith("minor") and isinstance(value, int) and currency in EXPONENTS:
        return money(value, currency)
    match value:
        case {"minor": int(minor), "currency": str(other)} if other in EXPONENTS:
            return money(minor, other)
        case dict():
            return ", ".join(f"{key} {_value(key, one, currency)}" for key, one in value.items())
        case list():
            return ", ".join(_value(name, one, currency) for one in value)
        case None:
            return "–"
        case bool():
            return "✓" if value else "✗"
        case _:
            return str(value)


def _turns(notice: AuditNotice, _: NullTranslations) -> InlineKeyboardMarkup | None:
    def turn(page: int) -> TurnAudit:
        return TurnAudit(page, notice.who, notice.what, notice.first, notice.last)

    newer = (button("◀", turn(notice.page - 1)),) if notice.page > 1 else ()
    older = (button("▶", turn(notice.page + 1)),) if notice.older else ()
    return keyboard((*newer, *older))


VIEWS: Final[tuple[View[Any], ...]] = (View(AuditNotice, buttons=_turns, shortens="lines"),)
