"""Orders and attempts as they stand, read from their rows."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Final
from uuid import UUID

import asyncpg

from core.books import BusinessDay, SeenDay
from core.connectors import Pay
from core.kernel.errors import Bug
from core.kernel.ids import number_month, uuid7_time
from core.kernel.money import Money, Rate
from core.kernel.tariff import Tariff
from core.supply.channels import Reason
from core.system.store import Queries, Tx
from core.trade.orders.lifecycle import SETTLED

_ORDER: Final = "SELECT * FROM orders WHERE merchant_id = $1 AND id = $2 AND created_at = $3"
_ATTEMPTS: Final = (
    "SELECT * FROM attempt WHERE merchant_id = $1 AND order_id = $2 AND order_created_at = $3"
    " ORDER BY seq"
)
_STATES: Final = """
SELECT o.state, a.state AS attempt_state FROM orders o
LEFT JOIN attempt a ON a.merchant_id = o.merchant_id AND a.attempt_no = o.live_attempt_no
    AND a.order_created_at = o.created_at
WHERE o.merchant_id = $1 AND o.id = $2 AND o.created_at = $3
"""
_LOCK: Final = " FOR UPDATE"


@dataclass(frozen=True, slots=True)
class Terms:
    """What an order is sold as: its product, and what its merchant is charged for it. They are
    frozen when they are chosen."""

    product_code: str
    rate: Rate
    tariff_id: UUID
    fee_minor: int


@dataclass(frozen=True, slots=True)
class Order:
    """What a merchant asked for, and how it stands. terms: None while no product is chosen, which
    only an order without an attempt can be. only_channel_id: the one channel it may go over; None:
    as routing says."""

    merchant_id: UUID
    id: UUID
    created_at: datetime
    order_no: str
    app_id: UUID
    mode: str
    merchant_order_no: str
    terms: Terms | None
    amount: Money
    subject: str
    notify_url: str | None
    return_url: str | None
    client_ip: str
    payer_id: str
    metadata: dict[str, str]
    state: str
    version: int
    live_attempt_no: str | None
    cost_minor: int | None
    paid_attempt_no: str | None
    paid_how: str | None
    paid_late: bool
    supplier_open: bool
    disputed: bool
    created_day: date
    expires_at: datetime
    paid_at: datetime | None
    paid_day: date | None
    only_channel_id: UUID | None = None

    @property
    def agreed(self) -> Terms:
        """Its terms. Raises Bug where there are none: it has no attempt, and cannot be paid."""
        if self.terms is None:
            raise Bug(f"no product is chosen for the order {self.order_no}")
        return self.terms

    @property
    def settled(self) -> bool:
        return self.state in SETTLED

    @property
    def standing(self) -> str:
        """How it stands, as people are told; see `standing_of`."""
        return standing_of(
            self.state, how=self.paid_how, late=self.paid_late, disputed=self.disputed
        )

    @property
    def open_to_money(self) -> bool:
        """Whether money (or a completion) pays it: it is unpaid, or its completion was reversed."""
        return not self.settled or self.disputed


def standing_of(state: str, *, how: str | None, late: bool, disputed: bool) -> str:
    """How an order stands, as people are told: its state, or late, completed (by hand, and no
    supplier has confirmed it), disputed (its completion was reversed)."""
    if disputed:
        return "disputed"
    if state == "paid" and how == "completed":
        return "completed"
    return "late" if state == "paid" and late else state


@dataclass(frozen=True, slots=True)
class Attempt:
    """One try of an order on one channel.

    channel_day: the business day of its supplier whose limits it uses. cost: what the supplier
    charges there, as it was when the attempt was made; each payment goes by its own tier.
    reasons: why it is on no other channel, one for each that was left out, or refused it before.
    ask_at: when its supplier is asked about it next. unsent: it was rejected because, for certain,
    nothing of it left the desk.
    """

    merchant_id: UUID
    attempt_no: str
    order_id: UUID
    seq: int
    supplier_id: UUID
    supplier_no: str
    channel_id: UUID
    channel_no: str
    channel_day: date
    document_id: UUID
    supplier_code: str
    amount: Money
    cost: Tariff
    state: str
    upstream_no: str | None
    pay: Pay | None
    said: str
    created_at: datetime
    sent_at: datetime | None
    asked: int
    not_found_at: datetime | None
    ask_at: datetime | None = None
    unsent: bool = False
    reasons: tuple[Reason, ...] = ()

    @property
    def order_created_at(self) -> datetime:
        """In the month of which its rows are."""
        return uuid7_time(self.order_id)


async def get_order(queries: Queries, merchant_id: UUID, order_id: UUID) -> Order:
    """One order by its id. Raises Bug: ids come from our own rows."""
    return await _order(queries, _ORDER, merchant_id, order_id)


async def get_attempts(queries: Queries, merchant_id: UUID, order_id: UUID) -> list[Attempt]:
    """An order's attempts, the oldest first."""
    rows = await queries.fetch(_ATTEMPTS, merchant_id, order_id, uuid7_time(order_id))
    return [read_attempt(row) for row in rows]


async def lock_order(tx: Tx, merchant_id: UUID, order_id: UUID) -> tuple[Order, list[Attempt]]:
    """An order and its attempts, locked: the one place that does, and so in one order always.

    What orders are charged and the business day are held before them, where they are; balances
    are touched after them.
    """
    order = await _order(tx, _ORDER + _LOCK, merchant_id, order_id)
    rows = await tx.fetch(_ATTEMPTS + _LOCK, merchant_id, order_id, order.created_at)
    return order, [read_attempt(row) for row in rows]


async def in_turn(tx: Tx, day: BusinessDay, order: Order) -> BusinessDay:
    """The held day at an instant after the order's creation and all that was booked for it: what
    follows from something is never booked before it. The order is locked."""
    booked_at: datetime | None = await tx.fetchval(
        "SELECT max(booked_at) FROM ledger_event WHERE merchant_id = $1 AND order_id = $2",
        order.merchant_id,
        order.id,
    )
    return day.after(order.created_at).after(booked_at)


def named(attempts: Sequence[Attempt], attempt_no: str) -> Attempt:
    """The attempt of this number. Raises Bug: numbers come from our own rows."""
    for attempt in attempts:
        if attempt.attempt_no == attempt_no:
            return attempt
    raise Bug(f"attempt {attempt_no} is not among its order's attempts")


async def _order(queries: Queries, sql: str, merchant_id: UUID, order_id: UUID) -> Order:
    row = await queries.fetchrow(sql, merchant_id, order_id, uuid7_time(order_id))
    if row is None:
        raise Bug(f"merchant {merchant_id} has no order {order_id}")
    return read_order(row)


async def find_attempt(queries: Queries, merchant_id: UUID, attempt_no: str) -> Attempt | None:
    """An attempt by its number at the supplier."""
    row = await queries.fetchrow(
        "SELECT * FROM attempt WHERE merchant_id = $1 AND attempt_no = $2"
        " AND order_created_at >= number_month($2) AND order_created_at < number_month($2, 1)",
        merchant_id,
        attempt_no,
    )
    return read_attempt(row) if row else None


async def states_of(queries: Queries, order: Order) -> tuple[str, str | None]:
    """The states of an order and its live attempt, in one statement."""
    row = await queries.fetchrow(_STATES, order.merchant_id, order.id, order.created_at)
    if row is None:
        raise Bug(f"order {order.order_no} is gone")
    return row["state"], row["attempt_state"]


@dataclass(frozen=True, slots=True)
class Key:
    """Which order a number of a merchant's app means. turn: 1 for its first order; the next one
    where nothing was sent of the order before."""

    order_id: UUID
    turn: int


async def find_key(
    queries: Queries, merchant_id: UUID, app_id: UUID, merchant_order_no: str
) -> Key | None:
    """The order that an app created under its own number; the last, where it had several turns."""
    found = await queries.fetchrow(
        "SELECT order_id, turn FROM order_key"
        " WHERE merchant_id = $1 AND app_id = $2 AND merchant_order_no = $3"
        " ORDER BY turn DESC LIMIT 1",
        merchant_id,
        app_id,
        merchant_order_no,
    )
    return Key(**dict(found)) if found else None


def read_order(row: asyncpg.Record, prefix: str = "") -> Order:
    """prefix: of its columns' names."""
    return Order(
        **{name: row[prefix + name] for name in _PLAIN_ORDER},
        amount=Money(row[prefix + "amount_minor"], row[prefix + "currency"]),
        terms=_terms(row, prefix) if row[prefix + "product_code"] is not None else None,
    )


def _terms(row: asyncpg.Record, prefix: str) -> Terms:
    product_code, rate, tariff_id, fee_minor = (row[prefix + name] for name in _TERMS)
    return Terms(product_code, Rate.unpack(rate), tariff_id, fee_minor)


@dataclass(frozen=True, slots=True)
class Named:
    """What somebody names: an attempt by its number, and a payment of it, where there is one."""

    merchant_id: UUID
    attempt_no: str
    upstream_no: str | None = None


@dataclass(frozen=True, slots=True)
class Waiting:
    """An attempt that somebody named, and its order, as they stood when they were read.

    known: something was booked under the payment's number already; False where none was named.
    booked_at: when anything was last booked of the order. tell_url: where its merchant is told of
    it, if anywhere. day: the merchant's open day, which nobody holds, if one is open.
    """

    order: Order
    attempt: Attempt
    known: bool
    booked_at: datetime | None
    tell_url: str | None
    day: SeenDay | None


async def find_waiting(queries: Queries, wanted: Sequence[Named]) -> list[Waiting | None]:
    """What is named, of any merchants, in one question; nothing is locked."""
    asked = [
        {
            "place": place,
            "merchant_id": one.merchant_id,
            "attempt_no": one.attempt_no,
            "upstream_no": one.upstream_no,
        }
        for place, one in enumerate(wanted)
    ]
    # The months of all of them, so that no other is looked at.
    months = [number_month(one.attempt_no) for one in wanted]
    until = (max(months) + timedelta(days=31)).replace(day=1)
    rows = await queries.fetch(_WAITING, asked, min(months), until)
    found = {row["place"]: _read_waiting(row) for row in rows}
    return [found.get(place) for place in range(len(wanted))]


def _read_waiting(row: asyncpg.Record) -> Waiting:
    return Waiting(
        read_order(row, "o_"),
        read_attempt(row, "a_"),
        row["known"],
        row["booked_at"],
        row["tell_url"],
        SeenDay(row["day"], row["ends_at"], row["rolled_to"]) if row["day"] is not None else None,
    )


async def tell_url(queries: Queries, order: Order) -> str | None:
    """Where the merchant's server is told of an order, if anywhere."""
    if order.notify_url is not None:
        return order.notify_url
    url: str | None = await queries.fetchval(
        "SELECT notify_url FROM app WHERE merchant_id = $1 AND id = $2",
        order.merchant_id,
        order.app_id,
    )
    return url


def read_attempt(row: asyncpg.Record, prefix: str = "") -> Attempt:
    """prefix: of its columns' names."""
    pay_kind = row[prefix + "pay_kind"]
    return Attempt(
        **{name: row[prefix + name] for name in _PLAIN_ATTEMPT},
        amount=Money(row[prefix + "amount_minor"], row[prefix + "currency"]),
        cost=Tariff.unpack("amount", row[prefix + "cost"]),
        pay=Pay(pay_kind, row[prefix + "pay_value"]) if pay_kind else None,
        reasons=tuple(Reason(**kept) for kept in row[prefix + "reasons"]),
    )


_TERMS: Final = ("product_code", "rate", "tariff_id", "fee_minor")
_PLAIN_ORDER = tuple(name for name in Order.__dataclass_fields__ if name not in ("amount", "terms"))
_PLAIN_ATTEMPT = tuple(
    name
    for name in Attempt.__dataclass_fields__
    if name not in ("amount", "cost", "pay", "reasons")
)
OF_ORDER = (*_PLAIN_ORDER, *_TERMS, "amount_minor", "currency")
OF_ATTEMPT = (
    *_PLAIN_ATTEMPT, "amount_minor", "currency", "cost", "pay_kind", "pay_value", "reasons"
)  # fmt: skip
# LIMIT: each is looked for by itself, through an index, in the one month in which it is. What is
# asked for comes as JSON: by an array's length the planner would find each plan worth making anew,
# which takes longer than the question. $2, $3: by these other months are left out from the first.
_WAITING: Final = f"""
SELECT w.place, {", ".join(f"o.{name} AS o_{name}" for name in OF_ORDER)},
    {", ".join(f"a.{name} AS a_{name}" for name in OF_ATTEMPT)},
    EXISTS (SELECT FROM supplier_payment s
            WHERE s.supplier_id = a.supplier_id AND s.upstream_no = w.upstream_no) AS known,
    (SELECT max(e.booked_at) FROM ledger_event e
     WHERE e.merchant_id = w.merchant_id AND e.order_id = o.id) AS booked_at,
    (SELECT t.url FROM (SELECT coalesce(o.notify_url, p.notify_url) AS url FROM app p
                        WHERE p.id = o.app_id) t
     WHERE NOT EXISTS (SELECT FROM silenced_url q WHERE q.merchant_id = w.merchant_id
                       AND q.app_id = o.app_id AND q.url = t.url)) AS tell_url,
    d.day, d.ends_at, d.rolled_to
FROM jsonb_to_recordset($1)
    AS w (place integer, merchant_id uuid, attempt_no text, upstream_no text)
CROSS JOIN LATERAL (
    SELECT * FROM attempt
    WHERE merchant_id = w.merchant_id AND attempt_no = w.attempt_no
      AND order_created_at >= number_month(w.attempt_no)
      AND order_created_at < number_month(w.attempt_no, 1)
      AND order_created_at >= $2 AND order_created_at < $3
    LIMIT 1
) a
CROSS JOIN LATERAL (
    SELECT * FROM orders
    WHERE merchant_id = w.merchant_id AND id = a.order_id AND created_at = a.order_created_at
      AND created_at >= $2 AND created_at < $3
    LIMIT 1
) o
LEFT JOIN LATERAL (
    SELECT * FROM business_day WHERE holder_id = w.merchant_id AND closed_at IS NULL LIMIT 1
) d ON true
"""  # noqa: S608 (our own column names)
