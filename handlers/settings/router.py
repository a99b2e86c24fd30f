"""Settings shown, and set: by one person or by two."""

from __future__ import annotations

import asyncio
from typing import Any, Final
from zoneinfo import ZoneInfo

import yaml
from aiogram import Router
from aiogram.types import CallbackQuery, Message

from core.delivery.outbox import TextFile
from core.kernel.errors import Refusal
from core.people.district import People
from core.people.setting_changes import Wanted
from core.reports.district import Reports
from core.system.district import System
from core.system.settings import Shown
from handlers.files.screens import FileNotice
from handlers.kit.chat import Chat
from handlers.kit.context import Presses, Wants
from handlers.settings.buttons import RefreshSettings, TurnSwitch
from handlers.settings.screens import EnvironmentLine, SettingLine, SettingsNotice
from handlers.settings.words import ChangeSetting, ExportConfig, ShowSettings
from texts import translator

# It is kept in the outbox until it leaves.
_MAX_FILE_BYTES: Final = 5 * 2**20


def add_routes(routes: Router) -> None:
    """What people may do alone, and what takes two."""
    routes.message.register(show, Wants(ShowSettings))
    routes.message.register(change, Wants(ChangeSetting))
    routes.message.register(export, Wants(ExportConfig))
    routes.callback_query.register(refresh, Presses(RefreshSettings))
    routes.callback_query.register(turn, Presses(TurnSwitch))


async def show(_: Message, chat: Chat, people: People, environment: tuple[Shown, ...]) -> None:
    """All of them. Refusals: those of `Actor.need_among_staff`."""
    chat.actor.need_among_staff("watch")
    await chat.say(await _all(chat, people, environment))


async def refresh(
    _: CallbackQuery, chat: Chat, people: People, environment: tuple[Shown, ...]
) -> None:
    """The list as it is now, in the place of the one that carries the button."""
    chat.actor.need_among_staff("watch")
    await chat.replace(await _all(chat, people, environment))


async def change(_: Message, chat: Chat, intent: ChangeSetting, people: People) -> None:
    """Set one that was typed. Refusals: those of `SettingChanges.change`."""
    await _change(chat, people, intent.name, intent.wanted, intent.currency)


async def turn(
    _: CallbackQuery, chat: Chat, button: TurnSwitch, people: People,
    environment: tuple[Shown, ...],
) -> None:  # fmt: skip
    """Turn a switch, and show them all as they are then."""
    await _change(chat, people, button.name, button.on, "")
    await chat.replace(await _all(chat, people, environment))


async def export(_: Message, chat: Chat, reports: Reports, system: System) -> None:
    """The configuration as a file. Refusals: those of `Configuration.read`, config_too_big."""
    found = await reports.configuration.read(chat.actor)
    text = await asyncio.to_thread(_yaml, found)
    if len(text.encode()) > _MAX_FILE_BYTES:
        raise Refusal("config_too_big", limit_mb=_MAX_FILE_BYTES // 2**20)
    at = system.clock.now().astimezone(ZoneInfo(await chat.zone()))
    title = translator(chat.actor.language).gettext(
        "The configuration of the desk, without secrets"
    )
    name = f"paydesk-config-{at:%Y%m%d-%H%M}.yaml"
    await chat.put(TextFile(name, text, FileNotice(title), reply_to=chat.message_id))


def _yaml(found: dict[str, list[dict[str, Any]]]) -> str:
    """It takes longer than the loop may stand still."""
    return yaml.safe_dump(found, allow_unicode=True, sort_keys=False, width=100)


async def _change(chat: Chat, people: People, name: str, wanted: Wanted, currency: str) -> None:
    changed = await people.setting_changes.change(
        chat.actor, name, wanted, currency, message_id=chat.message_id
    )
    if changed is not None:
        await chat.say(changed)


async def _all(chat: Chat, people: People, environment: tuple[Shown, ...]) -> SettingsNotice:
    chosen = await people.settings.all()
    return SettingsNotice(
        tuple(
            SettingLine(
                one.setting.name,
                one.currency,
                one.value,
                one.setting.default,
                one.set_by_name,
                one.set_at,
            )
            for one in chosen
        ),
        tuple(EnvironmentLine(one.name, one.value, one.secret) for one in environment),
        await chat.zone(),
        chat.actor.may("settings"),
    )
