"""Brings broadcasts to their chats: so many at a time that one can be stopped, each chat once."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from typing import Final
from uuid import UUID

from core.delivery.district import Delivery
from core.delivery.outbox import BroadcastCard, Fact, Leaving, PinCopy, Revise, Saying, Withdraw
from core.people.broadcasts import rows
from core.people.broadcasts.model import KEEPER, Broadcast, read_broadcast, ref_of
from core.system.district import System
from core.system.store import Tx

# So many messages of all broadcasts wait in the outbox: more than leave between two looks, and so
# few that one that is stopped stops soon.
AHEAD: Final = 45
LOOK_EVERY: Final = timedelta(milliseconds=250)
# $1: now. Whether there is something to do about a broadcast.
BROADCASTS_DUE: Final = "EXISTS (SELECT FROM broadcast WHERE follow_at <= $1)"
_FAULT_CHARS: Final = 200


class BroadcastDelivery:
    """Puts what is due into the outbox, and keeps what became of it."""

    def __init__(self, system: System, delivery: Delivery) -> None:
        self._store = system.store
        self._clock = system.clock
        self._outbox = delivery.outbox
        self._outbox.on_sent(KEEPER, self._keep, self._lose)

    async def go_on(self, most: int) -> int:
        """Take up to `most` broadcasts a step further; how many there were. A chat is marked in
        the transaction that has the outbox take its message: whoever dies leaves neither or both.
        """
        now = self._clock.now()
        async with self._store.transaction() as tx:
            # All that are under way, always in one order: nobody else looks whose turn it is.
            await tx.fetch(
                "SELECT id FROM broadcast WHERE state = 'running' ORDER BY id FOR UPDATE"
            )
            found = await tx.fetch(_DUE, now, most)
            for row in found:
                await self._step(tx, read_broadcast(row))
        return len(found)

    async def _step(self, tx: Tx, broadcast: Broadcast) -> None:
        now = self._clock.now()
        if broadcast.state == "running":
            taken = await tx.fetch(_TAKE, broadcast.id, now, AHEAD)
            sayings = [
                Saying(row["at"], _fact(broadcast, row["chat_id"], row["message_ids"]))
                for row in taken
            ]
            await self._outbox.say_all(tx, sayings)
        left = await tx.fetchrow(_LEFT, broadcast.id)
        follow_at = now + LOOK_EVERY
        if left is None or not left["any"]:
            state = "stopped" if broadcast.state == "stopped" else "done"
            await rows.change(
                tx, broadcast.id, {"state": state, "ended_at": now, "follow_at": None}
            )
        else:
            if not left["queued"] and left["next_at"] is not None:
                follow_at = max(follow_at, left["next_at"])  # all that is left is quiet
            await rows.change(tx, broadcast.id, {"follow_at": follow_at})
        card = BroadcastCard(str(broadcast.id), posted=True)
        key = f"broadcast:{broadcast.id}"
        await self._outbox.say(tx, broadcast.chat_id, card, dedupe_key=key)

    async def _keep(self, tx: Tx, leaving: Leaving, message_ids: Sequence[int]) -> None:
        """It arrived, was changed, or is gone from there."""
        broadcast_id, chat_id = _whose(leaving.fact)
        state = "withdrawn" if isinstance(leaving.fact, Withdraw) else "sent"
        pin = await tx.fetchval(
            _KEPT, broadcast_id, chat_id, state, list(message_ids), leaving.chat_id,
            self._clock.now(),
        )  # fmt: skip
        if pin and message_ids:
            await self._outbox.say(tx, leaving.chat_id, PinCopy(message_ids[0]))

    async def _lose(self, tx: Tx, leaving: Leaving, fault: str) -> None:
        broadcast_id, chat_id = _whose(leaving.fact)
        await tx.execute(_LOST, broadcast_id, chat_id, fault[:_FAULT_CHARS], self._clock.now())


def _fact(broadcast: Broadcast, chat_id: int, message_ids: Sequence[int]) -> Fact:
    """What is to be done in a chat, where these messages of it stand."""
    ref = ref_of(broadcast.id, chat_id)
    content = broadcast.content
    if not message_ids:
        return content.to(ref, bulk=True)
    if broadcast.task == "withdraw":
        return Withdraw(tuple(message_ids), KEEPER, ref)
    items = content.items if content.replaced else ()
    return Revise(tuple(message_ids), content.words, content.captioned, KEEPER, ref, items)


def _whose(fact: Fact) -> tuple[UUID, int]:
    """The broadcast, and the chat that it was meant for: a group may have moved since."""
    _, broadcast_id, chat_id = str(getattr(fact, "ref", "")).split(":")
    return UUID(broadcast_id), int(chat_id)


_DUE: Final = """
SELECT * FROM broadcast WHERE follow_at <= $1 ORDER BY follow_at, id LIMIT $2 FOR UPDATE
"""
# $2: now, $3: how many of all broadcasts may be on their way. `at`: where its messages stand.
_TAKE: Final = """
WITH due AS (
    SELECT t.broadcast_id, t.chat_id FROM broadcast_target t
    WHERE t.broadcast_id = $1 AND t.state = 'waiting' AND t.due_at <= $2
      AND NOT EXISTS (
        SELECT FROM broadcast_target other
        WHERE other.chat_id = t.chat_id AND other.state = 'queued')
    ORDER BY t.due_at, t.chat_id
    LIMIT greatest(0, $3 - (SELECT count(*) FROM broadcast_target WHERE state = 'queued'))
)
UPDATE broadcast_target t SET state = 'queued' FROM due
WHERE t.broadcast_id = due.broadcast_id AND t.chat_id = due.chat_id
RETURNING t.chat_id, t.message_ids, coalesce(t.posted_in, t.chat_id) AS at
"""
_LEFT: Final = """
SELECT bool_or(state IN ('waiting', 'queued')) AS any, bool_or(state = 'queued') AS queued,
    min(due_at) FILTER (WHERE state = 'waiting') AS next_at
FROM broadcast_target WHERE broadcast_id = $1
"""
_KEPT: Final = """
UPDATE broadcast_target t SET state = $3, done_at = $6,
    message_ids = CASE WHEN $4::bigint[] = '{}' THEN t.message_ids ELSE $4 END,
    posted_in = CASE WHEN $4::bigint[] = '{}' THEN t.posted_in ELSE $5::bigint END
FROM broadcast b
WHERE b.id = $1 AND t.broadcast_id = $1 AND t.chat_id = $2 AND t.state = 'queued'
RETURNING b.pin
"""
_LOST: Final = """
UPDATE broadcast_target SET state = 'failed', fault = $3, done_at = $4
WHERE broadcast_id = $1 AND chat_id = $2 AND state = 'queued'
"""
