"""A refund that is asked for, the alarm of one, and the question how it ended."""

from __future__ import annotations

from gettext import NullTranslations
from typing import Any, Final

from aiogram.types import InlineKeyboardMarkup

from core.trade.refunds import (
    AlarmRefund,
    RefundDropped,
    RefundEnded,
    RefundOrderDropped,
    RefundOrderNotice,
    RefundQuestionNotice,
    RefundRequested,
    RefundWaits,
)
from handlers.kit.screen import View, button, keyboard
from handlers.refunds.buttons import AnswerRefund, AnswerRefundOrder, OnRefund


def _ways(alarm: AlarmRefund, translate: NullTranslations) -> InlineKeyboardMarkup | None:
    """How it ended; none where the supplier has said it."""
    if alarm.why in ("late", "late_disputed", "contradicts"):
        return None
    which = alarm.merchant_id, alarm.refund_id
    return keyboard(
        (
            button(translate.gettext("✅ Given back"), OnRefund(*which, "given")),
            button(translate.gettext("🚫 Not given back"), OnRefund(*which, "not_given")),
        )
    )


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
    View(AlarmRefund, buttons=_ways),
    View(RefundQuestionNotice, buttons=_answers),
    View(RefundEnded),
    View(RefundDropped),
    View(RefundOrderNotice, buttons=_refund),
    View(RefundWaits),
    View(RefundRequested),
    View(RefundOrderDropped),
)
