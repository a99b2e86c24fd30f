"""What people write in one line about merchants and suppliers."""

from __future__ import annotations

import unicodedata
from typing import Final

from core.kernel.errors import Refusal

_CONTROLS: Final = frozenset({"Cc", "Cf", "Cs", "Zl", "Zp"})


def line(param: str, text: str, most: int, *, least: int = 1) -> str:
    """A text of one line, without the space around it. Refusals: field_invalid."""
    text = text.strip()
    if not least <= len(text) <= most or any(map(acts, text)):
        raise Refusal(
            "field_invalid",
            param=param,
            expected=f"{least} to {most} characters, none of them a control character",
        )
    return text


def acts(char: str) -> bool:
    """Whether a character acts on the text instead of being read, such as a line's end."""
    return unicodedata.category(char) in _CONTROLS
