"""What holds for every input: no belief without a signature, no crash of the loader."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Mapping
from copy import deepcopy
from typing import Any
from urllib.parse import urlencode

import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from core.connectors import DocumentFaults, HttpAnswer, InvalidCallback, Unknown, load
from core.connectors.loader import grammar
from core.connectors.operators import OPERATORS, TIME_WORDS
from core.connectors.values import FACTS as NAMED
from core.connectors.values import REFUND_FACTS, SIGNED
from tests.core.connectors.library import DOCUMENTS, PARSED
from tests.core.connectors.support import (
    ACCEPTED,
    CALLBACK,
    CREDENTIALS,
    FACTS,
    LIBRARY,
    NOW,
    STANDING,
    answer,
    callback,
    posted,
    sandbox,
    signed,
)
from tests.sizes import size

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


@given(json_values | st.dictionaries(st.sampled_from(NAMES), json_values))
def test_an_unsigned_answer_is_never_believed(body: object) -> None:
    reply = answer(body)
    assert isinstance(CONNECTOR.read_create(reply, FACTS, CREDENTIALS, now=NOW, nonce="n"), Unknown)
    assert CONNECTOR.read_standing("query", reply, FACTS, CREDENTIALS, now=NOW).state == "unknown"


@given(st.binary(), st.integers(100, 599))
def test_random_bytes_prove_nothing(body: bytes, status: int) -> None:
    reply = HttpAnswer(status, {}, body)
    assert isinstance(CONNECTOR.read_create(reply, FACTS, CREDENTIALS, now=NOW, nonce="n"), Unknown)
    assert CONNECTOR.read_standing("close", reply, FACTS, CREDENTIALS, now=NOW).state == "unknown"


@given(st.sampled_from([ACCEPTED, {**STANDING, "status": "CLOSED"}]), mutations)
def test_a_changed_answer_is_never_believed(body: dict[str, str], mutation: object) -> None:
    assert isinstance(mutation, tuple)
    original = answer(signed(body)).body
    changed = mutated(original, mutation)
    with contextlib.suppress(ValueError):
        if json.loads(changed) == json.loads(original):  # only its spaces were changed
            return
    reply = HttpAnswer(200, {}, changed)
    assert isinstance(CONNECTOR.read_create(reply, FACTS, CREDENTIALS, now=NOW, nonce="n"), Unknown)
    assert CONNECTOR.read_standing("query", reply, FACTS, CREDENTIALS, now=NOW).state == "unknown"


@given(fields | st.dictionaries(st.text(), st.text()))
def test_an_unsigned_callback_is_never_believed(body: dict[str, str]) -> None:
    with contextlib.suppress(InvalidCallback, UnicodeEncodeError):
        CONNECTOR.verify(callback(body), CREDENTIALS, currency="CNY", now=NOW)
        raise AssertionError(body)


@given(fields)
def test_a_signed_callback_says_what_its_fields_say_or_nothing(body: dict[str, str]) -> None:
    with contextlib.suppress(InvalidCallback, UnicodeEncodeError):
        (event,) = CONNECTOR.verify(callback(signed(body)), CREDENTIALS, currency="CNY", now=NOW)
        assert body["mch_id"] == CREDENTIALS["mch_id"]
        assert (event.attempt_no, event.upstream_no) == (body["out_trade_no"], body["trade_no"])
        assert (event.state == "paid") == (body["status"] == "SUCCESS")


@settings(max_examples=size(300, 5000))
@given(mutations)
def test_a_changed_callback_never_verifies(mutation: tuple[int, int, str]) -> None:
    original = urlencode(signed(CALLBACK)).encode()
    changed = posted(mutated(original, mutation))
    try:
        events = CONNECTOR.verify(changed, CREDENTIALS, currency="CNY", now=NOW)
    except InvalidCallback:
        return
    # A change that leaves every field as it was (an empty one more, `&&`) changes nothing.
    assert events == CONNECTOR.verify(posted(original), CREDENTIALS, currency="CNY", now=NOW)


@given(st.text())
def test_random_text_gives_faults_only(text: str) -> None:
    with contextlib.suppress(DocumentFaults):
        load(text)


@given(st.text(alphabet="abc:-?[]{},&*!|>'\"%@`#\\ \n\tUux0F~"))
def test_text_that_looks_like_yaml_gives_faults_only(text: str) -> None:
    with contextlib.suppress(DocumentFaults):
        load(text)


INNER = sorted(
    {
        word
        for words in vars(grammar).values()
        if isinstance(words, tuple)
        for word in words
        if isinstance(word, str)
    }
    | {name for names in grammar.READS.values() for name in names}
    | {name for names in grammar.OWN.values() for name in names}
    | {"$json", "*", grammar.HTML}
)
SPOKEN = [
    *NAMED,
    *REFUND_FACTS,
    *SIGNED,
    "token",
    "certificate",
    "content",
    "key",
    "mch_id",
    "own",
    "signature",
    "body.a.b",
    "header.X-Sign",
    "x",
]
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
# Words that mean something in one place of a document or another.
MEANT = [
    "/p", "none", "key", "true", "good", "false", "us", "payer", "app", "html", "query", "believe",
    "ignore", "keep", "flat", "json", "quoted", "pairs", "xml", "paid", "approved", "succeeded",
    "closed", "a + b", "a.0.b", ".a", "links[rel=next].href", "$token", "$certificate", "$key",
    "203.0.113.0/24", "*.example.com", "2026-01-02T03:04:05Z", "callback", "*",
]  # fmt: skip
written = pipes | steps | st.text(alphabet='$${}|"ab. \n', max_size=24) | st.text(max_size=8)
trees = st.recursive(
    st.none() | st.booleans() | st.integers() | written | st.sampled_from(MEANT),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(st.text(max_size=8) | st.sampled_from([*grammar.TOP, *INNER]), inner)
    ),
    max_leaves=12,
)
# Where a document says something in the language of values, where paths begin, and where only
# some words are known.
PLACES = """
    values own; tables ways; must_equal x; headers X-Own; fields x; fields x $json; credentials;
    hosts; body xml; sign text; sign steps; sign params; sign field; verify text; verify steps;
    verify from; verify fresh; verify params order; verify certificate from;
    verify certificate issued_by; verify certificate issued_to; reads state; states x;
    answers ok; answers open; answers open text; answers signed; answers code; answers refused;
    answers faults; create path; create headers; create within; create reads; create by;
    create method; create pay; create pay html; create pay from; create pay by;
    create pay kinds; create pay jsapi; create pay jsapi fields x; create pay jsapi sign;
    create pay url text; create ways; create ways x; create ways * by; create ways * pay;
    create ways x fields; query within; query verify; query states; close gives;
    capture path; capture states; refund path; refund gives; refund states; refund answers;
    refund_query path; refund_query reads; balance path; balance reads; token path;
    token reads; token lost; callback each; callback addresses; callback open;
    callback open as; callback verify; callback then; callback states; callback reads state;
    callback duplicate; callback success status; fixtures attempt; fixtures refund;
    fixtures now; fixtures cases
"""
SPOTS = [tuple(place.split()) for place in PLACES.split(";")]


def loads_or_gives_faults(tree: Mapping[str, Any]) -> None:
    with contextlib.suppress(DocumentFaults):
        load(yaml.safe_dump(dict(tree), allow_unicode=True))


@given(st.sampled_from(sorted(DOCUMENTS)), st.dictionaries(st.sampled_from(grammar.TOP), trees))
def test_random_trees_give_faults_only(code: str, changes: dict[str, object]) -> None:
    loads_or_gives_faults({**PARSED[code], **changes})


@settings(max_examples=size(60, 3000))
@given(
    st.sampled_from(sorted(DOCUMENTS)),
    st.dictionaries(
        st.sampled_from(SPOTS),
        written | st.sampled_from(MEANT) | written.map(lambda text: {"text": text}) | trees,
    ),
)
def test_random_values_give_faults_only(code: str, changes: dict[tuple[str, ...], object]) -> None:
    tree = deepcopy(PARSED[code])
    for spot, value in changes.items():
        put(tree, spot, value)
    loads_or_gives_faults(tree)


def put(tree: dict[str, Any], spot: tuple[str, ...], value: object) -> None:
    """A value at a path; what is no table on the way there becomes one."""
    *way, last = spot
    for name in way:
        if not isinstance(tree.get(name), dict):
            tree[name] = {}
        tree = tree[name]
    tree[last] = value


@given(mutations)
def test_a_changed_document_loads_or_gives_faults(mutation: tuple[int, int, str]) -> None:
    with contextlib.suppress(DocumentFaults):
        load(mutated(SANDBOX.encode(), mutation).decode("utf-8", "replace"))
