"""Money in suspense: the list, a card for each, and the question what becomes of it."""

from __future__ import annotations

from dataclasses import dataclass
from gettext import NullTranslations
from typing import Any, Final
from uuid import UUID

from aiogram.types import InlineKeyboardMarkup

from core.delivery.outbox import Notice
from core.trade.discrepancies import (
    Discrepancy,
    DiscrepancyNotice,
    Resolution,
    Resolved,
    ResolveQuestionNotice,
    ResolveWaits,
)
from handlers.discrepancies.buttons import AnswerResolution, OnDiscrepancy, TurnDiscrepancies
from handlers.kit.screen import View, button, keyboard

_IN_A_ROW: Final = 5


@dataclass(frozen=True, slots=True)
class DiscrepancyLine:
    """A line of the list. Where others than staff read along, its supplier is empty."""

    discrepancy: Discrepancy
    age_min: int


@dataclass(frozen=True, slots=True)
class DiscrepanciesNotice(Notice):
    """A page of what is open, and what was resolved in the last days. merchant_id: whose it is;
    None for all that is seen in the chat. first: the number of the first line."""

    merchant_id: UUID | None
    mode: str
    page: int
    pages: int
    first: int
    total: int
    lines: tuple[DiscrepancyLine, ...]
    days: int
    resolved: tuple[Resolution, ...]


def _turns(listed: DiscrepanciesNotice, _: NullTranslations) -> InlineKeyboardMarkup | None:
    """A number for each line, and the pages before and after."""
    numbers = [
        button(str(number), OnDiscrepancy(line.discrepancy.id, "open"))
        for number, line in enumerate(listed.lines, start=listed.first)
    ]
    turns = [
        button(arrow, TurnDiscrepancies(to, listed.merchant_id, listed.mode == "test"))
        for arrow, to in (("◀", listed.page - 1), ("▶", listed.page + 1))
        if 1 <= to <= listed.pages
    ]
    rows = [tuple(numbers[i : i + _IN_A_ROW]) for i in range(0, len(numbers), _IN_A_ROW)]
    return keyboard(*rows, tuple(turns))


def _ways(card: DiscrepancyNotice, translate: NullTranslations) -> InlineKeyboardMarkup | None:
    """What can be done with the money now."""
    labels = {
        "refund_payer": translate.gettext("💸 Back to the payer"),
        "credit_merchant": translate.gettext("🏪 To the merchant"),
        "complete": translate.gettext("✅ Complete the order"),
    }
    which = card.discrepancy
    return keyboard(*((button(labels[way], OnDiscrepancy(which.id, way)),) for way in which.ways))


def _answers(
    asked: ResolveQuestionNotice, translate: NullTranslations
) -> InlineKeyboardMarkup | None:
    """Whether to do it, once a reason is given."""
    yes = AnswerResolution(asked.approval_id, yes=True)
    no = AnswerResolution(asked.approval_id, yes=False)
    cancel = button(translate.pgettext("desk", "Cancel"), no)
    if not asked.question.reason:
        return keyboard((cancel,))
    return keyboard((button(translate.gettext("✅ Yes"), yes, style="danger"), cancel))


VIEWS: Final[tuple[View[Any], ...]] = (
    View(DiscrepanciesNotice, buttons=_turns),
    View(DiscrepancyNotice, buttons=_ways),
    View(ResolveQuestionNotice, buttons=_answers),
    View(ResolveWaits),
    View(Resolved),
)
