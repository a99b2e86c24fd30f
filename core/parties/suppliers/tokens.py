"""Suppliers' tokens: one is fetched at a time, kept while it lives, and never written down."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

from core.connectors import Connector
from core.kernel.clock import Clock
from core.parties.suppliers.suppliers import Supplier
from core.system.gateway import NeverSent

MAX_KEPT: Final = 1000
# A token is used no more when less than this, or a tenth of its life, is left of it.
MARGIN_S: Final = 60
# The token and how many seconds it lives
Fetch = Callable[[], Awaitable[tuple[str, int]]]


@dataclass(slots=True)
class _Box:
    """What is known of one supplier's token. tried: how often one was asked for, in vain or not."""

    credentials: Mapping[str, str]
    lock: asyncio.Lock = field(default_factory=asyncio.Lock)
    token: str | None = None
    until: datetime | None = None
    tried: int = 0
    fault: str = ""


class Tokens:
    """The tokens of this process. Each process has its own: suppliers give as many as are asked
    for, and one that is lost costs one request."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._boxes: dict[tuple[UUID, str], _Box] = {}

    async def get(self, supplier: Supplier, connector: Connector, fetch: Fetch) -> str:
        """The token; fetched where there is none that lives. Others wait for the one who fetches,
        and share its failure. Raises NeverSent as `fetch` does."""
        box = self._box(supplier, connector)
        seen = box.tried
        async with box.lock:
            now = self._clock.now()
            if box.token is not None and box.until is not None and now < box.until:
                return box.token
            if box.tried != seen and box.fault:
                raise NeverSent(box.fault)
            box.token, box.fault = None, ""
            try:
                token, lives_s = await fetch()
            except NeverSent as error:
                box.fault = error.why
                raise
            finally:
                box.tried += 1
            margin_s = min(MARGIN_S, lives_s / 10)
            box.token = token
            box.until = now + timedelta(seconds=lives_s - margin_s)
            return token

    def drop(self, supplier: Supplier, connector: Connector, token: str) -> None:
        """The supplier no longer takes this one; a newer one that is there stays."""
        box = self._box(supplier, connector)
        if box.token == token:
            box.token = None

    def _box(self, supplier: Supplier, connector: Connector) -> _Box:
        """The box of a supplier and a version of its document; other credentials begin anew."""
        key = supplier.id, connector.version
        box = self._boxes.get(key)
        if box is None or box.credentials != supplier.credentials:
            if len(self._boxes) >= MAX_KEPT:
                self._boxes.clear()
            box = self._boxes[key] = _Box(supplier.credentials)
        return box
