#!/usr/bin/env python3
"""Writes what is made of the language of connector documents: connectors/schema.json and the tables
of docs/connectors.md. To be run with .venv/bin/python after a change of the language."""

from __future__ import annotations

import json
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from core.connectors import fill_reference, json_schema  # noqa: E402 (the checkout is not installed)

PAGE = ROOT / "docs" / "connectors.md"
SCHEMA = ROOT / "connectors" / "schema.json"


def main() -> None:
    """Write both, whatever is there."""
    PAGE.write_text(fill_reference(PAGE.read_text(encoding="utf-8")), encoding="utf-8")
    text = json.dumps(json_schema(), ensure_ascii=False, indent=2)
    SCHEMA.write_text(f"{text}\n", encoding="utf-8")
    print(f"wrote {PAGE.relative_to(ROOT)} and {SCHEMA.relative_to(ROOT)}")


if __name__ == "__main__":
    main()
