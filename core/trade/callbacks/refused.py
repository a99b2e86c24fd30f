"""Callbacks that are not believed: kept within bounds, counted, and heard of where there are many.

Anybody may call, so nothing here is worth more than a little room.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Final
from uuid import UUID

from core.connectors import Callback, Connector, InvalidCallback
from core.delivery.outbox import NOBODY
from core.kernel.clock import Clock
from core.kernel.ids import Ids
from core.kernel.masking import Mask
from core.parties.suppliers import Supplier
from core.people.alarms import Alarms, Trouble
from core.system import retention
from core.system.store import Store, Tx
from core.trade.orders import AlarmContradiction, Attempt, get_order

KEPT_PER_HOUR: Final = 120  # of a supplier; the rest are counted
KEPT_PER_ATTEMPT: Final = 50
SHOWN: Final = 50
SAID_CHARS: Final = 1000
WHY_CHARS: Final = 300
ADDRESS_CHARS: Final = 64
# This many in a row, with none believed between them, are no stranger's try any more.
ALARM_AFTER: Final = 5
# What is signed by the supplier and yet cannot be so, and the contradiction that it is.
_CONTRADICTS: Final = {"currency": "other_currency", "attempt": "other_address"}
SIGNED: Final = frozenset(_CONTRADICTS)


@dataclass(frozen=True, slots=True)
class RefusedCallback:
    """A callback that was not believed. said: its words, masked; nobody signed them, but where
    `reason` is one of SIGNED. attempt_no: of its address, or where that names the supplier alone
    of its signed words; empty where neither says so."""

    at: datetime
    supplier_no: str
    attempt_no: str
    address: str
    reason: str
    why: str
    said: str

    @property
    def signed(self) -> bool:
        """Whether its words are the supplier's own."""
        return self.reason in SIGNED


@dataclass(frozen=True, slots=True)
class AlarmRefused(Trouble):
    """A supplier's callbacks are refused, and none is believed. reason, why, address: of the
    newest."""

    supplier_no: str
    supplier_name: str
    reason: str
    why: str
    address: str


class RefusedCallbacks:
    """Keeps refused callbacks and says where there are too many of them."""

    def __init__(self, store: Store, clock: Clock, ids: Ids, alarms: Alarms) -> None:
        self._store = store
        self._clock = clock
        self._ids = ids
        self._alarms = alarms

    async def keep(
        self,
        supplier: Supplier,
        connector: Connector,
        callback: Callback,
        invalid: InvalidCallback,
        attempt: Attempt | None = None,
    ) -> None:
        """Count a callback that is not believed, and keep it where there is room. attempt: that it
        is about. Junk takes no room from what the supplier signed, which is bounded for its attempt
        alone."""
        now = self._clock.now()
        async with self._store.transaction() as tx:
            await tx.execute(_COUNT, supplier.id, invalid.reason)
            streak = await tx.fetchrow(
                _LENGTHEN, supplier.id, now.replace(minute=0, second=0, microsecond=0)
            )
            contradicted = attempt if invalid.reason in SIGNED else None
            if contradicted or (streak is not None and streak["kept"] <= KEPT_PER_HOUR):
                await tx.execute(
                    _KEEP,
                    self._ids.uuid7(),
                    supplier.id,
                    attempt.merchant_id if attempt else NOBODY,
                    attempt.attempt_no if attempt else "",
                    callback.address[:ADDRESS_CHARS],
                    invalid.reason,
                    invalid.why[:WHY_CHARS],
                    _words(supplier, connector, callback),
                    now,
                    KEPT_PER_ATTEMPT,
                    [*SIGNED],
                )
            trouble = AlarmRefused(
                supplier_no=supplier.supplier_no,
                supplier_name=supplier.name,
                reason=invalid.reason,
                why=invalid.why[:WHY_CHARS],
                address=callback.address[:ADDRESS_CHARS],
            )
            if contradicted is not None:
                await self._contradict(tx, contradicted, invalid)
            if streak is not None and streak["in_a_row"] >= ALARM_AFTER:
                times = ALARM_AFTER if streak["in_a_row"] == ALARM_AFTER else 1
                await self._alarms.sound(tx, trouble, supplier.supplier_no, times=times)

    async def _contradict(self, tx: Tx, attempt: Attempt, invalid: InvalidCallback) -> None:
        """The supplier signed it, so it is no stranger's: it is told at once."""
        order = await get_order(tx, attempt.merchant_id, attempt.order_id)
        if order.mode != "live":
            return
        trouble = AlarmContradiction(
            contradiction=_CONTRADICTS[invalid.reason],
            merchant_id=order.merchant_id,
            supplier_no=attempt.supplier_no,
            upstream_no="",
            order_no=order.order_no,
            attempt_no=attempt.attempt_no,
            paid_minor=0,
            currency=order.amount.currency,
            said="",
        )
        subject = f"{attempt.supplier_no} {attempt.attempt_no}"
        await self._alarms.sound(tx, trouble, subject)

    async def believed(self, supplier: Supplier) -> None:
        """A signed callback was believed: what was refused before it was no sign of a fault."""
        in_a_row = await self._store.fetchval(
            "SELECT in_a_row FROM callback_streak WHERE supplier_id = $1", supplier.id
        )
        if not in_a_row:
            return
        async with self._store.transaction() as tx:
            await tx.execute(
                "UPDATE callback_streak SET in_a_row = 0 WHERE supplier_id = $1", supplier.id
            )
            await self._alarms.end(tx, AlarmRefused, supplier.supplier_no)

    async def of_attempts(self, merchant_id: UUID, attempt_nos: list[str]) -> list[RefusedCallback]:
        """What came to the addresses of attempts and was refused: the newest first, at most
        SHOWN."""
        rows = await self._store.fetch(_OF_ATTEMPTS, merchant_id, attempt_nos, SHOWN)
        return [RefusedCallback(**dict(row)) for row in rows]

    async def of_supplier(self, supplier_id: UUID) -> list[RefusedCallback]:
        """What was refused of a supplier's, the newest first, at most SHOWN."""
        rows = await self._store.fetch(_OF_SUPPLIER, supplier_id, SHOWN)
        return [RefusedCallback(**dict(row)) for row in rows]

    async def counts(self) -> list[tuple[str, str, int]]:
        """(supplier's number, reason, how many ever), for /metrics."""
        rows = await self._store.fetch(
            "SELECT s.supplier_no, c.reason, c.count FROM refused_count c"
            " JOIN supplier s ON s.id = c.supplier_id ORDER BY 1, 2"
        )
        return [(row["supplier_no"], row["reason"], row["count"]) for row in rows]

    async def forget_old(self) -> int:
        """Drop what was kept for long enough; how many."""
        return await retention.drop_rows(
            self._store, _DROP, self._clock.now() - retention.REFUSED_CALLBACKS
        )


def _words(supplier: Supplier, connector: Connector, callback: Callback) -> str:
    """What a callback says, without the supplier's secrets, in one printable line."""
    fixtures = connector.fixtures
    mask = Mask([*connector.secret_texts(supplier.credentials, fixtures.facts, fixtures.now)])
    said = " ".join(filter(None, (mask.text(callback.query), mask.body(callback.body))))
    return "".join(c if c.isprintable() else " " for c in said[:SAID_CHARS])


_COUNT: Final = """
INSERT INTO refused_count (supplier_id, reason, count) VALUES ($1, $2, 1)
ON CONFLICT (supplier_id, reason) DO UPDATE SET count = refused_count.count + 1
"""
# $2: the hour. How many are kept in it begins anew with it.
_LENGTHEN: Final = """
INSERT INTO callback_streak AS c (supplier_id, in_a_row, hour, kept) VALUES ($1, 1, $2, 1)
ON CONFLICT (supplier_id) DO UPDATE SET
    in_a_row = c.in_a_row + 1, hour = excluded.hour,
    kept = CASE WHEN c.hour = excluded.hour THEN c.kept + 1 ELSE 1 END
RETURNING in_a_row, kept
"""
_KEEP: Final = """
INSERT INTO refused_callback (id, supplier_id, merchant_id, attempt_no, address, reason, why, said,
    at)
SELECT $1, $2, $3, $4, $5, $6, $7, $8, $9
WHERE $4 = '' OR $10 > (
    SELECT count(*) FROM refused_callback WHERE merchant_id = $3 AND attempt_no = $4
        AND (reason = ANY($11)) = ($6 = ANY($11)))
"""
_DROP: Final = """
DELETE FROM refused_callback WHERE id IN (SELECT id FROM refused_callback WHERE at < $1 LIMIT $2)
"""
_READ: Final = """
SELECT c.at, s.supplier_no, c.attempt_no, c.address, c.reason, c.why, c.said
FROM refused_callback c JOIN supplier s ON s.id = c.supplier_id
"""
_OF_ATTEMPTS: Final = f"""{_READ}
WHERE c.merchant_id = $1 AND c.attempt_no = ANY($2) ORDER BY c.at DESC, c.id DESC LIMIT $3
"""
_OF_SUPPLIER: Final = f"""{_READ}
WHERE c.supplier_id = $1 ORDER BY c.at DESC, c.id DESC LIMIT $2
"""
