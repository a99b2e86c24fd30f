from __future__ import annotations

from pathlib import Path

import pytest

from bot.embedded.errors import explain

FULL = "could not write to file: No space left on device"


@pytest.mark.parametrize(
    ("said", "advice"),
    [
        (f"LOG:  starting\nFATAL:  {FULL}\nLOG:  shut down", "The disk is full"),
        ('FATAL:  data directory "/d" has wrong ownership', "belongs to another user"),
        ("[Errno 13] Permission denied: '/d'", "may not use the files"),
        ("FATAL:  database files are incompatible with server", "another version"),
    ],
)
def test_known_words_get_advice(said: str, advice: str) -> None:
    assert advice in str(explain("PostgreSQL", said, Path("/h/log")))


def test_the_telling_line_is_quoted() -> None:
    text = str(explain("PostgreSQL", f"LOG:  starting\nFATAL:  {FULL}\nLOG:  shut down\n"))
    assert text.startswith(f"PostgreSQL did not start: FATAL:  {FULL}. The disk is full")


def test_silence_is_said() -> None:
    assert str(explain("Valkey", "")) == "Valkey did not start: it said nothing."
