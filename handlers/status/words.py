"""What people ask about the desk itself."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from handlers.kit.commands import Command, bare
from handlers.kit.grammar import nothing
from handlers.kit.intents import Reading


@dataclass(frozen=True, slots=True)
class ShowStatus(Reading):
    """How the desk stands now."""


COMMANDS: Final = (
    Command(
        "status",
        {ShowStatus: "watch"},
        bare(ShowStatus()),
        forms=("系统状态",),
        takes=nothing,
        what="System status",
        usage=("系统状态", "/status"),
        answer=(
            "the webhook, what waits in each queue and since when, the limiter, channels that rest,"
            " the last run of each job, instances and versions; a button draws it anew"
        ),
        place="private",
    ),
)
