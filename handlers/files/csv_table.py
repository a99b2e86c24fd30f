"""CSV: the same columns as in workbooks, with every text safe to open in a spreadsheet.

A spreadsheet that opens a CSV guesses what its texts mean: `0012345` and `1e5` become other
numbers, `3-4` a day, `=…` is carried out. A tab before such a text keeps it as it is written;
nobody sees it there, and a program takes it off: `before_spreadsheet` undoes `for_spreadsheet`.
"""

from __future__ import annotations

import csv
import re
from collections.abc import Iterable, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any, Final, Generic, Self, TypeVar
from zoneinfo import ZoneInfo

from core.kernel.money import format_minor
from handlers.files.columns import Column, Speech

R = TypeVar("R")
_KEEP: Final = "\t"
# Where a cell may begin: a spreadsheet that splits at semicolons pays no heed to our quotes.
_BEGINS: Final = r"(?:\A|(?<=[;\r\n]))"
# A formula: behind blanks and quotes as well, which are dropped, and in full width.
_BLANKS: Final = r"[^\S\r\n]*"
_FORMULA: Final = r"(?:[^\S\r\n]|[\"'“”‘’`])*[=+\-@|%＝＋－﹣−＠]"
# Read as a number, a day, a truth or an error: digits of any script, what stands before amounts,
# months, and words that spreadsheets know.
_ENDS: Final = rf"{_BLANKS}(?:\Z|[;\r\n])"
_GUESSED: Final = (
    rf"{_BLANKS}(?:[\d.,(#$¢£¤¥€￥]|(?:true|false){_ENDS}|"
    rf"(?:jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec)[a-z]*[ ./-]*\d+{_ENDS})"
)
_SPOILT: Final = re.compile(rf"{_BEGINS}(?=\t|{_FORMULA}|{_GUESSED})|\A(?=[\r\n])", re.IGNORECASE)
_KEPT: Final = re.compile(rf"{_BEGINS}{_KEEP}")


def for_spreadsheet(text: str) -> str:
    """A text that a spreadsheet shows as it is: no formula, number or day, even where it is split
    at its semicolons. A tab stands before what would be spoilt, and before a tab."""
    return _SPOILT.sub(_KEEP, text)


def before_spreadsheet(text: str) -> str:
    """The text that `for_spreadsheet` was given: one tab less at its beginning, and behind each
    semicolon and line end."""
    return _KEPT.sub("", text)


class CsvTable(Generic[R]):
    """A CSV file in UTF-8 (RFC 4180, every field in quotes), written a few rows at a time:
    `with CsvTable(…) as table`.

    Blocking: to be called from a thread. Amounts are in main units, times on the zone's clocks.
    bom: begin with the mark by which Excel recognises UTF-8.
    """

    def __init__(
        self, path: Path, columns: Sequence[Column[R]], speech: Speech, *, bom: bool
    ) -> None:
        self._columns = tuple(columns)
        self._currency = speech.currency
        self._zone = ZoneInfo(speech.zone)
        encoding = "utf-8-sig" if bom else "utf-8"
        self._file = path.open("w", encoding=encoding, newline="")
        # In quotes a tab is no separator either.
        self._writer = csv.writer(self._file, quoting=csv.QUOTE_ALL)
        self._writer.writerow([for_spreadsheet(column.title) for column in self._columns])

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._file.close()

    def add(self, rows: Iterable[R]) -> None:
        """Write rows beneath those that are there."""
        self._writer.writerows(
            [self._cell(column.kind, column.value(row)) for column in self._columns] for row in rows
        )

    def _cell(self, kind: str, value: Any) -> str:
        if value is None:
            return ""
        match kind:
            case "money":
                return format_minor(value, self._currency, grouping=False)
            case "instant":
                return str(value.astimezone(self._zone).strftime("%Y-%m-%d %H:%M:%S"))
            case "text":
                return for_spreadsheet(value)
            case _:
                return str(value)
