"""A workbook that is written row by row, in little memory, by whoever calls it from a thread.

Texts are always written as texts: what a person typed is never a formula.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any, Final, Generic, TypeVar
from zoneinfo import ZoneInfo

import xlsxwriter
from xlsxwriter.utility import xl_col_to_name
from xlsxwriter.worksheet import Worksheet

from core.kernel.money import EXPONENTS, format_minor
from handlers.files.columns import Column, Kind, Speech

R = TypeVar("R")
_EPOCH: Final = date(1899, 12, 30)
_MIDNIGHT: Final = datetime(1899, 12, 30)  # noqa: DTZ001 (Excel's times have no zone)
_DAY: Final = timedelta(days=1)
_A4: Final = 9
_SPELLED: Final = re.compile(r"_(?=x[0-9a-fA-F]{4}_)")
_CONTROL: Final = re.compile(r"[\x00-\x08\x0b-\x1f\ufffe\uffff]")
_ODD: Final = re.compile(rf"[&<>]|{_SPELLED.pattern}|{_CONTROL.pattern}")
_FONT: Final = {"font_name": "Calibri", "font_size": 11}
_INK, _PALE, _LINE = "#1F2937", "#F3F4F6", "#D1D5DB"


def main_units(minor: int, currency: str) -> float:
    """What a cell holds: Excel knows doubles only, which are exact to fifteen digits."""
    exponent = EXPONENTS[currency]
    return minor / 10**exponent if exponent else float(minor)


def serial(at: datetime, zone: ZoneInfo) -> float:
    """An instant on the clocks of a zone, as Excel counts days."""
    return (at.astimezone(zone).replace(tzinfo=None) - _MIDNIGHT) / _DAY


def day_serial(day: date) -> int:
    return (day - _EPOCH).days


@dataclass(frozen=True, slots=True)
class Formula:
    """A formula and the value that it has. The value is written too, so that it is seen where
    nothing calculates (a phone's preview). text: without the equals sign."""

    text: str
    value: float | str


class Book:
    """A workbook in one language, in one currency and zone. Close it, or there is no file."""

    def __init__(self, path: Path, speech: Speech, title: str) -> None:
        self.speech = speech
        self.title = title
        self.zone = ZoneInfo(speech.zone)
        options = {"constant_memory": True, "tmpdir": str(path.parent)}
        self._workbook: Any = xlsxwriter.Workbook(str(path), options)
        self._workbook.set_properties({"title": title})
        self._workbook.set_calc_mode("auto")
        decimals = EXPONENTS[speech.currency]
        money = "#,##0" + ("." + "0" * decimals if decimals else "")
        self._formats: dict[str, Any] = {
            # Texts, so that they stay what they are when somebody edits them.
            "text": self._format(num_format="@"),
            "figure": self._format(),
            "money": self._format(num_format=money),
            "count": self._format(num_format="#,##0"),
            "percent": self._format(num_format="0.0%"),
            "day": self._format(num_format="yyyy-mm-dd", align="left"),
            "instant": self._format(num_format="yyyy-mm-dd hh:mm:ss", align="left"),
            "head": self._format(bold=True, bg_color=_PALE, bottom=1, bottom_color=_LINE,
                                 text_wrap=True, valign="vcenter"),
            "title": self._format(bold=True, font_size=15),
            "note": self._format(font_color="#6B7280", text_wrap=True, valign="top"),
            "bold": self._format(bold=True, top=1, top_color=_LINE),
            "bold_money": self._format(bold=True, num_format=money, top=1, top_color=_LINE),
            "bold_count": self._format(bold=True, num_format="#,##0", top=1, top_color=_LINE),
        }  # fmt: skip

    def _format(self, **more: Any) -> Any:
        return self._workbook.add_format({**_FONT, "font_color": _INK, **more})

    def page(self, name: str) -> Page:
        """A sheet for a few cells, each at its own place."""
        return Page(self, self._sheet(name), name)

    def table(self, name: str, columns: Sequence[Column[R]]) -> TableSheet[R]:
        """A sheet with a frozen header, for rows of any number."""
        return TableSheet(self, self._sheet(name), name, columns)

    def format(self, name: str) -> Any:
        return self._formats[name]

    def _sheet(self, name: str) -> Any:
        sheet = self._workbook.add_worksheet(name, worksheet_class=_RowSheet)
        sheet.set_landscape()
        sheet.set_paper(_A4)
        sheet.fit_to_pages(1, 0)
        sheet.set_margins(left=0.4, right=0.4, top=0.6, bottom=0.6)
        # In headers and footers & begins an instruction.
        sheet.set_header("&L&9" + self.title.replace("&", "&&")[:200])
        sheet.set_footer("&L&9&A&R&9&P / &N")
        sheet.hide_gridlines(1)
        return sheet

    def close(self) -> None:
        """Write the file."""
        self._workbook.close()


class Page:
    """A sheet of cells. Rows and columns count from 0, and rows are written in order."""

    def __init__(self, book: Book, sheet: Any, name: str) -> None:
        self._book = book
        self._sheet = sheet
        self.name = name
        self.row = 0

    def widths(self, *widths: int) -> None:
        for column, width in enumerate(widths):
            self._sheet.set_column(column, column, width)

    def freeze(self) -> None:
        """Keep what was written so far in sight, and repeat the last of it on every page."""
        self._sheet.freeze_panes(self.row, 0)
        self._sheet.repeat_rows(max(0, self.row - 1))

    def write(self, *cells: tuple[Any, str]) -> int:
        """A row of (value, format) cells; its number. None leaves a cell empty. What is
        formatted as money is in minor units."""
        currency = self._book.speech.currency
        for column, (value, name) in enumerate(cells):
            style = self._book.format(name)
            money = name.endswith("money")
            match value:
                case None:
                    self._sheet.write_blank(self.row, column, None, style)
                case Formula(text, int() as minor) if money:
                    result = main_units(minor, currency)
                    self._sheet.write_formula(self.row, column, f"={text}", style, result)
                case Formula(text, result):
                    self._sheet.write_formula(self.row, column, f"={text}", style, result)
                case int() if money:
                    self._sheet.write_number(self.row, column, main_units(value, currency), style)
                case str():
                    self._sheet.write_string(self.row, column, plain(value), style)
                case _:
                    self._sheet.write_number(self.row, column, value, style)
        self.row += 1
        return self.row - 1

    def wide(self, text: str, name: str, columns: int, height: float | None = None) -> None:
        """A text across columns."""
        if height is not None:
            self._sheet.set_row(self.row, height)
        self._sheet.merge_range(self.row, 0, self.row, columns - 1, "", self._book.format(name))
        self._sheet.write_string(self.row, 0, plain(text), self._book.format(name))
        self.row += 1

    def skip(self) -> None:
        self.row += 1


class _RowSheet(Worksheet):  # type: ignore[misc]  # the library carries no types
    """A sheet that takes rows as XML: the library's own way, cell by cell, is ten times slower."""

    def write_rows(self, xml: str, rows: int, columns: int) -> None:
        """Rows of which the first one follows what was written before."""
        self._write_single_row(self.previous_row + rows)  # what is still pending comes first
        self.fh.write(xml)
        self.dim_rowmax, self.dim_colmax = self.previous_row, columns - 1


class TableSheet(Generic[R]):
    """A sheet of rows under a header. Rows of Excel begin with 2."""

    def __init__(self, book: Book, sheet: Any, name: str, columns: Sequence[Column[R]]) -> None:
        self._book = book
        self._sheet = sheet
        self.name = name
        self._columns = tuple(columns)
        self.rows = 0
        head = book.format("head")
        sheet.set_row(0, 22)
        for place, column in enumerate(self._columns):
            sheet.set_column(place, place, column.width)
            sheet.write_string(0, place, column.title, head)
        sheet.freeze_panes(1, 0)
        sheet.repeat_rows(0)
        self._cells = [
            (column.value, self._texts(column.kind), *self._frame(place, column.kind))
            for place, column in enumerate(self._columns)
        ]

    def _texts(self, kind: Kind) -> Callable[[Any], str]:
        """What makes a value the text of a cell."""
        zone, currency = self._book.zone, self._book.speech.currency
        match kind:
            case "text" | "figure":
                return xml_text
            case "money":
                return lambda minor: format_minor(minor, currency, grouping=False)
            case "instant":
                return lambda at: repr(serial(at, zone))
            case "day":
                return lambda day: str(day_serial(day))
            case "count":
                return str

    def _frame(self, place: int, kind: Kind) -> tuple[str, str, str]:
        """The XML before a cell's row number, between it and the text, and after the text."""
        style = self._book.format(kind)._get_xf_index()  # noqa: SLF001 (the library's own name)
        begins = f'<c r="{xl_col_to_name(place)}'
        if kind in ("text", "figure"):
            opens = '<is><t xml:space="preserve">'
            return begins, f'" s="{style}" t="inlineStr">{opens}', "</t></is></c>"
        return begins, f'" s="{style}"><v>', "</v></c>"

    def add(self, rows: Sequence[R]) -> None:
        """Write rows beneath those that are there."""
        number = self.rows + 1
        parts: list[str] = []
        for row in rows:
            number += 1
            parts.append(f'<row r="{number}">')
            parts += [
                f"{begins}{number}{opens}{text_of(value)}{closes}"
                for value_of, text_of, begins, opens, closes in self._cells
                if (value := value_of(row)) is not None
            ]
            parts.append("</row>")
        self._sheet.write_rows("".join(parts), len(rows), len(self._columns))
        self.rows += len(rows)

    def end(self) -> None:
        """No more rows come: they can be filtered."""
        self._sheet.autofilter(0, 0, max(1, self.rows), len(self._columns) - 1)

    def range(self, title: str) -> str:
        """The cells of a column for a formula, by its title: 'Orders'!$D$2:$D$101."""
        titles = [column.title for column in self._columns]
        letter = xl_col_to_name(titles.index(title))
        name = self.name.replace("'", "''")
        return f"'{name}'!${letter}$2:${letter}${max(2, self.rows + 1)}"


def plain(text: str) -> str:
    """A text that the library does not take for a rich one, which it would write unescaped."""
    return f"{text} " if text.startswith("<r>") and text.endswith("</r>") else text


def xml_text(text: str) -> str:
    """A text inside XML, as Excel writes it: what XML cannot hold is spelled _xHHHH_."""
    if not _ODD.search(text):
        return text
    spelled = _SPELLED.sub(lambda found: f"_x005F{found[0]}", text)
    spelled = _CONTROL.sub(lambda found: f"_x{ord(found[0]):04X}_", spelled)
    return spelled.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
