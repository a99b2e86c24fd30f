"""Receipts of what people moved by their word: of one line, or of a message of many."""

from __future__ import annotations

from gettext import NullTranslations
from typing import Final

from aiogram.types import InlineKeyboardMarkup

from core.accounts.vouchers import KINDS, UNDO_WITHIN, ReceiptNotice, VoucherReceipt
from handlers.kit.screen import MAX_TEXT_CHARS, Screen, button, fill, keyboard, text_chars
from handlers.money.buttons import UndoVoucher

_UNDO_MINUTES: Final = int(UNDO_WITHIN.total_seconds() // 60)
# So many fit side by side on a telephone.
_IN_A_ROW: Final = 5
# How much of each remark and name is shown: the first of these with which all lines fit.
_WORDS_CHARS: Final = (60, 24, 12, 6)


def undo_button(
    receipt: VoucherReceipt, translate: NullTranslations
) -> InlineKeyboardMarkup | None:
    """Under the receipt of one line, while it stands."""
    if receipt.undone_by:
        return None
    label = translate.gettext("↩️ Undo (within %(minutes)s min)") % {"minutes": _UNDO_MINUTES}
    return keyboard((button(label, UndoVoucher(receipt.voucher_id)),))


def render_receipt(receipt: ReceiptNotice, language: str) -> Screen:
    """The receipt of a message of several lines."""
    lines = receipt.lines
    standing = [line for line in lines if not line.undone_by]
    one_holder = len({line.holder_no for line in lines}) == 1
    balances = [minor for line in lines for minor in (line.before_minor, line.after_minor)]
    shown = {
        "lines": lines,
        "booked": KINDS[lines[0].kind].booked,
        "role": lines[0].role,
        "one_holder": one_holder,
        # One word at the end says what all the balances are.
        "wordless": one_holder and (min(balances) >= 0 or max(balances) <= 0),
        "one_currency": len({line.currency for line in lines}) == 1,
        "sum_minor": sum(line.minor for line in standing),
        "standing_lines": len(standing),
        "first": lines[0],
        "last": lines[-1],
        "minutes": _UNDO_MINUTES,
    }
    html = ""
    for words_chars in _WORDS_CHARS:
        html = fill("receipt", {**shown, "words_chars": words_chars}, language)
        if text_chars(html) <= MAX_TEXT_CHARS:
            break
    undos = [button(f"↩️ {line.line}", UndoVoucher(line.voucher_id)) for line in standing]
    rows = (tuple(undos[i : i + _IN_A_ROW]) for i in range(0, len(undos), _IN_A_ROW))
    return Screen(html=html, keyboard=keyboard(*rows))
