"""What merchants were advanced in another currency than theirs, at which rates."""

from __future__ import annotations

from datetime import datetime
from typing import Final

from core.kernel.holder import MODE
from core.reports.bills.model import HandedOut
from core.system.store import Tx


async def handed_out(
    tx: Tx, starts_at: datetime, ends_at: datetime, currency: str
) -> tuple[HandedOut, ...]:
    """Between two instants, to merchants of this currency or in this currency: net of what was
    taken back or undone."""
    rows = await tx.fetch(_HANDED_OUT, starts_at, ends_at, MODE, currency)
    return tuple(HandedOut(**{name: row[name] for name in HandedOut.__slots__}) for row in rows)


_HANDED_OUT: Final = """
SELECT original_currency, conversion_rate, currency, count(*) FILTER (WHERE reverses IS NULL)
           AS records,
       sum(original_minor)::bigint AS original_minor, sum(minor)::bigint AS minor
FROM voucher
WHERE at >= $1 AND at < $2 AND conversion_rate IS NOT NULL AND kind = 'prepayment' AND mode = $3
  AND (currency = $4 OR original_currency = $4)
GROUP BY original_currency, conversion_rate, currency
ORDER BY original_currency, currency, conversion_rate::numeric
"""
