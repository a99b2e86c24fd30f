"""Connections that say nothing, or half of something, until a desk has no files left."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from typing import Final
from urllib.parse import urlsplit

from bench.faults.kit import Desk, Row, Site, every, share
from bench.faults.kit.ground import HOST

FILES: Final = 300
_HALF: Final = b"POST /v1/orders HTTP/1.1\r\nHost: desk\r\nContent-"
# They come from an address of their own, where this machine has more than one of itself.
_THEIRS: Final = "127.0.0.9"
_PACE_S: Final = 0.5
_READY_BAR_S: Final = 3.0


async def slow_connections(
    place: Site, *, idle: int = 290, half: int = 300, creates: int = 40
) -> list[Row]:
    fault = "connections"
    done = f"{idle} idle and {half} half-open ones; the process may have {FILES} files"
    limited = ("sh", "-c", f'ulimit -n {FILES} && exec "$@"', "desk")
    desk = await place.add_desk().start(prefix=limited)
    await place.warm(desk)
    async with _held(desk.url, idle, half):
        meter, ready = await asyncio.gather(
            place.shop(desk).creates(creates, _PACE_S, place.town.numbers),
            _readiness(desk, creates),
        )
    answered = sum(status == 200 for status in ready)
    return [
        Row(fault, done, f"{meter.answers()}, {meter.times()}", "every create is served",
            meter.count(201) == len(meter)),
        Row(fault, "/readyz meanwhile", f"{share(answered, len(ready))} answered 200 in"
            f" ≤ {_READY_BAR_S:.0f} s", "all", answered == len(ready)),
    ]  # fmt: skip


async def half_open_connections(place: Site) -> list[Row]:
    """Alone: those that bring half of a request and no more."""
    return await slow_connections(place, idle=0)


async def _readiness(desk: Desk, times: int) -> list[int]:
    return [(await desk.readiness())[0] async for _ in every(_PACE_S, times)]


@asynccontextmanager
async def _held(url: str, idle: int, half: int) -> AsyncIterator[None]:
    """So many connections that say nothing, and that begin a request and go no further."""
    port = urlsplit(url).port or 0
    async with AsyncExitStack() as stack:
        for number in range(idle + half):
            with suppress(OSError, TimeoutError):
                _, writer = await asyncio.wait_for(_connect(port), 1.0)
                stack.callback(writer.close)
                if number >= idle:
                    writer.write(_HALF)
        yield


async def _connect(port: int) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    try:
        return await asyncio.open_connection(HOST, port, local_addr=(_THEIRS, 0))
    except OSError:
        return await asyncio.open_connection(HOST, port)
