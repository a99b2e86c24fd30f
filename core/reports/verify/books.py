"""Checks of entries, events and balances.

$1, $2: of what was booked from then on, and before then.
"""

from __future__ import annotations

from typing import Final

BOOKS: Final[dict[str, str]] = {
    "every event sums to zero per currency": """
        SELECT merchant_id || ' event ' || event_id AS at, currency || ' ' || sum(minor) AS found
        FROM ledger_entry WHERE booked_at >= $1 AND booked_at < $2
        GROUP BY merchant_id, event_id, currency HAVING sum(minor) <> 0""",
    "every event has entries, every entry an event": """
        SELECT merchant_id || ' event ' || id AS at, 'one without the other' AS found
        FROM (
            SELECT merchant_id, event_id AS id, booked_at, day, kind, mode, 1 AS entry
            FROM ledger_entry WHERE booked_at >= $1 AND booked_at < $2
            GROUP BY 1, 2, 3, 4, 5, 6
        ) e
        FULL JOIN (
            SELECT * FROM ledger_event WHERE booked_at >= $1 AND booked_at < $2
        ) v USING (merchant_id, id, booked_at, day, kind, mode)
        WHERE e.entry IS NULL OR v.event_key IS NULL""",
    "an event's first line counts it once": """
        SELECT merchant_id || ' event ' || event_id AS at,
               count(*) || ' lines, first ' || min(line) || ', last ' || max(line) AS found
        FROM ledger_entry WHERE booked_at >= $1 AND booked_at < $2
        GROUP BY merchant_id, booked_at, event_id
        HAVING min(line) <> 1 OR max(line) <> count(*)""",
    "a reversal negates what it reverses": """
        SELECT v.merchant_id || ' event ' || v.id AS at,
               concat_ws(' ', l.account, l.currency, l.channel_no, l.minor, 'remains') AS found
        FROM ledger_event v
        JOIN ledger_event w ON w.merchant_id = v.merchant_id AND w.id = v.reverses
        CROSS JOIN LATERAL (
            SELECT account, currency, channel_no, sum(minor) AS minor FROM (
                SELECT * FROM ledger_entry e WHERE e.merchant_id = v.merchant_id
                    AND e.booked_at = v.booked_at AND e.event_id = v.id
                UNION ALL
                SELECT * FROM ledger_entry e WHERE e.merchant_id = w.merchant_id
                    AND e.booked_at = w.booked_at AND e.event_id = w.id
            ) both_of_them GROUP BY 1, 2, 3
        ) l
        WHERE v.booked_at >= $1 AND v.booked_at < $2 AND l.minor <> 0""",
    "nothing is booked before its cause": """
        SELECT v.merchant_id || ' event ' || v.id AS at,
               concat_ws(' ', v.kind, 'at', v.booked_at, 'follows from', c.kind, 'at', c.booked_at)
               AS found
        FROM ledger_event v
        CROSS JOIN LATERAL (
            SELECT v.reverses AS cause_id WHERE v.reverses IS NOT NULL
            UNION ALL
            SELECT d.event_id FROM resolution r
            JOIN discrepancy d ON d.merchant_id = r.merchant_id AND d.id = r.discrepancy_id
            WHERE r.merchant_id = v.merchant_id AND r.event_id = v.id
            UNION ALL
            SELECT r.reserve_event_id FROM refund r
            WHERE r.merchant_id = v.merchant_id AND r.order_id = v.order_id
              AND r.end_event_id = v.id
            UNION ALL  -- money is seen once more, after what paid its order first
            SELECT w.id FROM supplier_payment p
            JOIN ledger_event w ON w.merchant_id = p.merchant_id AND w.order_id = p.order_id
                AND w.kind IN ('order', 'completed')
            WHERE p.merchant_id = v.merchant_id AND p.order_id = v.order_id
              AND p.event_id = v.id AND p.booked_as IN ('duplicate', 'confirmation')
        ) f
        JOIN ledger_event c ON c.merchant_id = v.merchant_id AND c.id = f.cause_id
        WHERE v.booked_at >= $1 AND v.booked_at < $2 AND v.booked_at < c.booked_at""",
    # Bills and files of a supplier name the channels of these entries.
    "what a supplier has or charges is on its own channels": """
        SELECT e.merchant_id || ' event ' || e.event_id AS at,
               concat_ws(' ', e.account, 'on', coalesce(nullif(e.channel_no, ''), 'no channel'),
                         'of ' || s.supplier_no) AS found
        FROM ledger_entry e
        LEFT JOIN channel c ON c.channel_no = e.channel_no
        LEFT JOIN supplier s ON s.id = c.supplier_id
        WHERE e.booked_at >= $1 AND e.booked_at < $2 AND e.account ~ '^(due|cost)/'
          AND split_part(e.account, '/', 2) IS DISTINCT FROM s.supplier_no""",
}

# $1: as of when closings are taken for what they say; what was booked since is added to them. Days
# follow one another and are far shorter than these three, so that no month before is read.
BALANCES: Final[dict[str, str]] = {
    "every balance is the sum of its entries": """
        WITH base AS (
            SELECT h.id AS merchant_id, max(d.day) AS day,
                   coalesce(max(d.ends_at), '-infinity') AS ends_at
            FROM holder h LEFT JOIN business_day d
                ON d.holder_id = h.id AND d.closed_at IS NOT NULL AND d.ends_at <= $1
            WHERE h.kind <> 'supplier' GROUP BY h.id
        ), moved AS (
            SELECT b.merchant_id, c.mode, c.currency, c.account, c.minor
            FROM base b JOIN closing c ON c.holder_id = b.merchant_id AND c.day = b.day
                AND (b.merchant_id <> '00000000-0000-0000-0000-000000000000'
                     OR c.account ~ '^(bank|supplier/)')
            UNION ALL
            SELECT e.merchant_id, e.mode, e.currency, e.account, sum(e.minor)
            FROM ledger_entry e JOIN base b ON b.merchant_id = e.merchant_id
            WHERE e.booked_at >= b.ends_at
              AND e.booked_at >= $1::timestamptz - interval '3 days'
            GROUP BY 1, 2, 3, 4
        )
        SELECT concat_ws(' ', merchant_id, mode, currency, account) AS at,
               'balance ' || coalesce(b.minor, 0) || ', entries ' || coalesce(e.minor, 0) AS found
        FROM balance b FULL JOIN (
            SELECT merchant_id, mode, currency, account, sum(minor) AS minor
            FROM moved GROUP BY 1, 2, 3, 4
        ) e USING (merchant_id, mode, currency, account)
        WHERE coalesce(b.minor, 0) <> coalesce(e.minor, 0)"""
}
