"""Prepayments of days by pages, and what is said of bills and of the days themselves."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from gettext import NullTranslations
from typing import Any, Final
from uuid import UUID

from aiogram.types import InlineKeyboardMarkup

from core.accounts.daycuts import DayCutSet
from core.accounts.vouchers import VoucherLine
from core.delivery.outbox import Notice
from core.people.groups import BillEnded
from core.reports.bills import CompletedLine
from handlers.bills.buttons import OtherVouchers, TurnCompleted, TurnVouchers
from handlers.bills.lines import last_days
from handlers.kit.buttons import HolderKind
from handlers.kit.day_buttons import OpenExport
from handlers.kit.screen import View, button, keyboard


@dataclass(frozen=True, slots=True)
class PrepaidHistory(Notice):
    """A page of a merchant's prepayments, or of what a supplier paid in. count, sum_minor: of all
    pages. first, last: business days."""

    holder: HolderKind
    holder_id: UUID
    holder_no: str
    holder_name: str
    currency: str
    zone: str
    first: date
    last: date
    page: int
    pages: int
    count: int
    sum_minor: int
    lines: tuple[VoucherLine, ...]


@dataclass(frozen=True, slots=True)
class CompletedHistory(Notice):
    """A page of a merchant's orders that were completed by hand, as the merchant may read it.
    count: of all pages. first, last: business days."""

    merchant_id: UUID
    merchant_no: str
    merchant_name: str
    currency: str
    zone: str
    first: date
    last: date
    page: int
    pages: int
    count: int
    lines: tuple[CompletedLine, ...]


def _completed_pages(notice: CompletedHistory, _: NullTranslations) -> InlineKeyboardMarkup | None:
    """The pages before and after this one, and the days as a workbook, which has them on a
    sheet."""
    whose = (notice.merchant_id, notice.first, notice.last)
    turns = tuple(
        button(arrow, TurnCompleted(*whose, page))
        for arrow, page in (("◀", notice.page - 1), ("▶", notice.page + 1))
        if 1 <= page <= notice.pages
    )
    book = (button("Excel", OpenExport("excel", "m", *whose)),)
    return keyboard(turns, book if notice.count else ())


def _pages(notice: PrepaidHistory, translate: NullTranslations) -> InlineKeyboardMarkup | None:
    """The pages before and after this one, other days, and the days as files."""
    whose = (notice.holder, notice.holder_id, notice.first, notice.last)
    turns = tuple(
        button(arrow, TurnVouchers(*whose, page))
        for arrow, page in (("◀", notice.page - 1), ("▶", notice.page + 1))
        if 1 <= page <= notice.pages
    )
    files = (
        button("Excel", OpenExport("excel", *whose)),
        button("CSV", OpenExport("csv", *whose, "prepayments")),
    )
    named = translate.pgettext
    others = tuple(
        button(name, OtherVouchers(notice.holder, notice.holder_id, days))
        for name, days in ((named("desk", "Yesterday"), "yesterday"), *last_days(translate))
    )
    return keyboard(turns, others, files if notice.count else ())


VIEWS: Final[tuple[View[Any], ...]] = (
    View(CompletedHistory, buttons=_completed_pages),
    View(PrepaidHistory, buttons=_pages),
    View(BillEnded),
    View(DayCutSet),
)
