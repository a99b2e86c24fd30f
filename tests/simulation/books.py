"""A merchant's own books, as simple as it would keep them: orders, and what each doing moved.

They know the rules of money, and nothing of how the desk keeps its books. Every verb either
writes lines or raises `No` with the code by which the desk must refuse as well.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import ROUND_HALF_UP, Decimal
from uuid import UUID

from core.kernel.money import Rate
from core.kernel.tariff import Tariff

Windows = list[tuple[date, datetime, datetime]]  # business days: name, start, end


class No(Exception):
    """By these books it cannot be done. code: of the refusal."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


def agree(desk: object, ours: object, *where: object) -> None:
    """What the desk says must be what own books say."""
    assert desk == ours, f"{' '.join(map(str, where))}: the desk says {desk}, own books {ours}"


@dataclass(frozen=True)
class Line:
    """What one doing moved. heading: on the merchant's bill; '' where its position stays.

    net, prepaid: + we owe the merchant more. due: what the supplier owes us, net of its cost.
    """

    at: datetime
    mode: str
    heading: str
    product: str = ""
    net: int = 0
    fees: int = 0
    prepaid: int = 0
    supplier: str = ""
    due: int = 0
    cost: int = 0
    suspense: int = 0


@dataclass
class Try:
    """An attempt of an order. open: whether its supplier still waits for money."""

    number: str
    supplier: str
    cost: Tariff
    open: bool

    def cost_of(self, seen: int) -> int:
        """What its supplier charges for what it took."""
        return fee_by_hand(self.cost.rate_for(seen), seen)


@dataclass
class Held:
    """Money in suspense. used: what the completion that counts took of it."""

    kind: str
    by: Try
    seen: int
    left: int
    used: int = 0


@dataclass
class Back:
    """A refund. by: whose supplier is to give the money back, whatever turns out later."""

    amount: int
    fee_returned: bool
    fee: int
    by: Try
    state: str = "reserved"
    cost_returned: bool = False
    cost: int = 0


@dataclass
class Taken:
    """What was paid on a try: minor of all that was seen pays the order."""

    by: Try
    minor: int
    seen: int
    cost: int


@dataclass
class Sale:
    """An order. fee: what it is charged now; anew: at which rate, where it was charged anew;
    reported: whether a supplier said what paid it."""

    id: UUID
    number: str
    mode: str
    product: str
    amount: int
    rate: Rate
    fee: int
    created_at: datetime
    created_day: date
    tries: list[Try]
    first_fee: int
    anew: Rate | None = None
    how: str = ""  # reported | completed
    disputed: bool = False
    reported: bool = False
    paid_by: Try | None = None
    cost: int = 0
    takings: list[Taken] = field(default_factory=list)  # as far as anybody knows
    all_back: bool = False
    paid_at: datetime | None = None  # for the first time
    held: dict[str, Held] = field(default_factory=dict)
    backs: dict[str, Back] = field(default_factory=dict)

    @property
    def open(self) -> bool:
        """Whether money or a completion pays it."""
        return not self.how or self.disputed

    @property
    def refunded(self) -> int:
        return sum(back.amount for back in self.backs.values() if back.state == "settled")

    @property
    def refundable(self) -> int:
        """The most that one supplier can still give back."""
        return max((self.room(taking) for taking in self.takings), default=0)

    def room(self, taking: Taken) -> int:
        """What was taken there and is not refunded, nor about to be."""
        gone = [b for b in self.backs.values() if b.state != "released"]
        whole = sum(t.minor for t in self.takings) - sum(b.amount for b in gone)
        return min(taking.minor - sum(b.amount for b in gone if b.by is taking.by), whole)

    @property
    def under_way(self) -> bool:
        return any(back.state == "reserved" for back in self.backs.values())

    @property
    def state(self) -> str:
        if not self.how:
            return "unpaid"
        if not self.refunded:
            return "paid"
        return "refunded" if self.all_back else "partially_refunded"


@dataclass
class Books:
    """One merchant's. tariffs: product -> what orders are made with now."""

    merchant_id: UUID
    currency: str
    tariffs: dict[str, Tariff]
    credit_line: int | None = None
    sales: dict[UUID, Sale] = field(default_factory=dict)
    lines: list[Line] = field(default_factory=list)

    def owed(self, mode: str = "live") -> int:
        return self.payable(mode) + sum(x.prepaid for x in self.lines if x.mode == mode)

    def payable(self, mode: str = "live") -> int:
        return sum(x.net for x in self.lines if x.mode == mode)

    def open_money(self, mode: str = "live") -> list[tuple[Sale, str, Held]]:
        """What is in suspense, with the supplier's number of it; the oldest first."""
        return [
            (sale, number, held)
            for sale in self.sales.values() if sale.mode == mode
            for number, held in sale.held.items() if held.left
        ]  # fmt: skip

    # ── orders and their money ───────────────────────────────────────────────────────────────────
    def rate_for(self, product: str, amount: int, mode: str, windows: Windows, day: date) -> Rate:
        return self.tariffs[product].rate_for(amount, self.volume(product, mode, windows, day))

    def volume(self, product: str, mode: str, windows: Windows, day: date) -> int:
        """What was paid on the days of the month before this one, less what was reversed."""
        spans = [w[1:] for w in windows if day.replace(day=1) <= w[0] < day]
        net = sum(
            x.net + x.fees
            for x in self.lines
            if x.mode == mode and x.product == product and x.heading in ("orders", "reversals")
            and any(start <= x.at < end for start, end in spans)
        )  # fmt: skip
        return max(0, net)

    def open_order(self, mode: str) -> None:
        if mode == "live" and self.credit_line is not None and self.owed() > self.credit_line:
            raise No("credit_line_reached")

    def see(self, sale_id: UUID, nth: int, amount: int, number: str, at: datetime) -> str:
        """A supplier reports money for an order's attempt; what it means."""
        sale = self.sales[sale_id]
        attempt, cost = sale.tries[nth], sale.tries[nth].cost_of(amount)
        if sale.open and amount == sale.amount:
            attempt.open = False
            self._paid(sale, "reported", attempt, cost, at)
            self._supplier(sale, attempt.supplier, at, due=amount - cost, cost=cost)
            sale.reported = True
            return "order"
        if not sale.open and sale.how == "completed" and not sale.reported:
            return self._confirm(sale, attempt, amount, cost, number, at)
        kind = "duplicate"
        if sale.open:
            kind = "short" if amount < sale.amount else "over"
        attempt.open = attempt.open and sale.open
        sale.held[number] = Held(kind, attempt, amount, amount)
        self._supplier(
            sale, attempt.supplier, at, due=amount - cost, cost=cost, suspense=amount
        )  # fmt: skip
        return kind

    def _confirm(
        self, sale: Sale, attempt: Try, amount: int, cost: int, number: str, at: datetime
    ) -> str:
        """Who has the money of a completed order, how much, and at what cost, is known now."""
        was, over = sale.paid_by, max(0, amount - sale.amount)
        assert was is not None
        # Elsewhere: what was given back of the cost already is not taken back once more.
        given = sum(b.cost for b in sale.backs.values() if b.by is was and was is not attempt)
        still = sale.cost - given
        self._supplier(sale, was.supplier, at, due=still - sale.amount, cost=-still)
        self._supplier(sale, attempt.supplier, at, due=amount - cost, cost=cost, suspense=over)
        attempt.open = False
        sale.reported, sale.paid_by, sale.cost = True, attempt, cost
        sale.takings = [Taken(attempt, min(amount, sale.amount), amount, cost)]
        if over:
            sale.held[number] = Held("over", attempt, amount, over)
        return "confirmation"

    def _paid(self, sale: Sale, how: str, by: Try, cost: int, at: datetime) -> None:
        """Counted once, on its first day; afterwards it takes its reversal back."""
        heading = "orders" if sale.paid_at is None else "reversals"
        net = sale.amount - sale.fee
        self.lines.append(Line(at, sale.mode, heading, sale.product, net, sale.fee))
        sale.how, sale.disputed, sale.paid_by, sale.cost = how, False, by, cost
        sale.takings = [Taken(by, sale.amount, sale.amount, cost)]
        sale.paid_at = sale.paid_at or at

    def complete(self, sale_id: UUID, at: datetime, number: str | None = None) -> str:
        """By hand, with the order's money in suspense where some is. number: which of it."""
        sale = self.sales[sale_id]
        if not sale.open:
            return sale.how
        payable = [attempt for attempt in sale.tries if attempt.open]
        by = (payable or sale.tries)[-1]
        held = [h for h in sale.held.values() if h.left]
        held.sort(key=lambda h: h.by is not by)
        if number is not None:
            held = [sale.held[number]]
        enough = sorted((h for h in held if h.left >= sale.amount), key=lambda h: h.left)
        held = enough[:1] or held
        missing = sale.amount
        for money in held:
            money.used = min(money.left, missing)
            money.left, missing = money.left - money.used, missing - money.used
            self._supplier(sale, money.by.supplier, at, suspense=-money.used)
        used = [money for money in held if money.used]
        if used:
            cost = sum(money.by.cost_of(money.seen) for money in used)
            self._paid(sale, "completed", used[0].by, cost, at)
            sale.takings = []
            for money in used:
                cost = money.by.cost_of(money.seen)
                same = next((t for t in sale.takings if t.by is money.by), None)
                if same is None:
                    sale.takings.append(Taken(money.by, money.used, money.seen, cost))
                else:
                    same.minor, same.seen = same.minor + money.used, same.seen + money.seen
                    same.cost += cost
        if not held:
            cost = by.cost_of(sale.amount)
            self._paid(sale, "completed", by, cost, at)
            self._supplier(sale, by.supplier, at, due=sale.amount - cost, cost=cost)
        sale.reported = bool(held)
        return "completed"

    def irreversible(self, sale_id: UUID) -> str | None:
        """Why a completion cannot be taken back; None where it can."""
        sale = self.sales[sale_id]
        if sale.state != "paid" or sale.open or sale.how != "completed":
            return "order_state"
        if sale.reported and not any(held.used for held in sale.held.values()):
            return "completion_confirmed"
        if sale.under_way:
            return "refund_under_way"
        return None

    def reverse(self, sale_id: UUID, at: datetime) -> str:
        sale, why = self.sales[sale_id], self.irreversible(sale_id)
        if why is not None:
            raise No(why)
        if more := sale.first_fee - sale.fee:  # it is charged its first fee again, which goes back
            self.lines.append(Line(at, sale.mode, "reratings", sale.product, -more, more))
            sale.fee = sale.first_fee
        sale.anew = None
        net = sale.amount - sale.fee
        self.lines.append(Line(at, sale.mode, "reversals", sale.product, -net, -sale.fee))
        assert sale.paid_by is not None
        used = [held for held in sale.held.values() if held.used]
        for held in used:
            self._supplier(sale, held.by.supplier, at, suspense=held.used)
            held.left, held.used = held.left + held.used, 0
        if not used:
            back = sale.cost - sale.amount
            self._supplier(sale, sale.paid_by.supplier, at, due=back, cost=-sale.cost)
        sale.disputed, sale.reported = True, False
        return "disputed"

    def ways(self, sale: Sale, held: Held) -> set[str]:
        ways = {"refund_payer", "credit_merchant"} if held.left else set()
        return ways | ({"complete"} if held.left and sale.open else set())

    def resolve(self, sale_id: UUID, number: str, left: int, how: str, at: datetime) -> None:
        sale = self.sales[sale_id]
        held = sale.held[number]
        if held.left != left:
            raise No("discrepancy_changed" if held.left else "already_resolved")
        if how not in self.ways(sale, held):
            raise No("order_state")
        if how == "complete":
            self.complete(sale_id, at, number)
            return
        held.left = 0
        if how == "refund_payer":
            self._supplier(sale, held.by.supplier, at, due=-left, suspense=-left)
            return
        rate = sale.anew or sale.rate  # its percentage and its most: the rest is an order's
        fee = fee_by_hand(Rate(rate.ppm, 0, 0, rate.max_minor), left)
        self.lines.append(Line(at, sale.mode, "credits", sale.product, left - fee, fee))
        self._supplier(sale, held.by.supplier, at, suspense=-left)

    # ── refunds ──────────────────────────────────────────────────────────────────────────────────
    def reserve(
        self, sale_id: UUID, refund_no: str, amount: int, fee_returned: bool, at: datetime
    ) -> int:
        """What is given back of the fee."""
        sale = self.sales[sale_id]
        if sale.open or sale.state == "refunded":
            raise No("order_state")
        taking = next((t for t in sale.takings if amount <= sale.room(t)), None)
        if taking is None:
            raise No("refund_over_amount")
        fee = 0
        if fee_returned:
            others = [b for b in sale.backs.values() if b.fee_returned and b.state != "released"]
            fee = _share(amount, others, sale.fee, sale.amount, sum(b.fee for b in others))
        if self.payable(sale.mode) - (amount - fee) < 0:
            raise No("refund_not_covered")
        sale.backs[refund_no] = Back(amount, fee_returned, fee, taking.by)
        self.lines.append(Line(at, sale.mode, "refunds", sale.product, fee - amount, -fee))
        return fee

    def settle(self, sale_id: UUID, refund_no: str, cost_returned: bool, at: datetime) -> int:
        """What the supplier gives back of its cost."""
        sale = self.sales[sale_id]
        back = self._under_way(sale, refund_no, "settled")
        taking = next((t for t in sale.takings if t.by is back.by), None)
        if cost_returned and taking is not None:
            others = [b for b in sale.backs.values() if b.cost_returned and b.by is back.by]
            given = sum(b.cost for b in others)
            back.cost = _share(back.amount, others, taking.cost, taking.seen, given)
        back.state, back.cost_returned = "settled", cost_returned
        sale.all_back = sale.refunded >= sum(t.minor for t in sale.takings)
        self._supplier(sale, back.by.supplier, at, due=back.cost - back.amount, cost=-back.cost)
        return back.cost

    def release(self, sale_id: UUID, refund_no: str, at: datetime) -> None:
        sale = self.sales[sale_id]
        back = self._under_way(sale, refund_no, "released")
        back.state = "released"
        held = back.amount - back.fee
        self.lines.append(Line(at, sale.mode, "refunds", sale.product, held, back.fee))

    def _under_way(self, sale: Sale, refund_no: str, end: str) -> Back:
        back = sale.backs[refund_no]
        if back.state not in ("reserved", end):
            raise No("refund_state")
        return back

    # ── fees of the past ─────────────────────────────────────────────────────────────────────────
    def rerated(
        self, product: str, tariff: Tariff, paid_in: Windows, windows: Windows
    ) -> dict[UUID, tuple[int, Rate]]:
        """Every order that would be charged anew, with its fee and rate. Refunds leave theirs
        alone."""
        fees = {}
        for sale in self.sales.values():
            if sale.mode != "live" or sale.product != product or sale.paid_at is None:
                continue
            if sale.open or sale.state != "paid" or sale.under_way:
                continue
            if any(start <= sale.paid_at < end for _, start, end in paid_in):
                volume = self.volume(product, "live", windows, sale.created_day)
                rate = tariff.rate_for(sale.amount, volume)
                fees[sale.id] = min(fee_by_hand(rate, sale.amount), sale.amount), rate
        return fees

    def rerate(self, product: str, fees: dict[UUID, tuple[int, Rate]], at: datetime) -> int:
        """The difference: + the merchant pays more."""
        more = sum(fee - self.sales[sale_id].fee for sale_id, (fee, _) in fees.items())
        if all(fee == self.sales[sale_id].fee for sale_id, (fee, _) in fees.items()):
            raise No("rerate_nothing")
        for sale_id, (fee, rate) in fees.items():
            self.sales[sale_id].fee, self.sales[sale_id].anew = fee, rate
        self.lines.append(Line(at, "live", "reratings", product, -more, more))
        return more

    # ── money by word ────────────────────────────────────────────────────────────────────────────
    def adjust(self, minor: int, at: datetime) -> None:
        self.lines.append(Line(at, "live", "adjustments", net=minor))

    def prepay(self, minor: int, at: datetime) -> None:
        self.lines.append(Line(at, "live", "prepaid", prepaid=-minor))

    def _supplier(
        self, sale: Sale, supplier: str, at: datetime,
        *, due: int = 0, cost: int = 0, suspense: int = 0,
    ) -> None:  # fmt: skip
        self.lines.append(
            Line(at, sale.mode, "", sale.product, supplier=supplier, due=due, cost=cost,
                 suspense=suspense)
        )  # fmt: skip


def fee_by_hand(rate: Rate, minor: int) -> int:
    """The fee (or cost) as one would work it out on paper."""
    exact = Decimal(minor) * rate.ppm / 1_000_000
    fee = int(exact.quantize(Decimal(1), ROUND_HALF_UP)) + rate.fixed_minor
    fee = max(fee, rate.min_minor)
    return fee if rate.max_minor is None else min(fee, rate.max_minor)


def _share(amount: int, others: Iterable[Back], whole: int, of: int, given: int) -> int:
    """All refunds together give back their share, so that the last takes what rounding left."""
    together = min(amount + sum(back.amount for back in others), of)
    exact = Decimal(together) * whole / of
    due = int(exact.quantize(Decimal(1), ROUND_HALF_UP)) - given
    return min(max(due, 0), amount)
