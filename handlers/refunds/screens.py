"""A refund that is asked for, and the question how it ended."""

from __future__ import annotations

from gettext import NullTranslations
from typing import Any, Final

from aiogram.types import InlineKeyboardMarkup

from core.trade.refunds import (
    RefundDropped,
    RefundEnded,
    RefundEndWaits,
    RefundOrderDropped,
    RefundOrderNotice,
    RefundQuestionNotice,
    RefundRequested,
    RefundWaits,
)
from handlers.kit.screen import View, button, keyboard
from handlers.refunds.buttons import AnswerRefund, AnswerRefundOrder


def _answers(
    asked: RefundQuestionNotice, translate: NullTranslations
) -> InlineKeyboardMarkup | None:
    """Whether that is sure."""
    yes = AnswerRefund(asked.approval_id, yes=True)
    no = AnswerRefund(asked.approval_id, yes=False)
    return keyboard(
        (
            button(translate.gettext("✅ Yes"), yes, style="danger"),
            button(translate.pgettext("desk", "Cancel"), no),
        )
    )


def _refund(asked: RefundOrderNotice, translate: NullTranslations) -> InlineKeyboardMarkup | None:
    """Whether to refund."""
    yes = AnswerRefundOrder(asked.approval_id, yes=True)
    no = AnswerRefundOrder(asked.approval_id, yes=False)
    return keyboard(
        (
            button(translate.gettext("↩️ Refund it"), yes, style="danger"),
            button(translate.pgettext("desk", "Cancel"), no),
        )
    )


VIEWS: Final[tuple[View[Any], ...]] = (
    View(RefundQuestionNotice, buttons=_answers),
    View(RefundEndWaits),
    View(RefundEnded),
    View(RefundDropped),
    View(RefundOrderNotice, buttons=_refund),
    View(RefundWaits),
    View(RefundRequested),
    View(RefundOrderDropped),
)
