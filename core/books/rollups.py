"""What is added up by hour and by business day, so that nobody reads entries one by one.

Whoever adds to an hour adds the same to its day, in one statement.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True, slots=True)
class Rollup:
    """A table of sums by hour; its name with `_day` is that of the sums by day. keys: what sums are
    told apart by, beside merchant, mode, day and hour."""

    table: str
    keys: str
    sums: tuple[str, ...]

    def add(self, source: str) -> str:
        """A statement that adds what the source says. source: a question for merchant, mode, day,
        hour, the keys and the sums."""
        names = ", ".join(self.sums)
        added = ", ".join(f"{name} = r.{name} + excluded.{name}" for name in self.sums)
        return f"""
WITH added (merchant_id, mode, day, hour, {self.keys}, {names}) AS MATERIALIZED ({source}
), hours AS (
    INSERT INTO {self.table} AS r (merchant_id, mode, day, hour, {self.keys}, {names})
    SELECT * FROM added
    ON CONFLICT (merchant_id, mode, day, hour, {self.keys}) DO UPDATE SET {added}
)
INSERT INTO {self.table}_day AS r (merchant_id, day, mode, {self.keys}, {names})
{self.days_of("added")}
ON CONFLICT (merchant_id, day, mode, {self.keys}) DO UPDATE SET {added}
"""  # noqa: S608 (our own words)

    def days_of(self, hours: str) -> str:
        """A question for the sums by day of what is told apart by hour. hours: a table of it, and
        what is asked of that."""
        keys = f"merchant_id, day, mode, {self.keys}"
        sums = ", ".join(f"sum({name}) AS {name}" for name in self.sums)
        return f"SELECT {keys}, {sums} FROM {hours} GROUP BY {keys}"  # noqa: S608 (our own words)


ROLLED_ENTRIES: Final = Rollup(
    "rollup_entry", "currency, account, kind, product_code, channel_no", ("minor", "events")
)
ROLLED_ORDERS: Final = Rollup(
    "rollup_order", "currency, product_code", ("created", "paid_in_day", "paid")
)
ROLLED_ATTEMPTS: Final = Rollup(
    "rollup_attempt", "currency, product_code, channel_no", ("sent", "paid")
)

# $1 the merchant, $2 and $3: of what was booked, created, paid and sent from then on, until then.
ADD: Final = (
    ROLLED_ENTRIES.add("""
    SELECT merchant_id, mode, day, date_trunc('hour', booked_at, 'UTC'), currency, account, kind,
           product_code, channel_no, sum(minor), count(*) FILTER (WHERE line = 1)
    FROM ledger_entry
    WHERE merchant_id = $1 AND booked_at >= $2 AND booked_at < $3
    GROUP BY 1, 2, 3, 4, 5, 6, 7, 8, 9"""),
    ROLLED_ORDERS.add("""
    SELECT merchant_id, mode, created_day, date_trunc('hour', created_at, 'UTC'), currency,
           coalesce(product_code, ''), count(*), 0, 0
    FROM orders
    WHERE merchant_id = $1 AND created_at >= $2 AND created_at < $3
    GROUP BY 1, 2, 3, 4, 5, 6"""),
    ROLLED_ORDERS.add("""
    SELECT merchant_id, mode, created_day, date_trunc('hour', created_at, 'UTC'), currency,
           product_code, 0, count(*) FILTER (WHERE paid_day = created_day), count(*)
    FROM orders
    WHERE merchant_id = $1 AND paid_at >= $2 AND paid_at < $3
      AND created_at < $3::timestamptz + interval '1 day'  -- months to come are not looked at
    GROUP BY 1, 2, 3, 4, 5, 6"""),
    ROLLED_ATTEMPTS.add("""
    SELECT merchant_id, mode, day, hour, currency, product_code, channel_no, sum(sent), sum(paid)
    FROM attempt_tail($1, $2, $3)
    GROUP BY 1, 2, 3, 4, 5, 6, 7"""),
)
