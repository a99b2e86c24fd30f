from __future__ import annotations

from dataclasses import fields, replace
from datetime import date
from decimal import Decimal
from typing import Any, Final, Literal, TypeVar, get_args

from core.accounts.credit import CreditLow, CreditQuestion, CreditSet, Standing
from core.accounts.pricing import UsdtRateSet
from core.accounts.slips import SlipConfirmed, SlipDoubt, SlipDropped, SlipQuestionNotice
from core.accounts.voucher_approvals import AdjustmentQuestion, LargeLine, PrepaymentQuestion
from core.accounts.vouchers import (
    Adjusted,
    AdjustedUndone,
    Advance,
    PaidIn,
    PaidInUndone,
    Prepaid,
    PrepaidUndone,
    ReceiptNotice,
    VoucherReceipt,
)
from core.accounts.written import KeptLine, MerchantSeen
from core.kernel.money import Money
from handlers.money.money_lines import Why
from handlers.money.screens import CreditNotice, EditedMoney, MoneyUnreadable, UsdtRate
from tests.handlers.written import AT, HOSTILE, ID

R = TypeVar("R", bound=VoucherReceipt)
_WHYS: Final[tuple[Why | Literal["phone"], ...]] = (*get_args(Why), "phone")


def told_as(deed: type[R], receipt: VoucherReceipt, /, **values: Any) -> R:
    """The same figures, of another deed."""
    kept = {field.name: getattr(receipt, field.name) for field in fields(receipt)}
    return deed(**{**kept, **values})


PREPAID: Final = Prepaid(
    kind="prepayment",
    voucher_id=ID,
    record_no="M1001-3",
    line=1,
    role="merchant",
    holder_id=ID,
    holder_no="M1001",
    holder_name=HOSTILE,
    zone="Asia/Shanghai",
    minor=72_000,
    currency="CNY",
    original_minor=100_000_000,
    original_currency="USDT",
    conversion_rate="7.2",
    remark=HOSTILE,
    proof=True,
    before_minor=0,
    after_minor=72_000,
    advanced_minor=72_000,
    actor_name=HOSTILE,
    at=AT,
    day=date(2026, 11, 21),
    reverses_no="M1001-2",
)
ADJUSTED: Final = told_as(
    Adjusted, PREPAID, kind="adjustment", original_minor=72_000,
    original_currency="CNY", conversion_rate="", proof=False,
)  # fmt: skip
PAID_IN: Final = told_as(
    PaidIn, PREPAID, kind="payin", record_no="S01-3", role="supplier",
    holder_no="S01", advanced_minor=0,
)  # fmt: skip
ADJUSTED_UNDONE: Final = told_as(AdjustedUndone, ADJUSTED, minor=-72_000)
PAID_IN_UNDONE: Final = told_as(PaidInUndone, PAID_IN, minor=-72_000)
_WIDE: Final = replace(  # as wide as a line can be
    PREPAID, holder_no="M12345678901", record_no="M12345678901-1234567", minor=-(10**10),
    before_minor=-(10**15), after_minor=-(10**15), currency="KWD", original_minor=10**14,
    conversion_rate="1000000.125", remark="&" * 200,
)  # fmt: skip


def _receipt(line: VoucherReceipt, count: int, struck: tuple[int, ...]) -> ReceiptNotice:
    return ReceiptNotice(
        tuple(
            replace(
                line,
                line=number,
                undone_by=HOSTILE if number in struck else "",
                undone_no=f"{line.holder_no[:5]}-99" if number in struck else "",
            )
            for number in range(1, count + 1)
        )
    )


def _slip(what: Literal["book", "undo"], lines: int, code: str, **said: str) -> SlipQuestionNotice:
    doubts = tuple(
        SlipDoubt(line + 1, -1_000_000, "CNY", "M1001", code, said) for line in range(lines)
    )
    return SlipQuestionNotice(ID, what, lines, doubts, HOSTILE)


_STANDING: Final = Standing(line_minor=5_000, position_minor=4_500, advanced_minor=1_000)
_NAMED: Final = ("M1", HOSTILE, "CNY")
_SLIPS: Final[tuple[tuple[Literal["book", "undo"], int], ...]] = (
    ("undo", 1),
    ("book", 1),
    ("book", 20),
)

EXAMPLES: Final = (
    PREPAID,
    replace(PREPAID, minor=-5, remark="", conversion_rate=""),
    replace(PREPAID, undone_by=HOSTILE, undone_no="M1001-4"),
    told_as(PrepaidUndone, PREPAID, minor=-72_000),
    ADJUSTED,
    replace(ADJUSTED, minor=-5, remark="x"),
    replace(ADJUSTED, undone_by=HOSTILE, undone_no="M1001-4"),
    ADJUSTED_UNDONE,
    PAID_IN,
    replace(PAID_IN, minor=-5, conversion_rate="", proof=False),
    replace(PAID_IN, undone_by=HOSTILE, undone_no="S01-4"),
    PAID_IN_UNDONE,
    *(
        _receipt(line, count, struck)
        for line in (PREPAID, PAID_IN, ADJUSTED, _WIDE)
        for count, struck in ((2, ()), (20, ()), (20, (3,)), (20, tuple(range(1, 21))))
    ),
    *(
        question
        for what, lines in _SLIPS
        for question in (
            _slip(what, lines, "repeat_doubtful", ago_s="12", record_no="M1001-3", name=HOSTILE),
            _slip(what, lines, "repeat_waits", name=HOSTILE),
            _slip(what, lines, "take_back_doubtful", moved="100.00 CNY"),
            _slip(what, lines, "undo_of_another", record_no="M1001-3", name=HOSTILE),
            _slip(what, lines, "undo_of_much", record_no="M1001-3", amount="12000.00 CNY"),
        )
    ),
    SlipConfirmed("undo", HOSTILE),
    SlipConfirmed("book", HOSTILE),
    SlipConfirmed("book", HOSTILE, waits=True),
    replace(PREPAID, approved_by=1, approved_by_name=HOSTILE),
    replace(PAID_IN, approved_by=1, approved_by_name=HOSTILE),
    replace(ADJUSTED, approved_by=1, approved_by_name=HOSTILE),
    _receipt(replace(PREPAID, approved_by=1, approved_by_name=HOSTILE), 20, ()),
    CreditSet(*_NAMED, _STANDING, 7, HOSTILE, 1, HOSTILE),
    SlipDropped("undo"),
    SlipDropped("book"),
    *(MoneyUnreadable(2, HOSTILE, why, payin) for why in _WHYS for payin in (False, True)),
    EditedMoney((), money=True),
    EditedMoney((), money=False),
    EditedMoney(("M1-1", "M1-2"), money=True),
    CreditNotice(*_NAMED, _STANDING),
    CreditNotice(*_NAMED, replace(_STANDING, position_minor=-500)),
    CreditNotice(*_NAMED, replace(_STANDING, position_minor=6_000)),
    CreditNotice(*_NAMED, replace(_STANDING, line_minor=None)),
    CreditSet(*_NAMED, _STANDING, before_minor=None, actor_name=HOSTILE),
    CreditSet(
        *_NAMED, replace(_STANDING, position_minor=5_001), before_minor=7, actor_name=HOSTILE
    ),
    CreditSet(*_NAMED, replace(_STANDING, line_minor=None), before_minor=7, actor_name=HOSTILE),
    CreditLow(*_NAMED, _STANDING),
    CreditLow(*_NAMED, replace(_STANDING, position_minor=5_001)),
    UsdtRate(""),
    UsdtRate("7.2"),
    UsdtRateSet("", "7.2", HOSTILE),
    UsdtRateSet("7.15", "7.2", HOSTILE),
)
LARGEST: Final = (EditedMoney(tuple(f"M1001-{10**9 + n}" for n in range(20)), money=True),)


def _large(minor: int, currency: str, **advance: Any) -> LargeLine:
    advanced = Advance(Money(minor, currency), HOSTILE, **advance)
    return LargeLine(KeptLine(1, "prepayment", ID, advanced), "M1001", HOSTILE, minor, currency)


_LARGE: Final = (
    _large(10**10, "KWD"),
    _large(-(10**10), "USDT", conversion_rate=Decimal("7.125"), proof_file_id="x"),
)
_SEEN: Final = (MerchantSeen(ID, "M1001", "suspended", None), MerchantSeen(ID, "M1", "open", 5))

ASKED: Final = (
    PrepaymentQuestion(_LARGE[:1], _SEEN[1:]),
    PrepaymentQuestion(_LARGE * 10, _SEEN),
    AdjustmentQuestion(_LARGE[1:], _SEEN),
    *(
        CreditQuestion(ID, "M1001", HOSTILE, "KWD", state, before, after)
        for state, before, after in (("open", None, 10**11), ("suspended", 7, None))
    ),
)
