"""Checks of what people decided and recorded, against the books.

$1, $2: of what was recorded from then on, and before then.
"""

from __future__ import annotations

from typing import Final

RECORDS: Final[dict[str, str]] = {
    # All that was seen is held, but for what completed an order already. A resolution whose event
    # was reversed no longer counts.
    "what is left of a discrepancy is what was not resolved": """
        SELECT d.merchant_id || ' discrepancy ' || d.id AS at,
               'left ' || d.left_minor || ' of ' || d.seen_minor || ', held '
               || coalesce(l.minor, 0) || ', resolved ' || coalesce(r.minor, 0) AS found
        FROM (
            SELECT d.* FROM discrepancy d
            WHERE d.at >= $1 AND d.at < $2 OR EXISTS (
                SELECT FROM resolution r
                WHERE r.merchant_id = d.merchant_id AND r.discrepancy_id = d.id
                  AND r.at >= $1 AND r.at < $2)
        ) d
        LEFT JOIN ledger_event v ON v.merchant_id = d.merchant_id AND v.id = d.event_id
        LEFT JOIN ledger_entry l ON l.merchant_id = v.merchant_id
            AND l.booked_at = v.booked_at AND l.event_id = v.id
            AND l.account = 'suspense/' || d.supplier_no AND l.mode = d.mode
        LEFT JOIN (
            SELECT r.merchant_id, r.discrepancy_id, sum(r.minor) AS minor FROM resolution r
            WHERE NOT EXISTS (SELECT FROM ledger_event w
                              WHERE w.merchant_id = r.merchant_id AND w.reverses = r.event_id)
            GROUP BY 1, 2
        ) r ON r.merchant_id = d.merchant_id AND r.discrepancy_id = d.id
        WHERE d.left_minor <> coalesce(l.minor, 0) - coalesce(r.minor, 0)
           OR coalesce(l.minor, 0) <> d.seen_minor
              - CASE WHEN v.kind = 'confirmation' THEN d.asked_minor ELSE 0 END""",
    # A completion may take money from suspense where several payments left it.
    "resolutions moved what they say": """
        SELECT r.merchant_id || ' resolutions of ' || r.event_id || ' at ' || r.supplier_no AS at,
               'records ' || r.minor || ', booked ' || coalesce(-l.minor, 0) AS found
        FROM (
            SELECT r.merchant_id, r.event_id, d.supplier_no, sum(r.minor) AS minor
            FROM resolution r
            LEFT JOIN discrepancy d ON d.merchant_id = r.merchant_id AND d.id = r.discrepancy_id
            WHERE r.at >= $1 AND r.at < $2
            GROUP BY 1, 2, 3
        ) r
        LEFT JOIN ledger_event v ON v.merchant_id = r.merchant_id AND v.id = r.event_id
        LEFT JOIN ledger_entry l ON l.merchant_id = v.merchant_id
            AND l.booked_at = v.booked_at AND l.event_id = v.id
            AND l.account = 'suspense/' || r.supplier_no
        WHERE coalesce(-l.minor, 0) <> r.minor""",
    # Prepayments debit prepaid, adjustments credit payable, both in the merchant's books; what a
    # supplier paid in is in the desk's.
    "a voucher moved what it says": """
        SELECT p.record_no AS at, p.kind || ' ' || p.minor || ', booked '
               || coalesce(CASE p.kind WHEN 'prepayment' THEN -l.minor ELSE l.minor END, 0)
               AS found
        FROM voucher p
        LEFT JOIN supplier s ON s.id = p.holder_id
        LEFT JOIN ledger_event v ON v.id = p.event_id AND v.mode = p.mode
            AND v.merchant_id = CASE p.kind WHEN 'payin'
                THEN '00000000-0000-0000-0000-000000000000' ELSE p.holder_id END
            AND (v.reverses IS NULL) = (p.reverses IS NULL)
        LEFT JOIN ledger_entry l ON l.merchant_id = v.merchant_id
            AND l.booked_at = v.booked_at AND l.event_id = v.id AND l.currency = p.currency
            AND l.account = CASE p.kind WHEN 'prepayment' THEN 'prepaid'
                                        WHEN 'adjustment' THEN 'payable'
                                        ELSE 'supplier/' || s.supplier_no || '/settled' END
        WHERE p.at >= $1 AND p.at < $2
          AND coalesce(CASE p.kind WHEN 'prepayment' THEN -l.minor ELSE l.minor END, 0)
              <> p.minor""",
    "a completion is in the books": """
        SELECT c.order_no AS at, CASE WHEN c.reverses IS NULL THEN 'completed'
                                      ELSE 'reversed' END || ' without an event' AS found
        FROM completion c LEFT JOIN ledger_event v
            ON v.merchant_id = c.merchant_id AND v.id = c.event_id AND v.order_id = c.order_id
            AND v.kind = ANY (CASE WHEN c.reverses IS NULL THEN ARRAY['completed', 'restored']
                                   ELSE ARRAY['completion_reversed'] END)
        WHERE c.at >= $1 AND c.at < $2 AND v.id IS NULL""",
    "a rerating moved what its orders differ by": """
        SELECT r.merchant_id || ' rerating ' || r.id AS at,
               'says ' || r.difference_minor || ', orders ' || coalesce(o.minor, 0) || ', booked '
               || coalesce(-l.minor, 0) AS found
        FROM rerating r
        LEFT JOIN (
            SELECT merchant_id, rerating_id, sum(fee_now_minor - fee_then_minor) AS minor
            FROM rerated_order GROUP BY 1, 2
        ) o ON o.merchant_id = r.merchant_id AND o.rerating_id = r.id
        LEFT JOIN ledger_event v ON v.merchant_id = r.merchant_id AND v.id = r.event_id
            AND v.kind = 'rerated'
        LEFT JOIN ledger_entry l ON l.merchant_id = v.merchant_id
            AND l.booked_at = v.booked_at AND l.event_id = v.id AND l.account = 'payable'
            AND l.currency = r.currency
        WHERE r.at >= $1 AND r.at < $2
          AND (r.difference_minor <> coalesce(o.minor, 0)
               OR r.difference_minor <> coalesce(-l.minor, 0))""",
}

# Of all that is in suspense, whenever it was seen.
SUSPENSE: Final[dict[str, str]] = {
    "suspense holds what is open": """
        SELECT concat_ws(' ', merchant_id, mode, account, currency) AS at,
               'balance ' || coalesce(b.minor, 0) || ', open ' || coalesce(d.minor, 0) AS found
        FROM (
            SELECT merchant_id, mode, currency, account, minor FROM balance
            WHERE account LIKE 'suspense/%'
        ) b FULL JOIN (
            SELECT merchant_id, mode, currency, 'suspense/' || supplier_no AS account,
                   sum(left_minor) AS minor
            FROM discrepancy GROUP BY 1, 2, 3, 4
        ) d USING (merchant_id, mode, currency, account)
        WHERE coalesce(b.minor, 0) <> coalesce(d.minor, 0)"""
}
