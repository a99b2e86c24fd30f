"""A page of orders, as a telephone shows it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from gettext import NullTranslations
from typing import Any, Final
from uuid import UUID

from aiogram.types import InlineKeyboardMarkup

from core.delivery.outbox import Notice
from core.reports.order_lists import ListedOrder, OrderFilter, Recent, Totals, Turn
from handlers.kit.screen import View, button, keyboard, percent
from handlers.kit.vocabulary import word
from handlers.order_lists.buttons import ExportOrders, TurnOrders
from handlers.orders.card import ATTEMPT_ICONS, ICONS
from texts import number, translator

# What a merchant's server was told of a paid order.
_NEWS_ICONS: Final = {"pending": "📤", "delivered": "🔔", "exhausted": "🔕"}
_NEWS_WORDS: Final = {"pending": "waiting", "delivered": "told", "exhausted": "failed"}
_BY_HAND: Final = "✍️"
_SHORT_TIME_DATE_CHARS: Final = len("11-21 ")


@dataclass(frozen=True, slots=True)
class OrderListNotice(Notice):
    """A page of orders; attempts: of what was sent to a supplier, in the place of orders.

    whose: numbers and names; empty for everybody. several: whether a line says whose it is. names:
    of products, in Chinese and in English. fees, costs: whether these may be told. at: when it was
    read.
    """

    list_id: UUID
    wanted: OrderFilter
    whose: tuple[str, ...]
    attempts: bool
    several: bool
    fees: bool
    costs: bool
    names: dict[str, tuple[str, str]]
    zone: str
    at: datetime
    turn: Turn
    pages: int
    older: bool
    totals: Totals
    recent: tuple[Recent, ...]
    lines: tuple[ListedOrder, ...]


@dataclass(frozen=True, slots=True)
class FilterUnknown(Notice):
    """Words that are no part of a filter; it says what is."""

    words: tuple[str, ...]


def filter_words(
    wanted: OrderFilter, names: Mapping[str, tuple[str, str]], language: str
) -> list[str]:
    """What a filter leaves, as short words; nothing where it leaves all of these days."""
    said = [_name(code, names, language) for code in wanted.product_codes]
    said += [*wanted.channel_nos, *wanted.supplier_nos]
    said += [word("order_filter", wanted.pay, language)] if wanted.pay else []
    said += [word("news_filter", wanted.news, language)] if wanted.news else []
    said += [word("order_filter", mark, language) for mark in wanted.marks]
    least, most = (
        None if minor is None else number(minor, wanted.currency)
        for minor in (wanted.least_minor, wanted.most_minor)
    )
    if least is not None and most is not None:
        said.append(least if least == most else f"{least} – {most}")
    elif least is not None or most is not None:
        said.append(f"≥ {least}" if most is None else f"≤ {most}")
    said += [word("order_filter", "test", language)] if wanted.mode == "test" else []
    return said


def list_title(wanted: OrderFilter, said: Sequence[str], language: str) -> str:
    """'Orders of 2026-11-21 · unpaid · ≥ 100.00'. said: what the filter leaves, as words."""
    title = translator(language).gettext("Orders of %(days)s") % {"days": wanted.days}
    return " · ".join([title, *said])


def recent_words(recent: Sequence[Recent], language: str) -> str:
    """'Success of 10/30/60 min: 80.0% · 83.3% · 81.0%'; empty where nothing is known."""
    if not recent:
        return ""
    said = {
        "minutes": "/".join(f"{one.minutes}" for one in recent),
        "shares": " · ".join(percent(one.paid, one.created) for one in recent),
    }
    return translator(language).gettext("Last %(minutes)s minutes: %(shares)s") % said


def _name(code: str, names: Mapping[str, tuple[str, str]], language: str) -> str:
    return names.get(code, (code, code))[language != "zh"]


def _adds(notice: OrderListNotice, language: str) -> Mapping[str, Any]:
    totals = notice.totals
    return {
        "chips": filter_words(notice.wanted, notice.names, language),
        "icons": ATTEMPT_ICONS if notice.attempts else ICONS,
        "marks_of": _marks,
        "product": lambda code: _name(code, notice.names, language),
        "time_from": 0 if len(notice.wanted.days) > 1 else _SHORT_TIME_DATE_CHARS,
        "success": percent(totals.paid, totals.count),
        "recently": recent_words(notice.recent, language),
        "legend": _legend(notice, language),
    }


def _marks(line: ListedOrder) -> str:
    """What its merchant was told, and whether it was paid by hand. Its own icon says the rest."""
    told = _NEWS_ICONS.get(line.news, "")
    return told + (_BY_HAND if line.by_hand and line.standing != "completed" else "")


def _legend(notice: OrderListNotice, language: str) -> list[str]:
    """What the icons of this page mean, each once."""
    context, icons = ("attempt", ATTEMPT_ICONS) if notice.attempts else ("order", ICONS)
    told: dict[str, str] = {}
    for line in notice.lines:
        told.setdefault(icons[line.standing], word(context, line.standing, language))
    for line in notice.lines:
        if line.news in _NEWS_ICONS:
            told.setdefault(
                _NEWS_ICONS[line.news], word("news_filter", _NEWS_WORDS[line.news], language)
            )
        if _BY_HAND in _marks(line):
            told.setdefault(_BY_HAND, word("order_filter", "completed", language))
    return [f"{icon} {words}" for icon, words in told.items()]


def _buttons(notice: OrderListNotice, translate: NullTranslations) -> InlineKeyboardMarkup | None:
    """The pages before and after this one, and this one as it is now."""
    turn, lines = notice.turn, notice.lines

    def turned(text: str, to: Turn) -> Any:
        return button(text, TurnOrders(notice.list_id, to))

    pages = []
    if turn.page > 2 and lines:
        pages.append(turned("◀", Turn(turn.page - 1, "newer", lines[0].number)))
    elif turn.page > 1:
        pages.append(turned("◀", Turn()))
    if notice.older and lines:
        pages.append(turned("▶", Turn(turn.page + 1, "older", lines[-1].number)))
    last = [turned(translate.gettext("🔄 Refresh"), turn)]
    if notice.totals.count:
        last.append(button("Excel", ExportOrders(notice.list_id)))
    return keyboard(tuple(pages), tuple(last))


VIEWS: Final[tuple[View[Any], ...]] = (
    View(OrderListNotice, buttons=_buttons, shortens="lines", adds=_adds),
    View(FilterUnknown),
)
