"""Files: what people typed stays text, in whatever opens them."""

from __future__ import annotations

import csv
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import openpyxl
import pytest
from openpyxl.utils.escape import unescape

from core.exports import VoucherRow
from handlers.screens.files import CsvTable, Speech, safe, voucher_columns
from handlers.screens.files.book import Book

AT = datetime(2026, 11, 20, 1, 2, 3, tzinfo=UTC)
HOSTILE = (
    "=1+1",
    "+1",
    "-2",
    "@SUM(A1)",
    "<r>x</r>",
    "a&b<c>\x07",
    "_x0041_",
    " kept ",
    "=cmd|'!A1",
)
SPEECH = Speech("zh", "CNY", "Asia/Shanghai", {})


def voucher(remark: str, minor: int = -1230) -> VoucherRow:
    return VoucherRow(
        AT, date(2026, 11, 20), "M1-1", minor, minor, "CNY", "", remark, remark, "", ""
    )


def test_a_workbook_holds_texts_amounts_and_times(tmp_path: Path) -> None:
    path = tmp_path / "x.xlsx"
    book = Book(path, SPEECH, "a & b")
    page = book.page("页")
    page.write(*((text, "text") for text in HOSTILE))
    sheet = book.table("o'clock", voucher_columns(SPEECH))
    sheet.add([voucher(text) for text in HOSTILE[:4]])
    sheet.add([voucher(text) for text in HOSTILE[4:]])
    sheet.end()
    assert sheet.range("金额") == f"'o''clock'!$D$2:$D${len(HOSTILE) + 1}"
    book.close()
    read: Any = openpyxl.load_workbook(path)
    rows = list(read["o'clock"].iter_rows(min_row=2))
    assert len(rows) == len(HOSTILE)
    for row, text in zip(rows, HOSTILE, strict=True):
        assert row[7].data_type == "s"
        assert unescape(row[7].value) == text
        assert row[3].value == -12.3
        assert row[0].value == datetime(2026, 11, 20, 9, 2, 3)  # noqa: DTZ001 (Excel has no zones)
        assert row[1].value.date() == date(2026, 11, 20)
    assert all(cell.data_type != "f" for row in read["页"] for cell in row)
    assert read["o'clock"].freeze_panes == "A2"


@pytest.mark.parametrize("bom", [True, False])
def test_a_csv_is_safe_to_open(tmp_path: Path, bom: bool) -> None:
    path = tmp_path / "x.csv"
    with CsvTable(path, voucher_columns(SPEECH), SPEECH, bom=bom) as table:
        table.add([voucher(text) for text in HOSTILE])
    raw = path.read_bytes()
    assert raw.startswith(b"\xef\xbb\xbf") is bom
    rows = list(csv.reader(raw.decode("utf-8-sig").splitlines()))[1:]
    for row, text in zip(rows, HOSTILE, strict=True):
        assert row[7] == safe(text)
        assert row[7][0] not in "=+-@"
        assert row[0] == "2026-11-20 09:02:03"
        assert row[3] == "-12.30"
