"""YAML text as a small tree in which every node knows its line and every scalar is plain text.

YAML's own guesses (`no` is false, `1.10` is 1.1, `0123` is 83) would change what a supplier is
sent, so they are not made: `code: 0` and `code: "0"` mean the same. Tags, anchors and aliases are
refused, as are duplicate keys; depth and length are bounded while reading.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import yaml
from yaml.events import (
    AliasEvent,
    DocumentStartEvent,
    Event,
    MappingEndEvent,
    MappingStartEvent,
    ScalarEvent,
    SequenceEndEvent,
    SequenceStartEvent,
    StreamEndEvent,
)

from core.connectors import limits
from core.connectors.types import DocumentFaults, Fault


@dataclass(frozen=True, slots=True)
class Text:
    value: str
    line: int
    quoted: bool = False


@dataclass(frozen=True, slots=True)
class Items:
    nodes: list[Node]
    line: int


@dataclass(frozen=True, slots=True)
class Entry:
    key: str
    line: int
    node: Node


@dataclass(frozen=True, slots=True)
class Table:
    entries: dict[str, Entry]
    line: int


Node = Text | Items | Table


def kind_of(node: Node) -> str:
    """The node's kind, as a fault names it."""
    if isinstance(node, Text):
        return f"“{shorten(node.value)}”" if node.value or node.quoted else "nothing"
    return "a list" if isinstance(node, Items) else "a table of names and values"


def shorten(text: str) -> str:
    """At most forty printable characters of a text that somebody else wrote."""
    shown = "".join(c if c.isprintable() else " " for c in text[:41])
    return f"{shown[:40]}…" if len(text) > 40 else shown


def parse(text: str) -> Table:
    """The document's root. Raises DocumentFaults with everything wrong about its form."""
    if len(text.encode("utf-8", "surrogatepass")) > limits.DOCUMENT_BYTES:
        raise _halt(1, "a longer text", f"at most {limits.DOCUMENT_BYTES // 1024} KB")
    reader = _Reader()
    try:
        for event in yaml.parse(text, Loader=yaml.SafeLoader):
            reader.take(event)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        line = mark.line + 1 if mark else 1
        reader.fault(line, error.problem or "unreadable text", "YAML, indented with spaces")
    except (yaml.YAMLError, ValueError, OverflowError) as error:
        # ReaderError carries no line; an impossible \U escape or %YAML number is a ValueError.
        line = text.count("\n", 0, getattr(error, "position", 0) or 0) + 1
        reader.fault(line, "a character that cannot be in a text", "printable UTF-8")
    if reader.faults:
        raise DocumentFaults(tuple(reader.faults))
    if not isinstance(reader.root, Table):
        raise _halt(1, "no table of names and values", "a document like `connector: name`")
    return reader.root


def _halt(line: int, found: str, expected: str) -> DocumentFaults:
    return DocumentFaults((Fault(line, "", found, expected),))


@dataclass(slots=True)
class _Open:
    """A list or table that is being read; `name` waits for its value."""

    node: Items | Table
    name: Text | None = None


@dataclass(slots=True)
class _Reader:
    root: Node | None = None
    documents: int = 0
    open: list[_Open] = field(default_factory=list)
    faults: list[Fault] = field(default_factory=list)

    def fault(self, line: int, found: str, expected: str) -> None:
        path = ".".join(shorten(o.name.value) for o in self.open if o.name is not None)
        self.faults.append(Fault(line, path, found, expected))
        if len(self.faults) >= limits.FAULTS:
            raise DocumentFaults(tuple(self.faults))

    def take(self, event: Event) -> None:
        line = event.start_mark.line + 1 if event.start_mark else 1
        if isinstance(event, DocumentStartEvent):
            self.documents += 1
            if self.documents > 1:
                self.fault(line, "a second document", "one document per file")
        elif isinstance(event, AliasEvent):
            self.fault(line, f"the alias *{shorten(event.anchor or '')}", "the value itself")
            self._place(Text("", line))
        elif isinstance(event, ScalarEvent | MappingStartEvent | SequenceStartEvent):
            self._refuse_marks(event, line)
            self._begin(event, line)
        elif isinstance(event, MappingEndEvent | SequenceEndEvent):
            self.open.pop()
            self._value_done()
        elif isinstance(event, StreamEndEvent) and self.root is None:
            self.fault(1, "an empty document", "a document like `connector: name`")

    def _refuse_marks(
        self, event: ScalarEvent | MappingStartEvent | SequenceStartEvent, line: int
    ) -> None:
        if event.anchor is not None:
            self.fault(line, f"the anchor &{shorten(event.anchor)}", "no anchors or aliases")
        if event.tag is not None:
            self.fault(line, f"the tag {shorten(event.tag)}", "no tags: every value is text")

    def _begin(
        self, event: ScalarEvent | MappingStartEvent | SequenceStartEvent, line: int
    ) -> None:
        if isinstance(event, ScalarEvent):
            self._scalar(event, line)
            return
        node: Items | Table = (
            Table({}, line) if isinstance(event, MappingStartEvent) else Items([], line)
        )
        self._place(node)
        self.open.append(_Open(node))
        if len(self.open) > limits.DOCUMENT_DEPTH:
            self.fault(line, "deeper nesting", f"at most {limits.DOCUMENT_DEPTH} levels")
            raise DocumentFaults(tuple(self.faults))

    def _scalar(self, event: ScalarEvent, line: int) -> None:
        value = event.value
        if len(value) > limits.SCALAR_CHARS:
            self.fault(line, "a longer text", f"at most {limits.SCALAR_CHARS} characters")
        if any("\ud800" <= c <= "\udfff" or c == "\0" for c in value):
            self.fault(line, "a character that cannot be in a text", "printable UTF-8")
            value = ""
        quoted = not event.implicit[0]
        if not quoted and value in {"~", "null"}:
            value = ""
        self._place(Text(value, line, quoted))

    def _place(self, node: Node) -> None:
        """Put a node where it belongs: the root, the next item, a name, or a name's value."""
        if not self.open:
            if self.root is None:
                self.root = node
            return
        top = self.open[-1]
        if isinstance(top.node, Items):
            if len(top.node.nodes) == limits.LIST_ITEMS:
                self.fault(node.line, "a longer list", f"at most {limits.LIST_ITEMS} items")
            top.node.nodes.append(node)
        elif top.name is None:
            self._name(top, node)
        else:
            self._fill(top.node, Entry(top.name.value, top.name.line, node))
            if isinstance(node, Text):
                top.name = None

    def _name(self, top: _Open, node: Node) -> None:
        if not isinstance(node, Text):
            self.fault(node.line, f"{kind_of(node)} as a name", "a plain name")
            raise DocumentFaults(tuple(self.faults))
        top.name = node

    def _fill(self, table: Table, entry: Entry) -> None:
        if entry.key in table.entries:
            first = table.entries[entry.key].line
            self.fault(entry.line, "the name a second time", f"once only; it is on line {first}")
            return
        if len(table.entries) == limits.MAP_ENTRIES:
            self.fault(entry.line, "more names", f"at most {limits.MAP_ENTRIES}")
        table.entries[entry.key] = entry

    def _value_done(self) -> None:
        """A list or table has ended: the name that waited for it has its value."""
        if self.open and isinstance(self.open[-1].node, Table):
            self.open[-1].name = None
