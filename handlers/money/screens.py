"""What is said about money: receipts, questions about slips, credit, what a USDT is worth."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from gettext import NullTranslations
from typing import Any, Final, Literal

from aiogram.types import InlineKeyboardMarkup

from core.accounts.credit import CreditLow, CreditSet, Standing
from core.accounts.pricing import UsdtRateSet
from core.accounts.slips import SlipConfirmed, SlipDropped, SlipQuestionNotice
from core.accounts.vouchers import (
    Adjusted,
    AdjustedUndone,
    PaidIn,
    PaidInUndone,
    Prepaid,
    PrepaidUndone,
    ReceiptNotice,
)
from core.delivery.outbox import Notice
from handlers.kit.refusals import refusal_words
from handlers.kit.screen import View, button, keyboard
from handlers.money.buttons import AnswerSlip
from handlers.money.money_lines import Why
from handlers.money.receipt import render_receipt, undo_button


@dataclass(frozen=True, slots=True)
class MoneyUnreadable(Notice):
    """Nothing was booked, for a line cannot be read. payin: it would have been one, not a
    prepayment."""

    line: int
    text: str
    why: Why | Literal["phone"]
    payin: bool


@dataclass(frozen=True, slots=True)
class EditedMoney(Notice):
    """An edit does nothing. records: what the message booked before. money: whether it is one that
    moves money."""

    records: tuple[str, ...]
    money: bool


@dataclass(frozen=True, slots=True)
class CreditNotice(Notice):
    """A merchant's credit line, and what is left."""

    merchant_no: str
    merchant_name: str
    currency: str
    standing: Standing


@dataclass(frozen=True, slots=True)
class UsdtRate(Notice):
    """What one USDT is worth in this group: exact decimal text; empty where nobody set it."""

    rate: str


def _slip_buttons(
    notice: SlipQuestionNotice, translate: NullTranslations
) -> InlineKeyboardMarkup | None:
    """Whether what may be a slip is meant."""
    label = (
        translate.gettext("↩️ Undo it") if notice.what == "undo" else translate.gettext("✅ Book it")
    )
    asked = notice.approval_id
    yes = button(label, AnswerSlip(asked, yes=True), style="danger")
    no = button(translate.pgettext("desk", "Cancel"), AnswerSlip(asked, yes=False))
    return keyboard((yes, no))


def _doubts_in_words(notice: SlipQuestionNotice, language: str) -> Mapping[str, Any]:
    return {"whys": [refusal_words(doubt.code, doubt.facts, language) for doubt in notice.doubts]}


VIEWS: Final[tuple[View[Any], ...]] = (
    View(Prepaid, buttons=undo_button),
    View(PrepaidUndone),
    View(Adjusted, buttons=undo_button),
    View(AdjustedUndone),
    View(PaidIn, buttons=undo_button),
    View(PaidInUndone),
    View(ReceiptNotice, draws=render_receipt),
    View(SlipQuestionNotice, buttons=_slip_buttons, adds=_doubts_in_words),
    View(SlipConfirmed),
    View(SlipDropped),
    View(MoneyUnreadable),
    View(EditedMoney),
    View(CreditNotice),
    View(CreditSet),
    View(CreditLow),
    View(UsdtRate),
    View(UsdtRateSet),
)
