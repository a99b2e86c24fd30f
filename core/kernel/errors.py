"""The four ways a verb can end badly, never mixed.

`Refusal`        expected: the caller asked for something that is not to be. Carries a stable code.
`Ambiguous`      the other side may have acted: ask, never assume.
`Contradiction`  the other side said two things: kept, told at once, never retried.
`Bug`            our own fault: the transaction is rolled back and somebody is told.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final, Literal

# The family of a refusal, as API callers see it.
Family = Literal[
    "invalid_request",
    "authentication",
    "permission",
    "not_found",
    "conflict",
    "supplier",
    "rate_limited",
    "internal",
]


@dataclass(frozen=True, slots=True)
class RefusalKind:
    """What a refusal code means to every entrance.

    type: its family. text: English sentence with `{facts}`; it is also the key under which the
    catalogues translate it.
    """

    type: Family
    text: str


_DECLARED: Final[dict[str, RefusalKind]] = {}


def declare(table: Mapping[Family, Mapping[str, str]]) -> Mapping[str, RefusalKind]:
    """The codes of one room: family -> code -> sentence. Each room has one table, `codes.py`,
    which its package imports: whoever can refuse with a code has declared it.

    Raises Bug where another room has the code already.
    """
    kinds = {
        code: RefusalKind(family, text)
        for family, texts in table.items()
        for code, text in texts.items()
    }
    if twice := sorted(kinds.keys() & _DECLARED.keys()):
        raise Bug(f"declared twice: {', '.join(twice)}")
    _DECLARED.update(kinds)
    return MappingProxyType(kinds)


def declared() -> Mapping[str, RefusalKind]:
    """The codes of all rooms that are imported."""
    return MappingProxyType(_DECLARED)


class Refusal(Exception):
    """An expected no, with a code that a room declares, and the facts its sentence needs.

    param: the field of the caller's input that is at fault, where there is one. Raises Bug for a
    code that nobody declares.
    """

    def __init__(self, code: str, *, param: str | None = None, **facts: object) -> None:
        self.code = code
        kind = _DECLARED.get(code)
        if kind is None:
            raise Bug(f"no room declares the refusal {code}")
        self.kind = kind
        self.param = param
        self.facts: dict[str, str] = {name: str(value) for name, value in facts.items()}
        if param is not None:
            self.facts.setdefault("param", param)
        super().__init__(self.message)

    @property
    def message(self) -> str:
        """The English sentence with its facts filled in."""
        return self.kind.text.format_map(self.facts)


class Ambiguous(Exception):
    """The other side may or may not have acted. Ask it again; never assume."""


# What a supplier can say that is not possible beside what it said before, in words for staff.
CONTRADICTIONS: dict[str, str] = {
    "number_taken": "one payment number for two attempts",
    "amount_changed": "one payment number with two amounts",
    "other_currency": "paid in a different currency",
    "other_address": "a callback whose attempt does not match its address",
}


class Contradiction(Exception):
    """The other side said two things of which one must be false. No retry can mend it.

    kind: of `CONTRADICTIONS`. before: what was known before, in short, for staff.
    """

    def __init__(self, kind: str, before: str = "") -> None:
        self.kind = kind
        self.before = before
        super().__init__(f"{CONTRADICTIONS[kind]}: {before}")


class Bug(Exception):
    """Something that cannot be, was. Nothing is written; somebody is told."""


class WrongDatabase(Exception):
    """The database is not this desk's: of the other kind, or another version's. The text says what
    to do."""
