"""The statements over vouchers and their causes."""

from __future__ import annotations

from typing import Final

from core.accounts.vouchers.model import Decision
from core.accounts.vouchers.receipts import Entry, VoucherReceipt
from core.kernel.holder import MODE
from core.people.actors import Actor
from core.system.store import Tx

NEXT_SEQ: Final = "SELECT coalesce(max(seq), 0) + 1 FROM voucher WHERE holder_id = $1"

NEWEST_AT: Final = "SELECT at FROM voucher WHERE holder_id = $1 ORDER BY seq DESC LIMIT 1"

_INSERT: Final = """
INSERT INTO voucher
    (holder_id, id, kind, seq, record_no, mode, currency, minor, original_minor,
     original_currency, conversion_rate, remark, proof_file_id, actor_user_id, actor_name, chat_id,
     message_id, event_id, reverses, day, at, approved_by, approved_by_name)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20,
        $21, $22, $23)
"""

INSERT_CAUSE: Final = (
    "INSERT INTO cause (chat_id, message_id, line, holder_id, receipt, at)"
    " VALUES ($1, $2, $3, $4, $5, $6)"
)

TO_UNDO: Final = """
SELECT v.*, EXISTS (
    SELECT FROM voucher r WHERE r.holder_id = v.holder_id AND r.reverses = v.id
) AS undone
FROM voucher v
WHERE v.holder_id = $1 AND v.id = $2 AND v.kind = $3 AND v.reverses IS NULL
"""

# $1: null for every holder there is.
FIND: Final = """
SELECT v.holder_id, v.kind, v.chat_id, v.message_id, c.line, c.receipt FROM voucher v
JOIN cause c ON c.chat_id = v.chat_id AND c.message_id = v.message_id
    AND c.holder_id = v.holder_id AND c.receipt->>'record_no' = v.record_no
WHERE v.holder_id = ANY(coalesce($1::uuid[], ARRAY(
    SELECT id FROM merchant UNION ALL SELECT id FROM supplier
))) AND v.id = $2
"""

# What a message has moved, each line with who undid it and as which record.
RECEIPTS: Final = """
SELECT c.receipt, coalesce(r.actor_name, '') AS undone_by,
       coalesce(r.record_no, '') AS undone_no
FROM cause c
JOIN voucher v ON v.holder_id = c.holder_id AND v.record_no = c.receipt->>'record_no'
LEFT JOIN voucher r ON r.holder_id = v.holder_id AND r.reverses = v.id
WHERE c.chat_id = $1 AND c.message_id = $2 AND c.line > 0
ORDER BY c.line
"""

BOOKED_LINES: Final = (
    "SELECT line, receipt->>'record_no' AS record_no FROM cause"
    " WHERE chat_id = $1 AND message_id = $2 AND line > 0 AND receipt ? 'record_no'"
    " ORDER BY line"
)

DAY_OF: Final = (
    "SELECT day FROM business_day WHERE holder_id = $1 AND starts_at <= $2 AND ends_at > $2"
)

OWED: Final = (
    "SELECT coalesce(-sum(minor), 0)::bigint FROM balance"
    " WHERE account = ANY($1::text[]) AND currency = $2 AND mode = $3"
)

# What is listed: $1 holder, $2 kind, $3 and $4 the first and the last day, $5 mode.
_LISTED: Final = """
FROM voucher v
LEFT JOIN voucher r ON r.holder_id = v.holder_id AND r.reverses = v.id
LEFT JOIN voucher o ON o.holder_id = v.holder_id AND o.id = v.reverses
WHERE v.holder_id = $1 AND v.kind = $2 AND v.day BETWEEN $3 AND $4 AND v.mode = $5
"""
_A_LINE: Final = "(v.reverses IS NULL OR o.day < $3)"

TOTALS: Final = f"""
SELECT count(*) FILTER (WHERE {_A_LINE}) AS count, coalesce(sum(v.minor), 0)::bigint AS sum_minor
{_LISTED}
"""

LINES: Final = f"""
SELECT v.id, v.at, v.record_no, v.minor, v.original_minor, v.original_currency,
       coalesce(v.conversion_rate, '') AS conversion_rate, v.actor_name, v.remark,
       v.proof_file_id IS NOT NULL AS proof, coalesce(r.actor_name, '') AS undone_by
{_LISTED} AND {_A_LINE}
"""


async def insert(
    tx: Tx, actor: Actor, decided: Decision, entry: Entry, receipt: VoucherReceipt
) -> None:
    """The voucher's row."""
    move, cause = decided.move, decided.cause
    await tx.execute(
        _INSERT,
        receipt.holder_id,
        entry.id,
        receipt.kind,
        entry.seq,
        receipt.record_no,
        MODE,
        receipt.currency,
        receipt.minor,
        receipt.original_minor,
        receipt.original_currency,
        receipt.conversion_rate or None,
        receipt.remark,
        move.proof_file_id,
        actor.user_id,
        actor.name,
        cause.chat_id,
        cause.message_id,
        entry.event_id,
        receipt.reverses,
        entry.day,
        entry.at,
        receipt.approved_by,
        receipt.approved_by_name or None,
    )
