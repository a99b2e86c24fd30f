"""Checks of orders, what suppliers reported about them, and their refunds, against the books."""

from __future__ import annotations

from typing import Final

# Entries are found by their event with its instant, which leads to one month of them.
ORDERS: Final[dict[str, str]] = {
    # A completion that was reversed counts for nothing; what restored the order counts again.
    "a paid order credited its merchant once, with amount less fee": """
        SELECT o.order_no AS at,
               concat_ws(', ', o.state, CASE WHEN o.disputed THEN 'disputed' END)
               || ', booked ' || coalesce(e.payable, 0) || ' by ' || coalesce(e.times, 0)
               || ' events, due ' || (o.amount_minor - coalesce(o.fee_minor, 0)) AS found
        FROM orders o LEFT JOIN (
            SELECT v.merchant_id, v.order_id, sum(l.minor) AS payable,
                   count(DISTINCT v.id) FILTER (WHERE v.kind <> 'completion_reversed')
                   - count(DISTINCT v.id) FILTER (WHERE v.kind = 'completion_reversed') AS times
            FROM ledger_event v
            LEFT JOIN ledger_entry l ON l.merchant_id = v.merchant_id
                AND l.booked_at = v.booked_at AND l.event_id = v.id AND l.account = 'payable'
            WHERE v.kind IN ('order', 'completed', 'restored', 'completion_reversed')
            GROUP BY 1, 2
        ) e ON e.merchant_id = o.merchant_id AND e.order_id = o.id
        WHERE (coalesce(e.payable, 0), coalesce(e.times, 0))
           <> CASE WHEN o.paid_at IS NULL OR o.disputed THEN (0::numeric, 0::bigint)
                   ELSE ((o.amount_minor - o.fee_minor)::numeric, 1::bigint) END""",
    "an order's state is the last of its history": """
        SELECT o.order_no AS at, o.state || ' but history says '
               || coalesce(h.state_to, 'nothing') AS found
        FROM orders o LEFT JOIN order_history h
            ON h.merchant_id = o.merchant_id AND h.order_id = o.id AND h.version = o.version
            AND h.order_created_at = o.created_at
        WHERE h.state_to IS DISTINCT FROM o.state""",
    # Our shortfall was paid by nobody and goes back to nobody. What succeeded after it had failed
    # may be too much: it was free to be refunded again.
    "an order is refunded as far as its refunds succeeded": """
        SELECT o.order_no AS at, o.state || ', refunded ' || coalesce(r.minor, 0) || ' of '
               || o.amount_minor || ' (with those on their way ' || coalesce(r.taken, 0)
               || ', shortfall ' || coalesce(l.minor, 0) || ')' AS found
        FROM orders o LEFT JOIN (
            SELECT merchant_id, order_id,
                   coalesce(sum(amount_minor) FILTER (WHERE state = 'succeeded'), 0) AS minor,
                   coalesce(sum(amount_minor) FILTER (WHERE state <> 'failed' AND NOT late), 0)
                       AS taken
            FROM refund GROUP BY 1, 2
        ) r ON r.merchant_id = o.merchant_id AND r.order_id = o.id
        LEFT JOIN (
            SELECT v.merchant_id, v.order_id, -sum(e.minor) AS minor
            FROM ledger_event v JOIN ledger_entry e ON e.merchant_id = v.merchant_id
                AND e.booked_at = v.booked_at AND e.event_id = v.id AND e.account = 'shortfall'
            GROUP BY 1, 2
        ) l ON l.merchant_id = o.merchant_id AND l.order_id = o.id
        WHERE coalesce(r.taken, 0) > o.amount_minor
           OR CASE o.state
              WHEN 'refunded' THEN coalesce(r.minor, 0) < o.amount_minor - coalesce(l.minor, 0)
              WHEN 'partially_refunded' THEN coalesce(r.minor, 0) NOT BETWEEN 1
                                             AND o.amount_minor - 1
              ELSE coalesce(r.minor, 0) > 0 END""",
    "what suppliers reported is what was booked": """
        SELECT p.merchant_id || ' upstream ' || p.upstream_no AS at,
               'reported ' || p.amount_minor || ' as ' || p.booked_as || ', booked '
               || coalesce(sum(-l.minor), 0) AS found
        FROM supplier_payment p
        LEFT JOIN ledger_event v ON v.merchant_id = p.merchant_id AND v.id = p.event_id
            AND (v.kind = p.booked_as OR p.booked_as = 'order' AND v.kind = 'restored')
            AND v.order_id = p.order_id
        LEFT JOIN ledger_entry l ON l.merchant_id = v.merchant_id
            AND l.booked_at = v.booked_at AND l.event_id = v.id AND l.currency = p.currency
            AND l.account ~ '^(due|cost)/'
        WHERE p.booked_as <> 'confirmation'
        GROUP BY p.merchant_id, p.supplier_id, p.upstream_no
        HAVING coalesce(sum(-l.minor), 0) <> p.amount_minor""",
    # Its debt and its cost together, but for what went back to the payer. An order that was
    # completed out of nothing in suspense is taken to be paid until a supplier reports it.
    "what a supplier has of an order is what it reported": """
        WITH reported AS (
            SELECT p.merchant_id, p.order_id, s.supplier_no, p.currency, p.amount_minor AS minor
            FROM supplier_payment p JOIN supplier s ON s.id = p.supplier_id
            UNION ALL
            SELECT o.merchant_id, o.id, a.supplier_no, o.currency, o.amount_minor
            FROM orders o
            JOIN attempt a ON a.merchant_id = o.merchant_id AND a.attempt_no = o.paid_attempt_no
                AND a.order_created_at = o.created_at
            WHERE o.paid_how = 'completed' AND NOT o.disputed
              AND NOT EXISTS (SELECT FROM supplier_payment p
                              WHERE p.merchant_id = o.merchant_id AND p.order_id = o.id
                                AND p.booked_as = 'confirmation')
              AND NOT EXISTS (SELECT FROM completion c
                              JOIN resolution r ON r.merchant_id = c.merchant_id
                                  AND r.event_id = c.event_id
                              WHERE c.merchant_id = o.merchant_id AND c.order_id = o.id
                                AND NOT EXISTS (SELECT FROM completion w
                                                WHERE w.merchant_id = c.merchant_id
                                                  AND w.reverses = c.id))
        )
        SELECT concat_ws(' ', merchant_id, 'order', order_id, supplier_no, currency) AS at,
               'reported ' || coalesce(r.minor, 0) || ', booked ' || coalesce(b.minor, 0) AS found
        FROM (
            SELECT merchant_id, order_id, supplier_no, currency, sum(minor) AS minor
            FROM reported GROUP BY 1, 2, 3, 4
        ) r FULL JOIN (
            SELECT v.merchant_id, v.order_id,
                   substring(l.account FROM '/(S[0-9]+)') AS supplier_no, l.currency,
                   -sum(l.minor) AS minor
            FROM ledger_event v JOIN ledger_entry l ON l.merchant_id = v.merchant_id
                AND l.booked_at = v.booked_at AND l.event_id = v.id AND l.account ~ '^(due|cost)/'
            WHERE v.kind NOT IN ('payer_refunded', 'refund_settled')
            GROUP BY 1, 2, 3, 4
        ) b USING (merchant_id, order_id, supplier_no, currency)
        WHERE coalesce(r.minor, 0) <> coalesce(b.minor, 0)""",
    # Money that a completion took from suspense had its cost booked when it was seen.
    "a paid order costs what was booked for it": """
        SELECT o.order_no AS at,
               'says ' || o.cost_minor || ', booked ' || coalesce(b.minor, 0) || ', gave back '
               || coalesce(f.minor, 0) AS found
        FROM orders o LEFT JOIN (
            -- a supplier that turned out not to have the money took back only the rest of its cost
            SELECT r.merchant_id, r.order_id, sum(r.cost_back_minor) AS minor
            FROM refund r JOIN orders p ON p.merchant_id = r.merchant_id AND p.id = r.order_id
            WHERE r.attempt_no <> p.paid_attempt_no AND p.paid_how = 'completed'
              AND EXISTS (SELECT FROM supplier_payment s
                          WHERE s.merchant_id = r.merchant_id AND s.order_id = r.order_id
                            AND s.booked_as = 'confirmation')
            GROUP BY 1, 2
        ) f ON f.merchant_id = o.merchant_id AND f.order_id = o.id
        LEFT JOIN (
            SELECT e.merchant_id, e.order_id, -sum(l.minor) AS minor
            FROM (
                SELECT v.merchant_id, v.order_id, v.id, v.booked_at FROM ledger_event v
                WHERE v.kind IN ('order', 'completed', 'restored', 'completion_reversed',
                                 'confirmation')
                UNION ALL
                SELECT v.merchant_id, v.order_id, v.id, v.booked_at FROM resolution r
                JOIN discrepancy d ON d.merchant_id = r.merchant_id AND d.id = r.discrepancy_id
                JOIN ledger_event v ON v.merchant_id = d.merchant_id AND v.id = d.event_id
                WHERE r.how = 'complete'
                  AND NOT EXISTS (SELECT FROM ledger_event w
                                  WHERE w.merchant_id = r.merchant_id AND w.reverses = r.event_id)
            ) e JOIN ledger_entry l ON l.merchant_id = e.merchant_id
                AND l.booked_at = e.booked_at AND l.event_id = e.id AND l.account ~ '^cost/'
            GROUP BY 1, 2
        ) b ON b.merchant_id = o.merchant_id AND b.order_id = o.id
        WHERE o.paid_at IS NOT NULL AND NOT o.disputed
          AND o.cost_minor IS DISTINCT FROM coalesce(b.minor, 0) - coalesce(f.minor, 0)""",
    # What suspense was credited with is apart: that is no order's fee.
    "an order's fees are what it is charged less what went back": """
        SELECT o.order_no AS at,
               'booked ' || coalesce(b.minor, 0) || ', charged anew ' || coalesce(c.more, 0)
               || ', charged ' || coalesce(c.now, o.fee_minor, 0) || ', gave back '
               || coalesce(f.minor, 0) AS found
        FROM orders o LEFT JOIN (
            SELECT v.merchant_id, v.order_id, sum(l.minor) AS minor
            FROM ledger_event v JOIN ledger_entry l ON l.merchant_id = v.merchant_id
                AND l.booked_at = v.booked_at AND l.event_id = v.id AND l.account = 'fees'
            WHERE v.kind NOT IN ('credited', 'rerated') GROUP BY 1, 2
        ) b ON b.merchant_id = o.merchant_id AND b.order_id = o.id
        LEFT JOIN (
            SELECT merchant_id, order_id, sum(fee_now_minor - fee_then_minor) AS more,
                   (array_agg(fee_now_minor ORDER BY seq DESC))[1] AS now
            FROM rerated_order GROUP BY 1, 2
        ) c ON c.merchant_id = o.merchant_id AND c.order_id = o.id
        LEFT JOIN (
            SELECT merchant_id, order_id, sum(fee_back_minor) AS minor
            FROM refund WHERE state = 'succeeded' GROUP BY 1, 2
        ) f ON f.merchant_id = o.merchant_id AND f.order_id = o.id
        CROSS JOIN LATERAL (
            SELECT coalesce(b.minor, 0) + coalesce(c.more, 0) AS net,
                   CASE WHEN o.paid_at IS NULL OR o.disputed THEN 0
                        ELSE coalesce(c.now, o.fee_minor) - coalesce(f.minor, 0) END AS due
        ) fees
        WHERE fees.net <> fees.due OR fees.net < 0""",
    "what is reserved is held for refunds under way": """
        SELECT concat_ws(' ', merchant_id, mode, currency) AS at,
               'balance ' || coalesce(b.minor, 0) || ', refunds ' || coalesce(f.minor, 0) AS found
        FROM (
            SELECT merchant_id, mode, currency, minor FROM balance WHERE account = 'reserved'
        ) b FULL JOIN (
            SELECT r.merchant_id, o.mode, r.currency,
                   sum(r.amount_minor - r.fee_back_minor) AS minor
            FROM refund r JOIN orders o ON o.merchant_id = r.merchant_id AND o.id = r.order_id
            WHERE r.ended_at IS NULL GROUP BY 1, 2, 3
        ) f USING (merchant_id, mode, currency)
        WHERE coalesce(b.minor, 0) <> coalesce(f.minor, 0)""",
    "a refund moved what it says": """
        SELECT r.merchant_id || ' refund ' || r.refund_no AS at,
               r.state || ', reserved ' || coalesce(b.held, 0) || ', then ' || coalesce(b.left, 0)
               || ' and fees ' || coalesce(b.fees, 0) || ', costs ' || coalesce(b.costs, 0)
               || ', dues ' || coalesce(b.dues, 0) AS found
        FROM refund r
        JOIN attempt a ON a.merchant_id = r.merchant_id AND a.attempt_no = r.attempt_no
            AND a.order_created_at = id_time(r.order_id)
        LEFT JOIN LATERAL (
            SELECT sum(l.minor) FILTER (WHERE l.account = 'reserved' AND v.id = r.reserve_event_id)
                       AS held,
                   sum(l.minor) FILTER (WHERE l.account = 'reserved') AS left,
                   sum(l.minor) FILTER (WHERE l.account = 'fees') AS fees,
                   sum(l.minor) FILTER (WHERE l.account = 'cost/' || a.supplier_no) AS costs,
                   sum(l.minor) FILTER (WHERE l.account = 'due/' || a.supplier_no) AS dues
            FROM ledger_event v JOIN ledger_entry l ON l.merchant_id = v.merchant_id
                AND l.booked_at = v.booked_at AND l.event_id = v.id
            WHERE v.merchant_id = r.merchant_id AND v.id IN (r.reserve_event_id, r.end_event_id)
              AND v.kind = CASE WHEN v.id = r.reserve_event_id THEN 'refund_reserved'
                                WHEN r.state = 'succeeded' THEN 'refund_settled'
                                ELSE 'refund_released' END
        ) b ON true
        WHERE coalesce(b.held, 0) <> r.amount_minor - r.fee_back_minor
           OR coalesce(b.left, 0) <> CASE WHEN r.ended_at IS NULL
                                          THEN r.amount_minor - r.fee_back_minor ELSE 0 END
           OR (coalesce(b.fees, 0), coalesce(b.costs, 0), coalesce(b.dues, 0))
              <> CASE WHEN r.state = 'succeeded'
                      THEN (-r.fee_back_minor::numeric, r.cost_back_minor::numeric,
                            (r.amount_minor - r.cost_back_minor)::numeric)
                      ELSE (0::numeric, 0::numeric, 0::numeric) END""",
}
