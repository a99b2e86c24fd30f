"""Checks of entries, events and balances."""

from __future__ import annotations

from typing import Final

BOOKS: Final[dict[str, str]] = {
    "every event sums to zero per currency": """
        SELECT merchant_id || ' event ' || event_id AS at, currency || ' ' || sum(minor) AS found
        FROM ledger_entry GROUP BY merchant_id, event_id, currency HAVING sum(minor) <> 0""",
    "every balance is the sum of its entries": """
        SELECT concat_ws(' ', merchant_id, mode, currency, account) AS at,
               'balance ' || coalesce(b.minor, 0) || ', entries ' || coalesce(e.minor, 0) AS found
        FROM balance b FULL JOIN (
            SELECT merchant_id, mode, currency, account, sum(minor) AS minor
            FROM ledger_entry GROUP BY 1, 2, 3, 4
        ) e USING (merchant_id, mode, currency, account)
        WHERE coalesce(b.minor, 0) <> coalesce(e.minor, 0)""",
    "every event has entries, every entry an event": """
        SELECT merchant_id || ' event ' || id AS at, 'one without the other' AS found
        FROM (
            SELECT merchant_id, event_id AS id, booked_at, day, kind, mode, 1 AS entry
            FROM ledger_entry GROUP BY 1, 2, 3, 4, 5, 6
        ) e
        FULL JOIN ledger_event v USING (merchant_id, id, booked_at, day, kind, mode)
        WHERE e.entry IS NULL OR v.event_key IS NULL""",
    "an event's first line counts it once": """
        SELECT merchant_id || ' event ' || event_id AS at,
               count(*) || ' lines, first ' || min(line) || ', last ' || max(line) AS found
        FROM ledger_entry GROUP BY merchant_id, booked_at, event_id
        HAVING min(line) <> 1 OR max(line) <> count(*)""",
    "a reversal negates what it reverses": """
        SELECT v.merchant_id || ' event ' || v.id AS at,
               concat_ws(' ', l.account, l.currency, l.channel_no, sum(l.minor), 'remains')
               AS found
        FROM ledger_event v
        JOIN ledger_event w ON w.merchant_id = v.merchant_id AND w.id = v.reverses
        JOIN ledger_entry l ON l.merchant_id = v.merchant_id
            AND (l.booked_at = v.booked_at AND l.event_id = v.id
                 OR l.booked_at = w.booked_at AND l.event_id = w.id)
        GROUP BY v.merchant_id, v.id, l.account, l.currency, l.channel_no
        HAVING sum(l.minor) <> 0""",
    "nothing is booked before its cause": """
        SELECT v.merchant_id || ' event ' || v.id AS at,
               concat_ws(' ', v.kind, 'at', v.booked_at, 'follows from', c.kind, 'at', c.booked_at)
               AS found
        FROM (
            SELECT merchant_id, id AS event_id, reverses AS cause_id
            FROM ledger_event WHERE reverses IS NOT NULL
            UNION ALL
            SELECT r.merchant_id, r.event_id, d.event_id FROM resolution r
            JOIN discrepancy d ON d.merchant_id = r.merchant_id AND d.id = r.discrepancy_id
            UNION ALL
            SELECT merchant_id, end_event_id, reserve_event_id FROM refund
            UNION ALL  -- money is seen once more, after what paid its order first
            SELECT p.merchant_id, p.event_id, w.id FROM supplier_payment p
            JOIN ledger_event w ON w.merchant_id = p.merchant_id AND w.order_id = p.order_id
                AND w.kind IN ('order', 'completed')
            WHERE p.booked_as IN ('duplicate', 'confirmation')
        ) f
        JOIN ledger_event v ON v.merchant_id = f.merchant_id AND v.id = f.event_id
        JOIN ledger_event c ON c.merchant_id = f.merchant_id AND c.id = f.cause_id
        WHERE v.booked_at < c.booked_at""",
    # Bills and files of a supplier name the channels of these entries.
    "what a supplier has or charges is on its own channels": """
        SELECT e.merchant_id || ' event ' || e.event_id AS at,
               concat_ws(' ', e.account, 'on', coalesce(nullif(e.channel_no, ''), 'no channel'),
                         'of ' || s.supplier_no) AS found
        FROM ledger_entry e
        LEFT JOIN channel c ON c.channel_no = e.channel_no
        LEFT JOIN supplier s ON s.id = c.supplier_id
        WHERE e.account ~ '^(due|cost)/'
          AND split_part(e.account, '/', 2) IS DISTINCT FROM s.supplier_no""",
}
