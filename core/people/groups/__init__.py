"""Chats the bot is in: their kind, bindings, and the other side's people."""

from __future__ import annotations

from core.people.groups.group import GROUP, Group, Member, read_group
from core.people.groups.groups import Groups
from core.people.groups.notices import BillEnded

__all__ = ["GROUP", "BillEnded", "Group", "Groups", "Member", "read_group"]
