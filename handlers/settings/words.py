"""What people say about the settings of the desk: `设置 prepay_second 2万 USD`. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from core.people.desk_settings import SETTINGS
from core.people.setting_changes import DEFAULT, Wanted
from handlers.kit.commands import Command, bare
from handlers.kit.grammar import is_off, nothing, take_currencies
from handlers.kit.intents import Changing, Reading
from texts.amounts import fold, read_amount

_ON: Final = frozenset({"on", "开", "开启"})
_DEFAULT: Final = frozenset({DEFAULT, "默认"})


@dataclass(frozen=True, slots=True)
class ShowSettings(Reading):
    """Each setting, and what the environment says."""


@dataclass(frozen=True, slots=True)
class ChangeSetting(Changing):
    """Set one. wanted: as `SettingChanges.change` takes it. currency: empty for all that have none
    of their own."""

    name: str
    wanted: Wanted
    currency: str = ""


@dataclass(frozen=True, slots=True)
class ExportConfig(Reading):
    """All that is set up, as a file."""


def read_settings(words: Sequence[str]) -> ShowSettings | ChangeSetting | None:
    """Nothing; or a setting's name, what it shall be, and perhaps a currency."""
    if not words:
        return ShowSettings()
    setting = SETTINGS.get(fold(words[0]).lower())
    currencies, rest = take_currencies(words[1:])
    if setting is None or not rest or len(currencies) > 1:
        return None
    if setting.kind != "amount" and currencies:
        return None
    text, currency = fold(" ".join(rest)).lower(), "".join(currencies)
    if text in _DEFAULT:
        return ChangeSetting(setting.name, DEFAULT, currency)
    if setting.kind == "switch":
        off = is_off(text)
        return ChangeSetting(setting.name, not off) if off or text in _ON else None
    if is_off(text):
        return ChangeSetting(setting.name, None, currency)
    typed = read_amount(text)
    if typed is None or typed.currency or typed.other is not None or typed.units % 1:
        return None
    return ChangeSetting(setting.name, int(typed.units), currency)


def may_follow(word: str) -> bool:
    """Whether a word after the Chinese form belongs to it: the name of a setting."""
    return fold(word).lower() in SETTINGS


COMMANDS: Final = (
    Command(
        "settings",
        {ShowSettings: "watch", ChangeSetting: "settings"},
        read_settings,
        forms=("设置",),
        takes=may_follow,
        what="Settings of the desk",
        usage=(
            "设置",
            "/settings",
            "设置 prepay_second 2万",
            "设置 keys_second 开",
            "/settings prepay_second 20000 USD",
            "/settings prepay_daily off",
            "/settings keys_second on",
            "/settings chase_after 15",
            "/settings prepay_second default",
        ),
        answer=(
            "thresholds, caps, switches and waits with their defaults and who set them, and what"
            " the environment says (no secrets). What lets one person do more needs a second owner;"
            " what lets one do less counts at once. `off`: no limit"
        ),
        place="private",
    ),
    Command(
        "export_config",
        {ExportConfig: "watch"},
        bare(ExportConfig()),
        forms=("导出配置",),
        takes=nothing,
        what="The configuration as a file",
        usage=("导出配置", "/export_config"),
        answer=(
            "one YAML file: settings, people, groups, products, documents, suppliers, channels,"
            " costs, merchants, apps, rates; no keys, no credentials, no money"
        ),
        place="private",
    ),
)
