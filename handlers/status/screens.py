"""How the desk stands, on one screen."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from gettext import NullTranslations
from typing import Any, Final

from aiogram.types import InlineKeyboardMarkup

from core.delivery.outbox import Notice
from core.reports.standing import DeskStanding
from handlers.kit.screen import View, button, keyboard
from handlers.status.buttons import RefreshStatus


@dataclass(frozen=True, slots=True)
class WebhookLine:
    """What Telegram says of where it brings updates. host: empty where it brings them nowhere;
    its path is a secret. ours: whether that is this desk. fault: the last one, at fault_at."""

    host: str
    ours: bool
    waiting: int
    fault: str = ""
    fault_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class VersionLine:
    """What a part is, and which."""

    name: str
    version: str


@dataclass(frozen=True, slots=True)
class StatusNotice(Notice):
    """All of it. webhook: None where Telegram does not answer."""

    standing: DeskStanding
    webhook: WebhookLine | None
    versions: tuple[VersionLine, ...]
    zone: str


def _refresh(_: StatusNotice, translate: NullTranslations) -> InlineKeyboardMarkup | None:
    return keyboard((button(translate.gettext("🔄 Refresh"), RefreshStatus()),))


def _ages(notice: StatusNotice, _: str) -> Mapping[str, Any]:
    """For how many minutes the oldest of each queue waits, by its name."""
    at = notice.standing.at
    return {
        "waits_min": {
            line.name: max(0, int((at - line.since).total_seconds() // 60))
            for line in notice.standing.queues
            if line.since is not None
        }
    }


VIEWS: Final[tuple[View[Any], ...]] = (View(StatusNotice, buttons=_refresh, adds=_ages),)
