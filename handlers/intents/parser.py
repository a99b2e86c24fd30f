"""A message -> what it asks for, or None where it is talk. It never raises, whatever the text."""

from __future__ import annotations

from core.kernel.amounts import fold, visible
from handlers.advances import read_advances
from handlers.days import read_days
from handlers.intents.commands import BY_FORM, BY_NAME, IMPLIED, Command
from handlers.intents.model import Advances, AdvancesFault, Intent, LookUp, Usage
from handlers.intents.words import Slash, split_slash
from handlers.numbers import numbers_in


def addressee_of(text: str) -> str:
    """The bot that a slash command names; '' where it names none, or the text is no command."""
    slash = split_slash(visible(text).strip())
    return slash.addressee if slash is not None else ""


def parse(text: str, username: str = "") -> Intent | None:
    """What a message asks for. username: the bot's own; a command for another bot is None."""
    text = visible(text).strip()
    if not text:
        return None
    if (slash := split_slash(text)) is not None:
        return _slash(slash, username)
    return _form(text) or _money(text) or _talk(text)


def _slash(slash: Slash, username: str) -> Intent | None:
    command = BY_NAME.get(slash.name.lower())
    if command is None or not slash.is_for(username):
        return None
    if command.one_line and slash.words.partition("\n")[2].strip():
        return Usage(command.name)
    return _read(command, slash.words.split())


def _form(text: str) -> Intent | None:
    """A command in another form; what follows must look like its argument, else it is talk."""
    folded = fold(text)
    for form, command in BY_FORM.items():
        if folded.startswith(form):
            # Folding keeps every character in its place: what follows is taken as it was typed.
            words = text[len(form) :].split()
            if not words or _may_follow(command, fold(words[0])):
                return _read(command, [IMPLIED[form], *words] if form in IMPLIED else words)
    return None


def _may_follow(command: Command, word: str) -> bool:
    return command.takes(word) or read_days(word) is not None


def _read(command: Command, words: list[str]) -> Intent:
    return command.read(words) or Usage(command.name)


def _money(text: str) -> Intent | None:
    found = read_advances(text)
    if found is None:
        return None
    return Advances(found) if isinstance(found, tuple) else AdvancesFault(found)


def _talk(text: str) -> Intent | None:
    words = numbers_in(text)
    return LookUp(words, talk=True) if words else None
