"""Which places of a message may decide anything: where it is signed, only what is signed."""

from __future__ import annotations

from dataclasses import dataclass

from core.connectors.document import Places, Sign
from core.connectors.loader.grammar import JOINED, PATH_WORDS
from core.connectors.messages import Path, path_of
from core.connectors.section import PATH, Section
from core.connectors.tree import shorten


@dataclass(frozen=True, slots=True)
class Trust:
    """Of one message. within: where its paths begin. verify: how it is signed; None where it is
    not, or where what is read was opened out of something signed."""

    within: Path = ()
    verify: Sign | None = None

    def joined(self, section: Section, key: str) -> Places:
        """All paths of a text like `status + payment_status`."""
        parts = section.text(key).split(JOINED)
        return tuple(self.path(section, key, part.strip()) for part in parts)

    def places(self, section: Section, key: str, usual: str | None = None) -> Places:
        """A path, or a list of them; none where nothing is said."""
        if section.is_list(key):
            return tuple(self.path(section, key, text) for text in section.words(key))
        if key not in section and usual is None:
            return ()
        return (self.path(section, key, section.matching(key, PATH, PATH_WORDS, usual)),)

    def path(self, section: Section, key: str, text: str) -> Path:
        """A path that decides something."""
        path = dotted(section, text.removeprefix("."), key)
        if not text.startswith("."):
            path = (*self.within, *path)
        if self.verify is not None:
            self.need_signed(section, key, path, self.verify)
        return path

    def need_signed(self, section: Section, key: str, path: Path, verify: Sign) -> None:
        """A fault where a path leads to what nobody signed."""
        names = verify.covers
        if "content" in names and path[: len(self.within)] == self.within:
            return
        if "body" in names or f"body.{'.'.join(path)}" in names or not path:
            return
        params = verify.params
        if "params" not in names or path[0] == verify.own or path[0] in params.without:
            section.fault(key, f"“{'.'.join(path)}”", "a field that is signed")
        elif len(path) > 1 and params.nested == "skip":
            section.fault(key, f"“{'.'.join(path)}”", "a field at the root: others are not signed")
        elif params.nested == "flat" and any(name.startswith("[") for name in path):
            section.fault(key, f"“{'.'.join(path)}”", "the item by its number, as it is signed")
        elif isinstance(params.order, tuple) and path[0] not in params.order:
            section.fault(key, f"“{path[0]}”", f"one of what is signed: {', '.join(params.order)}")


def dotted(section: Section, text: str, key: str | None = None) -> Path:
    """A path as it is written: names with dots between."""
    if text and not PATH.fullmatch(text):
        section.fault(key or text, f"“{shorten(text)}”", PATH_WORDS)
    return path_of(text)
