"""Which accounts each event of the books moves: the posting table, as pure functions.

Signed whole smallest units: + is credit, − is debit; every event sums to zero per currency.
Accounts are a merchant's own (docs/books.md):

payable      what we owe the merchant for orders
prepaid      what was advanced to the merchant (negative)
reserved     the amounts of refunds that are on their way
fees         what the merchant pays us
cost/S       what supplier S charges us
due/S        what supplier S owes us, net of its cost (negative while it owes)
suspense/S   money that supplier S saw and that belongs to no settled order
shortfall    what a completed order lacked
adjust       corrections with a reason
fx           the two legs of a conversion
paid_out     money that left the platform

The desk's own, which no order touches:

bank                 where suppliers pay in (debit)
supplier/S/settled   what supplier S has paid in so far
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace

from core.kernel.errors import Bug
from core.kernel.money import Money


@dataclass(frozen=True, slots=True)
class Posting:
    """One movement of one account. channel_no: what bills group it by; '' for its event's."""

    account: str
    currency: str
    minor: int
    channel_no: str = ""


Postings = tuple[Posting, ...]


def paid(amount: Money, *, fee_minor: int, cost_minor: int, supplier_no: str) -> Postings:
    """An order was paid, in time or late, or completed by hand with nothing in suspense."""
    return _balanced(
        amount.currency,
        (f"due/{supplier_no}", cost_minor - amount.minor),
        (f"cost/{supplier_no}", -cost_minor),
        ("fees", fee_minor),
        ("payable", amount.minor - fee_minor),
    )


def unmatched(seen: Money, *, cost_minor: int, supplier_no: str) -> Postings:
    """A supplier saw money that settles no order: too little, too much, or once too often."""
    return _balanced(
        seen.currency,
        (f"due/{supplier_no}", cost_minor - seen.minor),
        (f"cost/{supplier_no}", -cost_minor),
        (f"suspense/{supplier_no}", seen.minor),
    )


def completed_from_suspense(
    amount: Money, used: Mapping[tuple[str, str], int], *, fee_minor: int
) -> Postings:
    """An order is completed with money of it that is in suspense. used: (supplier, channel) -> how
    much; together at most the amount, and what is missing is our shortfall."""
    taken = tuple(
        Posting(f"suspense/{supplier_no}", amount.currency, -minor, channel_no)
        for (supplier_no, channel_no), minor in used.items()
        if minor
    )
    missing = amount.minor - sum(used.values())
    postings = taken + tuple(
        Posting(account, amount.currency, minor)
        for account, minor in (
            ("shortfall", -missing), ("fees", fee_minor), ("payable", amount.minor - fee_minor)
        )
        if minor
    )  # fmt: skip
    assert_balanced(postings)
    return postings


@dataclass(frozen=True, slots=True)
class Took:
    """What a supplier took for an order on one of its channels, and what it charges for that."""

    supplier_no: str
    channel_no: str
    minor: int
    cost_minor: int


def confirmed(currency: str, *, assumed: Took, seen: Took) -> Postings:
    """The money of a completed order was seen: elsewhere than was assumed, more or less of it, or
    at another cost. All that was assumed is taken back, and what was seen is booked. What is too
    little of it is our shortfall; what is too much is in suspense where it was seen."""
    moved: dict[tuple[str, str], int] = defaultdict(int)
    for sign, took in ((1, assumed), (-1, seen)):
        moved[f"due/{took.supplier_no}", took.channel_no] += sign * (took.minor - took.cost_minor)
        moved[f"cost/{took.supplier_no}", took.channel_no] += sign * took.cost_minor
    more = seen.minor - assumed.minor
    moved["shortfall", ""] = min(0, more)
    moved[f"suspense/{seen.supplier_no}", ""] = max(0, more)
    postings = tuple(
        Posting(account, currency, minor, channel_no)
        for (account, channel_no), minor in moved.items()
        if minor
    )
    assert_balanced(postings)
    return postings


def returned_to_payer(amount: Money, *, supplier_no: str) -> Postings:
    """Money in suspense went back to who paid it: the supplier owes us that much less."""
    return _balanced(
        amount.currency,
        (f"suspense/{supplier_no}", -amount.minor),
        (f"due/{supplier_no}", amount.minor),
    )


def credited(amount: Money, *, fee_minor: int, supplier_no: str) -> Postings:
    """Money in suspense is the merchant's after all, less the fee on it."""
    return _balanced(
        amount.currency,
        (f"suspense/{supplier_no}", -amount.minor),
        ("fees", fee_minor),
        ("payable", amount.minor - fee_minor),
    )


def refund_reserved(amount: Money, *, fee_back_minor: int) -> Postings:
    """A refund is on its way: its amount is held. The merchant bears it, and gets our fee on it
    back where that is given back. Its failure is a reversal."""
    return _balanced(
        amount.currency,
        ("payable", fee_back_minor - amount.minor),
        ("fees", -fee_back_minor),
        ("reserved", amount.minor),
    )


def refund_settled(amount: Money, *, cost_back_minor: int, supplier_no: str) -> Postings:
    """The supplier refunded the payer; it may have given its cost back."""
    return _balanced(
        amount.currency,
        ("reserved", -amount.minor),
        (f"due/{supplier_no}", amount.minor - cost_back_minor),
        (f"cost/{supplier_no}", cost_back_minor),
    )


def adjusted(amount: Money) -> Postings:
    """A correction with a reason: + in the merchant's favour."""
    return _balanced(amount.currency, ("payable", amount.minor), ("adjust", -amount.minor))


def rerated(difference: Money) -> Postings:
    """Past orders are charged anew: + the merchant pays more."""
    return _balanced(
        difference.currency, ("fees", difference.minor), ("payable", -difference.minor)
    )


def paid_in(amount: Money, *, supplier_no: str) -> Postings:
    """A supplier paid what it owed; in the desk's own books."""
    return _balanced(
        amount.currency, (f"supplier/{supplier_no}/settled", amount.minor), ("bank", -amount.minor)
    )


def prepaid(advance: Money) -> Postings:
    """The platform advanced money to a merchant; a negative advance takes some back."""
    return _balanced(advance.currency, ("prepaid", -advance.minor), ("paid_out", advance.minor))


def prepaid_converted(original: Money, advance: Money) -> Postings:
    """As `prepaid`, where what left is in another currency than what the merchant is owed in."""
    left = _balanced(original.currency, ("paid_out", original.minor), ("fx", -original.minor))
    return left + _balanced(advance.currency, ("fx", advance.minor), ("prepaid", -advance.minor))


def reversal(postings: Iterable[Posting]) -> Postings:
    """The exact negation of an earlier event, on the same channels."""
    return tuple(replace(p, minor=-p.minor) for p in postings)


def assert_balanced(postings: Iterable[Posting]) -> None:
    """Raises Bug unless the movements sum to zero in every currency."""
    sums: dict[str, int] = defaultdict(int)
    for posting in postings:
        sums[posting.currency] += posting.minor
    if any(sums.values()):
        raise Bug(f"postings do not sum to zero: {dict(sums)}")


def _balanced(currency: str, *movements: tuple[str, int]) -> Postings:
    postings = tuple(Posting(account, currency, minor) for account, minor in movements if minor)
    assert_balanced(postings)
    return postings
