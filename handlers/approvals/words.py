"""What people say about what waits for them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from handlers.kit.commands import Command, bare
from handlers.kit.grammar import nothing
from handlers.kit.intents import Reading


@dataclass(frozen=True, slots=True)
class ShowApprovals(Reading):
    """What waits for a second person."""


COMMANDS: Final = (
    Command(
        "approvals",
        {ShowApprovals: "see_channel"},
        bare(ShowApprovals()),
        forms=("待审批",),
        takes=nothing,
        what="What waits for a second person",
        usage=("待审批", "/approvals"),
        answer=(
            "what waits for a second person's word, the oldest first, with its age and who asked;"
            " a number posts its card anew at the end of the ops group. In ops groups and private"
            " chats only"
        ),
    ),
)
