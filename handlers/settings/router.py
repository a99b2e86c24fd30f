"""Settings shown, and set: by one person or by two."""

from __future__ import annotations

from aiogram import Router
from aiogram.types import CallbackQuery, Message

from core.people.district import People
from core.people.setting_changes import Wanted
from core.system.settings import Shown
from handlers.kit.chat import Chat
from handlers.kit.context import Presses, Wants
from handlers.settings.buttons import RefreshSettings, TurnSwitch
from handlers.settings.screens import EnvironmentLine, SettingLine, SettingsNotice
from handlers.settings.words import ChangeSetting, ShowSettings


def add_routes(routes: Router) -> None:
    """What people may do alone, and what takes two."""
    routes.message.register(show, Wants(ShowSettings))
    routes.message.register(change, Wants(ChangeSetting))
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
