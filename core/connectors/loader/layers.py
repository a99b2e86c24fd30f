"""Parts of a document that stand one inside another: the inner one has the last word."""

from __future__ import annotations

from collections.abc import Sequence

from core.connectors.section import Section


class Layers:
    """Sections from the outermost inwards: the document, an operation, one of its ways."""

    def __init__(self, *sections: Section) -> None:
        self._sections = sections

    @property
    def own(self) -> Section:
        """The innermost one."""
        return self._sections[-1]

    def place(self, key: str) -> Section:
        """The innermost section that says a name; the innermost of all where none does."""
        for section in reversed(self._sections):
            if key in section:
                return section
        return self.own

    def tables(self, key: str, legal: Sequence[str] | None) -> Layers:
        """The tables of a name wherever it is said, as layers again."""
        found = [s.table(key, legal) for s in self._sections if key in s]
        return Layers(*found) if found else Layers(self.own.table(key, legal))

    def inwards(self) -> Sequence[Section]:
        """From the outermost to the innermost."""
        return self._sections

    def within(self, section: Section) -> Layers:
        """These, and one more inside."""
        return Layers(*self._sections, section)
