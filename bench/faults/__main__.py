"""`python -m bench.faults [NAME …]`: plant the faults, print the table; 1 where a bar is missed."""

from __future__ import annotations

import argparse
import asyncio
import sys
from collections.abc import Sequence
from contextlib import AbstractAsyncContextManager
from pathlib import Path
from typing import Final

from bench.command import EXIT_FAILED, run_until_told, say, temporary_home
from bench.faults.kit import Ground, Row, as_json, as_table
from bench.faults.plan import FAULTS, Fault

# No fault takes longer; one that does is a row that says so.
FAULT_S: Final = 120.0


def main(words: Sequence[str] | None = None) -> int:
    parser = _parser()
    options = parser.parse_args(words)
    if unknown := [name for name in options.names if name not in FAULTS]:
        parser.error(f"no fault {unknown[0]!r}; there are {', '.join(FAULTS)}")
    with temporary_home("faults") as home:
        made = Ground.made(home, port=options.port, logs=options.logs)
        rows = run_until_told(_plant(options.names or list(FAULTS), made))
    print(as_table(rows), flush=True)
    if options.json is not None:
        options.json.write_text(as_json(rows) + "\n", encoding="utf-8")
    missed = sum(row.ok is False for row in rows)
    say(f"{missed} of {len(rows)} bars missed" if missed else f"all {len(rows)} bars are met")
    return EXIT_FAILED if missed else 0


async def _plant(names: Sequence[str], made: AbstractAsyncContextManager[Ground]) -> list[Row]:
    rows: list[Row] = []
    faults = [(name, fault) for name in names for fault in FAULTS[name]]
    say("filling a database for all of them to start from")
    async with made as ground:
        for number, (name, fault) in enumerate(faults, start=1):
            say(f"{number}/{len(faults)}  {name}: {fault.title}")
            found = await _one(name, fault, ground)
            for row in found:
                say(f"    {_MARK[row.ok]}  {row.measured}")
            rows += found
    return rows


_MARK: Final = {True: "ok    ", False: "MISSED", None: "—     "}


async def _one(name: str, fault: Fault, ground: Ground) -> list[Row]:
    """A fault's rows. What goes wrong with it is a row as well: the others are still planted."""
    what = f"{name}: {fault.title}"
    try:
        async with asyncio.timeout(FAULT_S):
            return await fault.plant(ground)
    except TimeoutError:
        return [Row(what, "all of it", f"not over after {FAULT_S:.0f} s", "measured", ok=False)]
    except Exception as error:  # noqa: BLE001 (of whatever kind: it is told in the table)
        return [Row(what, "all of it", f"{type(error).__name__}: {error}", "measured", ok=False)]


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m bench.faults", description=__doc__)
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"any of {', '.join(FAULTS)}")
    parser.add_argument("--json", type=Path, metavar="FILE", help="the table for programs as well")
    parser.add_argument("--logs", type=Path, metavar="FOLDER", help="keep the desks' logs there")
    parser.add_argument("--port", type=int, default=0, help="first of ten ports; 0: free ones")
    return parser


if __name__ == "__main__":
    sys.exit(main())
