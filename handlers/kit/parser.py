"""A message -> what it asks for, or None where it is talk. It never raises, whatever the text."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from handlers.kit.commands import Command, CommandTable
from handlers.kit.grammar import Slash, split_slash
from handlers.kit.intents import Intent, NoCommand, Usage
from handlers.kit.nearby import Nearby
from texts.amounts import fold, visible


def addressee_of(text: str) -> str:
    """The bot that a slash command names; '' where it names none, or the text is no command."""
    slash = split_slash(visible(text).strip())
    return slash.addressee if slash is not None else ""


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
        text = visible(text).strip()
        if not text:
            return None
        if (slash := split_slash(text)) is not None:
            return self._slash(slash, username)
        return self._form(text) or next(
            (heard for hear in self._hears if (heard := hear(text))), None
        )

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
        folded = fold(text)
        for form, command in self.commands.by_form.items():
            if folded.startswith(form):
                # Folding keeps every character in its place: what follows is as it was typed.
                rest = text[len(form) :]
                if command.goes_on(rest):
                    implied = command.implied.get(form)
                    return _read(command, [implied, *rest.split()] if implied else rest.split())
        return None


def _read(command: Command, words: list[str]) -> Intent:
    return command.read(words) or Usage(command.name)
