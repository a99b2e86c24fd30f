"""A topic of the chat: all that there is of one thing people speak about, in one folder."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from aiogram import Router

from core.people.approvals import Question
from handlers.kit.buttons import Button
from handlers.kit.commands import Command
from handlers.kit.intents import Intent
from handlers.kit.screen import View


@dataclass(frozen=True, slots=True)
class Topic:
    """What a folder adds to the desk.

    routes: register what carries out its intents and buttons. commands: its rows of the table.
    hears: what a text may mean here that is no command; None for talk. views: its screens.
    asks: what is asked on cards in the ops groups; each has a template `ask_<kind>.html`.
    buttons: the button that carries the parts between colons; None for none of this topic; it may
    raise ValueError. A folder that has a template `help_<name>.html` is told of in the help.
    """

    name: str
    routes: tuple[Callable[[Router], None], ...]
    commands: tuple[Command, ...] = ()
    hears: Callable[[str], Intent | None] | None = None
    views: tuple[View[Any], ...] = ()
    asks: tuple[type[Question], ...] = ()
    buttons: Callable[[list[str]], Button | None] | None = None
