"""A tariff: which rate an amount is charged at, and how people write one. Pure.

1.2%                             of the amount
1.2% + 0.10 min 0.05 max 50      plus a fixed part, within bounds
1.2%; >=1000: 1%; >=5000: 0.8%   by the order's amount
volume 1.2%; >=100000: 1%        by what the month's closed days came to
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any, Final, Literal

from core.kernel.amounts import CURRENCY, NUMBER, SCALE, fold_amount, read_amount
from core.kernel.errors import Refusal
from core.kernel.money import EXPONENTS, PPM, Rate, format_minor, parse_money

MAX_TIERS: Final = 20
MAX_CHARS: Final = 3000
_PERCENT_DECIMALS: Final = 4  # one part per million
TiersBy = Literal["amount", "volume"]

# What can be wrong with a tariff; the catalogues translate each.
FAULTS: Final[dict[str, str]] = {
    "empty": "no rate is written",
    "long": "that is too long",
    "unclear": "this part cannot be read",
    "percent": "a percentage lies between 0 and 100 and has at most 4 decimals",
    "amount": "this is not an amount of the currency",
    "twice": "this is said twice",
    "bounds": "the least fee is more than the most",
    "start": "the first tier must begin at 0",
    "threshold": "a tier needs the amount from which it counts",
    "order": "each tier must begin above the one before",
    "many": "there are too many tiers",
    "channel": "a channel's tiers go by amount",
}
_EXAMPLE: Final = "1.2% + 0.10 min 0.05 max 50; >=1000: 1%"
_SHOWN_CHARS: Final = 40


def tariff_fault(key: str, text: str = "") -> Refusal:
    """The refusal of a tariff. key: of FAULTS. text: the part of it that is at fault."""
    return Refusal(
        "tariff_invalid", why=FAULTS[key], text=text[:_SHOWN_CHARS] or "…", example=_EXAMPLE
    )


@dataclass(frozen=True, slots=True)
class Tier:
    """A rate, and from which amount (or monthly volume) on it counts, in smallest units."""

    from_minor: int
    rate: Rate


@dataclass(frozen=True, slots=True)
class Tariff:
    """One rate or several. The whole amount is charged at the rate of its tier.

    tiers_by: amount (of the order) or volume (paid on the closed days of the month so far).
    Refusals: tariff_invalid.
    """

    tiers: tuple[Tier, ...]
    tiers_by: TiersBy = "amount"

    def __post_init__(self) -> None:
        starts = [tier.from_minor for tier in self.tiers]
        if not starts or starts[0] != 0:
            raise tariff_fault("start", str(starts[0]) if starts else "")
        for before, after in pairwise(starts):
            if after <= before:
                raise tariff_fault("order", str(after))
        if len(starts) > MAX_TIERS:
            raise tariff_fault("many", str(len(starts)))

    @staticmethod
    def flat(rate: Rate) -> Tariff:
        """The same rate for every amount."""
        return Tariff((Tier(0, rate),))

    def rate_for(self, amount_minor: int, volume_minor: int = 0) -> Rate:
        """The rate of an order. volume_minor: of the closed days of its month. Whatever is
        measured below 0 is in the first tier."""
        measured = amount_minor if self.tiers_by == "amount" else volume_minor
        return next(t.rate for t in reversed(self.tiers) if t.from_minor <= max(0, measured))

    def of(self, amount_minor: int) -> int:
        """What is charged on an amount at the tier that it is in. Of tiers by amount."""
        return self.rate_for(amount_minor).of(amount_minor)

    def pack(self) -> list[dict[str, int]]:
        """The tiers as JSON values."""
        return [{"from": tier.from_minor, **tier.rate.pack()} for tier in self.tiers]

    @staticmethod
    def unpack(tiers_by: TiersBy, tiers: Sequence[Mapping[str, Any]]) -> Tariff:
        """The tariff that `pack` packed."""
        return Tariff(tuple(Tier(tier["from"], Rate.unpack(tier)) for tier in tiers), tiers_by)


def format_tariff(tariff: Tariff, currency: str) -> str:
    """A tariff as a person writes it; `parse_tariff` reads it back."""
    pieces = [
        (f">={_plain(tier.from_minor, currency)}: " if tier.from_minor else "")
        + _format_rate(tier.rate, currency)
        for tier in tariff.tiers
    ]
    return ("volume " if tariff.tiers_by == "volume" else "") + "; ".join(pieces)


def _format_rate(rate: Rate, currency: str) -> str:
    text = rate.percent()
    if rate.fixed_minor:
        text += f" + {_plain(rate.fixed_minor, currency)}"
    if rate.min_minor:
        text += f" min {_plain(rate.min_minor, currency)}"
    if rate.max_minor is not None:
        text += f" max {_plain(rate.max_minor, currency)}"
    return text


def _plain(minor: int, currency: str) -> str:
    """'0.10', and '1000' where nothing is behind the point."""
    text = format_minor(minor, currency, grouping=False)
    return text if minor % 10 ** EXPONENTS[currency] else text.partition(".")[0]


# ── reading ─────────────────────────────────────────────────────────────────────────────────────
# What keyboards put in the place of signs that only a tariff has.
_FOLD: Final = {0xFE6A: "%", 0x2265: ">=", 0x2267: ">=", 0x000A: ";"}
_BY: Final = re.compile(
    r"(?:(?P<volume>by volume|volume|monthly|按月跑量|按月流水|按月量|按月|月跑量|月流水|月量|月)"
    r"|by amount|amount|按金额|按单笔|单笔)\s*:?\s*"
)
_UNIT: Final = rf"(?:{CURRENCY}|(?!min|max|least|most)[a-z]{{3,4}})(?![a-z])"
_AMOUNT: Final = rf"{NUMBER}(?:\s*(?:{SCALE})(?:(?![a-z])|(?={_UNIT})))?(?:\s*{_UNIT})?"
_PERCENT: Final = r"[0-9]+(?:,[0-9]+)*(?:\.[0-9]+)?|\.[0-9]+"
_TIER: Final = re.compile(
    rf"(?P<above>>=|=>|满|不低于)?\s*(?P<from>{_AMOUNT})"
    r"\s*(?P<up>以上|起)?\s*[:,]?\s*(?P<rate>.*)"
)
_RATE: Final = re.compile(rf"(?P<percent>{_PERCENT})\s*(?:%|个点)?\s*(?P<parts>.*)")
_PART: Final = re.compile(
    rf"[,\s]*(?P<word>\+|加|min|least|最低|至少|最少|保底|max|most|最高|至多|最多|封顶)\s*:?\s*"
    rf"(?P<amount>{_AMOUNT})"
    r"\s*(?:/笔|每笔|per order)?[,\s]*"
)
_PARTS: Final = {
    "+": "fixed", "加": "fixed",
    "min": "min", "least": "min", "最低": "min", "至少": "min", "最少": "min", "保底": "min",
    "max": "max", "most": "max", "最高": "max", "至多": "max", "最多": "max", "封顶": "max",
}  # fmt: skip


def parse_tariff(text: str, currency: str) -> Tariff:
    """Read a tariff as a person writes it; forgiving of spaces, full-width and Chinese forms.

    Exact: at most 4 decimals in a percentage, amounts within the currency's decimals.
    Refusals: tariff_invalid, amount_doubtful.
    """
    if len(text) > MAX_CHARS:
        raise tariff_fault("long", text)
    plain = " ".join(fold_amount(text.lower().translate(_FOLD)).split())
    by = _BY.match(plain)
    tiers_by: TiersBy = "volume" if by and by["volume"] else "amount"
    body = plain[by.end() :] if by else plain
    pieces = [p.strip() for p in re.split(r";|(?=>=|=>|满|不低于)", body) if p.strip()]
    if not pieces:
        raise tariff_fault("empty")
    tiers = tuple(_tier(piece, currency, first=n == 0) for n, piece in enumerate(pieces))
    for before, after in pairwise(tiers):
        if after.from_minor <= before.from_minor:
            raise tariff_fault("order", f">={_plain(after.from_minor, currency)}")
    return Tariff(tiers, tiers_by)


def _tier(piece: str, currency: str, *, first: bool) -> Tier:
    match = _TIER.fullmatch(piece)
    if match is None or not (match["above"] or match["up"]):
        if not first:
            raise tariff_fault("threshold", piece)
        return Tier(0, _rate(piece, currency))
    from_minor = _amount(match["from"], currency)
    if first and from_minor:
        raise tariff_fault("start", piece)
    return Tier(from_minor, _rate(match["rate"], currency))


def _rate(text: str, currency: str) -> Rate:
    match = _RATE.fullmatch(text)
    if match is None:
        raise tariff_fault("unclear", text)
    amounts: dict[str, int] = {}
    parts, at = match["parts"], 0
    while at < len(parts):
        part = _PART.match(parts, at)
        if part is None:
            raise tariff_fault("unclear", parts[at:])
        name = _PARTS[part["word"]]
        if name in amounts:
            raise tariff_fault("twice", part[0].strip())
        amounts[name] = _amount(part["amount"], currency)
        at = part.end()
    if amounts.get("min", 0) > amounts.get("max", amounts.get("min", 0)):
        raise tariff_fault("bounds", parts)
    least, most = amounts.get("min", 0), amounts.get("max")
    return Rate(_ppm(match["percent"]), amounts.get("fixed", 0), least, most)


def _ppm(text: str) -> int:
    """'1.2' -> 12000. What the pattern lets through is a number, perhaps a very long one."""
    if len(text) > _SHOWN_CHARS or "," in text:
        raise tariff_fault("percent", text)
    units, _, decimals = text.partition(".")
    decimals = decimals.rstrip("0")
    if len(decimals) > _PERCENT_DECIMALS:
        raise tariff_fault("percent", text)
    ppm = int(units or "0") * 10_000 + int(decimals.ljust(_PERCENT_DECIMALS, "0"))
    if ppm > PPM:
        raise tariff_fault("percent", text)
    return ppm


def _amount(text: str, currency: str) -> int:
    amount = read_amount(text)
    if amount is None or amount.currency not in ("", currency):
        raise tariff_fault("unclear", text)
    units = amount.units_in(currency)
    try:
        return parse_money(f"{units:f}", currency).minor
    except Refusal:
        raise tariff_fault("amount", text) from None
