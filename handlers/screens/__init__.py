"""What a person sees: screens from typed facts. Pure; whatever comes from people is escaped."""

from __future__ import annotations

from handlers.screens.bill import render_bill
from handlers.screens.card import CardContext, render_card
from handlers.screens.pieces import Screen
from handlers.screens.saying import SCREENS, render_say, toast

__all__ = ["SCREENS", "CardContext", "Screen", "render_bill", "render_card", "render_say", "toast"]
