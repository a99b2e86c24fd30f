"""The simple shapes that the schema of connector documents is put together of."""

from __future__ import annotations

import re
from typing import Final

Schema = dict[str, object]


def ref(name: str) -> Schema:
    """What is defined under a name."""
    return {"$ref": f"#/$defs/{name}"}


TEXT: Final = ref("text")
MAYBE: Final = ref("maybe")
FLAG: Final = ref("flag")
WORDS: Final = ref("words")
TEXTS: Final = ref("texts")
STATUSES: Final = ref("statuses")
PLACE: Final = ref("place")
SIMPLE: Final[Schema] = {
    # Every value of a document is a text, however an editor's YAML takes `0` or `true`.
    "text": {"type": ["string", "number", "boolean"]},
    "maybe": {"type": ["string", "number", "boolean", "null"]},
    "flag": {"enum": [True, False, "true", "false"]},
    "words": {"type": "array", "items": TEXT, "uniqueItems": True},
    "texts": {"type": "object", "additionalProperties": MAYBE},
    "place": {"anyOf": [TEXT, WORDS]},
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


def word(*words: str) -> Schema:
    """One of these."""
    return {"enum": list(words)}


def or_none(shape: Schema) -> Schema:
    """That, or the word `none`."""
    return {"anyOf": [word("none"), shape]}


def matching(pattern: re.Pattern[str]) -> Schema:
    """A text that is all of the pattern."""
    return {"type": "string", "pattern": f"^(?:{pattern.pattern})$"}
