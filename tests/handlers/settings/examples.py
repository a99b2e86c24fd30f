"""What is said of settings, as widely as it can be."""

from __future__ import annotations

from typing import Final

from core.delivery.outbox import Notice
from core.people.desk_settings import SETTINGS
from core.people.setting_changes import SettingChanged, SettingQuestion
from handlers.settings.screens import EnvironmentLine, SettingLine, SettingsNotice
from tests.handlers.written import AT, HOSTILE

LINES: Final = (
    *(SettingLine(one.name, "", one.default, one.default) for one in SETTINGS.values()),
    SettingLine("prepay_second", "USD", 10**9, None, HOSTILE, AT),
    SettingLine("prepay_daily", "KWD", None, 5, HOSTILE, AT),
)
ENVIRONMENT: Final = (
    EnvironmentLine("PUBLIC_URL", HOSTILE, secret=False),
    EnvironmentLine("HOST", "", secret=False),
    EnvironmentLine("BOT_TOKEN", "set", secret=True),
    EnvironmentLine("MASTER_KEY", "not set", secret=True),
)
VALUES: Final[tuple[tuple[int | bool | None, int | bool | None], ...]] = (
    (None, 5), (10**9, None), (False, True), (True, False), (0, 1),
)  # fmt: skip

EXAMPLES: Final[tuple[Notice, ...]] = (
    SettingsNotice(LINES, ENVIRONMENT, "Asia/Shanghai", may_change=True),
    SettingsNotice(LINES, (), "UTC", may_change=False),
    *(SettingChanged("keys_second", "USD", *values, HOSTILE) for values in VALUES),
)
LARGEST: Final[tuple[Notice, ...]] = (
    SettingsNotice(LINES * 8, ENVIRONMENT * 6, "Asia/Shanghai", may_change=True),
)
ASKED: Final = (
    SettingQuestion("prepay_second", "USD", 5, None, reset=False),
    SettingQuestion("keys_second", "", before=True, after=False, reset=True),
)
