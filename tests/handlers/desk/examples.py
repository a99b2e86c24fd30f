"""The rest of what anybody may ask, as it is shown."""

from __future__ import annotations

from typing import Final

from core.delivery.outbox import Notice
from handlers.kit.dialogues import DialogueEnded

EXAMPLES: Final[tuple[Notice, ...]] = (DialogueEnded(ended=True), DialogueEnded(ended=False))
