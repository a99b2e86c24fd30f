"""Fields that are joined: `${params}`."""

from __future__ import annotations

import re
from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Final

from core.connectors import limits
from core.connectors.document import Params, Sign
from core.connectors.messages import Tree, find, need_plain_names
from core.connectors.pipes import Scope
from core.connectors.readings.graph import (
    TIGHT,
    TOO_MANY,
    Kind,
    Node,
    as_said,
    holds,
    may_be,
    only_reading,
    other_reading,
)
from core.connectors.readings.roles import Role, kinds_of, name_of, names_of, needed_of, used
from core.connectors.readings.slots import Slots, apart
from core.connectors.signatures import signed_fields

# What a name may hold, beside letters and digits, without being taken for a sign between fields.
_IN_NAMES: Final = frozenset("_.-[]:~+%")


def of_params(rule: Sign, tree: Tree, scope: Scope, roles: Sequence[Role]) -> str | None:
    """Why joined fields read in two ways; None where they read in one. Raises UnreadableError
    where a name holds what parts fields."""
    params = rule.params
    fields = signed_fields(tree, params, rule.own)
    if why := _disguised(params, tree, dict(fields), roles):
        return why
    if len(dict(fields)) != len(fields):
        return "a field comes twice"
    if params.write != "value":
        need_plain_names((name for name, _ in fields), params.join)
    if params.url:  # what parts the fields is in no name, and encoded in each value
        return None
    text = str(scope("params"))
    whole = text.count(params.join) == len(fields) - 1
    if whole and all(len(role.places) == 1 for role in roles):
        return None  # nothing stands inside a value, nearly always
    kinds = kinds_of(params, roles)
    said = dict(fields)
    decided = {
        name: value for names in names_of(params, roles) for name, value in used(names, said)
    }
    kinds = as_said(kinds, decided)
    if isinstance(params.order, tuple) and params.empty == "keep":
        return apart(_slots(params, fields, kinds), decided, kinds)
    source = Fields(text, params, rule.own, kinds, needed_of(params, roles))
    if source.places > limits.READING_PLACES:
        return TOO_MANY
    for name, value in decided.items():
        if kinds[name] in TIGHT and (hidden := source.inside(value)):
            return holds(name, hidden)
    return only_reading(source, decided, kinds) or _fallen_back(source, params, roles, said)


def _fallen_back(
    source: Fields, params: Params, roles: Sequence[Role], said: Mapping[str, str]
) -> str | None:
    """Where something is said in the first of several places, that field may be part of the value
    before it; then a later place would count."""
    kinds = kinds_of(params, roles)
    for names in names_of(params, roles):
        at = next((index for index, name in enumerate(names) if said.get(name)), len(names))
        later = names[at + 1 :]
        if not any(f"{name}=" in source.text for name in later):
            continue
        decided = dict.fromkeys(later, said[names[at]])
        if why := other_reading(source.lacking(names[: at + 1]), decided, kinds):
            return why
    return None


def _slots(params: Params, fields: Sequence[tuple[str, str]], kinds: Mapping[str, Kind]) -> Slots:
    """A list of fields, all of them: the names between the values are literals as well."""
    before, behind = _written(params)
    opened = ["" if params.write == "value" else f"{name}{before}" for name, _ in fields]
    between = [f"{behind}{params.join}{one}" for one in opened]
    return Slots(fields, [opened[0], *between[1:], behind], kinds, between)


class Fields:
    """Fields with their names, of which nobody knows beforehand which ones come."""

    def __init__(
        self,
        text: str,
        params: Params,
        own: str | None,
        kinds: Mapping[str, Kind],
        needed: frozenset[str],
    ) -> None:
        self.text = text
        self._params = params
        self._kinds = kinds
        self._needed = needed
        before, self._behind = _written(params)
        self._between = f"{self._behind}{params.join}"
        no_name = re.escape("".join(sorted(signs_of(params.join))))
        name = f'([^="{no_name}]+){re.escape(before)}'
        self._begin = re.compile(name)
        self._cut = re.compile(f"(?={re.escape(self._between)}{name})")
        self._foreign = params.without | ({own} if own else set())
        self._cuts = self._found(text)
        self._at = [cut for cut, _ in self._cuts]
        self._ranks = sorted(self._rank(name) for name in needed if self._may_be(name))
        names = [node[0] for _, node in self._cuts]
        self._only = sorted(
            cut for cut, node in self._cuts if node[0] in needed and names.count(node[0]) == 1
        )

    def lacking(self, names: Iterable[str]) -> Fields:
        """The same without some fields: their names stand inside other values."""
        params = replace(self._params, without=self._params.without | self._foreign | set(names))
        return Fields(self.text, params, None, self._kinds, self._needed - set(names))

    @property
    def places(self) -> int:
        """In how many places the text may be cut."""
        return len(self._cuts)

    def parts(self, text: str) -> bool:
        return text.startswith(self._between)

    def inside(self, value: str) -> str | None:
        """What of a value could part fields."""
        return next((f"{self._between}{node[0]}=" for _, node in self._found(value)), None)

    def _found(self, text: str) -> list[tuple[int, Node]]:
        """Where the text may be cut, and the field that begins there."""
        return [
            (match.start(), (match[1], match.end(1) + len(_written(self._params)[0])))
            for match in self._cut.finditer(text)
            if self._may_be(match[1])
        ]

    def _may_be(self, name: str) -> bool:
        order = self._params.order
        return name not in self._foreign and (not isinstance(order, tuple) or name in order)

    def begins(self) -> Iterable[Node]:
        first = self._begin.match(self.text)
        if first is None or not self._may_be(first[1]) or self._lacks(None, first[1], 0, 0):
            return []
        return [(first[1], first.end())]

    def name(self, node: Node) -> str:
        return node[0]

    def ends(self, node: Node) -> Iterator[tuple[int, Node | None]]:
        name, start = node
        kind = self._kinds.get(name, "free")
        end = len(self.text) - len(self._behind)
        for cut, after in [*self._cuts[bisect_left(self._at, start) :], (end, None)]:
            if self._follows(node, cut, after) and self._is_legal(kind, self.text[start:cut]):
                yield cut, after
            if kind in TIGHT:
                return

    def _is_legal(self, kind: Kind, value: str) -> bool:
        return may_be(kind, value) if value else self._params.empty == "keep"

    def _follows(self, node: Node, cut: int, after: Node | None) -> bool:
        name, start = node
        if after is not None:
            if after[0] == name:
                return False
            before, behind = self._rank(name), self._rank(after[0])
            if self._params.order != "written" and not (
                before < behind or (before == behind and self._params.order == "caseless")
            ):
                return False
        return not self._lacks(name, after[0] if after else None, start, cut)

    def _lacks(self, name: str | None, after: str | None, start: int, cut: int) -> bool:
        """Whether a field that each message has would have to stand between these two."""
        if self._params.order == "written":
            return bisect_left(self._only, start) < bisect_left(self._only, cut)
        low = 0 if name is None else bisect_right(self._ranks, self._rank(name))
        high = len(self._ranks) if after is None else bisect_left(self._ranks, self._rank(after))
        return low < high

    def _rank(self, name: str) -> tuple[int, str]:
        order = self._params.order
        if isinstance(order, tuple):
            return order.index(name), ""
        return 0, f"{name}=".lower() if order == "caseless" else name


def signs_of(join: str) -> frozenset[str]:
    """The characters of what stands between fields that no name may hold."""
    return frozenset(c for c in join if not ((c.isascii() and c.isalnum()) or c in _IN_NAMES))


def _written(params: Params) -> tuple[str, str]:
    """What stands between a name and its value, and behind the value."""
    if params.write == "value":
        return "", ""
    return ('="', '"') if params.write == "quoted" else ("=", "")


def _disguised(
    params: Params, tree: Tree, said: Mapping[str, str], roles: Sequence[Role]
) -> str | None:
    """A field that is signed as one thing and read as another: a table written as a text, or a
    text whose name is written like a table's."""
    if params.nested == "skip":
        return None
    for role in roles:
        for path in role.places:
            name = name_of(params, path)
            if params.nested == "json":
                wrong = len(path) > 1 and isinstance(tree.get(name), str) and bool(tree[name])
            else:
                wrong = find(tree, path) != said.get(name, "")
            if wrong:
                return f"“{name}” is not written as what it is read as"
    return None
