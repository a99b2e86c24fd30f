"""A batch of the timetable: done a few at a time, and claimed no sooner than it is done."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import Final, TypeVar

import structlog

from core.kernel.errors import Refusal

_LOG = structlog.get_logger(__name__)

AT_ONCE: Final = 10

T = TypeVar("T")


async def side_by_side(
    batch: int,
    claim: Callable[[int], Awaitable[Sequence[T]]],
    work: Callable[[T], Awaitable[object]],
) -> int:
    """Claim and do up to `batch`, AT_ONCE at a time; how many there were.

    claim: takes so many at most, for as long as one takes. What nobody is free to do is not
    claimed: a claim that waits in line would be over when its turn comes, and the row an old one.
    One slow or failing supplier holds up nobody else.
    """
    first = list(await claim(min(AT_ONCE, batch)))
    done, left = len(first), batch - len(first) if len(first) == AT_ONCE else 0

    async def lane(thing: T) -> None:
        nonlocal done, left
        while True:
            await do_one(work, thing)
            if left <= 0:
                return
            left -= 1
            more = await claim(1)
            if not more:
                left = 0
                return
            done += 1
            thing = more[0]

    for result in await asyncio.gather(*map(lane, first), return_exceptions=True):
        if isinstance(result, Exception):
            _LOG.error("claiming what is due failed", exc_info=result)
    return done


async def do_one(work: Callable[[T], Awaitable[object]], thing: T) -> None:
    """Do one thing. It answers for its own failure; a refusal means that the order moved on."""
    try:
        await work(thing)
    except Refusal as refusal:
        _LOG.info("the order moved on", refusal=refusal.code, facts=refusal.facts)
    except Exception:  # noqa: BLE001 (it must not hold up the others)
        _LOG.exception("following an order failed")
