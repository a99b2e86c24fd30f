"""Numbers that are one slip away from what somebody wrote: a character is missing, is one too many,
is another, or two are swapped.

What may have been meant is made from what was written, at most MAX_CANDIDATES of it, and looked up
by index: no order is read for it.
"""

from __future__ import annotations

import string
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from itertools import islice
from typing import Final, Literal

from core.kernel.ids import MERCHANT_NUMBER_CHARS, NUMBER_CHARS, read_number
from core.people.actors import Actor
from core.system.store import Queries
from core.trade.orders.search import find_ours, scope_of

# So many numbers are tried for one that was written; a number of more characters is none of these.
MAX_CANDIDATES: Final = 1_000
# More orders than these are near a number that belongs to a series: nobody knows which is meant.
MAX_NEAR: Final = 3
_SHORTEST: Final = 6
_LONGEST: Final = MERCHANT_NUMBER_CHARS // 2
_CLASSES: Final = (string.digits, string.ascii_uppercase, string.ascii_lowercase)
_IN_OURS: Final = string.digits + string.ascii_uppercase

# What is wrong with what was written.
Slip = Literal["short", "long", "swapped", "wrong"]
Ways = Iterable[tuple[Slip, Iterable[str]]]


@dataclass(frozen=True, slots=True)
class NearMiss:
    """A number of an order that was probably meant. slip: what is wrong with what was written: a
    character is missing (short), one is too many (long), two are swapped, or one is another."""

    number: str
    slip: Slip


def ours_near(written: str) -> Mapping[str, Slip]:
    """The numbers of ours that may have been meant, by their check character: a few dozen."""
    text = written.strip().upper()
    if abs(len(text) - NUMBER_CHARS) > 1:
        return {}
    ways: Ways = (
        ("swapped", _swapped(text)), ("long", _shorter(text)), ("wrong", _changed(text)),
        ("short", _longer(text, _IN_OURS)),
    )  # fmt: skip
    return {number: slip for number, slip in _slips(ways) if read_number(number) is not None}


def theirs_near(written: str) -> Mapping[str, Slip]:
    """The numbers of a merchant's that may have been meant, at most MAX_CANDIDATES. A wrong
    character is no slip here: numbers that follow each other differ by one."""
    text = written.strip()
    if not _SHORTEST <= len(text) <= _LONGEST:
        return {}
    ways: Ways = (
        ("swapped", _swapped(text)), ("long", _shorter(text)), ("short", _longer(text)),
    )  # fmt: skip
    return dict(islice(_slips(ways), MAX_CANDIDATES))


async def find_near(queries: Queries, actor: Actor, written: str) -> tuple[NearMiss, ...]:
    """What this actor probably meant where they ask, at most MAX_NEAR numbers of orders that they
    see; nothing where there are more. In a supplier's group the numbers are ours alone."""
    ours = ours_near(written)
    slips = {number: ours[number] for number in await find_ours(queries, actor, list(ours))}
    theirs = {} if actor.in_suppliers_group else theirs_near(written)
    merchants = scope_of(actor.merchant_ids)
    if theirs and merchants != []:
        rows = await queries.fetch(_THEIRS, merchants, list(theirs), MAX_NEAR + 1)
        slips |= {row["merchant_order_no"]: theirs[row["merchant_order_no"]] for row in rows}
    if len(slips) > MAX_NEAR:
        return ()
    return tuple(NearMiss(number, slip) for number, slip in sorted(slips.items()))


def _slips(ways: Ways) -> Iterator[tuple[str, Slip]]:
    """Each number once, with what is wrong with what was written."""
    seen = set[str]()
    for slip, numbers in ways:
        for number in numbers:
            if number not in seen:
                seen.add(number)
                yield number, slip


def _swapped(text: str) -> Iterator[str]:
    for place in range(len(text) - 1):
        one, other = text[place], text[place + 1]
        if one != other:
            yield text[:place] + other + one + text[place + 2 :]


def _shorter(text: str) -> Iterator[str]:
    for place in range(len(text)):
        yield text[:place] + text[place + 1 :]


def _changed(text: str) -> Iterator[str]:
    for place in range(len(text)):
        for char in _IN_OURS.replace(text[place], ""):
            yield text[:place] + char + text[place + 1 :]


def _longer(text: str, chars: str = "") -> Iterator[str]:
    """A character more, from the end on, where most are lost. chars: which; else those of the kinds
    that stand beside its place."""
    for place in range(len(text), -1, -1):
        beside = text[max(0, place - 1) : place + 1]
        for char in chars or _like(beside):
            yield text[:place] + char + text[place:]


def _like(beside: str) -> str:
    """The characters of the same kinds as these; a mark is like itself."""
    kinds = "".join(kind for kind in _CLASSES if not set(kind).isdisjoint(beside))
    return kinds + "".join(char for char in beside if not char.isalnum())


_THEIRS: Final = """
SELECT DISTINCT merchant_order_no FROM order_key
WHERE merchant_order_no = ANY($2::text[])
  AND merchant_id = ANY(coalesce($1::uuid[], ARRAY(SELECT id FROM merchant)))
LIMIT $3
"""
