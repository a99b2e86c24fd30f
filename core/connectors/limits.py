"""Every bound of the connector engine, by name."""

from __future__ import annotations

from typing import Final

DOCUMENT_BYTES: Final = 64 * 1024
DOCUMENT_DEPTH: Final = 8
MAP_ENTRIES: Final = 100
LIST_ITEMS: Final = 100
SCALAR_CHARS: Final = 16 * 1024
FAULTS: Final = 50

ANSWER_BYTES: Final = 256 * 1024
CALLBACK_BYTES: Final = 64 * 1024
FIELDS: Final = 200
BODY_DEPTH: Final = 8
FIELD_CHARS: Final = 8 * 1024
NAME_CHARS: Final = 64
NUMBER_CHARS: Final = 255
PAY_CHARS: Final = 4 * 1024
PAGE_CHARS: Final = 32 * 1024
WORDS_CHARS: Final = 200
SIGNATURES: Final = 8
FRESH_S: Final = 300
BATCH: Final = 50
# Of a signed text: where it may be cut, and steps of looking at the ways in which it may be read.
READING_PLACES: Final = 2 * FIELDS
READING_STEPS: Final = 20_000
