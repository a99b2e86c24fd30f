"""What a message says, typed: a frozen dataclass for each. It is kept as JSON values until it
leaves, and rendered then."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final, TypeVar

from core.kernel import codec

_HUMP: Final = re.compile(r"(?<=[a-z0-9])(?=[A-Z])")


@dataclass(frozen=True, slots=True)
class Notice:
    """Base of what a message can say. A subclass is a frozen dataclass, declared by whoever says
    it. Its fields are plain values, other dataclasses, or tuples of these."""

    @property
    def screen(self) -> str:
        """What shows it is called so."""
        return screen_of(type(self))


N = TypeVar("N", bound=Notice)


@dataclass(frozen=True, slots=True)
class Stored(Notice):
    """A notice as it was kept, to be read by whoever shows it."""

    name: str
    values: Mapping[str, Any]

    @property
    def screen(self) -> str:
        """What shows it is called so."""
        return self.name


def screen_of(kind: type[Notice]) -> str:
    """The name of a kind of notice: `GroupBound` is shown by `group_bound`, and `HelpNotice` by
    `help`."""
    return _HUMP.sub("_", kind.__name__).lower().removesuffix("_notice")


def values_of(notice: Notice) -> dict[str, Any]:
    """The fields of a notice as JSON values."""
    if isinstance(notice, Stored):
        return dict(notice.values)
    return codec.pack(notice)


def read_notice(kind: type[N], notice: Notice) -> N:
    """A notice of this kind, from what was kept of it. Raises ValueError where a value is missing
    or is none of its kind; what the kind does not know is left out."""
    if isinstance(notice, Stored):
        return codec.unpack(kind, notice.values)
    if not isinstance(notice, kind):
        raise TypeError(f"{notice!r} is no {kind.__name__}")
    return notice
