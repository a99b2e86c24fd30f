"""Settings of the desk: thresholds, caps and switches, and what the environment says."""

from __future__ import annotations

from typing import Final

from core.people.setting_changes import SettingQuestion
from handlers.kit.topic import Topic
from handlers.settings import buttons, router
from handlers.settings.screens import VIEWS
from handlers.settings.words import COMMANDS

__all__ = ["TOPIC"]

TOPIC: Final = Topic(
    "settings",
    routes=(router.add_routes,),
    commands=COMMANDS,
    views=VIEWS,
    asks=(SettingQuestion,),
    buttons=buttons.read,
)
