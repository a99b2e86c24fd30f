"""Which orders a list is about, and the same as conditions of SQL. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal
from uuid import UUID

from core.kernel.days import Days
from core.kernel.holder import MODE

# Whether money of it is here. waiting: it can still be paid; failed, expired, closed: how it ended.
Pay = Literal["", "paid", "unpaid", "waiting", "failed", "expired", "closed"]
# How the newest news of it to its merchant's server stands. untold: waiting or failed.
News = Literal["", "told", "untold", "failed", "waiting"]
# completed: by hand, whether a supplier confirmed it or not. refunded: at least a part of it.
Mark = Literal["completed", "refunded", "late", "disputed"]


@dataclass(frozen=True, slots=True)
class OrderFilter:
    """What a list leaves of the orders that its reader may see.

    days: business days of their merchants on which they were created. merchant_ids, product_codes,
    channel_nos, supplier_nos: any of them; empty for all. Channel and supplier are those of the
    attempt that was paid, else of the one that can be, else of the last. least_minor, most_minor:
    both included; None for no bound. marks: all of them.
    """

    days: Days
    currency: str
    merchant_ids: tuple[UUID, ...] = ()
    product_codes: tuple[str, ...] = ()
    channel_nos: tuple[str, ...] = ()
    supplier_nos: tuple[str, ...] = ()
    least_minor: int | None = None
    most_minor: int | None = None
    pay: Pay = ""
    news: News = ""
    marks: tuple[Mark, ...] = ()
    mode: str = MODE


class Conditions:
    """Conditions of SQL, and the arguments that they name, from $1 on."""

    def __init__(self, *args: object) -> None:
        self.args: list[object] = list(args)
        self.sql = ""

    def add(self, condition: str, *args: object) -> None:
        """One more, which names its own arguments as {}."""
        places = [f"${len(self.args) + place + 1}" for place in range(len(args))]
        self.args += args
        self.sql += " AND " + condition.format(*places)


def narrow_orders(wanted: OrderFilter, conditions: Conditions) -> None:
    """Rows of orders `o`, with the attempt `a` that counts where `of_attempts` says so, and with
    `news` where `of_news` does."""
    conditions.add("o.mode = {}", wanted.mode)
    conditions.add("o.currency = {}", wanted.currency)
    _narrow(wanted, conditions, "o")
    if wanted.pay:
        conditions.add(_PAID[wanted.pay])
    for mark in wanted.marks:
        conditions.add(_MARKED[mark])
    if wanted.news:
        conditions.add("news.state = ANY({}::text[])", list(_NEWS[wanted.news]))


def narrow_attempts(wanted: OrderFilter, conditions: Conditions) -> None:
    """Rows of attempts `a`, as their supplier knows them."""
    conditions.add("a.mode = {}", wanted.mode)
    conditions.add("a.currency = {}", wanted.currency)
    _narrow(wanted, conditions, "a")
    if wanted.pay:
        conditions.add(_TAKEN[wanted.pay])


def of_attempts(wanted: OrderFilter) -> bool:
    """Whether the attempt of an order decides if it is listed."""
    return bool(wanted.channel_nos or wanted.supplier_nos)


def of_news(wanted: OrderFilter) -> bool:
    """Whether what its merchant's server was told decides if an order is listed."""
    return bool(wanted.news)


def _narrow(wanted: OrderFilter, conditions: Conditions, rows: str) -> None:
    if wanted.product_codes:
        conditions.add(f"{rows}.product_code = ANY({{}}::text[])", list(wanted.product_codes))
    if wanted.least_minor is not None:
        conditions.add(f"{rows}.amount_minor >= {{}}", wanted.least_minor)
    if wanted.most_minor is not None:
        conditions.add(f"{rows}.amount_minor <= {{}}", wanted.most_minor)
    if wanted.channel_nos:
        conditions.add("a.channel_no = ANY({}::text[])", list(wanted.channel_nos))
    if wanted.supplier_nos:
        conditions.add("a.supplier_no = ANY({}::text[])", list(wanted.supplier_nos))


# An order whose completion was reversed is not paid, whatever its state says.
PAID: Final = "(o.paid_at IS NOT NULL AND NOT o.disputed)"
_PAID: Final[dict[str, str]] = {
    "paid": PAID,
    "unpaid": f"NOT {PAID}",
    "waiting": "o.state IN ('created', 'pending')",
    "failed": "o.state = 'failed'",
    "expired": "o.state = 'expired'",
    "closed": "o.state = 'closed'",
}
_TAKEN: Final[dict[str, str]] = {
    "paid": "a.state = 'paid'",
    "unpaid": "a.state <> 'paid'",
    "waiting": "a.state IN ('sent', 'accepted', 'unknown')",
    "failed": "a.state IN ('failed', 'rejected')",
    "expired": "a.state = 'closed'",
    "closed": "a.state = 'closed'",
}
_MARKED: Final[dict[str, str]] = {
    "completed": "o.paid_how = 'completed'",
    "refunded": "o.state IN ('partially_refunded', 'refunded')",
    "late": "o.paid_late",
    "disputed": "o.disputed",
}
_NEWS: Final[dict[str, tuple[str, ...]]] = {
    "told": ("delivered",),
    "untold": ("pending", "exhausted"),
    "failed": ("exhausted",),
    "waiting": ("pending",),
}
