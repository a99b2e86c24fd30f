"""CSV: the same columns as in workbooks, with every text safe to open in a spreadsheet."""

from __future__ import annotations

import csv
from collections.abc import Iterable, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any, Final, Generic, Self, TypeVar
from zoneinfo import ZoneInfo

from core.money import format_minor
from handlers.screens.files.columns import Column, Speech

R = TypeVar("R")
# A spreadsheet takes a cell that begins like this for a formula, even between quotes.
_FORMULA: Final = ("=", "+", "-", "@", "\t", "\r")


def safe(text: str) -> str:
    """A text that no spreadsheet takes for a formula."""
    return f"'{text}" if text.startswith(_FORMULA) else text


class CsvTable(Generic[R]):
    """A CSV file in UTF-8, written a few rows at a time: `with CsvTable(…) as table`.

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
        self._writer = csv.writer(self._file)
        self._writer.writerow([safe(column.title) for column in self._columns])

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
        match kind:
            case "money":
                return format_minor(value, self._currency, grouping=False)
            case "instant":
                return str(value.astimezone(self._zone).strftime("%Y-%m-%d %H:%M:%S"))
            case "text":
                return safe(value)
            case _:
                return str(value)
