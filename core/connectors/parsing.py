"""Bodies as they come in, read without interpretation: every number stays the text it was."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Final, NoReturn
from urllib.parse import parse_qsl

from core.connectors import limits
from core.connectors.document import Path
from core.connectors.section import FIELD

_SURROGATE: Final = re.compile("[\ud800-\udfff]")

Tree = Mapping[str, object]
"""A parsed body: texts, and (JSON only) lists and tables of them. What was null is absent."""


class UnreadableError(Exception):
    """The body is not what the document expects. The message says why, for staff."""


def read_form(text: str) -> dict[str, str]:
    """A form or query string. Raises UnreadableError; a name that comes twice is a fault."""
    try:
        pairs = parse_qsl(
            text, keep_blank_values=True, errors="strict", max_num_fields=limits.FIELDS
        )
    except ValueError:
        raise UnreadableError("the form cannot be read") from None
    fields = dict(pairs)
    if len(fields) != len(pairs):
        raise UnreadableError("a field comes twice")
    _check(fields)
    return fields


def read_json(body: bytes) -> dict[str, object]:
    """A JSON object. Raises UnreadableError; a name that comes twice is a fault."""
    try:
        root = json.loads(
            body.decode("utf-8-sig"),
            object_pairs_hook=_table,
            parse_int=str,
            parse_float=str,
            parse_constant=_refuse,
        )
    except (ValueError, RecursionError):
        raise UnreadableError("the body is not JSON") from None
    if not isinstance(root, dict):
        raise UnreadableError("the body is not a JSON object")
    _check(root)
    return root


def texts(tree: Tree) -> dict[str, str]:
    """The fields of a flat body. Raises UnreadableError where something is nested."""
    flat: dict[str, str] = {}
    for name, value in tree.items():
        if not isinstance(value, str):
            raise UnreadableError("a field is a list or a table, which this signature cannot cover")
        flat[name] = value
    return flat


def find(tree: Tree, path: Path | None) -> str:
    """The text at a path; empty where there is none."""
    if path is None:
        return ""
    here: object = tree
    for name in path:
        if not isinstance(here, Mapping):
            return ""
        here = here.get(name)
    return here if isinstance(here, str) else ""


def _check(fields: Mapping[str, object]) -> None:
    if len(fields) > limits.FIELDS:
        raise UnreadableError("too many fields")
    for name, value in fields.items():
        if not FIELD.fullmatch(name):
            raise UnreadableError("a field's name has characters that no name has")
        if isinstance(value, str):
            if len(value) > limits.FIELD_CHARS:
                raise UnreadableError("a field is too long")
            if _SURROGATE.search(value):
                raise UnreadableError("a field is not text")


def _table(pairs: list[tuple[str, object]]) -> dict[str, object]:
    table = {name: _scalar(value) for name, value in pairs if value is not None}
    if len({name for name, _ in pairs}) != len(pairs):
        raise UnreadableError("a field comes twice")
    return table


def _scalar(value: object) -> object:
    if isinstance(value, bool):
        return "true" if value else "false"
    return value


def _refuse(word: str) -> NoReturn:
    raise UnreadableError(f"{word} is not JSON")
