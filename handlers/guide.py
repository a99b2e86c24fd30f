"""The table of commands in the operators' guide, made of the topics' rows."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from handlers.commands import COMMANDS
from handlers.kit.commands import Command
from texts import translator

_HEAD: Final = "| command | 中文 | right | answer |\n|---|---|---|---|\n"


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
