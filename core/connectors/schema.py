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
from core.connectors.shapes import (
    FLAG,
    MAYBE,
    PLACE,
    SIMPLE,
    STATUSES,
    TEXT,
    TEXTS,
    WORDS,
    Schema,
    matching,
    or_none,
    ref,
    word,
)
from core.connectors.values import PACKED

DIALECT: Final = "https://json-schema.org/draft/2020-12/schema"
_SEE: Final = re.compile(r", see \[[^]]*\]\([^)]*\)")


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
            **SIMPLE,
            **{f"{name}_reads": _reads(name) for name in ("query", "refund", "balance", "token")},
            "way": _way(),
            "reply": _reply(),
            "open": _OPEN,
            "fields": _fields(),
            "field": _field(),
            "sign": or_none(_signature(grammar.SIGN, reference.SIGN)),
            "verify": or_none(_signature(grammar.VERIFY, reference.VERIFY)),
            "answers": _table(grammar.ANSWERS, _ANSWERS, reference.ANSWERS),
            "pay": _pay(),
            "attempt": _table(ATTEMPT, dict.fromkeys(ATTEMPT, MAYBE), reference.FACTS),
            "refund": _table(REFUND, dict.fromkeys(REFUND, MAYBE), reference.REFUND),
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


def _reads(operation: str) -> Schema:
    names = grammar.READS[operation]
    entries = {**reference.OTHER_READS, **reference.PAYMENT_READS}
    if operation in ("balance", "token"):
        entries |= reference.OTHER_READS
    return _table(names, dict.fromkeys(names, PLACE), entries)


def _states(*words: str) -> Schema:
    return {
        "type": "object",
        "propertyNames": {"minLength": 1},
        "additionalProperties": word(*words),
    }


def _fields() -> Schema:
    return {
        "type": "object",
        "patternProperties": {r"^[A-Za-z0-9_.\-\[\]]{1,64}$": ref("field")},
        "additionalProperties": False,
    }


def _field() -> Schema:
    """The value of a field: a text, a table of more, or a list of both."""
    packed: Schema = {
        "type": "object",
        "properties": {PACKED: ref("field")},
        "required": [PACKED],
        "additionalProperties": False,
    }
    items: Schema = {"type": "array", "items": {"anyOf": [MAYBE, ref("fields")]}}
    return {"anyOf": [MAYBE, items, packed, ref("fields")]}


def _signature(names: Sequence[str], entries: Mapping[str, Entry]) -> Schema:
    return _table(names, {name: _SIGNATURE.get(name, TEXT) for name in names}, entries)


def _pay() -> Schema:
    made = _table(
        grammar.PAY_MADE,
        {"text": TEXT, "fields": ref("fields"), "sign": ref("sign")},
        reference.PAY_MADE,
    )
    way: Schema = {"anyOf": [TEXT, WORDS, made]}
    shapes: dict[str, Schema] = dict.fromkeys(grammar.PAYS, way)
    shapes |= {
        grammar.HTML: PLACE,
        "from": PLACE,
        "by": TEXT,
        "kinds": {"type": "object", "additionalProperties": word(*grammar.PAYS, grammar.HTML)},
    }
    # The words are of what a payer is handed who sends the request.
    words = word("none", "app", "url", "form")
    return {"anyOf": [words, _table(grammar.PAY, shapes, reference.PAY)]}


def _operation(name: str) -> Schema:
    names = (*grammar.CALL, *grammar.OWN.get(name, ()))
    refunding = name in grammar.REFUNDING
    shapes = {**_SHARED, **_CALL}
    if refunding:
        shapes |= {"reads": ref("refund_reads"), "states": _states(*grammar.REFUND_STATES)}
    elif name in ("balance", "token"):
        shapes["reads"] = ref(f"{name}_reads")
    if name == "close":
        shapes["gives"] = word(*grammar.CLOSE_GIVES)
    if name != "create":
        return _table(names, shapes, _CALLED, required=["path"])
    shapes["ways"] = {
        "type": "object",
        "minProperties": 1,
        "propertyNames": {"anyOf": [word("*"), matching(grammar.WAY_CODE)]},
        "additionalProperties": ref("way"),
    }
    made = _table(names, shapes, _CALLED)
    return {**made, "anyOf": [{"required": ["path"]}, {"required": ["ways"]}]}


def _way() -> Schema:
    return _table(grammar.WAY, {**_SHARED, **_CALL}, _CALLED)


def _reply() -> Schema:
    shapes = {"status": TEXT, "type": matching(grammar.CONTENT_TYPE), "body": MAYBE}
    return {"anyOf": [TEXT, _table(grammar.REPLY, shapes, reference.REPLY)]}


def _callback() -> Schema:
    shapes: dict[str, Schema] = {
        "from": {
            "anyOf": [
                word(*grammar.FORMS),
                {
                    "type": "array",
                    "items": word(*grammar.PLACES),
                    "uniqueItems": True,
                    "minItems": 1,
                },
            ]
        },
        "verify": ref("verify"),
        "open": ref("open"),
        "within": TEXT,
        "each": TEXT,
        "reads": ref("query_reads"),
        "states": _states(*grammar.STATES, grammar.IGNORE),
        "then": word("believe", "query"),
        "addresses": WORDS,
        **dict.fromkeys(("success", "duplicate", "failure"), ref("reply")),
    }
    entries = {**reference.DOCUMENT, **reference.CALLBACK}
    return _table(grammar.CALLBACK, shapes, entries, required=("success", "failure"))


def _fixtures() -> Schema:
    shapes: dict[str, Schema] = dict.fromkeys(CASE, MAYBE)
    shapes |= {
        "build": word(*grammar.OPERATIONS),
        "read": word(*grammar.OPERATIONS),
        "verify": word("callback"),
        "gives": word(*dict.fromkeys(word for some in reference.GIVES.values() for word in some)),
        "attempt": ref("attempt"),
        "refund": ref("refund"),
        "headers": TEXTS,
    }
    case = _table(CASE, shapes, reference.CASE)
    kinds = [{"required": [kind]} for kind in ("build", "read", "verify")]
    whole: dict[str, Schema] = {
        "credentials": TEXTS,
        "attempt": ref("attempt"),
        "refund": ref("refund"),
        "token": TEXT,
        "now": TEXT,
        "nonce": TEXT,
        "cases": {"type": "array", "items": {**case, "oneOf": kinds}},
    }
    return _table(SECTION, whole, reference.FIXTURES)


_CALLED: Final[Mapping[str, Entry]] = {**reference.DOCUMENT, **reference.OPERATION}
_OPEN: Final[Schema] = _table(
    grammar.OPEN, {"text": TEXT, "as": word(*grammar.BODIES)}, reference.OPEN, required=["text"]
)
_ANSWERS: Final[Mapping[str, Schema]] = {
    "from": word(*grammar.FORMS),
    "signed": {"enum": [True, False, "true", "false", "good"]},
    "open": ref("open"),
    "ok": {"type": "object", "additionalProperties": {"anyOf": [TEXT, WORDS]}},
    "statuses": STATUSES,
    "code": PLACE,
    "message": PLACE,
    "refused": WORDS,
    "refused_statuses": STATUSES,
    "not_found": WORDS,
    "not_found_statuses": STATUSES,
    "faults": STATUSES,
}
_PARAMS: Final[Mapping[str, Schema]] = {
    "order": {"anyOf": [word(*grammar.ORDERS), WORDS]},
    "without": WORDS,
    "empty": word("drop", "keep"),
    "write": word("pair", "value", "quoted"),
    "url": FLAG,
    "join": MAYBE,
    "nested": word("skip", "json", "flat"),
}
_SIGNATURE: Final[Mapping[str, Schema]] = {
    "params": _table(grammar.PARAMS, _PARAMS, reference.PARAMS),
    "certificate": _table(
        grammar.CERTIFICATE,
        {**dict.fromkeys(grammar.CERTIFICATE, TEXT), "issued_to": PLACE},
        reference.CERTIFICATE,
        required=grammar.CERTIFICATE,
    ),
}
_SHARED: Final[Mapping[str, Schema]] = {
    "body": {
        "anyOf": [
            word(*grammar.BODIES),
            {"type": "object", "properties": {"xml": TEXT}, "additionalProperties": False},
        ]
    },
    "headers": {
        "type": "object",
        "propertyNames": matching(grammar.HEADER),
        "additionalProperties": MAYBE,
    },
    "fields": ref("fields"),
    "sign": ref("sign"),
    "verify": ref("verify"),
    "reads": ref("query_reads"),
    "states": _states(*grammar.STATES, grammar.IGNORE),
    "answers": ref("answers"),
}
_CALL: Final[Mapping[str, Schema]] = {
    "method": word(*grammar.METHODS),
    "path": {"type": "string", "pattern": "^/"},
    "within": TEXT,
    "by": word("us", "payer"),
    "pay": ref("pay"),
    "gives": word(*grammar.REFUND_STATES),
    "lost": STATUSES,
}
_HOSTS: Final[Schema] = {
    "type": "array", "items": matching(grammar.HOST), "uniqueItems": True,
}  # fmt: skip
_TOP: Final[Mapping[str, Schema]] = {
    "connector": matching(grammar.CODE),
    "language": {"enum": [grammar.LANGUAGE, str(grammar.LANGUAGE)]},
    "name": TEXT,
    **dict.fromkeys(
        ("sandbox_only", "create_is_idempotent", "refund_is_idempotent", "not_found_is_final"), FLAG
    ),
    "credentials": {"anyOf": [WORDS, {"type": "object", "additionalProperties": TEXT}]},
    **dict.fromkeys(("servers", "hosts"), _HOSTS),
    "apps": {
        "type": "array",
        "items": {**matching(grammar.APP), "not": word(*sorted(grammar.NO_APPS))},
        "uniqueItems": True,
    },
    "amounts": word("decimal", "minor"),
    "tables": {"type": "object", "additionalProperties": TEXTS},
    "values": TEXTS,
    "must_equal": {"type": "object", "additionalProperties": TEXT},
    **{name: _operation(name) for name in grammar.OPERATIONS},
    "callback": _callback(),
    "fixtures": _fixtures(),
}
