"""Rates and costs, and the question whether to charge past orders anew."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from gettext import NullTranslations
from typing import Any, Final

from aiogram.types import InlineKeyboardMarkup

from core.accounts.pricing import CostSet, RateSet
from core.accounts.rerating import Rerated, RerateDropped, RerateQuestionNotice, RerateWaits
from core.delivery.outbox import Notice
from handlers.kit.screen import View, button, keyboard
from handlers.rates.buttons import AnswerRerating


@dataclass(frozen=True, slots=True)
class RateLine:
    """What a merchant pays for a product now, and what comes. tariff, coming_tariff: in writing;
    empty where there is none."""

    code: str
    name_zh: str
    name_en: str
    tariff: str
    since: date | None
    coming_tariff: str
    coming_since: date | None


@dataclass(frozen=True, slots=True)
class Rates(Notice):
    """What a merchant pays for each product that is open to it, or will be."""

    merchant_no: str
    merchant_name: str
    currency: str
    lines: tuple[RateLine, ...]


@dataclass(frozen=True, slots=True)
class CostLine:
    """What a supplier charges on a channel. tariff: as a person writes one."""

    channel_no: str
    channel_name: str
    tariff: str


@dataclass(frozen=True, slots=True)
class SupplierRates(Notice):
    """What a supplier charges us now, for its own group."""

    supplier_no: str
    supplier_name: str
    currency: str
    lines: tuple[CostLine, ...]


def _answers(
    asked: RerateQuestionNotice, translate: NullTranslations
) -> InlineKeyboardMarkup | None:
    """Whether to book the difference."""
    yes = AnswerRerating(asked.approval_id, yes=True)
    no = AnswerRerating(asked.approval_id, yes=False)
    return keyboard(
        (
            button(translate.gettext("✅ Charge anew"), yes, style="danger"),
            button(translate.pgettext("desk", "Cancel"), no),
        )
    )


VIEWS: Final[tuple[View[Any], ...]] = (
    View(Rates, shortens="lines"),
    View(SupplierRates, shortens="lines"),
    View(RateSet),
    View(CostSet),
    View(RerateQuestionNotice, buttons=_answers),
    View(RerateWaits),
    View(Rerated),
    View(RerateDropped),
)
