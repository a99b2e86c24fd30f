"""What is said of enquiries, and their card in the supplier's group."""

from __future__ import annotations

from dataclasses import dataclass
from gettext import NullTranslations
from typing import Any, Final

from aiogram.types import InlineKeyboardMarkup

from core.delivery.outbox import Notice
from core.trade.enquiries import (
    EnquiryAnswerLost,
    EnquiryPaid,
    EnquiryReminder,
    EnquiryUnanswered,
    EnquiryUnbound,
    EnquiryView,
)
from handlers.enquiries.buttons import PassEnquiry, TakeEnquiry
from handlers.kit.screen import Screen, View, button, fill, keyboard
from texts import translator


@dataclass(frozen=True, slots=True)
class CopyGone(Notice):
    """In the place of a message that was taken away before it could be copied."""


def render_enquiry(view: EnquiryView, language: str) -> Screen:
    """The card as it stands. What a merchant is called, and what it wrote, is not on it."""
    enquiry = view.enquiry
    facts = {
        "enquiry": enquiry,
        "amount_minor": view.amount.minor,
        "currency": view.amount.currency,
        "created_at": view.created_at,
        "upstream_no": view.upstream_no,
        "zone": view.zone,
    }
    buttons = None
    if enquiry.state == "open" and not enquiry.taken_by_name:
        take = translator(language).gettext("🙋 I'm on it")
        buttons = keyboard((button(take, TakeEnquiry(enquiry.id)),))
    return Screen(html=fill("enquiry", facts, language), keyboard=buttons)


def _pass(notice: EnquiryUnbound, translate: NullTranslations) -> InlineKeyboardMarkup | None:
    again = translate.gettext("🔁 Ask the supplier now")
    return keyboard((button(again, PassEnquiry(notice.enquiry_id)),))


VIEWS: Final[tuple[View[Any], ...]] = (
    View(EnquiryReminder),
    View(EnquiryAnswerLost),
    View(EnquiryPaid),
    View(EnquiryUnbound, buttons=_pass),
    View(EnquiryUnanswered),
    View(CopyGone),
)
