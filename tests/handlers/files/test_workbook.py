"""Files: what people typed stays text, in whatever opens them."""

from __future__ import annotations

import csv
import re
from datetime import UTC, date, datetime
from pathlib import Path
from random import Random
from typing import Any

import openpyxl
import pytest
from openpyxl.utils.escape import unescape

from core.reports.exports import VoucherRow
from handlers.files.books import (
    CsvTable,
    Speech,
    before_spreadsheet,
    for_spreadsheet,
    voucher_columns,
)
from handlers.files.workbook import Book
from tests.handlers.order_support import legal_numbers

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
FORMULA = ("=", "+", "-", "@", "＝", "＋", "－", "＠", "\r", "|", "%")
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
        assert before_spreadsheet(row[7]) == text
        assert row[7][0] not in FORMULA
        assert row[0] == "2026-11-20 09:02:03"
        assert row[3] == "-12.30"  # an amount stays a number


@pytest.mark.parametrize(
    "text",
    [
        "0012345", "12345678901234567890", "1e5", "3-4", "-1", "+1", "=1", "@x", "1.50", "1/2",
        "10:30", "5%", "SEPT2", "dec-1", "TRUE", "false ", "#N/A", "$5", "(5)", ".5", "１２３",
        "＝1", "＋1", "－1", "＠x", " =1", "\"=1", "'=1", "\t", "\tx", "\nx", "2026-11-20",
    ],
)  # fmt: skip
def test_what_a_spreadsheet_would_spoil_stands_behind_a_tab(text: str) -> None:
    assert for_spreadsheet(text) == f"\t{text}"
    assert before_spreadsheet(for_spreadsheet(text)) == text


@pytest.mark.parametrize(
    ("text", "kept"),
    [
        ("ABC-1", "ABC-1"), ("P2J0001PQ8WKRZQMHM1I", "P2J0001PQ8WKRZQMHM1I"), ("Mark", "Mark"),
        ("房租 2026-11", "房租 2026-11"), ("", ""), ("a;b", "a;b"), ("a; b", "a; b"),
        ("x;=HYPERLINK(1)", "x;\t=HYPERLINK(1)"), ("x;\n-1", "x;\n\t-1"), ("\r=1", "\t\r\t=1"),
        ("x;\"\"=1", "x;\t\"\"=1"), ("a;\tb", "a;\t\tb"), ("TRUE;1", "\tTRUE;\t1"),
    ],
)  # fmt: skip
def test_nothing_else_is_touched(text: str, kept: str) -> None:
    assert for_spreadsheet(text) == kept
    assert before_spreadsheet(kept) == text


def remarks(random: Random, count: int) -> list[str]:
    """What people may write: everything that spreadsheets, CSV and XML treat in some way."""
    pieces = (*FORMULA, *"\t\r\n;,\"'<>&_ 0123456789eE.%", "0x41_", "_x0041_", "中文", "a", "１",
              "<r>", "</r>", "\x07", "😀")  # fmt: skip
    return ["".join(random.choices(pieces, k=random.randint(0, 12))) for _ in range(count)]


def test_every_number_and_remark_comes_back_from_a_csv_and_no_formula_is_carried_out(
    tmp_path: Path,
) -> None:
    random = Random(20261129)
    texts = [*legal_numbers(random, 3000), *remarks(random, 3000)]
    path = tmp_path / "x.csv"
    with CsvTable(path, voucher_columns(SPEECH), SPEECH, bom=True) as table:
        table.add([voucher(text) for text in texts])
    with path.open(encoding="utf-8-sig", newline="") as file:
        rows = list(csv.reader(file))[1:]
    assert [before_spreadsheet(row[7]) for row in rows] == texts
    assert {row[3] for row in rows} == {"-12.30"}
    for row in rows:
        assert not row[7].startswith(FORMULA)
        assert not re.match(r"[\d.]", row[7])
    # A spreadsheet that splits at semicolons, whatever our quotes say.
    for cell in re.split(r"[;\r\n]+", path.read_text(encoding="utf-8-sig")):
        assert not cell.lstrip(" \"'").startswith(FORMULA), cell


def test_every_number_and_remark_comes_back_from_a_workbook(tmp_path: Path) -> None:
    random = Random(20261130)
    texts = [text for text in (*legal_numbers(random, 3000), *remarks(random, 1000)) if text]
    path = tmp_path / "x.xlsx"
    book = Book(path, SPEECH, "x")
    sheet = book.table("x", voucher_columns(SPEECH))
    sheet.add([voucher(text) for text in texts])
    sheet.end()
    book.close()
    cells = openpyxl.load_workbook(path)["x"]["H"][1:]
    assert {cell.data_type for cell in cells} == {"s"}
    assert {cell.number_format for cell in cells} == {"@"}
    assert [unescape(cell.value) for cell in cells] == texts
