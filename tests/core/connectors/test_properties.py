"""What holds for every input: no belief without a signature, no crash of the loader."""

from __future__ import annotations

import contextlib
import json
from urllib.parse import urlencode

import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from core.connectors import DocumentFaults, HttpAnswer, InvalidCallback, Unknown, load
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
mutations = st.tuples(
    st.integers(0, 10_000), st.integers(0, 255), st.sampled_from(["flip", "cut", "add", "double"])
)

patient = settings(deadline=None)  # the machine may be busy; how long it takes proves nothing


def mutated(data: bytes, mutation: tuple[int, int, str]) -> bytes:
    at, value, how = mutation
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


@patient
@given(st.binary() | st.text().map(lambda text: text.encode("utf-8", "replace")))
def test_asking_which_attempt_never_fails(body: bytes) -> None:
    CONNECTOR.attempt_of(posted(body))


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


TOP = sorted(yaml.safe_load(SANDBOX))
trees = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text() | st.sampled_from(["$key", "$now", "/p"]),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(st.text() | st.sampled_from([*TOP, "path", "cases", "ok"]), inner)
    ),
    max_leaves=12,
)


@patient
@given(st.dictionaries(st.sampled_from(TOP), trees))
def test_random_trees_give_faults_only(changes: dict[str, object]) -> None:
    tree = {**yaml.safe_load(SANDBOX), **changes}
    with contextlib.suppress(DocumentFaults):
        load(yaml.safe_dump(tree, allow_unicode=True))


@patient
@given(mutations)
def test_a_changed_document_loads_or_gives_faults(mutation: tuple[int, int, str]) -> None:
    with contextlib.suppress(DocumentFaults):
        load(mutated(SANDBOX.encode(), mutation).decode("utf-8", "replace"))
