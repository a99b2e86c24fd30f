"""What Telegram shows of the bot: its commands, by place and language, and what it is."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import structlog
from aiogram import Bot
from aiogram.exceptions import TelegramAPIError
from aiogram.types import (
    BotCommand,
    BotCommandScopeAllChatAdministrators,
    BotCommandScopeAllGroupChats,
    BotCommandScopeAllPrivateChats,
    BotCommandScopeChat,
)

from core.people.people import ROLES
from handlers.commands import COMMANDS
from handlers.desk import face
from handlers.kit.commands import Place

_LOG = structlog.get_logger(__name__)
_THEIRS: Final = ROLES["merchant_staff"]
# Of our own people, whoever works in the groups of others.
_OURS: Final = ROLES["operator"] | ROLES["finance"]
# Without a language: for whoever speaks none of the others.
_LANGUAGES: Final = (("", "en"), ("zh", "zh"))
_MAX_OPS: Final = 10
_Scope = (
    BotCommandScopeAllPrivateChats
    | BotCommandScopeAllGroupChats
    | BotCommandScopeAllChatAdministrators
    | BotCommandScopeChat
)


async def set_menu(bot: Bot, ops_chat_ids: Sequence[int] = ()) -> None:
    """Tell Telegram, where something changed. That it cannot be told is logged, and no more.
    ops_chat_ids: groups of staff alone, which are offered all that staff says."""
    scopes: tuple[tuple[_Scope, tuple[str, ...]], ...] = (
        (BotCommandScopeAllPrivateChats(), private_commands()),
        (BotCommandScopeAllGroupChats(), group_commands()),
        (BotCommandScopeAllChatAdministrators(), administrator_commands()),
        *(
            (BotCommandScopeChat(chat_id=chat_id), ops_commands())
            for chat_id in ops_chat_ids[:_MAX_OPS]
        ),
    )
    for scope, names in scopes:
        for code, language in _LANGUAGES:
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


async def set_descriptions(bot: Bot) -> None:
    """Say what the bot is, where something changed; a fault likewise."""
    for code, language in _LANGUAGES:
        long, short = face.description(language), face.short_description(language)
        try:
            if (await bot.get_my_description(code or None)).description != long:
                await bot.set_my_description(long, code or None)
            if (await bot.get_my_short_description(code or None)).short_description != short:
                await bot.set_my_short_description(short, code or None)
        except TelegramAPIError as error:
            _LOG.warning("the bot's description could not be set", fault=str(error))


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


def administrator_commands() -> tuple[str, ...]:
    """What our own people say in the groups of others, whose administrators they are: also that a
    group is bound, for which it need not be bound yet. A menu gives nobody a right."""
    return tuple(
        name
        for name, place in _offered()
        if place == "groups"
        or (
            place != "private"
            and (not COMMANDS.rights_of(name) or set(COMMANDS.rights_of(name)) & _OURS)
        )
    )


def ops_commands() -> tuple[str, ...]:
    """What staff says among itself: everything."""
    return tuple(name for name, _ in _offered())


def _offered() -> list[tuple[str, Place]]:
    """The commands but for those that another one stands for."""
    commands = COMMANDS.by_name.values()
    return [(command.name, command.place) for command in commands if not command.twin_of]
