"""What is said about files, and under them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

from core.delivery.outbox import Notice
from handlers.kit.screen import View


@dataclass(frozen=True, slots=True)
class FileNotice(Notice):
    """What stands under a text that is sent as a file."""

    title: str


@dataclass(frozen=True, slots=True)
class ExportFailed(Notice):
    """A file could not be made or sent."""


VIEWS: Final[tuple[View[Any], ...]] = (View(FileNotice), View(ExportFailed))
