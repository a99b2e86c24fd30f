"""Groups and bindings. A group has one kind: ops, merchant, supplier or unbound."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from decimal import Decimal
from typing import Final, Literal
from uuid import UUID

from core.delivery.board import Board, LiveBill
from core.delivery.outbox import Fact, Outbox, Say, TopicUse
from core.kernel.clock import Clock
from core.kernel.errors import Refusal
from core.kernel.holder import HOUSE
from core.kernel.ids import Ids
from core.people.groups.changes import (
    MAX_SEGMENTS,
    GroupChange,
    InSegment,
    InTopic,
    Label,
    Language,
    Quiet,
    Zone,
    checked,
)
from core.people.groups.group import GROUP, BotRights, Group, Member, read_group
from core.people.groups.migration import move
from core.people.groups.notices import BillEnded, TopicLost
from core.system.batch import Batch
from core.system.store import Queries, Store, Tx

# A chat that moved points to where it is now: two steps, if it moves while we look.
MAX_MOVES: Final = 3
MAX_RATE: Final = 1_000_000
MAX_RATE_DECIMALS: Final = 8
# Of a bot that nobody has told otherwise.
_ORDINARY: Final = BotRights()


class Groups:
    """The groups.

    More than seven verbs: whose a group is and who is told in it stand in one row, which all of
    them read.
    """

    def __init__(self, store: Store, clock: Clock, ids: Ids, outbox: Outbox, board: Board) -> None:
        self._store = store
        self._clock = clock
        self._ids = ids
        self._outbox = outbox
        self._board = board
        self._reads = Batch(self._read, self._read_alone)

    async def find(self, chat_id: int, *, tx: Queries | None = None) -> Group | None:
        """The group, where the bot was seen in it; of a chat that moved, what it became. tx: where
        a transaction is open."""
        if tx is not None:
            (found,) = await _read_groups(tx, [chat_id])
        else:
            found = await self._reads.write(chat_id)
        return next(iter(found), None)

    async def seen(
        self,
        chat_id: int,
        *,
        chat_type: str,
        title: str,
        bot_status: str,
        rights: BotRights = _ORDINARY,
        added_by: int | None = None,
    ) -> bool:
        """Record that the bot is in a chat (or left it). True when the chat is new to us.

        rights: what the bot may do there. added_by: who brought it in, where it just came. Of one
        that moved there is nothing to record: it is no group any more.
        """
        now, may_post, may_pin = self._clock.now(), rights.may_post, rights.may_pin
        new = await self._store.fetchval(
            _SEE, chat_id, chat_type, title, bot_status, now, may_post, may_pin, added_by
        )
        return new is True

    async def counted(self, chat_id: int, members: int) -> None:
        """Telegram said how many members a chat has."""
        await self._store.execute(
            "UPDATE chat_group SET members = $2 WHERE chat_id = $1 AND members IS DISTINCT FROM $2",
            chat_id,
            members,
        )

    async def renamed(self, chat_id: int, title: str) -> None:
        """A chat in which the bot was seen has another title. Of one that moved there is nothing to
        record."""
        await self._store.execute(
            "UPDATE chat_group SET title = $2 WHERE chat_id = $1 AND moved_to IS NULL",
            chat_id,
            title,
        )

    async def bind_merchant(self, tx: Tx, chat_id: int, merchant_id: UUID) -> bool:
        """Make a group a merchant's (several per group are allowed) and post its live bill.

        False when it was bound already. Refusals: group_is_other_kind, channel_not_bound.
        """
        here = await self._become(tx, chat_id, "merchant")
        inserted = await tx.execute(
            "INSERT INTO binding (id, chat_id, merchant_id, created_at) VALUES ($1, $2, $3, $4)"
            " ON CONFLICT DO NOTHING",
            self._ids.uuid7(),
            here,
            merchant_id,
            self._clock.now(),
        )
        await self._board.show_bills(tx, [LiveBill("merchant", merchant_id, here)])
        return inserted == 1

    async def bind_supplier(self, tx: Tx, chat_id: int, supplier_id: UUID) -> bool:
        """Make a group a supplier's. False when it was. Refusals: as of `bind_merchant`."""
        here = await self._become(tx, chat_id, "supplier")
        inserted = await tx.execute(
            "INSERT INTO binding (id, chat_id, supplier_id, created_at) VALUES ($1, $2, $3, $4)"
            " ON CONFLICT DO NOTHING",
            self._ids.uuid7(),
            here,
            supplier_id,
            self._clock.now(),
        )
        return inserted == 1

    async def bind_ops(self, tx: Tx, chat_id: int) -> bool:
        """Make a group an ops group: alarms and approvals go there. False when it was. Refusals:
        as of `bind_merchant`."""
        _, before = await self._hold(tx, chat_id)
        await self._become(tx, chat_id, "ops")
        return before != "ops"

    async def need_free(self, tx: Tx, chat_id: int, holder_id: UUID | None) -> None:
        """That nobody but this merchant or supplier (None: an ops group) is bound to a group, which
        is held so until the transaction ends. Refusals: confirmation_expired."""
        here, kind = await self._hold(tx, chat_id)
        if kind in (None, "unbound") or (kind == "ops" and holder_id is None):
            return
        bound = await tx.fetch(
            "SELECT coalesce(merchant_id, supplier_id) AS id FROM binding WHERE chat_id = $1", here
        )
        if [row["id"] for row in bound] != [holder_id]:
            raise Refusal("confirmation_expired")

    async def unbind(self, tx: Tx, chat_id: int, holder_id: UUID | None = None) -> bool:
        """Take a merchant or supplier off a group, or (None) all that it is bound to.

        Their people have no say there any more. Their cards stay as they are; their live bills say
        that they ended. What a group was told for its holder goes with the last one. False when
        there was nothing to take off.
        """
        here, kind = await self._hold(tx, chat_id)
        taken = await tx.fetch(
            "DELETE FROM binding WHERE chat_id = $1"
            " AND ($2::uuid IS NULL OR $2 IN (merchant_id, supplier_id))"
            " RETURNING coalesce(merchant_id, supplier_id) AS holder_id",
            here,
            holder_id,
        )
        for row in taken:
            await self._end(tx, here, row["holder_id"])
        left = await tx.fetchval("SELECT count(*) FROM binding WHERE chat_id = $1", here)
        if left or (holder_id is not None and not taken):
            return bool(taken)
        if kind == "ops":
            await self._end(tx, here, HOUSE)
        await tx.execute(
            "UPDATE chat_group SET kind = 'unbound', usdt_rate = DEFAULT, label = DEFAULT"
            " WHERE chat_id = $1",
            here,
        )
        return kind not in (None, "unbound")

    async def _end(self, tx: Tx, chat_id: int, holder_id: UUID) -> None:
        """Nothing of this merchant, supplier or (HOUSE) the platform is shown here any more; its
        live bill says so."""
        last_bill = await self._board.end(tx, chat_id, holder_id)
        if last_bill is None:
            return
        message_id, day = last_bill
        no = await tx.fetchval("SELECT no FROM holder WHERE id = $1", holder_id)
        ended = Say(BillEnded(no, date.fromisoformat(day)), edit_message_id=message_id)
        await self._outbox.say(tx, chat_id, ended)

    async def _become(self, tx: Tx, chat_id: int, kind: str) -> int:
        """Returns the chat as it is now."""
        here, found = await self._hold(tx, chat_id)
        if found not in (None, "unbound", kind):
            raise Refusal("group_is_other_kind", kind=found)
        if await tx.fetchval("SELECT type FROM chat_group WHERE chat_id = $1", here) == "channel":
            raise Refusal("channel_not_bound")  # everybody who reads it would read what is shown
        await tx.execute("UPDATE chat_group SET kind = $2 WHERE chat_id = $1", here, kind)
        return here

    async def _hold(self, tx: Tx, chat_id: int) -> tuple[int, str | None]:
        """The chat as it is now and its kind (None where the bot was not seen there), held until
        the transaction ends: nobody moves or binds it meanwhile."""
        row = None
        for _ in range(MAX_MOVES):
            row = await tx.fetchrow(
                "SELECT kind, moved_to FROM chat_group WHERE chat_id = $1 FOR UPDATE", chat_id
            )
            if row is None or row["moved_to"] is None:
                break
            chat_id = row["moved_to"]
        return chat_id, row["kind"] if row is not None else None

    async def set_language(self, chat_id: int, language: Literal["zh", "en"]) -> None:
        """What the bot speaks in this group."""
        async with self._store.transaction() as tx:
            await self.put(tx, chat_id, Language(language))

    async def put(self, tx: Tx, chat_id: int, change: GroupChange) -> None:
        """Set one thing of a group or channel, for as long as it is not set anew. Segments stay
        when a binding ends. Refusals: those of `checked`, group_not_bound (the bot was never seen
        in the chat), segments_full."""
        change = checked(change)
        here, kind = await self._hold(tx, chat_id)
        if kind is None:
            raise Refusal("group_not_bound")
        match change:
            case Label(word):
                await tx.execute(_SET.format("label = $2"), here, word)
            case Language(code):
                await tx.execute(_SET.format("language = $2"), here, code)
            case Zone(name):
                await tx.execute(_SET.format("zone = $2"), here, name)
            case Quiet(hours):
                start, end = (None, None) if hours is None else (hours.start, hours.end)
                await tx.execute(_SET.format("quiet_from = $2, quiet_to = $3"), here, start, end)
            case InSegment(name, True):
                if not await tx.execute(_JOIN_SEGMENT, here, name, MAX_SEGMENTS):
                    raise Refusal("segments_full", most=MAX_SEGMENTS)
            case InSegment(name):
                await tx.execute(_LEAVE_SEGMENT, here, name)
            case InTopic(use, None):
                await tx.execute(_SET.format("topics = topics - $2::text"), here, use)
            case InTopic(use, thread_id):
                await tx.execute(_SET.format("topics = topics || $2"), here, {use: thread_id})

    async def topic_lost(self, chat_id: int, use: TopicUse, thread_id: int) -> None:
        """Telegram takes nothing for a topic any more: what was shown there comes into the general
        one from now on, which is said once."""
        async with self._store.transaction() as tx:
            here, _ = await self._hold(tx, chat_id)
            if await tx.execute(_LOSE_TOPIC, here, use, thread_id):
                await self._outbox.say(tx, here, Say(TopicLost(use)))

    async def set_usdt_rate(self, tx: Tx, chat_id: int, rate: Decimal) -> Decimal | None:
        """What one USDT is worth in this group from now on. Returns what it was worth before.

        Refusals: usdt_rate_invalid, group_not_bound (the bot was never seen in the chat).
        """
        exponent = rate.as_tuple().exponent
        if not isinstance(exponent, int) or exponent < -MAX_RATE_DECIMALS:
            raise _rate_invalid(rate)
        if not 0 < rate <= MAX_RATE:
            raise _rate_invalid(rate)
        here, kind = await self._hold(tx, chat_id)
        if kind is None:
            raise Refusal("group_not_bound")
        before = await tx.fetchval("SELECT usdt_rate FROM chat_group WHERE chat_id = $1", here)
        await tx.execute(
            "UPDATE chat_group SET usdt_rate = $2 WHERE chat_id = $1", here, format(rate, "f")
        )
        return Decimal(before) if before is not None else None

    async def add_staff(
        self, chat_id: int, user_id: int, role: str, holder_id: UUID, queries: Queries | None = None
    ) -> None:
        """Let somebody of a merchant or supplier ask in a group of theirs (merchant_staff,
        supplier_staff). They see what is that one's alone. queries: the transaction that is open,
        if one is. Refusals: group_not_bound."""
        added = await (queries or self._store).execute(
            _ADD_STAFF, chat_id, holder_id, user_id, role, self._clock.now()
        )
        if not added:
            raise Refusal("group_not_bound")

    async def remove_staff(
        self, tx: Queries, chat_id: int, user_id: int, holder_id: UUID | None = None
    ) -> bool:
        """Somebody has no say in a group any more, for one merchant or supplier or (None) for any.
        False where that was so."""
        return bool(await tx.execute(_REMOVE_STAFF, chat_id, user_id, holder_id))

    async def staff_of(self, chat_id: int) -> list[Member]:
        """The people of merchants and suppliers who may ask in a group, the first one first."""
        rows = await self._store.fetch(_STAFF_OF, chat_id)
        return [
            Member(row["user_id"], row["name"], row["role"], row["holder_no"], row["created_at"])
            for row in rows
        ]

    async def moved(self, old_chat_id: int, new_chat_id: int, *, title: str = "") -> None:
        """A group became a supergroup: what it is and what waits for it moves, in one transaction,
        and the old id means the new group from now on.

        Harmless when it is said again, and whatever is said of the old chat later. Where the new
        chat was bound already, the two add up; where it was bound as another kind, the new chat
        keeps what people made it, and the old one ends. title: of both, for a chat that is new to
        us.
        """
        async with self._store.transaction() as tx:
            here = await move(tx, self._board, old_chat_id, new_chat_id, title, self._clock.now())
            if here is None:
                return
            for row in await tx.fetch(_MERCHANTS_OF, here):
                await self.show_bill(tx, row["merchant_id"])

    async def may_read(self, chat_id: int, holder_id: UUID, *, staff: bool = False) -> bool:
        """Whether a chat may be shown what is a merchant's, a supplier's or (HOUSE) the platform's:
        private chats and ops groups, where only staff reads, and groups that are bound to it.

        staff: with what no holder may see. Asked again when it leaves: meanwhile the group may have
        become somebody else's.
        """
        group = None if chat_id > 0 else await self.find(chat_id)
        if chat_id > 0 or (group is not None and group.kind == "ops"):
            return True
        return (
            not staff
            and group is not None
            and holder_id in (*group.merchant_ids, *group.supplier_ids)
        )

    async def of_holder(self, queries: Queries, holder_id: UUID) -> list[int]:
        """Chats bound to a merchant or a supplier."""
        rows = await queries.fetch(
            "SELECT chat_id FROM binding WHERE merchant_id = $1 OR supplier_id = $1"
            " ORDER BY chat_id",
            holder_id,
        )
        return [row["chat_id"] for row in rows]

    async def titles_of(self, holder_id: UUID) -> list[str]:
        """What the groups of a merchant or a supplier are called, the oldest binding first."""
        rows = await self._store.fetch(
            "SELECT g.title FROM binding b JOIN chat_group g ON g.chat_id = b.chat_id"
            " WHERE b.merchant_id = $1 OR b.supplier_id = $1 ORDER BY b.created_at, b.id",
            holder_id,
        )
        return [row["title"] for row in rows]

    async def ops(self, queries: Queries) -> list[int]:
        """The ops groups: where alarms go."""
        rows = await queries.fetch(
            "SELECT chat_id FROM chat_group WHERE kind = 'ops' ORDER BY chat_id"
        )
        return [row["chat_id"] for row in rows]

    async def tell_ops(self, tx: Queries, fact: Fact, *, but: int | None = None) -> None:
        """Say something in every ops group. but: the chat in which it is known already."""
        for chat_id in await self.ops(tx):
            if chat_id != but:
                await self._outbox.say(tx, chat_id, fact)

    async def show_bill(self, tx: Tx, merchant_id: UUID) -> None:
        """Every live bill of a merchant is edited, or posted where there is none of its open day.
        Numbers that move are seen by `core.reports.changes`, which begins the live bills of
        suppliers and of the platform as well: with what moves first on their day."""
        chat_ids = await self._of_merchant(tx, merchant_id)
        bills = [LiveBill("merchant", merchant_id, chat_id) for chat_id in chat_ids]
        await self._board.show_bills(tx, bills)

    async def _of_merchant(self, tx: Tx, merchant_id: UUID) -> list[int]:
        rows = await tx.fetch(
            "SELECT chat_id FROM binding WHERE merchant_id = $1 ORDER BY chat_id", merchant_id
        )
        return [row["chat_id"] for row in rows]

    async def _read(self, chat_ids: Sequence[int]) -> list[tuple[Group, ...]]:
        return await _read_groups(self._store, chat_ids)

    async def _read_alone(self, chat_id: int) -> tuple[Group, ...]:
        (found,) = await self._read([chat_id])
        return found


async def _read_groups(queries: Queries, chat_ids: Sequence[int]) -> list[tuple[Group, ...]]:
    """For each chat its group, or nothing."""
    rows = await queries.fetch(_FIND, chat_ids)
    found = {row["asked"]: (read_group(row),) for row in rows}
    return [found.get(chat_id, ()) for chat_id in chat_ids]


def _rate_invalid(rate: Decimal) -> Refusal:
    return Refusal("usdt_rate_invalid", text=f"{rate:f}"[:40], example="/usdt 7.2")


# A chat may move between any two questions: each finds for itself where the chats $1 are now.
_FIND: Final = (
    f"SELECT c.chat_id AS asked, {GROUP} FROM chat_group c"  # noqa: S608 (our own)
    " JOIN chat_group g ON g.chat_id = coalesce(c.moved_to, c.chat_id)"
    " WHERE c.chat_id = ANY($1::bigint[])"
)
_ADD_STAFF: Final = """
INSERT INTO group_staff (binding_id, user_id, role, created_at)
SELECT id, $3, $4, $5 FROM binding
WHERE chat_id = coalesce((SELECT moved_to FROM chat_group WHERE chat_id = $1), $1)
  AND $2 IN (merchant_id, supplier_id)
ON CONFLICT (binding_id, user_id) DO UPDATE SET role = excluded.role
"""
_REMOVE_STAFF: Final = """
DELETE FROM group_staff s USING binding b
WHERE b.id = s.binding_id AND s.user_id = $2
  AND b.chat_id = coalesce((SELECT moved_to FROM chat_group WHERE chat_id = $1), $1)
  AND ($3::uuid IS NULL OR $3 IN (b.merchant_id, b.supplier_id))
"""
_STAFF_OF: Final = """
SELECT s.user_id, coalesce(p.name, '') AS name, s.role, s.created_at,
       coalesce(m.merchant_no, u.supplier_no) AS holder_no
FROM group_staff s JOIN binding b ON b.id = s.binding_id
LEFT JOIN person p ON p.user_id = s.user_id
LEFT JOIN merchant m ON m.id = b.merchant_id
LEFT JOIN supplier u ON u.id = b.supplier_id
WHERE b.chat_id = coalesce((SELECT moved_to FROM chat_group WHERE chat_id = $1), $1)
ORDER BY s.created_at, s.user_id
"""
_SEE: Final = """
INSERT INTO chat_group AS g
    (chat_id, type, title, bot_status, created_at, may_post, may_pin, added_by)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8)
ON CONFLICT (chat_id) DO UPDATE
    SET type = excluded.type, title = excluded.title, bot_status = excluded.bot_status,
        may_post = excluded.may_post, may_pin = excluded.may_pin,
        added_by = coalesce(excluded.added_by, g.added_by)
    WHERE g.moved_to IS NULL
RETURNING xmax = 0
"""
_SET: Final = "UPDATE chat_group SET {} WHERE chat_id = $1"
# A segment is written as it was written first, wherever that was.
_LEAVE_SEGMENT: Final = """
UPDATE chat_group SET segments = array(
    SELECT name FROM unnest(segments) WITH ORDINALITY AS s (name, place)
    WHERE lower(name) <> lower($2) ORDER BY place)
WHERE chat_id = $1
"""
_IS_IN: Final = "EXISTS (SELECT FROM unnest(segments) name WHERE lower(name) = lower($2))"
_JOIN_SEGMENT: Final = f"""
UPDATE chat_group SET segments = CASE WHEN {_IS_IN} THEN segments ELSE segments || coalesce((
    SELECT name FROM chat_group g, unnest(g.segments) name WHERE lower(name) = lower($2) LIMIT 1
), $2) END
WHERE chat_id = $1 AND (cardinality(segments) < $3 OR {_IS_IN})
"""  # noqa: S608 (our own)
_LOSE_TOPIC: Final = """
UPDATE chat_group SET topics = topics - $2::text
WHERE chat_id = $1 AND topics->>$2 = $3::bigint::text
"""
_MERCHANTS_OF: Final = (
    "SELECT merchant_id FROM binding WHERE chat_id = $1 AND merchant_id IS NOT NULL"
    " ORDER BY created_at, id"
)
