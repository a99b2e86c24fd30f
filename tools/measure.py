"""The house in figures: `python -m tools.measure` prints each aspect, its aim and how it is today.

Only production code is measured. tests/tools/test_measure.py keeps the aims.
"""

from __future__ import annotations

import ast
import re
import tomllib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Final

ROOT: Final = Path(__file__).resolve().parent.parent
ROOMS: Final = ("bot", "core", "handlers", "payapi", "scheduler", "texts")
CONSTRUCTOR_PARAMETERS: Final = 6
PUBLIC_VERBS: Final = 7
# An object with more verbs says why in its docstring, after these words.
REASON: Final = re.compile(r"More than seven verbs: (?:\S+\s+){3,}\S+")
# Names in -ing that are nouns of the field.
NOUNS: Final = frozenset(
    {"incoming", "masking", "onboarding", "pricing", "rerating", "routing", "settings", "standing"}
)
_SQL: Final = re.compile(r"\s*(SELECT|INSERT INTO|UPDATE|DELETE FROM|WITH \w+ AS)\s")
_FACTS: Final = re.compile(r"facts\[")
_FEW_IN: Final = 20  # one of so many is beyond the 95th percentile

Function = ast.FunctionDef | ast.AsyncFunctionDef


@dataclass(frozen=True, slots=True)
class Aspect:
    """What is measured. aim: what it may be at most."""

    name: str
    aim: int
    today: int

    @property
    def met(self) -> bool:
        """Whether the aim is reached."""
        return self.today <= self.aim


@dataclass(frozen=True, slots=True)
class Module:
    """A file of production code. name: as it is imported."""

    name: str
    text: str
    tree: ast.Module

    @classmethod
    def of(cls, name: str, text: str) -> Module:
        """A module that says this."""
        return cls(name, text, ast.parse(text))


class House:
    """A checkout. root: its folder."""

    def __init__(self, root: Path = ROOT) -> None:
        self._root = root

    def modules(self, *rooms: str) -> list[Module]:
        """The modules of these rooms, by name, but for empty ones."""
        paths = sorted(path for room in rooms for path in (self._root / room).rglob("*.py"))
        texts = {self._name(path): path.read_text(encoding="utf-8") for path in paths}
        return [Module.of(name, text) for name, text in texts.items() if text.strip()]

    def districts(self) -> list[str]:
        """The packages of core."""
        return sorted(path.parent.name for path in (self._root / "core").glob("*/__init__.py"))

    def layers(self) -> list[str]:
        """The names in the contract that orders core."""
        for contract in self._contracts():
            if contract.get("containers") == ["core"]:
                lines = contract["layers"]
                return [name for line in lines for name in re.split(r"\s*[|:]\s*", line)]
        raise LookupError("core has no contract of layers")

    def contract_ignores(self) -> list[str]:
        """What a contract lets through."""
        return [ignored for one in self._contracts() for ignored in one.get("ignore_imports", [])]

    def sql_above_core(self) -> list[str]:
        """Modules of the rooms above core with a text that is a statement of SQL."""
        above = self.modules(*(room for room in ROOMS if room != "core"))
        return [module.name for module in above if any(map(_SQL.match, _texts(module.tree)))]

    def _name(self, path: Path) -> str:
        parts = path.relative_to(self._root).with_suffix("").parts
        return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)

    def _contracts(self) -> list[dict[str, list[str]]]:
        said = tomllib.loads((self._root / "pyproject.toml").read_text(encoding="utf-8"))
        found: list[dict[str, list[str]]] = said["tool"]["importlinter"]["contracts"]
        return found


def aspects(house: House) -> list[Aspect]:
    """The whole table."""
    core = house.modules("core")
    every = house.modules(*ROOMS)
    there = house.districts()
    lines = [len(module.text.splitlines()) for module in every]
    lengths = [_length(one) for one in functions(every)]
    parameters = [count_parameters(one) for one in functions(every)]
    return [
        Aspect("import cycles in core", 0, len(cycles(core))),
        Aspect("ignores in the import contracts", 0, len(house.contract_ignores())),
        Aspect("`type: ignore` in core", 0, sum(m.text.count("type: ignore") for m in core)),
        Aspect("lines of a module, median", 125, round(median(lines))),
        Aspect("lines of a module, 95 %", 350, percentile(lines)),
        Aspect("lines of a module, most", 500, max(lines)),
        Aspect("lines of a function, median", 10, round(median(lengths))),
        Aspect("lines of a function, 95 %", 45, percentile(lengths)),
        Aspect("lines of a function, most", 70, max(lengths)),
        Aspect("names in core's layer contract", 12, len(house.layers())),
        Aspect("districts of core", 11, len(there)),
        Aspect("arrows between districts", 56, len(arrows(core, there))),
        Aspect("parameters of a function, 95 %", 5, percentile(parameters)),
        Aspect("parameters of a function, most", 8, max(parameters)),
        Aspect("constructors with more than 6", 0, len(wide_constructors(every))),
        Aspect("objects with more than 7 verbs and no reason", 0, len(wide_objects(core))),
        Aspect("uses of untyped facts", 0, sum(len(_FACTS.findall(m.text)) for m in every)),
        Aspect("modules above core that speak SQL", 0, len(house.sql_above_core())),
        Aspect("modules without a noun for a name", 0, len(nameless(every))),
    ]


def functions(among: Sequence[Module]) -> Iterator[Function]:
    """Every function, methods and inner ones too."""
    for module in among:
        yield from (node for node in ast.walk(module.tree) if isinstance(node, Function))


def classes(among: Sequence[Module]) -> Iterator[tuple[str, ast.ClassDef]]:
    """Every class, with its full name."""
    for module in among:
        for node in ast.walk(module.tree):
            if isinstance(node, ast.ClassDef):
                yield f"{module.name}.{node.name}", node


def percentile(values: Sequence[int]) -> int:
    """What 95 % of the values do not exceed."""
    return sorted(values)[len(values) - 1 - len(values) // _FEW_IN]


def count_parameters(function: Function) -> int:
    """Without self and cls."""
    said = function.args
    names = [one.arg for one in (*said.posonlyargs, *said.args, *said.kwonlyargs)]
    return len(names) - (names[:1] in (["self"], ["cls"]))


def wide_constructors(among: Sequence[Module]) -> list[str]:
    """Classes whose `__init__` takes too much."""
    return [
        name
        for name, node in classes(among)
        for one in node.body
        if isinstance(one, Function)
        and one.name == "__init__"
        and count_parameters(one) > CONSTRUCTOR_PARAMETERS
    ]


def wide_objects(among: Sequence[Module]) -> list[str]:
    """Classes that offer many verbs and do not say why."""
    return [
        name
        for name, node in classes(among)
        if len(public_verbs(node)) > PUBLIC_VERBS
        and not REASON.search(ast.get_docstring(node) or "")
    ]


def public_verbs(node: ast.ClassDef) -> set[str]:
    """What others may call; a property is no verb."""
    return {
        one.name
        for one in node.body
        if isinstance(one, Function)
        and not one.name.startswith("_")
        and not any(getattr(by, "id", "") == "property" for by in one.decorator_list)
    }


def nameless(among: Sequence[Module]) -> list[str]:
    """Modules that are called after what one does in them, or after nothing at all."""
    found = []
    for module in among:
        last = module.name.rpartition(".")[2]
        word = last.rpartition("_")[2]
        if last == "domain" or (word.endswith("ing") and word not in NOUNS):
            found.append(module.name)
    return found


def arrows(among: Sequence[Module], districts: Sequence[str]) -> set[tuple[str, str]]:
    """Pairs of districts of which the first imports the second."""
    return {
        (ours, theirs)
        for module in among
        if (ours := _district(module.name)) in districts
        for imported in _imports(module, set())
        if (theirs := _district(imported)) in districts and theirs != ours
    }


def cycles(among: Sequence[Module]) -> list[str]:
    """Modules that import themselves, by whatever way."""
    names = {module.name for module in among}
    graph = {m.name: {found for found in _imports(m, names) if found in names} for m in among}
    while True:
        ends = {name for name, onwards in graph.items() if not onwards}
        if not ends:
            return sorted(graph)
        graph = {name: to - ends for name, to in graph.items() if name not in ends}


def _imports(module: Module, names: set[str]) -> Iterator[str]:
    """What a module imports. names: of modules, which are no names in the face of a package."""
    for node in ast.walk(module.tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            for alias in node.names:
                inner = f"{node.module}.{alias.name}"
                yield inner if inner in names else node.module


def _texts(tree: ast.AST) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            yield node.value


def _district(name: str) -> str:
    parts = name.split(".")
    return parts[1] if parts[0] == "core" and len(parts) > 1 else ""


def _length(function: Function) -> int:
    return (function.end_lineno or function.lineno) - function.lineno + 1


def main() -> None:
    """Print the table."""
    table = aspects(House())
    width = max(len(aspect.name) for aspect in table)
    print(f"{'aspect':{width}}  {'aim':>5}  {'today':>5}")
    for aspect in table:
        met = "met" if aspect.met else "not met"
        print(f"{aspect.name:{width}}  {aspect.aim:5}  {aspect.today:5}  {met}")


if __name__ == "__main__":
    main()
