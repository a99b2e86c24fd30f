"""What connectors/README.md lists is what the engine takes: names, words, facts, operators."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

import pytest

from core.connectors import DocumentFaults, check, load
from core.connectors.operators import OPERATORS, Kind, Operator
from core.connectors.pipes import MAX_STEPS
from core.connectors.wording import FACTS, SIGNED
from tests.core.connectors.support import LIBRARY

TEXT: Final = (LIBRARY / "README.md").read_text(encoding="utf-8")
CODE: Final = re.compile(r"`([^`]+)`")
KINDS: Final[dict[Kind, str]] = {
    "text": "text", "bytes": "bytes", "money": "amount", "instant": "time", "number": "number",
}  # fmt: skip
# `zzz` is legal nowhere: every fault lists what is legal in its place.
NAMES: Final = """\
zzz: a
connector: sample
name: Sample
credentials: [key]
body: { zzz: a }
sign: { zzz: a, params: { zzz: a } }
verify: { zzz: a }
reads: { zzz: a }
answers: { zzz: a, ok: { code: 0 } }
create: { zzz: a, path: /c, pay: { zzz: a } }
query: { zzz: a, path: /q }
close: { zzz: a, path: /c }
callback: { zzz: a, open: { zzz: a }, success: { zzz: a }, failure: fail }
fixtures: { zzz: a, attempt: { zzz: a }, cases: [{ zzz: a }] }
"""
CHOICES: Final = """\
connector: sample
name: Sample
credentials: [key]
amounts: zzz
body: zzz
sign: { params: { order: zzz, empty: zzz, write: zzz, nested: zzz } }
reads: { attempt_no: no, upstream_no: no, state: state, paid: paid }
states: { A: zzz }
answers: { from: zzz, ok: { code: 0 } }
create: { path: /c, method: zzz, pay: { url: url } }
close: { path: /c, gives: zzz }
callback: { from: zzz, open: { text: a, as: zzz }, success: ok, failure: fail }
"""


def legal(text: str) -> dict[str, list[str]]:
    """By path: the words that are legal there, as the fault at `zzz` lists them."""
    with pytest.raises(DocumentFaults) as caught:
        load(text)
    return {
        fault.path.removesuffix("zzz").rstrip("."): words.split(", ")
        for fault in caught.value.faults
        if fault.path.endswith("zzz") or fault.found == "“zzz”"
        for words in [fault.expected.partition(";")[0].removeprefix("one of ")]
    }


LEGAL: Final = legal(NAMES)
WORDS: Final = legal(CHOICES)


def rows(below: str) -> Iterator[list[str]]:
    """The cells of the first table below a place of the document, which is there once."""
    before, found, after = TEXT.partition(below)
    assert found, below
    assert below not in before + after, below
    lines = after[after.index("\n|") + 1 :].splitlines()
    for line in lines[2:]:
        if not line.startswith("|"):
            return
        yield [cell.strip() for cell in re.split(r"(?<!\\)\|", line)[1:-1]]


def named(below: str) -> list[str]:
    """The names in the first column of a table."""
    return [name for row in rows(below) for name in CODE.findall(row[0])]


def told(below: str, name: str) -> str:
    """What the row of a name says of it."""
    (row,) = (row for row in rows(below) if name in CODE.findall(row[0]))
    return row[1]


def words_of(start: str, end: str) -> list[str]:
    """What stands in code between two places of the text."""
    _, found, after = TEXT.partition(start)
    assert found, start
    assert end in after, end
    return CODE.findall(after.partition(end)[0])


def test_the_names_of_a_document() -> None:
    assert sorted(named("## The document")) == sorted(LEGAL[""])


def test_the_names_of_an_operation() -> None:
    own = named("**Operations.**")
    shared = words_of("An operation may say for itself alone:", ". ")
    legal = {*LEGAL["create"], *LEGAL["query"], *LEGAL["close"]}
    assert sorted([*own, *shared]) == sorted(legal)
    assert set(LEGAL["create"]) - set(LEGAL["query"]) == {"pay"}
    assert set(LEGAL["close"]) - set(LEGAL["query"]) == {"gives"}
    assert words_of("that is there of what it names:", "An address")[:4] == LEGAL["create.pay"]


def test_the_names_of_a_callback() -> None:
    shared = words_of("**Callback.** `callback` has", "above")
    assert sorted([*named("**Callback.**"), *shared]) == sorted(LEGAL["callback"])
    assert set(LEGAL["callback.open"]) <= set(CODE.findall(told("**Callback.**", "open")))
    assert words_of("`success` and `failure` have", "(`text/plain`)")[:2] == ["status", "type"]
    assert LEGAL["callback.success"] == ["status", "type", "body"]


@pytest.mark.parametrize(
    ("place", "path"),
    [
        ("leads back to the root.", "reads"),
        ("`answers` tells answers apart:", "answers"),
        ("**`params`** says how", "sign.params"),
    ],
)
def test_the_names_of_a_section(place: str, path: str) -> None:
    assert sorted(named(place)) == sorted(LEGAL[path])


@pytest.mark.parametrize("path", ["sign", "verify"])
def test_the_names_of_a_signature(path: str) -> None:
    said = words_of(f"**`{path}`** has", ":")
    assert sorted(said) == sorted(LEGAL[path])


def test_the_names_of_fixtures() -> None:
    shared = words_of("A document brings its own tests:", ". ")
    assert sorted(shared) == sorted(LEGAL["fixtures"])
    assert sorted(LEGAL["fixtures.attempt"]) == sorted(set(FACTS) - {"now", "nonce"})
    section = TEXT.partition("## Fixtures")[2].partition("## ")[0]
    spoken = {word.partition(":")[0] for word in CODE.findall(section)}
    assert set(LEGAL["fixtures.cases[1]"]) <= spoken


@pytest.mark.parametrize(
    ("place", "name", "path"),
    [
        ("## The document", "amounts", "amounts"),
        ("## The document", "body", "body"),
        ("## The document", "states", "states.A"),
        ("**Operations.**", "method", "create.method"),
        ("**Callback.**", "from", "callback.from"),
        ("**Callback.**", "open", "callback.open.as"),
        ("`answers` tells answers apart:", "from", "answers.from"),
        ("**`params`** says how", "order", "sign.params.order"),
        ("**`params`** says how", "empty", "sign.params.empty"),
        ("**`params`** says how", "write", "sign.params.write"),
        ("**`params`** says how", "nested", "sign.params.nested"),
    ],
)
def test_the_words_that_a_name_takes(place: str, name: str, path: str) -> None:
    assert set(WORDS[path]) <= set(CODE.findall(told(place, name)))


def test_every_list_of_the_engine_is_looked_at() -> None:
    assert set(LEGAL) == {
        "", "body", "sign", "sign.params", "verify", "reads", "answers", "create", "create.pay",
        "query", "close", "callback", "callback.open", "callback.success", "fixtures",
        "fixtures.attempt", "fixtures.cases[1]",
    }  # fmt: skip
    assert set(WORDS) == {
        "amounts", "body", "states.A", "create.method", "close.gives", "callback.from",
        "callback.open.as", "answers.from", "sign.params.order", "sign.params.empty",
        "sign.params.write", "sign.params.nested",
    }  # fmt: skip


def test_the_facts() -> None:
    said = words_of("or one of our facts:", "## The document")
    assert sorted(said) == sorted(FACTS)
    text = TEXT.partition("Its text may name all that")[2].partition("**`verify`**")[0]
    assert {word.removeprefix("$") for word in CODE.findall(text)} == set(SIGNED)


def operator_row(names: list[str], operator: Operator) -> list[str]:
    words = [f"[{a.name}]" if a.optional else a.name for a in operator.arguments]
    takes = [KINDS[kind] for kind in operator.takes if kind != "number"]
    way = f"{', '.join(takes)} → {KINDS[operator.gives]}"
    return [" ".join(f"`{name}`" for name in names), ", ".join(words), way, operator.about]


def test_the_operators() -> None:
    """Those that differ in their name alone share a line."""
    alike: dict[tuple[object, ...], list[str]] = {}
    for name, o in OPERATORS.items():
        assert ("number" in o.takes) == ("text" in o.takes), name
        alike.setdefault((o.takes, o.gives, o.arguments, o.about), []).append(name)
    expected = [operator_row(names, OPERATORS[names[0]]) for names in alike.values()]
    assert list(rows("## Operators")) == expected
    assert f"at most {MAX_STEPS} operators" in TEXT


@pytest.mark.parametrize(
    ("operator", "place", "end"),
    [
        ("time", "- `time`:", "; its"),
        ("decimal", "- `decimal`:", "; if absent"),
        ("hmac-sha256", "the key is", ";"),
    ],
)
def test_the_words_behind_an_operator(operator: str, place: str, end: str) -> None:
    (words,) = (a.words for a in OPERATORS[operator].arguments if a.kind == "word")
    assert words_of(place, end) == list(words)


def test_the_library() -> None:
    listed = {CODE.findall(row[0])[0]: set(CODE.findall(row[2])) for row in rows("## The library")}
    loaded = [load(path.read_text(encoding="utf-8")) for path in LIBRARY.glob("*.yaml")]
    assert listed == {c.code: set(c.operations - {"create"}) for c in loaded}


SMALL, SIGNING = re.findall(r"```yaml\n(.*?)```", TEXT, re.DOTALL)
SIGNED_DOCUMENT: Final = """\
connector: sample
name: Sample
credentials: [key, private_key, supplier_key]
reads: { attempt_no: no, upstream_no: trade, state: state, paid: paid }
states: { OK: paid }
answers: { signed: false, ok: { code: 0 } }
create: { path: /c, fields: { no: $attempt_no }, pay: { url: url } }
callback: { from: json, success: ok, failure: fail }
"""


@pytest.mark.parametrize(
    "text", [SMALL, *(SIGNED_DOCUMENT + sign for sign in SIGNING.split("\n\n"))], ids=range(4)
)
def test_the_examples_load(text: str) -> None:
    assert {failure.case for failure in check(load(text))} <= {"callback"}


def test_the_signature_that_counts_if_nothing_is_said_is_the_first_example() -> None:
    built = []
    for text in (SIGNED_DOCUMENT, SIGNED_DOCUMENT + SIGNING.partition("\n\n")[0]):
        connector = load(text)
        shared = connector.fixtures
        credentials = {"base_url": "https://pay.example", "key": "k"}
        built.append(connector.build("create", shared.facts, credentials, now=shared.now, nonce=""))
    assert built[0] == built[1]
