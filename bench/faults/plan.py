"""All faults there are, by the name under which they are asked for, and what each of them needs."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Final

from bench.faults import away, clocks, connections, drain, fairness, kills, locks, logs, telegram
from bench.faults.kit import Ground, Row, Site, site


@dataclass(frozen=True, slots=True)
class Fault:
    """A fault, planted and measured on a site of its own.

    desks: how many are ready before it begins; with 0 it starts its own. embedded: the desk runs
    its servers itself, so that it has to start them again.
    """

    measure: Callable[[Site], Awaitable[list[Row]]]
    desks: int = 1
    embedded: bool = False

    @property
    def title(self) -> str:
        return self.measure.__name__.replace("_", " ")

    async def plant(self, ground: Ground) -> list[Row]:
        async with site(ground, desks=self.desks, embedded=self.embedded) as place:
            return await self.measure(place)


FAULTS: Final[Mapping[str, tuple[Fault, ...]]] = {
    "log": (Fault(logs.disk_full, 0), Fault(logs.pipe_closed, 0), Fault(logs.pipe_unread, 0)),
    "lock": (
        Fault(locks.reader_and_months),
        Fault(locks.reader_and_migrate),
        Fault(locks.stuck_session),
        Fault(locks.frozen_desk, 2),
    ),
    "clock": (Fault(clocks.desk_slow, 0), Fault(clocks.desk_fast, 0)),
    "away": (Fault(away.database_read_only), Fault(away.database_hung), Fault(away.valkey_hung)),
    "kills": (Fault(kills.kill_everything, embedded=True),),
    "drain": (Fault(drain.rolling_restart, 2),),
    "chat": (
        Fault(telegram.busy_evening),
        Fault(telegram.group_that_moves),
        Fault(telegram.many_lines),
    ),
    "fairness": (Fault(fairness.silent_receivers),),
    "connections": (
        Fault(connections.half_open_connections, 0),
        Fault(connections.slow_connections, 0),
    ),
}
