"""Checks of orders, what suppliers reported about them, and their refunds, against the books.

$1, $2: of orders that were created from then on, and before then, and of all that something was
booked for meanwhile. What is known of an order is asked for order by order: its events lead to
their entries, each in its month.
"""

from __future__ import annotations

from typing import Final

_ORDERS: Final = """(
            SELECT o.* FROM orders o WHERE o.created_at >= $1 AND o.created_at < $2
            UNION ALL
            SELECT o.* FROM (
                SELECT DISTINCT merchant_id, order_id FROM ledger_event
                WHERE booked_at >= $1 AND booked_at < $2 AND order_id IS NOT NULL
                  AND (id_time(order_id) < $1 OR id_time(order_id) >= $2)
            ) v CROSS JOIN LATERAL (
                SELECT * FROM orders p WHERE p.merchant_id = v.merchant_id AND p.id = v.order_id
                    AND p.created_at = id_time(v.order_id) OFFSET 0
            ) o
        )"""
# Of which there may be no order.
_KEYS: Final = """(
            SELECT merchant_id, id AS order_id FROM orders
            WHERE created_at >= $1 AND created_at < $2
            UNION
            SELECT merchant_id, order_id FROM ledger_event
            WHERE booked_at >= $1 AND booked_at < $2 AND order_id IS NOT NULL
            UNION
            SELECT merchant_id, order_id FROM supplier_payment WHERE at >= $1 AND at < $2
        )"""
# The entries of an order's events. Their instant leads to one month of them.
_BOOKED: Final = """ledger_event v JOIN ledger_entry l ON l.merchant_id = v.merchant_id
                AND l.booked_at = v.booked_at AND l.event_id = v.id"""

_CHECKS: Final[dict[str, str]] = {
    # A completion that was reversed counts for nothing; what restored the order counts again.
    "a paid order credited its merchant once, with amount less fee": """
        SELECT o.order_no AS at,
               concat_ws(', ', o.state, CASE WHEN o.disputed THEN 'disputed' END)
               || ', booked ' || e.payable || ' by ' || e.times
               || ' events, due ' || (o.amount_minor - coalesce(o.fee_minor, 0)) AS found
        FROM {orders} o CROSS JOIN LATERAL (
            SELECT coalesce(sum(l.minor), 0) AS payable,
                   count(DISTINCT v.id) FILTER (WHERE v.kind <> 'completion_reversed')
                   - count(DISTINCT v.id) FILTER (WHERE v.kind = 'completion_reversed') AS times
            FROM ledger_event v
            LEFT JOIN ledger_entry l ON l.merchant_id = v.merchant_id
                AND l.booked_at = v.booked_at AND l.event_id = v.id AND l.account = 'payable'
            WHERE v.merchant_id = o.merchant_id AND v.order_id = o.id
              AND v.kind IN ('order', 'completed', 'restored', 'completion_reversed')
        ) e
        WHERE (e.payable, e.times)
           <> CASE WHEN o.paid_at IS NULL OR o.disputed THEN (0::numeric, 0::bigint)
                   ELSE ((o.amount_minor - o.fee_minor)::numeric, 1::bigint) END""",
    "an order's state is the last of its history": """
        SELECT o.order_no AS at, o.state || ' but history says '
               || coalesce(h.state_to, 'nothing') AS found
        FROM {orders} o LEFT JOIN LATERAL (
            SELECT state_to FROM order_history
            WHERE merchant_id = o.merchant_id AND order_id = o.id AND version = o.version
              AND order_created_at = o.created_at OFFSET 0
        ) h ON true
        WHERE h.state_to IS DISTINCT FROM o.state""",
    # Our shortfall was paid by nobody and goes back to nobody. What succeeded after it had failed
    # may be too much: it was free to be refunded again.
    "an order is refunded as far as its refunds succeeded": """
        SELECT o.order_no AS at, o.state || ', refunded ' || r.minor || ' of '
               || o.amount_minor || ' (with those on their way ' || r.taken
               || ', shortfall ' || l.minor || ')' AS found
        FROM {orders} o CROSS JOIN LATERAL (
            SELECT coalesce(sum(amount_minor) FILTER (WHERE state = 'succeeded'), 0) AS minor,
                   coalesce(sum(amount_minor) FILTER (WHERE state <> 'failed' AND NOT late), 0)
                       AS taken
            FROM refund WHERE merchant_id = o.merchant_id AND order_id = o.id
        ) r CROSS JOIN LATERAL (
            SELECT coalesce(-sum(l.minor), 0) AS minor FROM {booked}
            WHERE v.merchant_id = o.merchant_id AND v.order_id = o.id AND l.account = 'shortfall'
        ) l
        WHERE r.taken > o.amount_minor
           OR CASE o.state
              WHEN 'refunded' THEN r.minor < o.amount_minor - l.minor
              WHEN 'partially_refunded' THEN r.minor NOT BETWEEN 1 AND o.amount_minor - 1
              ELSE r.minor > 0 END""",
    "what suppliers reported is what was booked": """
        SELECT p.merchant_id || ' upstream ' || p.upstream_no AS at,
               'reported ' || p.amount_minor || ' as ' || p.booked_as || ', booked ' || b.minor
               AS found
        FROM supplier_payment p CROSS JOIN LATERAL (
            SELECT coalesce(sum(-l.minor), 0) AS minor FROM {booked}
            WHERE v.merchant_id = p.merchant_id AND v.id = p.event_id
              AND (v.kind = p.booked_as OR p.booked_as = 'order' AND v.kind = 'restored')
              AND v.order_id = p.order_id AND l.currency = p.currency
              AND l.account ~ '^(due|cost)/'
        ) b
        WHERE p.at >= $1 AND p.at < $2 AND p.booked_as <> 'confirmation'
          AND b.minor <> p.amount_minor""",
    # Its debt and its cost together, but for what went back to the payer. An order that was
    # completed out of nothing in suspense is taken to be paid until a supplier reports it.
    "what a supplier has of an order is what it reported": """
        SELECT concat_ws(' ', k.merchant_id, 'order', k.order_id, d.supplier_no, d.currency) AS at,
               'reported ' || d.reported || ', booked ' || d.booked AS found
        FROM {keys} k CROSS JOIN LATERAL (
            SELECT supplier_no, currency, coalesce(r.minor, 0) AS reported,
                   coalesce(b.minor, 0) AS booked
            FROM (
                SELECT supplier_no, currency, sum(minor) AS minor FROM (
                    SELECT s.supplier_no, p.currency, p.amount_minor AS minor
                    FROM supplier_payment p JOIN supplier s ON s.id = p.supplier_id
                    WHERE p.merchant_id = k.merchant_id AND p.order_id = k.order_id
                    UNION ALL
                    SELECT a.supplier_no, o.currency, o.amount_minor
                    FROM orders o
                    JOIN attempt a ON a.merchant_id = o.merchant_id
                        AND a.attempt_no = o.paid_attempt_no AND a.order_created_at = o.created_at
                    WHERE o.merchant_id = k.merchant_id AND o.id = k.order_id
                      AND o.created_at = id_time(k.order_id)
                      AND o.paid_how = 'completed' AND NOT o.disputed
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
                ) reported GROUP BY 1, 2
            ) r FULL JOIN (
                SELECT substring(l.account FROM '/(S[0-9]+)') AS supplier_no, l.currency,
                       -sum(l.minor) AS minor
                FROM {booked}
                WHERE v.merchant_id = k.merchant_id AND v.order_id = k.order_id
                  AND l.account ~ '^(due|cost)/'
                  AND v.kind NOT IN ('payer_refunded', 'refund_settled')
                GROUP BY 1, 2
            ) b USING (supplier_no, currency)
        ) d
        WHERE d.reported <> d.booked""",
    # Money that a completion took from suspense had its cost booked when it was seen.
    "a paid order costs what was booked for it": """
        SELECT o.order_no AS at,
               'says ' || o.cost_minor || ', booked ' || b.minor || ', gave back ' || f.minor
               AS found
        FROM {orders} o CROSS JOIN LATERAL (
            -- a supplier that turned out not to have the money took back only the rest of its cost
            SELECT coalesce(sum(r.cost_back_minor), 0) AS minor FROM refund r
            WHERE r.merchant_id = o.merchant_id AND r.order_id = o.id
              AND r.attempt_no <> o.paid_attempt_no AND o.paid_how = 'completed'
              AND EXISTS (SELECT FROM supplier_payment s
                          WHERE s.merchant_id = r.merchant_id AND s.order_id = r.order_id
                            AND s.booked_as = 'confirmation')
        ) f CROSS JOIN LATERAL (
            SELECT coalesce(-sum(l.minor), 0) AS minor
            FROM (
                SELECT v.id, v.booked_at FROM ledger_event v
                WHERE v.merchant_id = o.merchant_id AND v.order_id = o.id
                  AND v.kind IN ('order', 'completed', 'restored', 'completion_reversed',
                                 'confirmation')
                UNION ALL
                SELECT v.id, v.booked_at FROM discrepancy d
                JOIN resolution r ON r.merchant_id = d.merchant_id AND r.discrepancy_id = d.id
                JOIN ledger_event v ON v.merchant_id = d.merchant_id AND v.id = d.event_id
                WHERE d.merchant_id = o.merchant_id AND d.order_id = o.id AND r.how = 'complete'
                  AND NOT EXISTS (SELECT FROM ledger_event w
                                  WHERE w.merchant_id = r.merchant_id AND w.reverses = r.event_id)
            ) e JOIN ledger_entry l ON l.merchant_id = o.merchant_id
                AND l.booked_at = e.booked_at AND l.event_id = e.id AND l.account ~ '^cost/'
        ) b
        WHERE o.paid_at IS NOT NULL AND NOT o.disputed
          AND o.cost_minor IS DISTINCT FROM b.minor - f.minor""",
    # What suspense was credited with is apart: that is no order's fee.
    "an order's fees are what it is charged less what went back": """
        SELECT o.order_no AS at,
               'booked ' || b.minor || ', charged anew ' || c.more
               || ', charged ' || coalesce(c.now, o.fee_minor, 0) || ', gave back ' || f.minor
               AS found
        FROM {orders} o CROSS JOIN LATERAL (
            SELECT coalesce(sum(l.minor), 0) AS minor FROM {booked}
            WHERE v.merchant_id = o.merchant_id AND v.order_id = o.id AND l.account = 'fees'
              AND v.kind NOT IN ('credited', 'rerated')
        ) b CROSS JOIN LATERAL (
            SELECT coalesce(sum(fee_now_minor - fee_then_minor), 0) AS more,
                   (array_agg(fee_now_minor ORDER BY seq DESC))[1] AS now
            FROM rerated_order WHERE merchant_id = o.merchant_id AND order_id = o.id
        ) c CROSS JOIN LATERAL (
            SELECT coalesce(sum(fee_back_minor), 0) AS minor FROM refund
            WHERE merchant_id = o.merchant_id AND order_id = o.id
              AND (state = 'succeeded' OR ended_at IS NULL)
        ) f CROSS JOIN LATERAL (
            SELECT b.minor + c.more AS net,
                   CASE WHEN o.paid_at IS NULL OR o.disputed THEN 0
                        ELSE coalesce(c.now, o.fee_minor) - f.minor END AS due
        ) fees
        WHERE fees.net <> fees.due OR fees.net < 0""",
    "a refund moved what it says": """
        SELECT r.merchant_id || ' refund ' || r.refund_no AS at,
               r.state || ', reserved ' || coalesce(b.held, 0) || ', then ' || coalesce(b.left, 0)
               || ' and fees ' || coalesce(b.fees, 0) || ', costs ' || coalesce(b.costs, 0)
               || ', dues ' || coalesce(b.dues, 0) AS found
        FROM {orders} o
        JOIN refund r ON r.merchant_id = o.merchant_id AND r.order_id = o.id
        JOIN attempt a ON a.merchant_id = r.merchant_id AND a.attempt_no = r.attempt_no
            AND a.order_created_at = o.created_at
        LEFT JOIN LATERAL (
            SELECT sum(l.minor) FILTER (WHERE l.account = 'reserved' AND v.id = r.reserve_event_id)
                       AS held,
                   sum(l.minor) FILTER (WHERE l.account = 'reserved') AS left,
                   sum(l.minor) FILTER (WHERE l.account = 'fees') AS fees,
                   sum(l.minor) FILTER (WHERE l.account = 'cost/' || a.supplier_no) AS costs,
                   sum(l.minor) FILTER (WHERE l.account = 'due/' || a.supplier_no) AS dues
            FROM {booked}
            WHERE v.merchant_id = r.merchant_id AND v.id IN (r.reserve_event_id, r.end_event_id)
              AND v.kind = CASE WHEN v.id = r.reserve_event_id THEN 'refund_reserved'
                                WHEN r.state = 'succeeded' THEN 'refund_settled'
                                ELSE 'refund_released' END
        ) b ON true
        WHERE coalesce(b.held, 0) <> r.amount_minor
           OR coalesce(b.left, 0) <> CASE WHEN r.ended_at IS NULL THEN r.amount_minor ELSE 0 END
           OR coalesce(b.fees, 0) <> CASE WHEN r.ended_at IS NULL OR r.state = 'succeeded'
                                          THEN -r.fee_back_minor ELSE 0 END
           OR (coalesce(b.costs, 0), coalesce(b.dues, 0))
              <> CASE WHEN r.state = 'succeeded'
                      THEN (r.cost_back_minor::numeric,
                            (r.amount_minor - r.cost_back_minor)::numeric)
                      ELSE (0::numeric, 0::numeric) END""",
}

ORDERS: Final[dict[str, str]] = {
    what: sql.format(orders=_ORDERS, keys=_KEYS, booked=_BOOKED) for what, sql in _CHECKS.items()
}

# Of all refunds that are under way, whenever their orders were created.
RESERVES: Final[dict[str, str]] = {
    "what is reserved is held for refunds under way": """
        SELECT concat_ws(' ', merchant_id, mode, currency) AS at,
               'balance ' || coalesce(b.minor, 0) || ', refunds ' || coalesce(f.minor, 0) AS found
        FROM (
            SELECT merchant_id, mode, currency, minor FROM balance WHERE account = 'reserved'
        ) b FULL JOIN (
            SELECT r.merchant_id, o.mode, r.currency, sum(r.amount_minor) AS minor
            FROM refund r JOIN orders o ON o.merchant_id = r.merchant_id AND o.id = r.order_id
                AND o.created_at = id_time(r.order_id)
            WHERE r.ended_at IS NULL GROUP BY 1, 2, 3
        ) f USING (merchant_id, mode, currency)
        WHERE coalesce(b.minor, 0) <> coalesce(f.minor, 0)"""
}
