"""Workbooks and CSV, from the typed rows of core.reports.exports.

Blocking: call them from a thread."""

from __future__ import annotations

from handlers.screens.files.columns import (
    Column,
    Speech,
    day_columns,
    merchant_columns,
    order_columns,
    taking_columns,
    voucher_columns,
)
from handlers.screens.files.merchant import MerchantBook, days_of
from handlers.screens.files.pieces import distinct
from handlers.screens.files.platform import write_platform_book
from handlers.screens.files.supplier import SupplierBook
from handlers.screens.files.table import CsvTable, before_spreadsheet, for_spreadsheet

__all__ = [
    "Column",
    "CsvTable",
    "MerchantBook",
    "Speech",
    "SupplierBook",
    "before_spreadsheet",
    "day_columns",
    "days_of",
    "distinct",
    "for_spreadsheet",
    "merchant_columns",
    "order_columns",
    "taking_columns",
    "voucher_columns",
    "write_platform_book",
]
