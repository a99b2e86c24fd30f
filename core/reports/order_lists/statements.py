"""The statements of lists. Each asks for rows of some holders between instants, which it is handed
in arrays; $4 and $5 are the first and the last of them, so that no other month is looked at."""

from __future__ import annotations

from typing import Final, Literal

from core.reports.order_lists.filters import (
    PAID,
    Conditions,
    OrderFilter,
    narrow_attempts,
    narrow_orders,
    of_attempts,
    of_news,
)
from core.trade.orders import CHARGED

Direction = Literal["DESC", "ASC"]
Rows = Literal["orders", "attempts"]


def page_of(rows: Rows, wanted: OrderFilter, conditions: Conditions, way: Direction) -> str:
    """The next rows, in this direction. conditions: with the arguments up to $5, then those of the
    place from which it goes on; its last argument is how many rows there are, None for all."""
    if rows == "attempts":
        narrow_attempts(wanted, conditions)
        conditions.args.append(None)
        return _ATTEMPTS.format(where=conditions.sql, way=way, most=len(conditions.args))
    narrow_orders(wanted, conditions)
    conditions.args.append(None)
    return _ORDERS.format(
        joins=_joins(wanted),
        where=conditions.sql,
        way=way,
        most=len(conditions.args),
        attempt=_ATTEMPT,
        news=_NEWS,
    )


def totals_of(rows: Rows, wanted: OrderFilter, conditions: Conditions) -> str:
    """What all rows come to. conditions: with the arguments up to $5."""
    if rows == "attempts":
        narrow_attempts(wanted, conditions)
        return _ATTEMPT_TOTALS.format(where=conditions.sql)
    narrow_orders(wanted, conditions)
    return _ORDER_TOTALS.format(joins=_joins(wanted), where=conditions.sql)


def trace_of(rows: Rows, wanted: OrderFilter, conditions: Conditions) -> str:
    """A number for what all rows say, in whatever order. conditions: with the arguments up to
    $5."""
    return _TRACE.format(rows=page_of(rows, wanted, conditions, "DESC"))


def recent_of(rows: Rows, wanted: OrderFilter, conditions: Conditions) -> str:
    """How many were made in the last minutes, and how many of these are paid by now. conditions:
    with the arguments up to $5; its last two are an instant and the numbers of minutes."""
    narrow = narrow_attempts if rows == "attempts" else narrow_orders
    narrow(wanted, conditions)
    conditions.args += [None, None]
    return _RECENT[rows].format(
        joins=_joins(wanted),
        where=conditions.sql,
        now=len(conditions.args) - 1,
        minutes=len(conditions.args),
    )


def _joins(wanted: OrderFilter) -> str:
    """What decides, beside an order itself."""
    return (_ATTEMPT if of_attempts(wanted) else "") + (_NEWS if of_news(wanted) else "")


_SCOPE: Final = "unnest($1::uuid[], $2::timestamptz[], $3::timestamptz[]) AS s (id, since, until)"
# LIMIT and OFFSET 0: each is looked for by itself, by an index.
_ATTEMPT: Final = """
LEFT JOIN LATERAL (
    SELECT t.attempt_no, t.channel_no, t.supplier_no FROM attempt t
    WHERE t.merchant_id = o.merchant_id AND t.order_id = o.id AND t.order_created_at = o.created_at
      AND t.order_created_at >= $4 AND t.order_created_at < $5
    ORDER BY (t.attempt_no = coalesce(o.paid_attempt_no, o.live_attempt_no)) IS TRUE DESC,
             t.seq DESC
    LIMIT 1
) a ON true"""
_NEWS: Final = """
LEFT JOIN LATERAL (
    SELECT n.state FROM notification n
    WHERE n.merchant_id = o.merchant_id AND n.order_id = o.id AND n.order_created_at = o.created_at
      AND n.order_created_at >= $4 AND n.order_created_at < $5
    ORDER BY n.created_at DESC LIMIT 1
) news ON true"""
_BETWEEN: Final = """
o.merchant_id = s.id AND o.created_at >= s.since AND o.created_at < s.until
      AND o.created_at >= $4 AND o.created_at < $5"""

_ORDERS: Final = f"""
SELECT o.created_at AS at, o.order_no AS number, o.merchant_order_no, m.merchant_no,
    coalesce(o.product_code, '') AS product_code, o.amount_minor, o.state, o.paid_how,
    o.paid_late, o.disputed, {CHARGED} AS fee_minor, o.cost_minor, o.paid_at,
    coalesce(a.channel_no, '') AS channel_no, coalesce(news.state, 'none') AS news
FROM (
    SELECT f.* FROM {_SCOPE}
    CROSS JOIN LATERAL (
        SELECT o.* FROM orders o {{joins}}
        WHERE {_BETWEEN}{{where}}
        ORDER BY o.created_at {{way}}, o.id {{way}} LIMIT ${{most}}
    ) f
    ORDER BY f.created_at {{way}}, f.id {{way}} LIMIT ${{most}}
) o
JOIN merchant m ON m.id = o.merchant_id
{{attempt}}{{news}}
ORDER BY o.created_at DESC, o.id DESC
"""  # noqa: S608 (our own words)
_ORDER_TOTALS: Final = f"""
SELECT count(*) AS count, coalesce(sum(f.amount_minor), 0)::bigint AS amount_minor,
    count(*) FILTER (WHERE f.paid) AS paid,
    coalesce(sum(f.amount_minor) FILTER (WHERE f.paid), 0)::bigint AS paid_minor,
    coalesce(sum(f.fee_minor) FILTER (WHERE f.paid), 0)::bigint AS fee_minor,
    coalesce(sum(f.cost_minor) FILTER (WHERE f.paid), 0)::bigint AS cost_minor
FROM {_SCOPE}
CROSS JOIN LATERAL (
    SELECT o.amount_minor, {PAID} AS paid, o.cost_minor,
        CASE WHEN {PAID} THEN {CHARGED} END AS fee_minor
    FROM orders o {{joins}}
    WHERE {_BETWEEN}{{where}}
    OFFSET 0
) f
"""  # noqa: S608 (our own words)

# A supplier knows what was sent to it. $1: its channels, each once for each of its business days;
# $6: these days.
_SENT: Final = """
a.channel_id = s.id AND a.channel_day = s.day AND a.created_at >= s.since
      AND a.created_at < s.until AND a.sent_at IS NOT NULL AND NOT a.unsent
      AND a.order_created_at >= later($4, '-2 days') AND a.order_created_at < $5"""
_CHANNEL_DAYS: Final = (
    "unnest($1::uuid[], $2::timestamptz[], $3::timestamptz[], $6::date[])"
    " AS s (id, since, until, day)"
)
_ATTEMPTS: Final = f"""
SELECT f.created_at AS at, f.attempt_no AS number, f.product_code, f.amount_minor, f.state,
    f.channel_no, f.upstream_no
FROM (
    SELECT f.* FROM {_CHANNEL_DAYS}
    CROSS JOIN LATERAL (
        SELECT a.* FROM attempt a
        WHERE {_SENT}{{where}}
        ORDER BY a.created_at {{way}}, a.attempt_no {{way}} LIMIT ${{most}}
    ) f
    ORDER BY f.created_at {{way}}, f.attempt_no {{way}} LIMIT ${{most}}
) f
ORDER BY f.created_at DESC, f.attempt_no DESC
"""  # noqa: S608 (our own words)
_ATTEMPT_TOTALS: Final = f"""
SELECT count(*) AS count, coalesce(sum(f.amount_minor), 0)::bigint AS amount_minor,
    count(*) FILTER (WHERE f.state = 'paid') AS paid,
    coalesce(sum(f.amount_minor) FILTER (WHERE f.state = 'paid'), 0)::bigint AS paid_minor,
    0::bigint AS fee_minor, 0::bigint AS cost_minor
FROM {_CHANNEL_DAYS}
CROSS JOIN LATERAL (
    SELECT a.amount_minor, a.state FROM attempt a WHERE {_SENT}{{where}} OFFSET 0
) f
"""  # noqa: S608 (our own words)

_TRACE: Final = """
SELECT coalesce(sum(hashtextextended(r::text, 0)), 0)::text FROM ({rows}) r
"""

_OF_MINUTES: Final = """
SELECT w.minutes, count(f.at) AS created, count(f.at) FILTER (WHERE f.paid) AS paid
FROM unnest(${minutes}::int[]) AS w (minutes)
LEFT JOIN (
"""
_WITHIN: Final = """
) f ON f.at >= ${now}::timestamptz - w.minutes * interval '1 minute' AND f.at <= ${now}
GROUP BY w.minutes ORDER BY w.minutes
"""
_RECENT: Final[dict[Rows, str]] = {
    "orders": f"""
{_OF_MINUTES}
    SELECT o.at, o.paid FROM {_SCOPE}
    CROSS JOIN LATERAL (
        SELECT o.created_at AS at, {PAID} AS paid FROM orders o {{joins}}
        WHERE {_BETWEEN}{{where}} OFFSET 0
    ) o
{_WITHIN}
""",  # noqa: S608 (our own words)
    "attempts": f"""
{_OF_MINUTES}
    SELECT a.at, a.paid FROM {_CHANNEL_DAYS}
    CROSS JOIN LATERAL (
        SELECT a.created_at AS at, a.state = 'paid' AS paid FROM attempt a
        WHERE {_SENT}{{where}} OFFSET 0
    ) a
{_WITHIN}
""",  # noqa: S608 (our own words)
}

# Where a line stands: when it was made, and what tells it from others of that instant. $1: the tag
# of its merchant, which its number says; $2: the number; of an attempt $3 and $4: its month.
PLACES: Final[dict[Rows, str]] = {
    "orders": """
SELECT k.created_at AS at, k.order_id AS of FROM order_key k JOIN merchant m ON m.id = k.merchant_id
WHERE m.tag = $1 AND k.order_no = $2
""",
    "attempts": """
SELECT a.created_at AS at, a.attempt_no AS of FROM attempt a JOIN merchant m ON m.id = a.merchant_id
WHERE m.tag = $1 AND a.attempt_no = $2 AND a.order_created_at >= $3 AND a.order_created_at < $4
""",
}
SPANS: Final = """
SELECT holder_id AS id, min(starts_at) AS since, max(ends_at) AS until FROM business_day
WHERE holder_id = ANY($1::uuid[]) AND day BETWEEN $2 AND $3 GROUP BY holder_id
"""
# The day is kept with each attempt; the instants only say in which months it may be.
CHANNEL_SPANS: Final = """
SELECT c.id, d.day::date AS day,
    (d.day - interval '2 days') AT TIME ZONE 'UTC' AS since,
    (d.day + interval '3 days') AT TIME ZONE 'UTC' AS until
FROM channel c
CROSS JOIN generate_series($2::date::timestamp, $3::date, interval '1 day') AS d (day)
WHERE c.supplier_id = ANY($1::uuid[])
"""
EVERYBODY: Final = "SELECT coalesce(array_agg(id), '{}') FROM merchant"
KEEP: Final = "INSERT INTO order_list (id, facts, made_at) VALUES ($1, $2, $3)"
KEPT: Final = "SELECT facts FROM order_list WHERE id = $1"
DROP: Final = """
DELETE FROM order_list WHERE id IN (
    SELECT id FROM order_list WHERE made_at < $1 ORDER BY made_at LIMIT $2
)
"""
