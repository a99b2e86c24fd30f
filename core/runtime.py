"""Builds the business once: every object with what it needs, handed in through constructors."""

from __future__ import annotations

import random
import secrets
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from redis.asyncio import Redis

from core.accounts.adjustments import Adjustments
from core.accounts.credit import Credit
from core.accounts.daycuts import DayCuts
from core.accounts.payins import Payins
from core.accounts.prepayments import Prepayments
from core.accounts.pricing import Pricing
from core.accounts.rerating import Reratings
from core.accounts.slips import Slips
from core.accounts.vouchers import Vouchers
from core.books import Ledger
from core.delivery.audit import Audit
from core.delivery.inbox import Inbox
from core.delivery.outbox import Outbox
from core.kernel.clock import Clock, SharedClock
from core.kernel.ids import Ids
from core.parties.merchants import Merchants
from core.parties.suppliers import Calls, Suppliers
from core.people.actors import Access
from core.people.alarms import Alarms
from core.people.approvals import Confirmations
from core.people.groups import Groups
from core.people.parked import Parked
from core.people.people import People
from core.people.receipts import Causes
from core.people.refusals import Refusals
from core.reports.bills import Bills
from core.reports.exports import Exports
from core.reports.instance import Instance
from core.reports.statistics import Counting
from core.reports.ticks import Ticks
from core.reports.verify import Verify
from core.supply.channels import Channels, ChannelSets, Routing
from core.supply.onboarding import Documents, Licences, Vetting
from core.supply.selling import Selling
from core.system.gateway import Gateway
from core.system.redis_link import RedisLink, link_redis
from core.system.store import Store
from core.system.throttle import Throttle
from core.system.vault import Vault
from core.trade.callbacks import Callbacks, RefusedCallbacks
from core.trade.completions import Completions
from core.trade.discrepancies import Discrepancies
from core.trade.lookups import Lookups
from core.trade.notifications import Notifications
from core.trade.orders import (
    Addresses,
    Calling,
    Completing,
    Contradictions,
    Following,
    Opening,
    Settling,
)
from core.trade.refunds import Refunding, Refunds, RefundsByHand

_LIBRARY: Final = Path(__file__).resolve().parent.parent / "connectors"


@dataclass(frozen=True, slots=True)
class Runtime:
    """The whole business, ready to be called by the rooms above it."""

    demo: bool
    public_url: str
    addresses: Addresses
    clock: Clock
    ids: Ids
    store: Store
    vault: Vault
    redis: Redis
    link: RedisLink
    throttle: Throttle
    gateway: Gateway
    ledger: Ledger
    outbox: Outbox
    inbox: Inbox
    audit: Audit
    merchants: Merchants
    people: People
    groups: Groups
    suppliers: Suppliers
    calls: Calls
    documents: Documents
    vetting: Vetting
    licences: Licences
    channels: Channels
    channel_sets: ChannelSets
    routing: Routing
    access: Access
    alarms: Alarms
    ticks: Ticks
    parked: Parked
    instance: Instance
    causes: Causes
    confirmations: Confirmations
    opening: Opening
    settling: Settling
    contradictions: Contradictions
    following: Following
    vouchers: Vouchers
    prepayments: Prepayments
    adjustments: Adjustments
    payins: Payins
    slips: Slips
    refusals: Refusals
    credit: Credit
    daycuts: DayCuts
    notifications: Notifications
    callbacks: Callbacks
    refused_callbacks: RefusedCallbacks
    completions: Completions
    discrepancies: Discrepancies
    refunds: Refunds
    refunding: Refunding
    refunds_by_hand: RefundsByHand
    pricing: Pricing
    selling: Selling
    reratings: Reratings
    lookups: Lookups
    bills: Bills
    statistics: Counting
    exports: Exports
    verify: Verify

    async def close(self) -> None:
        """Let go of everything that holds a connection."""
        await self.gateway.close()
        await self.link.aclose()
        await self.redis.aclose()
        await self.store.close()


async def build(
    *,
    database_url: str,
    redis_url: str,
    master_key: str,
    public_url: str,
    allow_private_targets: bool,
    outbound_proxy: str | None = None,
    pool_max: int = 12,
    instance_name: str = "desk",
    clock: Clock | None = None,
    cashier_path: str = "/pay/",
    callback_path: str = "/callbacks/",
) -> Runtime:
    """Connect and assemble. public_url: where suppliers and payers reach this desk.
    outbound_proxy: what all calls to suppliers and merchants go through. instance_name: tells this
    process from others that run the same desk. clock: the database's where none is given."""
    clock = clock or SharedClock()
    ids = Ids(clock)
    store = await Store.open(database_url, pool_max=pool_max)
    demo = await store.kind() == "demo"
    vault = Vault(master_key)
    # Limits do without it at once; an open dialogue cannot, and waits for its answer.
    link = link_redis(redis_url)
    redis = Redis.from_url(redis_url, socket_timeout=2, socket_connect_timeout=2)
    gateway = Gateway(allow_private=allow_private_targets, proxy=outbound_proxy)
    ledger = Ledger(store, clock, ids)
    outbox = Outbox(store, clock, ids)
    audit = Audit(clock, ids)
    merchants = Merchants(store, vault, clock, ids, ledger)
    people = People(clock, ids)
    groups = Groups(store, clock, ids, outbox)
    alarms = Alarms(store, clock, ids, groups, outbox)
    instance = Instance(instance_name, store, clock, alarms)
    await instance.beat()  # the time is right before anybody asks for it
    await ledger.open_house()
    suppliers = Suppliers(vault, clock, ids, ledger)

    routing = Routing(store, link, clock, random.SystemRandom().random, groups.tell_ops, demo=demo)
    channels = Channels(store, clock, ids, audit, routing.limits_changed)
    channel_sets = ChannelSets(store, ids, audit)
    calls = Calls(store, clock, ids, gateway, _nonce)
    addresses = Addresses(
        callback_url=lambda attempt_no: f"{public_url}{callback_path}{attempt_no}",
        cashier_url=lambda order_no: f"{public_url}{cashier_path}{order_no}",
    )
    calling = Calling(merchants, suppliers, calls, clock, _nonce, addresses)
    contradictions = Contradictions(store, clock, ids, alarms)
    settling = Settling(
        ids, ledger, merchants, groups, outbox, routing, addresses.cashier_url, contradictions
    )
    completing = Completing(ids, ledger, merchants, groups, settling, routing)
    confirmations = Confirmations(store, clock, ids)
    refused = RefusedCallbacks(store, clock, ids, alarms)
    opening = Opening(store, clock, ids, ledger, merchants, routing, groups, calling, settling)
    following = Following(store, clock, ids, groups, calling, opening, settling, routing)
    causes = Causes(store, clock, outbox, audit)
    vouchers = Vouchers(store, ids, ledger, groups, outbox, audit)
    verbs = (Prepayments(vouchers), Adjustments(vouchers), Payins(vouchers))
    refunds = Refunds(ids, ledger, merchants, groups, outbox)
    bills = Bills(store, clock, ledger, merchants, suppliers)
    return Runtime(
        demo=demo,
        public_url=public_url,
        addresses=addresses,
        clock=clock,
        ids=ids,
        store=store,
        vault=vault,
        redis=redis,
        link=link,
        throttle=Throttle(link),
        gateway=gateway,
        ledger=ledger,
        outbox=outbox,
        inbox=Inbox(store, clock),
        audit=audit,
        merchants=merchants,
        people=people,
        groups=groups,
        suppliers=suppliers,
        calls=calls,
        documents=Documents(store, clock, ids, people, groups, outbox, audit, _LIBRARY),
        vetting=Vetting(
            store, clock, suppliers, people, groups, audit, allow_private=allow_private_targets
        ),
        licences=Licences(store, clock, groups, outbox),
        channels=channels,
        channel_sets=channel_sets,
        routing=routing,
        access=Access(people, groups, merchants),
        alarms=alarms,
        ticks=Ticks(store, clock, alarms),
        parked=Parked(store, groups, people, alarms, outbox, audit),
        instance=instance,
        causes=causes,
        confirmations=confirmations,
        opening=opening,
        settling=settling,
        contradictions=contradictions,
        following=following,
        vouchers=vouchers,
        prepayments=verbs[0],
        adjustments=verbs[1],
        payins=verbs[2],
        slips=Slips(store, clock, confirmations, outbox, vouchers, verbs, (merchants, suppliers)),
        refusals=Refusals(store, clock, ids, outbox),
        credit=Credit(store, ledger, groups, outbox, causes),
        daycuts=DayCuts(ledger, merchants, suppliers, causes),
        notifications=Notifications(store, clock, gateway, merchants, groups),
        callbacks=Callbacks(
            store, clock, ids, merchants, suppliers, settling, following, alarms, refused
        ),
        refused_callbacks=refused,
        completions=Completions(
            store, clock, audit, outbox, groups, merchants, confirmations, following, completing
        ),
        discrepancies=Discrepancies(
            store, clock, ids, ledger, merchants, groups, outbox, audit, confirmations, completing
        ),
        refunds=refunds,
        refunding=Refunding(
            store, clock, ids, ledger, calling, suppliers, calls, refunds, groups.tell_ops
        ),
        refunds_by_hand=RefundsByHand(
            store, ledger, merchants, outbox, audit, confirmations, refunds
        ),
        pricing=Pricing(store, merchants, channels, groups, causes),
        selling=Selling(
            store,
            suppliers,
            channels,
            channel_sets,
            merchants,
            outbox,
            audit,
            causes,
            confirmations,
        ),
        reratings=Reratings(
            store, clock, ids, ledger, merchants, groups, outbox, audit, confirmations
        ),
        lookups=Lookups(store, outbox),
        bills=bills,
        statistics=Counting(store, bills, suppliers),
        exports=Exports(store, clock, ids, ledger, merchants, suppliers, bills, calls),
        verify=Verify(store, merchants, suppliers, bills),
    )


def _nonce() -> str:
    return secrets.token_hex(16)
