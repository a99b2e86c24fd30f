"""Where one begins: an owner of a desk in production sees its checklist, all others the help."""

from __future__ import annotations

from aiogram import Bot, Router
from aiogram.types import CallbackQuery, Message

from core.reports.district import Reports
from core.system.district import System
from handlers.checklist.buttons import OpenStep, RefreshSteps
from handlers.checklist.screens import DeskChecklist, StepNotice, Typed
from handlers.checklist.words import TYPED, Start
from handlers.desk.router import help_
from handlers.kit.chat import Chat
from handlers.kit.commands import CommandTable
from handlers.kit.context import Presses, Wants
from handlers.kit.secrets import need_private
from handlers.kit.topic import Topic


def add_routes(routes: Router) -> None:
    """From nothing to the first paid order."""
    routes.message.register(start, Wants(Start))
    routes.callback_query.register(refresh, Presses(RefreshSteps))
    routes.callback_query.register(open_step, Presses(OpenStep))


async def start(
    message: Message, chat: Chat, topics: tuple[Topic, ...], system: System, reports: Reports
) -> None:
    """The checklist, or what this person may do here. Refusals: anonymous_admin."""
    private = chat.id == chat.actor.user_id
    if system.demo or not private or chat.actor.role != "owner":
        await help_(message, chat, topics)
        return
    await chat.say(DeskChecklist(chat.actor.name, await reports.checklist.read(chat.actor)))


async def refresh(_: CallbackQuery, chat: Chat, reports: Reports) -> None:
    """As it is now, in the place of the one that carries the button. Refusals: private_only,
    those of `Checklist.read`."""
    need_private(chat)
    await chat.replace(DeskChecklist(chat.actor.name, await reports.checklist.read(chat.actor)))


async def open_step(
    _: CallbackQuery,
    chat: Chat,
    button: OpenStep,
    commands: CommandTable,
    reports: Reports,
    bot: Bot,
) -> None:
    """What to press or to type. Refusals: as of `refresh`."""
    need_private(chat)
    done = {step.name: step.done for step in await reports.checklist.read(chat.actor)}
    typed = tuple(
        Typed(spoken, slash)
        for spoken, slash in TYPED[button.step]
        if slash.split()[0].removeprefix("/") in commands.by_name
    )
    username = (await bot.me()).username or ""
    await chat.say(StepNotice(button.step, done[button.step], typed, username))
