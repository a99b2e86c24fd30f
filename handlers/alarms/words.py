"""What people ask about alarms."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from core.people.alarms import RIGHT
from handlers.kit.commands import Command, bare
from handlers.kit.grammar import nothing
from handlers.kit.intents import Reading


@dataclass(frozen=True, slots=True)
class ShowAlarms(Reading):
    """The alarms that stand."""


COMMANDS: Final = (
    Command(
        "alarms",
        {ShowAlarms: RIGHT},
        bare(ShowAlarms()),
        forms=("告警",),
        takes=nothing,
        what="Open alarms",
        usage=("告警", "/alarms"),
        answer=(
            "the alarms that stand, the oldest first: how often each was seen, since when, and who"
            " sees to it; a number opens one with its buttons"
        ),
        place="private",
    ),
)
