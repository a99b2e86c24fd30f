"""What holds for every input: no belief without a signature, no crash of the loader."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Mapping
from copy import deepcopy
from dataclasses import replace
from random import Random
from typing import Any
from urllib.parse import urlencode

import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from core.connectors import (
    Callback,
    Connector,
    DocumentFaults,
    Event,
    HttpAnswer,
    InvalidCallback,
    Unknown,
    load,
)
from core.connectors.loading import ANSWERS, OPERATION, PARAMS, PAYS, READS, SIGN, VERIFY
from core.connectors.loading import CALLBACK as CALLED
from core.connectors.loading import TOP as LEGAL
from core.connectors.operators import OPERATORS, TIME_WORDS
from core.connectors.wording import FACTS as NAMED
from core.connectors.wording import SIGNED
from tests.core.connectors.support import (
    ACCEPTED,
    CALLBACK,
    CREDENTIALS,
    FACTS,
    LIBRARY,
    STANDING,
    answer,
    callback,
    posted,
    sandbox,
    signed,
)

CONNECTOR = sandbox()
SANDBOX = (LIBRARY / "sandbox_md5.yaml").read_text()
NAMES = sorted({*ACCEPTED, *STANDING, *CALLBACK, "sign", "x"})
WORDS = sorted({*ACCEPTED.values(), *STANDING.values(), *CALLBACK.values(), "1004", "CLOSED"})

json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.sampled_from(WORDS),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)
fields = st.dictionaries(st.sampled_from(NAMES), st.sampled_from(WORDS) | st.text())
HOWS = ["flip", "cut", "add", "double"]
mutations = st.tuples(st.integers(0, 10_000), st.integers(0, 255), st.sampled_from(HOWS))

patient = settings(deadline=None)  # the machine may be busy; how long it takes proves nothing


def mutated(data: bytes, mutation: tuple[int, int, str]) -> bytes:
    at, value, how = mutation
    if not data:
        return bytes([value])
    at %= len(data)
    if how == "flip":
        return data[:at] + bytes([data[at] ^ (value or 1)]) + data[at + 1 :]
    if how == "cut":
        return data[:at] + data[at + 1 :]
    if how == "add":
        return data[:at] + bytes([value]) + data[at:]
    return data[:at] + data[at : at + 1 + value] + data[at:]


@patient
@given(json_values | st.dictionaries(st.sampled_from(NAMES), json_values))
def test_an_unsigned_answer_is_never_believed(body: object) -> None:
    reply = answer(body)
    assert isinstance(CONNECTOR.read_create(reply, FACTS, CREDENTIALS), Unknown)
    assert CONNECTOR.read_standing("query", reply, FACTS, CREDENTIALS).state == "unknown"


@patient
@given(st.binary(), st.integers(100, 599))
def test_random_bytes_prove_nothing(body: bytes, status: int) -> None:
    reply = HttpAnswer(status, {}, body)
    assert isinstance(CONNECTOR.read_create(reply, FACTS, CREDENTIALS), Unknown)
    assert CONNECTOR.read_standing("close", reply, FACTS, CREDENTIALS).state == "unknown"


@patient
@given(st.sampled_from([ACCEPTED, {**STANDING, "status": "CLOSED"}]), mutations)
def test_a_changed_answer_is_never_believed(body: dict[str, str], mutation: object) -> None:
    assert isinstance(mutation, tuple)
    original = answer(signed(body)).body
    changed = mutated(original, mutation)
    with contextlib.suppress(ValueError):
        if json.loads(changed) == json.loads(original):  # only its spaces were changed
            return
    reply = HttpAnswer(200, {}, changed)
    assert isinstance(CONNECTOR.read_create(reply, FACTS, CREDENTIALS), Unknown)
    assert CONNECTOR.read_standing("query", reply, FACTS, CREDENTIALS).state == "unknown"


@patient
@given(fields | st.dictionaries(st.text(), st.text()))
def test_an_unsigned_callback_is_never_believed(body: dict[str, str]) -> None:
    with contextlib.suppress(InvalidCallback, UnicodeEncodeError):
        CONNECTOR.verify(callback(body), CREDENTIALS, currency="CNY")
        raise AssertionError(body)


@patient
@given(fields)
def test_a_signed_callback_says_what_its_fields_say_or_nothing(body: dict[str, str]) -> None:
    with contextlib.suppress(InvalidCallback, UnicodeEncodeError):
        event = CONNECTOR.verify(callback(signed(body)), CREDENTIALS, currency="CNY")
        assert body["mch_id"] == CREDENTIALS["mch_id"]
        assert (event.attempt_no, event.upstream_no) == (body["out_trade_no"], body["trade_no"])
        assert (event.state == "paid") == (body["status"] == "SUCCESS")


@settings(max_examples=2000, deadline=None)
@given(mutations)
def test_a_changed_callback_never_verifies(mutation: tuple[int, int, str]) -> None:
    original = urlencode(signed(CALLBACK)).encode()
    changed = posted(mutated(original, mutation))
    try:
        event = CONNECTOR.verify(changed, CREDENTIALS, currency="CNY")
    except InvalidCallback:
        return
    # A change that leaves every field as it was (an empty one more, `&&`) changes nothing.
    assert event == CONNECTOR.verify(posted(original), CREDENTIALS, currency="CNY")


CHANGED_CALLBACKS = 10_000
DOCUMENTS = {path.stem: path.read_text() for path in sorted(LIBRARY.glob("*.yaml"))}
PARSED: dict[str, dict[str, Any]] = {
    code: yaml.safe_load(text.partition("\nfixtures:")[0]) for code, text in DOCUMENTS.items()
}


def good_callbacks() -> list[tuple[Connector, Callback, Event]]:
    """Every callback that a document's own fixtures believe, with what it says."""
    found = []
    for connector in map(load, DOCUMENTS.values()):
        for case in connector.fixtures.cases:
            if case.kind != "verify" or case.gives == "invalid":
                continue
            headers = {name.lower(): value for name, value in case.headers.items()}
            came = Callback("POST", "", headers, case.body.encode(), "203.0.113.9")
            if connector.called_by == "query":
                came = replace(came, method="GET", query=case.body, body=b"")
            found.append((connector, came, believed(connector, came)))
    return found


def believed(connector: Connector, came: Callback) -> Event:
    shared = connector.fixtures
    return connector.verify(came, shared.credentials, currency=shared.facts.amount.currency)


def changed_once(came: Callback, random: Random) -> Callback:
    """One change somewhere: in the body, the query, a header's value or a header's name."""
    change = (random.randrange(10_000), random.randrange(256), random.choice(HOWS))
    places = [place for place in ("body", "query", "headers") if getattr(came, place)]
    match random.choice(places):
        case "body":
            return replace(came, body=mutated(came.body, change))
        case "query":
            return replace(came, query=mutated(came.query.encode(), change).decode("latin-1"))
    name = random.choice(sorted(came.headers))
    others = {other: value for other, value in came.headers.items() if other != name}
    value = came.headers[name].encode()
    if value and random.randrange(8):
        others[name] = mutated(value, change).decode("latin-1")
    return replace(came, headers=others)


def test_no_changed_callback_of_any_document_says_anything_else() -> None:
    good = good_callbacks()
    called = {c.code for c in map(load, DOCUMENTS.values()) if "callback" in c.operations}
    assert {connector.code for connector, _, _ in good} == called
    random = Random(20260102)  # the same changes in every run
    for index in range(CHANGED_CALLBACKS):
        connector, came, event = good[index % len(good)]
        for _ in range(random.choice((1, 1, 1, 2, 5))):
            came = changed_once(came, random)
        with contextlib.suppress(InvalidCallback):
            assert believed(connector, came) == event, (connector.code, came)


@patient
@given(st.text())
def test_random_text_gives_faults_only(text: str) -> None:
    with contextlib.suppress(DocumentFaults):
        load(text)


@patient
@given(st.text(alphabet="abc:-?[]{},&*!|>'\"%@`#\\ \n\tUux0F~"))
def test_text_that_looks_like_yaml_gives_faults_only(text: str) -> None:
    with contextlib.suppress(DocumentFaults):
        load(text)


INNER = sorted(
    {*OPERATION, *ANSWERS, *CALLED, *READS, *SIGN, *VERIFY, *PARAMS, *PAYS, "$json", "*"}
)
SPOKEN = [*NAMED, *SIGNED, "key", "mch_id", "own", "signature", "body.a.b", "header.X-Sign", "x"]
BEHIND = [*OPERATORS, *TIME_WORDS, "4", "short", "ways", "$key", "$nonce", "$body.a", "UTC", "hex"]
steps = st.lists(st.lists(st.sampled_from(BEHIND), max_size=3).map(" ".join), max_size=4).map(
    " | ".join
)
pipes = st.builds(
    lambda form, name, behind: form.format(f"{name} | {behind}" if behind else name),
    st.sampled_from(["${}", "${{{}}}", "a ${{{}}} b$$", "$${{{}", "${}}}", "$ {}"]),
    st.sampled_from(SPOKEN),
    steps,
)
written = pipes | steps | st.text(alphabet='$${}|"ab. \n', max_size=24) | st.text(max_size=8)
trees = st.recursive(
    st.none() | st.booleans() | st.integers() | written | st.sampled_from(["/p", "none", "key"]),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(st.text(max_size=8) | st.sampled_from([*LEGAL, *INNER]), inner)
    ),
    max_leaves=12,
)
# Where a document says something in the language of values, and where paths begin.
SPOTS = [
    ("values", "own"), ("tables", "ways"), ("must_equal", "x"), ("headers", "X-Own"),
    ("fields", "x"), ("sign", "text"), ("sign", "steps"), ("sign", "params"), ("verify", "text"),
    ("verify", "steps"), ("verify", "from"), ("create", "path"), ("create", "headers"),
    ("create", "within"), ("create", "reads"), ("query", "within"), ("query", "verify"),
    ("callback", "open"), ("callback", "verify"), ("answers", "ok"), ("fixtures", "attempt"),
]  # fmt: skip


def loads_or_gives_faults(tree: Mapping[str, Any]) -> None:
    with contextlib.suppress(DocumentFaults):
        load(yaml.safe_dump(dict(tree), allow_unicode=True))


@patient
@given(st.sampled_from(sorted(DOCUMENTS)), st.dictionaries(st.sampled_from(LEGAL), trees))
def test_random_trees_give_faults_only(code: str, changes: dict[str, object]) -> None:
    loads_or_gives_faults({**PARSED[code], **changes})


@settings(max_examples=300, deadline=None)
@given(
    st.sampled_from(sorted(DOCUMENTS)),
    st.dictionaries(
        st.sampled_from(SPOTS), written | written.map(lambda text: {"text": text}) | trees
    ),
)
def test_random_values_give_faults_only(code: str, changes: dict[tuple[str, str], object]) -> None:
    tree = deepcopy(PARSED[code])
    for (section, name), value in changes.items():
        if isinstance(tree.setdefault(section, {}), dict):
            tree[section][name] = value
    loads_or_gives_faults(tree)


@patient
@given(mutations)
def test_a_changed_document_loads_or_gives_faults(mutation: tuple[int, int, str]) -> None:
    with contextlib.suppress(DocumentFaults):
        load(mutated(SANDBOX.encode(), mutation).decode("utf-8", "replace"))
