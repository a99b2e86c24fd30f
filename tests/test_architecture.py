"""The directions of the house, proven: who imports whom, and what a package shows of itself."""

from __future__ import annotations

import ast
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tools.measure import House

ROOT = Path(__file__).resolve().parent.parent
OURS = ("bench", "bot", "core", "handlers", "past", "payapi", "scheduler", "texts")
MAX_LINES = 500


def modules(*rooms: str) -> list[Path]:
    return sorted(path for room in rooms for path in (ROOT / room).rglob("*.py"))


def name_of(path: Path) -> str:
    parts = path.relative_to(ROOT).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def imports(path: Path) -> Iterator[str]:
    """Every module that a file imports, as far as its syntax tells: also inside functions."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path} imports relatively"
            module = node.module or ""
            yield module
            yield from (f"{module}.{alias.name}" for alias in node.names)


def importing(room: str, *names: str) -> set[str]:
    """Modules of a room that import one of these packages."""
    return {
        name_of(path)
        for path in modules(room)
        if any(found.split(".")[0] in names for found in imports(path))
    }


def test_the_contracts_hold() -> None:
    done = subprocess.run(
        [Path(sys.executable).with_name("lint-imports"), "--no-cache"],
        cwd=ROOT, capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr


def test_only_the_gateway_speaks_http() -> None:
    assert importing("core", "aiohttp") == {"core.system.gateway"}


def test_only_core_speaks_sql() -> None:
    assert House().sql_above_core() == []


def test_the_business_knows_no_telegram_timetable_or_templates() -> None:
    assert importing("core", "aiogram", "apscheduler", "jinja2") == set()


def test_the_sandbox_stands_alone() -> None:
    assert importing("sandbox", *OURS) == set()
    for room in OURS:
        assert importing(room, "sandbox") == set()


def test_a_packages_inside_is_its_own() -> None:
    """What a room of core shows stands in its `__all__`: nobody else imports what is inside."""
    inside = {
        name_of(path): f"{name_of(face)}."
        for face in faces()
        if face.is_relative_to(ROOT / "core")
        for path in face.parent.glob("*.py")
        if path != face and path.stem not in shown(face)
    }
    assert len(inside) > 100
    reaching = [
        f"{name_of(path)} imports {found}"
        for path in modules(*OURS)
        for found in imports(path)
        if found in inside and not f"{name_of(path)}.".startswith(inside[found])
    ]
    assert reaching == []


def faces() -> list[Path]:
    """Packages of the desk that export names."""
    found = [path for path in modules(*OURS) if path.name == "__init__.py"]
    return [path for path in found if any(_from_imports(path))]


def shown(path: Path) -> list[str]:
    """The one `__all__` of a package."""
    (names,) = [
        ast.literal_eval(node.value)
        for node in ast.parse(path.read_text(encoding="utf-8")).body
        if isinstance(node, ast.Assign) and getattr(node.targets[0], "id", "") == "__all__"
    ]
    return list(names)


def _from_imports(path: Path) -> Iterator[str]:
    package = name_of(path)
    for node in ast.parse(path.read_text(encoding="utf-8")).body:
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith(f"{package}."):
            yield from (alias.asname or alias.name for alias in node.names)


@pytest.mark.parametrize("path", faces(), ids=name_of)
def test_a_face_is_a_sorted_list_of_what_it_shows(path: Path) -> None:
    names = shown(path)
    # constants, then classes, then functions, each by name: the order ruff keeps as well
    assert names == sorted(names, key=_kind_and_name)
    assert len(set(names)) == len(names)


def _kind_and_name(name: str) -> tuple[int, str]:
    kind = 0 if name.isupper() else 1 if name[0].isupper() else 2
    return kind, name


def test_modules_fit_the_house() -> None:
    long = {
        name_of(path): lines
        for path in modules(*OURS, "sandbox")
        if (lines := len(path.read_text(encoding="utf-8").splitlines())) > MAX_LINES
    }
    assert long == {}


def test_every_module_says_what_it_is() -> None:
    silent = [
        name_of(path)
        for path in modules(*OURS, "sandbox")
        if path.name != "__main__.py"
        and path.read_text(encoding="utf-8").strip()
        and ast.get_docstring(ast.parse(path.read_text(encoding="utf-8"))) is None
    ]
    assert silent == []
