"""The little language of a document's values: names, and operators behind them.

    $amount                       a fact, a credential, or a field that came in
    $amount | minor               worked on, from left to right
    Bearer ${token}               inside a text; ${subject | cut 127} as well
    $$5                           a text that begins with a dollar sign

There is no arithmetic, no condition and no loop. What is written is checked while the document is
loaded: names, operators, arguments and kinds; evaluating it can then only fail on what came in.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from hmac import compare_digest
from typing import Final
from zoneinfo import ZoneInfo

from core.connectors.operators import (
    MAX_COUNT,
    OPERATORS,
    Argument,
    Kind,
    Operator,
    Value,
    ValueFault,
    plain,
)
from core.connectors.section import nearest
from core.connectors.tree import shorten

MAX_STEPS: Final = 12
MASK: Final = "***"
_NAME: Final = r"[A-Za-z_][A-Za-z0-9_]*(?:\.[A-Za-z0-9_\-]+){0,6}"
_WHOLE: Final = re.compile(rf"\$({_NAME})((?:\s*\|[^|$]*(?:\$[^|]*)*)*)\s*", re.ASCII)
_INSIDE: Final = re.compile(r"\$\{([^{}]*)\}|\$\$")
_PIECE: Final = re.compile(rf"({_NAME})((?:\s*\|[^|]*)*)\s*", re.ASCII)
_WORD: Final = re.compile(r'"([^"]*)"|(\S+)')

Scope = Callable[[str], Value]
"""What a name stands for; a text that is absent is the empty text."""


class PipeFault(Exception):
    """What is written is not to be; found and expected, as a fault of a document says it."""

    def __init__(self, found: str, expected: str) -> None:
        self.found = found
        self.expected = expected
        super().__init__(f"{found}; {expected}")


@dataclass(frozen=True, slots=True)
class Given:
    """An argument: a word as it stands, or (by $name) a value."""

    text: str
    by_name: bool = False
    table: Mapping[str, str] | None = None


@dataclass(frozen=True, slots=True)
class Step:
    operator: Operator
    arguments: tuple[Given, ...] = ()

    def run(self, value: Value, scope: Scope) -> Value:
        """Raises ValueFault."""
        if not isinstance(value, str) and isinstance(value, int | Decimal):
            value = plain(value)  # a number is worked on as it is written
        arguments = self.values(scope) if self.arguments else ()
        result: Value = self.operator.run(value, *arguments)
        return result

    def __str__(self) -> str:
        """As a document writes it."""
        words = (f"${a.text}" if a.by_name else _quoted(a.text) for a in self.arguments)
        return " ".join((self.operator.name, *words))

    def values(self, scope: Scope) -> list[object]:
        return [
            given.table
            if given.table is not None
            else plain(scope(given.text)) if given.by_name else given.text
            for given in self.arguments
        ]  # fmt: skip


@dataclass(frozen=True, slots=True)
class Pipe:
    """A name and what is done to its value."""

    name: str
    steps: tuple[Step, ...]
    kind: Kind

    def tells(self, secrets: frozenset[str]) -> bool:
        """Whether a secret is part of what comes out."""
        return self.name in secrets or any(
            given.by_name and given.text in secrets
            for step in self.steps
            for given in step.arguments
        )

    def value(self, scope: Scope) -> Value:
        """Raises ValueFault."""
        value = scope(self.name)
        for step in self.steps:
            value = step.run(value, scope)
        return value

    def __str__(self) -> str:
        """As a document writes it."""
        return " | ".join((self.name, *map(str, self.steps)))


@dataclass(frozen=True, slots=True)
class Words:
    """A value as it is written: texts and pipes. One pipe alone keeps its kind."""

    parts: tuple[str | Pipe, ...]

    def __str__(self) -> str:
        """As a document writes it."""
        if len(self.parts) == 1 and isinstance(self.parts[0], Pipe):
            return f"${self.parts[0]}"
        return "".join(
            part.replace("$", "$$") if isinstance(part, str) else f"${{{part}}}"
            for part in self.parts
        )

    @property
    def names(self) -> frozenset[str]:
        """Every name it asks for, those of arguments included."""
        found = set()
        for part in self.parts:
            if isinstance(part, Pipe):
                found.add(part.name)
                for step in part.steps:
                    found |= {given.text for given in step.arguments if given.by_name}
        return frozenset(found)

    def value(self, scope: Scope) -> Value:
        """Raises ValueFault."""
        if len(self.parts) == 1 and isinstance(self.parts[0], Pipe):
            return self.parts[0].value(scope)
        return self.text(scope)

    def text(self, scope: Scope) -> str:
        """As a text, whatever its kind. Raises ValueFault."""
        return "".join([
            part if isinstance(part, str) else plain(part.value(scope)) for part in self.parts
        ])  # fmt: skip

    def masked(self, scope: Scope, secrets: frozenset[str]) -> str:
        """As a text in which nothing that a secret is part of can be read."""
        return "".join(
            part
            if isinstance(part, str)
            else MASK if part.tells(secrets) else plain(part.value(scope))
            for part in self.parts
        )  # fmt: skip


@dataclass(frozen=True, slots=True)
class Vocabulary:
    """What a place of a document may speak of. names: with the kind of each; where it is open,
    any field that came in may be named as well, which is a text. usual: what is done to a kind
    (an amount, a time) where nothing is said."""

    names: Mapping[str, Kind]
    tables: Mapping[str, Mapping[str, str]]
    open_to: tuple[str, ...] = ()
    usual: Mapping[Kind, Step] = field(default_factory=dict)

    def kind_of(self, name: str) -> Kind:
        """Raises PipeFault."""
        if kind := self.names.get(name):
            return kind
        if name.partition(".")[0] in self.open_to and "." in name:
            return "text"
        legal = (*self.names, *(f"{root}.…" for root in self.open_to))
        raise PipeFault(f"“${shorten(name)}”", nearest(name, legal))


def read_words(text: str, vocabulary: Vocabulary) -> Words:
    """What a value says. Raises PipeFault."""
    if text.startswith("$$"):
        return Words((*_inside(text[2:], vocabulary, "$"),))
    if text.startswith("$") and not text.startswith("${"):
        if not (whole := _WHOLE.fullmatch(text)):
            raise PipeFault(f"“{shorten(text)}”", "$name, or $name | operator (a text: ${name})")
        return Words((_pipe(whole.group(1), whole.group(2), vocabulary),))
    return Words(tuple(_inside(text, vocabulary)))


def read_steps(text: str, takes: Kind, vocabulary: Vocabulary) -> tuple[tuple[Step, ...], Kind]:
    """Operators alone (`md5 | hex | upper`), and the kind that comes out. Raises PipeFault."""
    return _steps(text.split("|"), takes, vocabulary)


def prove(steps: Sequence[Step], value: Value, came: str, scope: Scope) -> bool:
    """Whether a signature that came in is what the steps make of a value.

    Where they end in a signature of somebody else's key, what came in is brought back to its
    bytes and proved; else it is made again and compared in constant time. Raises ValueFault.
    """
    for index, step in enumerate(steps):
        if step.operator.proves is not None:
            signature = _undo(steps[index + 1 :], came)
            return step.operator.proves(value, *step.values(scope), signature)
        value = step.run(value, scope)
    return compare_digest(plain(value).encode(), came.encode())


def _quoted(word: str) -> str:
    return f'"{word}"' if " " in word or not word else word


def _undo(steps: Sequence[Step], came: str) -> bytes:
    if not steps:
        return came.encode()
    undo = steps[-1].operator.undo
    if undo is None:
        raise ValueFault("the signature cannot be read")
    content = undo(came)
    if len(steps) == 1:
        return content
    try:
        return _undo(steps[:-1], content.decode())
    except UnicodeDecodeError:
        raise ValueFault("the signature cannot be read") from None


def _inside(text: str, vocabulary: Vocabulary, before: str = "") -> list[str | Pipe]:
    parts: list[str | Pipe] = []
    plain_text, at = before, 0
    for match in _INSIDE.finditer(text):
        plain_text += text[at : match.start()]
        at = match.end()
        if match.group(1) is None:
            plain_text += "$"
            continue
        if not (piece := _PIECE.fullmatch(match.group(1).strip())):
            raise PipeFault(f"“{shorten(match.group())}”", "${name} or ${name | operator}")
        if plain_text:
            parts.append(plain_text)
        parts.append(_pipe(piece.group(1), piece.group(2), vocabulary))
        plain_text = ""
    plain_text += text[at:]
    if "${" in plain_text:
        raise PipeFault(f"“{shorten(plain_text)}”", "a closing } (a dollar sign itself is $$)")
    if plain_text or not parts:
        parts.append(plain_text)
    return parts


def _pipe(name: str, steps: str, vocabulary: Vocabulary) -> Pipe:
    kind = vocabulary.kind_of(name)
    read, gives = _steps(steps.split("|")[1:], kind, vocabulary)
    if usual := vocabulary.usual.get(gives):
        read, gives = (*read, usual), usual.operator.gives
    return Pipe(name, read, gives)


def _steps(
    written: Sequence[str], kind: Kind, vocabulary: Vocabulary
) -> tuple[tuple[Step, ...], Kind]:
    if len(written) > MAX_STEPS:
        raise PipeFault(f"{len(written)} operators", f"at most {MAX_STEPS}")
    steps = []
    for text in written:
        words = [(quoted or bare, bool(quoted)) for quoted, bare in _WORD.findall(text)]
        if not words:
            raise PipeFault("nothing behind |", "an operator")
        (name, _), *rest = words
        operator = OPERATORS.get(name)
        if operator is None:
            raise PipeFault(f"“{shorten(name)}”", nearest(name, tuple(OPERATORS)))
        if kind not in operator.takes:
            raise PipeFault(f"{name} behind {_A[kind]}", f"it works on {_works_on(operator)}")
        steps.append(Step(operator, _arguments(operator, rest, vocabulary)))
        kind = operator.gives
    return tuple(steps), kind


def _arguments(
    operator: Operator, words: Sequence[tuple[str, bool]], vocabulary: Vocabulary
) -> tuple[Given, ...]:
    legal = operator.arguments
    fewest = sum(not argument.optional for argument in legal)
    if not fewest <= len(words) <= len(legal):
        shown = " ".join(f"[{a.name}]" if a.optional else a.name for a in legal)
        raise PipeFault(f"{operator.name} with {len(words)} words", f"{operator.name} {shown}")
    return tuple(
        _argument(operator.name, argument, text, quoted, vocabulary)
        for argument, (text, quoted) in zip(legal, words, strict=False)
    )


def _argument(
    operator: str, argument: Argument, text: str, quoted: bool, vocabulary: Vocabulary
) -> Given:
    found = f"{operator} {shorten(text)}"
    match argument.kind:
        case "value":
            if quoted or not text.startswith("$"):
                raise PipeFault(found, f"{argument.name} by name, like $key")
            vocabulary.kind_of(text[1:])
            return Given(text[1:], by_name=True)
        case "count":
            if not (text.isascii() and text.isdigit() and int(text[:6]) <= MAX_COUNT):
                raise PipeFault(found, f"{argument.name}: a whole number up to {MAX_COUNT}")
        case "word":
            if text not in argument.words:
                raise PipeFault(found, nearest(text, argument.words))
        case "zone":
            try:
                ZoneInfo(text)
            except (OSError, ValueError, KeyError):
                raise PipeFault(found, "an IANA zone like Asia/Shanghai") from None
        case "table":
            if text not in vocabulary.tables:
                raise PipeFault(found, nearest(text, tuple(vocabulary.tables)))
            return Given(text, table=vocabulary.tables[text])
        case "text":
            pass
    return Given(text)


_A: Final[Mapping[Kind, str]] = {
    "text": "a text", "bytes": "bytes (add hex or base64)", "money": "an amount (add minor or "
    "decimal)", "instant": "a time (add time and its form)", "number": "a number",
}  # fmt: skip


def _works_on(operator: Operator) -> str:
    names = {"text": "texts", "bytes": "bytes", "money": "amounts", "instant": "times",
             "number": "numbers"}  # fmt: skip
    return ", ".join(names[kind] for kind in operator.takes)
