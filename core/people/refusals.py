"""What was refused: one message per person and minute in a group, or refusals would take the room
of what people wait for."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any, Final

from core.delivery.outbox import Notice, Outbox, Say, pack, unpack
from core.kernel.clock import Clock
from core.kernel.errors import Bug
from core.kernel.ids import Ids
from core.people.actors import Actor
from core.system.store import Store, Tx

TOLD_EVERY: Final = timedelta(minutes=1)
KEPT: Final = timedelta(hours=1)
_QUOTE_CHARS: Final = 60
# More of one person and minute have no words, only the sign that they are refused.
MAX_HELD: Final = 30


@dataclass(frozen=True, slots=True)
class HeldRefusal:
    """A refusal that waits for the end of its minute: of which message, and whether the answer is
    for the whole chat (aloud)."""

    chat_id: int
    message_id: int
    aloud: bool


@dataclass(frozen=True, slots=True)
class ToldRefusal:
    """A refusal among others: what would have been said, as it is kept, and of which words."""

    screen: str
    facts: dict[str, Any]
    quote: str


@dataclass(frozen=True, slots=True)
class RefusalsNotice(Notice):
    """Several refusals of one person, the oldest first."""

    told: tuple[ToldRefusal, ...]


class Refusals:
    """Says the first refusal of a person at once. What follows within a minute is held, and told
    in one message when the minute is over.

    What only that person may see is never told together with what stands in the chat: it waits for
    a minute of its own.
    """

    def __init__(self, store: Store, clock: Clock, ids: Ids, outbox: Outbox) -> None:
        self._store = store
        self._clock = clock
        self._ids = ids
        self._outbox = outbox
        self._on_held: list[Callable[[HeldRefusal], None]] = []

    def on_held(self, look: Callable[[HeldRefusal], None]) -> None:
        """Have `look` called with each refusal of a person's words that is held, once that is
        written; not of a press, which stands under a message of ours."""
        self._on_held.append(look)

    async def tell(self, actor: Actor, say: Say, quote: str) -> None:
        """Answer a message of a group with why it was not carried out: now, or with others.

        say: in reply to that message; the same again is said once. quote: what was written;
        empty where a button was pressed.
        """
        message_id = say.reply_to or 0
        whose, now = (actor.chat_id, actor.user_id), self._clock.now()
        async with self._store.transaction() as tx:
            await tx.hold(f"refusal:{whose}")
            others = await tx.fetch(
                "SELECT say, told_at FROM refusal WHERE chat_id = $1 AND user_id = $2"
                " AND (told_at IS NULL OR told_at > $3)", *whose, now - TOLD_EVERY,
            )  # fmt: skip
            if pack(say) in [row["say"] for row in others]:
                return  # the message is delivered again
            held = bool(others)
            if not held:
                await self._outbox.say(tx, actor.chat_id, say)
            if sum(row["told_at"] is None for row in others) < MAX_HELD:
                await tx.execute(
                    "INSERT INTO refusal (id, chat_id, user_id, message_id, say, quote, at,"
                    " told_at) VALUES ($1, $2, $3, $4, $5, $6, $7, $8)",
                    self._ids.uuid7(), *whose, message_id, pack(say), quote[:_QUOTE_CHARS], now,
                    None if held else now,
                )  # fmt: skip
        if held and quote:
            for look in self._on_held:
                look(HeldRefusal(actor.chat_id, message_id, aloud=say.only_for is None))

    async def tell_due(self, limit: int) -> int:
        """Tell what is held of people whose minute is over; how many people."""
        due = await self._store.fetch(_DUE, self._clock.now() - TOLD_EVERY, limit)
        for row in due:
            async with self._store.transaction() as tx:
                await tx.hold(f"refusal:{(row['chat_id'], row['user_id'])}")
                await self._tell_together(tx, row["chat_id"], row["user_id"])
        return len(due)

    async def _tell_together(self, tx: Tx, chat_id: int, user_id: int) -> None:
        now = self._clock.now()
        rows = await tx.fetch(_HELD, chat_id, user_id, now - TOLD_EVERY)
        held = [(row["id"], _say_of(row["say"]), row["quote"]) for row in rows]
        aloud = [one for one in held if one[1].only_for is None]
        told = aloud or held
        if not told:
            return  # another instance told it
        await self._outbox.say(tx, chat_id, _together([(say, quote) for _, say, quote in told]))
        ids = [refusal_id for refusal_id, _, _ in told]
        await tx.execute("UPDATE refusal SET told_at = $2 WHERE id = ANY($1)", ids, now)

    async def forget_old(self) -> int:
        """Drop what was told an hour ago and more."""
        return await self._store.execute(
            "DELETE FROM refusal WHERE told_at < $1", self._clock.now() - KEPT
        )


def _together(told: list[tuple[Say, str]]) -> Say:
    """One message of several refusals, in reply to the last; one alone is as it would have been."""
    last, _ = told[-1]
    if len(told) == 1:
        return last
    lines = tuple(ToldRefusal(say.screen, say.facts, quote) for say, quote in told)
    return replace(last, notice=RefusalsNotice(lines), aloud=None)


def _say_of(values: dict[str, Any]) -> Say:
    say = unpack(Say.topic, values)
    if not isinstance(say, Say):
        raise Bug("a refusal that is kept cannot be read")
    return say


# Whether somebody may have to be told, for the look at all queues. $1: now.
REFUSALS_DUE: Final = """
EXISTS (SELECT FROM refusal h WHERE told_at IS NULL AND NOT EXISTS (
    SELECT FROM refusal t
    WHERE t.chat_id = h.chat_id AND t.user_id = h.user_id
      AND t.told_at > $1::timestamptz - interval '1 minute'
))
"""
_DUE: Final = """
SELECT DISTINCT chat_id, user_id FROM refusal h
WHERE told_at IS NULL AND NOT EXISTS (
    SELECT FROM refusal t
    WHERE t.chat_id = h.chat_id AND t.user_id = h.user_id AND t.told_at > $1
)
LIMIT $2
"""
_HELD: Final = """
SELECT id, say, quote FROM refusal h
WHERE chat_id = $1 AND user_id = $2 AND told_at IS NULL AND NOT EXISTS (
    SELECT FROM refusal t WHERE t.chat_id = $1 AND t.user_id = $2 AND t.told_at > $3
)
ORDER BY at, id
"""
