"""What Telegram offers who types a slash: the commands of the one table, by place and language."""

from __future__ import annotations

from typing import Final

import structlog
from aiogram import Bot
from aiogram.exceptions import TelegramAPIError
from aiogram.types import BotCommand, BotCommandScopeAllGroupChats, BotCommandScopeAllPrivateChats

from core.people.people import ROLES
from handlers.commands import COMMANDS
from handlers.kit.commands import Place

_LOG = structlog.get_logger(__name__)
_THEIRS: Final = ROLES["merchant_staff"]


async def set_menu(bot: Bot) -> None:
    """Tell Telegram, where something changed. That it cannot be told is logged, and no more."""
    for scope, names in (
        (BotCommandScopeAllPrivateChats(), private_commands()),
        (BotCommandScopeAllGroupChats(), group_commands()),
    ):
        # Without a language: for whoever speaks none of the others.
        for code, language in (("", "en"), ("zh", "zh")):
            wanted = [
                BotCommand(command=name, description=COMMANDS.words(name, language))
                for name in names
            ]
            try:
                there = await bot.get_my_commands(scope, code or None)
                if _told(there) != _told(wanted):
                    await bot.set_my_commands(wanted, scope, code or None)
            except TelegramAPIError as error:
                _LOG.warning("the menu could not be set", scope=scope.type, fault=str(error))


def _told(commands: list[BotCommand]) -> list[tuple[str, str]]:
    return [(one.command, one.description) for one in commands]


def private_commands() -> tuple[str, ...]:
    """What staff says in private."""
    return tuple(name for name, place in _offered() if place != "groups")


def group_commands() -> tuple[str, ...]:
    """What everybody in a group may know of: what a merchant's own staff says there."""
    return tuple(
        name
        for name, place in _offered()
        if place != "private"
        and (not COMMANDS.rights_of(name) or set(COMMANDS.rights_of(name)) & _THEIRS)
    )


def _offered() -> list[tuple[str, Place]]:
    """The commands but for those that another one stands for."""
    commands = COMMANDS.by_name.values()
    return [(command.name, command.place) for command in commands if not command.twin_of]
