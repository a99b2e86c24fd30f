"""Broadcasts as people handle them: written, tried, sent, stopped, corrected, taken back."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime, timedelta
from typing import Any, Final
from uuid import UUID

from core.delivery.audit import Action
from core.delivery.district import Delivery
from core.delivery.outbox import BroadcastCard
from core.kernel.codec import pack
from core.kernel.errors import Refusal
from core.people.actors import Actor
from core.people.broadcasts import rows
from core.people.broadcasts.model import (
    RATE_PER_S,
    Broadcast,
    BroadcastPage,
    BroadcastView,
    Content,
    Plan,
    ResultPage,
    State,
    Task,
    ref_of,
)
from core.people.groups import MAX_TARGETS, Audience, Directory, Target
from core.system.district import System
from core.system.store import Queries, Tx

RIGHT: Final = "broadcast"
MAX_OPEN: Final = 5
# A broadcast may wait so long for its time.
MAX_LATER: Final = timedelta(days=30)
_GONE: Final = "the bot is not there, or may not post"
_DRAFT: Final[tuple[State, ...]] = ("draft",)
_RUNNING: Final[tuple[State, ...]] = ("running",)
_OVER: Final[tuple[State, ...]] = ("done", "stopped")


class Broadcasts:
    """Handles them. Each change shows on the card in the chat of whoever sends it.

    More than seven verbs: a broadcast has a life before it is sent and one after that.
    """

    def __init__(self, system: System, delivery: Delivery, directory: Directory) -> None:
        self._store = system.store
        self._clock = system.clock
        self._ids = system.ids
        self._outbox = delivery.outbox
        self._posts = delivery.board.posts
        self._audit = delivery.audit
        self._directory = directory

    # ── before it is sent ────────────────────────────────────────────────────────────────────────
    async def draft(self, actor: Actor, content: Content, audience: Audience) -> Broadcast:
        """A new one, not sent yet; its card comes below. Refusals: anonymous_admin, not_permitted,
        staff_only, segment_not_found."""
        actor.need_among_staff(RIGHT)
        async with self._store.transaction() as tx:
            await self._directory.targets(tx, audience)
            made = await rows.add(
                tx,
                {
                    "id": self._ids.uuid7(),
                    "state": "draft",
                    "task": "send",
                    "content": pack(content),
                    "audience": pack(audience),
                    "chat_id": actor.chat_id,
                    "by_name": actor.name,
                    "created_at": self._clock.now(),
                },
            )
            await self._outbox.say(tx, made.chat_id, BroadcastCard(str(made.id)))
        return made

    async def aim(self, actor: Actor, broadcast_id: UUID, audience: Audience) -> Broadcast:
        """Whom a draft is for. Refusals: those of `_lock`, segment_not_found."""
        async with self._store.transaction() as tx:
            await self._lock(tx, actor, broadcast_id, _DRAFT)
            await self._directory.targets(tx, audience)
            return await self._change(tx, actor, broadcast_id, {"audience": pack(audience)})

    async def pick(self, actor: Actor, broadcast_id: UUID, no: int) -> Broadcast:
        """Add a group or a channel to those that a draft is for, or take it out again. Refusals:
        those of `_lock`, group_not_found."""
        async with self._store.transaction() as tx:
            draft = await self._lock(tx, actor, broadcast_id, _DRAFT)
            chat_id = (await self._directory.by_no(no, tx=tx)).chat_id
            picked = draft.audience.chat_ids if draft.audience.aim == "picked" else ()
            left = tuple(one for one in picked if one != chat_id)
            audience = Audience("picked", chat_ids=left if chat_id in picked else (*left, chat_id))
            return await self._change(tx, actor, broadcast_id, {"audience": pack(audience)})

    async def pin(self, actor: Actor, broadcast_id: UUID, *, is_pinned: bool) -> Broadcast:
        """Whether a draft is pinned where it arrives. Refusals: those of `_lock`."""
        async with self._store.transaction() as tx:
            await self._lock(tx, actor, broadcast_id, _DRAFT)
            return await self._change(tx, actor, broadcast_id, {"pin": is_pinned})

    async def time(self, actor: Actor, broadcast_id: UUID, at: datetime | None) -> Broadcast:
        """When a draft is sent; None: at once. Refusals: those of `_lock`, broadcast_time."""
        now = self._clock.now()
        if at is not None and not now < at <= now + MAX_LATER:
            raise Refusal("broadcast_time", days=MAX_LATER.days)
        async with self._store.transaction() as tx:
            await self._lock(tx, actor, broadcast_id, _DRAFT)
            return await self._change(tx, actor, broadcast_id, {"starts_at": at})

    async def test(self, actor: Actor, broadcast_id: UUID) -> None:
        """Send it to whoever presses, and to nobody else. Refusals: those of `_lock`."""
        async with self._store.transaction() as tx:
            found = await self._lock(tx, actor, broadcast_id, (*_DRAFT, *_RUNNING, *_OVER))
            await self._outbox.say(tx, actor.user_id, found.content.to("", bulk=False))

    async def send(self, actor: Actor, broadcast_id: UUID) -> Broadcast:
        """Send a draft, now or at its time. Refusals: those of `_lock`, broadcast_empty,
        broadcasts_full, broadcast_time (it is over)."""
        now = self._clock.now()
        async with self._store.transaction() as tx:
            draft = await self._lock(tx, actor, broadcast_id, _DRAFT)
            if draft.starts_at is not None and draft.starts_at <= now:
                raise Refusal("broadcast_time", days=MAX_LATER.days)
            if await rows.count_running(tx) >= MAX_OPEN:
                raise Refusal("broadcasts_full", most=MAX_OPEN)
            targets = await self._directory.targets(tx, draft.audience)
            if not targets:
                raise Refusal("broadcast_empty")
            begins_at = draft.starts_at or now
            await rows.add_targets(
                tx, broadcast_id, [_row(target, begins_at) for target in targets]
            )
            await self._record(tx, actor, "send_broadcast", draft, len(targets))
            return await self._change(
                tx, actor, broadcast_id, {"state": "running", "follow_at": begins_at}
            )

    async def drop(self, actor: Actor, broadcast_id: UUID) -> Broadcast:
        """It is not sent. Refusals: those of `_lock`."""
        async with self._store.transaction() as tx:
            await self._lock(tx, actor, broadcast_id, _DRAFT)
            return await self._change(tx, actor, broadcast_id, {"state": "dropped"})

    # ── once it is sent ──────────────────────────────────────────────────────────────────────────
    async def stop(self, actor: Actor, broadcast_id: UUID) -> Broadcast:
        """It goes no further; what is on its way arrives. Refusals: those of `_lock`."""
        async with self._store.transaction() as tx:
            found = await self._lock(tx, actor, broadcast_id, _RUNNING)
            await rows.stop(tx, found)
            await self._record(tx, actor, "stop_broadcast", found)
            return await self._change(
                tx, actor, broadcast_id, {"state": "stopped", "follow_at": self._clock.now()}
            )

    async def retry(self, actor: Actor, broadcast_id: UUID) -> int:
        """Try again where it failed or did not get because it was stopped: where a chat is quiet
        by now, once it is so no more. Returns in how many chats. Refusals: those of `_lock`,
        broadcast_empty."""
        now = self._clock.now()
        async with self._store.transaction() as tx:
            found = await self._lock(tx, actor, broadcast_id, _OVER)
            chat_ids = await rows.to_retry(tx, found)
            known = await self._directory.targets(tx, Audience("picked", chat_ids=tuple(chat_ids)))
            loud_from = {target.chat_id: target.from_on(now) for target in known}
            due_at = {chat_id: loud_from.get(chat_id, now) for chat_id in chat_ids}
            count = await rows.retry(tx, found, due_at)
            await self._go_on(tx, actor, found, found.task, "retry_broadcast", count)
        return count

    async def revise(self, actor: Actor, broadcast_id: UUID, content: Content) -> Broadcast:
        """Say or show something else wherever it arrived; see `Content.revised`. Refusals: those of
        `_lock`, broadcast_kind, broadcast_empty."""
        async with self._store.transaction() as tx:
            found = await self._lock(tx, actor, broadcast_id, _OVER)
            said = found.content.revised(content)
            await self._change(tx, actor, found.id, {"content": pack(said)})
            count = await rows.again(tx, found.id, self._clock.now())
            return await self._go_on(tx, actor, found, "revise", "revise_broadcast", count)

    async def withdraw(self, actor: Actor, broadcast_id: UUID) -> Broadcast:
        """Take it away wherever it arrived. Refusals: those of `_lock`, broadcast_empty."""
        async with self._store.transaction() as tx:
            found = await self._lock(tx, actor, broadcast_id, _OVER)
            count = await rows.again(tx, found.id, self._clock.now())
            return await self._go_on(tx, actor, found, "withdraw", "withdraw_broadcast", count)

    # ── what there is ────────────────────────────────────────────────────────────────────────────
    async def by_no(self, actor: Actor, no: int) -> Broadcast:
        """The one that people name so. Refusals: as of `Actor.need_among_staff`,
        broadcast_not_found."""
        actor.need_among_staff(RIGHT)
        found = await rows.find(self._store, "no", no)
        if found is None:
            raise Refusal("broadcast_not_found", text=f"B{no}")
        return found

    async def page(self, actor: Actor, number: int) -> BroadcastPage:
        """A page of all, the newest first; one behind the last is the last. Refusals: as of
        `Actor.need_among_staff`."""
        actor.need_among_staff(RIGHT)
        return await rows.page(self._store, number)

    async def results(self, actor: Actor, broadcast_id: UUID, number: int) -> ResultPage:
        """A page of what became of it in each chat; one behind the last is the last. Refusals: as
        of `Actor.need_among_staff`, broadcast_not_found."""
        return await rows.result_page(self._store, await self._known(actor, broadcast_id), number)

    async def all_results(self, actor: Actor, broadcast_id: UUID) -> ResultPage:
        """Likewise, all on one page."""
        known = await self._known(actor, broadcast_id)
        return await rows.result_page(self._store, known, 1, page_rows=MAX_TARGETS)

    async def view(self, broadcast_id: UUID) -> BroadcastView | None:
        """What its card shows; None where it is forgotten."""
        found = await rows.find(self._store, "id", broadcast_id)
        if found is None:
            return None
        plan = None
        if found.state == "draft":
            plan = _plan(await self._targets(found), found.starts_at or self._clock.now())
        counts, next_at = await rows.counts(self._store, found.id)
        return BroadcastView(
            found, plan, counts, next_at, await rows.failures(self._store, found.id)
        )

    async def forget_old(self) -> int:
        """Drop what was written long ago, and what the board knows of it; how many broadcasts."""
        async with self._store.transaction() as tx:
            forgotten = await rows.forget(tx, self._clock.now())
            for broadcast_id, chat_ids in forgotten.items():
                refs = [ref_of(broadcast_id, chat_id) for chat_id in chat_ids]
                await self._posts.forget_all(tx, "copy", refs)
            await self._posts.forget_all(tx, "broadcast", [str(one) for one in forgotten])
        return len(forgotten)

    # ── what the verbs share ─────────────────────────────────────────────────────────────────────
    async def _targets(self, draft: Broadcast) -> list[Target]:
        """Of a draft; none where its segment is empty by now."""
        try:
            return await self._directory.targets(self._store, draft.audience)
        except Refusal:
            return []

    async def _known(self, actor: Actor, broadcast_id: UUID) -> Broadcast:
        """Refusals: as of `Actor.need_among_staff`, broadcast_not_found."""
        actor.need_among_staff(RIGHT)
        found = await rows.find(self._store, "id", broadcast_id)
        if found is None:
            raise Refusal("broadcast_not_found", text="")
        return found

    async def _lock(
        self, tx: Tx, actor: Actor, broadcast_id: UUID, states: Collection[State]
    ) -> Broadcast:
        """One that is in one of these states, for us alone until we commit. Refusals: as of
        `Actor.need_among_staff`, broadcast_not_found, broadcast_state."""
        actor.need_among_staff(RIGHT)
        found = await rows.find(tx, "id", broadcast_id, lock=True)
        if found is None:
            raise Refusal("broadcast_not_found", text="")
        if found.state not in states:
            raise Refusal("broadcast_state", number=f"B{found.no}")
        return found

    async def _go_on(
        self, tx: Tx, actor: Actor, found: Broadcast, task: Task, action: Action, count: int
    ) -> Broadcast:
        """action: as the trail calls it."""
        if not count:
            raise Refusal("broadcast_empty")
        await self._record(tx, actor, action, found, count)
        going = {
            "state": "running", "task": task, "ended_at": None, "follow_at": self._clock.now()
        }  # fmt: skip
        return await self._change(tx, actor, found.id, going)

    async def _change(
        self, tx: Tx, actor: Actor, broadcast_id: UUID, changes: dict[str, Any]
    ) -> Broadcast:
        """The cards of whoever changes it and of whoever wrote it show it."""
        changed = await rows.change(tx, broadcast_id, changes)
        card = BroadcastCard(str(broadcast_id), posted=True, pressed=True)
        for chat_id in {changed.chat_id, actor.chat_id}:
            await self._outbox.say(tx, chat_id, card)
        return changed

    async def _record(
        self, tx: Queries, actor: Actor, action: Action, found: Broadcast, count: int = 0
    ) -> None:
        await self._audit.record(
            tx,
            action,
            actor=actor.trail_name,
            facts={"number": f"B{found.no}", "count": count, "actor_name": actor.name},
            chat_id=actor.chat_id,
        )


def _row(target: Target, begins_at: datetime) -> dict[str, Any]:
    """A chat as a row; where nothing can be posted, it failed already."""
    return {
        "chat_id": target.chat_id,
        "no": target.no,
        "title": target.title,
        "state": "waiting" if target.reachable else "failed",
        "due_at": target.from_on(begins_at),
        "fault": "" if target.reachable else _GONE,
    }


def _plan(targets: list[Target], begins_at: datetime) -> Plan:
    there = [target.from_on(begins_at) for target in targets if target.reachable]
    quiet = [at for at in there if at > begins_at]
    loud = len(there) - len(quiet)
    return Plan(
        total=len(targets),
        unreachable=len(targets) - len(there),
        quiet=len(quiet),
        quiet_until=max(quiet, default=None),
        seconds=-(-loud // RATE_PER_S),
    )
