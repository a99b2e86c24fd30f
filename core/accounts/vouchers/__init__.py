"""Vouchers: what a person moves by a word. A message is recorded as a whole, once for each cause; a
voucher is undone by reversal, and listed by pages."""

from __future__ import annotations

from core.accounts.vouchers.amounts import (
    MAX_MOVED,
    MAX_REMARK_CHARS,
    USDT,
    Advance,
    Converted,
    check_moved,
    convert,
    money_of,
)
from core.accounts.vouchers.doubts import (
    REPEAT_WITHIN,
    UNDO_ASKED_FROM,
    UNDO_LINE,
    Doubt,
    Doubted,
    Doubts,
    ask_first,
)
from core.accounts.vouchers.limits import (
    ADJUSTMENTS,
    Second,
    SecondNeeded,
    hold_vouchers,
    moved_alone_minor,
)
from core.accounts.vouchers.model import (
    ADJUSTMENT,
    KINDS,
    PAGE_SIZE,
    PAYIN,
    PREPAYMENT,
    Decision,
    Holder,
    Kind,
    KindName,
    Move,
    Role,
    VoucherLine,
    VoucherPage,
)
from core.accounts.vouchers.receipts import (
    Adjusted,
    AdjustedUndone,
    PaidIn,
    PaidInUndone,
    Prepaid,
    PrepaidUndone,
    ReceiptNotice,
    Record,
    VoucherReceipt,
)
from core.accounts.vouchers.undo import UNDO_WITHIN
from core.accounts.vouchers.vouchers import Vouchers
from core.people.receipts import Cause

__all__ = [
    "ADJUSTMENT",
    "ADJUSTMENTS",
    "KINDS",
    "MAX_MOVED",
    "MAX_REMARK_CHARS",
    "PAGE_SIZE",
    "PAYIN",
    "PREPAYMENT",
    "REPEAT_WITHIN",
    "UNDO_ASKED_FROM",
    "UNDO_LINE",
    "UNDO_WITHIN",
    "USDT",
    "Adjusted",
    "AdjustedUndone",
    "Advance",
    "Cause",
    "Converted",
    "Decision",
    "Doubt",
    "Doubted",
    "Doubts",
    "Holder",
    "Kind",
    "KindName",
    "Move",
    "PaidIn",
    "PaidInUndone",
    "Prepaid",
    "PrepaidUndone",
    "ReceiptNotice",
    "Record",
    "Role",
    "Second",
    "SecondNeeded",
    "VoucherLine",
    "VoucherPage",
    "VoucherReceipt",
    "Vouchers",
    "ask_first",
    "check_moved",
    "convert",
    "hold_vouchers",
    "money_of",
    "moved_alone_minor",
]
