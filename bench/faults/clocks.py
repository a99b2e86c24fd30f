"""The clock of one of two desks is wrong: slow, or fast."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Final

from bench.faults.kit import Meter, NotSo, Row, Site, share, until
from bench.faults.kit.town import OPERATORS

SLOW_S: Final = -42
FAST_S: Final = 600
# Orders that live this long would be over for a desk that is ten minutes fast.
_LIFE_S: Final = 300
TOLD: Final = "One host's clock is wrong"
_TOLD_S: Final = 30.0
_ANSWERED_S: Final = 30.0
# Telegram takes its time, so that calls are under way while leases are looked at.
_TELEGRAM_S: Final = 1.0
_LIBRARIES: Final = ("/usr/lib/*/faketime", "/usr/lib/faketime", "/usr/local/lib/faketime")


async def desk_slow(place: Site, *, lines: int = 24, creates: int = 40) -> list[Row]:
    return await _wrong(place, SLOW_S, lines, creates)


async def desk_fast(place: Site, *, lines: int = 24, creates: int = 40) -> list[Row]:
    return await _wrong(place, FAST_S, lines, creates)


async def _wrong(place: Site, ahead_s: int, lines: int, creates: int) -> list[Row]:
    fault = f"clocks: {abs(ahead_s)} s {'fast' if ahead_s > 0 else 'slow'}"
    if (library := _library()) is None:
        why = "not planted here: libfaketime is not installed"
        return [Row(fault, "one of two desks", why, "0 doubled, 0 expired", None)]
    right, wrong = place.add_desk(), place.add_desk()
    wrong_start = wrong.start(
        ready=False,
        LD_PRELOAD=str(library),
        FAKETIME=f"{ahead_s:+d}s",
        FAKETIME_DONT_FAKE_MONOTONIC="1",
    )
    await asyncio.gather(right.start(), wrong_start)
    status, parts = await wrong.readiness()
    await place.front.wait_for(right)
    out = wrong not in place.front.ready
    await place.warm(right)
    rows = await _used(place, fault, lines, creates)
    try:
        told = await until(lambda: place.ops_hear(TOLD), what="ops is told", within_s=_TOLD_S)
    except NotSo:
        told = False
    measured = f"/readyz {status}, clock: {parts.get('clock')}; ops {'' if told else 'not '}told"
    good = status == 503 and parts.get("clock") is False and told and out
    return [
        Row(fault, "one of two desks", measured, "out of rotation (503), and alarmed", good),
        *rows,
    ]


async def _used(place: Site, fault: str, lines: int, creates: int) -> list[Row]:
    """Lines of money and orders, while Telegram is slow."""
    slow = {"kind": "slow", "method": "sendMessage", "times": lines, "delay_s": _TELEGRAM_S}
    await place.chats.control("fault", slow)
    shop = place.shop()
    texts = [f"+{1000 + number}" for number in range(lines)]
    said, opened = await asyncio.gather(
        place.chats.lines(texts, place.town.groups[:8], OPERATORS, 0.2),
        shop.creates(creates, 0.2, place.town.numbers, expires_in=_LIFE_S),
    )
    answers = place.chats.answers(said)
    await answers.wait(_ANSWERED_S)
    twice = sum(count > 1 for count in answers.per_line())
    once = sum(count == 1 for count in answers.per_line())
    over = await _expired(place, opened)
    return [
        Row(fault, f"{lines} lines of money, Telegram slow",
            f"{share(once, lines)} answered once, {twice} twice", "all answered once",
            once == lines),
        Row(fault, f"{creates} orders that live {_LIFE_S} s",
            f"{opened.answers()}; {over} expired", "all 201, 0 expired",
            opened.count(201) == creates and not over),
    ]  # fmt: skip


async def _expired(place: Site, opened: Meter) -> int:
    async with place.database() as owner:
        return int(
            await owner.fetchval(
                "SELECT count(*) FROM orders WHERE state = 'expired' AND order_no = ANY($1)",
                [call.order_no for call in opened.calls],
            )
        )


def _library() -> Path | None:
    """The library that gives a process another time, where it is installed."""
    for folder in _LIBRARIES:
        for found in sorted(Path("/").glob(f"{folder[1:]}/libfaketime.so.1")):
            return found
    return None
