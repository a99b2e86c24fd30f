"""A message -> what it asks for, or None where it is talk. It never raises, whatever the text."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Final

from handlers.kit.commands import Command, CommandTable
from handlers.kit.grammar import Slash, split_slash
from handlers.kit.intents import Intent, NoCommand, Reading, Usage
from handlers.kit.nearby import Nearby
from texts.amounts import fold, visible


def addressee_of(text: str) -> str:
    """The bot that a slash command names; '' where it names none, or the text is no command."""
    slash = split_slash(visible(text).strip())
    return slash.addressee if slash is not None else ""


# What may end a command as it ends a sentence.
_ENDS: Final = "!！.。~～?？"
_CALLED: Final = re.compile(r"[@＠](?P<name>[A-Za-z0-9_]+)[ \t\u3000,，:：]+")


class Parser:
    """Reads what people write. hears: what a text may mean that is no command, the surest first."""

    def __init__(
        self, commands: CommandTable, hears: Sequence[Callable[[str], Intent | None]]
    ) -> None:
        self.commands = commands
        self._hears = hears
        self._nearby = Nearby(commands)

    def parse(self, text: str, username: str = "") -> Intent | None:
        """What a message asks for. username: the bot's own; a command for another bot is None."""
        text = _addressed(visible(text).strip(), username)
        if not text:
            return None
        several = self._several(text, username)
        if several is not None:
            return several
        if (slash := split_slash(text)) is not None:
            return self._slash(slash, username)
        found = self._form(text)
        if isinstance(found, Usage) and found.aside and "\n" in text:
            return self.hear(text) or found  # a page that was copied, and begins like a command
        return found or self.hear(text)

    def hear(self, text: str) -> Intent | None:
        """What a text may mean that is no command."""
        text = visible(text).strip()
        return next((heard for hear in self._hears if (heard := hear(text))), None)

    def nearby(self, text: str, username: str = "") -> NoCommand | None:
        """What was probably meant by a text that `parse` takes for no command: an unknown slash
        form, or words near one; None for talk."""
        return self._nearby.read(text, username)

    def _slash(self, slash: Slash, username: str) -> Intent | None:
        command = self.commands.by_name.get(slash.name.lower())
        if command is None or not slash.is_for(username):
            return None
        if command.one_line and slash.words.partition("\n")[2].strip():
            return Usage(command.name)
        return _read(command, slash.words.split())

    def _form(self, text: str) -> Intent | None:
        """A command in another form; what follows must look like its argument, else it is talk."""
        begun = self._begun(text)
        if begun is None:
            return None
        form, command, rest = begun
        implied = command.implied.get(form)
        found = _read(command, [implied, *rest.split()] if implied else rest.split())
        if _is_end(rest):
            found = _read(command, [implied] if implied else [])
            # `账单？` is said to look at it; `解绑？` asks whether to do it.
            asks = not {"?", "？"}.isdisjoint(rest)
            meant = isinstance(found, Reading) or not (asks or isinstance(found, Usage))
            return found if meant else None
        if isinstance(found, Usage) and any(c.isalpha() and not c.isascii() for c in fold(rest)):
            return replace(found, aside=True)
        return found

    def _begun(self, text: str) -> tuple[str, Command, str] | None:
        """(form, command, what follows) of a text that begins with a form of a command."""
        folded = fold(text)
        for form, command in self.commands.by_form.items():
            if folded[: len(form)].lower() == form:
                # Folding keeps every character in its place: what follows is as it was typed.
                rest = _argument(text[len(form) :], command)
                if command.goes_on(rest) or (form.isalnum() and _is_end(rest)):
                    return form, command, rest
        return None

    def _several(self, text: str, username: str) -> Usage | None:
        """What is answered to a message of several commands: half of them would be left out."""
        first, *others = (line.strip() for line in text.split("\n") if line.strip())
        command = self._command(first, username) if others else None
        again = [found for line in others if (found := self._command(line, username))]
        if command is None or command.one_line or not again:
            return None
        if command.repeats and all(one is command for one in again):
            return None
        return Usage(command.name, why="several")

    def _command(self, line: str, username: str) -> Command | None:
        """The command that a line begins with."""
        slash = split_slash(line)
        if slash is not None:
            found = self.commands.by_name.get(slash.name.lower())
            return found if slash.is_for(username) else None
        begun = self._begun(line)
        return begun[1] if begun is not None else None


def _read(command: Command, words: list[str]) -> Intent:
    return command.read(words) or Usage(command.name)


def _is_end(rest: str) -> bool:
    """Whether what touches a form only ends the sentence."""
    return bool(rest) and not rest.strip(_ENDS)


def _addressed(text: str, username: str) -> str:
    """A text without the bot's own name in front of it, as people call it in a group."""
    found = _CALLED.match(text)
    called = username and found is not None and found["name"].lower() == username.lower()
    return text[found.end() :] if called and found is not None else text


def _argument(rest: str, command: Command) -> str:
    """What follows a form, of which a colon may part it: `授信：50000`. A page that was copied has
    more lines behind its first one."""
    behind = rest[1:].lstrip(" \t")
    parted = not command.apart and rest[:1] in (":", "：") and behind.strip()
    return f" {behind}" if parted and (behind.startswith("\n") or "\n" not in behind) else rest
