"""Reference data that does not read: people are told whose it is."""

from __future__ import annotations

from dataclasses import dataclass

from core.people.alarms import Alarms, Trouble
from core.supply.market.market import Market
from core.supply.market.snapshot import Unread
from core.system.store import Store


@dataclass(frozen=True, slots=True)
class AlarmMarket(Trouble):
    """Reference data does not read. rows: how many. first: of them."""

    rows: int
    first: Unread


class MarketWatch:
    """Has an alarm stand for as long as any row of the market does not read."""

    def __init__(self, store: Store, market: Market, alarms: Alarms) -> None:
        self._store = store
        self._market = market
        self._alarms = alarms
        self._told: tuple[Unread, ...] = ()

    async def watch(self) -> None:
        """Tell of what does not read, where that is not what was last told. An alarm is ended
        whoever sounded it: another instance may have."""
        unread = (await self._market.now()).unread
        if unread and unread == self._told:
            return
        async with self._store.transaction() as tx:
            if unread:
                await self._alarms.sound(tx, AlarmMarket(len(unread), unread[0]))
            else:
                await self._alarms.end(tx, AlarmMarket)
        self._told = unread
