"""What is said of orders: completions by hand, what became of them at suppliers, and what went
wrong."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from gettext import NullTranslations
from typing import Any, Final
from uuid import UUID

from aiogram.types import InlineKeyboardMarkup

from core.delivery.outbox import Notice
from core.trade.callbacks import RefusedCallback
from core.trade.completions import (
    Completed,
    CompleteDropped,
    CompleteQuestionNotice,
    CompleteSettledItself,
    CompleteWaits,
    Uncompleted,
    UncompleteDropped,
    UncompleteQuestionNotice,
)
from core.trade.lookups import CompletionLine
from core.trade.orders import NearMiss
from core.trade.reasons import ReasonAsked, ReasonGiven
from handlers.kit.day_buttons import OpenExport
from handlers.kit.screen import View, button, copy_button, in_rows, keyboard
from handlers.orders.buttons import Action, AnswerCompletion, AnswerReversal, TurnCompletions
from handlers.orders.card import action_button


@dataclass(frozen=True, slots=True)
class NearMissNotice(Notice):
    """Nothing has this number, and some numbers are one slip away from it."""

    written: str
    near: tuple[NearMiss, ...]


@dataclass(frozen=True, slots=True)
class CardActions(Notice):
    """What one person may do about an order, beside what everybody may who reads its card."""

    order_id: UUID
    order_no: str
    actions: tuple[Action, ...]


@dataclass(frozen=True, slots=True)
class WhyLine:
    """An attempt; or, where seq is 0, the reason why it was not another channel."""

    seq: int = 0
    channel_no: str = ""
    supplier_no: str = ""
    state: str = ""
    said: str = ""
    reason: str = ""


@dataclass(frozen=True, slots=True)
class OrderWhy(Notice):
    """Why an order went where it went. product_code: empty where none was chosen."""

    order_no: str
    product_code: str
    lines: tuple[WhyLine, ...]


@dataclass(frozen=True, slots=True)
class CallLine:
    """A call to a supplier. operation, outcome: keys of words. status: of HTTP, 0 for none."""

    at: datetime
    operation: str
    status: int
    outcome: str
    why: str
    took_ms: int


@dataclass(frozen=True, slots=True)
class OrderLog(Notice):
    """The newest calls to suppliers about an order. earlier: how many others are in the file.
    kept_days: for how long calls are kept, where the order is older; else 0."""

    order_no: str
    zone: str
    earlier: int
    kept_days: int
    lines: tuple[CallLine, ...]


@dataclass(frozen=True, slots=True)
class RefusedCallbacksNotice(Notice):
    """Callbacks that were refused, of an order or of a supplier; the other number is empty."""

    order_no: str
    supplier_no: str
    zone: str
    lines: tuple[RefusedCallback, ...]


@dataclass(frozen=True, slots=True)
class CompletionsNotice(Notice):
    """A page of what was completed by hand. merchant_no, merchant_name: empty for all merchants.
    first, last: business days. count: of all pages."""

    merchant_id: UUID | None
    merchant_no: str
    merchant_name: str
    zone: str
    first: date
    last: date
    page: int
    pages: int
    count: int
    lines: tuple[CompletionLine, ...]


def _copies(notice: NearMissNotice, _: NullTranslations) -> InlineKeyboardMarkup | None:
    """Each number that was probably meant, to be sent as it should have been."""
    return keyboard(*((copy_button(one.number),) for one in notice.near))


def _actions(notice: CardActions, translate: NullTranslations) -> InlineKeyboardMarkup | None:
    buttons = [action_button(notice.order_id, one, translate) for one in notice.actions]
    return keyboard(*in_rows(buttons, 2))


def _turns(notice: CompletionsNotice, _: NullTranslations) -> InlineKeyboardMarkup | None:
    """The pages before and after this one; of one merchant, its workbook, which has all of them on
    a sheet."""
    turns = tuple(
        button(arrow, TurnCompletions(notice.first, notice.last, page, notice.merchant_id))
        for arrow, page in (("◀", notice.page - 1), ("▶", notice.page + 1))
        if 1 <= page <= notice.pages
    )
    if notice.merchant_id is None or not notice.lines:
        return keyboard(turns)
    book = OpenExport("excel", "m", notice.merchant_id, notice.first, notice.last)
    return keyboard(turns, (button("Excel", book),))


def _complete(
    asked: CompleteQuestionNotice, translate: NullTranslations
) -> InlineKeyboardMarkup | None:
    """Whether to complete."""
    yes = AnswerCompletion(asked.approval_id, yes=True)
    no = AnswerCompletion(asked.approval_id, yes=False)
    return keyboard(
        (
            button(translate.gettext("✅ Complete it"), yes, style="danger"),
            button(translate.pgettext("desk", "Cancel"), no),
        )
    )


def _reverse(
    asked: UncompleteQuestionNotice, translate: NullTranslations
) -> InlineKeyboardMarkup | None:
    """Whether to reverse a completion."""
    yes = AnswerReversal(asked.approval_id, yes=True)
    no = AnswerReversal(asked.approval_id, yes=False)
    return keyboard(
        (
            button(translate.gettext("⏪ Reverse it"), yes, style="danger"),
            button(translate.pgettext("desk", "Cancel"), no),
        )
    )


VIEWS: Final[tuple[View[Any], ...]] = (
    View(NearMissNotice, buttons=_copies),
    View(CardActions, buttons=_actions),
    View(ReasonAsked),
    View(ReasonGiven),
    View(CompleteQuestionNotice, buttons=_complete),
    View(CompleteSettledItself),
    View(CompleteWaits),
    View(Completed),
    View(CompleteDropped),
    View(UncompleteQuestionNotice, buttons=_reverse),
    View(Uncompleted),
    View(UncompleteDropped),
    View(CompletionsNotice, buttons=_turns, shortens="lines"),
    View(OrderWhy, shortens="lines"),
    View(OrderLog),
    View(RefusedCallbacksNotice, shortens="lines"),
)
