"""Tariffs as people write them: `1.2% + 0.10 min 0.05`, `1.2%;满1000元1%`. Pure and exact.

`core.kernel.tariff` shows how a tariff is written back.
"""

from __future__ import annotations

import re
from itertools import pairwise
from typing import Final

from core.kernel.errors import Refusal
from core.kernel.money import PPM, Rate, parse_money
from core.kernel.tariff import Tariff, Tier, TiersBy, short_amount, tariff_fault
from texts.amounts import CURRENCY, NUMBER, SCALE, fold_amount, read_amount

MAX_CHARS: Final = 3000
_PERCENT_DECIMALS: Final = 4  # one part per million
_MAX_PERCENT_CHARS: Final = 40

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
            raise tariff_fault("order", f">={short_amount(after.from_minor, currency)}")
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
    if len(text) > _MAX_PERCENT_CHARS or "," in text:
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
