"""Chats the bot is in: their kind, bindings, and the other side's people."""

from __future__ import annotations

from core.people.groups.groups import Group, Groups
from core.people.groups.notices import BillEnded

__all__ = ["BillEnded", "Group", "Groups"]
