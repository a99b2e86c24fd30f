"""The tables of docs/connectors.md, as Markdown: made of the reference and of the operators."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Final

from core.connectors import reference
from core.connectors.operators import OPERATORS, Kind, Operator

_KINDS: Final[Mapping[Kind, str]] = {
    "text": "text", "bytes": "bytes", "money": "amount", "instant": "time", "number": "number",
}  # fmt: skip
_PLACE: Final = re.compile(r"<!-- table: ([a-z ]+) -->\n(.*?)<!-- end -->", re.DOTALL)


def fill_reference(page: str) -> str:
    """A page whose tables are as they have to be. Each stands between `<!-- table: name -->` and
    `<!-- end -->`. Raises KeyError for a table that there is not, ValueError for one that the page
    lacks."""
    made = tables()
    named = _PLACE.findall(page)
    if missing := made.keys() - {name for name, _ in named}:
        raise ValueError(f"the page lacks {', '.join(sorted(missing))}")
    return _PLACE.sub(
        lambda found: f"<!-- table: {found[1]} -->\n{made[found[1]]}\n<!-- end -->", page
    )


def tables() -> Mapping[str, str]:
    """The tables of docs/connectors.md, as Markdown, by the names that it calls them by."""
    usual = ("name", "says", "if absent")
    reads = ("name", "is", "needed by")
    return {
        "document": _table(usual, reference.DOCUMENT),
        "operation": _table(usual, reference.OPERATION),
        "callback": _table(usual, reference.CALLBACK),
        "reply": _table(usual, reference.REPLY),
        "open": _table(usual, reference.OPEN),
        "reads": _table(reads, reference.PAYMENT_READS),
        "other reads": _table(reads, reference.OTHER_READS),
        "answers": _table(usual, reference.ANSWERS),
        "pay": _table(("name", "is"), reference.PAY),
        "made": _table(("name", "is"), reference.PAY_MADE),
        "sign": _table(usual, reference.SIGN),
        "verify": _table(usual, reference.VERIFY),
        "certificate": _table(usual, reference.CERTIFICATE),
        "params": _table(usual, reference.PARAMS),
        "facts": _table(("name", "is"), reference.FACTS, sign="$"),
        "refund facts": _table(("name", "is"), reference.REFUND_FACTS, sign="$"),
        "signed": _table(("name", "is"), reference.SIGNED, sign="$"),
        "operators": _operators(),
        "fixtures": _table(usual, reference.FIXTURES),
        "refund fixture": _table(("name", "is"), reference.REFUND),
        "case": _table(("name", "is"), reference.CASE),
        "gives": _gives(),
    }


def _table(head: tuple[str, ...], entries: Mapping[str, reference.Entry], *, sign: str = "") -> str:
    rows = [
        (f"`{sign}{name}`", entry.says, entry.absent)[: len(head)]
        for name, entry in entries.items()
    ]
    return _markdown(head, rows)


def _gives() -> str:
    by_words: dict[tuple[str, ...], list[str]] = {}
    for operation, words in reference.GIVES.items():
        by_words.setdefault(words, []).append(operation)
    rows = [
        (", ".join(f"`{_asks(name)}`" for name in names), ", ".join(f"`{word}`" for word in words))
        for words, names in by_words.items()
    ]
    return _markdown(("a case", "gives one of"), rows)


def _asks(operation: str) -> str:
    return f"verify: {operation}" if operation == "callback" else f"read: {operation}"


def _operators() -> str:
    """Those that differ in their name alone share a line."""
    alike: dict[tuple[object, ...], list[str]] = {}
    for name, o in OPERATORS.items():
        alike.setdefault((o.takes, o.gives, o.arguments, o.about), []).append(name)
    rows = [_operator_row(names, OPERATORS[names[0]]) for names in alike.values()]
    return _markdown(("operator", "words", "takes → gives", "does"), rows)


def _operator_row(names: list[str], operator: Operator) -> tuple[str, ...]:
    words = [f"[{a.name}]" if a.optional else a.name for a in operator.arguments]
    # Where a text is taken, a number is too; the page says so once.
    takes = [_KINDS[kind] for kind in operator.takes if kind != "number"]
    way = f"{', '.join(takes)} → {_KINDS[operator.gives]}"
    return " ".join(f"`{name}`" for name in names), ", ".join(words), way, operator.about


def _markdown(head: tuple[str, ...], rows: Sequence[tuple[str, ...]]) -> str:
    lines = [f"|{'---|' * len(head)}", *map(_row, rows)]
    return "\n".join((_row(head), *lines))


def _row(cells: Iterable[str]) -> str:
    escaped = (cell.replace("|", "\\|") for cell in cells)
    return f"| {' | '.join(escaped)} |"
