"""The queue of believed callbacks: a row for each thing that was told, however often it is told."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from operator import itemgetter
from typing import Any, Final
from uuid import UUID

from core.connectors import Event
from core.kernel.clock import Clock
from core.kernel.errors import Bug
from core.kernel.ids import Ids
from core.kernel.money import Money
from core.system.lanes import Lane
from core.system.leases import Held, Leases, Queue
from core.system.retention import Words
from core.system.store import Queries
from core.trade.orders import PaymentSeen

# The gap between two tries doubles up to an hour: a stored callback is tried for over a day.
MAX_TRIES: Final = 40
RETRY_S: Final = 5
LONGEST_RETRY_S: Final = 3600
QUEUE: Final = Queue(
    table="supplier_callback",
    key=("merchant_id", "id", "order_created_at"),
    # What is taken of one merchant is acted on one by one, and a supplier may have to be asked.
    lease=timedelta(seconds=120),
    returns=("supplier_id", "event", "address", "request_id", "received_at", "lease_until"),
    lane=(("merchant_id", "uuid"), ("supplier_id", "uuid")),
    # Planned once, and each row looked for through its index: see the migration.
    own_take="SELECT * FROM take_callbacks($1, $2, $3, $4, $5, $6)",
    fault="outcome",
    by_due=True,
    month="order_created_at",
    gaps_s=tuple(min(RETRY_S * 2**tries, LONGEST_RETRY_S) for tries in range(MAX_TRIES - 1)),
)


@dataclass(frozen=True, slots=True)
class TakenCallback:
    """A callback that was taken, and is acted on now. tries: this one included. address: where it
    came from. until: its lease ends then."""

    merchant_id: UUID
    id: UUID
    event: Event
    tries: int
    address: str
    request_id: str
    held: Held
    until: datetime

    @property
    def order_created_at(self) -> datetime:
        """Of the order that it is about."""
        _, _, created_at = self.held.key
        if not isinstance(created_at, datetime):
            raise Bug(f"the callback {self.id} lies in no month")
        return created_at

    @property
    def payment(self) -> PaymentSeen | None:
        """The payment that it tells of; None where the supplier is to be asked instead."""
        return payment_of(self.event, self.merchant_id, self.address)


@dataclass(frozen=True, slots=True)
class Heads:
    """free: merchants and suppliers of whom something is due. last: the last one that was looked
    at; None: there is no other behind it."""

    free: list[Lane]
    last: Lane | None


class CallbackQueue:
    """What was told and is to be acted on: a lane for each merchant and supplier."""

    def __init__(self, clock: Clock, ids: Ids) -> None:
        self._clock = clock
        self._leases = Leases(QUEUE, clock, ids)

    async def lanes(self, queries: Queries, after: Lane, most: int) -> Heads:
        """Look at so many merchants and suppliers of whom something waits, in their order."""
        rows = await queries.fetch(_WAITING, self._clock.now(), after.holder, after.name, most)
        lanes = [Lane(row["merchant_id"], row["supplier_id"]) for row in rows]
        free = [lane for lane, row in zip(lanes, rows, strict=True) if row["is_free"]]
        return Heads(free, lanes[-1] if len(lanes) == most else None)

    async def take(
        self, queries: Queries, lanes: Collection[Lane], most: int
    ) -> dict[Lane, list[TakenCallback]]:
        """Lease what is due of these merchants and suppliers, `most` of each, in the order in
        which it came."""
        holders, suppliers = [lane.holder for lane in lanes], [lane.name for lane in lanes]
        rows = await self._leases.take(queries, holders, suppliers, [most] * len(lanes))
        taken: dict[Lane, list[TakenCallback]] = {}
        for row in sorted(rows, key=itemgetter("received_at")):
            told = TakenCallback(
                row["merchant_id"],
                row["id"],
                _unpack(row["event"]),
                row["tries"],
                row["address"],
                row["request_id"],
                self._leases.held(row),
                row["lease_until"],
            )
            taken.setdefault(Lane(row["merchant_id"], row["supplier_id"]), []).append(told)
        return taken

    async def give_back(self, queries: Queries, some: Sequence[TakenCallback]) -> None:
        """They were not tried after all: whoever is free may take them."""
        await self._leases.give_back_all(queries, [told.held for told in some])

    async def finish(self, queries: Queries, told: TakenCallback, outcome: str) -> bool:
        """It was acted on; False where another try is under way."""
        return await self._leases.finish(queries, told.held, {"outcome": outcome})

    async def put_off(self, queries: Queries, told: TakenCallback, outcome: str) -> bool:
        """It waits for another try; after the last of them it is parked. False: as above."""
        again_s = QUEUE.gap_s(told.tries)
        if again_s is None:
            return await self._leases.park(queries, told.held, outcome)
        return await self._leases.put_off(queries, told.held, again_s, outcome)


def payment_of(event: Event, merchant_id: UUID, address: str) -> PaymentSeen | None:
    """The payment that is told of by the supplier's own word, from this address."""
    if event.state != "paid" or event.paid is None or event.hearsay:
        return None
    number, upstream_no = event.attempt_no, event.upstream_no
    return PaymentSeen(merchant_id, number, upstream_no, event.paid, "reported", address)


def pack_event(event: Event) -> dict[str, object]:
    return {
        "attempt_no": event.attempt_no,
        "upstream_no": event.upstream_no,
        "state": event.state,
        "paid_minor": event.paid.minor if event.paid else None,
        "currency": event.paid.currency if event.paid else None,
        "hearsay": event.hearsay,
    }


def _unpack(values: dict[str, Any]) -> Event:
    paid_minor, currency, state = values["paid_minor"], values["currency"], values["state"]
    if state not in ("paid", "pending", "failed", "closed"):
        raise Bug(f"a stored callback is {state}")
    paid = Money(paid_minor, currency) if paid_minor is not None else None
    return Event(
        values["attempt_no"], values["upstream_no"], state, paid, hearsay=values["hearsay"]
    )


_WAITING: Final = "SELECT * FROM waiting_callbacks($1, $2, $3, $4)"
# What waits or is parked keeps its words.
WORDS: Final = Words(
    "supplier_callback",
    "SELECT min(received_at) FROM supplier_callback",
    "WITH emptied AS (UPDATE supplier_callback SET digest = sha256(body), body = '', query = '',"
    " headers = '{}' WHERE received_at >= $1 AND received_at < $2 AND state = 'done'"
    " AND order_created_at < $2 + interval '1 day' AND digest IS NULL RETURNING 1)"
    " SELECT count(*) FROM emptied",
)
