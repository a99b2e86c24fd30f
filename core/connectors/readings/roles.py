"""What of a message decides, and what it is called where it is signed."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from core.connectors.document import Params, Places
from core.connectors.messages import Path
from core.connectors.readings.graph import Kind

RoleKind = Literal["word", "amount", "handed"]


@dataclass(frozen=True, slots=True)
class Role:
    """Something that decides. places: where a message says it; the first that is there counts.
    kind: what it may look like; `handed`: it is passed on to the payer. needed: each message of the
    supplier says it."""

    places: Places
    kind: RoleKind = "word"
    needed: bool = False


def name_of(params: Params, path: Path) -> str:
    """The name of a place in what is signed."""
    if params.nested == "flat":
        return path[0] + "".join(f"[{name}]" for name in path[1:])
    return path[0]


def names_of(params: Params, roles: Sequence[Role]) -> Iterator[tuple[str, ...]]:
    """Of each role the names of its places."""
    for role in roles:
        yield tuple(dict.fromkeys(name_of(params, path) for path in role.places if path))


def used(names: Sequence[str], said: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    """What is said at the first place where something is, and that nothing is at those before."""
    for name in names:
        value = said.get(name, "")
        yield name, value
        if value:
            return


def kinds_of(params: Params, roles: Sequence[Role]) -> dict[str, Kind]:
    """What each name may look like; of several that share one, the strictest counts."""
    kinds: dict[str, Kind] = {}
    for role in roles:
        for path in role.places:
            deep = len(path) > 1 and params.nested == "json"
            kind: Kind = "table" if deep else role.kind
            name = name_of(params, path) if path else ""
            if kinds.setdefault(name, kind) != kind:
                kinds[name] = "table" if "table" in (kind, kinds[name]) else "word"
    return kinds


def needed_of(params: Params, roles: Sequence[Role]) -> frozenset[str]:
    """What stands in one place, and in each message."""
    return frozenset(
        name_of(params, role.places[0]) for role in roles if role.needed and len(role.places) == 1
    )
