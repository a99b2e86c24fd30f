"""The rows of files, as they are read from the books a few hundred at a time."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from typing import Final


@dataclass(frozen=True, slots=True)
class OrderRow:
    """A paid order. rate: its packed `Rate`. how: reported | asked | completed. channel_no and
    cost_minor are filled for staff only."""

    order_no: str
    merchant_order_no: str
    product_code: str
    amount_minor: int
    fee_minor: int
    rate: dict[str, int]
    created_at: datetime
    paid_at: datetime
    paid_day: date
    how: str
    late: bool
    channel_no: str | None
    cost_minor: int | None


@dataclass(frozen=True, slots=True)
class VoucherRow:
    """A prepayment or a pay-in, undos included, so that minor adds up to what the bill says.

    undone_by_no: the record that took it back. reverses_no: the record it takes back.
    """

    at: datetime
    day: date
    record_no: str
    minor: int
    original_minor: int
    original_currency: str
    conversion_rate: str
    remark: str
    actor_name: str
    undone_by_no: str
    reverses_no: str


@dataclass(frozen=True, slots=True)
class MovementRow:
    """What moved the merchant's position besides orders and prepayments: gross - fee = net. minor:
    the net; + we owe more. fee_minor: + the merchant pays more.

    reason: of an adjustment for everybody, as its receipt shows it; of what was decided about
    suppliers' money for staff only.
    """

    at: datetime
    day: date
    kind: str
    product_code: str
    minor: int
    fee_minor: int
    order_no: str
    record_no: str
    reason: str
    actor_name: str


@dataclass(frozen=True, slots=True)
class CompletionRow:
    """An order completed by hand, or (undone) the reversal of that. reason: filled for staff only:
    it may name a supplier."""

    at: datetime
    day: date
    order_no: str
    merchant_order_no: str
    amount_minor: int
    reason: str
    actor_name: str
    proof: bool
    undone: bool


@dataclass(frozen=True, slots=True)
class DiscrepancyRow:
    """Money of no settled order. left_minor: what is still in suspense."""

    at: datetime
    kind: str
    order_no: str
    supplier_no: str
    upstream_no: str
    asked_minor: int
    seen_minor: int
    left_minor: int


@dataclass(frozen=True, slots=True)
class TakingRow:
    """What a supplier took or gave back in one booking: due = amount - cost. state: of an order
    that was completed by hand when the days ended, unconfirmed | confirmed | reversed; empty of
    all others."""

    at: datetime
    kind: str
    state: str
    attempt_no: str
    upstream_no: str
    channel_no: str
    product_code: str
    amount_minor: int
    cost_minor: int
    due_minor: int


# $1 merchant, $2 mode, $3 currency, $4 and $5 the instants, $6 and $7 the days. What is paid was
# created before, but for clocks: later months are not looked at, nor even planned for.
COUNT_ORDERS: Final = """
SELECT count(*) AS n, coalesce(sum(cost_minor), 0)::bigint AS cost,
       coalesce(sum(version), 0)::bigint AS moves
FROM orders
WHERE merchant_id = $1 AND mode = $2 AND currency = $3 AND paid_at >= $4 AND paid_at < $5
  AND created_at < later($5, '1 day')
  AND paid_day BETWEEN $6 AND $7
"""

_ORDERS: Final = """
SELECT o.order_no, o.merchant_order_no, o.product_code, o.amount_minor, o.fee_minor, o.rate,
       o.created_at, o.paid_at, o.paid_day, o.paid_how AS how, o.paid_late AS late,
       {detail}
FROM orders o {join}
WHERE o.merchant_id = $1 AND o.mode = $2 AND o.currency = $3 AND o.paid_at >= $4
  AND o.paid_at < $5 AND o.paid_day BETWEEN $6 AND $7
  AND o.created_at < later($5, '1 day')
ORDER BY o.paid_at, o.order_no
"""
# What merchants may not know is not even read for them. Each attempt is looked for by itself
# (OFFSET 0), or all that ever were would be read; so are orders below.
ORDERS: Final = _ORDERS.format(detail="NULL AS channel_no, NULL AS cost_minor", join="")
ORDERS_FOR_STAFF: Final = _ORDERS.format(
    detail="a.channel_no, o.cost_minor",
    join="""LEFT JOIN LATERAL (
    SELECT channel_no FROM attempt
    WHERE merchant_id = o.merchant_id AND attempt_no = o.paid_attempt_no
      AND order_created_at = o.created_at
      AND order_created_at < later($5, '1 day')
    OFFSET 0
) a ON true""",
)

_VOUCHERS: Final = """
SELECT p.at, p.day, p.record_no, p.minor, p.original_minor, p.original_currency,
       coalesce(p.conversion_rate, '') AS conversion_rate, p.remark, p.actor_name,
       coalesce(u.record_no, '') AS undone_by_no, coalesce(r.record_no, '') AS reverses_no
FROM voucher p
LEFT JOIN voucher u ON u.holder_id = p.holder_id AND u.reverses = p.id
LEFT JOIN voucher r ON r.holder_id = p.holder_id AND r.id = p.reverses
WHERE p.holder_id = $1 AND p.mode = $2 AND {which}
ORDER BY p.at, p.id
"""
# $1 merchant, $2 mode, $3 and $4 the days.
PREPAYMENTS: Final = _VOUCHERS.format(which="p.kind = 'prepayment' AND p.day BETWEEN $3 AND $4")
# $1 supplier, $2 mode, $3 and $4 the instants: it is booked on the days of the desk.
PAID_IN: Final = _VOUCHERS.format(which="p.kind = 'payin' AND p.at >= $3 AND p.at < $4")

# $1 merchant, $2 mode, $3 currency, $4 and $5 the instants, $6 and $7 the days, $8 the kinds.
_MOVEMENTS: Final = """
SELECT e.booked_at AS at, e.day, e.kind, e.product_code, e.minor, e.fee_minor,
       coalesce(o.order_no, '') AS order_no,
       coalesce(v.record_no, f.refund_no, '') AS record_no,
       coalesce(v.remark, {reasons}'') AS reason,
       coalesce(v.actor_name, s.actor_name, c.actor_name, g.actor_name, '') AS actor_name
FROM (
    SELECT merchant_id, event_id, booked_at, day, kind, max(product_code) AS product_code,
           coalesce(sum(minor) FILTER (WHERE account = 'payable'), 0)::bigint AS minor,
           coalesce(sum(minor) FILTER (WHERE account = 'fees'), 0)::bigint AS fee_minor
    FROM ledger_entry
    WHERE merchant_id = $1 AND mode = $2 AND currency = $3 AND booked_at >= $4
      AND booked_at < $5 AND day BETWEEN $6 AND $7 AND account IN ('payable', 'fees')
      AND kind = ANY($8)
    GROUP BY merchant_id, event_id, booked_at, day, kind
) e
JOIN ledger_event l ON l.merchant_id = e.merchant_id AND l.id = e.event_id
LEFT JOIN LATERAL (
    SELECT order_no FROM orders
    WHERE merchant_id = l.merchant_id AND id = l.order_id AND created_at = id_time(l.order_id)
      AND created_at < later($5, '1 day')
    OFFSET 0
) o ON true
LEFT JOIN voucher v ON v.holder_id = e.merchant_id AND v.event_id = e.event_id
LEFT JOIN resolution s ON s.merchant_id = e.merchant_id AND s.event_id = e.event_id
    AND e.kind = 'credited'
LEFT JOIN completion c ON c.merchant_id = e.merchant_id AND c.event_id = e.event_id
LEFT JOIN rerating g ON g.merchant_id = e.merchant_id AND g.event_id = e.event_id
LEFT JOIN refund f ON f.merchant_id = l.merchant_id AND f.order_id = l.order_id
    AND split_part(l.event_key, ':', 2) = f.id::text
ORDER BY e.booked_at, e.event_id
"""
MOVEMENTS: Final = _MOVEMENTS.format(reasons="")
MOVEMENTS_FOR_STAFF: Final = _MOVEMENTS.format(reasons="s.reason, c.reason, ")

# $1 merchant, $2 mode, $3 and $4 the days.
_COMPLETIONS: Final = """
SELECT c.at, c.day, c.order_no, o.merchant_order_no, o.amount_minor, {reason}, c.actor_name,
       c.proof_file_id IS NOT NULL AS proof, c.reverses IS NOT NULL AS undone
FROM completion c
CROSS JOIN LATERAL (
    SELECT merchant_order_no, amount_minor, mode FROM orders
    WHERE merchant_id = c.merchant_id AND id = c.order_id AND created_at = id_time(c.order_id)
      AND created_at < ($4::date + interval '3 days') AT TIME ZONE 'UTC'
    OFFSET 0
) o
WHERE c.merchant_id = $1 AND o.mode = $2 AND c.day BETWEEN $3 AND $4
ORDER BY c.at, c.id
"""
COMPLETIONS: Final = _COMPLETIONS.format(reason="'' AS reason")
COMPLETIONS_FOR_STAFF: Final = _COMPLETIONS.format(reason="c.reason")

# $1 merchant, $2 mode, $3 currency, $4 and $5 the instants.
DISCREPANCIES: Final = """
SELECT at, kind, order_no, supplier_no, upstream_no, asked_minor, seen_minor, left_minor
FROM discrepancy
WHERE merchant_id = $1 AND mode = $2 AND currency = $3 AND at >= $4 AND at < $5
ORDER BY at, id
"""

# $1 mode, $2 currency, $3 and $4 the instants, $5 and $6 the supplier's accounts due and cost.
_TAKEN: Final = """
SELECT merchant_id, event_id, booked_at, kind, channel_no, product_code,
       coalesce(-sum(minor) FILTER (WHERE account = $5), 0)::bigint AS due_minor,
       coalesce(-sum(minor) FILTER (WHERE account = $6), 0)::bigint AS cost_minor
FROM ledger_entry
WHERE merchant_id = ANY(ARRAY(SELECT id FROM merchant)) AND mode = $1 AND currency = $2
  AND booked_at >= $3 AND booked_at < $4 AND account IN ($5, $6)
GROUP BY 1, 2, 3, 4, 5, 6
"""
COUNT_TAKINGS: Final = f"SELECT count(*) FROM ({_TAKEN}) t"  # noqa: S608 (our own words)
# An order may have been on several channels: each line names the attempt on its own, and what the
# supplier said of that one.
TAKINGS: Final = f"""
SELECT t.booked_at AS at, t.kind,
       CASE WHEN c.id IS NULL THEN '' WHEN c.reversed THEN 'reversed'
            WHEN c.confirmed THEN 'confirmed' ELSE 'unconfirmed' END AS state,
       coalesce(a.attempt_no, '') AS attempt_no,
       CASE WHEN p.attempt_no = a.attempt_no THEN p.upstream_no ELSE '' END AS upstream_no,
       t.channel_no, t.product_code, t.due_minor + t.cost_minor AS amount_minor, t.cost_minor,
       t.due_minor
FROM ({_TAKEN}) t
JOIN ledger_event l ON l.merchant_id = t.merchant_id AND l.id = t.event_id
LEFT JOIN supplier_payment p ON p.merchant_id = l.merchant_id AND p.order_id = l.order_id
    AND p.event_id = l.id
LEFT JOIN LATERAL (
    SELECT attempt_no FROM attempt
    WHERE merchant_id = l.merchant_id AND order_id = l.order_id
      AND order_created_at = id_time(l.order_id) AND channel_no = t.channel_no
      AND order_created_at < later($4, '1 day')
    ORDER BY (attempt_no = p.attempt_no) IS TRUE DESC, seq DESC
    LIMIT 1
) a ON true
LEFT JOIN LATERAL (
    SELECT c.id,
           EXISTS (SELECT FROM completion r WHERE r.merchant_id = c.merchant_id
                   AND r.reverses = c.id AND r.at < $4) AS reversed,
           EXISTS (SELECT FROM supplier_payment s WHERE s.merchant_id = c.merchant_id
                   AND s.order_id = c.order_id AND s.booked_as = 'confirmation' AND s.at < $4)
               AS confirmed
    FROM completion c
    WHERE c.merchant_id = t.merchant_id AND c.order_id = l.order_id AND c.event_id = t.event_id
      AND c.reverses IS NULL
    OFFSET 0
) c ON true
ORDER BY t.booked_at, t.event_id, t.channel_no
"""  # noqa: S608 (our own words)
