"""The records of people's money verbs that a bill lists."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final
from uuid import UUID

from core.accounts.vouchers import VoucherLine
from core.kernel.days import Days
from core.kernel.holder import MODE
from core.system.store import Tx

SHOWN: Final = 5


@dataclass(frozen=True, slots=True)
class Newest:
    """The newest records, oldest first, and how many there are in all."""

    lines: tuple[VoucherLine, ...]
    count: int


async def newest(tx: Tx, holder_id: UUID, kind: str, days: Days) -> Newest:
    """Of a kind (prepayment, adjustment, payin). An undo is told on the line that it undid; it is
    a line of its own only where that one is on a day before these."""
    rows = await tx.fetch(_NEWEST, holder_id, kind, MODE, days.first, days.last, SHOWN)
    lines = tuple(
        VoucherLine(**{name: row[name] for name in VoucherLine.__slots__}) for row in rows[::-1]
    )
    return Newest(lines, rows[0]["of_all"] if rows else 0)


_NEWEST: Final = """
SELECT v.id, v.at, v.record_no, v.minor, v.original_minor, v.original_currency,
       coalesce(v.conversion_rate, '') AS conversion_rate, v.actor_name, v.remark,
       v.proof_file_id IS NOT NULL AS proof, coalesce(r.actor_name, '') AS undone_by,
       count(*) OVER () AS of_all
FROM voucher v
LEFT JOIN voucher r ON r.holder_id = v.holder_id AND r.reverses = v.id
LEFT JOIN voucher o ON o.holder_id = v.holder_id AND o.id = v.reverses
WHERE v.holder_id = $1 AND v.kind = $2 AND v.mode = $3 AND v.day BETWEEN $4 AND $5
  AND (v.reverses IS NULL OR o.day < $4)
ORDER BY v.at DESC, v.id DESC LIMIT $6
"""
