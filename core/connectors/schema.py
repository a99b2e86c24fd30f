"""The JSON Schema of connector documents, for editors: made of the names and words that the loader
takes, so that the two cannot drift apart.

An editor completes names and words with it and underlines unknown ones. It lets pass whatever
loads; that a document means something is found by loading it alone.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Final

from core.connectors import reference
from core.connectors.fixtures import ATTEMPT, CASE, REFUND, SECTION
from core.connectors.loader import grammar
from core.connectors.reference import Entry
from core.connectors.values import PACKED

Schema = dict[str, object]

DIALECT: Final = "https://json-schema.org/draft/2020-12/schema"
_SEE: Final = re.compile(r", see \[[^]]*\]\([^)]*\)")


def _ref(name: str) -> Schema:
    return {"$ref": f"#/$defs/{name}"}


_TEXT: Final = _ref("text")
_MAYBE: Final = _ref("maybe")
_FLAG: Final = _ref("flag")
_WORDS: Final = _ref("words")
_TEXTS: Final = _ref("texts")
_STATUSES: Final = _ref("statuses")
_PLACE: Final = _ref("place")
_SIMPLE: Final[Schema] = {
    # Every value of a document is a text, however an editor's YAML takes `0` or `true`.
    "text": {"type": ["string", "number", "boolean"]},
    "maybe": {"type": ["string", "number", "boolean", "null"]},
    "flag": {"enum": [True, False, "true", "false"]},
    "words": {"type": "array", "items": _TEXT, "uniqueItems": True},
    "texts": {"type": "object", "additionalProperties": _MAYBE},
    "place": {"anyOf": [_TEXT, _WORDS]},
    "statuses": {
        "type": "array",
        "items": {
            "anyOf": [
                {"type": "integer", "minimum": 100, "maximum": 599},
                {"type": "string", "pattern": "^[1-5][0-9]{2}$"},
            ]
        },
    },
}


def json_schema() -> Schema:
    """The whole schema, ready to be written as JSON."""
    return {
        "$schema": DIALECT,
        "title": "Paydesk connector document",
        "description": "How a supplier's interface is spoken to. docs/connectors.md explains it.",
        **_table(
            grammar.TOP,
            {**_SHARED, **_TOP},
            reference.DOCUMENT,
            required=("connector", "name", "create"),
        ),
        "$defs": {
            **_SIMPLE,
            **{f"{name}_reads": _reads(name) for name in ("query", "refund", "balance", "token")},
            "way": _way(),
            "reply": _reply(),
            "open": _OPEN,
            "fields": _fields(),
            "field": _field(),
            "sign": _or_none(_signature(grammar.SIGN, reference.SIGN)),
            "verify": _or_none(_signature(grammar.VERIFY, reference.VERIFY)),
            "answers": _table(grammar.ANSWERS, _ANSWERS, reference.ANSWERS),
            "pay": _pay(),
            "attempt": _table(ATTEMPT, dict.fromkeys(ATTEMPT, _MAYBE), reference.FACTS),
            "refund": _table(REFUND, dict.fromkeys(REFUND, _MAYBE), reference.REFUND),
        },
    }


def _table(
    names: Sequence[str],
    shapes: Mapping[str, Schema],
    entries: Mapping[str, Entry],
    *,
    required: Sequence[str] = (),
) -> Schema:
    """A table that holds these names and no others, each with its shape and what it says."""
    made: Schema = {
        "type": "object",
        "properties": {name: {**shapes[name], **_told(entries[name])} for name in names},
        "additionalProperties": False,
    }
    return made | ({"required": list(required)} if required else {})


def _told(entry: Entry) -> Schema:
    says = _SEE.sub("", entry.says).replace("`", "")
    absent = entry.absent.replace("`", "")
    return {"description": f"{says} (if absent: {absent})" if absent else says}


def _word(*words: str) -> Schema:
    return {"enum": list(words)}


def _or_none(shape: Schema) -> Schema:
    return {"anyOf": [_word("none"), shape]}


def _matching(pattern: re.Pattern[str]) -> Schema:
    return {"type": "string", "pattern": f"^(?:{pattern.pattern})$"}


def _reads(operation: str) -> Schema:
    names = grammar.READS[operation]
    entries = {**reference.OTHER_READS, **reference.PAYMENT_READS}
    if operation in ("balance", "token"):
        entries |= reference.OTHER_READS
    return _table(names, dict.fromkeys(names, _PLACE), entries)


def _states(*words: str) -> Schema:
    return {
        "type": "object",
        "propertyNames": {"minLength": 1},
        "additionalProperties": _word(*words),
    }


def _fields() -> Schema:
    return {
        "type": "object",
        "patternProperties": {r"^[A-Za-z0-9_.\-\[\]]{1,64}$": _ref("field")},
        "additionalProperties": False,
    }


def _field() -> Schema:
    """The value of a field: a text, a table of more, or a list of both."""
    packed: Schema = {
        "type": "object",
        "properties": {PACKED: _ref("field")},
        "required": [PACKED],
        "additionalProperties": False,
    }
    items: Schema = {"type": "array", "items": {"anyOf": [_MAYBE, _ref("fields")]}}
    return {"anyOf": [_MAYBE, items, packed, _ref("fields")]}


def _signature(names: Sequence[str], entries: Mapping[str, Entry]) -> Schema:
    return _table(names, {name: _SIGNATURE.get(name, _TEXT) for name in names}, entries)


def _pay() -> Schema:
    made = _table(
        grammar.PAY_MADE,
        {"text": _TEXT, "fields": _ref("fields"), "sign": _ref("sign")},
        reference.PAY_MADE,
    )
    way: Schema = {"anyOf": [_TEXT, _WORDS, made]}
    shapes: dict[str, Schema] = dict.fromkeys(grammar.PAYS, way)
    shapes |= {
        grammar.HTML: _PLACE,
        "from": _PLACE,
        "by": _TEXT,
        "kinds": {"type": "object", "additionalProperties": _word(*grammar.PAYS, grammar.HTML)},
    }
    # The words are of what a payer is handed who sends the request.
    words = _word("none", "app", "url", "form")
    return {"anyOf": [words, _table(grammar.PAY, shapes, reference.PAY)]}


def _operation(name: str) -> Schema:
    names = (*grammar.CALL, *grammar.OWN.get(name, ()))
    refunding = name in grammar.REFUNDING
    shapes = {**_SHARED, **_CALL}
    if refunding:
        shapes |= {"reads": _ref("refund_reads"), "states": _states(*grammar.REFUND_STATES)}
    elif name in ("balance", "token"):
        shapes["reads"] = _ref(f"{name}_reads")
    if name == "close":
        shapes["gives"] = _word(*grammar.CLOSE_GIVES)
    if name != "create":
        return _table(names, shapes, _CALLED, required=["path"])
    shapes["ways"] = {
        "type": "object",
        "minProperties": 1,
        "propertyNames": {"anyOf": [_word("*"), _matching(grammar.WAY_CODE)]},
        "additionalProperties": _ref("way"),
    }
    made = _table(names, shapes, _CALLED)
    return {**made, "anyOf": [{"required": ["path"]}, {"required": ["ways"]}]}


def _way() -> Schema:
    return _table(grammar.WAY, {**_SHARED, **_CALL}, _CALLED)


def _reply() -> Schema:
    shapes = {"status": _TEXT, "type": _matching(grammar.CONTENT_TYPE), "body": _MAYBE}
    return {"anyOf": [_TEXT, _table(grammar.REPLY, shapes, reference.REPLY)]}


def _callback() -> Schema:
    shapes: dict[str, Schema] = {
        "from": {
            "anyOf": [
                _word(*grammar.FORMS),
                {
                    "type": "array",
                    "items": _word(*grammar.PLACES),
                    "uniqueItems": True,
                    "minItems": 1,
                },
            ]
        },
        "verify": _ref("verify"),
        "open": _ref("open"),
        "within": _TEXT,
        "each": _TEXT,
        "reads": _ref("query_reads"),
        "states": _states(*grammar.STATES, grammar.IGNORE),
        "then": _word("believe", "query"),
        "addresses": _WORDS,
        **dict.fromkeys(("success", "duplicate", "failure"), _ref("reply")),
    }
    entries = {**reference.DOCUMENT, **reference.CALLBACK}
    return _table(grammar.CALLBACK, shapes, entries, required=("success", "failure"))


def _fixtures() -> Schema:
    shapes: dict[str, Schema] = dict.fromkeys(CASE, _MAYBE)
    shapes |= {
        "build": _word(*grammar.OPERATIONS),
        "read": _word(*grammar.OPERATIONS),
        "verify": _word("callback"),
        "gives": _word(*dict.fromkeys(word for some in reference.GIVES.values() for word in some)),
        "attempt": _ref("attempt"),
        "refund": _ref("refund"),
        "headers": _TEXTS,
    }
    case = _table(CASE, shapes, reference.CASE)
    kinds = [{"required": [kind]} for kind in ("build", "read", "verify")]
    whole: dict[str, Schema] = {
        "credentials": _TEXTS,
        "attempt": _ref("attempt"),
        "refund": _ref("refund"),
        "token": _TEXT,
        "now": _TEXT,
        "nonce": _TEXT,
        "cases": {"type": "array", "items": {**case, "oneOf": kinds}},
    }
    return _table(SECTION, whole, reference.FIXTURES)


_CALLED: Final[Mapping[str, Entry]] = {**reference.DOCUMENT, **reference.OPERATION}
_OPEN: Final[Schema] = _table(
    grammar.OPEN, {"text": _TEXT, "as": _word(*grammar.BODIES)}, reference.OPEN, required=["text"]
)
_ANSWERS: Final[Mapping[str, Schema]] = {
    "from": _word(*grammar.FORMS),
    "signed": {"enum": [True, False, "true", "false", "good"]},
    "open": _ref("open"),
    "ok": {"type": "object", "additionalProperties": {"anyOf": [_TEXT, _WORDS]}},
    "statuses": _STATUSES,
    "code": _PLACE,
    "message": _PLACE,
    "refused": _WORDS,
    "refused_statuses": _STATUSES,
    "not_found": _WORDS,
    "not_found_statuses": _STATUSES,
    "faults": _STATUSES,
}
_PARAMS: Final[Mapping[str, Schema]] = {
    "order": {"anyOf": [_word(*grammar.ORDERS), _WORDS]},
    "without": _WORDS,
    "empty": _word("drop", "keep"),
    "write": _word("pair", "value", "quoted"),
    "url": _FLAG,
    "join": _MAYBE,
    "nested": _word("skip", "json", "flat"),
}
_SIGNATURE: Final[Mapping[str, Schema]] = {
    "params": _table(grammar.PARAMS, _PARAMS, reference.PARAMS),
    "certificate": _table(
        grammar.CERTIFICATE,
        {**dict.fromkeys(grammar.CERTIFICATE, _TEXT), "issued_to": _PLACE},
        reference.CERTIFICATE,
        required=grammar.CERTIFICATE,
    ),
}
_SHARED: Final[Mapping[str, Schema]] = {
    "body": {
        "anyOf": [
            _word(*grammar.BODIES),
            {"type": "object", "properties": {"xml": _TEXT}, "additionalProperties": False},
        ]
    },
    "headers": {
        "type": "object",
        "propertyNames": _matching(grammar.HEADER),
        "additionalProperties": _MAYBE,
    },
    "fields": _ref("fields"),
    "sign": _ref("sign"),
    "verify": _ref("verify"),
    "reads": _ref("query_reads"),
    "states": _states(*grammar.STATES, grammar.IGNORE),
    "answers": _ref("answers"),
}
_CALL: Final[Mapping[str, Schema]] = {
    "method": _word(*grammar.METHODS),
    "path": {"type": "string", "pattern": "^/"},
    "within": _TEXT,
    "by": _word("us", "payer"),
    "pay": _ref("pay"),
    "gives": _word(*grammar.REFUND_STATES),
    "lost": _STATUSES,
}
_HOSTS: Final[Schema] = {
    "type": "array", "items": _matching(grammar.HOST), "uniqueItems": True,
}  # fmt: skip
_TOP: Final[Mapping[str, Schema]] = {
    "connector": _matching(grammar.CODE),
    "language": {"enum": [grammar.LANGUAGE, str(grammar.LANGUAGE)]},
    "name": _TEXT,
    **dict.fromkeys(
        ("sandbox_only", "create_is_idempotent", "refund_is_idempotent", "not_found_is_final"),
        _FLAG,
    ),
    "credentials": {"anyOf": [_WORDS, {"type": "object", "additionalProperties": _TEXT}]},
    **dict.fromkeys(("servers", "hosts"), _HOSTS),
    "apps": {
        "type": "array",
        "items": {**_matching(grammar.APP), "not": _word(*sorted(grammar.NO_APPS))},
        "uniqueItems": True,
    },
    "amounts": _word("decimal", "minor"),
    "tables": {"type": "object", "additionalProperties": _TEXTS},
    "values": _TEXTS,
    "must_equal": {"type": "object", "additionalProperties": _TEXT},
    **{name: _operation(name) for name in grammar.OPERATIONS},
    "callback": _callback(),
    "fixtures": _fixtures(),
}
