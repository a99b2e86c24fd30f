"""The bot speaks both languages completely, and its catalogue holds nothing else."""

from __future__ import annotations

import re
from pathlib import Path

from babel.messages.extract import extract_from_dir
from babel.messages.pofile import read_po

from handlers.commands import COMMANDS
from handlers.kit.vocabulary import WORDS

ROOT = Path(__file__).parents[2]
LOCALES = ROOT / "locales/zh/LC_MESSAGES"
Key = tuple[str | None, str]
OPTIONS = {"trimmed": "true", "silent": "false"}
KEYWORDS = {
    "_": None, "gettext": None, "translate": None, "_translate": None,
    "ngettext": (1, 2), "plural": (1, 2), "_plural": (1, 2),
    "pgettext": ((1, "c"), 2), "named": ((1, "c"), 2), "_named": ((1, "c"), 2),
}  # fmt: skip
PLACEHOLDER = re.compile(r"%\((\w+)\)s")


def wanted() -> set[Key]:
    """Every sentence of handlers: extracted, and the words of states and kinds."""
    methods = [("**.py", "python"), ("**/templates/**.html", "jinja2.ext:babel_extract")]
    found = extract_from_dir(
        ROOT / "handlers", methods, {"**/templates/**.html": OPTIONS}, KEYWORDS
    )
    keys: set[Key] = {
        (context, message if isinstance(message, str) else message[0])
        for _, _, message, _, context in found
    }
    for command in COMMANDS.by_name.values():
        keys |= {("usage", text) for text in (command.reason, command.hint) if text}
        keys |= {("command", command.what)} if command.what else set()
    return keys | {(name, text) for name, words in WORDS.items() for text in words.values()}


def catalogue(name: str) -> dict[Key, tuple[list[str], list[str]]]:
    """(context, msgid) -> (all English forms, all translations)."""
    with (LOCALES / name).open("rb") as file:
        messages = [message for message in read_po(file, abort_invalid=True) if message.id]
    return {
        (m.context, m.id if isinstance(m.id, str) else m.id[0]): (
            [m.id] if isinstance(m.id, str) else list(m.id),
            [m.string] if isinstance(m.string, str) else list(m.string or ()),
        )
        for m in messages
    }


def test_chinese_is_complete_and_nothing_is_left_over() -> None:
    there = {key for key, (_, texts) in catalogue("paydesk.po").items() if all(texts)}
    assert wanted() - there == set()
    assert there - wanted() == set()


def test_translations_keep_every_placeholder_and_no_stray_markup() -> None:
    for key, (english, texts) in catalogue("paydesk.po").items():
        names = set(PLACEHOLDER.findall(english[-1]))
        for text in texts:
            assert set(PLACEHOLDER.findall(text)) == names, key
            assert text.count("%") == len(PLACEHOLDER.findall(text)), key
            assert "<" not in text, key


def test_the_catalogues_do_not_contradict_each_other() -> None:
    mine = catalogue("paydesk.po")
    for path in sorted(LOCALES.glob("*.po")):
        for key, (_, texts) in catalogue(path.name).items():
            if key in mine:
                assert mine[key][1] == texts, (path.name, key)


def test_each_deed_that_needs_a_reason_has_an_example() -> None:
    named = re.compile(r'(?:\breason_for=|\bchecks\.reason\()"(\w+)"')
    sources = [path.read_text(encoding="utf-8") for path in (ROOT / "core").rglob("*.py")]
    assert {deed for text in sources for deed in named.findall(text)} == set(WORDS["reason_for"])
