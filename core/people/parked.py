"""Messages that could not be sent: told to the ops groups by chat, sent again by hand, until they
are through."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Final

import structlog

from core.delivery.audit import Audit
from core.delivery.outbox import AlarmCard, Leaving, Outbox
from core.people.actors import Actor
from core.people.alarms import Alarms, Trouble
from core.people.groups import Groups
from core.people.people import Persons
from core.system.store import Store, Tx

_LOG = structlog.get_logger(__name__)
SHOWN: Final = 20
SENT_AGAIN: Final = 200  # at most, by one press; so many are dropped by one as well
_FAULT_CHARS: Final = 200


@dataclass(frozen=True, slots=True)
class AlarmParked(Trouble):
    """A message could not be sent. chat: the group's title, or the person's name. topic: of the
    message's fact."""

    chat_id: int
    chat: str
    topic: str
    fault: str


@dataclass(frozen=True, slots=True)
class ParkedMessage:
    """topic: of its fact. number: of the record or order that it tells of, where it has one."""

    created_at: datetime
    topic: str
    number: str
    fault: str


class Parked:
    """Looks on while the outbox parks messages and sends them after all."""

    def __init__(
        self,
        store: Store,
        groups: Groups,
        people: Persons,
        alarms: Alarms,
        outbox: Outbox,
        audit: Audit,
    ) -> None:
        self._store = store
        self._groups = groups
        self._people = people
        self._alarms = alarms
        self._outbox = outbox
        self._audit = audit
        outbox.look_on(self.parked, self.through)

    async def parked(self, tx: Tx, leaving: Leaving, fault: str) -> None:
        """A message is given up, in this transaction."""
        if isinstance(leaving.fact, AlarmCard):
            # Telling of it would be parked as well, and told of, without an end.
            _LOG.error("an alarm could not be told", chat_id=leaving.chat_id, fault=fault)
            return
        trouble = AlarmParked(
            chat_id=leaving.chat_id,
            chat=await self._name_of(tx, leaving.chat_id),
            topic=leaving.fact.topic,
            fault=fault[:_FAULT_CHARS],
        )
        await self._alarms.sound(tx, trouble, str(leaving.chat_id))

    async def through(self, tx: Tx, chat_id: int) -> None:
        """A message that was parked is sent: with the chat's last one, its alarm is over."""
        left = await tx.fetchval(
            "SELECT EXISTS (SELECT FROM outbox WHERE chat_id = $1"
            " AND (state = 'parked' OR again AND state <> 'sent'))",
            chat_id,
        )
        if not left:
            await self._alarms.end(tx, AlarmParked, str(chat_id))

    async def of_chat(self, chat_id: int) -> list[ParkedMessage]:
        """What could not be sent to a chat, the newest first, at most SHOWN."""
        rows = await self._store.fetch(
            "SELECT created_at, topic, fault, coalesce("
            "jsonb_path_query_first(facts->'facts', '$.**.record_no') #>> '{}',"
            " jsonb_path_query_first(facts->'facts', '$.**.order_no') #>> '{}', '') AS number"
            " FROM outbox WHERE chat_id = $1 AND state = 'parked'"
            " ORDER BY created_at DESC, id DESC LIMIT $2",
            chat_id,
            SHOWN,
        )
        return [ParkedMessage(**dict(row)) for row in rows]

    async def send_again(self, actor: Actor, chat_id: int) -> int:
        """Put a chat's parked messages back into the queue, the oldest first; how many.

        Refusals: anonymous_admin, not_permitted, record_not_found (where others than staff read
        along).
        """
        actor.need_for("renotify")
        async with self._store.transaction() as tx:
            count = await self._outbox.unpark(tx, chat_id, SENT_AGAIN)
            await self._audit.record(
                tx,
                "messages_sent_again",
                actor=actor.trail_name,
                facts={"chat_id": chat_id, "count": count},
                chat_id=actor.chat_id,
            )
        return count

    async def drop(self, actor: Actor, chat_id: int) -> int:
        """Give up a chat's parked messages, the oldest first; how many. Nobody is told them any
        more; what they tell of is done. With the last one, the alarm is over.

        Refusals: those of `send_again`.
        """
        actor.need_for("renotify")
        async with self._store.transaction() as tx:
            count = await tx.execute(_DROP, chat_id, SENT_AGAIN)
            if count:
                await self._audit.record(
                    tx,
                    "messages_dropped",
                    actor=actor.trail_name,
                    facts={"chat_id": chat_id, "count": count},
                    chat_id=actor.chat_id,
                )
            await self.through(tx, chat_id)
        return count

    async def _name_of(self, tx: Tx, chat_id: int) -> str:
        """A group's title, or a person's name."""
        if chat_id < 0:
            group = await self._groups.find(chat_id, tx=tx)
            return group.title if group else str(chat_id)
        person = await self._people.find(chat_id, tx)
        return person.name if person else str(chat_id)


_DROP: Final = """
DELETE FROM outbox WHERE (merchant_id, id) IN (
    SELECT merchant_id, id FROM outbox WHERE chat_id = $1 AND state = 'parked'
    ORDER BY place LIMIT $2 FOR UPDATE
)
"""
