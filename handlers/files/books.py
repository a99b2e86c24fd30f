"""Workbooks and CSV, from the typed rows of core.reports.exports.

Blocking: call them from a thread."""

from __future__ import annotations

from handlers.files.columns import (
    Column,
    Speech,
    day_columns,
    merchant_columns,
    order_columns,
    taking_columns,
    voucher_columns,
)
from handlers.files.csv_table import CsvTable, before_spreadsheet, for_spreadsheet
from handlers.files.merchant_book import MerchantBook, days_of
from handlers.files.order_list_book import ListHead, OrderListBook
from handlers.files.platform_book import write_platform_book
from handlers.files.sheets import distinct
from handlers.files.supplier_book import SupplierBook

__all__ = [
    "Column",
    "CsvTable",
    "ListHead",
    "MerchantBook",
    "OrderListBook",
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
