"""Checks of orders, what suppliers reported about them, and their refunds, against the books."""

from __future__ import annotations

from typing import Final

# Entries are found by their event with its instant, which leads to one month of them.
ORDERS: Final[dict[str, str]] = {
    # A completion that was reversed counts for nothing; money that came after all counts again.
    "a paid order credited its merchant once, with amount less fee": """
        SELECT o.order_no AS at,
               concat_ws(', ', o.state, CASE WHEN o.disputed THEN 'disputed' END)
               || ', booked ' || coalesce(e.payable, 0) || ' by ' || coalesce(e.times, 0)
               || ' events, due ' || (o.amount_minor - o.fee_minor) AS found
        FROM orders o LEFT JOIN (
            SELECT v.merchant_id, v.order_id, sum(l.minor) AS payable,
                   count(DISTINCT v.id) FILTER (WHERE v.kind <> 'completion_reversed')
                   - count(DISTINCT v.id) FILTER (WHERE v.kind = 'completion_reversed') AS times
            FROM ledger_event v
            LEFT JOIN ledger_entry l ON l.merchant_id = v.merchant_id
                AND l.booked_at = v.booked_at AND l.event_id = v.id AND l.account = 'payable'
            WHERE v.kind IN ('order', 'completed', 'completion_reversed')
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
        WHERE h.state_to IS DISTINCT FROM o.state""",
    "an order is refunded as far as its refunds succeeded": """
        SELECT o.order_no AS at, o.state || ', refunded ' || coalesce(r.minor, 0) || ' of '
               || o.amount_minor || ' (with those on their way ' || coalesce(r.taken, 0) || ')'
               AS found
        FROM orders o LEFT JOIN (
            SELECT merchant_id, order_id,
                   coalesce(sum(amount_minor) FILTER (WHERE state = 'succeeded'), 0) AS minor,
                   coalesce(sum(amount_minor) FILTER (WHERE state <> 'failed'), 0) AS taken
            FROM refund GROUP BY 1, 2
        ) r ON r.merchant_id = o.merchant_id AND r.order_id = o.id
        WHERE coalesce(r.taken, 0) > o.amount_minor
           OR CASE o.state WHEN 'partially_refunded' THEN 'part' WHEN 'refunded' THEN 'all'
                           ELSE 'none' END
              <> CASE WHEN coalesce(r.minor, 0) = 0 THEN 'none'
                      WHEN r.minor < o.amount_minor THEN 'part' ELSE 'all' END""",
    "what suppliers reported is what was booked": """
        SELECT p.merchant_id || ' upstream ' || p.upstream_no AS at,
               'reported ' || p.amount_minor || ' as ' || p.booked_as || ', booked '
               || coalesce(sum(-l.minor), 0) AS found
        FROM supplier_payment p
        LEFT JOIN ledger_event v ON v.merchant_id = p.merchant_id AND v.id = p.event_id
            AND v.kind = p.booked_as AND v.order_id = p.order_id
        LEFT JOIN ledger_entry l ON l.merchant_id = v.merchant_id
            AND l.booked_at = v.booked_at AND l.event_id = v.id AND l.currency = p.currency
            AND l.account ~ '^(due|cost)/'
        WHERE p.booked_as <> 'confirmation'
        GROUP BY p.merchant_id, p.supplier_id, p.upstream_no
        HAVING coalesce(sum(-l.minor), 0) <> p.amount_minor""",
    "what is reserved is held for refunds under way": """
        SELECT concat_ws(' ', merchant_id, mode, currency) AS at,
               'balance ' || coalesce(b.minor, 0) || ', refunds ' || coalesce(f.minor, 0) AS found
        FROM (
            SELECT merchant_id, mode, currency, minor FROM balance WHERE account = 'reserved'
        ) b FULL JOIN (
            SELECT r.merchant_id, o.mode, r.currency,
                   sum(r.amount_minor - r.fee_back_minor) AS minor
            FROM refund r JOIN orders o ON o.merchant_id = r.merchant_id AND o.id = r.order_id
            WHERE r.state = 'reserved' GROUP BY 1, 2, 3
        ) f USING (merchant_id, mode, currency)
        WHERE coalesce(b.minor, 0) <> coalesce(f.minor, 0)""",
    "a refund moved what it says": """
        SELECT r.merchant_id || ' refund ' || r.refund_no AS at,
               r.state || ', reserved ' || coalesce(b.held, 0) || ', then ' || coalesce(b.left, 0)
               || ' and fees ' || coalesce(b.fees, 0) || ', costs ' || coalesce(b.costs, 0)
               AS found
        FROM refund r LEFT JOIN LATERAL (
            SELECT sum(l.minor) FILTER (WHERE l.account = 'reserved' AND v.id = r.reserve_event_id)
                       AS held,
                   sum(l.minor) FILTER (WHERE l.account = 'reserved') AS left,
                   sum(l.minor) FILTER (WHERE l.account = 'fees') AS fees,
                   sum(l.minor) FILTER (WHERE l.account LIKE 'cost/%') AS costs
            FROM ledger_event v JOIN ledger_entry l ON l.merchant_id = v.merchant_id
                AND l.booked_at = v.booked_at AND l.event_id = v.id
            WHERE v.merchant_id = r.merchant_id AND v.id IN (r.reserve_event_id, r.end_event_id)
              AND v.kind = CASE WHEN v.id = r.reserve_event_id THEN 'refund_reserved'
                                WHEN r.state = 'succeeded' THEN 'refund_settled'
                                ELSE 'refund_released' END
        ) b ON true
        WHERE coalesce(b.held, 0) <> r.amount_minor - r.fee_back_minor
           OR coalesce(b.left, 0) <> CASE WHEN r.state = 'reserved'
                                          THEN r.amount_minor - r.fee_back_minor ELSE 0 END
           OR (coalesce(b.fees, 0), coalesce(b.costs, 0))
              <> CASE WHEN r.state = 'succeeded'
                      THEN (-r.fee_back_minor::numeric, r.cost_back_minor::numeric)
                      ELSE (0::numeric, 0::numeric) END""",
}
