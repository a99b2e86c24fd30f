"""Tables of the documents that are made of code: the commands, and the words of money."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Final

from handlers.commands import COMMANDS
from handlers.kit.commands import Command
from handlers.kit.money_words import MONEY_WORDS, Label, MoneyWord
from handlers.kit.vocabulary import word
from texts import translator

_HEAD: Final = "| command | 中文 | right | answer |\n|---|---|---|---|\n"
_MONEY_HEAD: Final = "| 中文 | English | 意思 | meaning |\n|---|---|---|---|\n"
# What a label has beside its word: figures, signs, and what tells it from its twin.
_BESIDE: Final = re.compile(r"%\(\w+\)s|[^\w\s,]")


def fill_guide(page: str) -> str:
    """A text of docs/bot.md with its table of commands as it is today."""
    before, _, rest = page.partition(_HEAD)
    after = rest.partition("\n\n")[2]
    return f"{before}{_HEAD}{command_table()}\n{after}"


def command_table() -> str:
    """A row for each command that stands for itself, in the order of the topics."""
    commands = COMMANDS.by_name.values()
    return "".join(_row(command) for command in commands if not command.twin_of)


def _row(command: Command) -> str:
    slash = [one.format(command.reason) for one in command.usage if one.startswith("/")]
    twins = [one.name for one in COMMANDS.by_name.values() if one.twin_of == command.name]
    slash += [f"/{name}" for name in twins if not any(f"/{name}" in one for one in slash)]
    reason = translator("zh").pgettext("usage", command.reason) if command.reason else ""
    spoken = [one.format(reason) for one in command.usage if not one.startswith("/")]
    rights = COMMANDS.rights_of(command.name)
    return f"| {_code(slash)} | {_code(spoken)} | {_code(rights)} | {command.answer} |\n"


def _code(words: Sequence[str]) -> str:
    return ", ".join(f"`{word}`" for word in words)


def fill_money_words(page: str) -> str:
    """A text of docs/money-words.md with its table as it is today."""
    before, _, rest = page.partition(_MONEY_HEAD)
    after = rest.partition("\n\n")[2]
    return f"{before}{_MONEY_HEAD}{''.join(_money_row(one) for one in MONEY_WORDS)}\n{after}"


def _money_row(one: MoneyWord) -> str:
    meanings = [word("meaning", one.meaning, language) for language in ("zh", "en")]
    words = [money_word(one.label, language) for language in ("zh", "en")]
    return f"| {' | '.join([*words, *meanings])} |\n"


def money_word(label: Label, language: str) -> str:
    """What a label is called where no figure stands beside it."""
    context, message = label
    texts = translator(language)
    said = texts.pgettext(context, message) if context else texts.gettext(message)
    return " ".join(_BESIDE.sub(" ", said).split())
