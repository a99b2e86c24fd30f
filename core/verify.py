"""Re-adds the books: every number that is kept twice is compared, every difference named."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from core.bills import MODE, Bills
from core.merchants import Merchants
from core.store import Store, Tx

# The books are read whole: that takes as long as it takes, within a night.
QUERY_TIMEOUT_S: Final = 3600.0


@dataclass(frozen=True, slots=True)
class Difference:
    """Two numbers that should be the same. what: which rule; where: the ids; found: in words."""

    what: str
    where: str
    found: str

    def __str__(self) -> str:
        return f"{self.what}: {self.where}: {self.found}"


class Verify:
    """Checks the books against themselves and against the orders."""

    def __init__(self, store: Store, merchants: Merchants, bills: Bills) -> None:
        self._store = store
        self._merchants = merchants
        self._bills = bills

    async def books(self) -> list[Difference]:
        """Every difference there is; an empty list when the books are right."""
        differences: list[Difference] = []
        # One transaction, so that what is compared is of one moment.
        async with self._store.transaction() as tx:
            await tx.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY")
            for what, sql in CHECKS.items():
                rows = await tx.fetch(sql, timeout_s=QUERY_TIMEOUT_S)
                differences += [Difference(what, row["at"], row["found"]) for row in rows]
            return differences + await self._bills_join(tx)

    async def _bills_join(self, tx: Tx) -> list[Difference]:
        """Each merchant's open bill closes at what the balances say."""
        rows = await tx.fetch(_OPEN_POSITIONS, MODE, timeout_s=QUERY_TIMEOUT_S)
        stands = {row["merchant_id"]: row for row in rows}
        differences = []
        for merchant in await self._merchants.everybody():
            row = stands.get(merchant.id)
            if row is None:
                continue  # without an open day, which a check of its own has named
            bill = await self._bills.bill_in(tx, merchant, row["day"], row["day"])
            if bill.closing_minor != row["position"]:
                differences.append(
                    Difference(
                        "the open bill closes at the balances",
                        merchant.merchant_no,
                        f"bill {bill.closing_minor}, balances {row['position']}",
                    )
                )
        return differences


_OPEN_POSITIONS: Final = """
SELECT d.holder_id AS merchant_id, d.day, coalesce(sum(b.minor), 0)::bigint AS position
FROM business_day d
JOIN merchant m ON m.id = d.holder_id
LEFT JOIN balance b ON b.merchant_id = d.holder_id AND b.mode = $1
    AND b.currency = m.currency AND b.account IN ('payable', 'prepaid')
WHERE d.closed_at IS NULL
GROUP BY d.holder_id, d.day
"""


# rule -> a query that answers a row (at, found) for every place where it is broken
CHECKS: Final[dict[str, str]] = {
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
        FROM (SELECT DISTINCT merchant_id, event_id AS id, day FROM ledger_entry) e
        FULL JOIN ledger_event v USING (merchant_id, id, day)
        WHERE e.day IS NULL OR v.event_key IS NULL""",
    "a paid order credited its merchant once, with amount less fee": """
        SELECT o.order_no AS at,
               o.state || ', booked ' || coalesce(e.payable, 0) || ', due '
               || (o.amount_minor - o.fee_minor) AS found
        FROM orders o LEFT JOIN (
            SELECT v.merchant_id, v.order_id, sum(l.minor) AS payable
            FROM ledger_event v JOIN ledger_entry l
                ON l.merchant_id = v.merchant_id AND l.event_id = v.id AND l.account = 'payable'
            WHERE v.kind IN ('order', 'completed') GROUP BY 1, 2
        ) e ON e.merchant_id = o.merchant_id AND e.order_id = o.id
        WHERE coalesce(e.payable, 0) <>
              CASE WHEN o.paid_at IS NULL THEN 0 ELSE o.amount_minor - o.fee_minor END""",
    "an order's state is the last of its history": """
        SELECT o.order_no AS at, o.state || ' but history says '
               || coalesce(h.state_to, 'nothing') AS found
        FROM orders o LEFT JOIN order_history h
            ON h.merchant_id = o.merchant_id AND h.order_id = o.id AND h.version = o.version
        WHERE h.state_to IS DISTINCT FROM o.state""",
    "what suppliers reported is what was booked": """
        SELECT p.merchant_id || ' upstream ' || p.upstream_no AS at,
               'reported ' || p.amount_minor || ', booked as ' || p.booked_as AS found
        FROM supplier_payment p
        LEFT JOIN ledger_event v ON v.merchant_id = p.merchant_id AND v.id = p.event_id
        WHERE p.booked_as <> 'confirmation' AND v.id IS NULL""",
    "suspense holds what is open": """
        SELECT coalesce(b.merchant_id, d.merchant_id) || ' ' || coalesce(b.account, d.account)
               AS at, 'balance ' || coalesce(b.minor, 0) || ', open ' || coalesce(d.minor, 0)
               AS found
        FROM (
            SELECT merchant_id, currency, account, sum(minor)::bigint AS minor FROM balance
            WHERE account LIKE 'suspense/%' GROUP BY 1, 2, 3
        ) b FULL JOIN (
            SELECT d.merchant_id, d.currency, 'suspense/' || d.supplier_no AS account,
                   sum(d.left_minor)::bigint AS minor
            FROM discrepancy d
            GROUP BY 1, 2, 3
        ) d USING (merchant_id, currency, account)
        WHERE coalesce(b.minor, 0) <> coalesce(d.minor, 0)""",
    "a prepayment moved what it says": """
        SELECT p.record_no AS at, 'record ' || p.minor || ', booked ' || coalesce(-l.minor, 0)
               AS found
        FROM voucher p LEFT JOIN ledger_entry l
            ON l.merchant_id = p.holder_id AND l.event_id = p.event_id
            AND l.account = 'prepaid'
        WHERE coalesce(-l.minor, 0) <> p.minor""",
    "every merchant has one open day": """
        SELECT m.merchant_no AS at, count(d.day) || ' open days' AS found
        FROM merchant m LEFT JOIN business_day d ON d.holder_id = m.id AND d.closed_at IS NULL
        GROUP BY m.merchant_no HAVING count(d.day) <> 1""",
}
