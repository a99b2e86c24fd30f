"""The market, kept in memory and looked at again when it may be another one."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from contextvars import Context
from datetime import datetime
from typing import Final
from uuid import UUID

import structlog

from core.connectors import Connector
from core.kernel.clock import Clock
from core.kernel.errors import Bug
from core.parties.suppliers import Suppliers
from core.supply.channels import Channel
from core.supply.market.rows import TABLES, VERSION, Opener, read_snapshot
from core.supply.market.snapshot import Snapshot
from core.system.pool import POOL_WAIT_S
from core.system.store import Store
from core.system.vault import Vault

_LOG = structlog.get_logger(__name__)
# Where news gets lost on its way, this is how long the market may be behind.
MARKET_LOOK_S: Final = 1.0
# Each look answers what was heard before it; news may come during each of them.
_MOST_LOOKS: Final = 5


class Market:
    """Says how the market stands.

    A snapshot is at most as old as news of a change takes to come here (a LISTEN connection of its
    own), and not at all behind what this process itself has changed. A look at the version says so
    again every MARKET_LOOK_S while somebody asks. Whoever must not decide by an old one hands its
    version over with what is written, and decides again where that is another one by then.
    """

    def __init__(
        self,
        store: Store,
        vault: Vault,
        clock: Clock,
        suppliers: Suppliers,
        steady_s: Callable[[], float] = time.monotonic,
    ) -> None:
        """steady_s: seconds since any moment."""
        self._clock = clock
        self._suppliers = suppliers
        self._steady_s = steady_s
        self._opener = Opener(vault)
        self._connection = store.news("market", self._heard)
        self._snapshot: Snapshot | None = None
        self._looking: asyncio.Task[None] | None = None
        self._news = 0  # how often something may have changed
        self._news_seen = -1
        self._looked_at_s = 0.0
        store.own_writes.watch(TABLES, self._heard)

    async def now(self) -> Snapshot:
        """The market as it stands. Asks nobody, unless something changed or MARKET_LOOK_S is over;
        then all who ask wait for one look. May be called inside a transaction: the look has its own
        connection, and does not see what is not committed. Raises what the database raises."""
        for _ in range(_MOST_LOOKS):
            if self._snapshot is not None and self._is_fresh():
                return self._snapshot
            if self._looking is None or self._looking.done():
                # In a context of its own: it belongs to all who wait, and ends with none of them.
                self._looking = asyncio.create_task(self._look(), name="market", context=Context())
                self._looking.add_done_callback(_taken_note_of)
            await asyncio.shield(self._looking)
        if self._snapshot is None:
            raise Bug("the market was looked at and not kept")
        return self._snapshot

    async def reload(self) -> Snapshot:
        """The market after a look that begins now: a write said that the snapshot is stale."""
        self._heard()
        return await self.now()

    async def channels(
        self, product_code: str, merchant_id: UUID | None, now: datetime, only: UUID | None = None
    ) -> list[Channel]:
        """As `Snapshot.channels`, as it stands."""
        return (await self.now()).channels(product_code, merchant_id, now, only)

    async def connector(self, document_id: UUID) -> Connector:
        """As `Suppliers.connector`: a document never changes."""
        return await self._suppliers.connector(document_id)

    def _heard(self) -> None:
        self._news += 1

    def _is_fresh(self) -> bool:
        return (
            self._news_seen == self._news
            and self._connection.alive
            and self._steady_s() - self._looked_at_s < MARKET_LOOK_S
        )

    async def _look(self) -> None:
        try:
            connection = await self._connection.opened()
            news, looked_at_s = self._news, self._steady_s()
            version = await connection.fetchval(VERSION, timeout=POOL_WAIT_S)
            if self._snapshot is None or self._snapshot.version != version:
                self._keep(await read_snapshot(connection, self._opener, self._clock.now()))
        except BaseException:
            self._connection.cut()
            raise
        self._news_seen, self._looked_at_s = news, looked_at_s

    def _keep(self, snapshot: Snapshot) -> None:
        known = self._snapshot.unread if self._snapshot is not None else ()
        for one in snapshot.unread:
            if one not in known:
                _LOG.error("reference data not read", kind=one.kind, name=one.name, why=one.why)
        self._snapshot = snapshot


def _taken_note_of(task: asyncio.Task[None]) -> None:
    """Its failure is told to whoever waits for it, and to nobody else."""
    if not task.cancelled():
        task.exception()
