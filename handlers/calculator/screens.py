"""A sum and its result."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from gettext import NullTranslations
from typing import Any, Final

from aiogram.types import CopyTextButton, InlineKeyboardButton, InlineKeyboardMarkup

from core.delivery.outbox import Notice
from handlers.calculator.arithmetic import Why
from handlers.kit.screen import View, keyboard


@dataclass(frozen=True, slots=True)
class SumNotice(Notice):
    """text: the sum as it was typed. result: plain digits. exact: else it is rounded."""

    text: str
    result: str
    exact: bool


@dataclass(frozen=True, slots=True)
class SumFaultNotice(Notice):
    """A sum without a result. at: from where on it cannot be read."""

    text: str
    why: Why
    at: str


def _copy(shown: SumNotice, _: NullTranslations) -> InlineKeyboardMarkup | None:
    """The result without marks between thousands."""
    text = shown.result
    return keyboard((InlineKeyboardButton(text=f"📋 {text}", copy_text=CopyTextButton(text=text)),))


def _grouped(shown: SumNotice, _: str) -> Mapping[str, Any]:
    return {"grouped": f"{Decimal(shown.result):,f}"}


VIEWS: Final[tuple[View[Any], ...]] = (
    View(SumNotice, buttons=_copy, adds=_grouped),
    View(SumFaultNotice),
)
