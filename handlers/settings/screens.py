"""The settings as they stand, and what became of one that somebody set."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from gettext import NullTranslations
from typing import Any, Final

from aiogram.types import InlineKeyboardMarkup

from core.delivery.outbox import Notice
from core.people.setting_changes import SettingChanged
from handlers.kit.screen import View, button, in_rows, keyboard
from handlers.settings.buttons import RefreshSettings, TurnSwitch


@dataclass(frozen=True, slots=True)
class SettingLine:
    """A setting as it stands. currency: empty for all that have none of their own. value, default:
    whole units of an amount, None for no limit; a bool of a switch. set_by_name: empty where nobody
    set it."""

    name: str
    currency: str
    value: int | bool | None
    default: int | bool | None
    set_by_name: str = ""
    set_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class EnvironmentLine:
    """A setting of the environment. value: empty where it is not set; of a secret `set` or `not
    set`."""

    name: str
    value: str
    secret: bool


@dataclass(frozen=True, slots=True)
class SettingsNotice(Notice):
    """Each setting; then what the environment says. may_change: whether whoever asks may set
    them."""

    lines: tuple[SettingLine, ...]
    environment: tuple[EnvironmentLine, ...]
    zone: str
    may_change: bool


def _buttons(notice: SettingsNotice, translate: NullTranslations) -> InlineKeyboardMarkup | None:
    on, off = translate.gettext("Switch on %(name)s"), translate.gettext("Switch off %(name)s")
    switches = [
        button(
            (off if line.value else on) % {"name": line.name}, TurnSwitch(line.name, not line.value)
        )
        for line in notice.lines
        if notice.may_change and isinstance(line.value, bool)
    ]
    refresh = button(translate.gettext("🔄 Refresh"), RefreshSettings())
    return keyboard(*in_rows(switches, 1), (refresh,))


VIEWS: Final[tuple[View[Any], ...]] = (
    View(SettingsNotice, buttons=_buttons, shortens="lines"),
    View(SettingChanged),
)
