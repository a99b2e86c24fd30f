"""Builds the supply: what is sold, over which channels, from which suppliers."""

from __future__ import annotations

import random
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from core.delivery.district import Delivery
from core.parties.district import Parties
from core.people.district import People
from core.supply.catalogue import Catalogue
from core.supply.channels import Channels, ChannelSets, Routing
from core.supply.margins import LossApprovals, Margins
from core.supply.market import Market, MarketWatch
from core.supply.onboarding import DocumentQuestion, Documents, Licences, Onboarding
from core.system.district import System

_LIBRARY: Final = Path(__file__).resolve().parents[2] / "connectors"


@dataclass(frozen=True, slots=True)
class Supply:
    """market: reference data in memory. routing: which channel takes an order. margins:
    rates beside costs. loss_approvals: who is asked where a rate is below cost. catalogue: products
    and channels, as people change them."""

    market: Market
    market_watch: MarketWatch
    documents: Documents
    onboarding: Onboarding
    licences: Licences
    channels: Channels
    channel_sets: ChannelSets
    routing: Routing
    margins: Margins
    loss_approvals: LossApprovals
    catalogue: Catalogue


def build_supply(
    system: System, delivery: Delivery, parties: Parties, people: People, *, private_targets: bool
) -> Supply:
    """private_targets: suppliers may be at addresses that are not reachable from the internet."""
    store, clock, audit = system.store, system.clock, delivery.audit
    groups, suppliers = people.groups, parties.suppliers
    chance = random.SystemRandom().random
    market = Market(store, system.vault, clock, suppliers)
    documents = Documents(system, delivery, people, _LIBRARY)
    people.approvals.carries_out(DocumentQuestion, documents.decide_own)
    routing = Routing(system, market.channels, chance, people.alarms)
    channels = Channels(store, clock, system.ids, audit, routing.limits_changed)
    margins = Margins(market, people.settings, clock, demo=system.demo)
    losses = LossApprovals(store, people, margins)
    return Supply(
        market,
        MarketWatch(store, market, people.alarms),
        documents,
        Onboarding(system, audit, suppliers, people, allow_private=private_targets),
        Licences(store, clock, groups, delivery.outbox),
        channels,
        channels.sets,
        routing,
        margins,
        losses,
        Catalogue(store, delivery, parties, people, channels, losses),
    )
