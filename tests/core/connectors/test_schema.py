"""The JSON Schema for editors takes what the loader takes, and underlines unknown names."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest
import yaml
from jsonschema import Draft202012Validator

from core.connectors import DocumentFaults, json_schema, load
from tests.core.connectors.support import LIBRARY

VALIDATOR = Draft202012Validator(json_schema())
DOCUMENTS = sorted(LIBRARY.glob("*.yaml"))
TEXT = (LIBRARY / "generic_md5_form.yaml").read_text()


class Yaml12(yaml.SafeLoader):
    """Scalars as editors take them: only true, false, null and numbers are no texts."""

    yaml_implicit_resolvers: dict[str, Any] = {}  # noqa: RUF012 (the library's own way)


for tag, pattern, first in (
    ("bool", r"(?:true|false)", "tf"),
    ("null", r"(?:~|null|)", ["~", "n", ""]),
    ("int", r"[-+]?[0-9]+", "-+0123456789"),
    ("float", r"[-+]?[0-9]+\.[0-9]*", "-+0123456789"),
):
    Yaml12.add_implicit_resolver(
        f"tag:yaml.org,2002:{tag}", re.compile(f"^{pattern}$"), list(first)
    )


def as_json(text: str) -> Any:
    """A document as an editor's language server sees it: names are texts."""
    return keyed(yaml.load(text, Loader=Yaml12))  # noqa: S506 (a SafeLoader)


def keyed(value: Any) -> Any:
    if isinstance(value, dict):
        return {str(name): keyed(inner) for name, inner in value.items()}
    return [keyed(inner) for inner in value] if isinstance(value, list) else value


def faults(document: Any) -> list[str]:
    return [
        f"{error.json_path}: {error.message[:200]}" for error in VALIDATOR.iter_errors(document)
    ]


def loads(document: Any) -> bool:
    try:
        load(yaml.safe_dump(document, allow_unicode=True, default_style='"'))
    except DocumentFaults:
        return False
    return True


def test_the_schema_is_one() -> None:
    Draft202012Validator.check_schema(json_schema())


def test_the_file_for_editors_is_the_schema() -> None:
    written = json.loads((LIBRARY / "schema.json").read_text())
    assert written == json_schema(), "write it with: python tools/references.py"


def test_every_name_is_described() -> None:
    def silent(shape: Any, path: str) -> list[str]:
        if isinstance(shape, list):
            return [p for index, item in enumerate(shape) for p in silent(item, f"{path}/{index}")]
        if not isinstance(shape, dict):
            return []
        names = shape.get("properties", {})
        found = [f"{path}/{n}" for n, inner in names.items() if not inner.get("description")]
        return found + [p for key, inner in shape.items() for p in silent(inner, f"{path}/{key}")]

    written = silent(json_schema(), "")
    assert {path.rpartition("/")[2] for path in written} <= {"$json", "xml"}


@pytest.mark.parametrize("path", DOCUMENTS, ids=lambda path: path.stem)
def test_a_document_of_the_library_is_valid(path: Path) -> None:
    assert faults(as_json(path.read_text())) == []


@pytest.mark.parametrize("path", DOCUMENTS, ids=lambda path: path.stem)
def test_what_loads_without_a_part_is_valid_without_it(path: Path) -> None:
    """Whatever is left out: the schema asks for nothing that the loader does not."""
    whole = as_json(path.read_text())
    whole.pop("fixtures")
    for name in whole:
        less = {key: value for key, value in whole.items() if key != name}
        assert faults(less) == [] or not loads(less), name
        if not isinstance(whole[name], dict):
            continue
        for inner in whole[name]:
            part = {key: value for key, value in whole[name].items() if key != inner}
            assert faults({**whole, name: part}) == [] or not loads({**whole, name: part}), inner


@pytest.mark.parametrize(
    ("path", "name"),
    [
        ((), "conector"),
        (("create",), "feilds"),
        (("create", "pay"), "link"),
        (("query",), "pay"),
        (("callback",), "sucess"),
        (("answers",), "refusd"),
        (("reads",), "order_no"),
        (("refund",), "ways"),
        (("fixtures",), "case"),
        (("fixtures", "attempt"), "amout"),
    ],
)
def test_an_unknown_name_is_underlined(path: tuple[str, ...], name: str) -> None:
    document = as_json(TEXT)
    place = document
    for key in path:
        place = place[key]
    place[name] = "x"
    assert any(name in fault for fault in faults(document))
    assert not loads(document)


@pytest.mark.parametrize("name", ["connector", "name", "create"])
def test_what_is_required_is_asked_for(name: str) -> None:
    document = as_json(TEXT)
    del document[name]
    assert any(name in fault for fault in faults(document))
    assert not loads(document)


@pytest.mark.parametrize(
    ("path", "value"),
    [
        (("amounts",), "cents"),
        (("connector",), "Big-Letters"),
        (("sandbox_only",), "yes"),
        (("language",), 2),
        (("credentials",), "key"),
        (("hosts",), ["https://pay.example"]),
        (("states", "1"), "payed"),
        (("answers", "signed"), "never"),
        (("answers", "statuses"), [99]),
        (("create", "method"), "SEND"),
        (("create", "path"), "pay"),
        (("create", "headers"), {"X Y": "a"}),
        (("create", "fields"), {"a b": "c"}),
        (("create", "ways"), {}),
        (("apps",), ["javascript"]),
        (("apps",), ["alipays://"]),
        (("callback", "from"), "yaml"),
        (("callback", "from"), ["query", "json"]),
        (("callback", "from"), ["form", "form"]),
        (("callback", "from"), []),
        (("callback", "then"), "trust"),
        (("sign",), {"params": {"order": "random"}}),
    ],
)
def test_a_word_that_cannot_be_is_underlined(path: tuple[str, ...], value: object) -> None:
    document = as_json(TEXT)
    *around, last = path
    place = document
    for key in around:
        place = place[key]
    place[last] = value
    assert faults(document)
    assert not loads(document)
