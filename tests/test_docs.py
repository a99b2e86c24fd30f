"""What the documents point at is there: links, paths, modules."""

from __future__ import annotations

import importlib
import re
from collections.abc import Iterator
from pathlib import Path
from typing import get_args

import pytest

from core.reports.checklist import Name
from handlers.commands import parse
from handlers.kit.intents import Mistake
from handlers.kit.vocabulary import word

ROOT = Path(__file__).resolve().parent.parent
ROOMS = ("bot", "core", "handlers", "payapi", "sandbox", "scheduler", "texts")
FOLDERS = (*ROOMS, "connectors", "deploy", "docs", "locales", "tests", "tools")
DOCUMENTS = sorted(
    [
        *(ROOT / name for name in ("README.md", "CHANGELOG.md", "connectors/README.md")),
        *(ROOT / "docs").rglob("*.md"),
    ]
)
NAMES = [str(path.relative_to(ROOT)) for path in DOCUMENTS]

LINK = re.compile(r"!?\[[^\]]*\]\(([^)\s]+)\)")
ELSEWHERE = re.compile(r"[a-z][a-z0-9+.-]*:|#")
URL = re.compile(r"https?://\S+")
# core/trade/orders/moves.py, tests/flows/: what begins with one of our folders is one of our paths.
PATH = re.compile(rf"(?<![\w/.<{{-])(?:{'|'.join(FOLDERS)})/[\w./-]*")
# core.trade.orders.payments.Payments.settle_payment, but not docs/bot.md
MODULE = re.compile(rf"(?<![\w/.@-])(?:{'|'.join(ROOMS)})(?:\.[A-Za-z_]\w*)+")
# A file named alone in the code style of a document stands at the root.
ROOT_FILE = re.compile(r"`((?:\.env\.example|Dockerfile|Makefile|[\w-]+\.(?:md|toml|lock)))`")


def read(name: str) -> str:
    return (ROOT / name).read_text(encoding="utf-8")


def links(name: str) -> Iterator[Path]:
    for target in LINK.findall(read(name)):
        if not ELSEWHERE.match(target):
            yield (ROOT / name).parent / target.partition("#")[0]


@pytest.mark.parametrize("name", NAMES)
def test_every_relative_link_leads_to_something(name: str) -> None:
    assert [str(path) for path in links(name) if not path.exists()] == []


@pytest.mark.parametrize("name", NAMES)
def test_every_path_of_ours_exists(name: str) -> None:
    text = URL.sub("", LINK.sub("", read(name)))
    paths = {found.rstrip(".") for found in PATH.findall(text)} | set(ROOT_FILE.findall(text))
    assert sorted(path for path in paths if not (ROOT / path).exists()) == []


@pytest.mark.parametrize("name", [n for n in NAMES if n.startswith(("README", "docs/"))])
def test_every_name_of_the_code_is_there(name: str) -> None:
    text = LINK.sub("", read(name))
    assert sorted(found for found in set(MODULE.findall(text)) if not is_there(found)) == []


def test_the_documents_name_enough_to_be_worth_checking() -> None:
    architecture = read("docs/ARCHITECTURE.md")
    assert len(set(MODULE.findall(architecture))) > 30
    assert len(set(PATH.findall(architecture))) > 15
    assert list(links("README.md"))


def test_every_decision_is_in_the_list_and_names_its_check() -> None:
    records = sorted((ROOT / "docs" / "decisions").glob("[0-9]*.md"))
    listed = re.findall(r"\]\((\d{4}-[\w-]+\.md)\)", read("docs/decisions/README.md"))
    assert listed == [record.name for record in records]
    for record in records:
        text = record.read_text(encoding="utf-8")
        assert text.startswith(f"# {record.name[:4]} ")
        for part in ("**Context.**", "**Decision.**", "**Consequences.**", "**Kept by**"):
            assert part in text, record.name


def test_the_glossary_has_each_word_once_in_the_order_of_letters() -> None:
    rows = re.findall(r"^\| ([^|]+) \| [^|]*\| ", read("docs/GLOSSARY.md"), re.MULTILINE)
    words = [word.replace("-", "") for word in rows if word != "word"]
    assert len(words) > 30
    assert words == sorted(set(words))


def test_what_the_way_to_live_tells_to_say_is_understood() -> None:
    """Each word to the bot; the steps are those of the list, in its order."""
    page = read("docs/going-live.md").replace("\\|", "|")
    said = [one for one in re.findall(r"`([^`]+)`", page) if one[0] == "/" or one[0] > "\u4e00"]
    assert len(said) > 15
    for text in said:
        intent = parse(text)
        assert intent is not None, text
        assert not isinstance(intent, Mistake), text
    steps = [word("step", name, "en") for name in get_args(Name)]
    rows = re.findall(r"^\| ([a-z' ]+) \| `", page, re.MULTILINE)
    assert rows == steps


def is_there(dotted: str) -> bool:
    """Whether a dotted name is a module of ours, or something inside one."""
    parts = dotted.split(".")
    if not is_module(parts[:2]):
        return hasattr(importlib.import_module(parts[0]), parts[1])
    end = max(count for count in range(2, len(parts) + 1) if is_module(parts[:count]))
    found: object = importlib.import_module(".".join(parts[:end]))
    for name in parts[end:]:
        if not hasattr(found, name):
            return False
        found = getattr(found, name)
    return True


def is_module(parts: list[str]) -> bool:
    path = ROOT.joinpath(*parts)
    return path.is_dir() or path.with_suffix(".py").is_file()
