"""A callback as somebody without a key would change it, to see whether the change is noticed.

Deterministic and bounded: the same callback gives the same forgeries, `MOST_CHANGED` and
`MOST_MOVED` at most.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from itertools import islice, pairwise
from typing import Final

from core.connectors.document import CallbackRule, Sign
from core.connectors.messages import BodyForm, Tree, UnreadableError, read_body, write_body
from core.connectors.pipes import Pipe
from core.connectors.types import Callback

# Every letter and digit of a callback as long as most are.
MOST_CHANGED: Final = 250
MOST_MOVED: Final = 350
_TABLES: Final = 8
Place = tuple[str, ...]
"""Names from the root inwards; an item of a list by its number."""


def forgeries(rule: CallbackRule, came: Callback) -> Iterator[Callback]:
    """A callback with one character changed, or its fields moved, doubled, left out, emptied."""
    in_query = rule.sources == ("query",) or not came.body
    text = came.query if in_query else came.body.decode()
    form: BodyForm = next((source for source in rule.sources if source != "query"), "form")
    for forged in (*_changed(text), *_moved(rule, "form" if in_query else form, text)):
        if in_query:
            yield replace(came, query=forged)
        else:
            yield replace(came, body=forged.encode())


def _changed(text: str) -> Iterator[str]:
    places = [at for at, c in enumerate(text) if c.isascii() and c.isalnum()]
    for index, at in enumerate(places[:: len(places) // MOST_CHANGED + 1]):
        other = "1" if text[at] == "0" else "0"
        if index % 2 and text[at].isalpha():
            other = text[at].swapcase()
        yield f"{text[:at]}{other}{text[at + 1 :]}"


def _moved(rule: CallbackRule, form: BodyForm, text: str) -> list[str]:
    try:
        tree = read_body(form, text.encode())
    except UnreadableError:
        return []
    signs = _signs(rule.verify) if rule.verify is not None else []
    found = [
        _written(form, _put(tree, path, table))
        for path, here in islice(_tables(tree), _TABLES)
        for table in _rearranged(here, signs)
    ]
    found += _doubled(form, tree, text)
    return found[:: len(found) // MOST_MOVED + 1]


def _signs(verify: Sign) -> list[str]:
    """What parts the values of what is signed."""
    parts = verify.text.parts
    found = [part for part in parts if isinstance(part, str)] if len(parts) > 1 else []
    if any(isinstance(part, Pipe) and part.name == "params" for part in parts):
        found.insert(0, verify.params.join)
    return list(dict.fromkeys(found or ["&"]))[:3]


def _tables(tree: object, path: Place = ()) -> Iterator[tuple[Place, Tree]]:
    """Every table of a message, the outermost first."""
    if isinstance(tree, dict):
        yield path, tree
        for name, inner in tree.items():
            yield from _tables(inner, (*path, name))
    elif isinstance(tree, list):
        for index, inner in enumerate(tree):
            yield from _tables(inner, (*path, str(index)))


def _put(tree: Tree, path: Place, table: Tree) -> Tree:
    """The same message with another table at a place."""
    return {**tree, path[0]: _put_in(tree[path[0]], path[1:], table)} if path else table


def _put_in(inner: object, path: Place, table: Tree) -> object:
    if isinstance(inner, list):
        at = int(path[0])
        return [*inner[:at], _put_in(inner[at], path[1:], table), *inner[at + 1 :]]
    return _put(inner, path, table) if isinstance(inner, dict) else inner


def _rearranged(table: Tree, signs: list[str]) -> Iterator[Tree]:
    said = {name: str(value) for name, value in table.items() if isinstance(value, str)}
    for sign in signs:
        for names in (sorted(said), list(said)):
            for one, other in pairwise(names):
                yield from _neighbours(table, said, one, other, sign)
    for name, value in said.items():
        yield {n: v for n, v in table.items() if n != name}
        yield {**table, name: ""}
        for sign in signs:
            for changed in (f"{value}{sign}", f"{sign}{value}", f"{value}{sign}zz=1"):
                yield {**table, name: changed}
    yield dict(reversed(table.items()))


def _neighbours(
    table: Tree, said: Mapping[str, str], one: str, other: str, sign: str
) -> Iterator[Tree]:
    """One field moved into the one beside it, by its name or without, and the sign between."""
    first, second = said[one], said[other]
    half = len(second) // 2
    for changes in (
        {one: f"{first}{sign}{other}={second}", other: None},
        {one: f'{first}"{sign}{other}="{second}', other: None},
        {other: f"{first}{sign}{other}={second}", one: None},
        {one: f"{first}{sign}{second}", other: ""},
        {one: "", other: f"{first}{sign}{second}"},
        {one: f"{first}{sign}{second[:half]}", other: second[half:]},
        {one: second, other: first},
    ):
        moved = {**table, **changes}
        yield {name: value for name, value in moved.items() if value is not None}


def _doubled(form: BodyForm, tree: Tree, text: str) -> Iterator[str]:
    for name, value in tree.items():
        if isinstance(value, str) and form in ("form", "pairs", "query"):
            yield f"{text}&{_written('form', {name: value})}"
            yield f"{_written('form', {name: '0'})}&{text}"
        elif isinstance(value, str) and form == "json":
            yield f"{text.rstrip()[:-1]},{_written('json', {name: value})[1:]}"
        elif isinstance(value, str) and form == "xml":
            head, close, tail = text.rpartition("</")
            yield f"{head}<{name}>{value}</{name}>{close}{tail}"


def _written(form: BodyForm, tree: Tree) -> str:
    if form == "pairs":
        return "&".join(f"{name}={value}" for name, value in tree.items())
    return write_body(form, tree).decode()
