"""What is no command, but close to one: which was probably meant. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from handlers.kit.commands import CommandTable
from handlers.kit.grammar import Slash, split_slash
from handlers.kit.intents import Near, NoCommand
from texts.amounts import fold, visible

MAX_NEAR: Final = 3
_SHOWN_CHARS: Final = 32
_LONGEST: Final = 60  # what is longer than any command with its words is talk
_LEAST_LATIN: Final = 4
_LEAST_CHINESE: Final = 3
# Traditional characters and common slips, as the forms are written.
_SAME: Final = str.maketrans(
    "帳帐賬單単調補導圖餘額費設綁戶應產歷細區時實統計詢查跡準",
    "账账账单单调补导图余额费设绑户应产历细区时实统计询查迹准",
)
# A form with one of these in it is a sentence: 成功了 is not 成功率.
_PARTICLES: Final = frozenset("了吗嗎呢吧啊的哦呀嘛么麼都也还還没沒不")


class Nearby:
    """Finds the commands of a table that a text is near to."""

    def __init__(self, commands: CommandTable) -> None:
        self._commands = commands

    def read(self, text: str, username: str = "") -> NoCommand | None:
        """A text that is no command: an unknown slash form, or words near one.

        username: the bot's own; a command for another bot is None, as is talk.
        """
        line = visible(text).strip()
        if (slash := split_slash(line)) is not None:
            return self._slash(slash, username)
        if not line or len(line) > _LONGEST or "\n" in line:
            return None
        folded = fold(line)
        near = list(self._latin(folded)) if folded[0].isascii() else list(self._chinese(folded))
        return NoCommand(line[:_SHOWN_CHARS], _best(near)) if near else None

    def _slash(self, slash: Slash, username: str) -> NoCommand | None:
        if not slash.name or not slash.is_for(username):
            return None
        said = slash.name.lower().translate(_SAME)[:_SHOWN_CHARS]
        near = []
        names = ((one, one) for one in self._commands.by_name)
        said_as_well = self._commands.by_form.items()
        forms = ((form, one.name) for form, one in said_as_well if form.isalnum())
        for written, command in (*names, *forms):
            far = distance(said, written)
            if far <= max(1, len(written) // 3):
                near.append((far, Near(command, written)))
            elif len(said) > 1 and written.startswith(said):
                near.append((len(written), Near(command, written)))
        return NoCommand(f"/{slash.name[:_SHOWN_CHARS]}", _best(near), slash=True)

    def _forms(self) -> Iterator[tuple[str, str]]:
        """(a Chinese form, its command)."""
        for form, command in self._commands.by_form.items():
            if not form.isascii():
                yield form, command.name

    def _latin(self, line: str) -> Iterator[tuple[int, Near]]:
        """A command's name without its slash, alone or before words with digits."""
        first, *others = line.lower().split()
        first = first.rstrip("?!.")
        if len(first) < _LEAST_LATIN or not all(any(c.isdigit() for c in word) for word in others):
            return
        for name in self._commands.by_name:
            far = distance(first, name)
            if far <= (len(name) - 1) // 4 or sorted(first) == sorted(name):
                yield far, Near(name, f"/{name}")

    def _chinese(self, line: str) -> Iterator[tuple[int, Near]]:
        """A form with a slip in it, alone or before what may follow it."""
        plain = line.translate(_SAME)
        for form, name in self._forms():
            lengths = (len(form), len(form) - 1, len(form) + 1)
            for length in lengths if len(form) >= _LEAST_CHINESE else lengths[:1]:
                head = plain[:length]
                if line[:length] == form or (set(head) - set(form)) & _PARTICLES:
                    continue
                may_follow = self._commands.by_form[form].goes_on(line[length:])
                far = distance(head, form)
                slips = 0 if len(form) < _LEAST_CHINESE else 1 if len(form) <= 4 else 2
                if may_follow and (far <= slips or sorted(head) == sorted(form)):
                    yield far, Near(name, form)


def _best(near: list[tuple[int, Near]]) -> tuple[Near, ...]:
    """The nearest, each command once."""
    found: dict[str, Near] = {}
    for _, one in sorted(near, key=lambda pair: pair[0]):
        found.setdefault(one.command, one)
    return tuple(found.values())[:MAX_NEAR]


def distance(one: str, other: str) -> int:
    """How many letters have to be put in, taken out, changed, or swapped with their neighbour."""
    before: list[int] = []
    above = list(range(len(other) + 1))
    for row, letter in enumerate(one, start=1):
        here = [row]
        for column, wanted in enumerate(other, start=1):
            far = min(above[column] + 1, here[-1] + 1, above[column - 1] + (letter != wanted))
            swapped = row > 1 and column > 1 and letter == other[column - 2]
            if swapped and one[row - 2] == wanted:
                far = min(far, before[column - 2] + 1)
            here.append(far)
        before, above = above, here
    return above[-1]
