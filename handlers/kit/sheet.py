"""Sheets: tables and lines, as a rich message and as HTML that say the same.

Both forms are made from one `Sheet`, so they cannot differ. What does not fit is made smaller
by whoever writes the sheet, for both.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Final, TypeVar

from aiogram.types import InlineKeyboardMarkup

from core.kernel.errors import Bug
from handlers.kit.screen import MAX_HTML_CHARS, Screen, fill

T = TypeVar("T")
_Cell = dict[str, Any]

SHOWN_NAME_CHARS: Final = 40


@dataclass(frozen=True, slots=True)
class Row:
    """A row of a table: a name, then figures. note: a line under it, over the whole width."""

    cells: tuple[str, ...]
    note: str = ""
    bold: bool = False
    struck: bool = False


@dataclass(frozen=True, slots=True)
class Table:
    """At most four columns, or a telephone does not show them."""

    rows: tuple[Row, ...]
    header: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Sheet:
    """A title, whose it is, tables and paragraphs in their order, and what is good to know."""

    title: str
    name: str
    status: str
    parts: tuple[Table | str, ...]
    footer: str


@dataclass(frozen=True, slots=True)
class Size:
    """How much of everything is shown. rows: of a table of any length; days: of a range."""

    name_chars: int
    rows: int
    days: int


# The first that fits is taken; the last one always does.
SIZES: Final = (
    Size(24, 10, 31),
    Size(16, 10, 20),
    Size(10, 8, 10),
    Size(8, 5, 5),
    Size(6, 3, 3),
    Size(6, 1, 1),
)


def render_sheet(
    write: Callable[[Size], Sheet], language: str, keyboard: InlineKeyboardMarkup | None
) -> Screen:
    """The largest form of a sheet that a message has room for."""
    sheet, html = _fitting(write, language)
    rich = {"blocks": _blocks(sheet), "skip_entity_detection": True}
    return Screen(html=html, rich=rich, keyboard=keyboard)


def shortened(lines: Sequence[T], limit: int, add: Callable[[list[T]], T]) -> list[T]:
    """At most so many lines; the rest of them are added up in the last one."""
    if len(lines) <= limit:
        return list(lines)
    return [*lines[: limit - 1], add(list(lines[limit - 1 :]))]


def _fitting(write: Callable[[Size], Sheet], language: str) -> tuple[Sheet, str]:
    for size in SIZES:
        sheet = write(size)
        html = fill("sheet", {"sheet": sheet}, language)
        if len(html) <= MAX_HTML_CHARS:
            return sheet, html
    raise Bug("a sheet fits into no message")


def _blocks(sheet: Sheet) -> list[dict[str, Any]]:
    name = [_bold(sheet.name), f" · {sheet.status}"] if sheet.status else _bold(sheet.name)
    return [
        {"type": "heading", "size": 4, "text": sheet.title},
        _paragraph(name),
        *(_paragraph(part) if isinstance(part, str) else _table(part) for part in sheet.parts),
        {"type": "footer", "text": sheet.footer},
    ]


def _table(table: Table) -> dict[str, Any]:
    cells = [_cells(table.header, header=True)] if table.header else []
    for row in table.rows:
        cells.append(_cells(row.cells, bold=row.bold, struck=row.struck))
        if row.note:
            note = {"text": row.note, "align": "left", "valign": "middle"}
            cells.append([{**note, "colspan": len(row.cells)}])
    return {"type": "table", "is_compact": True, "is_striped": True, "cells": cells}


def _cells(
    texts: tuple[str, ...], *, header: bool = False, bold: bool = False, struck: bool = False
) -> list[_Cell]:
    cells: list[_Cell] = []
    for place, text in enumerate(texts):
        said: Any = _bold(text) if bold else text
        if struck:
            said = {"type": "strikethrough", "text": text}
        cell = {"text": said, "align": "right" if place else "left", "valign": "middle"}
        cells.append({**cell, "is_header": True} if header else cell)
    return cells


def _paragraph(text: Any) -> dict[str, Any]:
    return {"type": "paragraph", "text": text}


def _bold(text: str) -> dict[str, str]:
    return {"type": "bold", "text": text}
