"""The connections of this process to PostgreSQL, for none of which anybody waits for ever."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import asyncpg
from asyncpg.pool import PoolAcquireContext

# For a connection: few wait for who is stuck.
POOL_WAIT_S: Final = 3.0

if TYPE_CHECKING:
    _AnyPool = asyncpg.Pool[asyncpg.Record]
else:
    _AnyPool = asyncpg.Pool  # generic for the checker alone


class Pool(_AnyPool):
    """A pool whose connections come back as they are."""

    def acquire(self, *, timeout: float | None = None) -> PoolAcquireContext[asyncpg.Record]:
        return super().acquire(timeout=POOL_WAIT_S if timeout is None else timeout)


async def open_pool(**options: Any) -> Pool:
    """A pool of connections. options: of asyncpg.

    A session is never changed: what a transaction sets goes with it (SET LOCAL, locks of the
    transaction), and listening has a connection of its own (`core.system.news`). So nothing has to
    be put right at the server, which would be one more question after each. A transaction that was
    left open is rolled back by the driver all the same.
    """
    defaults = {
        "max_queries": 50_000,
        "max_inactive_connection_lifetime": 300.0,
        "record_class": asyncpg.Record,
        "reset": _leave,
    }
    return await Pool(**{**defaults, **options})


async def _leave(_: object) -> None:
    """A session is as it was."""
