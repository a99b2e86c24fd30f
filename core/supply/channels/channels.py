"""Channels: opened, shown, changed, switched, archived, and what they cost."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import date
from typing import Any, Final
from uuid import UUID

import asyncpg

from core.delivery.audit import Audit
from core.kernel.clock import Clock
from core.kernel.errors import Bug, Refusal
from core.kernel.ids import Ids
from core.kernel.tariff import Tariff, tariff_fault
from core.parties.suppliers import Supplier
from core.supply.channels.changes import SCRIPT, Also, By, nothing_else, record
from core.supply.channels.choice import Channel
from core.supply.channels.costs import TODAY, ChannelCost, find_cost
from core.supply.channels.hours import Hours
from core.supply.channels.pauses import RESUME
from core.supply.channels.products import Products
from core.supply.channels.rows import read_channels, read_hours_of, read_one
from core.supply.channels.sets import ChannelSets
from core.supply.channels.terms import NEXT, Terms, changed, check_number, check_terms
from core.system.store import Queries, Store, Tx

_SHOWN_CHARS: Final = 20


@dataclass(frozen=True, slots=True)
class NewChannel:
    """What it takes to add a channel. Amounts in smallest units; a list, or a range.

    channel_no: None for the next free one. products: under which it is put. currency: may be
    said, for it can only be that of its supplier. The rest: as `Channel` has it.
    """

    channel_no: str | None
    name: str
    supplier_code: str
    cost: Tariff
    products: tuple[str, ...]
    currency: str | None = None
    amount_list: tuple[int, ...] = ()
    amount_min: int | None = None
    amount_max: int | None = None
    weight: int = 1
    priority: int = 0
    hours: Hours | None = None
    day_limit_minor: int | None = None
    day_limit_count: int | None = None

    @property
    def terms(self) -> Terms:
        return Terms(**{name: getattr(self, name) for name in Terms.__dataclass_fields__})


class Channels:
    """The channels that sell products.

    Every change is in the trail, and written once; `also` is written with it. products: what they
    sell. sets: who sells it. limits_changed: told, afterwards, of a channel with other limits.

    More than seven verbs: one for each way to find a channel, and one for each change of it.
    """

    def __init__(
        self,
        store: Store,
        clock: Clock,
        ids: Ids,
        audit: Audit,
        limits_changed: Callable[[Channel], Awaitable[None]],
    ) -> None:
        self.products = Products(store, audit)
        self.sets = ChannelSets(store, ids, audit)
        self._store = store
        self._clock = clock
        self._ids = ids
        self._audit = audit
        self._limits_changed = limits_changed

    async def check_channel(self, supplier: Supplier, channel: NewChannel) -> None:
        """Refuse what cannot be a channel of this supplier, before anybody is asked about it.

        Refusals: channel_invalid, tariff_invalid, channel_in_other_currency, product_not_found.
        """
        if channel.channel_no is not None:
            check_number(channel.channel_no)
        check_terms(channel.terms)
        if channel.cost.tiers_by != "amount":
            raise tariff_fault("channel", channel.cost.tiers_by)
        if channel.currency not in (None, supplier.currency):
            raise Refusal(
                "channel_in_other_currency",
                channel_no=channel.channel_no,
                currency=channel.currency,
                supplier_no=supplier.supplier_no,
                supplier_currency=supplier.currency,
            )
        known = await self.products.all()
        for code in channel.products:
            if code not in known:
                raise Refusal("product_not_found", product=code[:_SHOWN_CHARS])

    async def add_channel(
        self, supplier: Supplier, channel: NewChannel, by: By = SCRIPT, *, also: Also = nothing_else
    ) -> Channel:
        """Add a channel of a supplier and put it under its products.

        Refusals: those of `check_channel`, channel_exists (a number is used once for ever).
        """
        await self.check_channel(supplier, channel)
        channel_id, now = self._ids.uuid7(), self._clock.now()
        async with self._store.transaction() as tx:
            await tx.hold("channel_no")
            number = channel.channel_no or str(await tx.fetchval(_NEXT_NO))
            if not await tx.execute(_ADD, channel_id, number, supplier.id, supplier.currency, now):
                raise Refusal("channel_exists", channel_no=number)
            facts = {
                "channel_no": number,
                "supplier_no": supplier.supplier_no,
                "terms": channel.terms.pack(),
                "cost": channel.cost.pack(),
                "products": list(channel.products),
            }
            await _write_terms(tx, channel_id, channel.terms)
            today = await self._today_of(tx, channel_id)
            await self._write_cost(tx, channel_id, channel.cost, today, by.actor)
            for code in dict.fromkeys(channel.products):
                if not await tx.execute(_UNDER, self._ids.uuid7(), code, channel_id):
                    raise Refusal("product_not_found", product=code[:_SHOWN_CHARS])
            await record(self._audit, tx, "channel_added", by, facts, also)
        return await self.by_id(channel_id)

    async def all(self, supplier_id: UUID | None = None) -> list[Channel]:
        """Everybody's channels or one supplier's, by number, archived ones as well."""
        return await read_channels(self._store, self._clock.now(), supplier_id)

    async def by_no(self, channel_no: str) -> Channel:
        """Refusals: channel_not_found."""
        channel_id = await self._store.fetchval(
            "SELECT id FROM channel WHERE channel_no = $1", channel_no.strip().upper()
        )
        if channel_id is None:
            raise Refusal("channel_not_found", channel_no=channel_no[:_SHOWN_CHARS])
        return await self.by_id(channel_id)

    async def by_id(self, channel_id: UUID) -> Channel:
        """One channel. Raises Bug: ids come from our own rows."""
        channel = await read_one(self._store, self._clock.now(), channel_id)
        if channel is None:
            raise Bug(f"there is no channel {channel_id}")
        return channel

    async def names(self, supplier_id: UUID | None = None) -> dict[str, str]:
        """channel number -> name, of one supplier's channels or of all."""
        rows = await self._store.fetch(
            "SELECT channel_no, name FROM channel"
            " WHERE supplier_id = coalesce($1, supplier_id) ORDER BY channel_no",
            supplier_id,
        )
        return {row["channel_no"]: row["name"] for row in rows}

    async def change(
        self, channel_no: str, edit: Callable[[Terms], Terms], by: By, *, also: Also = nothing_else
    ) -> Channel:
        """Change what people may set of a channel; attempts that are there keep theirs.

        edit: from what is to what shall be, for example `lambda t: replace(t, weight=5)`. The same
        again changes and writes nothing. Refusals: channel_not_found, channel_invalid,
        channel_state (archived).
        """
        async with self._store.transaction() as tx:
            row = await _hold(tx, channel_no)
            before = _terms(row)
            after = edit(before)
            check_terms(after)
            if row["state"] == "archived":
                raise _state_fault(row)
            if after != before:
                was, now_is = changed(before, after)
                facts = _named(row) | {"before": was, "after": now_is}
                await _write_terms(tx, row["id"], after)
                await record(self._audit, tx, "channel_changed", by, facts, also)
        channel = await self.by_id(row["id"])
        if _limits(before) != _limits(after):
            await self._limits_changed(channel)
        return channel

    async def turn(
        self, channel_no: str, move: str, by: By, *, also: Also = nothing_else
    ) -> Channel:
        """Switch a channel on or off, archive or restore it. move: on | off | archive | restore.

        A pause ends with it. What is archived takes no orders, keeps its number and its past, and
        comes back switched off. Refusals: channel_not_found, channel_state.
        """
        async with self._store.transaction() as tx:
            row = await _hold(tx, channel_no)
            after = NEXT.get((row["state"], move))
            if after is None:
                raise _state_fault(row)
            await tx.execute("UPDATE channel SET state = $2 WHERE id = $1", row["id"], after)
            await tx.execute(RESUME, row["id"], self._clock.now())
            facts = _named(row) | {"move": move, "before": row["state"], "after": after}
            await record(self._audit, tx, "channel_turned", by, facts, also)
        return await self.by_id(row["id"])

    async def resume(self, channel_no: str, by: By, *, also: Also = nothing_else) -> Channel:
        """End a channel's pause at once. Refusals: channel_not_found, channel_not_paused."""
        async with self._store.transaction() as tx:
            row = await _hold(tx, channel_no)
            if row["paused_at"] is None:
                raise Refusal("channel_not_paused", channel_no=row["channel_no"])
            await tx.execute(RESUME, row["id"], self._clock.now())
            facts = _named(row) | {"paused_at": row["paused_at"].isoformat()}
            await record(self._audit, tx, "channel_resumed", by, facts, also)
        return await self.by_id(row["id"])

    async def set_cost(
        self,
        channel_id: UUID,
        cost: Tariff,
        *,
        actor: str,
        valid_from: date | None = None,
        also: Callable[[Tx, date], Awaitable[None]] | None = None,
        then: Callable[[Tx], Awaitable[None]] | None = None,
    ) -> None:
        """What the supplier charges on a channel from a business day of its own on; None: from
        now on. Attempts that are there keep theirs.

        also: done first, in the same transaction, with its costs held; it is handed the day.
        then: done last. Refusals: tariff_invalid (by volume), cost_in_the_past.
        """
        if cost.tiers_by != "amount":
            raise tariff_fault("channel", cost.tiers_by)
        today = await self._today_of(self._store, channel_id)
        since = valid_from or today
        if since < today:
            raise Refusal("cost_in_the_past", day=since, today=today)
        async with self._store.transaction() as tx:
            # Those who set it at once do so one after the other: the last one's seq is the highest.
            await tx.hold(f"cost:{channel_id}")
            if also is not None:
                await also(tx, since)
            await self._write_cost(tx, channel_id, cost, since, actor)
            if then is not None:
                await then(tx)

    async def costs(self, channel_no: str, *, queries: Queries | None = None) -> ChannelCost:
        """A channel with what it costs now, and from some day on. queries: the transaction, where
        one is open. Refusals: channel_not_found."""
        return await find_cost(queries or self._store, channel_no, self._clock.now())

    async def _write_cost(
        self, tx: Tx, channel_id: UUID, cost: Tariff, since: date, actor: str
    ) -> None:
        await tx.execute(
            "INSERT INTO channel_tariff (id, channel_id, valid_from, tiers, actor, at)"
            " VALUES ($1, $2, $3, $4, $5, $6)",
            self._ids.uuid7(),
            channel_id,
            since,
            cost.pack(),
            actor,
            self._clock.now(),
        )

    async def _today_of(self, queries: Queries, channel_id: UUID) -> date:
        today: date | None = await queries.fetchval(_TODAY_OF, self._clock.now(), channel_id)
        if today is None:
            raise Bug(f"there is no channel {channel_id}")
        return today


async def _hold(tx: Tx, channel_no: str) -> asyncpg.Record:
    """Refusals: channel_not_found."""
    row = await tx.fetchrow(
        "SELECT * FROM channel WHERE channel_no = $1 FOR NO KEY UPDATE", channel_no.strip().upper()
    )
    if row is None:
        raise Refusal("channel_not_found", channel_no=channel_no[:_SHOWN_CHARS])
    return row


async def _write_terms(tx: Tx, channel_id: UUID, terms: Terms) -> None:
    await tx.execute(
        _WRITE,
        channel_id,
        terms.name.strip(),
        terms.supplier_code.strip(),
        list(terms.amount_list),
        terms.amount_min,
        terms.amount_max,
        terms.hours.opens if terms.hours else None,
        terms.hours.closes if terms.hours else None,
        terms.day_limit_minor,
        terms.day_limit_count,
        terms.weight,
        terms.priority,
    )


def _terms(row: asyncpg.Record) -> Terms:
    values: dict[str, Any] = {
        **{name: row[name] for name in Terms.__dataclass_fields__ if name != "hours"},
        "amount_list": tuple(row["amount_list"]),
        "hours": read_hours_of(row),
    }
    return Terms(**values)


def _limits(terms: Terms) -> tuple[int | None, int | None]:
    return terms.day_limit_minor, terms.day_limit_count


def _named(row: asyncpg.Record) -> dict[str, Any]:
    return {"channel_no": row["channel_no"], "channel_name": row["name"]}


def _state_fault(row: asyncpg.Record) -> Refusal:
    return Refusal("channel_state", channel_no=row["channel_no"], channel_state=row["state"])


_NEXT_NO: Final = """
SELECT 'C' || lpad(n::text, greatest(2, length(n::text)), '0')
FROM (SELECT coalesce(max(substr(channel_no, 2)::bigint), 0) + 1 AS n FROM channel) highest
"""
_ADD: Final = """
INSERT INTO channel (id, channel_no, supplier_id, name, supplier_code, currency, created_at,
    tries_from)
VALUES ($1, $2, $3, '', '', $4, $5, $5) ON CONFLICT (channel_no) DO NOTHING
"""
_WRITE: Final = """
UPDATE channel SET name = $2, supplier_code = $3, amount_list = $4, amount_min = $5,
    amount_max = $6, opens = $7, closes = $8, day_limit_minor = $9, day_limit_count = $10,
    weight = $11, priority = $12
WHERE id = $1
"""
_UNDER: Final = """
INSERT INTO product_channel (id, product_code, channel_id)
SELECT $1, code, $3 FROM product WHERE code = $2
"""
_TODAY_OF: Final = f"""
SELECT {TODAY} FROM channel c JOIN supplier s ON s.id = c.supplier_id WHERE c.id = $2
"""  # noqa: S608 (our own words)
