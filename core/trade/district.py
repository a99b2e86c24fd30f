"""Orders from their creation to their end."""

from __future__ import annotations

from dataclasses import dataclass

from core.books import Ledger
from core.delivery.district import Delivery
from core.parties.district import Parties, nonce
from core.people.district import People
from core.supply.district import Supply
from core.system.district import System
from core.trade.callbacks import Callbacks, RefusedCallbacks
from core.trade.completions import Completions
from core.trade.discrepancies import Discrepancies
from core.trade.lookups import Lookups
from core.trade.notifications import Notifications
from core.trade.orders import (
    Addresses,
    Contradictions,
    Creation,
    FollowUp,
    OrdersByHand,
    Payments,
    SupplierCalls,
)
from core.trade.refunds import RefundDispatch, Refunds, RefundsByHand


@dataclass(frozen=True, slots=True)
class Trade:
    addresses: Addresses
    creation: Creation
    payments: Payments
    contradictions: Contradictions
    follow_up: FollowUp
    notifications: Notifications
    callbacks: Callbacks
    refused_callbacks: RefusedCallbacks
    completions: Completions
    discrepancies: Discrepancies
    refunds: Refunds
    refund_dispatch: RefundDispatch
    refunds_by_hand: RefundsByHand
    lookups: Lookups


def build_trade(
    system: System,
    ledger: Ledger,
    delivery: Delivery,
    parties: Parties,
    people: People,
    supply: Supply,
    addresses: Addresses,
) -> Trade:
    """addresses: where suppliers call back and payers pay."""
    store, clock, ids = system.store, system.clock, system.ids
    outbox, audit = delivery.outbox, delivery.audit
    merchants, suppliers, calls = parties.merchants, parties.suppliers, parties.calls
    groups, alarms, approvals = people.groups, people.alarms, people.approvals
    routing = supply.routing
    supplier_calls = SupplierCalls(merchants, suppliers, calls, clock, nonce, addresses)
    contradictions = Contradictions(store, clock, ids, alarms)
    payments = Payments(
        ids, ledger, merchants, groups, outbox, routing, addresses.cashier_url, contradictions
    )
    by_hand = OrdersByHand(ids, ledger, merchants, groups, payments, routing)
    creation = Creation(
        store, clock, ids, ledger, merchants, routing, groups, supplier_calls, payments
    )
    follow_up = FollowUp(store, clock, ids, groups, supplier_calls, creation, payments, routing)
    refused = RefusedCallbacks(store, clock, ids, alarms)
    refunds = Refunds(ids, ledger, merchants, groups, outbox)
    return Trade(
        addresses=addresses,
        creation=creation,
        payments=payments,
        contradictions=contradictions,
        follow_up=follow_up,
        notifications=Notifications(store, clock, system.gateway, merchants, groups),
        callbacks=Callbacks(
            store, clock, ids, merchants, suppliers, payments, follow_up, alarms, refused
        ),
        refused_callbacks=refused,
        completions=Completions(
            store, clock, audit, outbox, groups, merchants, approvals, follow_up, by_hand
        ),
        discrepancies=Discrepancies(
            store, clock, ids, ledger, merchants, groups, outbox, audit, approvals, by_hand
        ),
        refunds=refunds,
        refund_dispatch=RefundDispatch(
            store, clock, ids, ledger, supplier_calls, suppliers, calls, refunds, groups.tell_ops
        ),
        refunds_by_hand=RefundsByHand(store, ledger, merchants, outbox, audit, approvals, refunds),
        lookups=Lookups(store, outbox),
    )
