"""The buttons under lists of orders. They carry the id of what the list is about."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final
from uuid import UUID

from core.kernel.ids import read_number
from core.reports.order_lists import Turn, Way
from handlers.kit.buttons import Button, long, read_page, short

_WAYS: Final[dict[str, Way]] = {"f": "first", "o": "older", "n": "newer"}


@dataclass(frozen=True, slots=True)
class TurnOrders(Button):
    """A page, in the place of the one that carries the button."""

    list_id: UUID
    turn: Turn

    def data(self) -> str:
        turn = self.turn
        return f"orders:{short(self.list_id)}:{turn.page}:{turn.way[0]}:{turn.number}"


@dataclass(frozen=True, slots=True)
class ExportOrders(Button):
    """All lines of a list as a workbook, in a reply to what carries the button."""

    list_id: UUID

    def data(self) -> str:
        return f"orders:{short(self.list_id)}:excel"


def read(parts: list[str]) -> Button | None:
    """The button that carries these parts; None for none of these. Raises ValueError as well."""
    match parts:
        case ["orders", list_id, page, "f" | "o" | "n" as way, number] if not number or read_number(
            number
        ):
            return TurnOrders(long(list_id), Turn(read_page(page), _WAYS[way], number))
        case ["orders", list_id, "excel"]:
            return ExportOrders(long(list_id))
    return None
