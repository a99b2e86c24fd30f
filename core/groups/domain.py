"""Groups and bindings. A group has one kind: ops, merchant, supplier or unbound."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal
from typing import Final
from uuid import UUID

from core.clock import Clock
from core.errors import Refusal
from core.groups.models import BindingRow, GroupRow, GroupStaffRow
from core.ids import Ids
from core.outbox import Bill, Card, Fact, Outbox
from core.store import Queries, Store, Tx

# One edit of a live bill per group and this long: a busy day must not be a flood of edits.
BILL_REST: Final = timedelta(seconds=3)
MAX_RATE: Final = 1_000_000
MAX_RATE_DECIMALS: Final = 8


@dataclass(frozen=True, slots=True)
class Group:
    """A chat with what it is bound to. language: of what the bot says there.

    usdt_rate: what one USDT is worth where an amount names no rate, in the currency of whom the
    group is bound to; None where nobody set one.
    """

    chat_id: int
    kind: str
    title: str
    language: str
    label: str
    merchant_ids: tuple[UUID, ...]
    supplier_ids: tuple[UUID, ...]
    usdt_rate: Decimal | None


class Groups:
    """The groups."""

    def __init__(self, store: Store, clock: Clock, ids: Ids, outbox: Outbox) -> None:
        self._store = store
        self._clock = clock
        self._ids = ids
        self._outbox = outbox

    async def find(self, chat_id: int) -> Group | None:
        """The group, where the bot was seen in it."""
        row = await GroupRow.get_or_none(chat_id=chat_id)
        if row is None:
            return None
        bindings = await BindingRow.filter(chat_id=chat_id).order_by("created_at")
        return Group(
            row.chat_id,
            row.kind,
            row.title,
            row.language,
            row.label,
            tuple(b.merchant_id for b in bindings if b.merchant_id),
            tuple(b.supplier_id for b in bindings if b.supplier_id),
            Decimal(row.usdt_rate) if row.usdt_rate else None,
        )

    async def seen(self, chat_id: int, *, chat_type: str, title: str, bot_status: str) -> bool:
        """Record that the bot is in a chat (or left it). True when the chat is new to us."""
        changed = await GroupRow.filter(chat_id=chat_id).update(
            type=chat_type, title=title, bot_status=bot_status
        )
        if changed:
            return False
        inserted = await self._store.execute(
            "INSERT INTO chat_group (chat_id, type, title, bot_status, created_at)"
            " VALUES ($1, $2, $3, $4, $5) ON CONFLICT DO NOTHING",
            chat_id,
            chat_type,
            title,
            bot_status,
            self._clock.now(),
        )
        return inserted == 1

    async def bind_merchant(self, tx: Tx, chat_id: int, merchant_id: UUID) -> bool:
        """Make a group a merchant's (several per group are allowed) and post its live bill.

        False when it was bound already. Refusals: group_is_other_kind.
        """
        await self._become(tx, chat_id, "merchant")
        inserted = await tx.execute(
            "INSERT INTO binding (id, chat_id, merchant_id, created_at) VALUES ($1, $2, $3, $4)"
            " ON CONFLICT DO NOTHING",
            self._ids.uuid7(),
            chat_id,
            merchant_id,
            self._clock.now(),
        )
        await self._outbox.say(
            tx,
            chat_id,
            Bill(merchant_id=str(merchant_id)),
            merchant_id=merchant_id,
            dedupe_key=f"bill:{chat_id}",
        )
        return inserted == 1

    async def bind_supplier(self, tx: Tx, chat_id: int, supplier_id: UUID) -> bool:
        """Make a group a supplier's. False when it was. Refusals: group_is_other_kind."""
        await self._become(tx, chat_id, "supplier")
        inserted = await tx.execute(
            "INSERT INTO binding (id, chat_id, supplier_id, created_at) VALUES ($1, $2, $3, $4)"
            " ON CONFLICT DO NOTHING",
            self._ids.uuid7(),
            chat_id,
            supplier_id,
            self._clock.now(),
        )
        return inserted == 1

    async def bind_ops(self, tx: Tx, chat_id: int) -> None:
        """Make a group an ops group: alarms and approvals go there. Refusals:
        group_is_other_kind."""
        await self._become(tx, chat_id, "ops")

    async def unbind(self, tx: Tx, chat_id: int) -> None:
        """Take every binding off a group."""
        await tx.execute("DELETE FROM binding WHERE chat_id = $1", chat_id)
        await tx.execute("UPDATE chat_group SET kind = 'unbound' WHERE chat_id = $1", chat_id)

    async def _become(self, tx: Tx, chat_id: int, kind: str) -> None:
        found = await tx.fetchval(
            "SELECT kind FROM chat_group WHERE chat_id = $1 FOR UPDATE", chat_id
        )
        if found not in (None, "unbound", kind):
            raise Refusal("group_is_other_kind", kind=found)
        await tx.execute("UPDATE chat_group SET kind = $2 WHERE chat_id = $1", chat_id, kind)

    async def set_language(self, chat_id: int, language: str) -> None:
        """What the bot speaks in this group: zh or en."""
        await GroupRow.filter(chat_id=chat_id).update(language=language)

    async def set_usdt_rate(self, tx: Tx, chat_id: int, rate: Decimal) -> Decimal | None:
        """What one USDT is worth in this group from now on. Returns what it was worth before.

        Refusals: usdt_rate_invalid, group_not_bound (the bot was never seen in the chat).
        """
        exponent = rate.as_tuple().exponent
        if not isinstance(exponent, int) or exponent < -MAX_RATE_DECIMALS:
            raise _rate_invalid(rate)
        if not 0 < rate <= MAX_RATE:
            raise _rate_invalid(rate)
        row = await tx.fetchrow(
            "SELECT usdt_rate FROM chat_group WHERE chat_id = $1 FOR UPDATE", chat_id
        )
        if row is None:
            raise Refusal("group_not_bound")
        await tx.execute(
            "UPDATE chat_group SET usdt_rate = $2 WHERE chat_id = $1", chat_id, format(rate, "f")
        )
        return Decimal(row["usdt_rate"]) if row["usdt_rate"] is not None else None

    async def add_staff(self, chat_id: int, user_id: int, role: str) -> None:
        """Let somebody of the other side ask in this group (merchant_staff, supplier_staff)."""
        await self._store.execute(
            "INSERT INTO group_staff (id, chat_id, user_id, role, created_at)"
            " VALUES ($1, $2, $3, $4, $5)"
            " ON CONFLICT (chat_id, user_id) DO UPDATE SET role = excluded.role",
            self._ids.uuid7(),
            chat_id,
            user_id,
            role,
            self._clock.now(),
        )

    async def staff_role(self, chat_id: int, user_id: int) -> str | None:
        """The other side's role of somebody in this group."""
        row = await GroupStaffRow.get_or_none(chat_id=chat_id, user_id=user_id)
        return row.role if row else None

    async def moved(self, old_chat_id: int, new_chat_id: int) -> None:
        """A group became a supergroup: what it is and what waits for it moves, in one transaction.

        Harmless when it is said again. Where the new chat was bound already, the two add up; where
        it was bound as another kind, the new chat keeps what people made it, and the old one ends.
        """
        async with self._store.transaction() as tx:
            old = await tx.fetchrow(
                "SELECT * FROM chat_group WHERE chat_id = $1 FOR UPDATE", old_chat_id
            )
            if old is None or old["kind"] == "unbound":
                return
            await tx.execute(
                "INSERT INTO chat_group (chat_id, type, title, created_at)"
                " VALUES ($1, 'supergroup', $2, $3) ON CONFLICT DO NOTHING",
                new_chat_id,
                old["title"],
                self._clock.now(),
            )
            await tx.execute(
                "UPDATE chat_group SET kind = $2, language = $3, label = $4, usdt_rate = $5"
                " WHERE chat_id = $1 AND kind = 'unbound'",
                new_chat_id,
                old["kind"],
                old["language"],
                old["label"],
                old["usdt_rate"],
            )
            for sql in (_MOVE_BINDINGS, _MOVE_STAFF):
                await tx.execute(sql, old_chat_id, new_chat_id, old["kind"])
            for table in ("binding", "group_staff", "post"):
                await tx.execute(f"DELETE FROM {table} WHERE chat_id = $1", old_chat_id)  # noqa: S608 (fixed names)
            await tx.execute(_DROP_EDITS, old_chat_id)
            await tx.execute(_MOVE_WAITING, old_chat_id, new_chat_id)
            await tx.execute(
                "UPDATE chat_group SET kind = 'unbound', bot_status = 'moved' WHERE chat_id = $1",
                old_chat_id,
            )
            for row in await tx.fetch(_MERCHANTS_OF, new_chat_id):
                await self.show_bill(tx, row["merchant_id"])

    async def of_merchant(self, queries: Queries, merchant_id: UUID) -> list[int]:
        """Chats bound to a merchant."""
        rows = await queries.fetch(
            "SELECT chat_id FROM binding WHERE merchant_id = $1 ORDER BY chat_id", merchant_id
        )
        return [row["chat_id"] for row in rows]

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

    async def show_order(self, tx: Tx, merchant_id: UUID, order_id: UUID) -> None:
        """An order changed: its cards and the merchant's live bills are to be edited.

        Commits with the change. A bill that was edited a moment ago rests first, and meanwhile
        gathers whatever else happens.
        """
        await self.show_orders(tx, merchant_id, [order_id])

    async def show_orders(self, tx: Tx, merchant_id: UUID, order_ids: Sequence[UUID]) -> None:
        """Several orders of a merchant changed: as `show_order`, for all of them."""
        cards = await tx.fetch(
            "SELECT chat_id, message_id, ref FROM post"
            " WHERE merchant_id = $1 AND kind = 'card' AND ref = ANY($2)"
            " ORDER BY ref, chat_id, message_id",
            merchant_id,
            [str(order_id) for order_id in order_ids],
        )
        for card in cards:
            await self._outbox.say(
                tx,
                card["chat_id"],
                Card(str(merchant_id), card["ref"], edit_message_id=card["message_id"]),
                merchant_id=merchant_id,
                dedupe_key=f"card:{card['chat_id']}:{card['message_id']}",
            )
        await self.show_bill(tx, merchant_id)

    async def show_bill(self, tx: Tx, merchant_id: UUID) -> None:
        """The merchant's numbers moved: every live bill of it is to be edited."""
        now = self._clock.now()
        bills = await tx.fetch(
            "SELECT b.chat_id, max(p.shown_at) AS shown_at FROM binding b"
            " LEFT JOIN post p ON p.chat_id = b.chat_id AND p.kind = 'bill'"
            "      AND p.merchant_id = b.merchant_id"
            " WHERE b.merchant_id = $1 GROUP BY b.chat_id ORDER BY b.chat_id",
            merchant_id,
        )
        for bill in bills:
            rested = bill["shown_at"] + BILL_REST if bill["shown_at"] else now
            await self._outbox.say(
                tx,
                bill["chat_id"],
                Bill(merchant_id=str(merchant_id)),
                merchant_id=merchant_id,
                dedupe_key=f"bill:{bill['chat_id']}",
                due_at=max(now, rested),
            )


def _rate_invalid(rate: Decimal) -> Refusal:
    return Refusal("usdt_rate_invalid", text=f"{rate:f}"[:40], example="/usdt 7.2")


_MERCHANTS_OF: Final = (
    "SELECT merchant_id FROM binding WHERE chat_id = $1 AND merchant_id IS NOT NULL"
    " ORDER BY created_at, id"
)

# $1: the old chat, $2: the new one, $3: the old one's kind. What is left behind is there already,
# or belongs to a chat of another kind.
_MOVE_BINDINGS: Final = """
UPDATE binding b SET chat_id = $2
WHERE b.chat_id = $1
  AND EXISTS (SELECT FROM chat_group g WHERE g.chat_id = $2 AND g.kind = $3)
  AND NOT EXISTS (
      SELECT FROM binding n
      WHERE n.chat_id = $2
        AND (n.merchant_id = b.merchant_id OR n.supplier_id = b.supplier_id)
  )
"""
_MOVE_STAFF: Final = """
UPDATE group_staff s SET chat_id = $2
WHERE s.chat_id = $1
  AND EXISTS (SELECT FROM chat_group g WHERE g.chat_id = $2 AND g.kind = $3)
  AND NOT EXISTS (SELECT FROM group_staff n WHERE n.chat_id = $2 AND n.user_id = s.user_id)
"""

# Messages are numbered anew in the new chat: what names one of the old chat would hit a stranger.
# Bills go as well: one that replies to nothing is the live one, and that is shown anew.
_DROP_EDITS: Final = (
    "DELETE FROM outbox WHERE chat_id = $1 AND state = 'waiting'"
    " AND (facts ? 'edit_message_id' OR topic = 'bill')"
)
_MOVE_WAITING: Final = (
    "UPDATE outbox SET chat_id = $2, facts = facts - 'reply_to'"
    " WHERE chat_id = $1 AND state = 'waiting'"
)
