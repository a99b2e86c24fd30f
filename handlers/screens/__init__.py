"""What a person sees: screens from typed facts. Pure; whatever comes from people is escaped."""

from __future__ import annotations

from handlers.screens.alarming import ALARMS, render_alarm
from handlers.screens.bill import render_bill
from handlers.screens.card import CardContext, render_card, render_supplier_card
from handlers.screens.chart import chart_buttons, export_progress
from handlers.screens.pieces import Screen, caption
from handlers.screens.platform_bill import render_platform_bill
from handlers.screens.routing import call_log
from handlers.screens.saying import INSTANTS, SCREENS, refusal_words, render_say, toast
from handlers.screens.statistics import FIGURES, added
from handlers.screens.supplier_bill import render_supplier_bill
from handlers.screens.words import command_words

__all__ = [
    "ALARMS",
    "FIGURES",
    "INSTANTS",
    "SCREENS",
    "CardContext",
    "Screen",
    "added",
    "call_log",
    "caption",
    "chart_buttons",
    "command_words",
    "export_progress",
    "refusal_words",
    "render_alarm",
    "render_bill",
    "render_card",
    "render_platform_bill",
    "render_say",
    "render_supplier_bill",
    "render_supplier_card",
    "toast",
]
