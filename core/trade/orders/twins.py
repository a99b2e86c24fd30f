"""Who waits, in this process, for what becomes of an order that another call is sending."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextlib import AbstractContextManager, suppress
from uuid import UUID
from weakref import WeakValueDictionary


class Twins:
    """Wakes calls that ask for an order while another call of this process sends it."""

    def __init__(self, elsewhere: Callable[[], AbstractContextManager[None]]) -> None:
        """elsewhere: as `Store.elsewhere`, since it is a supplier that a twin waits for."""
        self._elsewhere = elsewhere
        self._news: WeakValueDictionary[UUID, asyncio.Event] = WeakValueDictionary()

    def tell(self, order_id: UUID) -> None:
        """Something became of the order."""
        if (news := self._news.pop(order_id, None)) is not None:
            news.set()

    async def wait(self, order_id: UUID, wait_s: float) -> bool:
        """Until there is news of the order, or wait_s are over: then False."""
        news = self._news.get(order_id)
        if news is None:
            news = self._news[order_id] = asyncio.Event()
        with self._elsewhere(), suppress(TimeoutError):
            async with asyncio.timeout(wait_s):
                return await news.wait()
        return False
