"""Checks of business days, of what they are rolled up to, and of what they close with.

$1, $2: of what was booked or created from then on, and before then; of days that ended in between.
Both are full hours.
"""

from __future__ import annotations

from typing import Final

from core.books import ROLLED_ATTEMPTS, ROLLED_ENTRIES, ROLLED_ORDERS, Rollup

# What closes a day is what closed the day before, and what moved in it.
_CLOSES: Final = """, accounts AS (
            SELECT holder_id, day, mode, currency, account FROM moved
            UNION
            SELECT d.holder_id, d.day, c.mode, c.currency, c.account
            FROM ended d JOIN sums c ON c.holder_id = d.holder_id AND c.day IN (d.day, d.day - 1)
        )
        SELECT concat_ws(' ', holder_id, day, mode, currency, account) AS at,
               'closed with ' || coalesce(c.minor, 0) || ', former closing '
               || coalesce(f.minor, 0) || ', moved ' || coalesce(m.minor, 0) AS found
        FROM accounts a
        LEFT JOIN sums c USING (holder_id, day, mode, currency, account)
        LEFT JOIN (SELECT holder_id, day + 1 AS day, mode, currency, account, minor FROM sums) f
            USING (holder_id, day, mode, currency, account)
        LEFT JOIN moved m USING (holder_id, day, mode, currency, account)
        WHERE coalesce(c.minor, 0) <> coalesce(f.minor, 0) + coalesce(m.minor, 0)"""

STANDING: Final[dict[str, str]] = {
    "everybody has one open day, the newest": """
        SELECT h.number AS at,
               concat(count(d.day) FILTER (WHERE d.closed_at IS NULL), ' open days, the newest ',
                      max(d.day) FILTER (WHERE d.closed_at IS NULL), ', of all days ',
                      max(d.day)) AS found
        FROM (
            SELECT id, merchant_no AS number FROM merchant
            UNION ALL SELECT id, supplier_no FROM supplier
            UNION ALL SELECT '00000000-0000-0000-0000-000000000000', 'platform'
        ) h LEFT JOIN business_day d ON d.holder_id = h.id
        GROUP BY h.id, h.number
        HAVING count(d.day) FILTER (WHERE d.closed_at IS NULL) <> 1
            OR max(d.day) FILTER (WHERE d.closed_at IS NULL) <> max(d.day)""",
    "business days follow one another": """
        SELECT holder_id || ' ' || day AS at,
               'starts ' || starts_at || ', ' || former || ' ended ' || former_end AS found
        FROM (
            SELECT holder_id, day, starts_at,
                   lag(day) OVER (PARTITION BY holder_id ORDER BY day) AS former,
                   lag(ends_at) OVER (PARTITION BY holder_id ORDER BY day) AS former_end
            FROM business_day
        ) d
        WHERE former IS NOT NULL AND (former <> day - 1 OR former_end <> starts_at)""",
}


def _day_of_hours(rollup: Rollup) -> str:
    """Days that begin in the span, each against its hours."""
    day, hours = (f"concat_ws('/', {', '.join(f'{t}.{n}' for n in rollup.sums)})" for t in "dh")
    begun = """
        JOIN (SELECT holder_id AS merchant_id, day FROM business_day
              WHERE starts_at >= $1 AND starts_at < $2) b USING (merchant_id, day)"""
    kept = f"{rollup.table} {begun} WHERE mode IN ('live', 'test')"
    return f"""
        SELECT concat_ws(' ', merchant_id, day, mode, {rollup.keys}) AS at,
               'the day ' || {day} || ', its hours ' || {hours} AS found
        FROM (SELECT * FROM {rollup.table}_day {begun}) d
        FULL JOIN ({rollup.days_of(kept)}) h USING (merchant_id, day, mode, {rollup.keys})
        WHERE {day} <> {hours}"""  # noqa: S608 (our own words)


_CHECKS: Final[dict[str, str]] = {
    "what is booked lies within its day": """
        SELECT e.merchant_id || ' event ' || e.event_id AS at,
               'booked ' || e.booked_at || ' on ' || e.day AS found
        FROM (
            SELECT DISTINCT merchant_id, event_id, booked_at, day FROM ledger_entry
            WHERE booked_at >= $1 AND booked_at < $2
        ) e
        LEFT JOIN business_day d ON d.holder_id = e.merchant_id AND d.day = e.day
            AND e.booked_at >= d.starts_at AND e.booked_at < d.ends_at
        WHERE d.day IS NULL""",
    "entries are rolled up once": """
        SELECT concat_ws(' ', merchant_id, mode, day, hour, currency, account, kind,
                         product_code, channel_no) AS at,
               'rolled up ' || coalesce(r.minor, 0) || ' of ' || coalesce(r.events, 0)
               || ' events, booked ' || coalesce(e.minor, 0) || ' of ' || coalesce(e.events, 0)
               AS found
        FROM (SELECT * FROM rollup_entry WHERE hour >= $1 AND hour < $2) r FULL JOIN (
            SELECT e.merchant_id, e.mode, e.day, date_trunc('hour', e.booked_at, 'UTC') AS hour,
                   e.currency, e.account, e.kind, e.product_code, e.channel_no,
                   sum(e.minor) AS minor, count(*) FILTER (WHERE e.line = 1) AS events
            FROM ledger_entry e
            JOIN business_day d ON d.holder_id = e.merchant_id AND d.day = e.day
                AND e.booked_at < d.rolled_to
            WHERE e.booked_at >= $1 AND e.booked_at < $2
            GROUP BY 1, 2, 3, 4, 5, 6, 7, 8, 9
        ) e USING (merchant_id, mode, day, hour, currency, account, kind, product_code, channel_no)
        WHERE coalesce(r.minor, 0) <> coalesce(e.minor, 0)
           OR coalesce(r.events, 0) <> coalesce(e.events, 0)""",
    "orders are rolled up once": """
        SELECT concat_ws(' ', merchant_id, mode, day, hour, currency, product_code) AS at,
               concat_ws('/', 'rolled up ' || coalesce(r.created, 0), coalesce(r.paid_in_day, 0),
                         coalesce(r.paid, 0)) || ', orders '
               || concat_ws('/', coalesce(o.created, 0), coalesce(o.paid_in_day, 0),
                            coalesce(o.paid, 0)) AS found
        FROM (SELECT * FROM rollup_order WHERE hour >= $1 AND hour < $2) r FULL JOIN (
            SELECT o.merchant_id, o.mode, o.created_day AS day,
                   date_trunc('hour', o.created_at, 'UTC') AS hour, o.currency,
                   coalesce(o.product_code, '') AS product_code,
                   count(*) FILTER (WHERE o.created_at < c.rolled_to) AS created,
                   count(*) FILTER (WHERE o.paid_at < p.rolled_to AND o.paid_day = o.created_day)
                       AS paid_in_day,
                   count(*) FILTER (WHERE o.paid_at < p.rolled_to) AS paid
            FROM orders o
            LEFT JOIN business_day c ON c.holder_id = o.merchant_id AND c.day = o.created_day
            LEFT JOIN business_day p ON p.holder_id = o.merchant_id AND p.day = o.paid_day
            WHERE o.created_at >= $1 AND o.created_at < $2
            GROUP BY 1, 2, 3, 4, 5, 6
        ) o USING (merchant_id, mode, day, hour, currency, product_code)
        WHERE (coalesce(r.created, 0), coalesce(r.paid_in_day, 0), coalesce(r.paid, 0))
           <> (coalesce(o.created, 0), coalesce(o.paid_in_day, 0), coalesce(o.paid, 0))""",
    "attempts are rolled up once": """
        SELECT concat_ws(' ', merchant_id, mode, day, hour, currency, product_code, channel_no)
                   AS at,
               concat_ws('/', 'rolled up ' || coalesce(r.sent, 0), coalesce(r.paid, 0))
               || ', attempts ' || concat_ws('/', coalesce(a.sent, 0), coalesce(a.paid, 0))
                   AS found
        FROM (SELECT * FROM rollup_attempt WHERE hour >= $1 AND hour < $2) r FULL JOIN (
            SELECT a.merchant_id, a.mode, d.day, date_trunc('hour', a.created_at, 'UTC') AS hour,
                   a.currency, a.product_code, a.channel_no,
                   count(*) FILTER (WHERE a.sent_at < o.rolled_to) AS sent,
                   count(*) FILTER (WHERE a.sent_at IS NOT NULL AND h.at < o.rolled_to) AS paid
            FROM attempt a
            JOIN business_day o ON o.holder_id = a.merchant_id AND o.closed_at IS NULL
            JOIN business_day d ON d.holder_id = a.merchant_id
                AND a.created_at >= d.starts_at AND a.created_at < d.ends_at
            LEFT JOIN attempt_history h ON h.merchant_id = a.merchant_id
                AND h.attempt_no = a.attempt_no AND h.order_created_at = a.order_created_at
                AND h.move = 'pay'
            WHERE a.created_at >= $1 AND a.created_at < $2
            GROUP BY 1, 2, 3, 4, 5, 6, 7
        ) a USING (merchant_id, mode, day, hour, currency, product_code, channel_no)
        WHERE (coalesce(r.sent, 0), coalesce(r.paid, 0))
           <> (coalesce(a.sent, 0), coalesce(a.paid, 0))""",
    "entries of a day are those of its hours": _day_of_hours(ROLLED_ENTRIES),
    "orders of a day are those of its hours": _day_of_hours(ROLLED_ORDERS),
    "attempts of a day are those of its hours": _day_of_hours(ROLLED_ATTEMPTS),
    # A merchant's own balances, and those of the desk's own books.
    "a day closes with what it opened with and what moved": """
        WITH ended AS (
            SELECT d.holder_id, d.day FROM business_day d
            WHERE d.closed_at IS NOT NULL AND d.ends_at > $1 AND d.ends_at <= $2
              AND (d.holder_id = '00000000-0000-0000-0000-000000000000'
                   OR EXISTS (SELECT FROM merchant m WHERE m.id = d.holder_id))
        ), sums AS (
            SELECT c.* FROM closing c
            WHERE c.holder_id <> '00000000-0000-0000-0000-000000000000'
               OR c.account ~ '^(bank|supplier/)'
        ), moved AS (
            SELECT e.merchant_id AS holder_id, e.day, e.mode, e.currency, e.account,
                   sum(e.minor) AS minor
            FROM ledger_entry e
            JOIN ended d ON d.holder_id = e.merchant_id AND d.day = e.day
            WHERE e.booked_at >= $1::timestamptz - interval '4 days' AND e.booked_at < $2
            GROUP BY 1, 2, 3, 4, 5
        ){closes}""",
    # A supplier's accounts, and for the platform everybody's, in the windows of their days. A
    # business day's window begins at most a calendar day before or after its name.
    "a window closes with what it opened with and what moved": """
        WITH ended AS (
            SELECT d.holder_id, d.day, d.starts_at, d.ends_at FROM business_day d
            WHERE d.closed_at IS NOT NULL AND d.sums_kept AND d.ends_at > $1 AND d.ends_at <= $2
              AND NOT EXISTS (SELECT FROM merchant m WHERE m.id = d.holder_id)
        ), sums AS (
            SELECT c.* FROM closing c
            WHERE c.holder_id <> '00000000-0000-0000-0000-000000000000'
               OR c.account !~ '^(bank|supplier/)'
        ), minutes AS (
            SELECT mode, currency, account, date_trunc('minute', booked_at) AS minute,
                   sum(minor) AS minor
            FROM ledger_entry
            WHERE booked_at >= $1::timestamptz - interval '4 days' AND booked_at < $2
            GROUP BY 1, 2, 3, 4
        ), moved AS (
            SELECT d.holder_id, d.day, t.mode, t.currency, t.account, sum(t.minor) AS minor
            FROM minutes t
            JOIN ended d
                ON d.day BETWEEN (t.minute AT TIME ZONE 'UTC')::date - 3
                             AND (t.minute AT TIME ZONE 'UTC')::date + 3
                AND t.minute >= d.starts_at AND t.minute < d.ends_at
            LEFT JOIN supplier s ON s.id = d.holder_id
            WHERE s.supplier_no = substring(t.account FROM '/(S[0-9]+)')
               OR d.holder_id = '00000000-0000-0000-0000-000000000000'
                  AND t.account !~ '^(bank|supplier/)'
            GROUP BY 1, 2, 3, 4, 5
        ){closes}""",
}

DAYS: Final[dict[str, str]] = {what: sql.format(closes=_CLOSES) for what, sql in _CHECKS.items()}
