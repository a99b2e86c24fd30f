"""Both desks are ended and started again, one after the other, while orders come in."""

from __future__ import annotations

import asyncio
from typing import Final

from bench.faults.kit import Row, Site

_PACE_S: Final = 0.2
_LIMIT: Final = 500


async def rolling_restart(place: Site, *, desks: int = 2, calm_s: float = 3.0) -> list[Row]:
    """desks: how many of the two are restarted."""
    enough, took_s = asyncio.Event(), []
    load = place.shop().creates(_LIMIT, _PACE_S, place.town.numbers, enough=enough)
    async with asyncio.TaskGroup() as group:
        running = group.create_task(load)
        for desk in place.desks[:desks]:
            await asyncio.sleep(calm_s)
            took_s.append(await desk.terminate())
            await desk.start()
            await place.front.wait_for(*place.desks)
        await asyncio.sleep(calm_s)
        enough.set()
    meter = running.result()
    ends = ", ".join(f"{one:.1f} s" for one in took_s)
    return [
        Row(
            "drain and restart",
            f"SIGTERM and start of {desks} of two desks behind a proxy that obeys /readyz",
            f"{meter.answers()}, {meter.times()}; the desks took {ends} to end",
            "0 refused, all 201",
            meter.count(201) == len(meter),
        )
    ]
