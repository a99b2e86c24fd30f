"""What was measured, as a table for people and as JSON for programs."""

from __future__ import annotations

import json
import textwrap
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from itertools import zip_longest
from typing import Final

_WIDTHS: Final = {"fault": 22, "done": 34, "measured": 44, "bar": 30, "ok": 6}
_GAP: Final = "  "


@dataclass(frozen=True, slots=True)
class Row:
    """One fault and one bar. ok: None where it could not be planted here; `measured` says why."""

    fault: str
    done: str
    measured: str
    bar: str
    ok: bool | None


def share(part: int, whole: int) -> str:
    """'19 of 20'."""
    return f"{part} of {whole}"


def as_table(rows: Sequence[Row]) -> str:
    """Columns that fit on a wide terminal, a line between rows."""
    head = {name: name for name in _WIDTHS} | {"done": "what was done", "ok": "is it"}
    lines = [*_lines(head), _GAP.join("─" * width for width in _WIDTHS.values())]
    for row in rows:
        said = {None: "—", True: "ok", False: "MISSED"}[row.ok]
        lines += [*_lines({**asdict(row), "ok": said}), ""]
    return "\n".join(lines)


def as_json(rows: Sequence[Row]) -> str:
    return json.dumps([asdict(row) for row in rows], ensure_ascii=False, indent=2)


def _lines(cells: dict[str, str]) -> list[str]:
    wrapped = [textwrap.wrap(cells[name], width) for name, width in _WIDTHS.items()]
    return [
        _GAP.join(part.ljust(width) for part, width in zip(line, _WIDTHS.values(), strict=True))
        .rstrip()
        for line in zip_longest(*wrapped, fillvalue="")
    ]  # fmt: skip
