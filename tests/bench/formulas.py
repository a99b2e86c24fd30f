"""Evaluates a workbook's formulas, so that a test need not believe the values beside them."""

from __future__ import annotations

import re
from decimal import Decimal
from functools import cached_property
from pathlib import Path
from typing import Any

import openpyxl

_TOKEN = re.compile(
    r"\s*(?:(?P<number>\d+(?:\.\d+)?)|(?P<text>\"[^\"]*\")|(?P<name>[A-Z]+)(?=\()"
    r"|(?P<range>(?:'(?:[^']|'')+'!)?\$?[A-Z]+\$?\d+(?::\$?[A-Z]+\$?\d+)?)|(?P<sign>[-+/=(),]))"
)
Value = Decimal | str | None


class Sheets:
    """A workbook, once with its formulas and once with the values that stand beside them."""

    def __init__(self, path: Path) -> None:
        self.formulas: Any = openpyxl.load_workbook(path)
        self.cached: Any = openpyxl.load_workbook(path, data_only=True)
        self._known: dict[tuple[str, str], Value] = {}

    @cached_property
    def names(self) -> list[str]:
        return list(self.formulas.sheetnames)

    def cells_with_formulas(self) -> list[tuple[str, str]]:
        """(sheet, address) of every formula."""
        return [
            (sheet.title, cell.coordinate)
            for sheet in self.formulas
            for row in sheet.iter_rows()
            for cell in row
            if cell.data_type == "f"
        ]

    def wrong(self) -> list[tuple[str, str]]:
        """(sheet, address) of formulas that come to another value than the one beside them."""
        return [(s, a) for s, a in self.cells_with_formulas() if not self._agrees(s, a)]

    def _agrees(self, sheet: str, address: str) -> bool:
        value, cached = self.value(sheet, address), self.cached[sheet][address].value
        if isinstance(value, Decimal) and isinstance(cached, int | float):
            return abs(value - Decimal(repr(cached))) < Decimal("0.000001")
        return (value or "") == (cached or "")

    def column(self, sheet: str, letter: str) -> dict[str, Value]:
        """What a column comes to, row by row: by the text that the row begins with."""
        return {
            first.value: self.value(sheet, f"{letter}{first.row}")
            for (first,) in self.formulas[sheet].iter_rows(max_col=1)
            if isinstance(first.value, str)
        }

    def value(self, sheet: str, address: str) -> Value:
        """What a cell comes to."""
        key = (sheet, address)
        if key not in self._known:
            found = self.formulas[sheet][address].value
            if isinstance(found, str) and self.formulas[sheet][address].data_type == "f":
                self._known[key] = _Formula(self, sheet, found[1:]).evaluate()
            else:
                self._known[key] = _plain(found)
        return self._known[key]

    def cells(self, sheet: str, area: str) -> list[Value]:
        """The values of a range."""
        if "!" in area:
            quoted, _, area = area.rpartition("!")
            sheet = quoted[1:-1].replace("''", "'")
        area = area.replace("$", "")
        if ":" not in area:
            return [self.value(sheet, area)]
        return [self.value(sheet, cell.coordinate)
                for row in self.formulas[sheet][area] for cell in row]  # fmt: skip


def _plain(value: Any) -> Value:
    if value is None or isinstance(value, str):
        return value
    if isinstance(value, int | float):
        return Decimal(repr(value))
    return str(value)  # dates: equal where they are the same


def _number(value: Any) -> Decimal:
    return value if isinstance(value, Decimal) else Decimal(0)


def _meets(cells: list[Value], criterion: Any) -> list[bool]:
    """Which cells a criterion is true of: a cell's value, or a text, perhaps with <> before it."""
    wanted = criterion[0] if isinstance(criterion, list) else criterion
    if isinstance(wanted, str) and wanted.startswith("<>"):
        return [cell != wanted[2:] for cell in cells]
    return [cell == wanted for cell in cells]


class _Formula:
    """+, -, /, =, SUM, SUMIFS, COUNT, COUNTIFS, ROUND and IF: all that our workbooks use."""

    def __init__(self, sheets: Sheets, sheet: str, text: str) -> None:
        self._sheets = sheets
        self._sheet = sheet
        self._tokens = [(m.lastgroup or "", m[m.lastgroup or 0]) for m in _TOKEN.finditer(text)]
        read = "".join(t for _, t in self._tokens)
        assert read.replace(" ", "") == text.replace(" ", ""), text
        self._at = 0

    def evaluate(self) -> Value:
        value: Value = self._compared()
        assert self._at == len(self._tokens)
        return value

    def _peek(self) -> tuple[str, str]:
        return self._tokens[self._at] if self._at < len(self._tokens) else ("", "")

    def _next(self) -> tuple[str, str]:
        self._at += 1
        return self._tokens[self._at - 1]

    def _compared(self) -> Any:
        left = self._sum()
        if self._peek()[1] == "=":
            self._next()
            return Decimal(int(left == self._sum()))
        return left

    def _sum(self) -> Any:
        value = self._quotient()
        while self._peek()[1] in ("+", "-"):
            sign = self._next()[1]
            other = _number(self._quotient())
            value = _number(value) + (other if sign == "+" else -other)
        return value

    def _quotient(self) -> Any:
        value = self._term()
        while self._peek()[1] == "/":
            self._next()
            value = _number(value) / _number(self._term())
        return value

    def _term(self) -> Any:
        kind, text = self._next()
        match kind:
            case "number":
                return Decimal(text)
            case "text":
                return text[1:-1]
            case "range":
                return self._sheets.cells(self._sheet, text)[0]
            case "name":
                return self._call(text)
        assert text == "-", text
        return -_number(self._term())

    def _call(self, name: str) -> Any:
        assert self._next()[1] == "("
        if name == "IF":
            return self._choice()
        arguments: list[Any] = []
        while True:
            kind, text = self._peek()
            if kind == "range" and name in ("SUM", "COUNT", "SUMIFS", "COUNTIFS"):
                self._next()
                arguments.append(self._sheets.cells(self._sheet, text))
            else:
                arguments.append(self._compared())
            if self._next()[1] == ")":
                break
        match name, arguments:
            case "SUM", [cells]:
                return sum(map(_number, cells), Decimal(0))
            case "COUNT", [cells]:
                return Decimal(sum(isinstance(cell, Decimal) for cell in cells))
            case "SUMIFS", [cells, *criteria]:
                kept = [_meets(criteria[n], criteria[n + 1]) for n in range(0, len(criteria), 2)]
                found = zip(cells, *kept, strict=True)
                return sum((_number(c) for c, *meets in found if all(meets)), Decimal(0))
            case "COUNTIFS", [where, [wanted]]:
                return Decimal(sum(w == wanted for w in where))
            case "ROUND", [value, places]:
                return round(_number(value), int(places))
        raise AssertionError(name)

    def _choice(self) -> Any:
        """IF: the other branch may divide by zero."""
        parts: list[list[tuple[str, str]]] = [[]]
        depth = 1
        while True:
            token = self._next()
            depth += (token[1] == "(") - (token[1] == ")")
            if depth == 0:
                break
            if token[1] == "," and depth == 1:
                parts.append([])
            else:
                parts[-1].append(token)
        condition, then, otherwise = parts
        return self._part(then if self._part(condition) else otherwise)

    def _part(self, tokens: list[tuple[str, str]]) -> Any:
        part = _Formula(self._sheets, self._sheet, "")
        part._tokens = tokens
        return part.evaluate()
