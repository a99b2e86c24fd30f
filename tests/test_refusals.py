"""Each code of a refusal is declared once, in the room that refuses with it, and is in use."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
from collections import defaultdict
from pathlib import Path
from typing import Final

import pytest

from core.kernel.errors import Bug, Refusal, declare
from tests.codes import REFUSALS

ROOT = Path(__file__).resolve().parent.parent
MECHANISM: Final = ROOT / "core" / "kernel" / "errors.py"
# From the bottom up. Whoever stands higher may refuse with what is declared lower.
ROOMS: Final = (
    "core/kernel", "core/system", "core/books", "core/delivery", "core/connectors", "core/parties",
    "core/people", "core/supply", "core/trade", "core/accounts", "core/reports", "core", "texts",
    "payapi", "handlers", "scheduler", "bot",
)  # fmt: skip
NEIGHBOURS: Final = {"payapi", "handlers", "scheduler"}  # which never import each other


def room_of(path: Path) -> str:
    parts = path.relative_to(ROOT).parts
    within = "/".join(parts[:2])
    return within if within in ROOMS else parts[0]


def sources() -> list[Path]:
    found = [path for top in ("core", "texts", "payapi", "handlers", "scheduler", "bot")
             for path in sorted((ROOT / top).rglob("*.py"))]  # fmt: skip
    return [path for path in found if path.name != "codes.py" and path != MECHANISM]


def tables() -> dict[str, str]:
    """code -> the room that declares it, as the tables stand in the source."""
    homes: dict[str, str] = {}
    for path in sorted(ROOT.glob("*/codes.py")) + sorted(ROOT.glob("core/*/codes.py")):
        if path.parent.name == "tests":
            continue
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Dict):
                for key, value in zip(node.keys, node.values, strict=True):
                    if isinstance(key, ast.Constant) and isinstance(value, ast.Constant):
                        assert key.value not in homes, f"{key.value} is declared twice"
                        homes[str(key.value)] = room_of(path)
    return homes


def refused() -> dict[str, set[str]]:
    """code -> the rooms in whose source it stands as a word."""
    rooms: defaultdict[str, set[str]] = defaultdict(set)
    for path in sources():
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Constant) and isinstance(node.value, str):
                rooms[node.value].add(room_of(path))
    return rooms


def raised() -> dict[str, set[str]]:
    """code -> the rooms that say Refusal("code"), or its like."""
    rooms: defaultdict[str, set[str]] = defaultdict(set)
    for path in sources():
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call) and getattr(node.func, "id", "") in ("Refusal", "Doubt"):
                for code in ast.walk(node.args[0]):
                    if isinstance(code, ast.Constant) and isinstance(code.value, str):
                        rooms[code.value].add(room_of(path))
    return rooms


def reaches(room: str, home: str) -> bool:
    """Whether a room has imported what another declares."""
    if room == home:
        return True
    return ROOMS.index(home) < ROOMS.index(room) and not {room, home} <= NEIGHBOURS


def test_the_tables_are_what_is_declared() -> None:
    homes = tables()
    assert homes.keys() == REFUSALS.keys()
    assert len(homes) > 100
    assert len(set(homes.values())) >= 10, "each district has its own"


def test_none_is_unused_and_each_is_of_a_room_that_refuses_with_it() -> None:
    homes, said = tables(), refused()
    assert [code for code in homes if not said[code]] == []
    elsewhere = {code for code, home in homes.items() if home not in said[code]}
    # payapi and handlers, which never meet, refuse with one of these; the other is the bot's, which
    # says it in a chat. They stand in a room below.
    assert elsewhere == {"export_too_big", "rate_limited"}
    assert all(reaches(room, homes[code]) for code in elsewhere for room in said[code])


def test_nobody_refuses_with_what_is_declared_above() -> None:
    homes, by_code = tables(), raised()
    unknown = by_code.keys() - homes.keys()
    assert {code for code in unknown if re.fullmatch(r"[a-z]+(_[a-z]+)+", code)} == set()
    above = [
        f"{room} refuses with {code}, which {homes[code]} declares"
        for code in by_code.keys() & homes.keys()
        for room in by_code[code]
        if not reaches(room, homes[code])
    ]
    assert above == []


@pytest.mark.parametrize("room", sorted(set(tables().values())))
def test_whoever_imports_a_module_of_a_room_has_its_codes(room: str) -> None:
    """Also where nothing else of the desk is imported."""
    code = next(code for code, home in tables().items() if home == room)
    package = room.replace("/", ".")
    ask = (
        f"import {package}; from core.kernel.errors import declared; assert {code!r} in declared()"
    )
    done = subprocess.run(
        [sys.executable, "-c", ask], cwd=ROOT, capture_output=True, text=True, timeout=60,
        check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr


def test_a_code_is_declared_once() -> None:
    before = dict(REFUSALS)
    with pytest.raises(Bug, match="order_not_found"):
        declare({"conflict": {"a_new_one": "So it is.", "order_not_found": "It is not."}})
    assert before == REFUSALS


def test_nobody_refuses_with_a_code_that_is_not_declared() -> None:
    with pytest.raises(Bug, match="nobody_said_so"):
        Refusal("nobody_said_so")
