"""Builds the business once: its districts, from the ground up, each with those it needs."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from redis.asyncio import Redis

from core.accounts.district import Accounts, build_accounts
from core.books import Ledger
from core.delivery.district import Delivery, build_delivery
from core.kernel.clock import Clock, SharedClock
from core.kernel.ids import Ids
from core.parties.district import Parties, build_parties
from core.people.district import People, build_people
from core.reports.district import Reports, build_reports
from core.supply.district import Supply, build_supply
from core.system.call_limits import CallLimits
from core.system.district import System
from core.system.gateway import Gateway
from core.system.pool import POOL_SIZES, PoolSizes
from core.system.redis_link import link_redis
from core.system.store import Store
from core.system.throttle import Throttle
from core.system.vault import Vault
from core.trade.district import Trade, build_trade
from core.trade.orders import Addresses

CASHIER_PATH: Final = "/pay/"
CALLBACK_PATH: Final = "/callbacks/"


@dataclass(frozen=True, slots=True)
class Runtime:
    """The whole business, ready to be called by the rooms above it."""

    system: System
    ledger: Ledger
    delivery: Delivery
    parties: Parties
    people: People
    supply: Supply
    trade: Trade
    accounts: Accounts
    reports: Reports

    async def close(self) -> None:
        """Let go of everything that holds a connection."""
        await self.system.close()


@dataclass(frozen=True, slots=True)
class Connections:
    """The servers that the desk keeps its state in. pool: connections to the database."""

    database_url: str
    redis_url: str
    pool: PoolSizes = POOL_SIZES


async def build(
    connections: Connections,
    *,
    master_key: str,
    public_url: str,
    allow_private_targets: bool,
    outbound_proxy: str | None = None,
    instance_name: str = "desk",
    clock: Clock | None = None,
) -> Runtime:
    """Connect and assemble. public_url: where suppliers and payers reach this desk.
    outbound_proxy: what all calls to suppliers and merchants go through. instance_name: tells this
    process from others that run the same desk. clock: the database's where none is given."""
    clock = clock or SharedClock()
    store = await Store.open(connections.database_url, sizes=connections.pool)
    link = link_redis(connections.redis_url)
    system = System(
        demo=await store.kind() == "demo",
        public_url=public_url,
        clock=clock,
        ids=Ids(clock),
        store=store,
        vault=Vault(master_key),
        redis=Redis.from_url(connections.redis_url, socket_timeout=2, socket_connect_timeout=2),
        link=link,
        throttle=Throttle(link),
        call_limits=CallLimits(link),
        gateway=Gateway(allow_private=allow_private_targets, proxy=outbound_proxy),
    )
    ledger = Ledger(store, clock, system.ids)
    delivery = build_delivery(system)
    parties = build_parties(system, ledger)
    people = build_people(system, delivery, parties)
    supply = build_supply(system, delivery, parties, people, private_targets=allow_private_targets)
    addresses = Addresses(
        callback_url=lambda attempt_no: f"{public_url}{CALLBACK_PATH}{attempt_no}",
        cashier_url=lambda order_no: f"{public_url}{CASHIER_PATH}{order_no}",
    )
    trade = build_trade(system, ledger, delivery, parties, people, supply, addresses)
    accounts = build_accounts(system, ledger, delivery, parties, people, supply)
    reports = build_reports(
        system, ledger, delivery, parties, people, supply, trade, instance_name=instance_name
    )
    await reports.instance.beat()  # the time is right before anybody asks for it
    await ledger.calendar.open_house()
    return Runtime(system, ledger, delivery, parties, people, supply, trade, accounts, reports)
