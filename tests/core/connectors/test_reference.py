"""docs/connectors.md says what the engine takes: names, words, facts, operators; and connectors/
README.md lists the library."""

from __future__ import annotations

import re
import textwrap
from collections.abc import Mapping
from pathlib import Path
from typing import Final, get_args

import pytest

from core.connectors import DocumentFaults, check, fill_reference, load, reference
from core.connectors.fixtures import ATTEMPT, CASE, REFUND, SECTION
from core.connectors.loader import grammar
from core.connectors.operators import OPERATORS
from core.connectors.pipes import MAX_STEPS
from core.connectors.reference import Entry
from core.connectors.types import CallbackState, RefundState, StandingState
from core.connectors.values import BARE_FACTS, FACTS, REFUND_FACTS, SIGNED
from tests.core.connectors.library import CONNECTORS
from tests.core.connectors.support import LIBRARY

ROOT: Final = Path(__file__).parents[3]
PAGE: Final = (ROOT / "docs/connectors.md").read_text(encoding="utf-8")
LANGUAGE: Final = PAGE[PAGE.index("## The language") :]
CODE: Final = re.compile(r"`([^`]+)`")
WAYS, PAYING, SIGNING = re.findall(r"```yaml\n(.*?)```", LANGUAGE, re.DOTALL)

# `zzz` is legal nowhere: every fault lists what is legal in its place.
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
create: { path: /c, method: zzz, by: zzz, pay: { url: url } }
close: { path: /c, gives: zzz }
refund: { path: /r, states: { A: zzz } }
callback: { from: zzz, then: zzz, states: { A: zzz }, open: { text: a, as: zzz }, success: ok,
            failure: fail }
"""


def words() -> Mapping[str, list[str]]:
    """By path: the words that are legal there, as the fault at `zzz` lists them."""
    with pytest.raises(DocumentFaults) as caught:
        load(CHOICES)
    return {
        fault.path: listed.split(", ")
        for fault in caught.value.faults
        if fault.found == "“zzz”"
        for listed in [fault.expected.partition(";")[0].removeprefix("one of ")]
    }


WORDS: Final = words()


def test_the_tables_of_the_page_are_those_of_the_reference() -> None:
    assert fill_reference(PAGE) == PAGE, "write them with: python tools/references.py"


@pytest.mark.parametrize("page", ["", PAGE.replace("<!-- table: document -->", "")])
def test_a_page_that_lacks_a_table_is_named(page: str) -> None:
    with pytest.raises(ValueError, match=r"lacks .*document"):
        fill_reference(page)


def test_a_table_that_there_is_not_is_named() -> None:
    with pytest.raises(KeyError, match="zzz"):
        fill_reference(PAGE + "<!-- table: zzz -->\n<!-- end -->\n")


@pytest.mark.parametrize(
    ("entries", "names"),
    [
        (reference.DOCUMENT, grammar.TOP),
        (
            {**reference.OPERATION, **dict.fromkeys(grammar.SHARED)},
            {*grammar.CALL, *(name for names in grammar.OWN.values() for name in names)},
        ),
        (
            {**reference.CALLBACK, **dict.fromkeys(("verify", "reads", "states"))},
            grammar.CALLBACK,
        ),
        (reference.REPLY, grammar.REPLY),
        (reference.OPEN, grammar.OPEN),
        (reference.PAYMENT_READS, grammar.PAYMENT_READS),
        (
            {**reference.OTHER_READS, **dict.fromkeys(("attempt_no", "state", "currency"))},
            {*grammar.REFUND_READS, *grammar.READS["balance"], *grammar.READS["token"]},
        ),
        (reference.ANSWERS, grammar.ANSWERS),
        (reference.PAY, grammar.PAY),
        (reference.PAY_MADE, grammar.PAY_MADE),
        (reference.SIGN, grammar.SIGN),
        (reference.VERIFY, grammar.VERIFY),
        (reference.CERTIFICATE, grammar.CERTIFICATE),
        (reference.PARAMS, grammar.PARAMS),
        (reference.FACTS, FACTS),
        (reference.REFUND_FACTS, REFUND_FACTS),
        (reference.SIGNED, SIGNED),
        (reference.FIXTURES, SECTION),
        (reference.REFUND, REFUND),
        (reference.CASE, CASE),
        (reference.GIVES, {*grammar.OPERATIONS, "callback"}),
    ],
    ids=range(21),
)  # fmt: skip
def test_every_name_has_its_line(entries: Mapping[str, object], names: tuple[str, ...]) -> None:
    assert sorted(entries) == sorted(names)


def test_fixtures_know_the_facts_of_an_attempt() -> None:
    assert sorted(ATTEMPT) == sorted(set(FACTS) - {"now", "nonce", "expires_in"})


def test_what_a_case_gives_is_what_the_engine_gives() -> None:
    standing = {word for name in grammar.ASKING for word in reference.GIVES[name]}
    assert standing == set(get_args(StandingState))
    assert set(reference.GIVES["refund"]) == set(get_args(RefundState))
    assert set(get_args(CallbackState)) <= set(reference.GIVES["callback"])


@pytest.mark.parametrize(
    ("entry", "path"),
    [
        (reference.DOCUMENT["amounts"], "amounts"),
        (reference.DOCUMENT["body"], "body"),
        (reference.DOCUMENT["states"], "states.A"),
        (reference.OPERATION["method"], "create.method"),
        (reference.OPERATION["by"], "create.by"),
        (reference.CALLBACK["from"], "callback.from"),
        (reference.CALLBACK["then"], "callback.then"),
        (reference.CALLBACK["open"], "callback.open.as"),
        (reference.OPEN["as"], "callback.open.as"),
        (reference.ANSWERS["from"], "answers.from"),
        (reference.PARAMS["order"], "sign.params.order"),
        (reference.PARAMS["empty"], "sign.params.empty"),
        (reference.PARAMS["write"], "sign.params.write"),
        (reference.PARAMS["nested"], "sign.params.nested"),
    ],
)
def test_the_words_that_a_name_takes(entry: Entry, path: str) -> None:
    assert set(WORDS[path]) <= set(CODE.findall(entry.says))


def test_every_choice_of_the_engine_is_looked_at() -> None:
    assert set(WORDS) == {
        "amounts", "body", "states.A", "create.method", "create.by", "close.gives",
        "refund.states.A", "callback.from", "callback.then", "callback.states.A",
        "callback.open.as", "answers.from", "sign.params.order", "sign.params.empty",
        "sign.params.write", "sign.params.nested",
    }  # fmt: skip
    assert set(WORDS["callback.states.A"]) - set(WORDS["states.A"]) == {"ignore"}
    assert "may also be `ignore`" in LANGUAGE


def between(start: str, end: str) -> list[str]:
    """What stands in code between two places of the page."""
    _, found, after = LANGUAGE.partition(start)
    assert found, start
    assert end in after, end
    return CODE.findall(after.partition(end)[0])


def test_the_prose_names_what_the_engine_knows() -> None:
    shared = between("An operation may say for itself alone:", ". ")
    assert sorted(shared) == sorted(grammar.SHARED)
    assert between("its states are", ";") == list(grammar.REFUND_STATES)
    bare = between("know only", " A document that has")
    assert [word.removeprefix("$") for word in bare] == list(BARE_FACTS)
    assert f"at most {MAX_STEPS} operators" in LANGUAGE


@pytest.mark.parametrize(
    ("operator", "place", "end"),
    [
        ("time", "- `time`:", "; its"),
        ("decimal", "- `decimal`:", "; if absent"),
        ("hmac-sha256", "the key is", ";"),
    ],
)
def test_the_words_behind_an_operator(operator: str, place: str, end: str) -> None:
    (legal,) = (a.words for a in OPERATORS[operator].arguments if a.kind == "word")
    assert between(place, end) == list(legal)


def test_texts_and_numbers_are_taken_alike() -> None:
    assert all(("number" in o.takes) == ("text" in o.takes) for o in OPERATORS.values())


def test_the_library_is_listed() -> None:
    text = (LIBRARY / "README.md").read_text(encoding="utf-8").partition("## The library")[2]
    rows = [line.split("|")[1:-1] for line in text.splitlines() if line.startswith("| `")]
    listed = {CODE.findall(row[0])[0]: set(CODE.findall(row[2])) for row in rows}
    assert listed == {c: set(o.operations - {"create"}) for c, o in CONNECTORS.items()}


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
CREATE: Final = "create: { path: /c, fields: { no: $attempt_no }, pay: { url: url } }\n"


def paid_by(example: str) -> str:
    """A document whose create says an example of `pay`."""
    create = "create:\n  path: /c\n"
    if "`by: payer`" in example:
        create += "  by: payer\n"
    return SIGNED_DOCUMENT.replace(CREATE, create + textwrap.indent(example, "  ") + "\n")


@pytest.mark.parametrize(
    "text",
    [
        *(SIGNED_DOCUMENT + sign for sign in SIGNING.split("\n\n")),
        SIGNED_DOCUMENT.replace(CREATE, WAYS),
        *map(paid_by, PAYING.split("\n\n")),
    ],
    ids=range(9),
)
def test_the_examples_load(text: str) -> None:
    """They bring no fixtures, and nothing else is wrong with them."""
    assert all(failure.why.startswith("no fixture of ") for failure in check(load(text)))


def test_the_signature_that_counts_if_nothing_is_said_is_the_first_example() -> None:
    built = []
    for text in (SIGNED_DOCUMENT, SIGNED_DOCUMENT + SIGNING.partition("\n\n")[0]):
        connector = load(text)
        shared = connector.fixtures
        credentials = {"base_url": "https://pay.example", "key": "k"}
        built.append(connector.build("create", shared.facts, credentials, now=shared.now, nonce=""))
    assert built[0] == built[1]
