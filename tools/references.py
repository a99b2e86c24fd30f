#!/usr/bin/env python3
"""Writes what is made of the code: connectors/schema.json, the tables of docs/connectors.md, the
commands of docs/bot.md and the words of docs/money-words.md. To be run with .venv/bin/python after
a change of them."""

from __future__ import annotations

import json
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from core.connectors import fill_reference, json_schema  # noqa: E402 (the checkout is not installed)
from handlers.guide import fill_guide, fill_money_words  # noqa: E402

PAGE = ROOT / "docs" / "connectors.md"
GUIDE = ROOT / "docs" / "bot.md"
MONEY_WORDS = ROOT / "docs" / "money-words.md"
SCHEMA = ROOT / "connectors" / "schema.json"


def main() -> None:
    """Write all of it, whatever is there."""
    GUIDE.write_text(fill_guide(GUIDE.read_text(encoding="utf-8")), encoding="utf-8")
    words = fill_money_words(MONEY_WORDS.read_text(encoding="utf-8"))
    MONEY_WORDS.write_text(words, encoding="utf-8")
    PAGE.write_text(fill_reference(PAGE.read_text(encoding="utf-8")), encoding="utf-8")
    text = json.dumps(json_schema(), ensure_ascii=False, indent=2)
    SCHEMA.write_text(f"{text}\n", encoding="utf-8")
    print(
        *(f"wrote {path.relative_to(ROOT)}" for path in (GUIDE, MONEY_WORDS, PAGE, SCHEMA)),
        sep="\n",
    )


if __name__ == "__main__":
    main()
