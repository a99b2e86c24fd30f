"""Which channel takes an order: a pure decision that keeps its reasons.

Channels that may take the order are tried by priority (lower first); among equals, a weighted
draw. Every channel that may not is listed with why, so that "why not this one" has an answer.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Final
from uuid import UUID
from zoneinfo import ZoneInfo

from core.kernel.errors import Refusal
from core.kernel.money import Money, format_minor
from core.kernel.tariff import Tariff
from core.parties.suppliers import licence_over
from core.supply.channels.hours import Hours

# Why a channel takes nothing now, though it would at another time.
_PASSING: Final = frozenset({"paused", "hours", "day_count", "day_amount"})


@dataclass(frozen=True, slots=True)
class Channel:
    """One payment method at one supplier, with what decides whether it takes an order.

    Amounts in smallest units of its currency. day_limit_minor, day_limit_count: how much and how
    many orders it takes in a business day of its supplier; None: without end. today: that day.
    zone: the supplier's. paused_at, paused_until: it failed and rests; once that is over, one
    order tries whether it works again.
    """

    id: UUID
    channel_no: str
    name: str
    supplier_id: UUID
    supplier_no: str
    supplier_code: str
    document_id: UUID
    currency: str
    cost: Tariff
    amount_list: tuple[int, ...]
    amount_min: int | None
    amount_max: int | None
    hours: Hours | None
    day_limit_minor: int | None
    day_limit_count: int | None
    weight: int
    priority: int
    state: str
    paused_at: datetime | None
    paused_until: datetime | None
    paused_why: str
    supplier_state: str
    supplier_sandbox: bool
    licence_expires_on: date | None
    zone: str
    today: date

    @property
    def limited(self) -> bool:
        """Whether it takes only so much in a day."""
        return self.day_limit_minor is not None or self.day_limit_count is not None

    @property
    def rationed(self) -> bool:
        """Whether an order that takes it leaves less for others: it takes only so much in a day,
        or it rested, and one order at a time tries whether it works again."""
        return self.limited or self.paused_at is not None


# Why a channel does not take an order, by code; people are shown these or their translations.
REASONS: Final[dict[str, str]] = {
    "off": "is off",
    "archived": "is archived",
    "weight": "has weight 0",
    "paused": "is paused until {until}",
    "supplier_off": "its supplier is off",
    "licence": "its supplier's licence is over",
    "sandbox": "is a sandbox, and the key is live",
    "real": "is real, and the key is for tests",
    "currency": "takes {currency} only",
    "list": "takes {amounts} only",
    "least": "takes {amount} or more",
    "most": "takes {amount} or less",
    "hours": "works {hours} only",
    "day_count": "has its {limit} orders of the day",
    "day_amount": "has {used} of the day's {limit}",
    "refused": "refused: {said}",
}


@dataclass(frozen=True, slots=True)
class Reason:
    """Why a channel was left out. code: of REASONS; facts: what its sentence needs."""

    channel_no: str
    code: str
    facts: dict[str, str] = field(default_factory=dict)

    def pack(self) -> dict[str, object]:
        """As JSON values."""
        return {"channel_no": self.channel_no, "code": self.code, "facts": self.facts}

    def __str__(self) -> str:
        return f"{self.channel_no}: {REASONS[self.code].format_map(self.facts)}"


@dataclass(frozen=True, slots=True)
class Choice:
    """ranked: the channels to try, in order. reasons: one for each that was left out."""

    ranked: tuple[Channel, ...]
    reasons: tuple[Reason, ...]

    def without(self, *more: Reason) -> Choice:
        """The same choice without the channels that these are about."""
        gone = {reason.channel_no for reason in more}
        ranked = tuple(c for c in self.ranked if c.channel_no not in gone)
        return Choice(ranked, self.reasons + more)

    def refusal(self, product: str) -> Refusal:
        """Why no channel takes it: one would later on (no_room), or none ever (no_channel)."""
        passing = any(reason.code in _PASSING for reason in self.reasons)
        reasons = "; ".join(map(str, self.reasons)) or f"{product} has no channel"
        return Refusal("no_room" if passing else "no_channel", reasons=reasons)


@dataclass(frozen=True, slots=True)
class Used:
    """What a channel took, and may still take, of its supplier's business day."""

    count: int
    minor: int


def choose(
    channels: Sequence[Channel],
    amount: Money,
    *,
    now: datetime,
    sandbox_allowed: bool,
    real_allowed: bool,
    draw: Callable[[], float],
    by_name: bool = False,
) -> Choice:
    """Rank the channels of a set for one order, without what they took today: see `why_full`.
    by_name: they are asked for by name, which takes none that is on, nor one with weight.

    sandbox_allowed / real_allowed: test apps reach only sandbox suppliers, live apps only real
    ones; in a demo every supplier is a sandbox. draw: a number in [0, 1) per call.
    """
    able: list[tuple[int, float, Channel]] = []
    reasons: list[Reason] = []
    for channel in channels:
        why = (
            _why_not_on(channel, now, by_name=by_name)
            or _why_not_supplier(channel, now, sandbox_allowed, real_allowed)
            or _why_not_amount(channel, amount)
            or _why_not_hour(channel, now)
        )
        if why:
            reasons.append(why)
        else:
            # Efraimidis-Spirakis: sorting by u^(1/w) draws without replacement by weight
            weight = max(1, channel.weight)
            able.append((channel.priority, -(draw() ** (1 / weight)), channel))
    able.sort(key=lambda entry: (entry[0], entry[1], entry[2].channel_no))
    return Choice(tuple(entry[2] for entry in able), tuple(reasons))


def why_full(channel: Channel, used: Used, amount_minor: int) -> Reason | None:
    """Why a channel that took so much today does not take this amount as well."""
    count, minor = channel.day_limit_count, channel.day_limit_minor
    if count is not None and used.count + 1 > count:
        return Reason(channel.channel_no, "day_count", {"limit": str(count)})
    if minor is not None and used.minor + amount_minor > minor:
        facts = {
            "used": format_minor(used.minor, channel.currency),
            "limit": format_minor(minor, channel.currency),
        }
        return Reason(channel.channel_no, "day_amount", facts)
    return None


def takes_amount(channel: Channel, amount: Money) -> bool:
    """Whether a channel takes this amount at all."""
    return _why_not_amount(channel, amount) is None


def why_paused(channel: Channel, until: datetime) -> Reason:
    """until: shown on the supplier's clocks, which are named, to the second after it."""
    local = (until + timedelta(seconds=1, microseconds=-1)).astimezone(ZoneInfo(channel.zone))
    return Reason(channel.channel_no, "paused", {"until": f"{local:%H:%M:%S} {channel.zone}"})


def _why_not_on(channel: Channel, now: datetime, *, by_name: bool) -> Reason | None:
    if channel.state == "archived" or (channel.state != "on" and not by_name):
        return Reason(channel.channel_no, channel.state)
    if channel.weight == 0 and not by_name:
        return Reason(channel.channel_no, "weight")
    if channel.paused_until is not None and now < channel.paused_until:
        return why_paused(channel, channel.paused_until)
    return None


def _why_not_supplier(
    channel: Channel, now: datetime, sandbox_allowed: bool, real_allowed: bool
) -> Reason | None:
    if channel.supplier_state != "live":
        return Reason(channel.channel_no, "supplier_off")
    if channel.supplier_sandbox and not sandbox_allowed:
        return Reason(channel.channel_no, "sandbox")
    if not channel.supplier_sandbox and not real_allowed:
        return Reason(channel.channel_no, "real")
    # A licence is over by the calendar where the supplier is, whenever its business day is cut.
    last = channel.licence_expires_on
    if licence_over(last, now.astimezone(ZoneInfo(channel.zone)).date()):
        return Reason(channel.channel_no, "licence")
    return None


def _why_not_amount(channel: Channel, amount: Money) -> Reason | None:
    number, currency = channel.channel_no, channel.currency
    if currency != amount.currency:
        return Reason(number, "currency", {"currency": currency})
    if channel.amount_list and amount.minor not in channel.amount_list:
        wanted = ", ".join(format_minor(a, currency) for a in channel.amount_list)
        return Reason(number, "list", {"amounts": wanted})
    if channel.amount_min is not None and amount.minor < channel.amount_min:
        return Reason(number, "least", {"amount": format_minor(channel.amount_min, currency)})
    if channel.amount_max is not None and amount.minor > channel.amount_max:
        return Reason(number, "most", {"amount": format_minor(channel.amount_max, currency)})
    return None


def _why_not_hour(channel: Channel, now: datetime) -> Reason | None:
    local = now.astimezone(ZoneInfo(channel.zone)).time()
    if channel.hours is None or local in channel.hours:
        return None
    return Reason(channel.channel_no, "hours", {"hours": str(channel.hours)})
