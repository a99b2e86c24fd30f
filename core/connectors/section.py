"""Reading one table of a document: each question it is asked collects its own faults."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from difflib import get_close_matches
from typing import TypeVar

from core.connectors import limits
from core.connectors.tree import Entry, Items, Node, Table, Text, kind_of, shorten
from core.connectors.types import DocumentFaults, Fault

Word = TypeVar("Word", bound=str)

_NAME = r"[A-Za-z0-9_\-]{1,64}(?:\[[A-Za-z0-9_\-]{1,64}=[A-Za-z0-9_\-]{1,64}\])?"
PATH = re.compile(rf"\.?{_NAME}(?:\.{_NAME}){{0,5}}", re.ASCII)
FIELD = re.compile(r"[A-Za-z0-9_.\-\[\]]{1,64}", re.ASCII)


class Faults:
    """Collects what is wrong with a document until reading it is over."""

    def __init__(self) -> None:
        self._found: list[Fault] = []

    def add(self, line: int, path: str, found: str, expected: str) -> None:
        fault = Fault(line, path, found, expected)
        if fault not in self._found:  # a part that several operations share is read for each
            self._found.append(fault)
        if len(self._found) >= limits.FAULTS:
            self.raise_any()

    def raise_any(self) -> None:
        """Raises DocumentFaults where there is any, sorted by line."""
        if self._found:
            raise DocumentFaults(tuple(sorted(self._found, key=lambda f: (f.line, f.path))))


def nearest(word: str, legal: Iterable[str]) -> str:
    """“one of a, b, c; did you mean b?”"""
    words = list(legal)
    close = get_close_matches(word[:64], words, n=1, cutoff=0.5)
    hint = f"; did you mean “{close[0]}”?" if close else ""
    return f"one of {', '.join(words)}{hint}"


class Section:
    """A table of the document whose names are known beforehand.

    Absent or faulty values come back as the default (or as something harmless of the right
    type), so that one pass finds every fault; the caller ends with `Faults.raise_any`.

    More than seven verbs: one for each shape that a value of a document may have.
    """

    def __init__(
        self, table: Table, path: str, faults: Faults, legal: Sequence[str] | None
    ) -> None:
        self._table = table
        self.path = path
        self.faults = faults
        if legal is None:
            return
        for entry in table.entries.values():
            if entry.key not in legal:
                self._fault_at(entry, "an unknown name", nearest(entry.key, legal))

    @property
    def line(self) -> int:
        return self._table.line

    def __contains__(self, key: str) -> bool:
        return key in self._table.entries

    def __iter__(self) -> Iterator[str]:
        return iter(self._table.entries)

    def fault(self, key: str, found: str, expected: str) -> None:
        """Add a fault at `key`, or at the table itself where the key is absent."""
        entry = self._table.entries.get(key)
        line = entry.line if entry else self.line
        self.faults.add(line, self._join(key), found, expected)

    def text(self, key: str, default: str | None = None, *, expected: str = "a text") -> str:
        """One value as text. Without a default the name is required and may not be empty."""
        entry = self._table.entries.get(key)
        if entry is None:
            if default is None:
                self.fault(key, "nothing", f"{expected} (required)")
            return default or ""
        node = entry.node
        if not isinstance(node, Text) or (not node.value and default is None):
            self._fault_at(entry, kind_of(node), expected)
            return default or ""
        return node.value

    def matching(
        self, key: str, pattern: re.Pattern[str], expected: str, default: str | None = None
    ) -> str:
        """A text of a given form."""
        text = self.text(key, default, expected=expected)
        if key in self and text and not pattern.fullmatch(text):
            self.fault(key, f"“{shorten(text)}”", expected)
            return default or ""
        return text

    def choice(self, key: str, legal: Sequence[Word], default: Word) -> Word:
        """One of several words."""
        text = self.text(key, default, expected=nearest("", legal))
        for word in legal:
            if word == text:
                return word
        self.fault(key, f"“{shorten(text)}”", nearest(text, legal))
        return default

    def flag(self, key: str, *, default: bool = False) -> bool:
        return self.choice(key, ("true", "false"), "true" if default else "false") == "true"

    def number(self, key: str, default: int, low: int, high: int) -> int:
        text = self.text(key, str(default), expected=f"a whole number from {low} to {high}")
        if text.isascii() and text.isdigit() and len(text) < 10 and low <= int(text) <= high:
            return int(text)
        self.fault(key, f"“{shorten(text)}”", f"a whole number from {low} to {high}")
        return default

    def words(self, key: str) -> tuple[str, ...]:
        """A list of texts; absent means empty."""
        entry = self._table.entries.get(key)
        if entry is None:
            return ()
        if not isinstance(entry.node, Items):
            self._fault_at(entry, kind_of(entry.node), "a list like [a, b]")
            return ()
        found: list[str] = []
        for node in entry.node.nodes:
            if not isinstance(node, Text) or not node.value:
                self.faults.add(node.line, self._join(key), kind_of(node), "a text")
            elif node.value in found:
                self.faults.add(node.line, self._join(key), f"{kind_of(node)} again", "once only")
            else:
                found.append(node.value)
        return tuple(found)

    def table(self, key: str, legal: Sequence[str] | None) -> Section:
        """A table within; absent means empty. legal: the names it may hold; None means any."""
        entry = self._table.entries.get(key)
        if entry is None:
            return Section(Table({}, self.line), self._join(key), self.faults, None)
        return self._inner(entry.node, self._join(key), legal)

    def tables(self, key: str, legal: Sequence[str]) -> list[Section]:
        """A list of tables; absent means empty."""
        entry = self._table.entries.get(key)
        if entry is None:
            return []
        if not isinstance(entry.node, Items):
            self._fault_at(entry, kind_of(entry.node), "a list of tables")
            return []
        return [
            self._inner(node, f"{self._join(key)}[{index}]", legal)
            for index, node in enumerate(entry.node.nodes, 1)
        ]

    def each(self, read: Callable[[Section, str], Word]) -> dict[str, Word]:
        """Every name of the table with what `read` makes of its value."""
        return {key: read(self, key) for key in self}

    def is_table(self, key: str) -> bool:
        entry = self._table.entries.get(key)
        return entry is not None and isinstance(entry.node, Table)

    def is_list(self, key: str) -> bool:
        entry = self._table.entries.get(key)
        return entry is not None and isinstance(entry.node, Items)

    def text_is(self, key: str, word: str) -> bool:
        """Whether there is this one word instead of a table."""
        entry = self._table.entries.get(key)
        return entry is not None and isinstance(entry.node, Text) and entry.node.value == word

    def empty(self) -> Section:
        """A table in which nothing is said."""
        return Section(Table({}, self.line), self.path, self.faults, None)

    def items(self, key: str) -> list[Section | str]:
        """A list of texts and tables."""
        entry = self._table.entries.get(key)
        nodes = entry.node.nodes if entry and isinstance(entry.node, Items) else ()
        found: list[Section | str] = []
        for index, node in enumerate(nodes, 1):
            if isinstance(node, Text):
                found.append(node.value)
            else:
                found.append(self._inner(node, f"{self._join(key)}[{index}]", None))
        return found

    def field(self, name: str) -> str:
        """A name of this table that is a field's; a fault where it cannot be one."""
        if not FIELD.fullmatch(name):
            self.fault(name, "no field's name", "letters, digits, _ . - [ ]")
        return name

    def _inner(self, node: Node, path: str, legal: Sequence[str] | None) -> Section:
        if not isinstance(node, Table):
            self.faults.add(node.line, path, kind_of(node), "a table of names and values")
            node = Table({}, node.line)
        return Section(node, path, self.faults, legal)

    def _fault_at(self, entry: Entry, found: str, expected: str) -> None:
        self.faults.add(entry.line, self._join(entry.key), found, expected)

    def _join(self, key: str) -> str:
        return f"{self.path}.{shorten(key)}" if self.path else shorten(key)
