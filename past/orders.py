"""Orders of busy days as the desk would have booked them, in bulk, inside the database."""

from __future__ import annotations

import math
from bisect import bisect_left
from collections.abc import Awaitable, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Final, Protocol
from uuid import UUID

from core.kernel.ids import Ids, month_of
from core.kernel.money import Money
from core.parties.merchants import Merchant
from core.system.store import Queries

_BATCH: Final = 10_000
PAID_AFTER: Final = timedelta(seconds=40)
# Of a public number: its letter, month and tag; then so many random bytes in hexadecimal digits.
_HEAD_CHARS: Final = 7
_RANDOM_BYTES: Final = 6
_VALUES: Final = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ"
_BYTES: Final = 256


class StillClock:
    """Stands still until it is set."""

    def __init__(self, at: datetime) -> None:
        self._at = at

    def now(self) -> datetime:
        return self._at

    def go_to(self, at: datetime) -> None:
        self._at = at


class Executes(Protocol):
    """A store, a transaction, or a connection of the driver."""

    def execute(self, sql: str, /, *args: object) -> Awaitable[object]: ...


@dataclass(frozen=True, slots=True)
class Pattern:
    """What orders are like. one_expires_of: of so many one is never paid; 0: all are paid.
    swing: how much more of them come at the middle of the time than at its ends: 0 evenly, below 1.
    turn: with which of the amounts, products and channels the first one begins. subjects: what is
    sold, in turn.
    """

    one_expires_of: int = 0
    swing: float = 0.0
    turn: int = 0
    subjects: Sequence[str] = ("bench",)


EVEN: Final = Pattern()


async def book_orders(
    database: Executes,
    merchant: Merchant,
    orders: int,
    starts_at: datetime,
    ends_at: datetime,
    pattern: Pattern = EVEN,
    *,
    rolled: bool = False,
) -> None:
    """Orders spread over a time whose business days are there, on all products and channels of the
    merchant in turn; what is paid last is paid when the time ends.

    rolled: the time is rolled up already, so that the orders are added to the rollups too; else
    none of it may be.
    """
    span = ends_at - starts_at - PAID_AFTER

    def comes_at(n: int) -> datetime:
        return starts_at + span * (n / orders + _sway(n / orders, pattern.swing))

    first = 0
    while first < orders:
        at = comes_at(first)
        before_end = bisect_left(range(orders), _next_month(at), first + 1, key=comes_at)
        last = min(first + _BATCH, before_end)
        order_head, attempt_head = _heads(merchant, at)
        await database.execute(
            _BOOK,
            merchant.id,
            first,
            last - 1,
            starts_at,
            orders,
            PAID_AFTER,
            pattern.one_expires_of,
            rolled,
            order_head,
            _checked(order_head),
            attempt_head,
            _checked(attempt_head),
            _TURNS,
            span.total_seconds(),
            pattern.swing,
            pattern.turn,
            list(pattern.subjects),
        )
        first = last


@dataclass(frozen=True, slots=True)
class PastOrder:
    """One of them, as whoever does something about it needs it."""

    merchant_id: UUID
    id: UUID
    order_no: str
    attempt_no: str
    amount: Money


async def orders_of(
    queries: Queries, merchant: Merchant, day: date, state: str
) -> Sequence[PastOrder]:
    """Those that were created on a business day and are in a state, the oldest first."""
    rows = await queries.fetch(_OF_DAY, merchant.id, day, state)
    return [
        PastOrder(
            merchant.id,
            row["id"],
            row["order_no"],
            row["live_attempt_no"],
            Money(row["amount_minor"], row["currency"]),
        )
        for row in rows
    ]


def _sway(share: float, swing: float) -> float:
    """By how much of the time an order comes later than evenly."""
    return swing * math.sin(2 * math.pi * share) / (2 * math.pi)


def _next_month(at: datetime) -> datetime:
    first = month_of(at)
    year, month = divmod(first.month, 12)
    return datetime(first.year + year, month + 1, 1, tzinfo=UTC)


def _heads(merchant: Merchant, at: datetime) -> tuple[str, str]:
    """How the merchant's numbers of orders and of attempts begin in a month."""
    ids = Ids(StillClock(at), lambda _: 0)
    made = (ids.number(what, "live", merchant.tag) for what in ("order", "attempt"))
    order_head, attempt_head = (number[:_HEAD_CHARS] for number in made)
    return order_head, attempt_head


def _checked(text: str, product: int = 36) -> int:
    """ISO 7064 MOD 37,36 (`core.kernel.ids`) after these characters, before the check character."""
    for character in text:
        total = (product + _VALUES.index(character)) % 36 or 36
        product = total * 2 % 37
    return product


# What a check comes to after a byte of two digits: from `product` on at [product * 256 + byte].
_TURNS: Final = [
    _checked(f"{byte:02X}", product) for product in range(37) for byte in range(_BYTES)
]

# A byte after the other, of the order's and of the attempt's number.
_CHECKS: Final = "\n".join(
    f"CROSS JOIN LATERAL (SELECT"
    f" ($13::smallint[])[{was[0]} * 256 + get_byte(raw, {n}) + 1] AS order_{n},"
    f" ($13::smallint[])[{was[1]} * 256 + get_byte(raw, {n}) + 1] AS attempt_{n}) turn_{n}"
    for n in range(_RANDOM_BYTES)
    for was in [(f"order_{n - 1}", f"attempt_{n - 1}") if n else ("$10::int", "$12::int")]
)
_OF_DAY: Final = """
SELECT id, order_no, live_attempt_no, amount_minor, currency FROM orders
WHERE merchant_id = $1 AND created_day = $2 AND state = $3 ORDER BY created_at
"""
_LAST: Final = _RANDOM_BYTES - 1

# Ids carry the instant of creation, and numbers month, tag and check character, as the desk's own
# do. Amounts repeat, so that sums can be told from each other and yet compress as real ones.
# $1 the merchant, $2 and $3 the first and the last of the orders, $4 when the first one is created,
# $5 how many there are in all, $6 until one is paid, $7 one of how many expires, $8 rolled up,
# $9 to $12 the head of order numbers, its check, and both of attempt numbers, $13 all turns, $14
# seconds in which they come, $15 to $17 swing, turn and subjects of the pattern.
_BOOK: Final = f"""
WITH kind AS (
    SELECT row_number() OVER (ORDER BY c.channel_no, p.product_code) - 1 AS place,
           count(*) OVER () AS many, p.product_code, c.id AS channel_id, c.channel_no,
           c.supplier_code, s.id AS supplier_id, s.supplier_no, s.document_id, t.id AS tariff_id,
           (t.tiers #>> '{{0,ppm}}')::bigint AS ppm, u.tiers AS cost_tiers,
           (u.tiers #>> '{{0,ppm}}')::bigint AS cost_ppm
    FROM product_channel p JOIN channel c ON c.id = p.channel_id
    JOIN supplier s ON s.id = c.supplier_id
    CROSS JOIN LATERAL (
        SELECT id, tiers FROM tariff WHERE merchant_id = $1 AND product_code = p.product_code
        ORDER BY valid_from DESC, seq DESC LIMIT 1
    ) t CROSS JOIN LATERAL (
        SELECT tiers FROM channel_tariff WHERE channel_id = c.id
        ORDER BY valid_from DESC, seq DESC LIMIT 1
    ) u
    WHERE p.merchant_id IS NULL
), seller AS (
    SELECT id AS app_id FROM app WHERE merchant_id = $1 AND mode = 'live' ORDER BY key_id LIMIT 1
), numbered AS MATERIALIZED (
    SELECT n, turn, 1000 + turn * 7919 % 90000 AS amount,
           $7::int = 0 OR turn % nullif($7::int, 0) > 0 AS pays,
           ($17::text[])[1 + turn % cardinality($17::text[])] AS subject,
           date_trunc('milliseconds', $4::timestamptz + $14::float8 * interval '1 second'
               * (share + $15::float8 * sin(2 * pi() * share) / (2 * pi()))) AS at,
           md5($1::uuid::text || n || $4::timestamptz) AS salt
    FROM generate_series($2::bigint, $3::bigint) n
    CROSS JOIN LATERAL (SELECT n + $16::bigint AS turn, n / $5::bigint::float8 AS share) place
), dates AS MATERIALIZED (
    SELECT day, starts_at, ends_at FROM business_day
    WHERE holder_id = $1 AND ends_at > (SELECT min(at) FROM numbered)
      AND starts_at <= (SELECT max(at) FROM numbered) + $6::interval
), made AS MATERIALIZED (
    SELECT o.*, k.*, seller.app_id, c.day AS created_day, b.day AS paid_day,
           o.at + $6::interval AS paid_at, o.at + interval '30 minutes' AS expires_at,
           CASE WHEN pays THEN 'paid' ELSE 'expired' END AS state,
           (amount * ppm * 2 + 1000000) / 2000000 AS fee,
           (amount * cost_ppm * 2 + 1000000) / 2000000 AS cost,
           (lpad(to_hex((extract(epoch FROM at) * 1000)::bigint), 12, '0') || '7'
            || substr(salt, 1, 3) || '8' || substr(salt, 4, 15))::uuid AS id,
           md5(salt || 'event')::uuid AS event_id, md5(salt || 'said')::uuid AS said_id,
           $9::text || digits || substr('{_VALUES}', (37 - order_{_LAST}) % 36 + 1, 1) AS order_no,
           $11::text || digits || substr('{_VALUES}', (37 - attempt_{_LAST}) % 36 + 1, 1)
               AS attempt_no
    FROM numbered o
    CROSS JOIN LATERAL (SELECT upper(left(salt, 2 * {_RANDOM_BYTES})) AS digits) d
    CROSS JOIN LATERAL (SELECT decode(digits, 'hex') AS raw) r
    {_CHECKS}
    CROSS JOIN seller
    JOIN kind k ON k.place = o.turn % k.many
    JOIN dates c ON o.at >= c.starts_at AND o.at < c.ends_at
    JOIN dates b ON o.at + $6::interval >= b.starts_at AND o.at + $6::interval < b.ends_at
    ORDER BY n
), paid AS (
    SELECT * FROM made WHERE pays
), keys AS (
    INSERT INTO order_key (merchant_id, app_id, merchant_order_no, order_id, order_no, created_at)
    SELECT $1, app_id, 'SHOP-' || order_no, id, order_no, at FROM made
), placed AS (
    INSERT INTO orders (merchant_id, id, created_at, order_no, app_id, mode, merchant_order_no,
        product_code, amount_minor, currency, subject, client_ip, state, version, live_attempt_no,
        rate, tariff_id, fee_minor, created_day, expires_at, end_at, cost_minor, paid_attempt_no,
        paid_how, paid_at, paid_day)
    SELECT $1, id, at, order_no, app_id, 'live', 'SHOP-' || order_no, product_code, amount, 'CNY',
           subject, '203.0.113.9', state, 3, attempt_no, jsonb_build_object('ppm', ppm), tariff_id,
           fee, created_day, expires_at, expires_at, CASE WHEN pays THEN cost END,
           CASE WHEN pays THEN attempt_no END, CASE WHEN pays THEN 'reported' END,
           CASE WHEN pays THEN paid_at END, CASE WHEN pays THEN paid_day END
    FROM made
), tries AS (
    INSERT INTO attempt (merchant_id, attempt_no, order_id, order_created_at, mode, product_code,
        seq, supplier_id, supplier_no, channel_id, channel_no, document_id, supplier_code,
        amount_minor, currency, cost, state, upstream_no, pay_kind, pay_value, created_at, sent_at,
        answered_at, channel_day)
    SELECT $1, attempt_no, id, at, 'live', product_code, 1, supplier_id, supplier_no, channel_id,
           channel_no, document_id, supplier_code, amount, 'CNY', cost_tiers,
           CASE WHEN pays THEN 'paid' ELSE 'closed' END, CASE WHEN pays THEN 'U' || salt END,
           'url', 'https://pay.example/' || attempt_no, at, at, at, created_day
    FROM made
), orders_told AS (
    INSERT INTO order_history
        (merchant_id, order_id, order_created_at, version, state_from, move, state_to, at, actor)
    SELECT $1, id, m.at, v.* FROM made m CROSS JOIN LATERAL (
        VALUES (1, NULL, 'open', 'created', m.at, 'api'),
               (2, 'created', 'accept', 'pending', m.at, 'api'),
               (3, 'pending', CASE WHEN pays THEN 'pay' ELSE 'expire' END, state,
                CASE WHEN pays THEN paid_at ELSE expires_at END, 'supplier:' || supplier_no)) v
), attempts_told AS (
    INSERT INTO attempt_history
        (merchant_id, attempt_no, order_created_at, id, state_from, move, state_to, at)
    SELECT $1, attempt_no, m.at, md5(salt || v.move)::uuid, v.* FROM made m CROSS JOIN LATERAL (
        VALUES (NULL, 'accept', 'accepted', m.at),
               ('accepted', CASE WHEN pays THEN 'pay' ELSE 'close' END,
                CASE WHEN pays THEN 'paid' ELSE 'closed' END,
                CASE WHEN pays THEN paid_at ELSE expires_at END)) v (was, move, becomes, at)
), heard AS (
    INSERT INTO supplier_callback (merchant_id, id, supplier_id, attempt_no, order_created_at,
        address, query, headers, body, event, state, tries, due_at, outcome, request_id,
        received_at)
    SELECT $1, said_id, supplier_id, attempt_no, at, '203.0.113.10', '', '{{}}', '',
           jsonb_build_object('attempt_no', attempt_no, 'upstream_no', 'U' || salt, 'state', 'paid',
                              'paid_minor', amount, 'currency', 'CNY', 'hearsay', false),
           'done', 1, paid_at, 'order', '', paid_at
    FROM paid
), reported AS (
    INSERT INTO supplier_payment (merchant_id, supplier_id, upstream_no, attempt_no, order_id,
        amount_minor, currency, booked_as, event_id, how, address, at)
    SELECT $1, supplier_id, 'U' || salt, attempt_no, id, amount, 'CNY', 'order', event_id,
           'reported', '203.0.113.10', paid_at
    FROM paid
), news AS (
    INSERT INTO notification (merchant_id, id, webhook_id, app_id, order_id, order_created_at, type,
        url, lane, facts, state, tries, due_at, created_at, delivered_at)
    SELECT $1, said_id, 'msg_' || salt, app_id, id, at, 'order.paid', 'https://shop.example/', 1,
           jsonb_build_object('order_no', order_no, 'amount', amount), 'delivered', 1, paid_at,
           paid_at, paid_at
    FROM paid
), news_tries AS (
    INSERT INTO notification_try
        (merchant_id, notification_id, order_created_at, try_no, at, took_ms, status, said)
    SELECT $1, said_id, at, 1, paid_at, 50, 200, '' FROM paid
), events AS (
    INSERT INTO ledger_event (merchant_id, event_key, id, kind, mode, day, booked_at, order_id)
    SELECT $1, 'past:' || order_no, event_id, 'order', 'live', paid_day, paid_at, id FROM paid
), moved AS MATERIALIZED (
    SELECT p.*, v.* FROM paid p CROSS JOIN LATERAL (
        VALUES (1, 'cost/' || supplier_no, -cost), (2, 'due/' || supplier_no, cost - amount),
               (3, 'fees', fee), (4, 'payable', amount - fee)) v (line, account, minor)
), entries AS (
    INSERT INTO ledger_entry (merchant_id, booked_at, event_id, line, kind, mode, day, account,
        currency, minor, product_code, channel_no)
    SELECT $1, paid_at, event_id, line, 'order', 'live', paid_day, account, 'CNY', minor,
           product_code, channel_no
    FROM moved
), entries_rolled AS (
    INSERT INTO rollup_entry AS r (merchant_id, mode, day, hour, currency, account, kind,
        product_code, channel_no, minor, events)
    SELECT $1, 'live', paid_day, date_trunc('hour', paid_at, 'UTC'), 'CNY', account, 'order',
           product_code, channel_no, sum(minor), count(*) FILTER (WHERE line = 1)
    FROM moved WHERE $8 GROUP BY 3, 4, 6, 8, 9
    ON CONFLICT (merchant_id, mode, day, hour, currency, account, kind, product_code, channel_no)
    DO UPDATE SET minor = r.minor + excluded.minor, events = r.events + excluded.events
), orders_rolled AS (
    INSERT INTO rollup_order AS r
        (merchant_id, mode, day, hour, currency, product_code, created, paid_in_day, paid)
    SELECT $1, 'live', created_day, date_trunc('hour', at, 'UTC'), 'CNY', product_code, count(*),
           count(*) FILTER (WHERE pays AND paid_day = created_day), count(*) FILTER (WHERE pays)
    FROM made WHERE $8 GROUP BY 3, 4, 6
    ON CONFLICT (merchant_id, mode, day, hour, currency, product_code)
    DO UPDATE SET created = r.created + excluded.created,
        paid_in_day = r.paid_in_day + excluded.paid_in_day, paid = r.paid + excluded.paid
), attempts_rolled AS (
    INSERT INTO rollup_attempt AS r
        (merchant_id, mode, day, hour, currency, product_code, channel_no, sent, paid)
    SELECT $1, 'live', created_day, date_trunc('hour', at, 'UTC'), 'CNY', product_code, channel_no,
           count(*), count(*) FILTER (WHERE pays)
    FROM made WHERE $8 GROUP BY 3, 4, 6, 7
    ON CONFLICT (merchant_id, mode, day, hour, currency, product_code, channel_no)
    DO UPDATE SET sent = r.sent + excluded.sent, paid = r.paid + excluded.paid
)
INSERT INTO balance AS b (merchant_id, mode, currency, account, minor)
SELECT $1, 'live', 'CNY', account, sum(minor) FROM moved GROUP BY account
ON CONFLICT (merchant_id, mode, currency, account) DO UPDATE SET minor = b.minor + excluded.minor
"""  # noqa: S608 (our own words)
