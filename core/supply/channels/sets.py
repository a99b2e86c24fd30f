"""Which channels sell a product: to everybody, and to merchants that have a set of their own."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Final
from uuid import UUID

from core.delivery.audit import Audit
from core.kernel.errors import Refusal
from core.kernel.ids import Ids
from core.supply.channels.changes import Also, By, nothing_else, record
from core.system.store import Queries, Store, Tx

MAX_CHANNELS: Final = 100
_SHOWN_CHARS: Final = 40


@dataclass(frozen=True, slots=True)
class ChannelSet:
    """The channels of a product, by number, archived ones as well. merchant_id: whose set was
    asked for; None for the product's. own: whether the merchant has one, in place of the
    product's."""

    product_code: str
    merchant_id: UUID | None
    own: bool
    channel_nos: tuple[str, ...]


class ChannelSets:
    """Says and changes which channels sell what.

    A merchant's own set replaces the product's, which it no longer follows then. The first change
    of one that is not there yet changes a copy of the product's. Every change is in the trail;
    `also` is written with it.
    """

    def __init__(self, store: Store, ids: Ids, audit: Audit) -> None:
        self._store = store
        self._ids = ids
        self._audit = audit

    async def of(self, product_code: str, merchant_id: UUID | None = None) -> ChannelSet:
        """The set that orders go by: a merchant's own, or the product's. Refusals:
        product_not_found."""
        await _need_product(self._store, product_code)
        return await _read(self._store, product_code, merchant_id)

    async def using(self, channel_no: str) -> list[tuple[str, UUID | None]]:
        """The sets that a channel is in: (product, merchant; None: the product's own)."""
        rows = await self._store.fetch(
            "SELECT p.product_code, p.merchant_id FROM product_channel p"
            " JOIN channel c ON c.id = p.channel_id WHERE c.channel_no = $1"
            " ORDER BY p.product_code, p.merchant_id NULLS FIRST",
            channel_no.strip().upper(),
        )
        return [(row["product_code"], row["merchant_id"]) for row in rows]

    async def add(
        self,
        product_code: str,
        channel_no: str,
        by: By,
        *,
        merchant_id: UUID | None = None,
        also: Also = nothing_else,
    ) -> ChannelSet:
        """Have a channel sell a product, to everybody or to one merchant. Refusals:
        product_not_found, channel_not_found, channel_state (archived), channel_set_size."""
        number = channel_no.strip().upper()
        return await self._change(
            product_code, merchant_id, by, also, lambda there: sorted({*there, number})
        )

    async def remove(
        self,
        product_code: str,
        channel_no: str,
        by: By,
        *,
        merchant_id: UUID | None = None,
        also: Also = nothing_else,
    ) -> ChannelSet:
        """No longer have it sell the product. Refusals: product_not_found, channel_not_found,
        channel_not_in_set, channel_set_size (a merchant's last one: where it may not buy the
        product at all, that is switched off for it)."""
        number = channel_no.strip().upper()

        def without(there: Sequence[str]) -> list[str]:
            if number not in there:
                raise Refusal("channel_not_in_set", channel_no=number[:_SHOWN_CHARS])
            return [no for no in there if no != number]

        await _need_channels(self._store, [number])
        return await self._change(product_code, merchant_id, by, also, without)

    async def put(
        self,
        product_code: str,
        channel_nos: Sequence[str],
        by: By,
        *,
        merchant_id: UUID | None = None,
        also: Also = nothing_else,
    ) -> ChannelSet:
        """Have exactly these channels sell a product. Refusals: those of `add`."""
        numbers = sorted({no.strip().upper() for no in channel_nos})
        return await self._change(product_code, merchant_id, by, also, lambda _: numbers)

    async def follow(
        self, product_code: str, merchant_id: UUID, by: By, *, also: Also = nothing_else
    ) -> ChannelSet:
        """Give a merchant's own set up: it has the product's again. Refusals: product_not_found."""
        await _need_product(self._store, product_code)
        async with self._store.transaction() as tx:
            await _hold(tx, product_code, merchant_id)
            before = await _read(tx, product_code, merchant_id)
            if not before.own:
                return before
            await tx.execute(_DROP, product_code, merchant_id)
            after = await _read(tx, product_code, merchant_id)
            await self._record(tx, before, after, by, also)
            return after

    async def _change(
        self,
        product_code: str,
        merchant_id: UUID | None,
        by: By,
        also: Also,
        change: Callable[[Sequence[str]], list[str]],
    ) -> ChannelSet:
        await _need_product(self._store, product_code)
        async with self._store.transaction() as tx:
            await _hold(tx, product_code, merchant_id)
            before = await _read(tx, product_code, merchant_id)
            numbers = change(before.channel_nos)
            if len(numbers) > MAX_CHANNELS or (merchant_id is not None and not numbers):
                raise Refusal("channel_set_size", limit=MAX_CHANNELS)
            ids = await _need_channels(tx, numbers, known=before.channel_nos)
            after = ChannelSet(product_code, merchant_id, merchant_id is not None, tuple(numbers))
            if after == before:
                return before
            await tx.execute(_DROP, product_code, merchant_id)
            rows = [(self._ids.uuid7(), product_code, merchant_id, ids[no]) for no in numbers]
            await tx.executemany(_PUT, rows)
            await self._record(tx, before, after, by, also)
            return after

    async def _record(
        self, tx: Tx, before: ChannelSet, after: ChannelSet, by: By, also: Also
    ) -> None:
        facts: dict[str, Any] = {
            "product_code": after.product_code,
            "own_before": before.own,
            "own": after.own,
            "before": list(before.channel_nos),
            "after": list(after.channel_nos),
        }
        await record(self._audit, tx, "channel_set", by, facts, also, merchant_id=after.merchant_id)


async def _hold(tx: Tx, product_code: str, merchant_id: UUID | None) -> None:
    """One change after another; a merchant's first copies the product's."""
    await tx.hold(f"channel_set:{product_code}", together=merchant_id is not None)
    if merchant_id is not None:
        await tx.hold(f"channel_set:{product_code}:{merchant_id}")


async def _read(queries: Queries, product_code: str, merchant_id: UUID | None) -> ChannelSet:
    rows = await queries.fetch(_SETS, product_code, merchant_id)
    own = [row["channel_no"] for row in rows if row["merchant_id"] is not None]
    everybodys = [row["channel_no"] for row in rows if row["merchant_id"] is None]
    return ChannelSet(product_code, merchant_id, bool(own), tuple(own or everybodys))


async def _need_product(queries: Queries, product_code: str) -> None:
    known = "SELECT EXISTS (SELECT FROM product WHERE code = $1)"
    if not await queries.fetchval(known, product_code):
        raise Refusal("product_not_found", product=product_code[:_SHOWN_CHARS])


async def _need_channels(
    queries: Queries, numbers: Sequence[str], known: Sequence[str] | None = None
) -> dict[str, UUID]:
    """channel number -> id. known: channels that may be archived; None: any may. Refusals:
    channel_not_found, channel_state."""
    rows = await queries.fetch(
        "SELECT channel_no, id, state FROM channel WHERE channel_no = ANY($1)", list(numbers)
    )
    found = {row["channel_no"]: row["id"] for row in rows}
    for number in numbers:
        if number not in found:
            raise Refusal("channel_not_found", channel_no=number[:_SHOWN_CHARS])
    for row in rows:
        if known is not None and row["state"] == "archived" and row["channel_no"] not in known:
            raise Refusal("channel_state", channel_no=row["channel_no"], channel_state=row["state"])
    return found


_SETS: Final = """
SELECT c.channel_no, p.merchant_id FROM product_channel p JOIN channel c ON c.id = p.channel_id
WHERE p.product_code = $1 AND (p.merchant_id IS NULL OR p.merchant_id = $2)
ORDER BY c.channel_no
"""
_DROP: Final = (
    "DELETE FROM product_channel WHERE product_code = $1 AND merchant_id IS NOT DISTINCT FROM $2"
)
_PUT: Final = (
    "INSERT INTO product_channel (id, product_code, merchant_id, channel_id)"
    " VALUES ($1, $2, $3, $4)"
)
