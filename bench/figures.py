"""What was measured: rounds of the desk and of the bare handler, as a table and as JSON."""

from __future__ import annotations

import json
import math
import statistics
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from typing import Final

_COLUMNS: Final = (
    ("what", 38), ("desk", 8), ("bare", 8), ("ratio", 6), ("/ epay", 7), ("p50 ms", 8),
    ("p99 ms", 8), ("bare p99", 9), ("CPU ms", 7), ("PG ms", 6), ("CPU ratio", 9), ("failed", 6),
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Round:
    """One side of one round. took_s: of each item. cpu_s: of the process that was asked, and of
    PostgreSQL. nan: was not measured."""

    done: int
    failed: int
    wall_s: float
    took_s: tuple[float, ...] = ()
    server_cpu_s: float = math.nan
    postgres_cpu_s: float = math.nan

    @property
    def per_s(self) -> float:
        return self.done / self.wall_s


@dataclass(frozen=True, slots=True)
class Figure:
    """A line of the table: medians of the rounds. What was not measured is None.

    desk, bare: in `unit`. ratio: of both in the same round. to_epay: the ratio, divided by that of
    epay beside a bare handler on a machine of this kind. CPU: milliseconds of one item.
    """

    what: str
    unit: str
    desk: float
    rounds: int
    failed: int = 0
    bare: float | None = None
    ratio: float | None = None
    to_epay: float | None = None
    p50_ms: float | None = None
    p99_ms: float | None = None
    bare_p99_ms: float | None = None
    desk_cpu_ms: float | None = None
    postgres_cpu_ms: float | None = None
    bare_cpu_ms: float | None = None
    bare_postgres_cpu_ms: float | None = None

    @property
    def cpu_ratio(self) -> float | None:
        """The bare handler's processor time for an item, server and PostgreSQL, by the desk's.
        What else the machine does moves it less than it moves rates."""
        desk, bare = self.desk_cpu_ms, self.bare_cpu_ms
        ours, theirs = self.postgres_cpu_ms, self.bare_postgres_cpu_ms
        if desk is None or bare is None or ours is None or theirs is None:
            return None
        return (bare + theirs) / (desk + ours) if desk + ours else None


def beside(
    what: str, desk: Sequence[Round], bare: Sequence[Round], epay: float | None = None
) -> Figure:
    """The figure of rounds that took turns. epay: its ratio to a bare handler."""
    ratio = statistics.median(
        ours.per_s / theirs.per_s for ours, theirs in zip(desk, bare, strict=True)
    )
    return Figure(
        what,
        "per s",
        _median(desk, lambda one: one.per_s) or 0.0,
        len(desk),
        failed=sum(one.failed for one in (*desk, *bare)),
        bare=_median(bare, lambda one: one.per_s),
        ratio=ratio,
        to_epay=ratio / epay if epay else None,
        p50_ms=_median(desk, lambda one: percentile(one.took_s, 50) * 1000),
        p99_ms=_median(desk, lambda one: percentile(one.took_s, 99) * 1000),
        bare_p99_ms=_median(bare, lambda one: percentile(one.took_s, 99) * 1000),
        desk_cpu_ms=_median(desk, lambda one: one.server_cpu_s / one.done * 1000),
        postgres_cpu_ms=_median(desk, lambda one: one.postgres_cpu_s / one.done * 1000),
        bare_cpu_ms=_median(bare, lambda one: one.server_cpu_s / one.done * 1000),
        bare_postgres_cpu_ms=_median(bare, lambda one: one.postgres_cpu_s / one.done * 1000),
    )


def percentile(values: Sequence[float], percent: int) -> float:
    """The smallest value that so many of a hundred do not exceed; nan where there is none."""
    ordered = sorted(values)
    return ordered[math.ceil(len(ordered) * percent / 100) - 1] if ordered else math.nan


def _median(rounds: Sequence[Round], of: Callable[[Round], float]) -> float | None:
    found = statistics.median(map(of, rounds))
    return None if math.isnan(found) else found


def as_table(figures: Sequence[Figure]) -> str:
    """Columns for a wide terminal. CPU and PG: milliseconds of one item, of the desk's process and
    of PostgreSQL."""
    lines = [_line([name for name, _ in _COLUMNS])]
    lines.append("  ".join("─" * width for _, width in _COLUMNS))
    return "\n".join([*lines, *(_line(_cells(figure)) for figure in figures)])


def as_markdown(figures: Sequence[Figure]) -> str:
    """The same table for a document."""
    rows = [[name for name, _ in _COLUMNS], ["---" for _ in _COLUMNS], *map(_cells, figures)]
    return "\n".join(f"| {' | '.join(row)} |" for row in rows)


def as_json(figures: Sequence[Figure]) -> str:
    return json.dumps([asdict(figure) for figure in figures], ensure_ascii=False, indent=2)


def _cells(figure: Figure) -> list[str]:
    numbers = (
        (figure.desk, 0 if figure.desk >= 100 else 1), (figure.bare, 0), (figure.ratio, 2),
        (figure.to_epay, 2), (figure.p50_ms, 1), (figure.p99_ms, 1), (figure.bare_p99_ms, 1),
        (figure.desk_cpu_ms, 2), (figure.postgres_cpu_ms, 2), (figure.cpu_ratio, 2),
    )  # fmt: skip
    what = figure.what if figure.unit == "per s" else f"{figure.what} ({figure.unit})"
    return [what, *(_number(*number) for number in numbers), str(figure.failed)]


def _number(value: float | None, places: int) -> str:
    return "—" if value is None else f"{value:,.{places}f}"


def _line(cells: Sequence[str]) -> str:
    first, *others = zip(cells, (width for _, width in _COLUMNS), strict=True)
    shown = [first[0].ljust(first[1]), *(cell.rjust(width) for cell, width in others)]
    return "  ".join(shown).rstrip()
