"""Bodies: written as suppliers want them, read without interpretation, and bounded."""

from __future__ import annotations

import json
from decimal import Decimal
from urllib.parse import urlencode

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.connectors import limits
from core.connectors.messages import (
    UnreadableError,
    find,
    raw_member,
    read_body,
    read_json,
    read_xml,
    within,
    write_body,
    write_form,
    write_json,
)

texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=12)


@given(st.dictionaries(texts, texts, max_size=5))
def test_a_form_is_what_everybody_writes(fields: dict[str, str]) -> None:
    assert write_form({**fields}) == urlencode(fields)


trees = st.recursive(
    texts | st.integers(), lambda inner: st.dictionaries(texts, inner, max_size=4), max_leaves=10
)


@given(st.dictionaries(texts, trees, max_size=4))
def test_json_is_json(tree: dict[str, object]) -> None:
    assert json.loads(write_json(tree)) == tree


def test_numbers_and_words_of_json_come_back_as_they_were_written() -> None:
    body = b'{"a": 1.10, "b": [true, {"c": 12345678901234567890}], "d": null, "e": "x"}'
    tree = read_json(body)
    assert write_json(tree) == '{"a":1.10,"b":[true,{"c":12345678901234567890}],"e":"x"}'
    assert write_json({"a": Decimal("1.10"), "b": 2}) == '{"a":1.10,"b":2}'
    assert (find(tree, ("a",)), find(tree, ("b", "1", "c"))) == ("1.10", "12345678901234567890")
    assert within(tree, ("b", "7")) is within(tree, ("b", "x")) is within(tree, ("a", "b")) is None


def test_xml_is_its_elements() -> None:
    body = (
        "<?xml version='1.0'?><xml><a><![CDATA[1 & 2]]></a><b><c>乌龙</c></b><l>1</l><l>2</l></xml>"
    )
    tree = read_xml(body.encode())
    assert tree == {"a": "1 & 2", "b": {"c": "乌龙"}, "l": ["1", "2"]}
    assert read_xml(write_body("xml", tree, root="order")) == tree


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"text",
        b"<a>",
        b"<a></b>",
        b"<!DOCTYPE a [<!ENTITY x 'y'>]><a>&x;</a>",
        b"<!DOCTYPE a SYSTEM 'file:///etc/passwd'><a/>",
        b"<a>&undefined;</a>",
        b"<a>" * 2000,
        b"<a>" + b"<b/>" * (limits.FIELDS + 1) + b"</a>",
        b"<a><b>" + b"x" * (limits.FIELD_CHARS + 1) + b"</b></a>",
        b"\xff\xfe<a/>",
    ],
    ids=range(11),
)
def test_xml_that_is_not_read(body: bytes) -> None:
    with pytest.raises(UnreadableError):
        read_xml(body)


@given(st.binary(max_size=60), st.sampled_from(["json", "xml", "form"]))
def test_whatever_comes_is_read_or_refused(body: bytes, form: str) -> None:
    try:
        read_body(form, body)  # type: ignore[arg-type]  # one of the three
    except UnreadableError:
        return


def test_a_part_of_json_as_it_stands() -> None:
    text = '{ "sign" : "b\\"}" , "data": { "a" : 1.0,"b":[ ] } , "c":2}'
    read_json(text.encode())
    assert raw_member(text, "data") == '{ "a" : 1.0,"b":[ ] }'
    assert raw_member(text, "sign") == '"b\\"}"'
    assert raw_member(text, "c") == "2"
    assert raw_member(text, "none") == ""
