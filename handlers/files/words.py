"""What is said about charts and files."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal

from handlers.kit.commands import Command, Words, days_in, only, take
from handlers.kit.grammar import HOLDERS, take_currencies, take_holders
from handlers.kit.intents import Intent, Reading
from texts.days import NoSuchDay, Span

ExportKind = Literal["chart", "excel", "csv"]


ExportTable = Literal["orders", "prepayments", "days"]


_EXPORTS: Final[dict[str, ExportKind]] = {
    "chart": "chart", "图表": "chart", "excel": "excel", "xlsx": "excel", "csv": "csv",
}  # fmt: skip


_TABLES: Final[dict[str, ExportTable]] = {
    "orders": "orders", "订单": "orders",
    "prepayments": "prepayments", "预付": "prepayments",
    "days": "days", "每日": "days",
}  # fmt: skip


_BOM: Final = {"bom": True, "nobom": False}


@dataclass(frozen=True, slots=True)
class Export(Reading):
    """A picture or a file of business days. bom: whether a CSV says that it is UTF-8; None: as
    the chat's language needs it. number, currency: as in `ShowBill`."""

    what: ExportKind
    days: Span | NoSuchDay
    table: ExportTable = "orders"
    bom: bool | None = None
    number: str | None = None
    currency: str | None = None


def read_export(words: Words) -> Intent | None:
    """What, which table (of CSV alone), days, whose, in which currency: in any order, each once
    at most."""
    currencies, rest = take_currencies(words)
    numbers, rest = take_holders(rest, HOLDERS)
    kinds, rest = take(rest, _EXPORTS)
    tables, rest = take(rest, _TABLES)
    marks, rest = take(rest, _BOM)
    days = days_in(rest)
    once = (currencies, numbers, kinds, tables, marks)
    if days is None or any(len(found) > 1 for found in once):
        return None
    of_csv = bool(tables or marks)
    kind = only(kinds) or ("csv" if of_csv else "excel")
    if of_csv and kind != "csv":
        return None
    table = only(tables) or "orders"
    return Export(kind, days, table, only(marks), only(numbers), only(currencies))


COMMANDS: Final = (
    Command(
        "export",
        {Export: "read_money"},
        read_export,
        forms=("导出", "图表"),
        what="Days as Excel, CSV or a chart",
        usage=("导出", "图表 11-01~11-20", "导出 USD", "/export", "/export csv orders 2026-11"),
        implied={"图表": "图表"},
        answer="the days as Excel, CSV or a picture; see below",
    ),
)
