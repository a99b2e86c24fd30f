"""Which channel takes an order: a pure decision that keeps its reasons.

Channels that may take the order are tried by priority (lower first); among equals, a weighted
draw. Every channel that may not is listed with why, so that "why not this one" has an answer.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date
from uuid import UUID

from core.money import Money, format_minor
from core.tariff import Tariff


@dataclass(frozen=True, slots=True)
class Channel:
    """One payment method at one supplier, with what decides whether it takes an order."""

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
    weight: int
    priority: int
    state: str
    supplier_state: str
    supplier_sandbox: bool
    licence_expires_on: date | None


@dataclass(frozen=True, slots=True)
class Choice:
    """ranked: the channels to try, in order. reasons: 'C01: why', for every one left out."""

    ranked: tuple[Channel, ...]
    reasons: tuple[str, ...]


def choose(
    channels: Sequence[Channel],
    amount: Money,
    *,
    today: date,
    sandbox_allowed: bool,
    real_allowed: bool,
    draw: Callable[[], float],
) -> Choice:
    """Rank the channels of a product for one order.

    sandbox_allowed / real_allowed: test apps reach only sandbox suppliers, live apps only real
    ones; in a demo every supplier is a sandbox. draw: a number in [0, 1) per call.
    """
    able: list[tuple[int, float, Channel]] = []
    reasons: list[str] = []
    for channel in channels:
        why = _why_not(channel, amount, today, sandbox_allowed, real_allowed)
        if why:
            reasons.append(f"{channel.channel_no}: {why}")
        else:
            # Efraimidis-Spirakis: sorting by u^(1/w) draws without replacement by weight
            able.append((channel.priority, -(draw() ** (1 / channel.weight)), channel))
    able.sort(key=lambda entry: (entry[0], entry[1], entry[2].channel_no))
    return Choice(tuple(entry[2] for entry in able), tuple(reasons))


def _why_not(
    channel: Channel, amount: Money, today: date, sandbox_allowed: bool, real_allowed: bool
) -> str | None:
    if channel.state != "on":
        return f"is {channel.state}"
    if channel.weight == 0:
        return "has weight 0"
    if channel.supplier_state != "live":
        return "its supplier is off"
    if channel.supplier_sandbox and not sandbox_allowed:
        return "is a sandbox, and the key is live"
    if not channel.supplier_sandbox and not real_allowed:
        return "is real, and the key is for tests"
    if channel.licence_expires_on is not None and channel.licence_expires_on < today:
        return "its supplier's licence is over"
    return _why_not_amount(channel, amount)


def _why_not_amount(channel: Channel, amount: Money) -> str | None:
    if channel.currency != amount.currency:
        return f"takes {channel.currency} only"
    if channel.amount_list and amount.minor not in channel.amount_list:
        wanted = ", ".join(format_minor(a, channel.currency) for a in channel.amount_list)
        return f"takes {wanted} only"
    if channel.amount_min is not None and amount.minor < channel.amount_min:
        return f"takes {format_minor(channel.amount_min, channel.currency)} or more"
    if channel.amount_max is not None and amount.minor > channel.amount_max:
        return f"takes {format_minor(channel.amount_max, channel.currency)} or less"
    return None
