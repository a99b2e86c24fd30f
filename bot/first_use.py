"""What takes a processor a while at its first use: made in a thread as a desk starts, so that
nobody waits for it and the loop does not stand still."""

from __future__ import annotations

from typing import Final

from aiogram.methods import EditMessageText, SendMessage
from aiogram.types import InputRichMessage, Message, Update

from texts import LANGUAGES, translator

# What comes, what Telegram answers, what a bill is sent as, and how most is sent. Each holds
# hundreds of others.
_TYPES: Final = (Update, Message, InputRichMessage, SendMessage, EditMessageText)


def make_ready() -> None:
    """Build the types and read the translations. Said again, it does nothing."""
    for kind in _TYPES:
        kind.model_rebuild()
    for language in LANGUAGES:
        translator(language)
