"""What people may want, as facts: one dataclass for each intent, in the words of its topic.

Amounts stay as they were typed, exactly, until a handler knows the merchant's currency.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from core.people.actors import Actor


class Intent:
    """What somebody wants. One that is none of those below, like `Cancel`, is about a dialogue
    that knows its own turn."""

    __slots__ = ()

    def is_talk(self, actor: Actor) -> bool:
        """Whether it is no more than talk where this person said it."""
        return False

    def gives_way(self) -> bool:
        """Whether it was said in passing: in a reply to what is passed between two chats, it is no
        more than a part of the answer."""
        return False

    def is_asked_by_picture(self) -> bool:
        """Whether a picture in reply to a message that says it asks the same."""
        return False

    def welcomes(self, stranger: Actor) -> bool:
        """Whether somebody whom nobody here knows may say it where they are: all else of theirs
        gets silence."""
        return False


class Reading(Intent):
    """It only looks: it may also be said by forwarding somebody else's words, or by editing one's
    own."""

    __slots__ = ()


class Changing(Intent):
    """It changes something: carried out late by itself, it would surprise whoever had given it
    up."""

    __slots__ = ()


class Naming(Intent):
    """It is about somebody whom the message may mention by any name: that is no word of it."""

    __slots__ = ()


class Mistake(Intent):
    """It cannot be carried out as it was said: that is answered, and nothing else happens."""

    __slots__ = ()


@dataclass(frozen=True, slots=True)
class Usage(Mistake):
    """A known command that cannot be carried out as written. command: its name. text, why: what is
    wrong with it, where that is known; why is a key of the screen. aside: it began like a sentence,
    so that it is talk of whoever may not say the command."""

    command: str
    text: str = ""
    why: str = ""
    aside: bool = field(default=False, compare=False)


@dataclass(frozen=True, slots=True)
class Near:
    """A command that was probably meant, by its name. written: its form."""

    command: str
    written: str


@dataclass(frozen=True, slots=True)
class NoCommand(Mistake):
    """Something that is no command. near: what was probably meant, the nearest first. slash: said
    as a command, so that it is answered; else near is not empty."""

    text: str
    near: tuple[Near, ...]
    slash: bool = False

    def gives_way(self) -> bool:
        return not self.slash
