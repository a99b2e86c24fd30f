"""The menu of commands, told to the sandbox's Telegram, which is strict about what it takes."""

from __future__ import annotations

import re

import pytest
from aiogram import Bot
from aiogram.exceptions import TelegramServerError
from aiogram.types import (
    BotCommandScopeAllChatAdministrators,
    BotCommandScopeAllGroupChats,
    BotCommandScopeAllPrivateChats,
    BotCommandScopeChat,
)

from bot.menu import (
    administrator_commands,
    group_commands,
    ops_commands,
    private_commands,
    set_descriptions,
    set_menu,
)
from handlers.commands import COMMANDS
from tests.bot.support import Telegram
from tests.handlers.support import OPS

PRIVATE, GROUPS = BotCommandScopeAllPrivateChats(), BotCommandScopeAllGroupChats()
ADMINISTRATORS = BotCommandScopeAllChatAdministrators()


async def test_the_menu_is_told_in_both_languages_and_only_once(
    telegram: Telegram, bot: Bot
) -> None:
    await set_menu(bot)
    for scope, names in (
        (PRIVATE, private_commands()),
        (GROUPS, group_commands()),
        (ADMINISTRATORS, administrator_commands()),
    ):
        for code, language in ((None, "en"), ("zh", "zh")):
            told = await bot.get_my_commands(scope, code)
            assert [one.command for one in told] == list(names)
            assert [one.description for one in told] == [
                COMMANDS.words(name, language) for name in names
            ]
    # What stands there already is not told again: the fault still waits for a call.
    await telegram.fault("500", method="setMyCommands")
    await set_menu(bot)
    with pytest.raises(TelegramServerError):
        await bot.set_my_commands([], PRIVATE)


async def test_a_telegram_that_refuses_fails_nothing(telegram: Telegram, bot: Bot) -> None:
    await telegram.fault("500", method="getMyCommands", times=6)
    await set_menu(bot)
    assert await bot.get_my_commands(PRIVATE) == []
    await set_menu(bot)
    assert await bot.get_my_commands(PRIVATE) != []


async def test_a_group_of_staff_is_offered_what_staff_says(telegram: Telegram, bot: Bot) -> None:
    await set_menu(bot, [OPS, -1])  # the bot is not in the second one
    told = await bot.get_my_commands(BotCommandScopeChat(chat_id=OPS), "zh")
    assert [one.command for one in told] == list(ops_commands())
    assert {*private_commands(), *group_commands()} <= set(ops_commands())
    assert len(ops_commands()) <= 100


async def test_what_the_bot_is_is_told_once_in_both_languages(telegram: Telegram, bot: Bot) -> None:
    await telegram.fault("500", method="getMyDescription", times=2)
    await set_descriptions(bot)
    assert (await bot.get_my_description()).description == ""
    await set_descriptions(bot)
    for code in (None, "zh"):
        assert 0 < len((await bot.get_my_description(code)).description) <= 512
        short = (await bot.get_my_short_description(code)).short_description
        assert 0 < len(short) <= 120
        assert ("Operations desk" in short) is (code is None)
    await telegram.fault("500", method="setMyDescription")
    await telegram.fault("500", method="setMyShortDescription")
    await set_descriptions(bot)
    assert len((await telegram.state())["faults"]) == 2, "what stands there is not told again"


def test_groups_are_offered_what_a_merchants_own_staff_may_say() -> None:
    assert {"bill", "order", "balance", "help"} <= set(group_commands())
    assert not {"adjust", "prepay", "bind", "suppliers", "rate"} & set(group_commands())
    assert {"suppliers", "rate", "help"} <= set(private_commands())
    assert not {"bind", "unbind", "start"} & set(private_commands())


def test_administrators_of_groups_are_offered_what_our_people_say_there() -> None:
    offered = set(administrator_commands())
    assert {"bind", "unbind", "prepay", "complete", "segment", "quiet", "topic", "lang"} <= offered
    assert set(group_commands()) <= offered
    assert not {"suppliers", "people", "groups", "settings", "hire"} & offered
    assert len(offered) <= 100


def test_telegram_takes_every_command_and_its_words() -> None:
    for name in {*private_commands(), *group_commands(), *administrator_commands()}:
        assert name in COMMANDS.by_name
        assert re.fullmatch(r"[a-z0-9_]{1,32}", name)
        for language in ("zh", "en"):
            assert 1 <= len(COMMANDS.words(name, language)) <= 256
    assert len(private_commands()) <= 100
