"""What people set about a group or a channel, with who may do so, and the trail of it."""

from __future__ import annotations

from typing import Final

from core.delivery.audit import Audit
from core.kernel.errors import Refusal
from core.people.actors import Actor
from core.people.groups import (
    Directory,
    Entry,
    GroupChange,
    Groups,
    InSegment,
    InTopic,
    Label,
    Language,
    Quiet,
    Zone,
)
from core.system.store import Store

RIGHT: Final = "list_groups"
# Whoever binds a group says what is spoken there.
_RIGHT_TO_LANGUAGE: Final = "bind"


class GroupSettings:
    """Sets one thing of a group."""

    def __init__(self, store: Store, groups: Groups, directory: Directory, audit: Audit) -> None:
        self._store = store
        self._groups = groups
        self._directory = directory
        self._audit = audit

    async def change(
        self, actor: Actor, change: GroupChange, no: int | None = None, *, message_id: int
    ) -> Entry:
        """Set it in the actor's own group (no: None), or, among staff, of the group or channel
        that is named. Returns how that is then; what was so already leaves no trace.

        Refusals: those of `Actor.need` and `Actor.need_among_staff`, of `Directory.by_no` and of
        `Groups.put`; group_not_bound.
        """
        right = _RIGHT_TO_LANGUAGE if isinstance(change, Language) else RIGHT
        if no is not None:
            actor.need_among_staff(right)
        else:
            actor.need(right)
            if actor.group is None:
                raise Refusal("group_not_bound")
            no = actor.group.no
        async with self._store.transaction() as tx:
            before = await self._directory.by_no(no, tx=tx)
            await self._groups.put(tx, before.chat_id, change)
            after = await self._directory.by_no(no, tx=tx)
            if after != before:
                await self._audit.record(
                    tx,
                    "set_group",
                    actor=actor.trail_name,
                    facts={
                        "name": before.title,
                        "before": shown(before, change),
                        "after": shown(after, change),
                        "actor_name": actor.name,
                    },
                    chat_id=before.chat_id,
                    message_id=message_id,
                )
        return after


def shown(entry: Entry, change: GroupChange) -> str:
    """What a group has of the thing that is set, as people write it; empty where nothing."""
    match change:
        case Label():
            return entry.label
        case Language():
            return entry.language
        case Zone():
            return entry.own_zone or ""
        case Quiet():
            return str(entry.quiet or "")
        case InSegment():
            return " ".join(entry.segments)
        case InTopic(use):
            return str(entry.topics.of(use) or "")
