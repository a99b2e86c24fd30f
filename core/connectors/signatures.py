"""What is signed of a message, and whether a message that came in is signed.

A signature proves a text and no more. Whether that text says one thing alone is asked in
`core.connectors.readings`.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final
from urllib.parse import quote_plus

from core.connectors import limits
from core.connectors.document import Params, Sign
from core.connectors.messages import Tree, flat, write_json
from core.connectors.operators import Value, plain
from core.connectors.pipes import Scope, prove

_WHOLE: Final = ("params", "body", "content")
_ROOTS: Final = ("body", "header", "query")


def comes_in(name: str) -> bool:
    """Whether a name of a text that is proved is part of the message, and nothing of ours."""
    root, dot, _ = name.partition(".")
    return name in _WHOLE or (bool(dot) and root in _ROOTS)


def params_text(tree: Tree, rule: Params, own: str | None) -> str:
    """A message's fields as `${params}`. own: the signature's own field, which takes no part."""
    fields = signed_fields(tree, rule, own)
    if rule.write == "pair" and not rule.url:  # nearly always
        return rule.join.join([f"{name}={value}" for name, value in fields])
    return rule.join.join([_written(name, value, rule) for name, value in fields])


def signed_fields(tree: Tree, rule: Params, own: str | None) -> list[tuple[str, str]]:
    """The fields of which `${params}` is made, in the order of signing."""
    fields = [
        (name, value)
        for name, value in _signable(tree, rule)
        if name != own and name not in rule.without and (value or rule.empty == "keep")
    ]
    if isinstance(rule.order, tuple):
        by_name = dict(fields)
        return [(name, by_name.get(name, "")) for name in rule.order if name in by_name
                or rule.empty == "keep"]  # fmt: skip
    if rule.order == "name":
        fields.sort()
    elif rule.order == "caseless":
        fields.sort(key=lambda field: f"{field[0]}={field[1]}&".lower())
    return fields


def _written(name: str, value: str, rule: Params) -> str:
    shown = quote_plus(value) if rule.url else value
    if rule.write == "value":
        return shown
    return f'{name}="{shown}"' if rule.write == "quoted" else f"{name}={shown}"


def _signable(tree: Tree, rule: Params) -> Iterator[tuple[str, str]]:
    for name, value in tree.items():
        if isinstance(value, str):  # nearly always
            yield name, value
        elif not isinstance(value, dict | list):
            yield name, str(value)
        elif rule.nested == "json":
            yield name, write_json(value)
        elif rule.nested == "flat":
            yield from flat({name: value})


def signature(sign: Sign, scope: Scope) -> str:
    """The signature of a message of ours. Raises ValueFault."""
    value: Value = sign.text.text(scope)
    for step in sign.steps:
        value = step.run(value, scope)
    return plain(value)


def is_signed(sign: Sign, came: str, scope: Scope) -> bool:
    """Whether a signature that came in holds; of several with spaces between, one has to.

    While a supplier changes its key it signs with both. Raises ValueFault.
    """
    text = sign.text.text(scope)
    return any(
        prove(sign.steps, text, one, scope) for one in came.split(" ")[: limits.SIGNATURES] if one
    )
