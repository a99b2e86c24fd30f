"""Chats the bot is in: their kind, bindings and settings, and the other side's people."""

from __future__ import annotations

from core.people.groups.changes import GroupChange, InSegment, InTopic, Label, Language, Quiet, Zone
from core.people.groups.directory import (
    MAX_TARGETS,
    Audience,
    Directory,
    Entry,
    Health,
    Holder,
    Page,
    Segment,
    Target,
)
from core.people.groups.group import GROUP, BotRights, Group, Member, Topics, read_group, read_quiet
from core.people.groups.groups import Groups
from core.people.groups.notices import BillEnded, TopicLost
from core.people.groups.quiet import QuietHours

__all__ = [
    "GROUP",
    "MAX_TARGETS",
    "Audience",
    "BillEnded",
    "BotRights",
    "Directory",
    "Entry",
    "Group",
    "GroupChange",
    "Groups",
    "Health",
    "Holder",
    "InSegment",
    "InTopic",
    "Label",
    "Language",
    "Member",
    "Page",
    "Quiet",
    "QuietHours",
    "Segment",
    "Target",
    "TopicLost",
    "Topics",
    "Zone",
    "read_group",
    "read_quiet",
]
