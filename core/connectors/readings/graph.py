"""The ways in which a text comes apart into values, as a graph that is walked once each way."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Final, Literal, Protocol

from core.connectors import limits

Kind = Literal["word", "amount", "handed", "table", "free"]
"""word: a number, a state, a code. handed: passed on to the payer. table: a nested table as JSON.
free: decides nothing by itself, so it may hold anything."""
TIGHT: Final[tuple[Kind, ...]] = ("word", "amount")
"""These hold nothing that parts values."""
TOO_MANY: Final = "what is signed has too many readings"
_AMOUNT: Final = re.compile(r"[-+0-9.,eE ]*", re.ASCII)


Node = tuple[str, int]
"""A name, and where its value begins."""


@dataclass(frozen=True, slots=True)
class Piece:
    """A value in some legal reading of a text: where it begins and ends."""

    name: str
    start: int
    end: int


class Source(Protocol):
    """A text and the rules by which it comes apart."""

    text: str

    def begins(self) -> Iterable[Node]:
        """Where its first value may stand."""

    def ends(self, node: Node) -> Iterator[tuple[int, Node | None]]:
        """Where a value may end, and which one follows; None behind the last one."""

    def name(self, node: Node) -> str:
        """What a value is called."""

    def parts(self, text: str) -> bool:
        """Whether a text begins with what stands between values."""


def only_reading(
    source: Source, decided: Mapping[str, str], kinds: Mapping[str, Kind]
) -> str | None:
    """Why a message is not the only legal reading of its text. decided: what it says of what
    decides."""
    pieces = _pieces(source)
    if pieces is None:
        return TOO_MANY
    found = {(piece.name, source.text[piece.start : piece.end]) for piece in pieces}
    for name, value in decided.items():
        if value and (name, value) not in found:  # or no reading at all would do for a proof
            return f"“{name}” is not as messages of the supplier have it"
    return _another(source, pieces, decided, kinds)


def other_reading(
    source: Source, decided: Mapping[str, str], kinds: Mapping[str, Kind]
) -> str | None:
    """Whether a legal reading gives something that decides another value. decided: what it is."""
    pieces = _pieces(source)
    return TOO_MANY if pieces is None else _another(source, pieces, decided, kinds)


def _another(
    source: Source, pieces: Iterable[Piece], decided: Mapping[str, str], kinds: Mapping[str, Kind]
) -> str | None:
    for piece in pieces:
        ours = decided.get(piece.name)
        said = source.text[piece.start : piece.end]
        if ours is None or said == ours:
            continue
        if kinds.get(piece.name) == "handed" and _begins_alike(source, said, ours):
            continue
        return f"what is signed reads in two ways: “{piece.name}” may be another"
    return None


def may_be(kind: Kind, value: str) -> bool:
    """Whether a value may look like this; what parts values aside."""
    if kind == "table":
        return _is_table(value)
    return kind != "amount" or _AMOUNT.fullmatch(value) is not None


def as_said(kinds: Mapping[str, Kind], decided: Mapping[str, str]) -> dict[str, Kind]:
    """The same, but an amount that does not look like one is looked for as a word: that it is none
    is said where it is read."""
    return {
        name: "word" if kind == "amount" and not may_be(kind, decided.get(name, "")) else kind
        for name, kind in kinds.items()
    }


def holds(name: str, sign: str) -> str:
    """Why a message is not believed in which a value holds what parts values."""
    return f"“{name}” holds “{sign}”, which parts it from what stands beside it"


def _pieces(source: Source) -> list[Piece] | None:
    """Every value of every legal reading; None where there are too many to look at."""
    ahead: dict[Node, list[tuple[int, Node | None]]] = {}
    waiting = list(source.begins())
    steps = 0
    while waiting:
        node = waiting.pop()
        if node in ahead:
            continue
        ahead[node] = []
        for end, after in source.ends(node):
            steps += 1
            if steps > limits.READING_STEPS:
                return None
            ahead[node].append((end, after))
            if after is not None:
                waiting.append(after)
    pieces: list[Piece] = []
    whole: set[Node] = set()  # from here on the text comes apart to its end
    for node in sorted(ahead, key=lambda one: one[1], reverse=True):
        for end, after in ahead[node]:
            if after is None or after in whole:
                whole.add(node)
                pieces.append(Piece(source.name(node), node[1], end))
    return pieces


def _begins_alike(source: Source, one: str, other: str) -> bool:
    """Whether two values are the same but for fields behind them."""
    short, long = sorted((one, other), key=len)
    return bool(short) and long.startswith(short) and source.parts(long[len(short) :])


def _is_table(text: str) -> bool:
    if text[:1] not in ("{", "[") or text[-1:] not in ("}", "]"):
        return False
    try:
        json.loads(text)
    except (ValueError, RecursionError):
        return False
    return True
