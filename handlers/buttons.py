"""The buttons of all topics, read back from what they carry."""

from __future__ import annotations

from typing import Final

from handlers.kit import buttons, day_buttons
from handlers.kit.buttons import Button
from handlers.topics import TOPICS

_READERS: Final = (
    *(topic.buttons for topic in TOPICS if topic.buttons),
    day_buttons.read,
    buttons.read,
)


def read_button(data: str) -> Button | None:
    """The button that carries this data; None for one that is not ours."""
    parts = data.split(":")
    try:
        return next((found for read in _READERS if (found := read(parts))), None)
    except ValueError:
        return None
