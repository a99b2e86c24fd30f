"""A command of the chat, as its topic declares it, and the table of all of them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Final, Literal, TypeVar

from core.people.actors import Actor
from handlers.kit.grammar import HOLDERS, MERCHANTS, is_holder_no, latin, take_holders
from handlers.kit.intents import Intent
from texts import translator
from texts.amounts import fold
from texts.days import NoSuchDay, Span, read_days

Words = Sequence[str]
Reader = Callable[[Words], Intent | None]
Place = Literal["anywhere", "groups", "private"]
_Meaning = TypeVar("_Meaning")


@dataclass(frozen=True, slots=True)
class Command:
    """A command: `/name words`, or one of its forms, followed by nothing or by its words.

    rights: what it takes to have what it may mean carried out; nothing for what anybody known may
    say. read: the words as they were typed -> an intent; None where it cannot be carried out so.
    forms: other ways to begin it. implied: the first word that a form says by itself. takes:
    whether a word that is no day may follow a form; what else follows makes it talk. apart: also
    what follows without a blank between, unless it is a holder's number. one_line: further lines
    are refused; otherwise they are more words of the command. repeats: they may begin with it
    again.

    what: what it does, in a few English words. usage: examples of how it is written; `{}` stands
    for `reason`. hint: what else one may do; both are English. suppliers_usage: examples in a
    supplier's group, where they are others. answer: what docs/bot.md says of it. place: where
    Telegram's menu offers it. twin_of: a command that says the same, and stands for both in lists.
    """

    name: str
    rights: Mapping[type[Intent], str]
    read: Reader
    forms: tuple[str, ...] = ()
    implied: Mapping[str, str] = field(default_factory=dict)
    takes: Callable[[str], bool] = latin
    apart: bool = False
    one_line: bool = False
    repeats: bool = False
    what: str = ""
    usage: tuple[str, ...] = ()
    suppliers_usage: tuple[str, ...] = ()
    reason: str = ""
    hint: str = ""
    answer: str = ""
    place: Place = "anywhere"
    twin_of: str = ""

    def goes_on(self, rest: str) -> bool:
        """Whether what stands behind a form of it makes both together this command."""
        words = rest.split()
        if not words:
            return True
        word = fold(words[0])
        if self.apart and not rest[0].isspace():
            return is_holder_no(word, HOLDERS)
        return self.takes(word) or read_days(word) is not None


class CommandTable:
    """All commands, found by their name, by a form, and by what they mean."""

    def __init__(self, commands: Iterable[Command]) -> None:
        self.by_name: Final = {command.name: command for command in commands}

    @cached_property
    def by_form(self) -> Mapping[str, Command]:
        """Longer forms first: one may begin like another."""
        forms = [(form, command) for command in self.by_name.values() for form in command.forms]
        return dict(sorted(forms, key=lambda pair: -len(pair[0])))

    @cached_property
    def rights(self) -> Mapping[type[Intent], str]:
        """What is meant -> the right it takes; in a supplier's group, `payin` for `prepay`."""
        commands = self.by_name.values()
        return {kind: right for one in commands for kind, right in one.rights.items()}

    def right_to(self, intent: object, actor: Actor) -> str:
        """What it takes to have this carried out in this chat; empty for what anybody may say."""
        right = self.rights.get(type(intent), "") if isinstance(intent, Intent) else ""
        return right_here(right, actor)

    def named(self, name: str) -> Command:
        """The command of a name, or the one that it is a twin of."""
        command = self.by_name[name]
        return self.by_name[command.twin_of] if command.twin_of else command

    def rights_of(self, name: str) -> tuple[str, ...]:
        """The rights of what a command may mean; one of them is enough to be told how it is
        written."""
        return tuple(dict.fromkeys(self.by_name[name].rights.values()))

    def may_say(self, name: str, actor: Actor) -> bool:
        """Whether somebody may have any of what a command means carried out in this chat."""
        rights = self.rights_of(name)
        return not rights or any(actor.may(right_here(right, actor)) for right in rights)

    def words(self, name: str, language: str) -> str:
        """What a command does, in a few words."""
        return translator(language).pgettext("command", self.named(name).what)


def right_here(right: str, actor: Actor) -> str:
    """In a supplier's group, lines of money are what it paid in."""
    return "payin" if right == "prepay" and actor.in_suppliers_group else right


# Shapes that several commands share: a function that makes a reader from what it shall fill in


def bare(intent: Intent) -> Reader:
    """The command alone says it all; what follows it is passed over."""
    return lambda _: intent


def numbered(make: Callable[[str], Intent], letter: str) -> Reader:
    """The number of a merchant or of a supplier, which must be there, and no other one."""

    def read(words: Words) -> Intent | None:
        numbers, _ = take_holders(words, letter)
        return make(numbers[0]) if numbers == [first(words).upper()] else None

    return read


def about(make: Callable[[str | None], Intent]) -> Reader:
    """Which merchant, or nothing."""

    def read(words: Words) -> Intent | None:
        numbers, rest = take_holders(words, MERCHANTS)
        return None if rest or len(numbers) > 1 else make(only(numbers))

    return read


def dated(make: Callable[[Span | NoSuchDay, str | None], Intent]) -> Reader:
    """Days and whose: both, one of them, or neither, in any order."""

    def read(words: Words) -> Intent | None:
        numbers, rest = take_holders(words, HOLDERS)
        days = days_in(rest)
        return None if days is None or len(numbers) > 1 else make(days, only(numbers))

    return read


# What readers are made of


def first(words: Words) -> str:
    return fold(words[0]) if words else ""


def only(found: Sequence[_Meaning]) -> _Meaning | None:
    return found[0] if found else None


def days_in(words: Words) -> Span | NoSuchDay | None:
    """Today where nothing is said; None where the words name no days."""
    return read_days(" ".join(words)) if words else "today"


def take(words: Words, meanings: Mapping[str, _Meaning]) -> tuple[list[_Meaning], list[str]]:
    """(what the words of this vocabulary mean; the other words)."""
    found = [meanings[word.lower()] for word in words if word.lower() in meanings]
    return found, [word for word in words if word.lower() not in meanings]
