"""`python -m bench [NAME …] [--quick]`: measure the desk beside a bare handler, print the table.

1 where something failed, or the books differ.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from bench.command import EXIT_FAILED, run_until_told, say, temporary_home
from bench.figures import Figure, as_json, as_markdown, as_table
from bench.place import QUICK, WHOLE, Size, place
from bench.plan import BENCHES, run


def main(words: Sequence[str] | None = None) -> int:
    parser = _parser()
    options = parser.parse_args(words)
    if unknown := [name for name in options.names if name not in BENCHES]:
        parser.error(f"no bench {unknown[0]!r}; there are {', '.join(BENCHES)}")
    size = QUICK if options.quick else WHOLE
    if options.orders is not None:
        size = replace(size, orders=options.orders)
    if options.minutes is not None:
        size = replace(size, minutes=options.minutes)
    all_of_them = [name for name in BENCHES if not (options.quick and BENCHES[name].long)]
    with temporary_home("bench") as home:
        figures = run_until_told(measured(home, size, options.names or all_of_them))
    print(as_markdown(figures) if options.markdown else as_table(figures), flush=True)
    if options.json is not None:
        options.json.write_text(as_json(figures) + "\n", encoding="utf-8")
    failed = sum(figure.failed for figure in figures)
    say(f"{failed} failed" if failed else "nothing failed, and the books are right")
    return EXIT_FAILED if failed else 0


async def measured(home: Path, size: Size, names: Sequence[str]) -> list[Figure]:
    """The figures of these benches, in their order. Raises BooksDiffer."""
    say("filling a database, starting everybody")
    async with place(home, size) as where:
        return await run(where, names, say)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"any of {', '.join(BENCHES)}")
    parser.add_argument("--quick", action="store_true", help="fewer and shorter rounds")
    parser.add_argument("--orders", type=int, metavar="N", help="of the past that `growth` makes")
    help_ = "for which the desk of `upkeep` works, such as 60"
    parser.add_argument("--minutes", type=float, metavar="N", help=help_)
    parser.add_argument("--json", type=Path, metavar="FILE", help="the table for programs as well")
    parser.add_argument("--markdown", action="store_true", help="the table as a document has it")
    return parser


if __name__ == "__main__":
    sys.exit(main())
